import type { FaultRun, Faults } from "./traceStep.ts";

/** At most this many runs are kept; later faults are only counted. */
const MAX_RUNS = 48;

interface Run {
  at: number;
  count: number;
  stride: number;
}

/** The hardware faults of one process during one operation, as a perf event with addresses would tell them. */
export class FaultLog {
  private faults = 0;
  private readonly runs: Run[] = [];
  /** faults outside the named slots: not shown, and taken off the minor faults */
  outside = 0;

  add(address: number, inSlots: boolean): void {
    if (!inSlots) {
      this.outside++;
      return;
    }
    this.faults++;
    const last = this.runs[this.runs.length - 1];
    if (last !== undefined && (last.count === 1 || address === last.at + last.count * last.stride)) {
      if (last.count === 1) last.stride = address - last.at;
      last.count++;
    } else if (this.runs.length < MAX_RUNS) this.runs.push({ at: address, count: 1, stride: 0 });
  }

  /** What the trace prints; undefined when nothing happened. */
  print(minor: number, major: number, name: (address: number) => string): Faults | undefined {
    const min = minor - this.outside;
    if (this.faults === 0 && min === 0 && major === 0) return undefined;
    const at: FaultRun[] = this.runs.map((r) => (r.count === 1 ? name(r.at) : [name(r.at), r.count, r.stride]));
    return at.length > 0 ? { pf: this.faults, min, maj: major, at } : { pf: this.faults, min, maj: major };
  }
}
