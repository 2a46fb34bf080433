import { isWritable } from "../arch/geometry.ts";
import { hugelabFault } from "../drivers/hugelabFault.ts";
import { isLocked, lockWrite, unlock } from "../sched/locks.ts";
import type { Op } from "../sched/points.ts";
import { NO_PFN, NO_TABLE, type Pfn, type TableIndex } from "../units.ts";
import { anonVmaPrepare } from "./anonVma.ts";
import { failed, type Failure } from "./errno.ts";
import { FAULT, VMF, VMF_ERROR } from "./faultFlags.ts";
import { allocZeroedFolio, folioGet, folioPages, folioPut, hasFlag, isLarge, setFlag } from "./folio.ts";
import { filemapFault } from "./filemapFault.ts";
import { fileIndex, inodeOf, sizePages } from "./inode.ts";
import { aroundByPmd, aroundWindow, mapPlan, pmdNone, reachesEof } from "./mapPlan.ts";
import { folioOf, MMC, type Kernel } from "./kernel.ts";
import { filemapFolio, filemapNext, filemapPage, folioMarkDirty } from "./pageCache.ts";
import { PG } from "./pageFlags.ts";
import { hiAt, indexAt, loAt, pfnHi, pfnLo, pteLevel, setEntry, walkAlloc } from "./pgtable.ts";
import { dirtyMaybeWrite, entryHiFor, entryLoFor, protHi, vmPageProt } from "./prot.ts";
import type { Inode, Vma } from "./records.ts";
import { addNewAnonRmap, addRmapPmd, addRmapPtes } from "./rmap.ts";
import { shmemGetFolio } from "./shmem.ts";
import { tlbFlushRange } from "./tlb.ts";
import { VM } from "./vmFlags.ts";
import { VMSTAT } from "./vmstat.ts";
import { traceAround, traceAroundPmd, traceFileFault, traceMapped, traceMkwrite, traceNoPage } from "../why/fileFaults.ts";
import { rssCounter } from "./zap.ts";

/** Faults of memory that a file is behind (mm/memory.c from do_fault on, mm/filemap.c filemap_map_pages). Results are VM_FAULT_* bits. */

/** What ->fault found: a page, and bits of the result. */
interface Found {
  readonly page: Pfn;
  readonly result: number;
  /** the fault let its lock go and began anew, with the page in the cache */
  readonly retried: boolean;
}

/** vmf_error: what a fault makes of an errno. */
function vmfError(k: Kernel, vma: Vma, vpn: number, r: Failure): number {
  if (k.tracer !== null) traceNoPage(k, vma, vpn, r.errno);
  return r.errno === "ENOMEM" ? VMF.oom : VMF.sigbus;
}

/** __do_fault: the page of the file, brought into the page cache where it is not there. */
function callFault(k: Kernel, vma: Vma, vpn: number, inode: Inode, flags: number): Found {
  const index = fileIndex(vma, vpn);
  if (vma.ops === "disk") {
    const r = filemapFault(k, vma, vpn, inode.slot, index, flags);
    if (failed(r)) return { page: NO_PFN, result: vmfError(k, vma, vpn, r), retried: false };
    return { page: r.page, result: r.major ? VMF.major : 0, retried: r.retried };
  }
  const head = shmemGetFolio(k, inode.slot, index, 0, "cache", { vma, vpn });
  if (failed(head)) return { page: NO_PFN, result: vmfError(k, vma, vpn, head), retried: false };
  return { page: (head + index - k.pageIndex.get(head)) as Pfn, result: 0, retried: false };
}

/** do_fault: an entry of a file mapping that is not there. */
export function* doFault(k: Kernel, vma: Vma, vpn: number, flags: number): Op<number> {
  if (vma.ops === "device") return hugelabFault(k, vma, vpn);
  if (k.tracer !== null) traceFileFault(k, vma, vpn, (flags & FAULT.write) !== 0);
  if ((flags & FAULT.write) === 0) return yield* doReadFault(k, vma, vpn, flags);
  return (vma.flags & VM.shared) === 0 ? yield* doCowFault(k, vma, vpn, flags) : yield* doSharedFault(k, vma, vpn, flags);
}

/**
 * The part of __do_fault that other threads can see: the folio is locked, which waits for a collapse or a truncation of it, until the page is mapped. False: it left
 * the cache meanwhile, the fault begins anew. `-fault-locks-folio` shows what the lock is for.
 */
function* lockFound(k: Kernel, vma: Vma, vpn: number, page: Pfn): Op<boolean> {
  const head = folioOf(k, page);
  folioGet(k, head);
  if (k.era.faultLocksFolio) yield* lockWrite(k, "folio_lock", head);
  else yield "fault.foundPage";
  folioPut(k, head);
  const isThere = k.mms.find(vma.mm) !== undefined && filemapPage(k, inodeOf(k, vma).slot, fileIndex(vma, vpn)) === page;
  if (!isThere) unlock(k, "folio_lock", head);
  else if (k.era.faultLocksFolio) yield "fault.lockedFolio";
  return isThere;
}

const unlockFound = (k: Kernel, page: Pfn): void => unlock(k, "folio_lock", folioOf(k, page));

function* doReadFault(k: Kernel, vma: Vma, vpn: number, flags: number): Op<number> {
  const inode = inodeOf(k, vma);
  const isAround = k.g.faultAroundPages > 1 && vma.ops !== "sysv";
  if (isAround && doFaultAround(k, vma, vpn, inode) !== 0) return 0;
  const found = callFault(k, vma, vpn, inode, flags);
  if (found.page === NO_PFN || (found.retried && isAround && doFaultAround(k, vma, vpn, inode) !== 0)) return found.result;
  if (k.preempt) {
    const isThere = yield* lockFound(k, vma, vpn, found.page);
    if (!isThere) return 0;
  }
  const r = found.result | finishFault(k, vma, vpn, flags, found.page);
  unlockFound(k, found.page);
  return r;
}

/** A write to a private mapping: the page is copied before anybody maps it. */
function* doCowFault(k: Kernel, vmaIn: Vma, vpn: number, flags: number): Op<number> {
  const vma = anonVmaPrepare(k, vmaIn.slot);
  const copy = allocZeroedFolio(k, 0);
  if (copy === NO_PFN) return VMF.oom;
  const found = callFault(k, vma, vpn, inodeOf(k, vma), flags);
  if (found.page === NO_PFN) {
    folioPut(k, copy);
    return found.result;
  }
  if (k.preempt) {
    const isThere = yield* lockFound(k, vma, vpn, found.page);
    if (!isThere) {
      folioPut(k, copy);
      return 0;
    }
  }
  k.stamp.set(copy, k.stamp.get(found.page));
  k.charge(k.costs.copy4kNs);
  const r = found.result | finishFault(k, vma, vpn, flags, copy);
  unlockFound(k, found.page);
  if ((r & VMF_ERROR) !== 0) folioPut(k, copy);
  return r;
}

function* doSharedFault(k: Kernel, vma: Vma, vpn: number, flags: number): Op<number> {
  const found = callFault(k, vma, vpn, inodeOf(k, vma), flags);
  if (found.page === NO_PFN) return found.result;
  if (k.preempt) {
    const isThere = yield* lockFound(k, vma, vpn, found.page);
    if (!isThere) return 0;
  }
  const head = folioOf(k, found.page);
  pageMkwrite(k, vma, vpn, head);
  const r = found.result | finishFault(k, vma, vpn, flags, found.page);
  if ((r & VMF_ERROR) === 0) folioMarkDirty(k, head);
  unlockFound(k, found.page);
  return r;
}

/** ->page_mkwrite: the file system learns of the first write to a page since it was clean, and keeps notes about it. */
function pageMkwrite(k: Kernel, vma: Vma, vpn: number, head: Pfn): void {
  if (vma.ops !== "disk") return;
  if (k.tracer !== null) traceMkwrite(k, vma, vpn, head);
  folioMarkDirty(k, head);
  setFlag(k, head, PG.private);
}

/** wp_page_shared: a write to a read-only entry of a shared mapping. */
export function wpPageShared(k: Kernel, vma: Vma, vpn: number, t: TableIndex, i: number, page: Pfn): number {
  const head = folioOf(k, page);
  pageMkwrite(k, vma, vpn, head);
  setEntry(k, t, i, dirtyMaybeWrite(k, loAt(k, t, i) | k.geo.encoding.accessed, vma.flags), hiAt(k, t, i));
  tlbFlushRange(k, vma.mm, vpn, vpn + 1);
  k.countVm(VMSTAT.pgreuse);
  folioMarkDirty(k, head);
  return 0;
}

/** wp_pfn_shared: a write to a read-only entry of memory that no page stands behind. No driver here wants to know of it. */
export function wpPfnShared(k: Kernel, vma: Vma, vpn: number, t: TableIndex, i: number): number {
  setEntry(k, t, i, dirtyMaybeWrite(k, loAt(k, t, i) | k.geo.encoding.accessed, vma.flags), hiAt(k, t, i));
  tlbFlushRange(k, vma.mm, vpn, vpn + 1);
  k.countVm(VMSTAT.pgreuse);
  return 0;
}

// --- mapping what was found

/** set_pte_range: entries for `n` consecutive pages of a folio, from `vpn` on. RSS is counted by the caller, once for all it maps. */
function setPteRange(k: Kernel, vma: Vma, vpn: number, t: TableIndex, page: Pfn, n: number, write: boolean): void {
  const first = indexAt(k.geo, pteLevel(k), vpn);
  const head = folioOf(k, page);
  const prot = vmPageProt(k, vma);
  let flags = write ? dirtyMaybeWrite(k, prot, vma.flags) : prot;
  if (!write && isWritable(k.geo.encoding, prot) && hasFlag(k, head, PG.dirty)) flags |= k.dirtyBits;
  const hi = protHi(k, vma.flags);
  addRmapPtes(k, page, n, vma);
  for (let j = 0; j < n; j++) setEntry(k, t, first + j, pfnLo(page + j) | flags, pfnHi(page + j) | hi);
  folioGet(k, head, n);
}

/** set_huge_pmd, and the part of do_set_pmd that it is. False when there is no memory for a table, or something is mapped. */
export function setHugePmd(k: Kernel, vma: Vma, vpn: number, head: Pfn, write: boolean): boolean {
  const table = walkAlloc(k, vma.mm, vpn, k.geo.pmdLevel);
  if (table === NO_TABLE) return false;
  const i = indexAt(k.geo, k.geo.pmdLevel, vpn);
  if (loAt(k, table, i) !== 0) return false;
  const prot = vmPageProt(k, vma) | k.geo.encoding.leaf;
  folioGet(k, head);
  addRmapPmd(k, head, vma);
  setEntry(k, table, i, pfnLo(head) | (write ? dirtyMaybeWrite(k, prot, vma.flags) : prot), pfnHi(head) | protHi(k, vma.flags));
  k.countMm(vma.mm, rssCounter(k.pageFlags.get(head)), folioPages(k, head));
  k.countVm(VMSTAT.thpFileMapped);
  return true;
}

/** finish_fault: maps the page that ->fault found, or its copy. A large folio may be mapped whole, by release. */
function finishFault(k: Kernel, vma: Vma, vpn: number, flags: number, page: Pfn): number {
  const write = (flags & FAULT.write) !== 0;
  const isCow = write && (vma.flags & VM.shared) === 0;
  const plan = isCow ? "page" : mapPlan(k, vma, vpn, page);
  const head = folioOf(k, page);
  if (k.tracer !== null && !isCow && isLarge(k, head)) traceMapped(k, vma, vpn, page, plan);
  if (plan === "pmd" && setHugePmd(k, vma, vpn, head, write)) return 0;
  const t = walkAlloc(k, vma.mm, vpn, pteLevel(k));
  if (t === NO_TABLE) return VMF.oom;
  const i = indexAt(k.geo, pteLevel(k), vpn);
  if (isCow) {
    addNewAnonRmap(k, page, vma, vpn, false);
    setEntry(k, t, i, dirtyMaybeWrite(k, entryLoFor(k, page, vma.flags), vma.flags), entryHiFor(k, page, vma.flags));
    k.countMm(vma.mm, MMC.anonPages, 1);
    return 0;
  }
  const whole = plan === "folio";
  const pages = folioPages(k, head);
  if (whole) setPteRange(k, vma, vpn - (page - head), t, head, pages, write);
  else setPteRange(k, vma, vpn, t, page, 1, write);
  k.countMm(vma.mm, rssCounter(k.pageFlags.get(head)), whole ? pages : 1);
  return 0;
}

// --- fault-around

/** do_fault_around. 0: nothing was mapped at the page. */
function doFaultAround(k: Kernel, vma: Vma, vpn: number, inode: Inode): number {
  const { first, last } = aroundWindow(k, vma, vpn);
  return filemapMapPages(k, vma, vpn, inode, fileIndex(vma, first), fileIndex(vma, last));
}

/** next_uptodate_folio: the next index up to `last` whose page is ready to be mapped, or -1. */
function nextUptodate(k: Kernel, inode: Inode, from: number, last: number): number {
  for (let at = filemapNext(k, inode.slot, from, last); at >= 0;) {
    const head = filemapFolio(k, inode.slot, at);
    const isFree = !k.preempt || !k.era.faultLocksFolio || !isLocked(k, "folio_lock", head);
    if (isFree && (k.pageFlags.get(head) & (PG.uptodate | PG.readahead)) === PG.uptodate) return at < sizePages(inode) ? at : -1;
    at = filemapNext(k, inode.slot, k.pageIndex.get(head) + folioPages(k, head), last);
  }
  return -1;
}

/** filemap_map_pages: maps pages of the cache in [start, end] that are there, without waiting for any. */
function filemapMapPages(k: Kernel, vma: Vma, vpn: number, inode: Inode, start: number, end: number): number {
  let at = nextUptodate(k, inode, start, end);
  if (at < 0) return 0;
  const firstHead = filemapFolio(k, inode.slot, at);
  if (pmdNone(k, vma, vpn)) {
    // the page table is put in place by what looks at the PMD: without that there is none to map pages in
    if (k.tracer !== null && isLarge(k, firstHead)) traceAroundPmd(k, vma, vpn, firstHead, aroundByPmd(k, vma, vpn, firstHead));
    if (reachesEof(k, inode, firstHead)) return 0;
    if (aroundByPmd(k, vma, vpn, firstHead) && setHugePmd(k, vma, vpn, firstHead, false)) return VMF.noPage;
  }
  const t = walkAlloc(k, vma.mm, vpn, pteLevel(k));
  if (t === NO_TABLE) return 0;
  const last = k.era.faultAroundStopsAtEof ? Math.min(end, sizePages(inode) - 1) : end;
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const isOpen = loAt(k, t, i) === 0 && hiAt(k, t, i) === 0;
  let mapped = 0;
  while (at >= 0) {
    const head = filemapFolio(k, inode.slot, at);
    const next = k.pageIndex.get(head) + folioPages(k, head);
    mapped += mapFolioRange(k, vma, t, inode, head, at, Math.min(next - 1, last));
    at = nextUptodate(k, inode, next, last);
  }
  if (k.tracer !== null && mapped > 0) traceAround(k, vma, vpn);
  // counted once, also where nothing was mapped
  k.countMm(vma.mm, rssCounter(k.pageFlags.get(firstHead)), mapped);
  return isOpen && loAt(k, t, i) !== 0 ? VMF.noPage : 0;
}

/** filemap_map_folio_range: maps [from, to] of a folio, or all of it, where nothing is mapped yet. Returns the pages mapped. */
function mapFolioRange(k: Kernel, vma: Vma, t: TableIndex, inode: Inode, head: Pfn, from: number, to: number): number {
  const index = k.pageIndex.get(head);
  const pages = folioPages(k, head);
  const toVpn = (at: number): number => vma.start + (at - vma.pgoff);
  let first = from;
  let last = to;
  if (k.era.faultAroundWholeFolio && pages > 1 && !reachesEof(k, inode, head)) {
    const vpnOfHead = toVpn(index);
    const block = 1 << k.geo.levels[pteLevel(k)].bits;
    if (vpnOfHead >= vma.start && vpnOfHead + pages <= vma.end && Math.floor(vpnOfHead / block) === Math.floor((vpnOfHead + pages - 1) / block)) {
      first = index;
      last = index + pages - 1;
    }
  }
  let mapped = 0;
  for (let at = first; at <= last;) {
    const i = indexAt(k.geo, pteLevel(k), toVpn(at));
    let n = 0;
    while (at + n <= last && loAt(k, t, i + n) === 0 && hiAt(k, t, i + n) === 0) n++;
    if (n > 0) {
      setPteRange(k, vma, toVpn(at), t, (head + at - index) as Pfn, n, false);
      mapped += n;
    }
    at += n + 1;
  }
  return mapped;
}

/** True where the page of a file is resident (mincore of what is not mapped). */
export const fileResident = (k: Kernel, inode: Inode, index: number): boolean => {
  const page = filemapPage(k, inode.slot, index);
  return page !== NO_PFN && hasFlag(k, folioOf(k, page), PG.uptodate);
};
