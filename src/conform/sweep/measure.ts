import { VMSTAT } from "../../kernel/mm/vmstat.ts";
import { MMC } from "../../kernel/mm/kernel.ts";
import type { MachineSnapshot } from "../../kernel/machine.ts";
import type { Profile } from "../../kernel/profile/profile.ts";
import type { SweepMeasures } from "../model.ts";
import { accessOf, type Access, type CallEvent, type FaultEvent, type RssMember } from "../program/readProgram.ts";
import { ProgramReplay, type PreparedProgram, type Replayed, type ReplayOptions } from "../program/replayProgram.ts";
import { FallbackMeter } from "./fallbackMeter.ts";
import { byOrder, deferredFolios, shapeOf } from "./memoryShape.ts";

/** Pages that a recorded fault mapped besides its own, by index of the event: whether the program used them is not recorded. */
export type HiddenPages = ReadonlyMap<number, HiddenRange>;

export interface HiddenRange {
  /** page numbers */
  readonly start: number;
  readonly end: number;
  readonly access: Access;
}

/** Asked after every few events; false: stop. */
export type Look = (eventsDone: number) => boolean;

/** The replay was stopped by `look`. */
export class SweepStopped extends Error {
  constructor() {
    super("a sweep was stopped");
    this.name = "SweepStopped";
  }
}

/** Events between two looks: one to five milliseconds. */
const LOOK_EVENTS = 128;
const PAGE = 4096;
/** Calls that can make RSS smaller. */
const SHRINKING: ReadonlySet<string> = new Set(["munmap", "mremap", "madvise", "brk", "mmap"]);

const pageOf = (event: FaultEvent): number => Math.floor(event.address / PAGE);

export interface Measured {
  readonly measures: SweepMeasures;
  /** of a replay of the recording as it was: what its huge pages hide */
  readonly hidden: HiddenPages;
}

/**
 * Replays a program and measures. `hidden`: pages that the program is taken to use too, right after the fault that mapped them when it was recorded, in
 * order of address.
 * @throws SettingRefused, SweepStopped
 */
export function measureReplay(prepared: PreparedProgram, profile: Profile, options: ReplayOptions, hidden: HiddenPages | null, look: Look): Measured {
  return new Meter(new ProgramReplay(prepared, profile, options), hidden).run(prepared, look);
}

class Meter {
  readonly #replay: ProgramReplay;
  readonly #hidden: HiddenPages | null;
  readonly #fallbacks: FallbackMeter;
  readonly #rss = new Map<RssMember, number>();
  readonly #folios = new Map<number, number>();
  readonly #found = new Map<number, HiddenRange>();
  #faults = 0;
  #other = 0;
  #zeroed = 0;
  #copied = 0;
  #peak = 0;
  #peakState: MachineSnapshot | null = null;

  constructor(replay: ProgramReplay, hidden: HiddenPages | null) {
    this.#replay = replay;
    this.#hidden = hidden;
    this.#fallbacks = new FallbackMeter(replay.machine.kernel.geo.pmdOrder);
    const { kernel } = replay.machine;
    for (const [member, counter] of [["MM_ANONPAGES", MMC.anonPages] as const, ["MM_FILEPAGES", MMC.filePages] as const])
      this.#rss.set(member, kernel.mmCount(replay.task.mm, counter) * PAGE);
  }

  run(prepared: PreparedProgram, look: Look): Measured {
    const { machine, task } = this.#replay;
    const k = machine.kernel;
    const clock = machine.clockNs;
    const major = k.mmCount(task.mm, MMC.majFlt);
    const zeroFolios = machine.vmstat("thp_zero_page_alloc");
    const events = prepared.program.events.filter((e): e is FaultEvent | CallEvent => e.kind === "pf" || e.kind === "sys");
    let next = 0;
    this.#beforeEvent(events[next]);
    for (const step of this.#replay.steps()) {
      this.#count(step, step.event.kind === "pf" ? pageOf(step.event) : null);
      if (step.event.kind === "pf") this.#afterFault(step.at, step.event);
      next++;
      if (next % LOOK_EVENTS === 0 && !look(LOOK_EVENTS)) throw new SweepStopped();
      this.#beforeEvent(events[next]);
    }
    machine.tracer = null;
    const zeroed = this.#zeroed + (machine.vmstat("thp_zero_page_alloc") - zeroFolios) * PAGE * 2 ** k.geo.pmdOrder;
    const counts = { clockNs: machine.clockNs - clock, pmdSplits: k.vmstat.get(VMSTAT.thpSplitPmd), deferredSplits: deferredFolios(k) };
    const majorFaults = k.mmCount(task.mm, MMC.majFlt) - major;
    const atEnd = shapeOf(k, task);
    const rssEndBytes = this.#rssBytes();
    if (this.#peakState !== null && this.#peak > rssEndBytes) machine.restore(this.#peakState);
    const atPeak = this.#peak > rssEndBytes ? shapeOf(k, task) : atEnd;
    const measures: SweepMeasures = {
      faults: this.#faults,
      majorFaults,
      anonymous: byOrder(this.#folios),
      otherFaults: this.#other,
      rssPeakBytes: Math.max(this.#peak, rssEndBytes),
      rssEndBytes,
      bloatPeakBytes: atPeak.bloatBytes,
      bloatEndBytes: atEnd.bloatBytes,
      reach: atPeak.reach,
      pmdMappedBytes: atPeak.pmdMappedBytes,
      pageTablePeakBytes: atPeak.pageTableBytes,
      zeroedBytes: zeroed,
      copiedBytes: this.#copied,
      ...counts,
      fallbacks: this.#fallbacks.result(),
    };
    return { measures, hidden: this.#found };
  }

  #rssBytes(): number {
    let sum = 0;
    for (const bytes of this.#rss.values()) sum += bytes;
    return sum;
  }

  /** Decisions are of interest in faults only. What a call takes away is kept, if it was the most so far. */
  #beforeEvent(event: FaultEvent | CallEvent | undefined): void {
    const { machine } = this.#replay;
    machine.tracer = event?.kind === "pf" ? this.#fallbacks : null;
    if (event?.kind !== "sys" || !SHRINKING.has(event.name)) return;
    const now = this.#rssBytes();
    if (now <= this.#peak) return;
    this.#peak = now;
    this.#peakState = machine.snapshot();
  }

  /** What the pages that a fault changed RSS by were made of. `page`: of the access; null: it was a call. */
  #count({ rss, faults }: Pick<Replayed, "rss" | "faults">, page: number | null): void {
    let anon = 0;
    this.#faults += faults.length;
    for (const { member, bytes } of rss) {
      const pages = (bytes - (this.#rss.get(member) ?? 0)) / PAGE;
      this.#rss.set(member, bytes);
      if (member === "MM_ANONPAGES") anon += pages;
    }
    if (page === null || faults.length === 0) return;
    if (anon <= 0) {
      this.#other++;
      return;
    }
    const order = Math.floor(Math.log2(anon));
    this.#folios.set(order, (this.#folios.get(order) ?? 0) + 1);
    // do_cow_fault copies as well, from the page cache
    if (this.#replay.isOfFile(page)) this.#copied += anon * PAGE;
    else this.#zeroed += anon * PAGE;
  }

  #afterFault(at: number, event: FaultEvent): void {
    const page = pageOf(event);
    if (this.#hidden === null) {
      const block = this.#replay.hugeBlock(page);
      if (block !== null) this.#found.set(at, { ...block, access: accessOf(event) });
      return;
    }
    const range = this.#hidden.get(at);
    if (range === undefined) return;
    for (let p = range.start; p < range.end; p++) if (p !== page) this.#count(this.#replay.touch(p, range.access), p);
  }
}
