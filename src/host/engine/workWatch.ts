import { FLAG } from "./protocol.ts";

/** least time between two reports of progress: ten a second */
export const PROGRESS_MS = 100;

/**
 * What a running command looks at: is it to stop (the service has set a flag, without waiting for the engine), and it shows by counting
 * on that it is alive. Reports of progress are thinned out here.
 */
export class WorkWatch {
  readonly #flags: Int32Array;
  readonly #nowMs: () => number;
  readonly #report: (handle: number, operationsDone: number) => void;
  #call = 0;
  #handle = 0;
  #reportedMs = 0;

  constructor(flags: Int32Array, nowMs: () => number, report: (handle: number, operationsDone: number) => void) {
    this.#flags = flags;
    this.#nowMs = nowMs;
    this.#report = report;
  }

  /** A call begins. */
  begin(call: number, handle: number): void {
    this.#call = call;
    this.#handle = handle;
    this.#reportedMs = this.#nowMs();
    this.beat();
  }

  beat(): void {
    Atomics.add(this.#flags, FLAG.heartbeat, 1);
  }

  /** Asked every few milliseconds of work. */
  readonly stop = (): boolean => {
    this.beat();
    return this.#call !== 0 && Atomics.load(this.#flags, FLAG.cancel) === this.#call;
  };

  readonly progress = (operationsDone: number): void => {
    const nowMs = this.#nowMs();
    if (nowMs - this.#reportedMs < PROGRESS_MS) return;
    this.#reportedMs = nowMs;
    this.#report(this.#handle, operationsDone);
  };
}
