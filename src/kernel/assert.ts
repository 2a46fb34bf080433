/** A broken invariant of the simulator itself: never a learner's mistake. The engine restores the node before. */
export class KernelBug extends Error {
  override readonly name = "KernelBug";
}

/** VM_BUG_ON's counterpart. Stays on in production: a wrong answer is worse than a missing one. */
export function bugOn(broken: boolean, what: string): void {
  if (broken) throw new KernelBug(what);
}

/** As bugOn, where what is broken was found already: on a hot path, so that the sentence is not put together each time. */
export function kernelBug(what: string): never {
  throw new KernelBug(what);
}
