import { bugOn } from "../assert.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { ParkedThread } from "../mm/records.ts";
import { locksOf } from "./locks.ts";

/**
 * Threads that sleep between commands, as data: no generator outlives a command, so that a state can be kept, restored
 * and hashed. What continues one starts its operation anew with the arguments kept here, as Linux retries a
 * fault from its start. In this release the only one is khugepaged in its sleep.
 */

/** The daemon's name and the place it sleeps (khugepaged_wait_work). */
export const KHUGEPAGED = "khugepaged";

/** The record of a thread, while it is parked. */
export function parkedThread(k: Kernel, name: string): ParkedThread | undefined {
  for (const [, parked] of k.parked.entries()) if (parked.name === name) return parked;
  return undefined;
}

/** Parks the thread that runs, under a name. It must hold no lock: nobody could take it until the thread wakes. */
export function park(k: Kernel, thread: Omit<ParkedThread, "slot">): void {
  const [held] = locksOf(k, k.thread);
  bugOn(held !== undefined, `${thread.name} parks at ${thread.point} and holds ${held?.kind}`);
  bugOn(parkedThread(k, thread.name) !== undefined, `${thread.name} is parked already`);
  k.parked.add((slot) => ({ slot, ...thread }));
}

/** Takes a parked thread out, to run it. undefined when it is not parked: it is running already, or not there. */
export function unpark(k: Kernel, name: string): ParkedThread | undefined {
  const parked = parkedThread(k, name);
  if (parked !== undefined) k.parked.remove(parked.slot);
  return parked;
}
