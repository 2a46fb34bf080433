import { bugOn } from "../assert.ts";
import { setHugePmd } from "../mm/fileFault.ts";
import { vmasOfRange } from "../mm/inode.ts";
import type { Kernel } from "../mm/kernel.ts";
import { accountPteTable, clearEntry, hiAt, loAt, present, tableBelow, tableFree, tableFreeAtOnce } from "../mm/pgtable.ts";
import type { Inode, Vma } from "../mm/records.ts";
import { tlbFlushRange } from "../mm/tlb.ts";
import { VM } from "../mm/vmFlags.ts";
import { lockRead, lockWrite, mmapWriteUnlock, tryLockWrite, unlock } from "../sched/locks.ts";
import type { Op } from "../sched/points.ts";
import type { Pfn } from "../units.ts";
import { khugepagedAddPteMappedThp } from "./khugepagedList.ts";
import { pmdState } from "./pmdState.ts";
import type { ScanResult } from "./scanResult.ts";
import { pmdOf, type PmdPlace } from "./splitPmd.ts";

/** Taking page tables out from under a block of a file that became one folio (mm/khugepaged.c). */

/**
 * collapse_and_free_pmd: the page table leaves its PMD entry and is freed. `rmapRemoved`: entries of pages may still stand in it, whose mappings
 * were taken back already (until 6.5); otherwise it holds none, and at most markers, which go with it.
 */
export function collapseAndFreePmd(k: Kernel, vma: Vma, start: number, pmd: PmdPlace, rmapRemoved: boolean): void {
  const t = tableBelow(k, pmd.lo, pmd.hi);
  const n = 1 << k.geo.pmdOrder;
  clearEntry(k, pmd.table, pmd.i);
  tlbFlushRange(k, vma.mm, start, start + n);
  for (let i = 0; i < n; i++) {
    const lo = loAt(k, t, i);
    if (lo === 0 && hiAt(k, t, i) === 0) continue;
    bugOn(present(k, lo) && !rmapRemoved, `a page table is taken out that maps page ${start + i}`);
    clearEntry(k, t, i);
  }
  if (k.era.retractWaitsForWalks) tableFree(k, t);
  else tableFreeAtOnce(k, t);
  accountPteTable(k, vma.mm, -1);
}

/** Whose collapse it is: its result is that of this mapping. */
export interface RetractTarget {
  readonly mm: number;
  readonly vpn: number;
  readonly daemon: boolean;
}

/** The block of the file as a VMA maps it, or -1 where it does not map all of it, aligned. */
function blockOf(k: Kernel, vma: Vma, first: number): number {
  const n = 1 << k.geo.pmdOrder;
  const start = vma.start + (first - vma.pgoff);
  return start % n !== 0 || start < vma.start || start + n > vma.end ? -1 : start;
}

/**
 * retract_page_tables: page tables over the block, empty now, are freed, so that the next fault maps the PMD. VMAs with private copies
 * somewhere keep theirs. Returns what collapse_file does then; the new folio is locked.
 */
export function retractPageTables(k: Kernel, inode: Inode, first: number, head: Pfn, target: RetractTarget): Op<ScanResult> {
  return k.era.collapseLocking === "pageTables" ? retractLocked(k, inode, first, target) : retractTrylock(k, inode, first, head, target);
}

/** Since 6.6: under i_mmap for reading and page-table locks. MADV_COLLAPSE then maps the folio (collapse_pte_mapped_thp). */
function* retractLocked(k: Kernel, inode: Inode, first: number, target: RetractTarget): Op<ScanResult> {
  yield* lockRead(k, "i_mmap_rwsem", inode.slot);
  for (const { slot } of vmasOfRange(k, inode.slot, first, first)) {
    const isOpen = (): { vma: Vma; start: number } | undefined => {
      // i_mmap keeps the VMA where it is; here nobody else takes that lock for a munmap, so it is looked for again
      const vma = k.inodes.get(inode.slot).vmas.includes(slot) ? k.vmas.get(slot) : undefined;
      if (vma === undefined || vma.anonVma !== 0 || (vma.flags & VM.uffdWp) !== 0) return undefined;
      const start = blockOf(k, vma, first);
      return start < 0 || pmdState(k, vma.mm, start) !== "SUCCEED" ? undefined : { vma, start };
    };
    if (isOpen() === undefined) continue;
    if (k.preempt) yield "collapse.beforePmdLock";
    const open = isOpen();
    const pmd = open === undefined ? undefined : pmdOf(k, open.vma.mm, open.start);
    if (open !== undefined && pmd !== undefined) collapseAndFreePmd(k, open.vma, open.start, pmd, false);
  }
  unlock(k, "i_mmap_rwsem", inode.slot);
  return target.daemon ? "SUCCEED" : "PTE_MAPPED_HUGEPAGE";
}

/**
 * Until 6.5: with the mmap_lock of each mm for writing, where it can be had at once; page tables of others are noted for khugepaged. MADV_COLLAPSE does
 * so for its own mapping only, and maps the folio there and then; what keeps it from that is its result.
 */
function* retractTrylock(k: Kernel, inode: Inode, first: number, head: Pfn, target: RetractTarget): Op<ScanResult> {
  yield* lockWrite(k, "i_mmap_rwsem", inode.slot);
  let result: ScanResult = k.era.collapseSeesPteMapped ? "FAIL" : "SUCCEED";
  for (const vma of vmasOfRange(k, inode.slot, first, first)) {
    // the check for private copies comes before the look whether this is the mapping that was asked for: its answer is SCAN_FAIL then
    if (vma.anonVma !== 0) continue;
    const start = blockOf(k, vma, first);
    if (start < 0) continue;
    const isTarget = vma.mm === target.mm && start === target.vpn;
    const one = retractOne(k, vma, start, head, target, isTarget);
    if (isTarget && k.era.collapseSeesPteMapped) result = one;
  }
  unlock(k, "i_mmap_rwsem", inode.slot);
  return result;
}

function retractOne(k: Kernel, vma: Vma, start: number, head: Pfn, target: RetractTarget, isTarget: boolean): ScanResult {
  const state = pmdState(k, vma.mm, start);
  const pmd = pmdOf(k, vma.mm, start);
  if (state !== "SUCCEED" || pmd === undefined) return state;
  if ((!target.daemon && !isTarget) || !tryLockWrite(k, "mmap_lock", vma.mm)) {
    if (!isTarget) khugepagedAddPteMappedThp(k, vma.mm, start);
    return "PTE_MAPPED_HUGEPAGE";
  }
  let result: ScanResult = "PTE_UFFD_WP";
  if ((vma.flags & VM.uffdWp) === 0) {
    collapseAndFreePmd(k, vma, start, pmd, false);
    result = target.daemon || !isTarget || setHugePmd(k, vma, start, head, false) ? "SUCCEED" : "FAIL";
  }
  mmapWriteUnlock(k, vma.mm);
  return result;
}
