import type { Geometry } from "../arch/geometry.ts";
import { bugOn } from "../assert.ts";
import { irqsOffSomewhere } from "../sched/locks.ts";
import { paceWhole } from "../sched/pace.ts";
import { asTable, NO_PFN, NO_TABLE, type Pfn, type TableIndex } from "../units.ts";
import { ENTRY_ROW, entryRowAt, MISC, MMC, type Kernel } from "./kernel.ts";
import { allocPages, freePages } from "./pageAlloc.ts";
import { PG } from "./pageFlags.ts";
import { VMSTAT } from "./vmstat.ts";

/**
 * Page tables. A table is known by its index; an upper-level entry holds the frame of the table below,
 * and the frame's `mapping` holds the index. Entries are raw bits; nothing else says what is mapped.
 */

/** Index of the entry for `vpn` in a table of `level`. Page numbers may pass 2^32. */
export function indexAt(geo: Geometry, level: number, vpn: number): number {
  const { scale, mask } = geo.levels[level];
  return (vpn * scale) & mask;
}

export const entryAt = (k: Kernel, t: TableIndex, i: number): number => t * k.geo.tableStride + i;
export const loAt = (k: Kernel, t: TableIndex, i: number): number => k.entryLo.get(t * k.geo.tableStride + i);
export const hiAt = (k: Kernel, t: TableIndex, i: number): number => k.entryHi.get(t * k.geo.tableStride + i);

/** pte_present, pmd_present: holds a frame, whether or not the hardware may use it. */
export const present = (k: Kernel, lo: number): boolean => (lo & (k.geo.encoding.present | k.geo.encoding.protNone)) !== 0;
/** pmd_leaf on a present entry. */
export const isLeaf = (k: Kernel, lo: number): boolean => (lo & k.geo.encoding.leaf) !== 0;

export const entryPfn = (lo: number, hi: number): Pfn => ((lo >>> 12) | ((hi & 0x7ff) << 20)) as Pfn;
/** The bits of `lo` that hold a frame number. */
export const pfnLo = (pfn: number): number => (pfn & 0xfffff) << 12;
export const pfnHi = (pfn: number): number => (pfn >>> 20) & 0x7ff;

/** What a present entry holds besides its frame. */
export const FLAG_BITS_LO = 0xfff;
export const FLAG_BITS_HI = ~0x7ff;

/** Non-present entries: kind in bits 1 to 3 of `lo` (bit 0 stays clear), payload in `hi`. */
export const NONPRESENT = { migration: 1 << 1, swap: 2 << 1, marker: 3 << 1, mask: 7 << 1 } as const;
/** Payload bits of a marker (enum of PTE_MARKER_*). */
export const MARKER = { uffdWp: 1, poisoned: 2, guard: 4 } as const;

export const isMarker = (k: Kernel, lo: number, hi: number, bit: number): boolean =>
  !present(k, lo) && (lo & NONPRESENT.mask) === NONPRESENT.marker && (hi & bit) !== 0;

/** set_pte_at, set_pmd_at: keeps the table's count of used entries and the step for "why". */
export function setEntry(k: Kernel, t: TableIndex, i: number, lo: number, hi: number): void {
  const e = t * k.geo.tableStride + i;
  const row = k.entryRows.ownRow(e);
  const at = entryRowAt(e);
  const oldLo = row[at + ENTRY_ROW.lo];
  const oldHi = row[at + ENTRY_ROW.hi];
  row[at + ENTRY_ROW.lo] = lo;
  row[at + ENTRY_ROW.hi] = hi;
  row[at + ENTRY_ROW.step] = k.step;
  if (oldLo === 0 && oldHi === 0) {
    if (lo !== 0 || hi !== 0) k.tableUsed.add(t, 1);
    return;
  }
  if (lo === 0 && hi === 0) k.tableUsed.add(t, -1);
  if (oldLo !== lo || oldHi !== hi) k.tableCache.mm = 0;
}

/**
 * set_ptes: `nr` entries that are none, `stride` apart, of one table. `lo` and `hi` are the first one's; each of the others holds
 * the frame behind the one before, or with `frameStep` 0 the same frame.
 */
export function setPtes(k: Kernel, t: TableIndex, i: number, nr: number, stride: number, lo: number, hi: number, frameStep: 0 | 1): void {
  const first = t * k.geo.tableStride + i;
  const { step } = k;
  let pfn: number = entryPfn(lo, hi);
  // a table lies in one chunk: a chunk holds one or more of any geometry (boot.ts)
  const row = k.entryRows.ownRow(first);
  const end = entryRowAt(first) + nr * stride * ENTRY_ROW.width;
  for (let at = entryRowAt(first); at < end; at += stride * ENTRY_ROW.width) {
    row[at + ENTRY_ROW.lo] = (lo & FLAG_BITS_LO) | pfnLo(pfn);
    row[at + ENTRY_ROW.hi] = (hi & FLAG_BITS_HI) | pfnHi(pfn);
    row[at + ENTRY_ROW.step] = step;
    pfn += frameStep;
  }
  k.tableUsed.add(t, nr);
}

/** Pages from the entry to the end of a table of the lowest level. */
export const pagesInTable = (k: Kernel, i: number): number => k.geo.levels[pteLevel(k)].mask + 1 - i;

/** How many of `most` entries, `stride` apart, are none before one that is not. All are in the table, and the first is none. */
export function noneEntries(k: Kernel, t: TableIndex, i: number, stride: number, most: number): number {
  if (k.tableUsed.get(t) === 0) return most;
  const first = t * k.geo.tableStride + i;
  let n = 1;
  while (n < most && k.entryLo.get(first + n * stride) === 0 && k.entryHi.get(first + n * stride) === 0) n++;
  return n;
}

/** Whether the cached table is the one over `vpn`. */
function isCached(k: Kernel, mm: number, vpn: number): boolean {
  const c = k.tableCache;
  return c.mm === mm && vpn >= c.first && vpn < c.first + c.pages && c.restores === k.store.restores && !k.preempt;
}

/** The lowest table over `vpn` as the last walk left it, NO_TABLE when it is not known. Any entry that changes its value makes it unknown. */
export const cachedTable = (k: Kernel, mm: number, vpn: number): TableIndex => (isCached(k, mm, vpn) ? k.tableCache.table : NO_TABLE);

/** The entry for `vpn` in it, -1 when it is not known. */
export const cachedEntry = (k: Kernel, mm: number, vpn: number): number =>
  isCached(k, mm, vpn) ? k.tableCache.firstEntry + ((vpn - k.tableCache.first) | 0) : -1;

/** Keeps where a walk of `vpn` ended. */
export function cacheTable(k: Kernel, mm: number, vpn: number, t: TableIndex): void {
  const c = k.tableCache;
  const { mask } = k.geo.levels[k.geo.levels.length - 1];
  c.first = vpn - (vpn & mask);
  c.pages = mask + 1;
  c.table = t;
  c.firstEntry = t * k.geo.tableStride;
  c.mm = mm;
  c.restores = k.store.restores;
}

export const clearEntry = (k: Kernel, t: TableIndex, i: number): void => setEntry(k, t, i, 0, 0);

const counterOf = (name: string): number => (name === "pte" ? MMC.ptes : name === "pmd" ? MMC.pmds : MMC.puds);

function counted(k: Kernel, level: number): boolean {
  return k.geo.countedLevels.includes(k.geo.levels[level].name);
}

/** Allocates a zeroed table that belongs to no place yet (pte_alloc_one). NO_TABLE when memory is out. */
export function tableAlloc(k: Kernel): TableIndex {
  const pfn = allocPages(k, 0, "unmovable");
  if (pfn === NO_PFN) return NO_TABLE;
  let t = k.misc.get(MISC.tableFree);
  if (t !== 0) k.misc.set(MISC.tableFree, k.tableNext.get(t));
  else {
    t = Math.max(1, k.misc.get(MISC.tableEnd));
    k.misc.set(MISC.tableEnd, t + 1);
  }
  k.tableNext.set(t, 0);
  k.tablePfn.set(t, pfn);
  k.pageFlags.set(pfn, PG.table);
  k.mapping.set(pfn, t);
  k.refcount.set(pfn, 1);
  k.misc.add(MISC.tableCount, 1);
  k.countVm(VMSTAT.nrPageTablePages);
  return asTable(t);
}

/**
 * Frees a table that was taken out of its place. While a CPU walks without locks (GUP-fast) it may be reading it, and
 * it is kept aside until freeDeferredTables, as Linux does with RCU or by waiting for an interrupt (tlb_remove_table).
 */
export function tableFree(k: Kernel, t: TableIndex): void {
  bugOn(k.tableUsed.get(t) !== 0, `page table ${t} freed while it holds entries`);
  if (k.preempt && irqsOffSomewhere(k)) {
    k.tableNext.set(t, k.misc.get(MISC.tableDeferred));
    k.misc.set(MISC.tableDeferred, t);
  } else giveTableBack(k, t);
}

/** Frees what tableFree kept aside, when no walk without locks is under way. */
export function freeDeferredTables(k: Kernel): void {
  if (irqsOffSomewhere(k)) return;
  for (let t = k.misc.get(MISC.tableDeferred); t !== 0;) {
    const next = k.tableNext.get(t);
    giveTableBack(k, asTable(t));
    t = next;
  }
  k.misc.set(MISC.tableDeferred, 0);
}

/** Frees a table although a walk without locks may be reading it: what retraction of page tables did before 6.1. */
export function tableFreeAtOnce(k: Kernel, t: TableIndex): void {
  bugOn(k.tableUsed.get(t) !== 0, `page table ${t} freed while it holds entries`);
  giveTableBack(k, t);
}

function giveTableBack(k: Kernel, t: TableIndex): void {
  const pfn = k.tablePfn.get(t) as Pfn;
  k.mapping.set(pfn, 0);
  k.refcount.set(pfn, 0);
  freePages(k, pfn, 0);
  k.tablePfn.set(t, 0);
  k.tableNext.set(t, k.misc.get(MISC.tableFree));
  k.misc.set(MISC.tableFree, t);
  k.misc.add(MISC.tableCount, -1);
  k.countVm(VMSTAT.nrPageTablePages, -1);
}

/** Counts a table of a level for mm_pgtables_bytes (VmPTE). */
export function accountTable(k: Kernel, mm: number, level: number, delta: number): void {
  if (counted(k, level)) k.countMm(mm, counterOf(k.geo.levels[level].name), delta);
}

/** mm_inc_nr_ptes for a table that is deposited or mapped at the lowest level. */
export const accountPteTable = (k: Kernel, mm: number, delta: number): void => accountTable(k, mm, k.geo.levels.length - 1, delta);

/** Puts a table into an upper-level entry (pmd_populate and its kin). */
export function populate(k: Kernel, parent: TableIndex, i: number, t: TableIndex): void {
  const e = k.geo.encoding;
  const pfn = k.tablePfn.get(t);
  setEntry(k, parent, i, pfnLo(pfn) | e.present | e.user | e.accessed | (e.write.value & e.write.mask), pfnHi(pfn));
}

/** Table that an upper-level, non-leaf entry points to. */
export const tableBelow = (k: Kernel, lo: number, hi: number): TableIndex => asTable(k.mapping.get(entryPfn(lo, hi)));

/** The table of `level` that covers `vpn`, or NO_TABLE where an entry above is empty, not present or a leaf. */
export function walkTo(k: Kernel, pgd: TableIndex, vpn: number, level: number): TableIndex {
  const geo = k.geo;
  const stride = geo.tableStride;
  let t: number = pgd;
  for (let l = 0; l < level; l++) {
    const e = t * stride + indexAt(geo, l, vpn);
    const lo = k.entryLo.get(e);
    if ((lo & geo.encoding.present) === 0 || (lo & geo.encoding.leaf) !== 0) return NO_TABLE;
    t = k.mapping.get(entryPfn(lo, k.entryHi.get(e)));
  }
  return asTable(t);
}

/**
 * Where the hole ends that an empty upper-level entry makes at `vpn`; `vpn` itself where tables lead down to the lowest level or to a leaf.
 * Lets a walk pass over 512 GiB without tables in one step.
 */
export function holeEnd(k: Kernel, pgd: TableIndex, vpn: number): number {
  const geo = k.geo;
  let t: number = pgd;
  for (let l = 0; l < geo.levels.length - 1; l++) {
    const e = t * geo.tableStride + indexAt(geo, l, vpn);
    const lo = k.entryLo.get(e);
    const hi = k.entryHi.get(e);
    if (lo === 0 && hi === 0) {
      const span = 2 ** geo.levels[l].shift;
      return Math.floor(vpn / span) * span + span;
    }
    if ((lo & geo.encoding.present) === 0 || (lo & geo.encoding.leaf) !== 0) return vpn;
    t = k.mapping.get(entryPfn(lo, hi));
  }
  return vpn;
}

/** As walkTo, making the tables that are missing. NO_TABLE when memory is out or a leaf is in the way. */
export function walkAlloc(k: Kernel, mm: number, vpn: number, level: number): TableIndex {
  const geo = k.geo;
  let t = k.mms.get(mm).pgd;
  for (let l = 0; l < level; l++) {
    const i = indexAt(geo, l, vpn);
    const lo = loAt(k, t, i);
    if (lo === 0) {
      const fresh = tableAlloc(k);
      if (fresh === NO_TABLE) return NO_TABLE;
      accountTable(k, mm, l + 1, 1);
      populate(k, t, i, fresh);
      t = fresh;
    } else {
      if ((lo & geo.encoding.present) === 0 || (lo & geo.encoding.leaf) !== 0) return NO_TABLE;
      t = tableBelow(k, lo, hiAt(k, t, i));
    }
  }
  return t;
}

/** pgtable_trans_huge_deposit: keeps a PTE table with a PMD table, for a later split. */
export function deposit(k: Kernel, pmdTable: TableIndex, t: TableIndex): void {
  k.tableNext.set(t, k.tableDeposit.get(pmdTable));
  k.tableDeposit.set(pmdTable, t);
  k.tableDeposits.add(pmdTable, 1);
}

/** pgtable_trans_huge_withdraw. */
export function withdraw(k: Kernel, pmdTable: TableIndex): TableIndex {
  const t = k.tableDeposit.get(pmdTable);
  bugOn(t === 0, `page table ${pmdTable} has no deposited table`);
  k.tableDeposit.set(pmdTable, k.tableNext.get(t));
  k.tableNext.set(t, 0);
  k.tableDeposits.add(pmdTable, -1);
  return asTable(t);
}

export const pteLevel = (k: Kernel): number => k.geo.levels.length - 1;

/** free_pgd_range: frees the tables of [start, end) that no mapping within (floor, ceiling) still needs. Page numbers; ceiling 0: none above. */
export function freePgdRange(k: Kernel, mm: number, start: number, end: number, floor: number, ceiling: number): void {
  const top = ceiling === 0 ? k.geo.taskSizePages + 1 : ceiling;
  freeLevel(k, mm, k.mms.get(mm).pgd, 0, start, end, floor, top);
}

function freeLevel(k: Kernel, mm: number, t: TableIndex, level: number, start: number, end: number, floor: number, ceiling: number): void {
  const span = 2 ** k.geo.levels[level].shift;
  if (level === pteLevel(k)) return;
  for (let base = Math.floor(start / span) * span; base < end; base += span) {
    const i = indexAt(k.geo, level, base);
    const lo = loAt(k, t, i);
    const below = level + 1;
    if ((lo & k.geo.encoding.present) === 0 || (lo & k.geo.encoding.leaf) !== 0) continue;
    const child = tableBelow(k, lo, hiAt(k, t, i));
    paceWhole(k, 16);
    freeLevel(k, mm, child, below, Math.max(start, base), Math.min(end, base + span), floor, ceiling);
    if (base >= floor && base + span <= ceiling) {
      bugOn(k.tableUsed.get(child) !== 0, `table ${child} at page ${base} still used below level ${level}`);
      clearEntry(k, t, i);
      tableFree(k, child);
      accountTable(k, mm, below, -1);
    }
  }
}
