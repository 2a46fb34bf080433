import type { Geometry } from "../arch/geometry.ts";
import type { Era } from "../era/era.ts";
import { cardStart } from "../drivers/card.ts";
import type { Profile } from "../profile/profile.ts";
import type { Int32Column, WideColumn } from "../store/column.ts";
import type { Records } from "../store/records.ts";
import type { Field, RowChunks, WideField } from "../store/rows.ts";
import { Store } from "../store/store.ts";
import type { CostSheet } from "../sched/costs.ts";
import type { Caller } from "../thp/eligibility/question.ts";
import { releaseRules } from "../thp/eligibility/ruleLists.ts";
import type { RuleList } from "../thp/eligibility/rules.ts";
import type { Tracer } from "../why/tracer.ts";
import { NO_TABLE, type Pfn, type TableIndex } from "../units.ts";
import type { AnonVma, Globals, Inode, LockRecord, Mm, Mount, OpenFile, ShmSegment, PageContent, ParkedThread, Task, Vma, Zone } from "./records.ts";

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

/** Counters of an inode in the `inodeCounters` column: index = inode slot * INODE_COUNTERS + one of these. */
export const INC = {
  /** the page cache's top node and how many levels it has (pageCache.ts) */
  root: 0,
  height: 1,
  /** pages in the page cache (mapping->nrpages) */
  nrPages: 2,
  /** what its disk holds, as nodes too: the content stamp of each page */
  diskRoot: 4,
  diskHeight: 5,
  /** blocks that are up to date, of pages that are not: bits */
  blocksRoot: 6,
  blocksHeight: 7,
} as const;
export const INODE_COUNTERS = 8;

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

/**
 * Layout of the two rows of a page, 20 bytes each; a chunk has the 512 pages of a page block. What all tail pages of a folio have
 * alike is apart from what only its head uses.
 */
export const PAGE_ROW = { shift: 9, width: 5, flags: 0, mapping: 1, stamp: 2, buddyNext: 3, buddyPrev: 4 } as const;
/** `index` is two numbers */
export const USE_ROW = { shift: 9, width: 5, refcount: 0, mapcount: 1, step: 2, index: 3 } as const;

/** Where both rows of a frame start in their chunks. */
export const pageRowAt = (pfn: number): number => (pfn & ((1 << PAGE_ROW.shift) - 1)) * PAGE_ROW.width;

/** Where the rows of consecutive frames from `pfn` on, up to `end`, leave their chunks. */
export const pageChunkEnd = (pfn: number, end: number): number => Math.min(end, (pfn | ((1 << PAGE_ROW.shift) - 1)) + 1);

/** Layout of a large folio's row, by head: 28 bytes; chunks are small, since most frames are no such head. */
export const FOLIO_ROW = {
  shift: 6,
  width: 7,
  entireMapcount: 0,
  largeMapcount: 1,
  pagesMapped: 2,
  mlockCount: 3,
  pincount: 4,
  deferredNext: 5,
  deferredPrev: 6,
} as const;

/** Layout of an entry's row: 12 bytes; a chunk has 1024 entries (12 KiB). */
export const ENTRY_ROW = { shift: 10, width: 3, lo: 0, hi: 1, step: 2 } as const;

export const entryRowAt = (e: number): number => (e & ((1 << ENTRY_ROW.shift) - 1)) * ENTRY_ROW.width;

/** What the kernel tells whoever drives it while an operation runs. Not state: nothing here outlives the operation. */
export interface Hooks {
  /** a hardware page fault of a process, before it is handled (PERF_COUNT_SW_PAGE_FAULTS with its address) */
  onFault: ((mm: number, vpn: number, offsetBytes: number, error: number) => void) | null;
  /** asked after each quantum of work (sched/pace.ts), and counted, so that a cancelled command can be replayed to exactly there; false: stop */
  onQuantum: (() => boolean) | null;
}

/** Somebody who looks on while operations run, and changes nothing: a lab. Not state: nothing here outlives the operation. */
export interface Watch {
  /** a fault that was handled, with FAULT_* flags: of an access of the process, or (FAULT.remote) of the kernel on its behalf */
  onFault(mm: number, vpn: number, flags: number): void;
  /** a write to a kernel file, after it was taken (errno null) or refused */
  onFileWrite(path: string, text: string, errno: string | null): void;
}

/**
 * The lowest page table of the last walk, as a CPU's paging-structure cache has it. No state: it only saves the walk of the
 * upper levels, for [first, first + pages) of an mm, until an entry that was in use changes (setEntry) or a state is restored.
 */
export interface TableCache {
  /** 0: nothing cached */
  mm: number;
  first: number;
  pages: number;
  table: TableIndex;
  /** index of the table's first entry */
  firstEntry: number;
  /** store.restores when it was filled */
  restores: number;
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
  /** what a write sets in an entry: dirty, and soft-dirty where the kernel tracks it */
  readonly dirtyBits: number;
  /** rules of eligibility that the release asks, by caller */
  readonly eligibilityRules: Readonly<Record<Caller, RuleList>>;
  /** first frame behind memory: from here on frames are a device's and have no struct page */
  readonly cardStart: number;

  // pages, by frame number
  /** the fields of PAGE_ROW and of USE_ROW */
  readonly pageRows: RowChunks;
  readonly useRows: RowChunks;
  readonly pageFlags: Field;
  readonly refcount: Field;
  /** number of page-table entries (PTE level) that map this page */
  readonly mapcount: Field;
  /** anon_vma slot of a folio (head); head of a tail page; table index of a page-table page */
  readonly mapping: Field;
  /** page offset of the folio's first page in its mapping (head) */
  readonly pageIndex: WideField;
  /** content of the page: see content.ts */
  readonly stamp: Field;
  /** step that last changed the folio (head) */
  readonly pageStep: Field;

  // large folios, by head; only chunks with large folios exist
  /** the fields from entireMapcount to deferredPrev: see FOLIO_ROW */
  readonly folioRows: RowChunks;
  /** PMD mappings of the whole folio */
  readonly entireMapcount: Field;
  /** sum over all entries that map any page of the folio (a PMD mapping counts once) */
  readonly largeMapcount: Field;
  /** pages with mapcount > 0 */
  readonly pagesMapped: Field;
  /** mmIds and mmIdMapcount */
  readonly mmIdRows: RowChunks;
  /** two slots (2*head, 2*head+1) of mm slot and its mappings: folio_mm_id of 6.15 */
  readonly mmIds: Field;
  readonly mmIdMapcount: Field;
  readonly mlockCount: Field;
  readonly pincount: Field;
  readonly deferredNext: Field;
  readonly deferredPrev: Field;

  // free blocks, by head
  readonly buddyNext: Field;
  readonly buddyPrev: Field;
  /** migrate type + 1 of each page block; 0: movable, never changed */
  readonly blockType: Int32Column;
  /** heads and counts of free lists: see pageAlloc.ts */
  readonly freeHead: Int32Column;
  readonly freeCount: Int32Column;

  // page tables
  /** entryLo, entryHi, entryStep: see ENTRY_ROW */
  readonly entryRows: RowChunks;
  readonly entryLo: Field;
  readonly entryHi: Field;
  /** step that last changed the entry */
  readonly entryStep: Field;
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

  // page cache: see pageCache.ts
  /** 512 entries for each node: page + 1, or a node below */
  readonly cacheEntry: Int32Column;
  /** entries of a node that are in use */
  readonly cacheUsed: Int32Column;
  readonly inodeCounters: WideColumn;
  /** pages that files of a mount have (percpu_counter used_blocks) */
  readonly usedBlocks: WideColumn;

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
  readonly mounts: Records<Mount>;
  readonly inodes: Records<Inode>;
  readonly files: Records<OpenFile>;
  readonly shms: Records<ShmSegment>;

  /** derived from `contents`, and checked on every use: slot by key */
  readonly contentSlots = new Map<string, number>();

  // not state: who watches, and how this run is scheduled
  hooks: Hooks = { onFault: null, onQuantum: null };
  tracer: Tracer | null = null;
  watch: Watch | null = null;
  /** told of each change of a counter of an mm, also by 0 (the tracepoint kmem:rss_stat) */
  onCount: ((mm: number, counter: number) => void) | null = null;
  /** the VMA that find_vma found last: no state, and of use only while it is the record of its slot */
  lastVma: Vma | null = null;
  readonly tableCache: TableCache = { mm: 0, first: 0, pages: 0, table: NO_TABLE, firstEntry: 0, restores: 0 };
  /** more than one thread is runnable: preemption points yield */
  preempt = false;
  /** work since whoever runs this was asked last (sched/pace.ts) */
  work = 0;
  /** whoever runs this wants it to end: every later look says so too */
  stopped = false;
  /** walks of the page tables that a load or fetch, or a store, needed because the TLB had no translation: counted as a PMU counts, no state */
  tlbLoadMisses = 0;
  tlbStoreMisses = 0;
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
    this.eligibilityRules = {
      pageFault: releaseRules(era, "pageFault"),
      khugepaged: releaseRules(era, "khugepaged"),
      forcedCollapse: releaseRules(era, "forcedCollapse"),
      smaps: releaseRules(era, "smaps"),
    };
    this.cardStart = cardStart(profile.memoryMiB);
    this.dirtyBits = geo.encoding.dirty | (profile.config.softDirty ? geo.encoding.softDirty : 0);
    const s = this.store;
    this.pageRows = s.rows("page", PAGE_ROW.shift, PAGE_ROW.width);
    this.pageFlags = s.field(this.pageRows, "page.flags", PAGE_ROW.flags);
    this.mapping = s.field(this.pageRows, "page.mapping", PAGE_ROW.mapping);
    this.stamp = s.field(this.pageRows, "page.stamp", PAGE_ROW.stamp);
    this.buddyNext = s.field(this.pageRows, "buddy.next", PAGE_ROW.buddyNext);
    this.buddyPrev = s.field(this.pageRows, "buddy.prev", PAGE_ROW.buddyPrev);
    this.useRows = s.rows("page.use", USE_ROW.shift, USE_ROW.width);
    this.refcount = s.field(this.useRows, "page.refcount", USE_ROW.refcount);
    this.mapcount = s.field(this.useRows, "page.mapcount", USE_ROW.mapcount);
    this.pageStep = s.field(this.useRows, "page.step", USE_ROW.step);
    this.pageIndex = s.wideField(this.useRows, "page.index", USE_ROW.index);
    this.folioRows = s.rows("folio", FOLIO_ROW.shift, FOLIO_ROW.width);
    this.entireMapcount = s.field(this.folioRows, "folio.entireMapcount", FOLIO_ROW.entireMapcount);
    this.largeMapcount = s.field(this.folioRows, "folio.largeMapcount", FOLIO_ROW.largeMapcount);
    this.pagesMapped = s.field(this.folioRows, "folio.pagesMapped", FOLIO_ROW.pagesMapped);
    this.mlockCount = s.field(this.folioRows, "folio.mlockCount", FOLIO_ROW.mlockCount);
    this.pincount = s.field(this.folioRows, "folio.pincount", FOLIO_ROW.pincount);
    this.deferredNext = s.field(this.folioRows, "folio.deferredNext", FOLIO_ROW.deferredNext);
    this.deferredPrev = s.field(this.folioRows, "folio.deferredPrev", FOLIO_ROW.deferredPrev);
    this.mmIdRows = s.rows("folio.mm", 7, 2);
    this.mmIds = s.field(this.mmIdRows, "folio.mmIds", 0);
    this.mmIdMapcount = s.field(this.mmIdRows, "folio.mmIdMapcount", 1);
    this.blockType = s.int32("buddy.blockType");
    this.freeHead = s.smallInt32("buddy.head", 8);
    this.freeCount = s.smallInt32("buddy.count", 8);
    this.entryRows = s.rows("entry", ENTRY_ROW.shift, ENTRY_ROW.width);
    this.entryLo = s.field(this.entryRows, "entry.lo", ENTRY_ROW.lo);
    this.entryHi = s.field(this.entryRows, "entry.hi", ENTRY_ROW.hi);
    this.entryStep = s.field(this.entryRows, "entry.step", ENTRY_ROW.step);
    this.tablePfn = s.int32("table.pfn", 10);
    this.tableUsed = s.int32("table.used", 10);
    this.tableNext = s.int32("table.next", 10);
    this.tableDeposit = s.int32("table.deposit", 10);
    this.tableDeposits = s.int32("table.deposits", 10);
    this.tlbTag = s.smallWide("tlb.tag", 8);
    this.tlbLo = s.smallInt32("tlb.lo", 8);
    this.tlbHi = s.smallInt32("tlb.hi", 8);
    this.vmstat = s.smallWide("vmstat", 8);
    this.vmstatStep = s.smallInt32("vmstat.step", 8);
    this.mmCounters = s.smallWide("mm.counters", 8);
    this.mthpStat = s.smallWide("mthp.stats", 9);
    this.misc = s.smallWide("misc", 5);
    this.cacheEntry = s.int32("cache.entry");
    this.cacheUsed = s.int32("cache.used", 8);
    this.inodeCounters = s.wide("inode.counters", 8);
    this.usedBlocks = s.wide("mount.blocks", 4);
    this.mms = s.records("mm");
    this.vmas = s.records("vma");
    this.anonVmas = s.records("anonVma");
    this.tasks = s.records("task");
    this.zones = s.records("zone");
    this.contents = s.records("content");
    this.globals = s.records("globals");
    this.locks = s.records("lock");
    this.parked = s.records("parked");
    this.mounts = s.records("mount");
    this.inodes = s.records("inode");
    this.files = s.records("file");
    this.shms = s.records("shm");
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
    if (this.onCount !== null) this.onCount(mm, counter);
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
  /** page cache nodes: next never used, and the head of the list of free ones */
  cacheNodeEnd: 11,
  cacheNodeFree: 12,
  /** calls of the device driver: ->fault, and ->huge_fault for a PMD and for a PUD */
  deviceFaults: 13,
  hugeFaultsPmd: 14,
  hugeFaultsPud: 15,
} as const;

/** A folio's first page. */
export function folioOf(k: Kernel, pfn: Pfn): Pfn {
  return (k.pageFlags.get(pfn) & 2) !== 0 ? (k.mapping.get(pfn) as Pfn) : pfn;
}
