import type { Geometry } from "../arch/geometry.ts";
import type { Era } from "../era/era.ts";
import type { Profile } from "../profile/profile.ts";
import type { Int32Column, WideColumn } from "../store/column.ts";
import type { Records } from "../store/records.ts";
import { Store } from "../store/store.ts";
import type { CostSheet } from "../sched/costs.ts";
import type { Tracer } from "../why/tracer.ts";
import type { Pfn } from "../units.ts";
import type { AnonVma, Globals, LockRecord, Mm, PageContent, ParkedThread, Task, Vma, Zone } from "./records.ts";

/** Counters of an mm in the `mmCounters` column: index = mm slot * MM_COUNTERS + one of these. */
export const MMC = {
  anonPages: 0,
  filePages: 1,
  shmemPages: 2,
  swapEntries: 3,
  ptes: 4,
  pmds: 5,
  puds: 6,
  lockedVm: 7,
  totalVm: 8,
  dataVm: 9,
  minFlt: 10,
  majFlt: 11,
  /** high-water marks of RSS and of the address space, pages; kept up to the step before (Machine.beginStep) */
  hiwaterRss: 12,
  hiwaterVm: 13,
} as const;
export const MM_COUNTERS = 16;

/** Per-size statistics: index = order * MTHP_COUNTERS + one of these (enum mthp_stat_item, 6.10). */
export const MTHP = {
  anonFaultAlloc: 0,
  anonFaultFallback: 1,
  anonFaultFallbackCharge: 2,
  zswpout: 3,
  swpin: 4,
  swpinFallback: 5,
  swpinFallbackCharge: 6,
  swpout: 7,
  swpoutFallback: 8,
  shmemAlloc: 9,
  shmemFallback: 10,
  shmemFallbackCharge: 11,
  split: 12,
  splitFailed: 13,
  splitDeferred: 14,
  nrAnon: 15,
  nrAnonPartiallyMapped: 16,
} as const;
export const MTHP_COUNTERS = 32;

/** What the kernel tells whoever drives it while an operation runs. Not state: nothing here outlives the operation. */
export interface Hooks {
  /** a hardware page fault of a process, before it is handled (PERF_COUNT_SW_PAGE_FAULTS with its address) */
  onFault: ((mm: number, vpn: number, offsetBytes: number, error: number) => void) | null;
  /** counts operations done, so that a cancelled command can be replayed to exactly there; false: stop */
  onQuantum: (() => boolean) | null;
}

/**
 * The state of one simulated computer and the frozen tables that its code reads. Functions of the
 * kernel take it as first argument. All that may change is in `store`.
 */
export class Kernel {
  readonly store = new Store();
  readonly profile: Profile;
  readonly era: Era;
  readonly geo: Geometry;
  readonly costs: CostSheet;

  // pages, by frame number
  readonly pageFlags: Int32Column;
  readonly refcount: Int32Column;
  /** number of page-table entries (PTE level) that map this page */
  readonly mapcount: Int32Column;
  /** anon_vma slot of a folio (head); head of a tail page; table index of a page-table page */
  readonly mapping: Int32Column;
  /** page offset of the folio's first page in its mapping (head) */
  readonly pageIndex: WideColumn;
  /** content of the page: see content.ts */
  readonly stamp: Int32Column;
  /** step that last changed the folio (head) */
  readonly pageStep: Int32Column;

  // large folios, by head; only chunks with large folios exist
  /** PMD mappings of the whole folio */
  readonly entireMapcount: Int32Column;
  /** sum over all entries that map any page of the folio (a PMD mapping counts once) */
  readonly largeMapcount: Int32Column;
  /** pages with mapcount > 0 */
  readonly pagesMapped: Int32Column;
  /** two slots (2*head, 2*head+1) of mm slot and its mappings: folio_mm_id of 6.15 */
  readonly mmIds: Int32Column;
  readonly mmIdMapcount: Int32Column;
  readonly mlockCount: Int32Column;
  readonly pincount: Int32Column;
  readonly deferredNext: Int32Column;
  readonly deferredPrev: Int32Column;

  // free blocks, by head
  readonly buddyNext: Int32Column;
  readonly buddyPrev: Int32Column;
  /** migrate type + 1 of each page block; 0: movable, never changed */
  readonly blockType: Int32Column;
  /** heads and counts of free lists: see pageAlloc.ts */
  readonly freeHead: Int32Column;
  readonly freeCount: Int32Column;

  // page tables
  readonly entryLo: Int32Column;
  readonly entryHi: Int32Column;
  /** step that last changed the entry */
  readonly entryStep: Int32Column;
  readonly tablePfn: Int32Column;
  /** entries that are not none */
  readonly tableUsed: Int32Column;
  /** next deposited table of the same PMD table, or next free table */
  readonly tableNext: Int32Column;
  /** deposited tables of a PMD table: head of a list */
  readonly tableDeposit: Int32Column;
  readonly tableDeposits: Int32Column;

  // TLB, by CPU: see tlb.ts
  readonly tlbTag: WideColumn;
  readonly tlbLo: Int32Column;
  readonly tlbHi: Int32Column;

  // counters
  readonly vmstat: WideColumn;
  readonly vmstatStep: Int32Column;
  readonly mmCounters: WideColumn;
  readonly mthpStat: WideColumn;
  readonly misc: WideColumn;

  // records
  readonly mms: Records<Mm>;
  readonly vmas: Records<Vma>;
  readonly anonVmas: Records<AnonVma>;
  readonly tasks: Records<Task>;
  readonly zones: Records<Zone>;
  readonly contents: Records<PageContent>;
  readonly globals: Records<Globals>;
  readonly locks: Records<LockRecord>;
  readonly parked: Records<ParkedThread>;

  // not state: who watches, and how this run is scheduled
  hooks: Hooks = { onFault: null, onQuantum: null };
  tracer: Tracer | null = null;
  /** more than one thread is runnable: preemption points yield */
  preempt = false;
  /** number of the command that runs, for "why" */
  step = 0;
  /** CPU of the thread that runs */
  cpu = 0;
  /** thread that runs, for the lock checker; 0 outside threads */
  thread = 0;

  constructor(profile: Profile, era: Era, geo: Geometry, costs: CostSheet) {
    this.profile = profile;
    this.era = era;
    this.geo = geo;
    this.costs = costs;
    const s = this.store;
    this.pageFlags = s.int32("page.flags");
    this.refcount = s.int32("page.refcount");
    this.mapcount = s.int32("page.mapcount");
    this.mapping = s.int32("page.mapping");
    this.pageIndex = s.wide("page.index");
    this.stamp = s.int32("page.stamp");
    this.pageStep = s.int32("page.step");
    this.entireMapcount = s.int32("folio.entireMapcount");
    this.largeMapcount = s.int32("folio.largeMapcount");
    this.pagesMapped = s.int32("folio.pagesMapped");
    this.mmIds = s.int32("folio.mmIds");
    this.mmIdMapcount = s.int32("folio.mmIdMapcount");
    this.mlockCount = s.int32("folio.mlockCount");
    this.pincount = s.int32("folio.pincount");
    this.deferredNext = s.int32("folio.deferredNext");
    this.deferredPrev = s.int32("folio.deferredPrev");
    this.buddyNext = s.int32("buddy.next");
    this.buddyPrev = s.int32("buddy.prev");
    this.blockType = s.int32("buddy.blockType");
    this.freeHead = s.int32("buddy.head", 8);
    this.freeCount = s.int32("buddy.count", 8);
    this.entryLo = s.int32("entry.lo");
    this.entryHi = s.int32("entry.hi");
    this.entryStep = s.int32("entry.step");
    this.tablePfn = s.int32("table.pfn", 10);
    this.tableUsed = s.int32("table.used", 10);
    this.tableNext = s.int32("table.next", 10);
    this.tableDeposit = s.int32("table.deposit", 10);
    this.tableDeposits = s.int32("table.deposits", 10);
    this.tlbTag = s.wide("tlb.tag", 8);
    this.tlbLo = s.int32("tlb.lo", 8);
    this.tlbHi = s.int32("tlb.hi", 8);
    this.vmstat = s.wide("vmstat", 8);
    this.vmstatStep = s.int32("vmstat.step", 8);
    this.mmCounters = s.wide("mm.counters", 6);
    this.mthpStat = s.wide("mthp.stats", 9);
    this.misc = s.wide("misc", 5);
    this.mms = s.records("mm");
    this.vmas = s.records("vma");
    this.anonVmas = s.records("anonVma");
    this.tasks = s.records("task");
    this.zones = s.records("zone");
    this.contents = s.records("content");
    this.globals = s.records("globals");
    this.locks = s.records("lock");
    this.parked = s.records("parked");
  }

  /** The one record of machine-wide settings and lists. */
  get g(): Globals {
    return this.globals.get(1);
  }

  setGlobals(change: Partial<Globals>): void {
    this.globals.set(1, { ...this.globals.get(1), ...change });
  }

  countVm(item: number, delta = 1): void {
    this.vmstat.add(item, delta);
    this.vmstatStep.set(item, this.step);
  }

  countMm(mm: number, counter: number, delta: number): void {
    this.mmCounters.add(mm * MM_COUNTERS + counter, delta);
  }

  mmCount(mm: number, counter: number): number {
    return this.mmCounters.get(mm * MM_COUNTERS + counter);
  }

  countMthp(order: number, item: number, delta = 1): void {
    this.mthpStat.add(order * MTHP_COUNTERS + item, delta);
  }

  /** Adds simulated nanoseconds. */
  charge(nanoseconds: number): void {
    this.misc.add(MISC.clockNs, nanoseconds);
  }
}

/** Indices of the `misc` column. */
export const MISC = {
  clockNs: 0,
  /** next table index never used */
  tableEnd: 1,
  /** head of the list of free tables */
  tableFree: 2,
  deferredHead: 3,
  deferredTail: 4,
  deferredCount: 5,
  fullScans: 6,
  pagesCollapsed: 7,
  hugeZeroUsers: 8,
  tableCount: 9,
  /** head of the list of tables that are freed when no walk without locks is under way */
  tableDeferred: 10,
} as const;

/** A folio's first page. */
export function folioOf(k: Kernel, pfn: Pfn): Pfn {
  return (k.pageFlags.get(pfn) & 2) !== 0 ? (k.mapping.get(pfn) as Pfn) : pfn;
}
