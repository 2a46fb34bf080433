/** Random scripts of the command language, by area. A script depends on nothing but its options. */
import { Random } from "./random.ts";
import { ScriptWriter } from "./writer.ts";
import { ask, exit, fork, kernelAccess, lock, madvise, touch } from "./anonAccess.ts";
import { badMmap, lockFuture, mmap, mprotect, mremap, munmap } from "./anonMaps.ts";
import { changeSetting, firstSettings, scan } from "./settings.ts";

/** Areas that have a name (DESIGN.md section 8). */
export const AREAS = ["anon", "shmem", "file", "swap", "hugetlb", "uffd"] as const;
export type Area = (typeof AREAS)[number];

/** Areas that scripts can be generated for. */
export const AVAILABLE_AREAS: readonly Area[] = ["anon"];

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
  mmap(w, "P", "rw");
  // an operation that finds nothing to work on writes nothing
  for (let i = 0; w.lines.length < wanted && i < 500; i++) anonOperation(w);
  for (const child of w.model.children) if (w.random.chance(60)) w.emit("exit", child);
  const last = w.mapping("P");
  if (last !== null && w.random.chance(30)) w.emit(`munmap ${w.all(last)}`);
  return w.lines.join("\n") + "\n";
}
