import { expect, it } from "vitest";
import { lockedVmExcess } from "../../kernel/check/vmas.ts";
import type { Kernel } from "../../kernel/mm/kernel.ts";
import { folioOf } from "../../kernel/mm/kernel.ts";
import { frontierOf } from "../../kernel/mm/pageAlloc.ts";
import { PG } from "../../kernel/mm/pageFlags.ts";
import { mappingsOf } from "../../kernel/mm/rmapWalk.ts";
import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import type { Pfn } from "../../kernel/units.ts";
import { CellWatch } from "./cells.ts";
import { PROGRAM_OPERATIONS, ProgramWriter, runLine } from "./program.ts";
import { REACHABLE, tableText, WHY_NOT } from "./reachable.ts";

const IS_LONG = process.env.HUGELAB_LONG === "1";
/** Fixed for every run of CI; the long run takes that of the day and says so. */
const SEED = IS_LONG ? Math.floor(Date.now() / 86_400_000) : 20261121;
/** Programs of which every operation is undone and done again. */
const UNDONE = IS_LONG ? 10_000 : 1_000;
/** All programs: invariants after every operation, and the table. */
const PROGRAMS = IS_LONG ? 40_000 : 4_000;
const LEAST = 20;

/** Half of the programs on the newest release, the others where structures differ. */
const PROFILES = [
  "debian-6.18.15",
  "vm-6.18.44",
  "debian-6.18.15",
  "debian-6.12.107",
  "debian-6.18.15",
  "debian-6.1.176",
  "debian-6.18.15",
  "upstream-6.8",
  "debian-6.18.15",
  "upstream-5.19",
] as const;
const profileOf = (index: number): Profile => findProfile(PROFILES[index % PROFILES.length]) as Profile;

/** Runs a program, undoing and redoing each operation where `isUndone`. Returns the hash of the state it ends in. */
function runProgram(seed: number, index: number, isUndone: boolean, counts: Map<string, number>): string {
  const writer = new ProgramWriter(profileOf(index), seed, index);
  const { world } = writer;
  const { machine } = world;
  const told = (): string => `seed ${seed}, program ${index}, ${machine.kernel.profile.id}:\n${writer.lines.join("\n")}`;
  let hash = isUndone ? machine.hash() : "";
  try {
    for (let n = 0; n < PROGRAM_OPERATIONS; n++) {
      const { operation, places } = writer.next();
      const watch = new CellWatch(world, operation, [...places.keys()]);
      const before = isUndone ? world.capture() : undefined;
      const result = runLine(world, operation);
      const violations = machine.check();
      if (violations.length > 0) expect(violations, told()).toEqual([]);
      for (const cell of watch.cells(result)) counts.set(cell, (counts.get(cell) ?? 0) + 1);
      if (before === undefined) continue;
      const after = machine.hash();
      world.restore(before);
      if (machine.hash() !== hash) expect.fail(`undo of the last line does not lead back\n${told()}`);
      runLine(world, operation);
      if (machine.hash() !== after) expect.fail(`redo of the last line leads elsewhere\n${told()}`);
      hash = after;
    }
  } catch (error) {
    throw error instanceof Error && !error.message.includes("program ") ? new Error(`${error.message}\n${told()}`, { cause: error }) : error;
  }
  expect(lostByRmap(machine.kernel), told()).toEqual([]);
  if (!writer.lines.some((line) => line.includes("dontunmap")))
    for (const [mm] of machine.kernel.mms.entries()) expect(lockedVmExcess(machine.kernel, mm), told()).toBe(0);
  return machine.hash();
}

/** Folios of which the walk over their anon_vma finds other entries than the map counts say (which checkMachine compared with the tables). */
function lostByRmap(k: Kernel): number[] {
  const out: number[] = [];
  for (let slot = 1; slot <= k.zones.count; slot++) {
    for (let pfn = k.zones.get(slot).start; pfn < frontierOf(k, slot); pfn++) {
      const flags = k.pageFlags.get(pfn);
      if ((flags & PG.anon) === 0 || folioOf(k, pfn as Pfn) !== pfn) continue;
      const found = mappingsOf(k, pfn as Pfn);
      const isLarge = (flags & PG.head) !== 0;
      const should = isLarge ? k.largeMapcount.get(pfn) : k.mapcount.get(pfn);
      const pmds = found.filter((m) => m.level === "pmd").length;
      if (found.length !== should || (isLarge && pmds !== k.entireMapcount.get(pfn))) out.push(pfn);
    }
  }
  return out;
}

const counts = new Map<string, number>();

it(
  `keeps every invariant in ${PROGRAMS} random programs of ${PROGRAM_OPERATIONS} operations, and undoes and redoes ${UNDONE} of them`,
  () => {
    if (IS_LONG) console.log(`seed ${SEED}`);
    for (let index = 0; index < PROGRAMS; index++) runProgram(SEED, index, index < UNDONE, counts);
  },
  IS_LONG ? 0 : undefined,
);

it("reaches every cell of operation x memory kind x fault kind often enough, and none that is said to be out of reach", () => {
  console.log(`operation x memory kind x fault kind (${PROGRAMS} programs; "none" is not written)\n${tableText(counts)}`);
  console.log(`out of reach:\n${WHY_NOT.map(([what, reason]) => `${what}: ${reason}`).join("\n")}`);
  expect([...counts.keys()].filter((cell) => !REACHABLE.has(cell))).toEqual([]);
  expect([...REACHABLE].filter((cell) => (counts.get(cell) ?? 0) < LEAST).map((cell) => `${cell}: ${counts.get(cell) ?? 0}`)).toEqual([]);
});

it("ends in the same state when it runs again", () => {
  const again = (index: number): string => runProgram(SEED, index, false, new Map());
  for (let index = 0; index < PROFILES.length; index++) expect(again(index)).toBe(again(index));
});
