import { allocZeroedFolio, folioGet, folioMapcount, folioOrder, folioPages, folioPut, hasFlag, isLarge, lruAdd, lruIsolate, setFlag } from "../mm/folio.ts";
import { fileIndex, inodeOf, isShmem, vmasOfRange } from "../mm/inode.ts";
import { MMC, type Kernel } from "../mm/kernel.ts";
import { setHugePmd } from "../mm/fileFault.ts";
import { filemapAddFolio, filemapFolio, filemapFolios, filemapNext, filemapPage, filemapRemoveFolio, folioMarkDirty } from "../mm/pageCache.ts";
import { PG } from "../mm/pageFlags.ts";
import { accountPteTable, clearEntry, entryPfn, hiAt, loAt, present, tableBelow, tableFree } from "../mm/pgtable.ts";
import { syncReadahead } from "../mm/readahead.ts";
import type { Inode, Vma } from "../mm/records.ts";
import { removeRmapPtes } from "../mm/rmap.ts";
import { shmemAcctBlocks } from "../mm/shmem.ts";
import { tlbFlushRange } from "../mm/tlb.ts";
import { vmaAt } from "../mm/vma.ts";
import { VM } from "../mm/vmFlags.ts";
import { VMSTAT } from "../mm/vmstat.ts";
import { pteBatch } from "../mm/zap.ts";
import { NO_PFN, type Pfn, type TableIndex } from "../units.ts";
import { pmdState } from "./collapse.ts";
import { fitsAround } from "./eligibility/question.ts";
import { pmdAllowed } from "./eligibility/eligibility.ts";
import type { ScanResult } from "./scanResult.ts";
import { tryToUnmapFile } from "./splitFileFolio.ts";
import { pmdOf } from "./splitPmd.ts";
import { traceFileCollapse, traceFileScan, traceMapCollapsed } from "../why/fileScan.ts";

/** Collapse of files, for khugepaged and for MADV_COLLAPSE (mm/khugepaged.c, kernel-semantics.md 3.4). Without the mmap_lock. */

/** References that neither mappings nor the page cache explain: a pin. */
const pinned = (k: Kernel, head: Pfn): boolean => k.refcount.get(head) !== folioMapcount(k, head) + folioPages(k, head);

/** hpage_collapse_scan_file: looks at the page cache of a block and collapses it when nothing speaks against it. */
export function scanFile(k: Kernel, vma: Vma, start: number, daemon: boolean): ScanResult {
  const looked = lookAtCache(k, vma, start, daemon);
  if (looked !== "SUCCEED") return looked;
  return collapseFile(k, vma, inodeOf(k, vma), start, fileIndex(vma, start), daemon);
}

/** The part of hpage_collapse_scan_file that only looks. */
function lookAtCache(k: Kernel, vma: Vma, start: number, daemon: boolean): ScanResult {
  const inode = inodeOf(k, vma);
  const first = fileIndex(vma, start);
  const n = 1 << k.geo.pmdOrder;
  let pages = 0;
  const no = (result: ScanResult, head: Pfn): ScanResult => {
    if (k.tracer !== null) traceFileScan(k, vma, start, result, head, pages);
    return result;
  };
  for (const head of filemapFolios(k, inode.slot, first, first + n - 1)) {
    const order = folioOrder(k, head);
    if (order === k.geo.pmdOrder && k.pageIndex.get(head) === first) return no("PTE_MAPPED_HUGEPAGE", head);
    if (isLarge(k, head) && !k.era.collapseFileLarge) return no("PAGE_COMPOUND", head);
    if (!hasFlag(k, head, PG.lru)) return no("PAGE_LRU", head);
    if (pinned(k, head)) return no("PAGE_COUNT", head);
    pages += folioPages(k, head);
  }
  if (daemon && pages < n - k.g.khugepaged.maxPtesNone) {
    k.countVm(VMSTAT.thpScanExceedNonePte);
    return no("EXCEED_NONE_PTE", NO_PFN);
  }
  return "SUCCEED";
}

/** collapse_file: a new folio of PMD size takes the place of what the cache has. */
function collapseFile(k: Kernel, vma: Vma, inode: Inode, start: number, first: number, daemon: boolean): ScanResult {
  const fresh = allocZeroedFolio(k, k.geo.pmdOrder);
  if (fresh === NO_PFN) {
    k.countVm(VMSTAT.thpCollapseAllocFailed);
    if (k.tracer !== null) traceFileScan(k, vma, start, "ALLOC_HUGE_PAGE_FAIL", NO_PFN, 0);
    return "ALLOC_HUGE_PAGE_FAIL";
  }
  k.countVm(VMSTAT.thpCollapseAlloc);
  const isolated: Pfn[] = [];
  const shmem = isShmem(k, inode);
  let result = isolateCached(k, vma, inode, first, isolated);
  // the folio that could not be made ready is the one behind those that were
  const culprit =
    result === "SUCCEED" || isolated.length === 0 ? first : k.pageIndex.get(isolated[isolated.length - 1]) + folioPages(k, isolated[isolated.length - 1]);
  const n = 1 << k.geo.pmdOrder;
  const old = isolated.reduce((sum, head) => sum + folioPages(k, head), 0);
  if (result === "SUCCEED" && !shmem && inode.writers > 0) result = "FAIL";
  if (result === "SUCCEED" && shmem && old < n && !shmemAcctBlocks(k, inode, n - old)) result = "FAIL";
  if (result === "SUCCEED" && old < n && vmasOfRange(k, inode.slot, first, first + n - 1).some((v) => v.flags & VM.uffdMissing)) result = "EXCEED_NONE_PTE";
  for (const head of isolated) {
    lruAdd(k, head);
    folioPut(k, head);
  }
  if (k.tracer !== null) traceFileCollapse(k, vma, start, daemon, result, culprit, old);
  if (result !== "SUCCEED") {
    folioPut(k, fresh);
    return result;
  }
  replaceCached(k, inode, first, fresh, isolated, shmem, n - old);
  retractPageTables(k, inode, first, daemon ? null : { mm: vma.mm, vpn: start });
  // MADV_COLLAPSE then maps it; the daemon leaves that to the next fault
  return daemon ? "SUCCEED" : "PTE_MAPPED_HUGEPAGE";
}

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
  if (folioOrder(k, head) === k.geo.pmdOrder && k.pageIndex.get(head) === first) return "PTE_MAPPED_HUGEPAGE";
  if (isLarge(k, head) && !k.era.collapseFileLarge) return "PAGE_COMPOUND";
  if (!shmem && hasFlag(k, head, PG.dirty)) return "FAIL";
  if (pinned(k, head)) return "PAGE_COUNT";
  if (!lruIsolate(k, head)) return "DEL_PAGE_LRU";
  folioGet(k, head);
  tryToUnmapFile(k, head);
  return "SUCCEED";
}

/** The end of collapse_file: contents move, the cache holds the new folio. `filled`: holes of tmpfs that it fills, charged already. */
function replaceCached(k: Kernel, inode: Inode, first: number, fresh: Pfn, old: readonly Pfn[], shmem: boolean, filled: number): void {
  for (const head of old) {
    const at = k.pageIndex.get(head) - first;
    for (let i = 0; i < folioPages(k, head); i++) k.stamp.set(fresh + at + i, k.stamp.get(head + i));
    filemapRemoveFolio(k, head);
  }
  // removing the old folios uncharged them; the new one has all of the block
  if (shmem) k.usedBlocks.add(inode.mount, (1 << k.geo.pmdOrder) - filled);
  filemapAddFolio(k, inode.slot, fresh, first, shmem);
  setFlag(k, fresh, PG.uptodate);
  if (shmem) folioMarkDirty(k, fresh);
  folioPut(k, fresh);
  k.charge(k.costs.copy2mNs);
}

/**
 * retract_page_tables: page tables over the block, empty now, are freed, so that the next fault maps the PMD. VMAs with private copies
 * keep theirs. Until 6.4 MADV_COLLAPSE did so for its own mapping only (`target`).
 */
function retractPageTables(k: Kernel, inode: Inode, first: number, target: { readonly mm: number; readonly vpn: number } | null): void {
  const n = 1 << k.geo.pmdOrder;
  for (const vma of vmasOfRange(k, inode.slot, first, first)) {
    if (vma.anonVma !== 0) continue;
    const start = vma.start + (first - vma.pgoff);
    if (start % n !== 0 || start < vma.start || start + n > vma.end) continue;
    if (k.era.collapseRetracts === "target" && target !== null && (vma.mm !== target.mm || start !== target.vpn)) continue;
    if (pmdState(k, vma.mm, start) !== "SUCCEED" || (vma.flags & VM.uffdWp) !== 0) continue;
    freeTable(k, vma, start);
  }
}

/** collapse_and_free_pmd: takes an empty page table out and frees it. */
function freeTable(k: Kernel, vma: Vma, start: number): void {
  const pmd = pmdOf(k, vma.mm, start);
  if (pmd === undefined) return;
  const t = tableBelow(k, pmd.lo, pmd.hi);
  for (let i = 0; i < 1 << k.geo.pmdOrder; i++) if (loAt(k, t, i) !== 0 || hiAt(k, t, i) !== 0) clearEntry(k, t, i);
  clearEntry(k, pmd.table, pmd.i);
  tlbFlushRange(k, vma.mm, start, start + (1 << k.geo.pmdOrder));
  tableFree(k, t);
  accountPteTable(k, vma.mm, -1);
}

/** collapse_pte_mapped_thp: a block whose file has a folio of PMD size is mapped by it, or at least not by pages any more. */
export function collapsePteMappedThp(k: Kernel, mm: number, start: number, install: boolean): ScanResult {
  const result = mapCollapsed(k, mm, start, install);
  const vma = vmaAt(k, mm, start);
  if (k.tracer !== null && vma !== undefined && vma.file !== 0) traceMapCollapsed(k, vma, start, install, result);
  return result;
}

function mapCollapsed(k: Kernel, mm: number, start: number, install: boolean): ScanResult {
  const vma = vmaAt(k, mm, start);
  const state = pmdState(k, mm, start);
  if (state === "PMD_MAPPED") return state;
  if (vma === undefined || vma.file === 0 || !fitsAround(vma, start, k.geo.pmdOrder)) return "VMA_CHECK";
  if (k.era.collapseFileAnonVma === "refused" && vma.anonVma !== 0) return "VMA_CHECK";
  if (!pmdAllowed(k, vma, "forcedCollapse")) return "VMA_CHECK";
  if (vma.flags & VM.uffdWp) return "PTE_UFFD_WP";
  const inode = inodeOf(k, vma);
  const head = filemapFolio(k, inode.slot, fileIndex(vma, start));
  if (head === NO_PFN) return "PAGE_NULL";
  if (folioOrder(k, head) !== k.geo.pmdOrder) return "PAGE_COMPOUND";
  if (state === "SUCCEED") {
    const pmd = pmdOf(k, mm, start);
    const r = pmd === undefined ? "PMD_NULL" : unmapPtes(k, vma, start, tableBelow(k, pmd.lo, pmd.hi), head);
    if (r !== "SUCCEED") return r;
  } else if (state !== "PMD_NONE" && !(state === "PMD_NULL" && k.era.collapseInstallsWithoutTable)) return state;
  if (!install) return "SUCCEED";
  return setHugePmd(k, vma, start, head, false) ? "SUCCEED" : "FAIL";
}

/** Steps 1 to 4 of collapse_pte_mapped_thp: every entry is none or the page of the folio; they go, and the table with them. */
function unmapPtes(k: Kernel, vma: Vma, start: number, t: TableIndex, head: Pfn): ScanResult {
  const n = 1 << k.geo.pmdOrder;
  for (let i = 0; i < n; i++) {
    const lo = loAt(k, t, i);
    const hi = hiAt(k, t, i);
    if (lo === 0 && hi === 0) continue;
    if (!present(k, lo)) return "PTE_NON_PRESENT";
    if (entryPfn(lo, hi) !== head + i) return "FAIL";
  }
  const counter = hasFlag(k, head, PG.swapbacked) ? MMC.shmemPages : MMC.filePages;
  for (let i = 0; i < n;) {
    if (loAt(k, t, i) === 0) {
      i++;
      continue;
    }
    const batch = pteBatch(k, t, i, n - i, true);
    for (let b = 0; b < batch; b++) clearEntry(k, t, i + b);
    removeRmapPtes(k, (head + i) as Pfn, batch, vma);
    folioPut(k, head, batch);
    k.countMm(vma.mm, counter, -batch);
    i += batch;
  }
  freeTable(k, vma, start);
  return "SUCCEED";
}
