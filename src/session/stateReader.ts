import type { MachineSnapshot } from "../kernel/machine.ts";
import { Kernel } from "../kernel/mm/kernel.ts";

/**
 * Reads a state of a machine without disturbing the one that runs: a second kernel over the same chunks and records, which a snapshot
 * shares and nobody writes. Going from one state to the next costs what differs between them.
 */
export class StateReader {
  readonly #kernel: Kernel;
  #at: MachineSnapshot | null = null;

  /** `like`: the kernel whose snapshots are read. */
  constructor(like: Kernel) {
    this.#kernel = new Kernel(like.profile, like.era, like.geo, like.costs);
  }

  /** The machine as it was; to be read only, and only until the next call. */
  at(snapshot: MachineSnapshot): Kernel {
    if (this.#at !== snapshot) {
      this.#kernel.store.restore(snapshot.store);
      this.#kernel.step = snapshot.step;
      this.#at = snapshot;
    }
    return this.#kernel;
  }
}
