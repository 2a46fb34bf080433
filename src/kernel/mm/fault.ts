import { isWritable } from "../arch/geometry.ts";
import { isRawPfn } from "../drivers/card.ts";
import type { Op } from "../sched/points.ts";
import { allowableOrders, pmdAllowed } from "../thp/eligibility/eligibility.ts";
import { smallPagesOnly } from "../thp/eligibility/orders.ts";
import { fitsAround } from "../thp/eligibility/question.ts";
import { hugePmdAnonymousPage, hugePmdWpPage } from "../thp/hugeFault.ts";
import { hugeFaultLadder } from "../thp/hugeFaultLadder.ts";
import { NO_PFN, NO_TABLE, type Pfn, type TableIndex } from "../units.ts";
import { anonVmaPrepare } from "./anonVma.ts";
import { batchPages, type FaultBatch } from "./faultBatch.ts";
import { FAULT, VMF, VMF_ERROR } from "./faultFlags.ts";
import { doFault, wpPageShared, wpPfnShared } from "./fileFault.ts";
import { allocZeroedFolio, folioOrder, folioPut, hasFlag, isLarge, setFlag } from "./folio.ts";
import { folioOf, MMC, MTHP, type Kernel } from "./kernel.ts";
import { PG } from "./pageFlags.ts";
import {
  accountTable,
  cachedTable,
  entryPfn,
  hiAt,
  indexAt,
  isLeaf,
  isMarker,
  loAt,
  MARKER,
  populate,
  present,
  pteLevel,
  setEntry,
  setPtes,
  tableAlloc,
  tableBelow,
  walkAlloc,
  walkTo,
} from "./pgtable.ts";
import { dirtyBits, dirtyMaybeWrite, entryHiFor, entryLoFor } from "./prot.ts";
import type { Vma } from "./records.ts";
import { addNewAnonRmap, moveAnonRmap, removeRmapPtes } from "./rmap.ts";
import { tlbFlushRange } from "./tlb.ts";
import { VM } from "./vmFlags.ts";
import { VMSTAT } from "./vmstat.ts";
import { rssCounter } from "./zap.ts";
import { traceFilePageWrite } from "../why/fileFaults.ts";
import { traceAnonymousPage, traceFaultError, traceWriteProtected, traceWriteZero } from "../why/pages.ts";
import { traceAllocFailed, traceAnonOrders, tracePmdFault, traceTableThere } from "../why/thp.ts";

/** The fault path of private anonymous memory (mm/memory.c); that of files goes on in fileFault.ts. Results are VM_FAULT_* bits. */

/** handle_mm_fault without its accounting. `flags`: FAULT_FLAG_*. */
export function* handleMmFault(k: Kernel, vma: Vma, vpn: number, flags: number, batch: FaultBatch | null): Op<number> {
  if ((flags & FAULT.write) !== 0 && (vma.flags & VM.mayWrite) === 0) return VMF.sigsegv;
  const geo = k.geo;
  if (geo.pmdLevel < 0) {
    const t = walkAlloc(k, vma.mm, vpn, pteLevel(k));
    return t === 0 ? VMF.oom : yield* handlePteFault(k, vma, vpn, flags, t, batch);
  }
  // the walk that failed found the table: its PMD entry is neither empty nor a leaf
  const walked = k.tracer === null ? cachedTable(k, vma.mm, vpn) : NO_TABLE;
  if (walked !== NO_TABLE) return yield* handlePteFault(k, vma, vpn, flags, walked, batch);
  const byHandler = vma.ops === "none" ? VMF.fallback : hugeFaultLadder(k, vma, vpn, flags);
  if ((byHandler & VMF.fallback) === 0) return byHandler;
  const pmdTable = walkAlloc(k, vma.mm, vpn, geo.pmdLevel);
  if (pmdTable === 0) return VMF.oom;
  const i = indexAt(geo, geo.pmdLevel, vpn);
  let lo = loAt(k, pmdTable, i);
  if (k.tracer !== null && geo.thp && lo === 0 && vma.ops === "none") tracePmdFault(k, vma, vpn, false);
  if (lo === 0 && geo.thp && vma.ops === "none" && pmdAllowed(k, vma, "pageFault")) {
    const r = yield* hugePmdAnonymousPage(k, vma, vpn, flags, pmdTable);
    if ((r & VMF.fallback) === 0) return r;
  } else if (lo !== 0 && isLeaf(k, lo) && present(k, lo)) {
    if ((flags & (FAULT.write | FAULT.unshare)) !== 0 && !isWritable(geo.encoding, lo)) {
      const r = hugePmdWpPage(k, vma, vpn, flags, pmdTable);
      if ((r & VMF.fallback) === 0) return r;
    } else {
      setEntry(k, pmdTable, i, lo | geo.encoding.accessed | ((flags & FAULT.write) !== 0 ? dirtyBits(k) : 0), hiAt(k, pmdTable, i));
      return 0;
    }
  }
  if (k.preempt) yield "fault.afterPmd";
  lo = loAt(k, pmdTable, i);
  // a file's fault may map the PMD itself
  if (lo === 0 && vma.ops !== "none") return yield* doFault(k, k.vmas.get(vma.slot), vpn, flags);
  let t: TableIndex;
  if (lo === 0) {
    if ((flags & FAULT.write) !== 0 && vma.anonVma === 0) anonVmaPrepare(k, vma.slot);
    t = tableAlloc(k);
    if (t === 0) return VMF.oom;
    accountTable(k, vma.mm, pteLevel(k), 1);
    populate(k, pmdTable, i, t);
  } else {
    if (isLeaf(k, lo)) return 0;
    t = tableBelow(k, lo, hiAt(k, pmdTable, i));
    if (k.tracer !== null && geo.thp) traceTableThere(k, vma, vpn, t);
  }
  return yield* handlePteFault(k, k.vmas.get(vma.slot), vpn, flags, t, batch);
}

/** pte_offset_map_lock found no table or another one at the address: the fault is tried again. */
const tableMoved = (k: Kernel, mm: number, vpn: number, t: TableIndex): boolean => walkTo(k, k.mms.get(mm).pgd, vpn, pteLevel(k)) !== t;

function* handlePteFault(k: Kernel, vma: Vma, vpn: number, flags: number, t: TableIndex, batch: FaultBatch | null): Op<number> {
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const lo = loAt(k, t, i);
  const hi = hiAt(k, t, i);
  if (lo === 0 && hi === 0) {
    if (vma.ops !== "none") return yield* doFault(k, vma, vpn, flags);
    return yield* doAnonymousPage(k, vma, vpn, flags, t, i, batch);
  }
  if (!present(k, lo)) {
    if (isMarker(k, lo, hi, MARKER.guard)) return VMF.sigsegv;
    if (isMarker(k, lo, hi, MARKER.poisoned)) return VMF.hwpoison;
    return VMF.sigbus;
  }
  if (k.preempt) {
    yield "fault.beforePteLock";
    if (tableMoved(k, vma.mm, vpn, t) || loAt(k, t, i) !== lo || hiAt(k, t, i) !== hi) return 0;
  }
  const e = k.geo.encoding;
  if ((flags & (FAULT.write | FAULT.unshare)) !== 0) {
    if (!isWritable(e, lo)) return doWpPage(k, vma, vpn, flags, t, i);
    setEntry(k, t, i, lo | e.accessed | ((flags & FAULT.write) !== 0 ? dirtyBits(k) : 0), hi);
  } else if ((lo & e.accessed) === 0) setEntry(k, t, i, lo | e.accessed, hi);
  return 0;
}

/** The aligned block of 2^order entries in the table is empty. */
export function blockEmpty(k: Kernel, t: TableIndex, i: number, order: number): boolean {
  const n = 1 << order;
  const first = i - (i & (n - 1));
  const base = t * k.geo.tableStride + first;
  for (let j = 0; j < n; j++) if (k.entryLo.get(base + j) !== 0 || k.entryHi.get(base + j) !== 0) return false;
  return true;
}

/**
 * alloc_anon_folio (6.8): the largest allowed order whose block lies in the VMA and is empty. Returns a folio or NO_PFN. `nr` > 1: that many
 * single pages, for a batch of faults, which there is only where no size is on.
 */
export function allocAnonFolio(k: Kernel, vma: Vma, vpn: number, t: TableIndex, i: number, nr: number): Pfn {
  // no size on, nothing to look at: the usual case, and the hot one
  if (!k.era.mthp || (k.tracer === null && smallPagesOnly(k))) return allocZeroedFolio(k, 0, "movable", nr);
  let orders = allowableOrders(k, vma, "pageFault", (1 << k.geo.pmdOrder) - 1);
  if (k.tracer !== null) traceAnonOrders(k, vma, vpn, k.geo.pmdOrder - 1, (order) => blockEmpty(k, t, i, order));
  for (let order = k.geo.pmdOrder - 1; order > 0 && orders !== 0; order--) {
    const bit = 1 << order;
    if ((orders & bit) === 0) continue;
    const empty = fitsAround(vma, vpn, order) && blockEmpty(k, t, i, order);
    if (empty) {
      const head = allocZeroedFolio(k, order);
      if (head !== NO_PFN) return head;
      if (k.tracer !== null) {
        traceAllocFailed(k, vma, vpn, order);
        traceAnonOrders(k, vma, vpn, order - 1, (smaller) => blockEmpty(k, t, i, smaller));
      }
      if (k.era.mthpStats) k.countMthp(order, MTHP.anonFaultFallback);
    }
    orders &= ~bit;
  }
  return allocZeroedFolio(k, 0);
}

/** do_anonymous_page: the zero page for a read, fresh memory for a write; for as many accesses of a batch as are decided alike. */
function* doAnonymousPage(k: Kernel, vmaIn: Vma, vpn: number, flags: number, t: TableIndex, i: number, batch: FaultBatch | null): Op<number> {
  if ((vmaIn.flags & VM.shared) !== 0) return VMF.sigbus;
  if (k.tracer !== null) traceAnonymousPage(k, vmaIn, vpn, (flags & FAULT.write) !== 0);
  const e = k.geo.encoding;
  const stride = batch === null ? 1 : batch.stride;
  const nr = batch === null || batch.wanted === 1 ? 1 : batchPages(k, batch, vmaIn, vpn, flags, t, i);
  if ((flags & FAULT.write) === 0) {
    const zero = k.g.zeroPfn;
    if (k.preempt) {
      yield "fault.beforePteLock";
      if (tableMoved(k, vmaIn.mm, vpn, t) || loAt(k, t, i) !== 0) return 0;
    }
    setPtes(k, t, i, nr, stride, entryLoFor(k, zero, vmaIn.flags) | e.special, entryHiFor(k, zero, vmaIn.flags), 0);
    return 0;
  }
  const vma = vmaIn.anonVma === 0 ? anonVmaPrepare(k, vmaIn.slot) : vmaIn;
  const head = allocAnonFolio(k, vma, vpn, t, i, nr);
  if (head === NO_PFN) return VMF.oom;
  const order = folioOrder(k, head);
  if (k.preempt) {
    yield "fault.beforePteLock";
    if (tableMoved(k, vma.mm, vpn, t) || !blockEmpty(k, t, i, order)) {
      folioPut(k, head);
      return 0;
    }
  }
  const lo = dirtyMaybeWrite(k, entryLoFor(k, head, vma.flags), vma.flags);
  const hi = entryHiFor(k, head, vma.flags);
  k.countMm(vma.mm, MMC.anonPages, nr << order);
  if (order === 0) {
    addNewAnonRmap(k, head, vma, vpn, false, nr, stride);
    setPtes(k, t, i, nr, stride, lo, hi, 1);
    return 0;
  }
  const n = 1 << order;
  k.refcount.add(head, n - 1);
  if (k.era.mthpStats) k.countMthp(order, MTHP.anonFaultAlloc);
  addNewAnonRmap(k, head, vma, vpn - (vpn & (n - 1)), false);
  setPtes(k, t, i - (i & (n - 1)), n, 1, lo, hi, 1);
  return 0;
}

/** wp_can_reuse_anon_folio, by release: may the page be written in place although it is not marked exclusive? */
export function canReuse(k: Kernel, vma: Vma, page: Pfn): boolean {
  const head = folioOf(k, page);
  const refs = k.refcount.get(head);
  if (!isLarge(k, head)) {
    if (refs !== 1) return false;
  } else {
    switch (k.era.reuseLarge) {
      case "never":
        return false;
      case "refcount":
        if (refs !== 1) return false;
        break;
      case "owners": {
        const mapped = k.largeMapcount.get(head);
        if (mapped <= 1 || hasFlag(k, head, PG.mappedShared) || mapped !== refs) return false;
        return true;
      }
    }
  }
  moveAnonRmap(k, head, vma);
  return true;
}

/** do_wp_page: a write (or unshare) to a present, read-only entry. */
export function doWpPage(k: Kernel, vmaIn: Vma, vpn: number, flags: number, t: TableIndex, i: number): number {
  const e = k.geo.encoding;
  const lo = loAt(k, t, i);
  const hi = hiAt(k, t, i);
  const page = entryPfn(lo, hi);
  const isZero = (lo & e.special) !== 0;
  if (isRawPfn(k, page)) return wpPfnShared(k, vmaIn, vpn, t, i);
  if ((vmaIn.flags & (VM.shared | VM.mayShare)) !== 0) return wpPageShared(k, vmaIn, vpn, t, i, page);
  if (isZero && k.tracer !== null) traceWriteZero(k, vmaIn, vpn);
  const isAnon = !isZero && hasFlag(k, folioOf(k, page), PG.anon);
  if (!isZero && !isAnon && (flags & FAULT.write) !== 0 && k.tracer !== null) traceFilePageWrite(k, vmaIn, vpn);
  if (!isZero && !isAnon && flags & FAULT.unshare && !k.era.unshareCopiesFilePages) return 0;
  if (isAnon) {
    const exclusive = hasFlag(k, page, PG.anonExclusive);
    const reuse = exclusive || canReuse(k, vmaIn, page);
    if (k.tracer !== null) traceWriteProtected(k, vmaIn, vpn, page, folioOf(k, page), exclusive, reuse);
    if (reuse) {
      if (!exclusive) setFlag(k, page, PG.anonExclusive);
      if (flags & FAULT.unshare) return 0;
      setEntry(k, t, i, dirtyMaybeWrite(k, lo | e.accessed, vmaIn.flags), hi);
      tlbFlushRange(k, vmaIn.mm, vpn, vpn + 1);
      k.countVm(VMSTAT.pgreuse);
      return 0;
    }
  }
  return wpPageCopy(k, vmaIn, vpn, flags, t, i, isZero ? NO_PFN : page);
}

/** wp_page_copy: always one page, even from a large folio. `old` NO_PFN: the zero page. */
function wpPageCopy(k: Kernel, vmaIn: Vma, vpn: number, flags: number, t: TableIndex, i: number, old: Pfn): number {
  const vma = anonVmaPrepare(k, vmaIn.slot);
  const fresh = allocZeroedFolio(k, 0);
  if (fresh === NO_PFN) return VMF.oom;
  if (old === NO_PFN) k.countMm(vma.mm, MMC.anonPages, 1);
  else {
    k.stamp.set(fresh, k.stamp.get(old));
    k.charge(k.costs.copy4kNs);
    const counter = rssCounter(k.pageFlags.get(folioOf(k, old)));
    if (counter !== MMC.anonPages) {
      k.countMm(vma.mm, counter, -1);
      k.countMm(vma.mm, MMC.anonPages, 1);
    }
  }
  const lo = entryLoFor(k, fresh, vma.flags);
  tlbFlushRange(k, vma.mm, vpn, vpn + 1);
  addNewAnonRmap(k, fresh, vma, vpn, false);
  setEntry(k, t, i, flags & FAULT.unshare ? lo : dirtyMaybeWrite(k, lo, vma.flags), entryHiFor(k, fresh, vma.flags));
  if (old !== NO_PFN) {
    removeRmapPtes(k, old, 1, vma);
    folioPut(k, folioOf(k, old));
  }
  return 0;
}

/**
 * handle_mm_fault with mm_account_fault: a fault that completed is minor, unless a file had to be read. Populating without
 * FAULT.tried begins anew after the read, and what completes then finds the page. With a batch, for the accesses it was taken for.
 */
export function* faultAndAccount(k: Kernel, vma: Vma, vpn: number, flags: number, batch: FaultBatch | null = null): Op<number> {
  k.countVm(VMSTAT.pgfault);
  const r = yield* handleMmFault(k, vma, vpn, flags, batch);
  if ((r & (VMF_ERROR | VMF.retry)) !== 0) {
    if (k.tracer !== null) traceFaultError(k, vma, vpn, r);
    return r;
  }
  const major = (r & VMF.major) !== 0 && (flags & (FAULT.remote | FAULT.tried)) !== FAULT.remote;
  const nr = batch === null ? 1 : batch.done;
  if (nr > 1) k.countVm(VMSTAT.pgfault, nr - 1);
  k.countMm(vma.mm, major ? MMC.majFlt : MMC.minFlt, nr);
  if (k.watch !== null) for (let n = 0; n < nr; n++) k.watch.onFault(vma.mm, batch === null ? vpn : vpn + n * batch.stride, flags);
  return r;
}
