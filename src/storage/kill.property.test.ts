import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../tests/support.ts";
import { uuid, withPath, withRaw, withStorage } from "../../tests/storageSupport.ts";
import { readEvents, readProgress } from "./attempts.ts";
import { readNodes, readSession, readTranscript } from "./sessions.ts";

// SIGKILL ends the process between any two instructions; what it wrote is in the kernel's hands. A power cut is another matter:
// against that stands synchronous=FULL, which openStorage.process.test.ts checks is set.

const child = join(root, "tests", "storageChild.ts");
const rounds = 20;

interface Kill {
  /** so many lines after the first one, however slow the machine and its disk are */
  readonly lines: number;
  /** and so long after that */
  readonly delayMs: number;
}

/** Runs the child and kills it. @returns the lines that it wrote */
async function runAndKill(what: string, file: string, { lines, delayMs }: Kill): Promise<readonly string[]> {
  const process_ = spawn(process.execPath, [child, what, file], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  let isDoomed = false;
  process_.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    if (isDoomed || text.split("\n").length - 1 <= lines) return;
    isDoomed = true;
    setTimeout(() => process_.kill("SIGKILL"), delayMs);
  });
  const [status, signal] = (await once(process_, "close")) as [number | null, string | null];
  expect([status, signal]).toEqual([null, "SIGKILL"]);
  return text.split("\n").slice(0, -1);
}

/** They cover a commit and its neighbours unevenly, the same in every run. */
const kills = Array.from({ length: rounds }, (_, round): Kill => ({ lines: round % 4, delayMs: 3 + ((round * 37) % 100) + (round % 7) / 7 }));

describe("kill -9", () => {
  it("loses no committed step, keeps no half of one, and never damages the file", async () => {
    await withPath(async (file) => {
      let steps = 0;
      let logs = 0;
      for (const kill of kills) {
        const lines = await runAndKill("write", file, kill);
        if (existsSync(`${file}-wal`)) logs++;
        const [, attempt, session] = lines[0].split(" ").map(Number);
        const said = lines.length - 1;
        withStorage(file, ({ read, notices }) => {
          expect(notices).toEqual([]);
          const learner = uuid(1);
          const events = readEvents(read, { learner, attempt });
          const done = (events.length - 1) / 2;
          // the step that was committed when the kill came may not have been said
          expect([said, said + 1]).toContain(done);
          expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
          const nodes = readNodes(read, { learner, session });
          expect(nodes).toHaveLength(done + 1);
          expect(readSession(read, { learner, session }).currentNode).toBe(done);
          const transcript = readTranscript(read, { learner, session }, { before: Infinity, most: 1_000_000 });
          expect(transcript.map(({ text }) => text.length)).toEqual(nodes.slice(1).flatMap(({ node, command }) => [command.length, node % 5000]));
          const [progress] = readProgress(read, learner).values();
          expect(progress.resume).toMatchObject({ attempt, step: done === 0 ? null : `s${done}` });
          steps += done;
        });
        withRaw(file, (db) => expect(db.pragma("integrity_check", { simple: true })).toBe("ok"));
      }
      // otherwise nothing was killed in the middle of anything
      expect(steps).toBeGreaterThan(rounds);
      expect(logs).toBe(rounds);
    });
  });

  it("in the middle of making a new file leaves one that opens without a word", async () => {
    await withPath(async (file) => {
      let unfinished = 0;
      for (const [round, kill] of kills.entries()) {
        const lines = await runAndKill("start", `${file}.${round}`, kill);
        const last = `${file}.${round}.${lines.length - 1}`;
        if (existsSync(`${last}-journal`) || existsSync(`${last}-wal`)) unfinished++;
        withStorage(last, ({ notices }) => expect(notices).toEqual([]));
        withRaw(last, (db) => expect(db.pragma("integrity_check", { simple: true })).toBe("ok"));
      }
      expect(unfinished).toBeGreaterThan(0);
    });
  });
});
