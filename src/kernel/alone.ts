/*
 * Derived by tools/deriveAlone.mjs from the generators that it names; changed only by changing those and running it again. Plain
 * functions for when no other thread is runnable: the same rules without their preemption points.
 */
import { isWritable } from "./arch/geometry.ts";
import { anonVmaPrepare } from "./mm/anonVma.ts";
import { byteAt, stampAfterWrite } from "./mm/content.ts";
import { allocAnonFolio, doWpPage } from "./mm/fault.ts";
import { type FaultBatch, askForBatch, batchFor, batchPages, otherExceptions } from "./mm/faultBatch.ts";
import { FAULT, VMF, VMF_ERROR } from "./mm/faultFlags.ts";
import { type Signal, faultFlagsOf, isSignal, signalOf, vmaForFault } from "./mm/faultSignal.ts";
import { deferredSplit, folioOrder, folioPut } from "./mm/folio.ts";
import { type Kernel, MMC, MTHP } from "./mm/kernel.ts";
import {
  MARKER,
  accountPteTable,
  accountTable,
  cachedTable,
  deposit,
  hiAt,
  indexAt,
  isLeaf,
  isMarker,
  loAt,
  populate,
  present,
  pteLevel,
  setEntry,
  setPtes,
  tableAlloc,
  tableBelow,
  tableFree,
  walkAlloc,
} from "./mm/pgtable.ts";
import { dirtyBits, dirtyMaybeWrite, entryHiFor, entryLoFor } from "./mm/prot.ts";
import type { Task, Vma } from "./mm/records.ts";
import { addNewAnonRmap } from "./mm/rmap.ts";
import { type AccessKind, translate, walkOthers, walkTables } from "./mm/translate.ts";
import { VM } from "./mm/vmFlags.ts";
import { VMSTAT } from "./mm/vmstat.ts";
import { pmdAllowed } from "./thp/eligibility/eligibility.ts";
import { fitsAround } from "./thp/eligibility/question.ts";
import { allocThp, hugePmdWpPage, mapThp } from "./thp/hugeFault.ts";
import { getHugeZero } from "./thp/hugeZero.ts";
import { khugepagedEnterVma } from "./thp/khugepagedList.ts";
import { QUANTUM, type TouchResult, noteSignal } from "./touchResult.ts";
import { NO_PFN, NO_TABLE, type TableIndex } from "./units.ts";
import { traceAnonymousPage, traceFaultError, traceHugeRead } from "./why/pages.ts";
import { traceAllocFailed, tracePmdFault, traceTableThere } from "./why/thp.ts";

/** hugePmdAnonymousPage of thp/hugeFault.ts. */
export function hugePmdAnonymousPageAlone(k: Kernel, vmaIn: Vma, vpn: number, flags: number, table: TableIndex): number {
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

/** doAnonymousPage of mm/fault.ts. */
function doAnonymousPageAlone(k: Kernel, vmaIn: Vma, vpn: number, flags: number, t: TableIndex, i: number, batch: FaultBatch | null): number {
  if ((vmaIn.flags & VM.shared) !== 0) return VMF.sigbus;
  if (k.tracer !== null) traceAnonymousPage(k, vmaIn, vpn, (flags & FAULT.write) !== 0);
  const e = k.geo.encoding;
  const stride = batch === null ? 1 : batch.stride;
  const nr = batch === null || batch.wanted === 1 ? 1 : batchPages(k, batch, vmaIn, vpn, flags, t, i);
  if ((flags & FAULT.write) === 0) {
    const zero = k.g.zeroPfn;
    setPtes(k, t, i, nr, stride, entryLoFor(k, zero, vmaIn.flags) | e.special, entryHiFor(k, zero, vmaIn.flags), 0);
    return 0;
  }
  const vma = vmaIn.anonVma === 0 ? anonVmaPrepare(k, vmaIn.slot) : vmaIn;
  const head = allocAnonFolio(k, vma, vpn, t, i, nr);
  if (head === NO_PFN) return VMF.oom;
  const order = folioOrder(k, head);
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

/** handlePteFault of mm/fault.ts. */
function handlePteFaultAlone(k: Kernel, vma: Vma, vpn: number, flags: number, t: TableIndex, batch: FaultBatch | null): number {
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const lo = loAt(k, t, i);
  const hi = hiAt(k, t, i);
  if (lo === 0 && hi === 0) return doAnonymousPageAlone(k, vma, vpn, flags, t, i, batch);
  if (!present(k, lo)) {
    if (isMarker(k, lo, hi, MARKER.guard)) return VMF.sigsegv;
    if (isMarker(k, lo, hi, MARKER.poisoned)) return VMF.hwpoison;
    return VMF.sigbus;
  }
  const e = k.geo.encoding;
  if ((flags & (FAULT.write | FAULT.unshare)) !== 0) {
    if (!isWritable(e, lo)) return doWpPage(k, vma, vpn, flags, t, i);
    setEntry(k, t, i, lo | e.accessed | ((flags & FAULT.write) !== 0 ? dirtyBits(k) : 0), hi);
  } else if ((lo & e.accessed) === 0) setEntry(k, t, i, lo | e.accessed, hi);
  return 0;
}

/** handleMmFault of mm/fault.ts. */
export function handleMmFaultAlone(k: Kernel, vma: Vma, vpn: number, flags: number, batch: FaultBatch | null): number {
  if ((flags & FAULT.write) !== 0 && (vma.flags & VM.mayWrite) === 0) return VMF.sigsegv;
  const geo = k.geo;
  if (geo.pmdLevel < 0) {
    const t = walkAlloc(k, vma.mm, vpn, pteLevel(k));
    return t === 0 ? VMF.oom : handlePteFaultAlone(k, vma, vpn, flags, t, batch);
  }
  // the walk that failed found the table: its PMD entry is neither empty nor a leaf
  const walked = k.tracer === null ? cachedTable(k, vma.mm, vpn) : NO_TABLE;
  if (walked !== NO_TABLE) return handlePteFaultAlone(k, vma, vpn, flags, walked, batch);
  const pmdTable = walkAlloc(k, vma.mm, vpn, geo.pmdLevel);
  if (pmdTable === 0) return VMF.oom;
  const i = indexAt(geo, geo.pmdLevel, vpn);
  let lo = loAt(k, pmdTable, i);
  if (k.tracer !== null && geo.thp && lo === 0) tracePmdFault(k, vma, vpn, false);
  if (lo === 0 && geo.thp && pmdAllowed(k, vma, "pageFault")) {
    const r = hugePmdAnonymousPageAlone(k, vma, vpn, flags, pmdTable);
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
  lo = loAt(k, pmdTable, i);
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
  return handlePteFaultAlone(k, k.vmas.get(vma.slot), vpn, flags, t, batch);
}

/** faultAndAccount of mm/fault.ts. */
export function faultAndAccountAlone(k: Kernel, vma: Vma, vpn: number, flags: number, batch: FaultBatch | null = null): number {
  k.countVm(VMSTAT.pgfault);
  const r = handleMmFaultAlone(k, vma, vpn, flags, batch);
  if ((r & (VMF_ERROR | VMF.retry)) !== 0) {
    if (k.tracer !== null) traceFaultError(k, vma, vpn, r);
    return r;
  }
  const major = (r & VMF.major) !== 0;
  const nr = batch === null ? 1 : batch.done;
  if (nr > 1) k.countVm(VMSTAT.pgfault, nr - 1);
  k.countMm(vma.mm, major ? MMC.majFlt : MMC.minFlt, nr);
  if (major) k.countVm(VMSTAT.pgmajfault);
  return r;
}

/** pageFault of mm/access.ts. */
export function pageFaultAlone(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind, batch: FaultBatch | null): Signal | null {
  if (k.hooks.onFault !== null) k.hooks.onFault(mm, vpn, offsetBytes, kind === "w" ? 2 : 0);
  k.charge(k.costs.faultEntryNs);
  const vma = vmaForFault(k, mm, vpn, kind);
  if (isSignal(vma)) return vma;
  const r = faultAndAccountAlone(k, vma, vpn, faultFlagsOf(kind), batch);
  if (batch !== null && batch.done > 1) otherExceptions(k, mm, vpn, offsetBytes, kind, batch);
  return signalOf(k, r);
}

/** accessByFault of mm/access.ts. */
export function accessByFaultAlone(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind, batch: FaultBatch | null): number | Signal {
  for (;;) {
    const signal = pageFaultAlone(k, mm, vpn, offsetBytes, kind, batch);
    if (signal !== null) return signal;
    // nothing but an access fills a TLB, so that there is nothing to find in it
    const pfn = walkTables(k, mm, vpn, kind);
    if (pfn < 0) continue;
    if (batch !== null && batch.done > 1) walkOthers(k, mm, vpn, kind, batch);
    return pfn;
  }
}

/** userAccess of mm/access.ts. */
export function userAccessAlone(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind): number | Signal {
  const pfn = translate(k, mm, vpn, kind);
  return pfn >= 0 ? pfn : accessByFaultAlone(k, mm, vpn, offsetBytes, kind, null);
}

/** execute of touch.ts. */
function executeAlone(k: Kernel, mm: number, vpn: number, offset: number): { signal: Signal; address: number } {
  const target = vpn * 4096 + offset;
  const written = userAccessAlone(k, mm, vpn, offset, "w");
  if (typeof written !== "number") return { signal: written, address: target };
  for (let next = vpn + 1; ; next++) {
    const r = userAccessAlone(k, mm, next, 0, "x");
    if (typeof r !== "number") return { signal: r, address: next * 4096 };
  }
}

/** touchRange of touch.ts. */
export function touchRangeAlone(k: Kernel, task: Task, start: number, end: number, step: number, kind: AccessKind, value: number): TouchResult {
  const out: TouchResult = { count: 0, ok: 0, first: -1, sum: 0, signals: [] };
  const mm = task.mm;
  const batch = batchFor(step, kind);
  for (let at = start; at < end; at += step * batch.done) {
    batch.done = 1;
    out.count++;
    if (out.count % QUANTUM === 0 && k.hooks.onQuantum !== null && !k.hooks.onQuantum()) return out;
    const vpn = Math.floor(at / 4096);
    const offset = at - vpn * 4096;
    let pfn = translate(k, mm, vpn, kind);
    if (pfn < 0) {
      askForBatch(batch, Math.min(Math.ceil((end - at) / step), QUANTUM - (out.count % QUANTUM)));
      const r: number | Signal = accessByFaultAlone(k, mm, vpn, offset, kind, batch);
      if (typeof r !== "number") {
        noteSignal(out, at, step, r);
        continue;
      }
      pfn = r;
    }
    if (kind === "x") {
      const faulted = executeAlone(k, mm, vpn, offset);
      noteSignal(out, at, step, faulted.signal, faulted.address);
      continue;
    }
    const nr = batch.done;
    out.count += nr - 1;
    out.ok += nr;
    const stamp = k.stamp.get(pfn);
    if (kind === "w") {
      // the frames of a batch lie behind each other and hold the same: nothing yet
      const next = stampAfterWrite(k, stamp, offset, 1, value);
      if (nr > 1) k.stamp.fill(pfn, nr, next);
      else if (next !== stamp) k.stamp.set(pfn, next);
    } else {
      const byte = stamp === 0 ? 0 : byteAt(k, stamp, offset);
      if (out.first < 0) out.first = byte;
      out.sum = (out.sum + byte * nr) >>> 0;
    }
  }
  return out;
}
