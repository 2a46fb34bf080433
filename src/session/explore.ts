import { KernelBug } from "../kernel/assert.ts";
import { MachineCheck } from "../kernel/check/checkMachine.ts";
import type { Message } from "../kernel/message.ts";
import type { Profile } from "../kernel/profile/profile.ts";
import { runAlone } from "../kernel/sched/points.ts";
import type { Operation } from "../shell/operation.ts";
import type { ThreadedScript } from "../shell/threadedScript.ts";
import { execute, type ResultFields } from "./execute.ts";
import { ScheduleRun, type CarryOut, type ThreadOperation } from "./threads/schedule.ts";
import { checkContents, checkPins, imageOf, refused, type Image } from "./threads/checks.ts";
import { World } from "./world.ts";

/**
 * Carries out the threads of a script in every order that differs, and finds the shortest schedule that breaks an
 * invariant. The search goes by preemptions (a thread that could go on is stopped for another): first all schedules
 * without any, then those with one, and so on; so the first that breaks has fewest, and among those the one with
 * fewest steps is reported. Schedules that arrive at a position that was seen are not followed further
 * (ScheduleRun.position), so that the search ends where the number of positions is finite, long before the number of
 * interleavings is reached; then nothing was left out.
 */

export interface ExploreOptions {
  readonly profile: Profile;
  /** toggles switched on or off against the release: "+id", "-id" */
  readonly patches: readonly string[];
  /** most preemptions in one schedule; null: no bound */
  readonly bound: number | null;
  /** schedules after which the search gives up */
  readonly mostSchedules?: number;
  /** what carries an operation out; tests put kernel functions in that leave something out */
  readonly carryOut?: CarryOut;
  /** asked before each schedule; false ends the search */
  readonly goOn?: () => boolean;
}

export const MOST_SCHEDULES = 200_000;
/** Steps after which a schedule is said not to end. */
const MOST_STEPS = 20_000;

/** One step of a schedule: a thread went on and stands at a point now, or has ended an operation or all. */
export interface ScheduleStep {
  readonly thread: string;
  /** line of the operation in the script, counted from 1, and its text */
  readonly line: number;
  readonly operation: string;
  /** preemption point that the step ended at; null when the thread has ended */
  readonly point: string | null;
  /** result of the operation, where it ended with this step */
  readonly result: ResultFields | null;
}

export interface Breach {
  readonly what: Message;
  readonly preemptions: number;
  readonly steps: readonly ScheduleStep[];
}

/** Why a search ended: everything was seen, the bound left something out, or it was told to stop. */
export type Coverage = "exhausted" | "bounded" | "stopped";

export interface ExploreResult {
  readonly breach: Breach | null;
  readonly coverage: Coverage;
  /** most preemptions of a schedule that was carried out */
  readonly preemptions: number;
  /** schedules begun, and how many of them were followed to the end of all threads; the others arrived at a position seen before */
  readonly schedules: number;
  readonly completed: number;
  /** positions that differ, those at the end of all threads apart */
  readonly positions: number;
  readonly ends: number;
  /** operations that never did what they were asked to: of the set-up, and of threads in every schedule that was completed */
  readonly refused: readonly RefusedOperation[];
}

export interface RefusedOperation {
  readonly line: number;
  readonly operation: string;
  readonly result: ResultFields;
}

export function explore(script: ThreadedScript, options: ExploreOptions): ExploreResult {
  const world = new World(options.profile, { patches: options.patches, cpus: Math.max(options.profile.cpus, script.threads.length) });
  const inSetup = script.setup.flatMap((operation) => {
    world.machine.beginStep();
    return refusal(operation, runAlone(execute(world, operation)));
  });
  const search = new Search(script, world, options);
  const outcome = search.run();
  return { ...outcome, refused: [...inSetup, ...search.neverDone()] };
}

const refusal = (operation: Operation, result: ResultFields): RefusedOperation[] =>
  refused(result) ? [{ line: operation.line, operation: operation.text, result }] : [];

interface Found {
  readonly what: Message;
  readonly choices: readonly number[];
}

class Search {
  private readonly script: ThreadedScript;
  private readonly options: ExploreOptions;
  private readonly schedule: ScheduleRun;
  private readonly before: Image;
  private readonly machineCheck: MachineCheck;
  private readonly seen = new Set<string>();
  /** schedules to begin, by number of preemptions: the choices up to where they leave another schedule */
  private readonly waiting: (readonly number[])[][] = [[]];
  private readonly ends = new Set<string>();
  private schedules = 0;
  private completed = 0;
  /** by line: the result of an operation that was refused, null once it was not */
  private readonly results = new Map<number, RefusedOperation | null>();

  constructor(script: ThreadedScript, world: World, options: ExploreOptions) {
    this.script = script;
    this.options = options;
    this.before = imageOf(world);
    this.machineCheck = new MachineCheck(world.machine.kernel);
    this.schedule = new ScheduleRun(
      world,
      script.threads.map((t) => t.operations),
      options.carryOut ?? execute,
    );
  }

  run(): Omit<ExploreResult, "refused"> {
    const bound = this.options.bound ?? Infinity;
    const most = this.options.mostSchedules ?? MOST_SCHEDULES;
    this.waiting[0] = this.schedule.runnable().map((t) => [t]);
    let level = 0;
    for (; level <= bound && level < this.waiting.length; level++) {
      const found: Found[] = [];
      for (let next = this.waiting[level].pop(); next !== undefined; next = this.waiting[level].pop()) {
        if (this.schedules >= most || this.options.goOn?.() === false) return this.result("stopped", level, null);
        this.schedules++;
        const broken = this.follow(next, level);
        if (broken !== null) found.push(broken);
      }
      const shortest = found.reduce<Found | null>((best, f) => (best === null || f.choices.length < best.choices.length ? f : best), null);
      if (shortest !== null) return this.result("bounded", level, this.describe(shortest, level));
    }
    return this.result(level < this.waiting.length ? "bounded" : "exhausted", level - 1, null);
  }

  neverDone(): RefusedOperation[] {
    return [...this.results.values()].filter((r) => r !== null).sort((a, b) => a.line - b.line);
  }

  private result(coverage: Coverage, preemptions: number, breach: Breach | null): Omit<ExploreResult, "refused"> {
    return { breach, coverage, preemptions, schedules: this.schedules, completed: this.completed, positions: this.seen.size, ends: this.ends.size };
  }

  /** Replays the choices of a schedule, then goes on without preemption until it ends, breaks, or arrives where another one was. */
  private follow(choices: readonly number[], level: number): Found | null {
    const run = this.schedule;
    run.reset();
    try {
      for (const thread of choices) run.step(thread);
      while (!run.ended) {
        const next = this.choose(level);
        if (next === null) return null;
        if (next < 0) return { what: this.deadlock(), choices: run.choices };
        if (run.choices.length >= MOST_STEPS) return { what: { key: "session.broken.endless", args: { most: MOST_STEPS } }, choices: run.choices };
        run.step(next);
      }
    } catch (error) {
      if (!(error instanceof KernelBug)) throw error;
      return { what: { key: "session.broken.assertion", args: { text: error.message } }, choices: run.choices };
    }
    this.completed++;
    for (const { operation, result } of run.operations) {
      const { line } = operation;
      if (this.results.get(line) !== null) this.results.set(line, refusal(operation, result)[0] ?? null);
    }
    const end = run.position();
    if (this.ends.has(end)) return null;
    this.ends.add(end);
    const what = this.check(run.operations);
    return what === undefined ? null : { what, choices: run.choices };
  }

  /** The thread that goes on; the others are noted as schedules of their own. null: this position was seen; -1: nobody can. */
  private choose(level: number): number | null {
    const run = this.schedule;
    const last = run.choices[run.choices.length - 1];
    const runnable = run.runnable();
    if (runnable.length === 0) return -1;
    const goesOn = runnable.includes(last);
    const name = `${run.position()}>${goesOn ? last : "-"}`;
    if (this.seen.has(name)) return null;
    this.seen.add(name);
    const next = goesOn ? last : runnable[0];
    const cost = goesOn ? level + 1 : level;
    for (const other of runnable) if (other !== next) (this.waiting[cost] ??= []).push([...run.choices, other]);
    return next;
  }

  private check(operations: readonly ThreadOperation[]): Message | undefined {
    const { world } = this.schedule;
    const [violation] = this.machineCheck.run();
    return violation ?? checkContents(world, this.before, operations) ?? checkPins(world, operations);
  }

  private deadlock(): Message {
    const nameOf = (thread: number): string => this.script.threads[thread].name;
    const waiters = this.schedule.deadlock().map((w) => `${nameOf(w.thread)} > ${w.wait.kind} > ${w.holders.map(nameOf).join("+") || "?"}`);
    return { key: "session.broken.deadlock", args: { waiters: waiters.join(", ") } };
  }

  /** Replays a schedule to say what each step did. */
  private describe(found: Found, preemptions: number): Breach {
    const run = this.schedule;
    const steps: ScheduleStep[] = [];
    run.reset();
    for (const [at, thread] of found.choices.entries()) {
      try {
        run.step(thread);
      } catch (error) {
        if (!(error instanceof KernelBug)) throw error;
      }
      // the operation that the step was part of: the one that ended with it, else the one under way
      const mine = run.operations.filter((o) => o.thread === thread);
      const ended = mine.findLast((o) => o.endedAt === at + 1);
      const entry = ended ?? mine[mine.length - 1];
      steps.push({
        thread: this.script.threads[thread].name,
        line: entry.operation.line,
        operation: entry.operation.text,
        point: run.pointOf(thread),
        result: ended?.result ?? null,
      });
    }
    return { what: found.what, preemptions, steps };
  }
}
