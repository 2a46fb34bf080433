import { setHugePmd } from "../mm/fileFault.ts";
import { folioOrder, folioPut, hasFlag } from "../mm/folio.ts";
import { fileIndex, inodeOf } from "../mm/inode.ts";
import { MMC, type Kernel } from "../mm/kernel.ts";
import { filemapFolio } from "../mm/pageCache.ts";
import { PG } from "../mm/pageFlags.ts";
import { clearEntry, entryPfn, hiAt, loAt, present, tableBelow } from "../mm/pgtable.ts";
import type { Vma } from "../mm/records.ts";
import { removeRmapPtes } from "../mm/rmap.ts";
import { tlbFlushRange } from "../mm/tlb.ts";
import { vmaAt } from "../mm/vma.ts";
import { VM } from "../mm/vmFlags.ts";
import { pteBatch } from "../mm/zap.ts";
import { lockWrite, unlock } from "../sched/locks.ts";
import type { Op } from "../sched/points.ts";
import { NO_PFN, type Pfn, type TableIndex } from "../units.ts";
import { traceMapCollapsed } from "../why/fileScan.ts";
import { pmdAllowed } from "./eligibility/eligibility.ts";
import { fitsAround } from "./eligibility/question.ts";
import { pmdState } from "./pmdState.ts";
import { collapseAndFreePmd } from "./retractPageTables.ts";
import type { ScanResult } from "./scanResult.ts";
import { pmdOf, type PmdPlace } from "./splitPmd.ts";

/** Collapse in place: the file has its folio of PMD size, and a page table maps it page by page (mm/khugepaged.c). */

/**
 * collapse_pte_mapped_thp: the page table over the block goes, if every entry is none or the right page of the folio; with `install` the PMD maps it then.
 * Called with the mmap_lock, since 6.6 for reading, before for writing. Until 6.0 it returned nothing.
 */
export function* collapsePteMappedThp(k: Kernel, mm: number, start: number, install: boolean): Op<ScanResult> {
  const result: ScanResult = yield* inPlace(k, mm, start, install);
  const vma = vmaAt(k, mm, start);
  if (k.tracer !== null && vma !== undefined && vma.file !== 0) traceMapCollapsed(k, vma, start, install, result);
  return result;
}

function* inPlace(k: Kernel, mm: number, start: number, install: boolean): Op<ScanResult> {
  const locking = k.era.collapseLocking;
  const vma = vmaAt(k, mm, start);
  const state = pmdState(k, mm, start);
  // since 6.6 the VMA is looked at first: its page tables may be on their way out
  if (vma === undefined || vma.file === 0 || !fitsAround(vma, start, k.geo.pmdOrder))
    return state === "PMD_MAPPED" && locking !== "pageTables" ? state : "VMA_CHECK";
  if (state === "PMD_MAPPED") return state;
  if (!isAllowed(k, vma)) return "VMA_CHECK";
  if (locking === "imapWrite" && vma.anonVma !== 0) return "VMA_CHECK";
  // a page table may hold markers that say what is protected
  if (vma.flags & VM.uffdWp) return "PTE_UFFD_WP";
  const head = yield* filemapLockFolio(k, inodeOf(k, vma).slot, fileIndex(vma, start));
  if (head === NO_PFN) return "PAGE_NULL";
  const result = yield* inPlaceLocked(k, vma, start, head, state, install);
  unlock(k, "folio_lock", head);
  return result;
}

/** sysfs is left out of it, as a fault leaves it out where the page cache has a huge folio. Until 6.0 MADV_HUGEPAGE was made believe for that. */
const isAllowed = (k: Kernel, vma: Vma): boolean =>
  k.era.madvCollapse ? pmdAllowed(k, vma, "forcedCollapse") : pmdAllowed(k, vma, "khugepaged", vma.flags | VM.hugePage);

/** filemap_lock_folio: the folio at an index, locked; NO_PFN without one. */
function* filemapLockFolio(k: Kernel, inode: number, index: number): Op<Pfn> {
  for (;;) {
    const head = filemapFolio(k, inode, index);
    if (head === NO_PFN) return head;
    yield* lockWrite(k, "folio_lock", head);
    if (filemapFolio(k, inode, index) === head) return head;
    unlock(k, "folio_lock", head);
  }
}

function* inPlaceLocked(k: Kernel, vma: Vma, start: number, head: Pfn, before: ScanResult, install: boolean): Op<ScanResult> {
  if (folioOrder(k, head) !== k.geo.pmdOrder) return "PAGE_COMPOUND";
  const isLate = k.era.collapseLocking === "pageTables";
  const state = isLate ? pmdState(k, vma.mm, start) : before;
  if (state === "SUCCEED") {
    const pmd = pmdOf(k, vma.mm, start);
    const removed: ScanResult = pmd === undefined ? "PMD_NULL" : yield* removePageTable(k, vma, start, pmd, head);
    if (removed !== "SUCCEED") return removed;
  } else if (state !== "PMD_NONE" && !(k.era.collapseInstallsWithoutTable && state === "PMD_NULL")) return state;
  if (!install) return "SUCCEED";
  return setHugePmd(k, vma, start, head, false) ? "SUCCEED" : "FAIL";
}

/** Steps 1 to 4, by generation of locks. What is not the folio's own page ends it, and nothing was changed. */
function* removePageTable(k: Kernel, vma: Vma, start: number, pmd: PmdPlace, head: Pfn): Op<ScanResult> {
  const locking = k.era.collapseLocking;
  const t = tableBelow(k, pmd.lo, pmd.hi);
  if (locking === "pageTables") return yield* removeUnderPageTableLocks(k, vma, start, pmd, t, head);
  const { slot } = inodeOf(k, vma);
  const usesImap = locking !== "mmapWrite";
  if (usesImap) yield* lockWrite(k, "i_mmap_rwsem", slot);
  const checked = checkEntries(k, t, head);
  if (checked === "SUCCEED") {
    dropMappings(k, vma, t, head);
    // the entries still stand in the table: whoever reaches it now would take the mappings back once more
    if (k.preempt) yield "collapse.rmapRemoved";
    const root = locking === "anonVmaWrite" && vma.anonVma !== 0 ? k.anonVmas.get(vma.anonVma).root : 0;
    if (root !== 0) yield* lockWrite(k, "anon_vma", root);
    collapseAndFreePmd(k, vma, start, pmd, true);
    if (root !== 0) unlock(k, "anon_vma", root);
  }
  if (usesImap) unlock(k, "i_mmap_rwsem", slot);
  return checked;
}

/** Since 6.6: the page-table lock is let go after the first look, and each entry is looked at again before it is cleared. */
function* removeUnderPageTableLocks(k: Kernel, vma: Vma, start: number, pmd: PmdPlace, t: TableIndex, head: Pfn): Op<ScanResult> {
  const checked = checkEntries(k, t, head);
  if (checked !== "SUCCEED") return checked;
  if (k.preempt) {
    yield "collapse.checkedPtes";
    const now = pmdOf(k, vma.mm, start);
    if (now === undefined || now.lo !== pmd.lo || now.hi !== pmd.hi) return "FAIL";
  }
  const n = 1 << k.geo.pmdOrder;
  let mapped = 0;
  let result: ScanResult = "SUCCEED";
  for (let i = 0; i < n && result === "SUCCEED";) {
    const lo = loAt(k, t, i);
    const r = testEntry(k, lo, hiAt(k, t, i), head, i);
    if (lo === 0 || r !== "SUCCEED") {
      result = r;
      i++;
      continue;
    }
    const batch = pteBatch(k, t, i, n - i, true);
    for (let b = 0; b < batch; b++) clearEntry(k, t, i + b);
    removeRmapPtes(k, (head + i) as Pfn, batch, vma);
    mapped += batch;
    i += batch;
  }
  putMapped(k, vma, head, mapped);
  if (result === "SUCCEED") collapseAndFreePmd(k, vma, start, pmd, false);
  else tlbFlushRange(k, vma.mm, start, start + n);
  return result;
}

/** An entry that collapse in place lets through: none, or the page of the folio that belongs there. */
function testEntry(k: Kernel, lo: number, hi: number, head: Pfn, i: number): ScanResult {
  if (lo === 0 && hi === 0) return "SUCCEED";
  if (!present(k, lo)) return "PTE_NON_PRESENT";
  // a uprobe, a debugger or a private copy put another page there
  return entryPfn(lo, hi) === head + i ? "SUCCEED" : "FAIL";
}

function checkEntries(k: Kernel, t: TableIndex, head: Pfn): ScanResult {
  for (let i = 0; i < 1 << k.geo.pmdOrder; i++) {
    const r = testEntry(k, loAt(k, t, i), hiAt(k, t, i), head, i);
    if (r !== "SUCCEED") return r;
  }
  return "SUCCEED";
}

/** Steps 2 and 3 until 6.5: mappings, references and RSS are taken back, the entries stay. */
function dropMappings(k: Kernel, vma: Vma, t: TableIndex, head: Pfn): void {
  let mapped = 0;
  for (let i = 0; i < 1 << k.geo.pmdOrder; i++) {
    if (loAt(k, t, i) === 0) continue;
    removeRmapPtes(k, (head + i) as Pfn, 1, vma);
    mapped++;
  }
  putMapped(k, vma, head, mapped);
}

function putMapped(k: Kernel, vma: Vma, head: Pfn, mapped: number): void {
  if (mapped === 0) return;
  folioPut(k, head, mapped);
  k.countMm(vma.mm, hasFlag(k, head, PG.swapbacked) ? MMC.shmemPages : MMC.filePages, -mapped);
}
