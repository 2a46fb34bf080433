import type { Kernel } from "../mm/kernel.ts";

/**
 * Long work looks up from time to time, whether somebody wants it stopped. Work is counted in pages: one for an access or an entry that is
 * walked, `hugeWork` for a folio that is made. The count depends on state and operation alone, never on time, so that
 * "stopped at the N-th look" is the same state again whenever it is done again.
 */

/** Work between two looks: 1 to 5 ms, by what the work is (docs/sessions.md has figures). */
export const QUANTUM = 2048;
/** What making a folio of an order above 0 costs, against a fault on one page. */
export const hugeWork = (order: number): number => (1 << order) >> 3;

/** Thrown by `paceWhole`: the operation can only be done whole, and whoever runs it puts the state before it back. */
export class Stopped extends Error {
  constructor() {
    super("stopped in the middle of what can only be done whole");
    this.name = "Stopped";
  }
}

/** Counts work of an operation that can be left half done. False: stop here, with what was done so far. */
export function pace(k: Kernel, work: number): boolean {
  if (k.stopped) return false;
  k.work += work;
  if (k.work < QUANTUM) return true;
  k.work = 0;
  k.stopped = k.hooks.onQuantum !== null && !k.hooks.onQuantum();
  return !k.stopped;
}

/**
 * Counts work of an operation that no signal stops in Linux either (munmap, fork, exit): half of it would be a state that cannot be.
 * @throws Stopped
 */
export function paceWhole(k: Kernel, work: number): void {
  if (!pace(k, work)) throw new Stopped();
}
