import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import { withKernelConfig } from "../../kernel/profile/kernelConfig.ts";
import { runAlone } from "../../kernel/sched/points.ts";
import { Scheduler } from "../../kernel/sched/scheduler.ts";
import type { Decision } from "../../kernel/why/tracer.ts";
import { parseScript } from "../../shell/command/parseScript.ts";
import type { Operation } from "../../shell/operation.ts";
import { execute, type ResultFields } from "../execute.ts";
import { World } from "../world.ts";

/** For tests: a booted machine on which the results of scans are noted, as the tracepoints of mm/khugepaged.c would tell them. */

export interface ScanRun {
  readonly world: World;
  readonly results: readonly ResultFields[];
  /** `hpage_collapse_scan_pmd SCAN_PAGE_RO`: the decisions about collapse in the last operation, in order */
  readonly scans: readonly string[];
}

export interface ScanOptions {
  readonly patches?: readonly string[];
  /** CONFIG_SHMEM=n */
  readonly config?: readonly string[];
  readonly memoryMiB?: number;
  readonly cpus?: number;
  /** false: nothing is noted, and what costs long to explain is quick */
  readonly traced?: boolean;
}

function operationsOf(lines: readonly string[]): readonly Operation[] {
  const { operations, errors } = parseScript(`${lines.join("\n")}\n`);
  if (errors.length > 0) throw new SyntaxError(`${lines[errors[0].line - 1]}: ${errors[0].message.key}`);
  return operations;
}

export function machineOf(release: string, options: ScanOptions = {}): World {
  let profile = (findProfile(release) ?? findProfile(`upstream-${release}`)) as Profile;
  for (const option of options.config ?? []) profile = withKernelConfig(profile, ...(option.split("=") as [string, string])) as Profile;
  if (options.memoryMiB !== undefined) profile = { ...profile, memoryMiB: options.memoryMiB };
  return new World(profile, { patches: options.patches ?? [], cpus: options.cpus ?? profile.cpus });
}

const isScan = ({ rule }: Decision): boolean => rule.startsWith("collapse.");
const textOf = ({ symbol, outcome }: Decision): string => `${symbol} ${outcome}`;

/** Carries out lines on a fresh machine and says what the last of them scanned. */
export function runScans(release: string, lines: readonly string[], options: ScanOptions = {}): ScanRun {
  const world = machineOf(release, options);
  const results: ResultFields[] = [];
  const scans: string[] = [];
  const operations = operationsOf(lines);
  for (const operation of operations) {
    // faults that are explained take long
    if (options.traced !== false && operation === operations.at(-1))
      world.machine.tracer = { decide: (decision) => void (isScan(decision) && scans.push(textOf(decision))) };
    world.machine.beginStep();
    results.push(runAlone(execute(world, operation)));
  }
  world.machine.tracer = null;
  return { world, results, scans };
}

/**
 * After a set-up one operation runs up to the first time it stands at `point`, another runs to its end meanwhile (or as far as it can), then the first goes on.
 */
export function runScansWhile(release: string, setup: readonly string[], first: string, point: string, meanwhile: string, options: ScanOptions = {}): ScanRun {
  const world = machineOf(release, { cpus: 2, ...options });
  for (const operation of operationsOf(setup)) {
    world.machine.beginStep();
    runAlone(execute(world, operation));
  }
  const scans: string[] = [];
  world.machine.beginStep();
  world.machine.tracer = { decide: (decision) => void (isScan(decision) && scans.push(textOf(decision))) };
  const programs = [first, meanwhile].map((line) => ({ name: line, run: () => execute(world, operationsOf([line])[0]) }));
  const scheduler = new Scheduler<ResultFields>(world.machine.kernel, programs);
  const standsAt = (): boolean => {
    const [state] = scheduler.states;
    return state.kind === "at" && state.point === point;
  };
  while (!standsAt()) {
    if (scheduler.states[0].kind === "ended") throw new Error(`${first} never stands at ${point}`);
    scheduler.step(0);
  }
  while (scheduler.states[1].kind === "at" && scheduler.isRunnable(1)) scheduler.step(1);
  for (let runnable = scheduler.runnable(); runnable.length > 0; runnable = scheduler.runnable()) scheduler.step(runnable[0]);
  world.machine.tracer = null;
  const results = scheduler.states.map((state): ResultFields => (state.kind === "ended" ? state.result : { error: "deadlock" }));
  return { world, results, scans };
}
