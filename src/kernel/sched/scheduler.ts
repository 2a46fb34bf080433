import { bugOn } from "../assert.ts";
import type { Kernel } from "../mm/kernel.ts";
import { canTake, holdersOf, locksOf, waitOf, type Wait } from "./locks.ts";
import type { Op, Point } from "./points.ts";

/** What a thread of one machine does: `run` makes the generator of its operations, anew each time. */
export interface ThreadProgram<T> {
  readonly name: string;
  readonly run: () => Op<T>;
}

/** Before its first step a thread stands here. */
export const START: Point = "start";

export type ThreadState<T> = { readonly kind: "at"; readonly point: Point } | { readonly kind: "ended"; readonly result: T };

/** A thread that waits, for what, and which threads (by index) keep it from it. */
export interface Waiter {
  readonly thread: number;
  readonly wait: Wait;
  readonly holders: readonly number[];
}

/**
 * Runs several operations on CPUs of their own, thread i on CPU i, one preemption point at a time: whoever calls decides
 * which thread goes on. While more than one thread has not ended `k.preempt` is true, so that points yield; during a
 * step `k.cpu` and `k.thread` (index + 1) say who runs.
 *
 * A generator cannot be copied, so a position in the middle is the list of choices that led to it, and going back
 * means restoring the machine and replaying that list.
 */
export class Scheduler<T> {
  private readonly k: Kernel;
  private readonly running: readonly Op<T>[];
  private readonly now: ThreadState<T>[];
  private readonly made: number[] = [];
  private unfinished: number;

  /** Throws a KernelBug when there are more threads than CPUs. */
  constructor(k: Kernel, programs: readonly ThreadProgram<T>[]) {
    bugOn(programs.length > k.profile.cpus, `${programs.length} threads on ${k.profile.cpus} CPUs`);
    this.k = k;
    this.running = programs.map((p) => p.run());
    this.now = programs.map(() => ({ kind: "at", point: START }));
    this.unfinished = programs.length;
  }

  /** The choices made so far: indices of threads, one for each step. */
  get choices(): readonly number[] {
    return this.made;
  }

  get states(): readonly ThreadState<T>[] {
    return this.now;
  }

  get ended(): boolean {
    return this.unfinished === 0;
  }

  isRunnable(thread: number): boolean {
    const state = this.now[thread];
    return state.kind === "at" && canTake(this.k, state.point);
  }

  /** Threads that can take a step, lowest first. */
  runnable(): number[] {
    return this.now.flatMap((_, i) => (this.isRunnable(i) ? [i] : []));
  }

  /** Lets a runnable thread go on to its next point, or to its end. A KernelBug inside it is thrown on. */
  step(thread: number): ThreadState<T> {
    const { k } = this;
    bugOn(!this.isRunnable(thread), `thread ${thread} cannot run`);
    k.preempt = this.unfinished > 1;
    k.cpu = thread;
    k.thread = thread + 1;
    this.made.push(thread);
    try {
      const r = this.running[thread].next();
      if (r.done === true) {
        const [held] = locksOf(k, k.thread);
        bugOn(held !== undefined, `thread ${thread} ended and holds ${held?.kind}`);
        this.unfinished--;
        this.now[thread] = { kind: "ended", result: r.value };
      } else this.now[thread] = { kind: "at", point: r.value };
    } finally {
      k.preempt = false;
      k.cpu = 0;
      k.thread = 0;
    }
    return this.now[thread];
  }

  replay(choices: readonly number[]): void {
    for (const thread of choices) this.step(thread);
  }

  /** Who waits for whom, when threads are left and none can run; otherwise empty. */
  deadlock(): Waiter[] {
    if (this.ended || this.runnable().length > 0) return [];
    return this.now.flatMap((state, thread) => {
      const wait = state.kind === "at" ? waitOf(state.point) : undefined;
      return wait === undefined ? [] : [{ thread, wait, holders: holdersOf(this.k, wait).map((t) => t - 1) }];
    });
  }
}
