import { allocZeroedFolio, folioGet, folioMapcount, folioOrder, folioPages, folioPut, hasFlag, isLarge, lruAdd, lruIsolate, setFlag } from "../mm/folio.ts";
import { fileIndex, inodeOf, isShmem, vmasOfRange } from "../mm/inode.ts";
import type { Kernel } from "../mm/kernel.ts";
import { filemapAddFolio, filemapFolio, filemapFolios, filemapNext, filemapPage, filemapRemoveFolio, folioMarkDirty, nrPages } from "../mm/pageCache.ts";
import { PG } from "../mm/pageFlags.ts";
import { syncReadahead } from "../mm/readahead.ts";
import type { Inode, Vma } from "../mm/records.ts";
import { shmemAcctBlocks } from "../mm/shmem.ts";
import { VM } from "../mm/vmFlags.ts";
import { VMSTAT } from "../mm/vmstat.ts";
import { isLocked, lockWrite, tryLockWrite, unlock } from "../sched/locks.ts";
import type { Op } from "../sched/points.ts";
import { NO_PFN, type Pfn } from "../units.ts";
import { traceFileCollapse, traceFileScan } from "../why/fileScan.ts";
import { retractPageTables } from "./retractPageTables.ts";
import type { ScanResult } from "./scanResult.ts";
import { tryToUnmapFile } from "./splitFileFolio.ts";

/** Collapse of files, for khugepaged and for MADV_COLLAPSE (mm/khugepaged.c, kernel-semantics.md 3.4). Without the mmap_lock. */

/** References that neither mappings nor the page cache explain: a pin. */
const pinned = (k: Kernel, head: Pfn): boolean => k.refcount.get(head) !== folioMapcount(k, head) + folioPages(k, head);

/** hpage_collapse_scan_file: looks at the page cache of a block and collapses it when nothing speaks against it. */
export function* scanFile(k: Kernel, vma: Vma, start: number, daemon: boolean): Op<ScanResult> {
  const inode = inodeOf(k, vma);
  const first = fileIndex(vma, start);
  const scanned = scanCache(k, vma, inode.slot, start, first, daemon);
  // who scans holds the file; the mapping may go meanwhile
  return scanned === "SUCCEED" ? yield* collapseFile(k, vma, inode, start, first, daemon) : scanned;
}

function scanCache(k: Kernel, vma: Vma, inode: number, start: number, first: number, daemon: boolean): ScanResult {
  const n = 1 << k.geo.pmdOrder;
  let pages = 0;
  const no = (result: ScanResult, head: Pfn): ScanResult => {
    if (k.tracer !== null) traceFileScan(k, vma, start, result, head, pages);
    return result;
  };
  for (const head of filemapFolios(k, inode, first, first + n - 1)) {
    if (isWholeBlock(k, head, first)) return no(blockResult(k), head);
    if (isLarge(k, head) && !k.era.collapseFileLarge) return no("PAGE_COMPOUND", head);
    if (!hasFlag(k, head, PG.lru)) return no("PAGE_LRU", head);
    if (pinned(k, head)) return no("PAGE_COUNT", head);
    pages += folioPages(k, head);
  }
  if (!daemon || pages >= n - k.g.khugepaged.maxPtesNone) return "SUCCEED";
  k.countVm(VMSTAT.thpScanExceedNonePte);
  return no("EXCEED_NONE_PTE", NO_PFN);
}

/** The folio is the block: of PMD size, and it begins where the block does. */
const isWholeBlock = (k: Kernel, head: Pfn, first: number): boolean => folioOrder(k, head) === k.geo.pmdOrder && k.pageIndex.get(head) === first;

/** What is said of a block that is one folio already: until 6.0 no more than of any other compound page. */
const blockResult = (k: Kernel): ScanResult => (k.era.collapseSeesPteMapped ? "PTE_MAPPED_HUGEPAGE" : "PAGE_COMPOUND");

/** collapse_file: a new folio of PMD size takes the place of what the cache has. It is locked from before anybody can find it until its page tables are gone. */
function* collapseFile(k: Kernel, vma: Vma, inodeIn: Inode, start: number, first: number, daemon: boolean): Op<ScanResult> {
  const fresh = allocZeroedFolio(k, k.geo.pmdOrder);
  if (fresh === NO_PFN) {
    k.countVm(VMSTAT.thpCollapseAllocFailed);
    if (k.tracer !== null) traceFileScan(k, vma, start, "ALLOC_HUGE_PAGE_FAIL", NO_PFN, 0);
    return "ALLOC_HUGE_PAGE_FAIL";
  }
  k.countVm(VMSTAT.thpCollapseAlloc);
  if (k.preempt) yield "collapse.allocated";
  yield* lockWrite(k, "folio_lock", fresh);
  const isolated: Pfn[] = [];
  let result = isolateCached(k, vma, inodeIn, first, isolated);
  const last = isolated.at(-1);
  // the folio that could not be made ready is the one behind those that were
  const culprit = result === "SUCCEED" || last === undefined ? first : k.pageIndex.get(last) + folioPages(k, last);
  const cached = nrPages(k, inodeIn.slot);
  if (k.preempt) yield "collapse.isolatedFile";
  const inode = k.inodes.get(inodeIn.slot);
  if (result === "SUCCEED" && nrPages(k, inode.slot) !== cached && holesFilled(k, inode.slot, first, isolated)) result = "PAGE_FILLED";
  if (result === "SUCCEED") result = mayReplace(k, inode, first, isolated);
  if (k.tracer !== null) traceFileCollapse(k, vma, start, daemon, result, culprit, pagesOf(k, isolated));
  for (const head of isolated) {
    lruAdd(k, head);
    folioPut(k, head);
  }
  if (result === "SUCCEED") {
    replaceCached(k, inode, first, fresh, isolated, isShmem(k, inode));
    for (const head of isolated) unlock(k, "folio_lock", head);
    result = yield* retractPageTables(k, inode, first, fresh, { mm: vma.mm, vpn: start, daemon });
    unlock(k, "folio_lock", fresh);
    return result;
  }
  for (const head of isolated) unlock(k, "folio_lock", head);
  unlock(k, "folio_lock", fresh);
  folioPut(k, fresh);
  return result;
}

/** Somebody put a page where there was a hole when the folios were isolated: SCAN_PAGE_FILLED (6.5). */
const holesFilled = (k: Kernel, inode: number, first: number, isolated: readonly Pfn[]): boolean =>
  filemapFolios(k, inode, first, first + (1 << k.geo.pmdOrder) - 1).some((head) => !isolated.includes(head));

/** The checks of collapse_file behind its loop: writers, room in the mount, and userfaultfds that wait for holes. */
function mayReplace(k: Kernel, inode: Inode, first: number, isolated: readonly Pfn[]): ScanResult {
  const n = 1 << k.geo.pmdOrder;
  const shmem = isShmem(k, inode);
  const holes = n - pagesOf(k, isolated);
  if (!shmem && inode.writers > 0) return "FAIL";
  if (shmem && holes > 0 && !shmemAcctBlocks(k, inode, holes)) return "FAIL";
  if (holes > 0 && vmasOfRange(k, inode.slot, first, first + n - 1).some((v) => v.flags & VM.uffdMissing)) return "EXCEED_NONE_PTE";
  return "SUCCEED";
}

const pagesOf = (k: Kernel, folios: readonly Pfn[]): number => folios.reduce((sum, head) => sum + folioPages(k, head), 0);

/** The loop of collapse_file: each folio is made ready, unmapped and held. */
function isolateCached(k: Kernel, vma: Vma, inode: Inode, first: number, isolated: Pfn[]): ScanResult {
  const n = 1 << k.geo.pmdOrder;
  const shmem = isShmem(k, inode);
  if (shmem && filemapNext(k, inode.slot, first, first + n - 1) < 0) return "TRUNCATED";
  for (let index = first; index < first + n;) {
    if (filemapPage(k, inode.slot, index) === NO_PFN) {
      if (shmem) {
        index++;
        continue;
      }
      syncReadahead(k, vma.file, index, first + n - index);
      if (filemapPage(k, inode.slot, index) === NO_PFN) return "FAIL";
    }
    const head = filemapFolio(k, inode.slot, index);
    const r = isolateFolio(k, head, first, shmem);
    if (r !== "SUCCEED") return r;
    isolated.push(head);
    index = k.pageIndex.get(head) + folioPages(k, head);
  }
  return "SUCCEED";
}

function isolateFolio(k: Kernel, head: Pfn, first: number, shmem: boolean): ScanResult {
  // a folio of fallocate that nobody used yet is made ready
  if (shmem) setFlag(k, head, PG.uptodate);
  if (isLocked(k, "folio_lock", head)) return "PAGE_LOCK";
  if (!hasFlag(k, head, PG.uptodate)) return "FAIL";
  if (isWholeBlock(k, head, first)) return blockResult(k);
  if (isLarge(k, head) && !k.era.collapseFileLarge) return "PAGE_COMPOUND";
  if (!shmem && hasFlag(k, head, PG.dirty)) return "FAIL";
  if (pinned(k, head)) return "PAGE_COUNT";
  if (!lruIsolate(k, head)) return "DEL_PAGE_LRU";
  tryLockWrite(k, "folio_lock", head);
  folioGet(k, head);
  tryToUnmapFile(k, head);
  return "SUCCEED";
}

/** The end of collapse_file: contents move, the cache holds the new folio. Holes of tmpfs that it fills are charged already. */
function replaceCached(k: Kernel, inode: Inode, first: number, fresh: Pfn, old: readonly Pfn[], shmem: boolean): void {
  const replaced = pagesOf(k, old);
  for (const head of old) {
    const at = k.pageIndex.get(head) - first;
    for (let i = 0; i < folioPages(k, head); i++) k.stamp.set(fresh + at + i, k.stamp.get(head + i));
    filemapRemoveFolio(k, head);
  }
  // removing the old folios uncharged them; the new one has all of the block
  if (shmem) k.usedBlocks.add(inode.mount, replaced);
  filemapAddFolio(k, inode.slot, fresh, first, shmem);
  setFlag(k, fresh, PG.uptodate);
  if (shmem) folioMarkDirty(k, fresh);
  folioPut(k, fresh);
  k.charge(k.costs.copy2mNs);
}
