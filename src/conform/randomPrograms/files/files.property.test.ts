import { expect, it } from "vitest";
import { inThread, PROFILES, runOnThreads } from "../../../../tests/programThreads.ts";
import { PROGRAM_OPERATIONS } from "../program.ts";
import { FILE_REACHABLE, FILE_WHY_NOT, fileTableText } from "./reachable.ts";

const IS_LONG = process.env.HUGELAB_LONG === "1";
/** Fixed for every run of CI; the long run takes that of the day and says so. */
const SEED = IS_LONG ? Math.floor(Date.now() / 86_400_000) : 20261121;
const PROGRAMS = IS_LONG ? 15_000 : 1_500;
/** Programs of which every operation is undone and done again. */
const UNDONE = IS_LONG ? 4_000 : 300;
const LEAST = 20;

const counts = new Map<string, number>();

it(
  `keeps every invariant in ${PROGRAMS} random programs of files, ${UNDONE} of them undone and redone line by line`,
  async () => {
    if (IS_LONG) console.log(`seed ${SEED}`);
    const results = await runOnThreads({ seed: SEED, end: PROGRAMS, undoneEnd: UNDONE, memory: "files", profiles: PROFILES });
    for (const [cell, n] of results.flatMap((r) => r.counts)) counts.set(cell, (counts.get(cell) ?? 0) + n);
    expect(results.flatMap((r) => r.failures).join("\n\n")).toBe("");
    expect(results.reduce((sum, r) => sum + r.operations, 0)).toBe(PROGRAMS * PROGRAM_OPERATIONS);
  },
  IS_LONG ? 0 : undefined,
);

it("reaches every cell of operation x kind of mapping x fault kind often enough, and none that is said to be out of reach", () => {
  console.log(`operation x kind of mapping x fault kind (${PROGRAMS} programs; "none" is not written)\n${fileTableText(counts)}`);
  console.log(`out of reach:\n${FILE_WHY_NOT.map(([what, reason]) => `${what}: ${reason}`).join("\n")}`);
  expect([...counts.keys()].filter((cell) => !FILE_REACHABLE.has(cell))).toEqual([]);
  expect([...FILE_REACHABLE].filter((cell) => (counts.get(cell) ?? 0) < LEAST).map((cell) => `${cell}: ${counts.get(cell) ?? 0}`)).toEqual([]);
});

it("ends in the same states when it runs again", async () => {
  const request = { seed: SEED, first: 0, end: 2 * PROFILES.length, step: 1, undoneEnd: 0, memory: "files" as const, profiles: PROFILES };
  const [one, other] = await Promise.all([inThread(request), inThread(request)]);
  expect(new Set(one.hashes).size).toBe(request.end);
  expect(other.hashes).toEqual(one.hashes);
});
