/** Random scripts of the command language, by area. A script depends on nothing but its options. */
import { Random } from "./random.ts";
import { ScriptWriter } from "./writer.ts";
import { ask, exit, fork, kernelAccess, lock, madvise, touch } from "./anonAccess.ts";
import { badMmap, lockFuture, mmap, mprotect, mremap, munmap } from "./anonMaps.ts";
import { diskCall, diskMmap, removeFiles, shmemCall, shmemMmap, shmemSetting } from "./files.ts";
import { changeSetting, firstSettings, scan } from "./settings.ts";

/** Areas that have a name (DESIGN.md section 8). */
export const AREAS = ["anon", "shmem", "file", "swap", "hugetlb", "uffd"] as const;
export type Area = (typeof AREAS)[number];

/** Areas that scripts can be generated for. */
export const AVAILABLE_AREAS: readonly Area[] = ["anon", "shmem", "file"];

export interface GenerateOptions {
  readonly seed: number;
  /** number of the script among those of this seed */
  readonly index: number;
  readonly areas: readonly Area[];
}

export type AreasResult = { readonly kind: "areas"; readonly areas: readonly Area[] } | { readonly kind: "unknown" | "unavailable"; readonly area: string };

export type Operation = (w: ScriptWriter) => void;

// prettier-ignore
const ANON: readonly (readonly [Operation, number])[] = [
  [madvise, 120], [touch, 90], [mmap, 50], [munmap, 36], [mprotect, 40], [mremap, 42], [changeSetting, 33], [scan, 28], [fork, 28], [exit, 15],
  [lock, 20], [lockFuture, 4], [ask, 24], [kernelAccess, 10], [badMmap, 5],
];

// prettier-ignore
const SHMEM: readonly (readonly [Operation, number])[] = [
  [madvise, 110], [touch, 90], [shmemMmap, 60], [shmemCall, 80], [shmemSetting, 36], [changeSetting, 6], [munmap, 30], [mprotect, 24], [mremap, 30],
  [scan, 26], [fork, 24], [exit, 10], [lock, 16], [ask, 22], [kernelAccess, 10], [mmap, 8],
];

// prettier-ignore
const FILE: readonly (readonly [Operation, number])[] = [
  [madvise, 100], [touch, 100], [diskMmap, 60], [diskCall, 90], [changeSetting, 8], [munmap, 30], [mprotect, 26], [mremap, 26],
  [scan, 8], [fork, 20], [exit, 8], [lock, 16], [ask, 24], [kernelAccess, 10], [mmap, 6],
];

/** Operations of an area, and what a script of it begins with. */
interface AreaTable {
  readonly operations: readonly (readonly [Operation, number])[];
  readonly begin: Operation;
}

const TABLES: Readonly<Partial<Record<Area, AreaTable>>> = {
  anon: { operations: ANON, begin: (w) => mmap(w, "P", "rw") },
  shmem: { operations: SHMEM, begin: (w) => beginShmem(w) },
  file: { operations: FILE, begin: (w) => diskMmap(w, "P") },
};

function beginShmem(w: ScriptWriter): void {
  for (let i = w.random.below(3); i > 0; i--) shmemSetting(w);
  shmemMmap(w, "P");
}

/** Reads a comma list of areas. */
export function readAreas(text: string): AreasResult {
  const areas: Area[] = [];
  for (const name of text.split(",").map((part) => part.trim())) {
    const area = AREAS.find((known) => known === name);
    if (area === undefined) return { kind: "unknown", area: name };
    if (!AVAILABLE_AREAS.includes(area)) return { kind: "unavailable", area };
    if (!areas.includes(area)) areas.push(area);
  }
  return { kind: "areas", areas };
}

/** One random operation on private anonymous memory, now and then with what usually goes with it. Writes nothing where it finds nothing to work on. */
export const anonOperation: Operation = (w) => w.random.weighted(ANON)(w);

/** One script: the same text for the same options, on every platform. */
export function generateScript(options: GenerateOptions): string {
  const w = new ScriptWriter(new Random(options.seed, options.index));
  const wanted = w.random.between(16, 38);
  firstSettings(w);
  const tables = options.areas.map((area) => TABLES[area]).filter((table) => table !== undefined);
  for (const table of tables) table.begin(w);
  // an operation that finds nothing to work on writes nothing
  for (let i = 0; w.lines.length < wanted && i < 500; i++) w.random.weighted((tables.length === 1 ? tables[0] : w.random.pick(tables)).operations)(w);
  for (const child of w.model.children) if (w.random.chance(60)) w.emit("exit", child);
  const last = w.mapping("P");
  if (last !== null && w.random.chance(30)) w.emit(`munmap ${w.all(last)}`);
  removeFiles(w);
  return w.lines.join("\n") + "\n";
}
