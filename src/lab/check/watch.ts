import { FAULT } from "../../kernel/mm/faultFlags.ts";
import { folioOrder } from "../../kernel/mm/folio.ts";
import { folioOf, type Kernel, type Watch } from "../../kernel/mm/kernel.ts";
import { entryPfn, hiAt, indexAt, loAt, present, pteLevel, walkTo } from "../../kernel/mm/pgtable.ts";
import { NO_TABLE } from "../../kernel/units.ts";
import type { LearnerWorld } from "../../session/learnerWorld.ts";
import type { FaultRun, FileWrite } from "./happenings.ts";

/** runs of one command that are kept apart; faults behind them are counted by what they have in common, without their address */
const MOST_RUNS = 4096;

type Open = { -readonly [Key in keyof FaultRun]: FaultRun[Key] };

/** Order of the folio that is mapped at a page; 0 for the zero page too. Nothing else is looked at, since a learner may touch a million pages. */
function orderAt(k: Kernel, mm: number, vpn: number): number {
  const { pgd } = k.mms.get(mm);
  const table = walkTo(k, pgd, vpn, pteLevel(k));
  // no table of small entries: a leaf of a level above
  if (table === NO_TABLE) return k.geo.pmdOrder;
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const [lo, hi] = [loAt(k, table, i), hiAt(k, table, i)];
  return (lo & k.geo.encoding.special) !== 0 || !present(k, lo) ? 0 : folioOrder(k, folioOf(k, entryPfn(lo, hi)));
}

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
    const order = orderAt(k, mm, vpn);
    const write = (flags & FAULT.write) !== 0;
    const byKernel = (flags & FAULT.remote) !== 0;
    const process = this.#process(mm);
    const last = this.#runs.at(-1);
    if (last !== undefined && last.order === order && last.write === write && last.byKernel === byKernel && last.process === process) {
      if (last.count === 1 || vpn === last.first + last.count * last.stride) {
        if (last.count === 1) last.stride = vpn - last.first;
        last.count++;
        return;
      }
    }
    const run: Open = { event: "fault", process, first: vpn, count: 1, stride: 0, order, write, byKernel };
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
