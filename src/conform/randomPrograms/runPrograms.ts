import { lockedVmExcess } from "../../kernel/check/vmas.ts";
import { folioOf, type Kernel } from "../../kernel/mm/kernel.ts";
import { frontierOf } from "../../kernel/mm/pageAlloc.ts";
import { PG } from "../../kernel/mm/pageFlags.ts";
import { mappingsOf } from "../../kernel/mm/rmapWalk.ts";
import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import type { Pfn } from "../../kernel/units.ts";
import { FileProgramWriter } from "./files/writer.ts";
import { PROGRAM_OPERATIONS, ProgramWriter, runLine, type Writer } from "./program.ts";

/** Which programs to run: every `step`th of [first, end). Plain data, so that a worker thread can be given it. */
export interface ProgramsRequest {
  readonly seed: number;
  readonly first: number;
  readonly end: number;
  readonly step: number;
  /** of programs below this one every operation is undone and done again */
  readonly undoneEnd: number;
  /** what the programs are about */
  readonly memory: "anonymous" | "files";
  /** profiles that take turns */
  readonly profiles: readonly string[];
}

export interface ProgramsResult {
  /** how often each cell was reached */
  readonly counts: readonly (readonly [cell: string, count: number])[];
  /** what went wrong, with the program that shows it */
  readonly failures: readonly string[];
  /** hash of the state that each program ended in */
  readonly hashes: readonly string[];
  readonly operations: number;
}

/** A run ends after this many programs that failed. */
const MOST_FAILURES = 3;

export function runPrograms(request: ProgramsRequest): ProgramsResult {
  const counts = new Map<string, number>();
  const failures: string[] = [];
  const hashes: string[] = [];
  let operations = 0;
  for (let index = request.first; index < request.end && failures.length < MOST_FAILURES; index += request.step) {
    const profile = findProfile(request.profiles[index % request.profiles.length]);
    if (profile === undefined) throw new RangeError("no such profile");
    const run = new ProgramRun(profile, request, index, counts);
    const failure = run.run(index < request.undoneEnd);
    if (failure !== null) failures.push(failure);
    hashes.push(run.hash());
    operations += PROGRAM_OPERATIONS;
  }
  return { counts: [...counts], failures, hashes, operations };
}

class ProgramRun {
  private readonly writer: Writer;
  private readonly counts: Map<string, number>;
  private readonly title: string;

  constructor(profile: Profile, { seed, memory }: ProgramsRequest, index: number, counts: Map<string, number>) {
    this.writer = memory === "files" ? new FileProgramWriter(profile, seed, index) : new ProgramWriter(profile, seed, index);
    this.counts = counts;
    this.title = `seed ${seed}, program ${index}, ${profile.id}`;
  }

  hash(): string {
    return this.writer.world.machine.hash();
  }

  /** Runs the whole program; what went wrong, or null. */
  run(isUndone: boolean): string | null {
    let wrong: string | null;
    try {
      wrong = this.operations(isUndone) ?? this.atTheEnd();
    } catch (error) {
      wrong = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    return wrong === null ? null : `${this.title}: ${wrong}\n${this.writer.lines.join("\n")}`;
  }

  private operations(isUndone: boolean): string | null {
    const { world } = this.writer;
    const { machine } = world;
    let hash = isUndone ? machine.hash() : "";
    for (let n = 0; n < PROGRAM_OPERATIONS; n++) {
      const { operation, cells } = this.writer.next();
      const before = isUndone ? world.capture() : undefined;
      const result = runLine(world, operation);
      const violations = machine.check();
      if (violations.length > 0) return JSON.stringify(violations);
      for (const cell of cells(result)) this.counts.set(cell, (this.counts.get(cell) ?? 0) + 1);
      if (before === undefined) continue;
      const after = machine.hash();
      world.restore(before);
      if (machine.hash() !== hash) return "undo of the last line does not lead back";
      runLine(world, operation);
      if (machine.hash() !== after) return "redo of the last line leads elsewhere";
      hash = after;
    }
    return null;
  }

  private atTheEnd(): string | null {
    const k = this.writer.world.machine.kernel;
    const lost = lostByRmap(k);
    if (lost.length > 0) return `the walk over the anon_vma or the file does not find what maps the folios ${lost.join(" ")}`;
    if (this.writer.lines.some((line) => line.includes("dontunmap"))) return null;
    for (const [mm] of k.mms.entries()) if (lockedVmExcess(k, mm) !== 0) return `locked_vm of address space ${mm} is ${lockedVmExcess(k, mm)} pages too high`;
    return null;
  }
}

/** Folios of which the walk over their anon_vma or their file finds other entries than the map counts say, which checkMachine compared with the tables. */
function lostByRmap(k: Kernel): number[] {
  const out: number[] = [];
  for (let slot = 1; slot <= k.zones.count; slot++) {
    for (let pfn = k.zones.get(slot).start; pfn < frontierOf(k, slot); pfn++) {
      const flags = k.pageFlags.get(pfn);
      if ((flags & (PG.anon | PG.file)) === 0 || folioOf(k, pfn as Pfn) !== pfn) continue;
      const found = mappingsOf(k, pfn as Pfn);
      const isLarge = (flags & PG.head) !== 0;
      const pmds = found.filter((m) => m.level === "pmd").length;
      const should = isLarge ? k.largeMapcount.get(pfn) : k.mapcount.get(pfn);
      if (found.length !== should || (isLarge && pmds !== k.entireMapcount.get(pfn))) out.push(pfn);
    }
  }
  return out;
}
