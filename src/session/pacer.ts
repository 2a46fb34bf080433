/** Asks, again and again while a command runs, whether it is to be stopped. Where the wish comes from the session does not know. */
export interface CancelProbe {
  stop(): boolean;
  /** milliseconds of some clock that only goes forward; for reports only, never for decisions */
  nowMs?(): number;
}

/** Thrown out of a replay that the learner stopped: the state is whatever the replay had come to. */
export class ReplayStopped extends Error {
  constructor() {
    super("a replay was stopped");
    this.name = "ReplayStopped";
  }
}

/**
 * Looks that a command may take when nobody could stop it: 8 million accesses. And when somebody can, or when it is replayed: a last
 * resort against lines that would run for days.
 */
export const MOST_QUANTA = 4096;
export const MOST_QUANTA_WATCHED = 1 << 17;

/** Decides at each look (kernel/sched/pace.ts) whether a command goes on. One for each run of a command. */
export interface Pacer {
  /** looks so far; after a stop: the look that stopped it */
  readonly done: number;
  readonly stopped: boolean;
  /** it was the last resort that stopped it, nobody who waits */
  readonly atLimit: boolean;
  /** Stops at the look that was taken last. */
  stopHere(): void;
  /** False: stop. Once false, always false. Looks that are not counted have no limit: steps of an explanation, which are no accesses. */
  look(isCounted?: boolean): boolean;
}

/** A command of a learner: stopped by the probe, or at the limit. */
export class LivePacer implements Pacer {
  done = 0;
  stopped = false;
  atLimit = false;
  #counted = 0;
  readonly #probe: CancelProbe | null;
  readonly #most: number;
  readonly #progress: ((operationsDone: number) => void) | null;

  constructor(probe: CancelProbe | null, progress: ((operationsDone: number) => void) | null) {
    this.#probe = probe;
    this.#most = probe === null ? MOST_QUANTA : MOST_QUANTA_WATCHED;
    this.#progress = progress;
  }

  look(isCounted = true): boolean {
    if (this.stopped) return false;
    this.done++;
    if (isCounted) this.#counted++;
    this.#progress?.(this.done);
    this.atLimit = this.#counted >= this.#most;
    this.stopped = this.atLimit || this.#probe?.stop() === true;
    return !this.stopped;
  }

  stopHere(): void {
    this.stopped = true;
  }
}

/** A command that is done once more: stopped where it was stopped the first time, and nowhere else. */
export class ReplayPacer implements Pacer {
  done = 0;
  stopped = false;
  readonly atLimit = false;
  readonly #stopAt: number;
  readonly #probe: CancelProbe | null;

  /** `stopAt`: the look at which it was stopped; null: it ran to its end. */
  constructor(stopAt: number | null, probe: CancelProbe | null) {
    this.#stopAt = stopAt ?? MOST_QUANTA_WATCHED;
    this.#probe = probe;
  }

  /** @throws ReplayStopped when the learner does not want to wait for the replay */
  look(): boolean {
    if (this.stopped) return false;
    if (this.#probe?.stop() === true) throw new ReplayStopped();
    this.stopped = ++this.done >= this.#stopAt;
    return !this.stopped;
  }

  stopHere(): void {
    this.stopped = true;
  }
}
