import { FAULT } from "../../kernel/mm/faultFlags.ts";
import type { Watch } from "../../kernel/mm/kernel.ts";
import type { LearnerWorld } from "../../session/learnerWorld.ts";
import { leafAt } from "../../session/why/readState.ts";
import type { FaultRun, FileWrite } from "./happenings.ts";

/** runs of one command that are kept apart; faults behind them are counted by what they have in common, without their address */
const MOST_RUNS = 4096;

type Open = { -readonly [Key in keyof FaultRun]: FaultRun[Key] };

const isAlike = (a: FaultRun, b: FaultRun): boolean => a.process === b.process && a.order === b.order && a.write === b.write && a.byKernel === b.byKernel;

/** Looks on while a command runs, and keeps its faults as runs and its writes to kernel files. */
export class LabWatch implements Watch {
  readonly #world: LearnerWorld;
  #runs: Open[] = [];
  #writes: FileWrite[] = [];
  /** the process of the last fault */
  #last = { mm: 0, name: "" };

  constructor(world: LearnerWorld) {
    this.#world = world;
  }

  onFault(mm: number, vpn: number, flags: number): void {
    const k = this.#world.machine.kernel;
    // a step that is done again for an explanation is nothing that happened
    if (k.tracer !== null) return;
    const { order, head } = leafAt(k, mm, vpn);
    const run: Open = {
      event: "fault",
      process: this.#process(mm),
      first: vpn,
      count: 1,
      stride: 0,
      order: head < 0 ? 0 : order,
      write: (flags & FAULT.write) !== 0,
      byKernel: (flags & FAULT.remote) !== 0,
    };
    const last = this.#runs.at(-1);
    if (last !== undefined && isAlike(last, run)) {
      const stride = vpn - last.first;
      if (last.count === 1 || vpn === last.first + last.count * last.stride) {
        if (last.count === 1) last.stride = stride;
        last.count++;
        return;
      }
    }
    if (this.#runs.length < MOST_RUNS) this.#runs.push(run);
    else this.#countOnly(run);
  }

  onFileWrite(path: string, text: string, errno: string | null): void {
    if (this.#world.machine.kernel.tracer === null && this.#writes.length < MOST_RUNS) this.#writes.push({ event: "write", path, value: text.trim(), errno });
  }

  /** What happened since it was asked last. */
  take(): readonly (FaultRun | FileWrite)[] {
    const taken = [...this.#runs, ...this.#writes];
    this.#runs = [];
    this.#writes = [];
    this.#last = { mm: 0, name: "" };
    return taken;
  }

  #countOnly(run: Open): void {
    const rest = this.#runs.slice(MOST_RUNS).find((each) => isAlike(each, run));
    if (rest !== undefined) rest.count++;
    else this.#runs.push({ ...run, first: -1 });
  }

  #process(mm: number): string {
    if (this.#last.mm !== mm) {
      const found = this.#world.living().find((process) => this.#world.task(process).mm === mm);
      this.#last = { mm, name: found?.name ?? "" };
    }
    return this.#last.name;
  }
}
