/**
 * A preemption point: a place inside an operation where another thread may run. Kernel code yields one only
 * while more than one thread is runnable, so that a lone command runs straight through.
 */
export type Point = string;

/** A piece of kernel code that may be interleaved. */
export type Op<T> = Generator<Point, T, void>;

/** Runs an operation to its end where nothing else is runnable. */
export function runAlone<T>(op: Op<T>): T {
  for (;;) {
    const r = op.next();
    if (r.done === true) return r.value;
  }
}
