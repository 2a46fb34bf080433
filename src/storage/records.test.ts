import { describe, expect, it } from "vitest";
import { addLearner, beginAttempt, NOON_MS, refusal, sha, uuid } from "../../tests/storageSupport.ts";
import { appendEvents, type AttemptKey, listAttempts, readAttempt, readEvents, readProgress, startAttempt } from "./attempts.ts";
import { command, type WritableDb } from "./connection.ts";
import { createLearner, hideLearner, listLearners, readLearner, renameLearner } from "./learners.ts";
import { jsonDepth, LIMITS, toJson } from "./limits.ts";
import { openMemoryStorage } from "./openStorage.ts";
import { findPack, listInstalledPacks, putPack, removePack } from "./packs.ts";
import {
  findSessionOfAttempt,
  listSessions,
  type NodeRecord,
  readNodes,
  readSession,
  readTranscript,
  saveStep,
  type SessionKey,
  startSession,
} from "./sessions.ts";
import { readSetting, readSettings, removeSetting, writeSetting } from "./settings.ts";
import { listSubmissions, saveSubmission } from "./submissions.ts";

const nowMs = NOON_MS;
const state = { behaviour: "1", stateHash: "ab", digest: "cd" };

function open(): WritableDb {
  return openMemoryStorage().write;
}

function beginSession(db: WritableDb, learner: number, attempt: number | null = null): SessionKey {
  return startSession(db, { learner: addLearner(db, learner), attempt, profile: "p", seed: 1, config: { cpus: 2 }, root: state, nowMs });
}

function node(number: number, parent: number | null, more: Partial<NodeRecord> = {}): Omit<NodeRecord, "timeMs"> {
  return { ...state, node: number, parent, command: `touch A ${number}`, operationsDone: null, ...more };
}

describe("learners", () => {
  it("are listed by name, renamed, hidden and shown again", () => {
    const db = open();
    for (const [number, name] of ["Zoe", "  Åsa\u0301 ", "kim"].entries()) createLearner(db, { id: uuid(number), name, nowMs: number });
    expect(listLearners(db).map(({ name }) => name)).toEqual(["kim", "Zoe", "Åsá"]);
    renameLearner(db, uuid(2), "KIM");
    hideLearner(db, uuid(2), 5);
    expect(readLearner(db, uuid(2))).toEqual({ id: uuid(2), name: "KIM", createdMs: 2, hiddenMs: 5 });
    hideLearner(db, uuid(2), null);
    expect(readLearner(db, uuid(2)).hiddenMs).toBe(null);
  });

  it("have names that nobody confuses, and of a certain length", () => {
    const db = open();
    createLearner(db, { id: uuid(1), name: "Kim  Lee", nowMs });
    createLearner(db, { id: uuid(2), name: "Ada", nowMs });
    const create = (name: string, id = uuid(3)) => refusal(() => createLearner(db, { id, name, nowMs }));
    expect(create("kim lee")).toBe("nameTaken");
    expect(create("ＫＩＭ LEE")).toBe("nameTaken");
    expect(
      refusal(() => {
        renameLearner(db, uuid(2), "KIM LEE");
      }),
    ).toBe("nameTaken");
    expect(create(" ")).toBe("malformed");
    expect(create("x".repeat(257))).toBe("tooLarge");
    expect(create("ü".repeat(128))).toBe("none");
    expect(create("Other", uuid(1))).toBe("malformed");
    expect(create("Other", "1")).toBe("malformed");
    expect(
      refusal(() => {
        renameLearner(db, uuid(77), "X");
      }),
    ).toBe("notFound");
    // a letter whose compatibility form is 18 times as long
    expect(create("\ufdfa".repeat(85), uuid(4))).toBe("none");
  });

  it("are limited in number", () => {
    const db = open();
    db.write(() => {
      for (let count = 0; count < LIMITS.learnersMax; count++) addLearner(db, count);
    });
    expect(refusal(() => createLearner(db, { id: uuid(5000), name: "one more", nowMs }))).toBe("tooMany");
  });
});

describe("settings", () => {
  it("are of a learner or of the machine, and each sees its own", () => {
    const db = open();
    const [kim, lee] = [{ learner: addLearner(db, 1) }, { learner: addLearner(db, 2) }];
    writeSetting(db, "machine", { name: "theme", value: "dark", nowMs });
    writeSetting(db, kim, { name: "theme", value: { base: "light", sizes: [1, null] }, nowMs });
    writeSetting(db, kim, { name: "theme", value: { base: "high" }, nowMs });
    expect(readSetting(db, "machine", "theme")).toBe("dark");
    expect(readSetting(db, kim, "theme")).toEqual({ base: "high" });
    expect(readSetting(db, lee, "theme")).toBe(undefined);
    expect(readSettings(db, kim)).toEqual(new Map([["theme", { base: "high" }]]));
    removeSetting(db, kim, "theme");
    removeSetting(db, "machine", "theme");
    expect([readSettings(db, kim).size, readSettings(db, "machine").size]).toEqual([0, 0]);
  });

  it("are limited", () => {
    const db = open();
    const set = (name: string, value: unknown) =>
      refusal(() => {
        writeSetting(db, "machine", { name, value, nowMs });
      });
    expect(set("x".repeat(101), 1)).toBe("tooLarge");
    expect(set("x", "y".repeat(LIMITS.settingBytesMax - 2))).toBe("none");
    expect(set("x", "y".repeat(LIMITS.settingBytesMax - 1))).toBe("tooLarge");
    expect(set("x", undefined)).toBe("malformed");
    expect(set("x", 1n)).toBe("malformed");
    expect(
      refusal(() => {
        writeSetting(db, { learner: uuid(4) }, { name: "x", value: 1, nowMs });
      }),
    ).toBe("notFound");
    db.write(() => {
      for (let count = 1; count < LIMITS.settingsPerScopeMax; count++) writeSetting(db, "machine", { name: `s${count}`, value: 1, nowMs });
    });
    expect(set("one more", 1)).toBe("tooMany");
    expect(set("x", 2)).toBe("none");
  });
});

describe("packs", () => {
  it("are known by content; one that is removed is still known, and may come back from elsewhere", () => {
    const db = open();
    const pack = { hash: sha(1), packId: uuid(1), version: "1.0.0", place: "a.hlab" };
    putPack(db, { ...pack, nowMs });
    removePack(db, sha(1), 9);
    expect(listInstalledPacks(db)).toEqual([]);
    expect(findPack(db, sha(1))).toEqual({ ...pack, addedMs: nowMs, removedMs: 9 });
    putPack(db, { ...pack, place: "b.hlab", nowMs: 10 });
    expect(listInstalledPacks(db)).toEqual([{ ...pack, place: "b.hlab", addedMs: nowMs, removedMs: null }]);
    expect(findPack(db, sha(2))).toBe(null);
    expect(
      refusal(() => {
        putPack(db, { ...pack, hash: "abc", nowMs });
      }),
    ).toBe("malformed");
    expect(
      refusal(() => {
        putPack(db, { ...pack, hash: sha(3), place: "x".repeat(4097), nowMs });
      }),
    ).toBe("tooLarge");
  });
});

describe("attempts and events", () => {
  it("are kept in order, all or none of one call", () => {
    const db = open();
    const key = beginAttempt(db);
    const event = { kind: "note", payload: { lone: "\ud800", deep: [[1]] } };
    expect(appendEvents(db, key, [event, { kind: "more", payload: null }], 8)).toBe(3);
    expect(refusal(() => appendEvents(db, key, [event, { kind: "", payload: 1 }], 9))).toBe("malformed");
    expect(readEvents(db, key).map(({ sequence, kind, timeMs }) => [sequence, kind, timeMs])).toEqual([
      [1, "started", nowMs],
      [2, "note", 8],
      [3, "more", 8],
    ]);
    expect(readEvents(db, key, { after: 1, most: 1 })).toEqual([{ id: 2, attempt: 1, sequence: 2, ...event, timeMs: 8 }]);
    expect(readAttempt(db, key)).toMatchObject({ packId: uuid(1001), lab: uuid(2001), seed: 7, startedMs: nowMs });
  });

  it("are limited", () => {
    const db = open();
    const key = beginAttempt(db);
    const append = (payload: unknown, kind = "note") => refusal(() => appendEvents(db, key, [{ kind, payload }], nowMs));
    expect(append("x".repeat(LIMITS.eventBytesMax - 2))).toBe("none");
    expect(append("x".repeat(LIMITS.eventBytesMax - 1))).toBe("tooLarge");
    expect(append(1, "k".repeat(65))).toBe("tooLarge");
    let deep: unknown = 1;
    for (let count = 0; count < LIMITS.jsonDepthMax; count++) deep = [deep];
    expect(append(deep)).toBe("none");
    expect(append([deep])).toBe("malformed");
    for (let count = 0; count < 100_000; count++) deep = [deep];
    expect(append(deep)).toBe("malformed");
    expect(refusal(() => appendEvents(db, key, [], -1))).toBe("malformed");
    expect(refusal(() => appendEvents(db, key, [], 1.5))).toBe("malformed");
  });

  it("need a learner, a pack and a seed", () => {
    const db = open();
    const { attempt: _, packId: __, startedMs, ...known } = readAttempt(db, beginAttempt(db));
    const start = (more: Partial<typeof known>) => refusal(() => startAttempt(db, { ...known, nowMs: startedMs, ...more }));
    expect(start({})).toBe("none");
    expect(start({ learner: uuid(50) })).toBe("notFound");
    expect(start({ packHash: sha(50) })).toBe("notFound");
    expect(start({ seed: 2 ** 53 })).toBe("malformed");
    expect(start({ seed: 2 ** 53 - 1 })).toBe("none");
    expect(start({ lab: "first-fault" })).toBe("malformed");
  });
});

describe("sessions", () => {
  it("are a tree of nodes with a place in it, and the lines on the screen", () => {
    const db = open();
    const key = beginSession(db, 1);
    saveStep(db, key, {
      node: node(1, 0),
      lines: [
        { kind: "input", text: "touch A" },
        { kind: "output", text: "ok\n" },
      ],
      nowMs: 11,
    });
    saveStep(db, key, { node: node(2, 1, { operationsDone: 7 }), lines: [{ kind: "note", text: "cancelled" }], nowMs: 12 });
    saveStep(db, key, { node: 0, lines: [{ kind: "input", text: "goto 0" }], nowMs: 13 });
    saveStep(db, key, { node: node(3, 0, { command: "" }), lines: [], nowMs: 14 });
    expect(readSession(db, key)).toEqual({
      ...key,
      attempt: null,
      profile: "p",
      seed: 1,
      config: { cpus: 2 },
      startedMs: nowMs,
      changedMs: 14,
      currentNode: 3,
    });
    expect(readNodes(db, key).map((each) => [each.node, each.parent, each.operationsDone])).toEqual([
      [0, null, null],
      [1, 0, null],
      [2, 1, 7],
      [3, 0, null],
    ]);
    expect(readNodes(db, key, { from: 2, most: 1 })).toEqual([{ ...node(2, 1), operationsDone: 7, timeMs: 12 }]);
    expect(readTranscript(db, key, { before: Infinity, most: 2 }).map(({ line, node, text }) => [line, node, text])).toEqual([
      [2, 2, "cancelled"],
      [3, 0, "goto 0"],
    ]);
    expect(readTranscript(db, key, { before: 2, most: 9 }).map(({ text }) => text)).toEqual(["touch A", "ok\n"]);
  });

  it("refuse a node out of order or place, and keep nothing of it", () => {
    const db = open();
    const key = beginSession(db, 1);
    const save = (what: Omit<NodeRecord, "timeMs"> | number) =>
      refusal(() => {
        saveStep(db, key, { node: what, lines: [{ kind: "input", text: "x" }], nowMs });
      });
    expect(save(node(2, 0))).toBe("malformed");
    expect(save(node(0, null))).toBe("malformed");
    expect(save(node(1, null))).toBe("malformed");
    expect(save(node(1, 1))).toBe("notFound");
    expect(save(node(1, -1))).toBe("notFound");
    expect(save(1)).toBe("notFound");
    expect(save(node(1, 0, { command: "x".repeat(LIMITS.commandBytesMax + 1) }))).toBe("tooLarge");
    expect(save(node(1, 0, { stateHash: "xyz" }))).toBe("malformed");
    expect(save(node(1, 0, { stateHash: "a".repeat(129) }))).toBe("malformed");
    expect(save(node(1, 0, { operationsDone: -1 }))).toBe("malformed");
    expect([readNodes(db, key).length, readTranscript(db, key, { before: Infinity, most: 9 }).length]).toEqual([1, 0]);
    expect(save(node(1, 0))).toBe("none");
  });

  it("clip a line that is too long between characters and say how much is missing", () => {
    const db = open();
    const key = beginSession(db, 1);
    const text = "€".repeat(LIMITS.lineBytesMax / 2);
    expect(LIMITS.lineBytesMax % 3).not.toBe(0);
    saveStep(db, key, {
      node: node(1, 0),
      lines: [
        { kind: "output", text },
        { kind: "output", text: "half \ud83d" },
      ],
      nowMs,
    });
    const [long, half] = readTranscript(db, key, { before: Infinity, most: 9 });
    const keptBytes = Buffer.byteLength(long.text);
    expect(text.startsWith(long.text)).toBe(true);
    expect(keptBytes).toBeGreaterThan(LIMITS.lineBytesMax - 3);
    expect(keptBytes).toBeLessThanOrEqual(LIMITS.lineBytesMax);
    expect(long.clippedBytes).toBe(Buffer.byteLength(text) - keptBytes);
    expect(half).toMatchObject({ text: "half \ufffd", clippedBytes: 0 });
  });

  it("go on when the transcript is full: commands are kept, output can be replayed", () => {
    const db = open();
    const key = beginSession(db, 1);
    const lines = Array.from({ length: 64 }, () => ({ kind: "output" as const, text: "x".repeat(LIMITS.lineBytesMax) }));
    for (let number = 1; number <= 5; number++) saveStep(db, key, { node: node(number, number - 1), lines, nowMs });
    expect(readNodes(db, key)).toHaveLength(6);
    const last = readTranscript(db, key, { before: Infinity, most: 65 });
    expect([last[0].clippedBytes, last[1].text, last[64].clippedBytes]).toEqual([0, "", LIMITS.lineBytesMax]);
  });

  it("are found again: of an attempt, and the latest", () => {
    const db = open();
    const attempt = beginAttempt(db);
    expect(findSessionOfAttempt(db, attempt)).toBe(null);
    const first = beginSession(db, 1, attempt.attempt);
    const second = beginSession(db, 1, attempt.attempt);
    saveStep(db, first, { node: 0, lines: [], nowMs: nowMs + 5 });
    expect(findSessionOfAttempt(db, attempt)?.session).toBe(second.session);
    expect(listSessions(db, attempt.learner, 9).map(({ session }) => session)).toEqual([first.session, second.session]);
    expect(listSessions(db, attempt.learner, 1)).toHaveLength(1);
  });
});

describe("submissions", () => {
  it("are kept as they were handed in", () => {
    const db = open();
    const key = beginAttempt(db);
    const content = { transcript: ["touch A"], digest: "ab" };
    const submission = saveSubmission(db, key, { hash: sha(5), content, nowMs });
    expect(listSubmissions(db, key)).toEqual([{ submission, attempt: key.attempt, hash: sha(5), content, timeMs: nowMs }]);
    expect(refusal(() => saveSubmission(db, key, { hash: sha(5), content: "x".repeat(LIMITS.submissionBytesMax), nowMs }))).toBe("tooLarge");
    expect(refusal(() => saveSubmission(db, key, { hash: "5", content, nowMs }))).toBe("malformed");
  });
});

describe("two learners", () => {
  it("cannot reach each other's attempts, sessions and submissions", () => {
    const db = open();
    const kim = beginAttempt(db, { learner: 1 });
    const lee = beginAttempt(db, { learner: 2 });
    const session = beginSession(db, 1, kim.attempt);
    saveSubmission(db, kim, { hash: sha(1), content: 1, nowMs });

    const stolen: AttemptKey = { learner: lee.learner, attempt: kim.attempt };
    const stolenSession: SessionKey = { learner: lee.learner, session: session.session };
    const calls = [
      () => readAttempt(db, stolen),
      () => readEvents(db, stolen),
      () => appendEvents(db, stolen, [{ kind: "labSolved", payload: {} }], nowMs),
      () => saveSubmission(db, stolen, { hash: sha(1), content: 1, nowMs }),
      () => listSubmissions(db, stolen),
      () => beginSession(db, 2, kim.attempt),
      () => readSession(db, stolenSession),
      () => readNodes(db, stolenSession),
      () => readTranscript(db, stolenSession, { before: Infinity, most: 1 }),
      () => {
        saveStep(db, stolenSession, { node: 0, lines: [], nowMs });
      },
    ];
    expect(calls.map(refusal)).toEqual(calls.map(() => "notFound"));
    expect(findSessionOfAttempt(db, stolen)).toBe(null);
    // nor the other way round
    const back = { learner: kim.learner, attempt: lee.attempt };
    expect([() => readAttempt(db, back), () => readSession(db, { learner: kim.learner, session: beginSession(db, 2).session })].map(refusal)).toEqual([
      "notFound",
      "notFound",
    ]);
    expect(listAttempts(db, lee.learner).map(({ attempt }) => attempt)).toEqual([lee.attempt]);
    expect([...readProgress(db, lee.learner).values()].map(({ resume }) => resume.attempt)).toEqual([lee.attempt]);
    // and the tables themselves refuse a session that crosses over
    const crossing = command<[]>(`INSERT INTO sessions VALUES (99, '${lee.learner}', ${kim.attempt}, 'p', 1, '{}', 0, 0, 0, 0)`);
    expect(() => db.write(() => db.run(crossing))).toThrow("FOREIGN KEY");
  });
});

describe("append-only tables", () => {
  const tables = ["attempts", "events", "nodes", "transcript", "submissions"];

  function filled(): WritableDb {
    const db = open();
    const key = beginAttempt(db);
    const session = beginSession(db, 1, key.attempt);
    saveStep(db, session, { node: node(1, 0), lines: [{ kind: "input", text: "a" }], nowMs });
    saveSubmission(db, key, { hash: sha(1), content: 1, nowMs });
    return db;
  }

  it.each(tables)("%s refuses UPDATE, DELETE and REPLACE, whoever asks", (table) => {
    const db = filled();
    const column = table === "nodes" ? "node" : table === "transcript" ? "line" : "id";
    const run = (sql: string) => () => db.write(() => db.run(command<[]>(sql)));
    expect(run(`UPDATE ${table} SET ${column} = ${column}`)).toThrow("append-only");
    expect(run(`DELETE FROM ${table}`)).toThrow("append-only");
    expect(run(`INSERT OR REPLACE INTO ${table} SELECT * FROM ${table}`)).toThrow(/append-only|no gaps/);
    expect(run(`UPDATE OR REPLACE ${table} SET ${column} = 0`)).toThrow("append-only");
  });

  it.each([
    ["events", "INSERT INTO events (attempt, sequence, kind, payload, timeMs) VALUES (1, 3, 'x', '{}', 0)"],
    ["events", "INSERT INTO events (attempt, sequence, kind, payload, timeMs) VALUES (1, 0, 'x', '{}', 0)"],
    ["nodes", "INSERT INTO nodes VALUES (1, 3, 0, '', NULL, '1', 'a', 'b', 0)"],
    ["transcript", "INSERT INTO transcript VALUES (1, 2, 0, 'note', '', 0)"],
  ])("%s takes no gap: %s", (_table, sql) => {
    const db = filled();
    expect(() => db.write(() => db.run(command<[]>(sql)))).toThrow("no gaps");
  });
});

describe("limits", () => {
  // the tables' CHECKs are the last defence: as large as what the calls allow, and not larger
  it.each([
    ["a name", "UPDATE learners SET name = ?", LIMITS.nameBytesMax],
    ["a setting", "UPDATE machineSettings SET value = json_quote(?)", LIMITS.settingBytesMax - 2],
    ["a setting's name", "UPDATE machineSettings SET name = ?", LIMITS.settingNameBytesMax],
    ["a pack's place", "UPDATE packs SET place = ?", LIMITS.packPlaceBytesMax],
    ["a pack's version", "UPDATE packs SET version = ?", LIMITS.packVersionBytesMax],
    ["an event", "INSERT INTO events (attempt, sequence, kind, payload, timeMs) VALUES (1, 2, 'x', json_quote(?), 0)", LIMITS.eventBytesMax - 2],
    ["an event's kind", "INSERT INTO events (attempt, sequence, kind, payload, timeMs) VALUES (1, 2, ?, '{}', 0)", LIMITS.eventKindBytesMax],
    ["a command", "INSERT INTO nodes VALUES (1, 1, 0, ?, NULL, '1', 'a', 'b', 0)", LIMITS.commandBytesMax],
    ["a hash", "INSERT INTO nodes VALUES (1, 1, 0, '', NULL, '1', ?, 'b', 0)", LIMITS.hashBytesMax],
    ["a line", "INSERT INTO transcript VALUES (1, 0, 0, 'note', ?, 0)", LIMITS.lineBytesMax],
    ["a config", "UPDATE sessions SET config = json_quote(?)", LIMITS.sessionConfigBytesMax - 2],
    ["a profile", "UPDATE sessions SET profile = ?", LIMITS.profileBytesMax],
    ["a submission", `INSERT INTO submissions (attempt, hash, content, timeMs) VALUES (1, '${sha(1)}', json_quote(?), 0)`, LIMITS.submissionBytesMax - 2],
  ])("%s: the table takes %s with exactly %d bytes", (_what, sql, bytesMax) => {
    const db = open();
    beginAttempt(db);
    beginSession(db, 1);
    writeSetting(db, "machine", { name: "x", value: 1, nowMs });
    const run = (text: string) => () => db.write(() => db.run(command<[string]>(sql), text));
    expect(run("x".repeat(bytesMax + 1))).toThrow("CHECK constraint failed");
    expect(run(`${"x".repeat(bytesMax - 2)}ü`)).not.toThrow();
  });

  it("know how deep a JSON text is", () => {
    expect(["1", '"[[["', "[]", '{"a\\"[":[{}]}', '["\\\\",[]]'].map(jsonDepth)).toEqual([0, 0, 1, 3, 2]);
    expect(toJson("x".repeat(8_000_000), "x", LIMITS.submissionBytesMax)).toHaveLength(8_000_002);
  });
});
