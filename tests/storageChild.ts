// Run by storage tests as a process of its own: `hold FILE` opens a file and keeps it until it is killed; `open FILE` opens it and
// writes how that went; `write FILE` appends events for ever and writes the number of each one that was committed; `start FILE N`
// makes new files FILE.0, FILE.1 ... for ever; `again FILE` opens, changes and closes it many times and writes what was not as usual.
import { writeSync } from "node:fs";
import { appendEvents } from "../src/storage/attempts.ts";
import { openStorage } from "../src/storage/openStorage.ts";
import { saveStep, startSession } from "../src/storage/sessions.ts";
import { writeSetting } from "../src/storage/settings.ts";
import { StorageError } from "../src/storage/storageError.ts";
import { beginAttempt, NOON_MS, options, sha } from "./storageSupport.ts";

const [, , what, file] = process.argv;

function say(text: string): void {
  writeSync(1, text + "\n");
}

function hold(): void {
  const storage = openStorage(file, options);
  say("open");
  // keeps the process, and with it the file
  setInterval(() => storage.isReadOnly, 1000);
}

function open(): void {
  try {
    openStorage(file, options).close();
    say("opened");
  } catch (error) {
    say(error instanceof StorageError ? error.kind : String(error));
  }
}

/** Each committed step is 2 events, a node and 2 lines, in one transaction: all of them are there or none. */
function write(): void {
  const { write: db } = openStorage(file, options);
  const key = beginAttempt(db);
  const state = { behaviour: "1", stateHash: sha(0), digest: sha(0) };
  const session = startSession(db, { learner: key.learner, attempt: key.attempt, profile: "p", seed: 1, config: {}, root: state, nowMs: NOON_MS });
  say(`attempt ${key.attempt} ${session.session}`);
  for (let node = 1; ; node++) {
    db.write(() => {
      appendEvents(db, key, [{ kind: "stepEntered", payload: { step: `s${node}` } }], NOON_MS);
      const lines = [{ kind: "input", text: `touch A ${node}` } as const, { kind: "output", text: "x".repeat(node % 5000) } as const];
      saveStep(db, session, { node: { ...state, node, parent: node - 1, command: `touch A ${node}`, operationsDone: null }, lines, nowMs: NOON_MS });
      appendEvents(db, key, [{ kind: "checkPassed", payload: { check: `c${node}` } }], NOON_MS);
    });
    say(`node ${node}`);
  }
}

function start(): void {
  for (let count = 0; ; count++) {
    say(`begin ${count}`);
    openStorage(`${file}.${count}`, options).close();
  }
}

function again(): void {
  for (let count = 0; count < 10; count++) {
    try {
      const storage = openStorage(file, { ...options, lockedWaitMs: 200 });
      for (const { key } of storage.notices) say(key);
      writeSetting(storage.write, "machine", { name: `${process.pid}.${count}`, value: "x".repeat(9000), nowMs: NOON_MS });
      storage.close();
    } catch (error) {
      if (!(error instanceof StorageError && error.kind === "locked")) say(String(error));
    }
  }
}

const actions: Readonly<Record<string, () => void>> = { hold, open, write, start, again };
actions[what]();
