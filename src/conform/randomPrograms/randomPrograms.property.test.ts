import { expect, it } from "vitest";
import { inThread, PROFILES, runOnThreads } from "../../../tests/programThreads.ts";
import { PROGRAM_OPERATIONS } from "./program.ts";
import { REACHABLE, tableText, WHY_NOT } from "./reachable.ts";

const IS_LONG = process.env.HUGELAB_LONG === "1";
/** Fixed for every run of CI; the long run takes that of the day and says so. */
const SEED = IS_LONG ? Math.floor(Date.now() / 86_400_000) : 20261121;
/** Programs of which every operation is undone and done again. */
const UNDONE = IS_LONG ? 10_000 : 1_000;
/** All programs: invariants after every operation, and the table. */
const PROGRAMS = IS_LONG ? 40_000 : 4_000;
const LEAST = 20;

const counts = new Map<string, number>();

it(
  `keeps every invariant in ${PROGRAMS} random programs of ${PROGRAM_OPERATIONS} operations, ${UNDONE} of them undone and redone line by line`,
  async () => {
    if (IS_LONG) console.log(`seed ${SEED}`);
    const results = await runOnThreads({ seed: SEED, end: PROGRAMS, undoneEnd: UNDONE, memory: "anonymous", profiles: PROFILES });
    for (const [cell, n] of results.flatMap((r) => r.counts)) counts.set(cell, (counts.get(cell) ?? 0) + n);
    expect(results.flatMap((r) => r.failures).join("\n\n")).toBe("");
    expect(results.reduce((sum, r) => sum + r.operations, 0)).toBe(PROGRAMS * PROGRAM_OPERATIONS);
  },
  IS_LONG ? 0 : undefined,
);

it("reaches every cell of operation x memory kind x fault kind often enough, and none that is said to be out of reach", () => {
  console.log(`operation x memory kind x fault kind (${PROGRAMS} programs; "none" is not written)\n${tableText(counts)}`);
  console.log(`out of reach:\n${WHY_NOT.map(([what, reason]) => `${what}: ${reason}`).join("\n")}`);
  expect([...counts.keys()].filter((cell) => !REACHABLE.has(cell))).toEqual([]);
  expect([...REACHABLE].filter((cell) => (counts.get(cell) ?? 0) < LEAST).map((cell) => `${cell}: ${counts.get(cell) ?? 0}`)).toEqual([]);
});

it("ends in the same states when it runs again", async () => {
  const request = { seed: SEED, first: 0, end: 4 * PROFILES.length, step: 1, undoneEnd: 0, memory: "anonymous" as const, profiles: PROFILES };
  const [one, other] = await Promise.all([inThread(request), inThread(request)]);
  expect(one.hashes).toHaveLength(request.end);
  expect(new Set(one.hashes).size).toBe(request.end);
  expect(other.hashes).toEqual(one.hashes);
  const another = await inThread({ ...request, seed: SEED + 1 });
  expect(another.hashes.filter((hash, i) => hash === one.hashes[i])).toEqual([]);
});
