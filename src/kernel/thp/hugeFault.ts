import { makeWritable } from "../arch/geometry.ts";
import { anonVmaPrepare } from "../mm/anonVma.ts";
import { isRawPfn } from "../drivers/card.ts";
import { hugelabHugeFault } from "../drivers/hugelabFault.ts";
import { FAULT, VMF } from "../mm/faultFlags.ts";
import { allocZeroedFolio, deferredSplit, folioGet, folioPages, folioPut, hasFlag, setFlag } from "../mm/folio.ts";
import { MMC, MTHP, type Kernel } from "../mm/kernel.ts";
import { PG } from "../mm/pageFlags.ts";
import { accountPteTable, deposit, entryPfn, hiAt, indexAt, loAt, setEntry, tableAlloc, tableFree } from "../mm/pgtable.ts";
import { dirtyBits, dirtyMaybeWrite, entryHiFor, entryLoFor } from "../mm/prot.ts";
import type { Vma } from "../mm/records.ts";
import { addNewAnonRmap, dupAnonRmapPmd, moveAnonRmap } from "../mm/rmap.ts";
import { tlbFlushRange } from "../mm/tlb.ts";
import { hasHugeFault } from "../mm/vmaOps.ts";
import { VM } from "../mm/vmFlags.ts";
import { VMSTAT } from "../mm/vmstat.ts";
import type { Op } from "../sched/points.ts";
import { NO_PFN, NO_TABLE, type Pfn, type TableIndex } from "../units.ts";
import { fitsAround } from "./eligibility/question.ts";
import { getHugeZero, isHugeZero } from "./hugeZero.ts";
import { khugepagedEnterVma } from "./khugepagedList.ts";
import { splitPmd } from "./splitPmd.ts";
import { traceFilePmdWrite } from "../why/fileFaults.ts";
import { traceHugeRead, traceHugeWriteProtected, traceHugeZeroWrite } from "../why/pages.ts";
import { traceAllocFailed } from "../why/thp.ts";

/** vma_alloc_anon_folio_pmd: the folio, or NO_PFN after counting the fallback. */
export function allocThp(k: Kernel): Pfn {
  const order = k.geo.pmdOrder;
  const head = allocZeroedFolio(k, order);
  if (head === NO_PFN) {
    k.countVm(VMSTAT.thpFaultFallback);
    if (k.era.mthpStats) k.countMthp(order, MTHP.anonFaultFallback);
  }
  return head;
}

/** map_anon_folio_pmd: installs a fresh folio as a PMD leaf, exclusive, dirty, writable where the VMA is. */
export function mapThp(k: Kernel, vma: Vma, head: Pfn, table: TableIndex, i: number, vpn: number): void {
  const start = vpn - (vpn & ((1 << k.geo.pmdOrder) - 1));
  const lo = dirtyMaybeWrite(k, entryLoFor(k, head, vma.flags) | k.geo.encoding.leaf, vma.flags);
  addNewAnonRmap(k, head, vma, start, true);
  setEntry(k, table, i, lo, entryHiFor(k, head, vma.flags));
  k.countMm(vma.mm, MMC.anonPages, 1 << k.geo.pmdOrder);
  k.countVm(VMSTAT.thpFaultAlloc);
  if (k.era.mthpStats) k.countMthp(k.geo.pmdOrder, MTHP.anonFaultAlloc);
}

/** do_huge_pmd_anonymous_page: VMF.fallback lets the fault go on with pages. */
export function* hugePmdAnonymousPage(k: Kernel, vmaIn: Vma, vpn: number, flags: number, table: TableIndex): Op<number> {
  const order = k.geo.pmdOrder;
  if (!fitsAround(vmaIn, vpn, order)) {
    return VMF.fallback;
  }
  const vma = anonVmaPrepare(k, vmaIn.slot);
  khugepagedEnterVma(k, vma, vma.flags);
  const i = indexAt(k.geo, k.geo.pmdLevel, vpn);
  const zeroRead = (flags & FAULT.write) === 0 && k.g.useZeroPage !== 0;
  if (k.tracer !== null && (flags & FAULT.write) === 0) traceHugeRead(k, vma, vpn, zeroRead);
  if (zeroRead) {
    const deposited = tableAlloc(k);
    if (deposited === NO_TABLE) return VMF.oom;
    const zero = getHugeZero(k, vma.mm);
    if (zero === NO_PFN) {
      tableFree(k, deposited);
      k.countVm(VMSTAT.thpFaultFallback);
      if (k.tracer !== null) traceAllocFailed(k, vma, vpn, k.geo.pmdOrder);
      return VMF.fallback;
    }
    if (k.preempt) yield "hugeFault.beforePmdLock";
    if (loAt(k, table, i) !== 0) {
      tableFree(k, deposited);
      return 0;
    }
    deposit(k, table, deposited);
    setEntry(k, table, i, entryLoFor(k, zero, vma.flags) | k.geo.encoding.leaf, entryHiFor(k, zero, vma.flags));
    accountPteTable(k, vma.mm, 1);
    return 0;
  }
  const head = allocThp(k);
  if (head === NO_PFN) {
    if (k.tracer !== null) traceAllocFailed(k, vma, vpn, k.geo.pmdOrder);
    return VMF.fallback;
  }
  const deposited = tableAlloc(k);
  if (deposited === NO_TABLE) {
    folioPut(k, head);
    return VMF.oom;
  }
  if (k.preempt) yield "hugeFault.beforePmdLock";
  if (loAt(k, table, i) !== 0) {
    tableFree(k, deposited);
    folioPut(k, head);
    return 0;
  }
  deposit(k, table, deposited);
  mapThp(k, vma, head, table, i, vpn);
  accountPteTable(k, vma.mm, 1);
  if (k.era.collapseQueuesDeferred) deferredSplit(k, head, false);
  return 0;
}

/** do_huge_pmd_wp_page: a write (or unshare) to a read-only anonymous PMD. */
export function hugePmdWpPage(k: Kernel, vmaIn: Vma, vpn: number, flags: number, table: TableIndex): number {
  const e = k.geo.encoding;
  const i = indexAt(k.geo, k.geo.pmdLevel, vpn);
  const lo = loAt(k, table, i);
  const hi = hiAt(k, table, i);
  const pfn = entryPfn(lo, hi);
  const order = k.geo.pmdOrder;
  const n = 1 << order;
  const start = vpn - (vpn & (n - 1));
  // wp_huge_pmd of a file: its handler may make the entry writable, else the fault goes on without the PMD
  if (vmaIn.ops !== "none") {
    const byHandler = vmaIn.ops === "device" && hasHugeFault(k, vmaIn) ? hugelabHugeFault(k, vmaIn, vpn, true, order) : VMF.fallback;
    if ((byHandler & VMF.fallback) === 0) return byHandler;
    if (k.tracer !== null) traceFilePmdWrite(k, vmaIn, start, n);
    splitPmd(k, vmaIn, { table, i, lo, hi }, vpn);
    return VMF.fallback;
  }
  if (isHugeZero(k, pfn)) {
    if (k.tracer !== null) traceHugeZeroWrite(k, vmaIn, vpn);
    if (k.era.hugeZeroWrite === "allocate" && (flags & FAULT.unshare) === 0) {
      const vma = anonVmaPrepare(k, vmaIn.slot);
      const head = allocThp(k);
      if (head !== NO_PFN) {
        tlbFlushRange(k, vma.mm, start, start + n);
        mapThp(k, vma, head, table, i, vpn);
        return 0;
      }
      if (k.tracer !== null) traceAllocFailed(k, vma, vpn, k.geo.pmdOrder);
    }
    splitPmd(k, vmaIn, { table, i, lo, hi }, vpn);
    return VMF.fallback;
  }
  const exclusive = hasFlag(k, pfn, PG.anonExclusive);
  const refs = k.refcount.get(pfn);
  if (k.tracer !== null) traceHugeWriteProtected(k, vmaIn, vpn, pfn, exclusive, refs);
  if (!exclusive && refs === 1) {
    moveAnonRmap(k, pfn, vmaIn);
    setFlag(k, pfn, PG.anonExclusive);
  } else if (!exclusive) {
    splitPmd(k, vmaIn, { table, i, lo, hi }, vpn);
    return VMF.fallback;
  }
  if (flags & FAULT.unshare) return 0;
  const next = (vmaIn.flags & VM.write ? makeWritable(e, lo) : lo) | dirtyBits(k) | e.accessed;
  setEntry(k, table, i, next, hi);
  tlbFlushRange(k, vmaIn.mm, start, start + n);
  return 0;
}

/**
 * The part of copy_huge_pmd for raw memory: an entry that says itself what it is goes to the child as it is (6.12), another is found again by the child's
 * first fault.
 */
export function copyRawPmd(k: Kernel, srcTable: TableIndex, dstTable: TableIndex, vpn: number): void {
  const i = indexAt(k.geo, k.geo.pmdLevel, vpn);
  const lo = loAt(k, srcTable, i);
  const hi = hiAt(k, srcTable, i);
  if (isRawPfn(k, entryPfn(lo, hi)) && (lo & k.geo.encoding.special) !== 0) setEntry(k, dstTable, i, lo & ~k.geo.encoding.accessed, hi);
}

/** An exclusive huge page that may be pinned cannot be shared by fork (folio_try_dup_anon_rmap_pmd). */
export const hugePinned = (k: Kernel, head: Pfn): boolean => !isHugeZero(k, head) && k.pincount.get(head) > 0 && hasFlag(k, head, PG.anonExclusive);

/**
 * copy_huge_pmd for an anonymous leaf that fork saw no pin of (hugePinned): shared read-only by both, exclusive by neither.
 * False: no memory for its page table.
 */
export function copyHugePmd(k: Kernel, dst: Vma, srcTable: TableIndex, dstTable: TableIndex, vpn: number): boolean {
  const e = k.geo.encoding;
  const i = indexAt(k.geo, k.geo.pmdLevel, vpn);
  const lo = loAt(k, srcTable, i);
  const hi = hiAt(k, srcTable, i);
  const pfn = entryPfn(lo, hi);
  const deposited = tableAlloc(k);
  if (deposited === NO_TABLE) return false;
  deposit(k, dstTable, deposited);
  accountPteTable(k, dst.mm, 1);
  if (isHugeZero(k, pfn)) {
    getHugeZero(k, dst.mm);
    setEntry(k, dstTable, i, lo & ~e.softDirty, hi);
    return true;
  }
  folioGet(k, pfn);
  k.pageFlags.set(pfn, k.pageFlags.get(pfn) & ~PG.anonExclusive);
  dupAnonRmapPmd(k, pfn, dst);
  k.countMm(dst.mm, MMC.anonPages, folioPages(k, pfn));
  const ro = (lo & ~e.write.mask) | (~e.write.value & e.write.mask);
  if (ro !== lo) setEntry(k, srcTable, i, ro, hi);
  setEntry(k, dstTable, i, ro & ~(e.accessed | e.uffdWp), hi);
  return true;
}
