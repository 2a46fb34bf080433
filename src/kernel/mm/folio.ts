import { kernelBug } from "../assert.ts";
import { hugeWork } from "../sched/pace.ts";
import { NO_PFN, type Pfn } from "../units.ts";
import { folioOf, MISC, MTHP, PAGE_ROW, pageChunkEnd, pageRowAt, USE_ROW, type Kernel } from "./kernel.ts";
import { allocPages, freePages, type MigrateType } from "./pageAlloc.ts";
import { ORDER_MASK, ORDER_SHIFT, PG } from "./pageFlags.ts";
import { VMSTAT } from "./vmstat.ts";
import { traceDeferred } from "../why/pages.ts";

/** Folios: allocation, references, flags, the deferred split queue and mlock state. */

export const folioOrder = (k: Kernel, head: number): number => (k.pageFlags.get(head) & ORDER_MASK) >>> ORDER_SHIFT;
export const folioPages = (k: Kernel, head: number): number => 1 << folioOrder(k, head);
export const isLarge = (k: Kernel, head: number): boolean => (k.pageFlags.get(head) & PG.head) !== 0;

export const hasFlag = (k: Kernel, pfn: number, flag: number): boolean => (k.pageFlags.get(pfn) & flag) !== 0;
export const setFlag = (k: Kernel, pfn: number, flag: number): void => k.pageFlags.set(pfn, k.pageFlags.get(pfn) | flag);
export const dropFlag = (k: Kernel, pfn: number, flag: number): void => k.pageFlags.set(pfn, k.pageFlags.get(pfn) & ~flag);

/** rows of a folio that nobody maps, of its mms, of a frame that is free */
const NO_COUNTS = [0, 0, 0, 0, 0, 0, 0] as const;
const NO_MM = [0, 0] as const;
const FREE_PAGE = [0, 0, 0, 0, 0] as const;

/** Makes a block of frames a folio with one reference (prep_compound_page) and zeros as content; with `nr` that many single pages, which lie behind each other. */
export function prepFolio(k: Kernel, head: Pfn, order: number, nr = 1): void {
  if (order > 0) {
    k.folioRows.fillRows(head, 1, NO_COUNTS);
    k.mmIdRows.fillRows(2 * head, 2, NO_MM);
    k.pageRows.fillRows(head + 1, (1 << order) - 1, [PG.tail, head, 0, 0, 0]);
  }
  const flags = order === 0 ? 0 : PG.head | (order << ORDER_SHIFT);
  const { step } = k;
  for (let pfn = head as number; pfn < head + nr;) {
    const stop = pageChunkEnd(pfn, head + nr);
    const page = k.pageRows.ownRow(pfn);
    const use = k.useRows.ownRow(pfn);
    for (let at = pageRowAt(pfn); pfn < stop; at += PAGE_ROW.width, pfn++) {
      page[at + PAGE_ROW.flags] = flags;
      page[at + PAGE_ROW.mapping] = 0;
      page[at + PAGE_ROW.stamp] = 0;
      use[at + USE_ROW.refcount] = 1;
      use[at + USE_ROW.step] = step;
    }
  }
}

/** A folio with zeroed content and one reference, or NO_PFN (folio_alloc with __GFP_ZERO). `nr`: as allocPages has it, each a folio. */
export function allocZeroedFolio(k: Kernel, order: number, type: MigrateType = "movable", nr = 1): Pfn {
  const pfn = allocPages(k, order, type, nr);
  if (pfn === NO_PFN) return NO_PFN;
  prepFolio(k, pfn, order, nr);
  if (order > 0) k.work += hugeWork(order);
  const { costs } = k;
  k.charge(nr * (order === 0 ? costs.allocPageNs + costs.zero4kNs : costs.allocHugeNs + costs.zero4kNs * (1 << order)));
  return pfn;
}

export const folioGet = (k: Kernel, head: number, n = 1): void => k.refcount.add(head, n);

/** folio_put_refs: the last reference frees the folio. */
export function folioPut(k: Kernel, head: Pfn, n = 1): void {
  const left = k.refcount.get(head) - n;
  if (left < 0) kernelBug(`folio ${head}: reference count below zero`);
  k.refcount.set(head, left);
  if (left === 0) freeFolio(k, head);
}

function freeFolio(k: Kernel, head: Pfn): void {
  const flags = k.pageFlags.get(head);
  const order = (flags & ORDER_MASK) >>> ORDER_SHIFT;
  if ((flags & PG.reserved) !== 0) kernelBug(`reserved page ${head} freed`);
  if (flags & PG.lru) lruRemove(k, flags, 1 << order);
  if (flags & PG.mlocked) {
    k.countVm(VMSTAT.nrMlock, -(1 << order));
    k.countVm(VMSTAT.unevictablePgsCleared, 1 << order);
  }
  if (order > 0) {
    unqueueDeferred(k, head);
    if (flags & PG.anon && k.era.mthpStats) k.countMthp(order, MTHP.nrAnon, -1);
    k.pageRows.fillRows(head, 1 << order, FREE_PAGE);
  } else k.mapping.set(head, 0);
  k.pageIndex.set(head, 0);
  freePages(k, head, order);
}

/** The list a folio is on by its flags: pages of tmpfs are on those of anonymous memory. */
export function lruItem(flags: number): number {
  if (flags & PG.unevictable) return VMSTAT.nrUnevictable;
  if ((flags & (PG.anon | PG.swapbacked)) === 0) return flags & PG.active ? VMSTAT.nrActiveFile : VMSTAT.nrInactiveFile;
  return flags & PG.active ? VMSTAT.nrActiveAnon : VMSTAT.nrInactiveAnon;
}

/** Puts a folio on the LRU list its flags say (folio_add_lru). */
export function lruAdd(k: Kernel, head: number): void {
  const flags = k.pageFlags.get(head) | PG.lru;
  k.pageFlags.set(head, flags);
  k.vmstat.add(lruItem(flags), flags & PG.head ? folioPages(k, head) : 1);
}

function lruRemove(k: Kernel, flags: number, pages: number): void {
  k.vmstat.add(lruItem(flags), -pages);
}

/** Takes a folio off the LRU (folio_isolate_lru). False when it is not there. */
export function lruIsolate(k: Kernel, head: number): boolean {
  const flags = k.pageFlags.get(head);
  if ((flags & PG.lru) === 0) return false;
  lruRemove(k, flags, folioPages(k, head));
  k.pageFlags.set(head, flags & ~PG.lru);
  return true;
}

/** Changes LRU-relevant flags of a folio that may be on a list. */
export function lruRetag(k: Kernel, head: number, set: number, drop: number): void {
  const flags = k.pageFlags.get(head);
  const next = (flags & ~drop) | set;
  if (flags & PG.lru) {
    const pages = folioPages(k, head);
    k.vmstat.add(lruItem(flags), -pages);
    k.vmstat.add(lruItem(next), pages);
  }
  k.pageFlags.set(head, next);
}

/** folio_mark_accessed: once referenced, twice active. khugepaged takes a referenced page for a used one. */
export function folioMarkAccessed(k: Kernel, head: number): void {
  const flags = k.pageFlags.get(head);
  if (flags & (PG.zero | PG.reserved)) return;
  if ((flags & PG.referenced) === 0) k.pageFlags.set(head, flags | PG.referenced);
  else if ((flags & (PG.unevictable | PG.active)) === 0) {
    lruRetag(k, head, PG.active, PG.referenced);
    k.countVm(VMSTAT.pgactivate, folioPages(k, head));
  }
}

/** mlock_folio, with the per-CPU batch already drained. */
export function mlockFolio(k: Kernel, head: number): void {
  const pages = folioPages(k, head);
  if (!hasFlag(k, head, PG.mlocked)) {
    setFlag(k, head, PG.mlocked);
    k.countVm(VMSTAT.nrMlock, pages);
    k.countVm(VMSTAT.unevictablePgsMlocked, pages);
  }
  if (hasFlag(k, head, PG.unevictable)) k.mlockCount.add(head, 1);
  else {
    lruRetag(k, head, PG.unevictable, PG.active);
    k.countVm(VMSTAT.unevictablePgsCulled, pages);
    k.mlockCount.set(head, 1);
  }
}

/** munlock_folio: counted, so that the folio stays locked while another VMA locks it. */
export function munlockFolio(k: Kernel, head: number): void {
  if (hasFlag(k, head, PG.unevictable)) {
    if (k.mlockCount.get(head) > 0) k.mlockCount.add(head, -1);
    if (k.mlockCount.get(head) > 0) return;
  }
  const pages = folioPages(k, head);
  if (hasFlag(k, head, PG.mlocked)) {
    dropFlag(k, head, PG.mlocked);
    k.countVm(VMSTAT.nrMlock, -pages);
    k.countVm(VMSTAT.unevictablePgsMunlocked, pages);
  }
  if (hasFlag(k, head, PG.unevictable)) {
    lruRetag(k, head, 0, PG.unevictable);
    k.countVm(VMSTAT.unevictablePgsRescued, pages);
  }
}

// --- the deferred split queue (first in, first out)

/**
 * deferred_split_folio. `partially`: some of the folio is no longer mapped; otherwise it is queued for the
 * shrinker that looks for underused THPs (6.12). Until 6.7 only PMD-sized folios were queued and the counter rose on insertion.
 */
export function deferredSplit(k: Kernel, head: Pfn, partially: boolean): void {
  const order = folioOrder(k, head);
  const pmdSized = order === k.geo.pmdOrder;
  if (order <= 1) return;
  const byRelease = !pmdSized && k.era.deferredSplit === "pmdOnly";
  if (k.tracer !== null)
    traceDeferred(k, head, partially, !byRelease && (partially || (k.era.deferredSplit === "partiallyMappedFlag" && k.g.shrinkUnderused !== 0)), byRelease);
  if (byRelease) return;
  if (k.era.deferredSplit === "partiallyMappedFlag") {
    if (!partially && k.g.shrinkUnderused === 0) return;
    if (partially && !hasFlag(k, head, PG.partiallyMapped)) {
      setFlag(k, head, PG.partiallyMapped);
      if (pmdSized) k.countVm(VMSTAT.thpDeferredSplitPage);
      k.countMthp(order, MTHP.splitDeferred);
      k.countMthp(order, MTHP.nrAnonPartiallyMapped);
    }
    if (!hasFlag(k, head, PG.deferred)) enqueue(k, head);
    return;
  }
  if (!partially || hasFlag(k, head, PG.deferred)) return;
  if (pmdSized) k.countVm(VMSTAT.thpDeferredSplitPage);
  if (k.era.mthpStats) k.countMthp(order, MTHP.splitDeferred);
  enqueue(k, head);
}

function enqueue(k: Kernel, head: number): void {
  const tail = k.misc.get(MISC.deferredTail);
  k.deferredPrev.set(head, tail);
  k.deferredNext.set(head, 0);
  if (tail !== 0) k.deferredNext.set(tail, head);
  else k.misc.set(MISC.deferredHead, head);
  k.misc.set(MISC.deferredTail, head);
  k.misc.add(MISC.deferredCount, 1);
  setFlag(k, head, PG.deferred);
}

/** Takes a folio off the queue and forgets that it was partially mapped. */
export function unqueueDeferred(k: Kernel, head: Pfn): void {
  const flags = k.pageFlags.get(head);
  if (flags & PG.partiallyMapped) {
    dropFlag(k, head, PG.partiallyMapped);
    k.countMthp(folioOrder(k, head), MTHP.nrAnonPartiallyMapped, -1);
  }
  if ((flags & PG.deferred) === 0) return;
  const next = k.deferredNext.get(head);
  const prev = k.deferredPrev.get(head);
  if (prev !== 0) k.deferredNext.set(prev, next);
  else k.misc.set(MISC.deferredHead, next);
  if (next !== 0) k.deferredPrev.set(next, prev);
  else k.misc.set(MISC.deferredTail, prev);
  k.misc.add(MISC.deferredCount, -1);
  dropFlag(k, head, PG.deferred);
}

/** Folios on the queue, first queued first. */
export function* deferredFolios(k: Kernel): Generator<Pfn> {
  for (let head = k.misc.get(MISC.deferredHead); head !== 0; head = k.deferredNext.get(head)) yield head as Pfn;
}

/** Map count of one page: entries of both levels that map it (folio_precise_page_mapcount). */
export function pageMapcount(k: Kernel, pfn: Pfn): number {
  const flags = k.pageFlags.get(pfn);
  if ((flags & (PG.head | PG.tail)) === 0) return k.mapcount.get(pfn);
  return k.mapcount.get(pfn) + k.entireMapcount.get(flags & PG.head ? pfn : folioOf(k, pfn));
}

/** Entries that map the folio, a PMD counted once (folio_mapcount). */
export const folioMapcount = (k: Kernel, head: number): number => (isLarge(k, head) ? k.largeMapcount.get(head) : k.mapcount.get(head));
