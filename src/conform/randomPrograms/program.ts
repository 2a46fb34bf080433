import type { Profile } from "../../kernel/profile/profile.ts";
import { runAlone } from "../../kernel/sched/points.ts";
import { execute, type ResultFields } from "../../session/execute.ts";
import { LearnerWorld } from "../../session/learnerWorld.ts";
import { parseLine } from "../../shell/command/parseLine.ts";
import type { Operation } from "../../shell/operation.ts";
import { anonOperation } from "../generate/generate.ts";
import { Random } from "../generate/random.ts";
import { ScriptWriter } from "../generate/writer.ts";
import { Aimer, placesByKind } from "./aim.ts";
import { CellWatch } from "./cells.ts";

/** Operations of a program. */
export const PROGRAM_OPERATIONS = 50;
export const PROGRAM_MIB = 256;

/** An operation that is about to run, and the cells of the table that it counts for once it has. */
export interface NextOperation {
  readonly operation: Operation;
  readonly cells: (result: ResultFields) => readonly string[];
}

/** Writes a random program line by line while it runs. */
export interface Writer {
  readonly lines: readonly string[];
  readonly world: LearnerWorld;
  next(): NextOperation;
}

/** Settings that every program begins with: a machine of 256 MiB starts with THP off, and its daemon visits little at a time. */
const PRELUDE = ["sys thp enabled madvise", "sys khp pages_to_scan 100000"] as const;

/** A line that must parse: it was written here. */
export function operationOf(line: string): Operation {
  const parsed = parseLine(line, 1);
  if (parsed.kind !== "operation") throw new SyntaxError(`"${line}" does not parse`);
  return parsed.operation;
}

/** Carries out a line as the next step. */
export function runLine(world: LearnerWorld, operation: Operation): ResultFields {
  world.machine.beginStep();
  world.faultLogs.clear();
  return runAlone(execute(world, operation));
}

/**
 * Writes a random program line by line while it runs: some lines from the generator of fuzz-kernel, which knows only what it
 * wrote, some from the aimer, which looks at the machine. The same seed and index give the same program.
 */
export class ProgramWriter implements Writer {
  readonly lines: string[] = [];
  readonly world: LearnerWorld;
  private readonly writer: ScriptWriter;
  private readonly random: Random;
  private readonly aimer: Aimer;
  private taken = 0;

  constructor(profile: Profile, seed: number, index: number) {
    this.world = new LearnerWorld({ profile, memoryMiB: PROGRAM_MIB });
    this.random = new Random(seed, index);
    this.writer = new ScriptWriter(this.random);
    this.writer.lines.push(...PRELUDE.filter(() => this.world.machine.kernel.geo.thp));
    // 97 aims apart: a program gets through about twenty
    this.aimer = new Aimer(this.world, this.random, index * 97, () => this.writer.model.newName());
  }

  next(): NextOperation {
    const places = placesByKind(this.world, this.random);
    if (this.taken === this.writer.lines.length) {
      if (this.random.chance(15)) anonOperation(this.writer);
      if (this.taken === this.writer.lines.length) this.writer.lines.push(this.aimer.line(places));
    }
    const line = this.writer.lines[this.taken++];
    this.lines.push(line);
    const operation = operationOf(line);
    const watch = new CellWatch(this.world, operation, [...places.keys()]);
    return { operation, cells: (result) => watch.cells(result) };
  }
}
