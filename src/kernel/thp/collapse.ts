import { isWritable } from "../arch/geometry.ts";
import {
  isLocked,
  lockWrite,
  mmapReadLock,
  mmapReadUnlock,
  mmapWriteLock,
  mmapWriteUnlock,
  tlbRemoveTableSyncOne,
  tryLockWrite,
  unlock,
} from "../sched/locks.ts";
import type { Op } from "../sched/points.ts";
import { allocZeroedFolio, deferredSplit, folioMapcount, folioPut, hasFlag, isLarge, lruAdd, lruIsolate } from "../mm/folio.ts";
import { folioOf, MMC, type Kernel } from "../mm/kernel.ts";
import { PG } from "../mm/pageFlags.ts";
import { clearEntry, deposit, entryPfn, hiAt, loAt, MARKER, isMarker, populate, present, setEntry, tableBelow } from "../mm/pgtable.ts";
import { dirtyMaybeWrite, entryHiFor, entryLoFor } from "../mm/prot.ts";
import { addNewAnonRmap, maybeMappedShared, removeRmapPtes } from "../mm/rmap.ts";
import type { Vma } from "../mm/records.ts";
import { tlbFlushRange } from "../mm/tlb.ts";
import { findVma } from "../mm/vma.ts";
import { vmaStartWrite } from "../mm/vmaLock.ts";
import { VM_UFFD } from "../mm/vmFlags.ts";
import { VMSTAT } from "../mm/vmstat.ts";
import { pteBatch } from "../mm/zap.ts";
import { NO_PFN, type Pfn, type TableIndex } from "../units.ts";
import { pmdAllowed } from "./eligibility/eligibility.ts";
import { traceScan } from "../why/scan.ts";
import { fitsAround } from "./eligibility/question.ts";
import { pmdState } from "./pmdState.ts";
import { pmdOf, type PmdPlace } from "./splitPmd.ts";
import type { ScanResult } from "./scanResult.ts";

/** Collapse of anonymous memory, for khugepaged and for MADV_COLLAPSE (mm/khugepaged.c, kernel-semantics.md 3.3). */

interface Counts {
  /** index of the entry that is looked at, or was last */
  at: number;
  noneOrZero: number;
  shared: number;
  unmapped: number;
  referenced: number;
  writable: boolean;
}

const noCounts = (): Counts => ({ at: 0, noneOrZero: 0, shared: 0, unmapped: 0, referenced: 0, writable: false });

const young = (k: Kernel, lo: number, head: number): boolean => (lo & k.geo.encoding.accessed) !== 0 || hasFlag(k, head, PG.referenced);

/** The tests that the scan and the isolation share, on one entry. "SUCCEED": this entry is fine. */
function testEntry(k: Kernel, vma: Vma, daemon: boolean, lo: number, hi: number, c: Counts, isolating: boolean): ScanResult {
  const e = k.geo.encoding;
  if (lo !== 0 || hi !== 0) {
    if (!present(k, lo)) {
      if (isolating) return "PTE_NON_PRESENT";
      c.unmapped++;
      if (daemon && c.unmapped > k.g.khugepaged.maxPtesSwap) {
        k.countVm(VMSTAT.thpScanExceedSwapPte);
        return "EXCEED_SWAP_PTE";
      }
      return isMarker(k, lo, hi, MARKER.uffdWp) ? "PTE_UFFD_WP" : "SUCCEED";
    }
  }
  if ((lo === 0 && hi === 0) || (lo & e.special) !== 0) {
    c.noneOrZero++;
    if ((vma.flags & VM_UFFD) === 0 && (!daemon || c.noneOrZero <= k.g.khugepaged.maxPtesNone)) return "SUCCEED";
    k.countVm(VMSTAT.thpScanExceedNonePte);
    return "EXCEED_NONE_PTE";
  }
  if ((lo & e.uffdWp) !== 0 && e.uffdWp !== 0) return "PTE_UFFD_WP";
  const page = entryPfn(lo, hi);
  const head = folioOf(k, page);
  if (isWritable(e, lo)) c.writable = true;
  if (!hasFlag(k, head, PG.anon)) return "PAGE_ANON";
  if (maybeMappedShared(k, page)) {
    c.shared++;
    if (daemon && c.shared > k.g.khugepaged.maxPtesShared) {
      k.countVm(VMSTAT.thpScanExceedSharePte);
      return "EXCEED_SHARED_PTE";
    }
  }
  if (daemon && young(k, lo, head)) c.referenced++;
  return "SUCCEED";
}

/** References that mappings do not explain: a pin. */
const pinned = (k: Kernel, head: Pfn): boolean => k.refcount.get(head) !== folioMapcount(k, head);

/**
 * hpage_collapse_scan_pmd: looks at a block under the mmap_lock and collapses it when nothing speaks against it. On
 * "lockDropped" the caller's mmap_lock is gone.
 */
export function* scanPmd(k: Kernel, vma: Vma, start: number, daemon: boolean): Op<{ result: ScanResult; lockDropped: boolean }> {
  const state = pmdState(k, vma.mm, start);
  if (state !== "SUCCEED") {
    if (k.tracer !== null) traceScan(k, vma, start, daemon, state, noCounts(), NO_PFN);
    return { result: state, lockDropped: false };
  }
  const pmd = pmdOf(k, vma.mm, start);
  if (pmd === undefined) return { result: "PMD_NULL", lockDropped: false };
  const t = tableBelow(k, pmd.lo, pmd.hi);
  const c = noCounts();
  const scanned = scanTable(k, vma, t, daemon, c);
  if (scanned !== "SUCCEED") {
    if (k.tracer !== null) traceScan(k, vma, start, daemon, scanned, c, entryPfn(loAt(k, t, c.at), hiAt(k, t, c.at)));
    return { result: scanned, lockDropped: false };
  }
  const result: ScanResult = yield* collapseHugePage(k, vma.mm, start, daemon, c.unmapped > 0);
  if (k.tracer !== null) traceScan(k, vma, start, daemon, result, c, NO_PFN);
  return { result, lockDropped: true };
}

function scanTable(k: Kernel, vma: Vma, t: TableIndex, daemon: boolean, c: Counts): ScanResult {
  const n = 1 << k.geo.pmdOrder;
  const base = t * k.geo.tableStride;
  const special = k.geo.encoding.special;
  for (let i = 0; i < n; i++) {
    const lo = k.entryLo.get(base + i);
    const hi = k.entryHi.get(base + i);
    c.at = i;
    const r = testEntry(k, vma, daemon, lo, hi, c, false);
    if (r !== "SUCCEED") return r;
    if ((lo === 0 && hi === 0) || !present(k, lo) || (lo & special) !== 0) continue;
    const head = folioOf(k, entryPfn(lo, hi));
    const flags = k.pageFlags.get(head);
    if ((flags & PG.lru) === 0) return "PAGE_LRU";
    if (isLocked(k, "folio_lock", head)) return "PAGE_LOCK";
    if (pinned(k, head)) return "PAGE_COUNT";
  }
  if (k.era.collapseNeedsWritable && !c.writable) return "PAGE_RO";
  if (daemon && (c.referenced === 0 || (c.unmapped > 0 && c.referenced < n / 2))) return "LACK_REFERENCED_PAGE";
  return "SUCCEED";
}

/** hugepage_vma_revalidate: the mmap_lock was dropped, is the block still there and still allowed? */
export function revalidate(k: Kernel, mm: number, start: number, daemon: boolean, expectAnon: boolean): ScanResult | Vma {
  const record = k.mms.find(mm);
  if (record === undefined) return "ANY_PROCESS";
  // the next VMA counts too: what does not reach over the block is out of range, and only nothing at all is no VMA
  const vma = findVma(k, mm, start);
  if (vma === undefined) return "VMA_NULL";
  if (!fitsAround(vma, start, k.geo.pmdOrder)) return "ADDRESS_RANGE";
  if (!pmdAllowed(k, vma, daemon ? "khugepaged" : "forcedCollapse")) return "VMA_CHECK";
  if (expectAnon && (vma.anonVma === 0 || vma.ops !== "none")) return "PAGE_ANON";
  return vma;
}

/** collapse_huge_page: entered with the mmap_lock held for reading, left without it. `unmapped`: the scan met entries that are no pages. */
export function* collapseHugePage(k: Kernel, mm: number, start: number, daemon: boolean, unmapped: boolean): Op<ScanResult> {
  mmapReadUnlock(k, mm);
  const fresh = allocZeroedFolio(k, k.geo.pmdOrder);
  if (fresh === NO_PFN) {
    k.countVm(VMSTAT.thpCollapseAllocFailed);
    return "ALLOC_HUGE_PAGE_FAIL";
  }
  k.countVm(VMSTAT.thpCollapseAlloc);
  if (k.preempt) yield "collapse.allocated";
  let result: ScanResult = unmapped ? yield* swapIn(k, mm, start, daemon) : "SUCCEED";
  if (result === "SUCCEED") result = yield* collapseInto(k, mm, start, daemon, fresh);
  if (result !== "SUCCEED") folioPut(k, fresh);
  return result;
}

/**
 * __collapse_huge_page_swapin, under the mmap_lock held for reading: what is not mapped is faulted in. A guard answers with VM_FAULT_SIGSEGV,
 * which ends the collapse with SCAN_FAIL and MADV_COLLAPSE with this block (recorded on 6.18; before, SCAN_PAGE_RO came first where nothing is writable).
 */
function* swapIn(k: Kernel, mm: number, start: number, daemon: boolean): Op<ScanResult> {
  yield* mmapReadLock(k, mm);
  const result = swapInLocked(k, mm, start, daemon);
  mmapReadUnlock(k, mm);
  return result;
}

function swapInLocked(k: Kernel, mm: number, start: number, daemon: boolean): ScanResult {
  const vma = revalidate(k, mm, start, daemon, true);
  if (typeof vma === "string") return vma;
  const state = pmdState(k, mm, start);
  const pmd = pmdOf(k, mm, start);
  if (state !== "SUCCEED" || pmd === undefined) return state === "SUCCEED" ? "PMD_NULL" : state;
  const t = tableBelow(k, pmd.lo, pmd.hi);
  for (let i = 0; i < 1 << k.geo.pmdOrder; i++) {
    const lo = loAt(k, t, i);
    const hi = hiAt(k, t, i);
    if ((lo === 0 && hi === 0) || present(k, lo)) continue;
    if (k.tracer !== null) traceScan(k, vma, start, daemon, "FAIL", { ...noCounts(), at: i }, NO_PFN);
    return "FAIL";
  }
  return "SUCCEED";
}

function* collapseInto(k: Kernel, mm: number, start: number, daemon: boolean, fresh: Pfn): Op<ScanResult> {
  yield* mmapWriteLock(k, mm);
  const result = yield* collapseLocked(k, mm, start, daemon, fresh);
  mmapWriteUnlock(k, mm);
  return result;
}

/** The part of collapse_huge_page under the mmap_lock held for writing: faults and GUP are kept out, but not GUP-fast. */
function* collapseLocked(k: Kernel, mm: number, start: number, daemon: boolean, fresh: Pfn): Op<ScanResult> {
  const vma = revalidate(k, mm, start, daemon, true);
  if (typeof vma === "string") return vma;
  yield* vmaStartWrite(k, mm, vma.start, vma.end);
  const state = pmdState(k, mm, start);
  if (state !== "SUCCEED") return state;
  const pmd = pmdOf(k, mm, start);
  if (pmd === undefined) return "PMD_NULL";
  const anonRoot = k.anonVmas.get(vma.anonVma).root;
  yield* lockWrite(k, "anon_vma", anonRoot);
  const n = 1 << k.geo.pmdOrder;
  const t = tableBelow(k, pmd.lo, pmd.hi);
  // pmdp_collapse_flush: the table is unhooked, its entries stay until the pages were looked at again
  clearEntry(k, pmd.table, pmd.i);
  tlbFlushRange(k, mm, start, start + n);
  if (k.preempt) yield "collapse.flushed";
  if (k.era.collapseSyncsGupFast) yield* tlbRemoveTableSyncOne(k);
  const isolated: Pfn[] = [];
  const c = noCounts();
  const result = isolate(k, vma, t, daemon, isolated, c);
  if (k.tracer !== null && result !== "SUCCEED") traceScan(k, vma, start, daemon, result, c, entryPfn(loAt(k, t, c.at), hiAt(k, t, c.at)));
  if (result !== "SUCCEED") {
    for (const head of isolated) releasePage(k, head);
    populate(k, pmd.table, pmd.i, t);
  }
  unlock(k, "anon_vma", anonRoot);
  if (result !== "SUCCEED") return result;
  if (k.preempt) yield "collapse.isolated";
  copyAndFree(k, vma, t, fresh);
  for (const head of isolated) releasePage(k, head);
  if (k.preempt) yield "collapse.copied";
  installHuge(k, vma, start, fresh, pmd, t);
  return "SUCCEED";
}

/** release_pte_folio: back to the LRU, where somebody else still uses it, and unlocked. */
function releasePage(k: Kernel, head: Pfn): void {
  if (k.refcount.get(head) > 0 && !hasFlag(k, head, PG.buddy)) lruAdd(k, head);
  unlock(k, "folio_lock", head);
}

/** The end of collapse_huge_page: the new folio is mapped by the PMD, the old table kept for a later split. */
function installHuge(k: Kernel, vma: Vma, start: number, fresh: Pfn, pmd: PmdPlace, t: TableIndex): void {
  const lo = dirtyMaybeWrite(k, entryLoFor(k, fresh, vma.flags) | k.geo.encoding.leaf, vma.flags);
  addNewAnonRmap(k, fresh, vma, start, true);
  deposit(k, pmd.table, t);
  setEntry(k, pmd.table, pmd.i, lo, entryHiFor(k, fresh, vma.flags));
  if (k.era.collapseQueuesDeferred) deferredSplit(k, fresh, false);
}

/** __collapse_huge_page_isolate: the same tests again, now that nobody can fault; takes the folios off the LRU. */
function isolate(k: Kernel, vma: Vma, t: TableIndex, daemon: boolean, isolated: Pfn[], c: Counts): ScanResult {
  const n = 1 << k.geo.pmdOrder;
  const seen = new Set<number>();
  for (let i = 0; i < n; i++) {
    const lo = loAt(k, t, i);
    const hi = hiAt(k, t, i);
    c.at = i;
    const r = testEntry(k, vma, daemon, lo, hi, c, true);
    if (r !== "SUCCEED") return r;
    if ((lo === 0 && hi === 0) || (lo & k.geo.encoding.special) !== 0) continue;
    const head = folioOf(k, entryPfn(lo, hi));
    if (isLarge(k, head) && seen.has(head)) continue;
    if (!tryLockWrite(k, "folio_lock", head)) return "PAGE_LOCK";
    const usable: ScanResult = pinned(k, head) ? "PAGE_COUNT" : lruIsolate(k, head) ? "SUCCEED" : "DEL_PAGE_LRU";
    if (usable !== "SUCCEED") {
      unlock(k, "folio_lock", head);
      return usable;
    }
    isolated.push(head);
    if (isLarge(k, head)) seen.add(head);
  }
  if (k.era.collapseNeedsWritable && !c.writable) return "PAGE_RO";
  if (daemon && c.referenced === 0) return "LACK_REFERENCED_PAGE";
  return "SUCCEED";
}

/** __collapse_huge_page_copy: contents move to the new folio, holes stay zero, the old pages are freed. */
function copyAndFree(k: Kernel, vma: Vma, t: TableIndex, fresh: Pfn): void {
  const n = 1 << k.geo.pmdOrder;
  let filled = 0;
  for (let i = 0; i < n;) {
    const lo = loAt(k, t, i);
    const hi = hiAt(k, t, i);
    if (lo === 0 && hi === 0) {
      filled++;
      i++;
      continue;
    }
    if ((lo & k.geo.encoding.special) !== 0) {
      clearEntry(k, t, i);
      filled++;
      i++;
      continue;
    }
    const page = entryPfn(lo, hi);
    const head = folioOf(k, page);
    const batch = k.era.collapseBatched ? pteBatch(k, t, i, n - i, true) : 1;
    for (let b = 0; b < batch; b++) {
      k.stamp.set(fresh + i + b, k.stamp.get(page + b));
      clearEntry(k, t, i + b);
    }
    removeRmapPtes(k, page, batch, vma);
    folioPut(k, head, batch);
    i += batch;
  }
  k.charge(k.costs.copy2mNs);
  if (filled > 0) k.countMm(vma.mm, MMC.anonPages, filled);
}
