import { MADV } from "./advice.ts";
import { isRawPfn } from "../drivers/card.ts";
import { paceWhole } from "../sched/pace.ts";
import type { Op } from "../sched/points.ts";
import { isHugeZero } from "../thp/hugeZero.ts";
import { khugepagedEnterVma } from "../thp/khugepagedList.ts";
import { madviseCollapse } from "../thp/madviseCollapse.ts";
import { splitFileFolio } from "../thp/splitFileFolio.ts";
import { splitFolio } from "../thp/splitFolio.ts";
import { isHugePmd, pmdOf } from "../thp/splitPmd.ts";
import { isLargeLazyFree, reclaimFolios } from "./pageout.ts";
import { madvisePopulate } from "./populate.ts";
import { fail, failed, type Failure, type Result } from "./errno.ts";
import { dropFlag, folioGet, folioMapcount, folioPages, folioPut, hasFlag, isLarge, lruRetag } from "./folio.ts";
import { guardInstall, guardRemove } from "./guard.ts";
import { diskFallocate } from "./diskFile.ts";
import { fileIndex, inodeOf, isShmem, sizePages } from "./inode.ts";
import { folioOf, type Kernel } from "./kernel.ts";
import { filemapPage } from "./pageCache.ts";
import { syncReadahead } from "./readahead.ts";
import { FALLOC, shmemFallocate } from "./shmemFile.ts";
import { PG } from "./pageFlags.ts";
import { clearEntry, entryPfn, hiAt, indexAt, isMarker, loAt, MARKER, present, pteLevel, setEntry, walkTo } from "./pgtable.ts";
import type { Task, Vma } from "./records.ts";
import { maybeMappedShared } from "./rmap.ts";
import { tlbFlushRange } from "./tlb.ts";
import { modifyVma, vmaAt, vmasIn } from "./vma.ts";
import { isDax } from "./vmaOps.ts";
import { VM, VM_SPECIAL, VMH } from "./vmFlags.ts";
import { VMSTAT } from "./vmstat.ts";
import { pteBatch, ZAP_ALL, zapRange } from "./zap.ts";
import { NO_PFN, type Pfn, type TableIndex } from "../units.ts";
import { traceAdvised } from "../why/pages.ts";
import { refuseArgument, refuseConfig, refuseFlag, refuseHole, refuseRelease } from "../why/refusal.ts";

/** madvise(2) (mm/madvise.c). */

const KNOWN: ReadonlySet<number> = new Set(Object.values(MADV));

/** madvise_behavior_valid, by release and configuration. */
export function adviceValid(k: Kernel, advice: number): boolean {
  if (!KNOWN.has(advice)) return false;
  if (advice === MADV.collapse) return k.era.madvCollapse && k.geo.thp;
  if (advice === MADV.hugepage || advice === MADV.nohugepage) return k.geo.thp;
  if (advice === MADV.guardInstall || advice === MADV.guardRemove) return k.era.guardRegions !== "none";
  if (advice === MADV.mergeable || advice === MADV.unmergeable) return k.profile.config.ksm;
  if (advice === MADV.hwpoison || advice === MADV.softOffline) return k.profile.config.memoryFailure;
  return true;
}

/** EINVAL for advice that adviceValid refuses: no such advice, not in this release, or not built in. */
export function refuseAdvice(k: Kernel, mm: number, advice: number): Failure {
  const symbol = "madvise_behavior_valid";
  if ((advice === MADV.hugepage || advice === MADV.nohugepage || advice === MADV.collapse) && !k.geo.thp)
    return refuseConfig(k, mm, symbol, "EINVAL", "transparentHugepage", "hint.advice");
  if (advice === MADV.collapse) return refuseRelease(k, mm, symbol, "EINVAL", "madvCollapse", "hint.advice");
  if (advice === MADV.guardInstall || advice === MADV.guardRemove) return refuseRelease(k, mm, symbol, "EINVAL", "guardRegions", "hint.advice");
  if (advice === MADV.mergeable || advice === MADV.unmergeable) return refuseConfig(k, mm, symbol, "EINVAL", "ksm", "hint.advice");
  if (advice === MADV.hwpoison || advice === MADV.softOffline) return refuseConfig(k, mm, symbol, "EINVAL", "memoryFailure", "hint.advice");
  return refuseArgument(k, mm, symbol, "EINVAL", "refuse.argument", "advice", advice, "hint.advice");
}

const UNDER_READ_LOCK: ReadonlySet<number> = new Set([
  MADV.remove,
  MADV.willneed,
  MADV.dontneed,
  MADV.dontneedLocked,
  MADV.cold,
  MADV.pageout,
  MADV.free,
  MADV.populateRead,
  MADV.populateWrite,
  MADV.collapse,
  MADV.guardInstall,
  MADV.guardRemove,
]);

/** madvise_need_mmap_write: advice that changes VMAs. 6.17 does some of the other under a VMA's lock alone, which is not simulated. */
export const needsMmapWrite = (advice: number): boolean => !UNDER_READ_LOCK.has(advice);

/** do_madvise on a page-rounded range that is not empty: VMA by VMA; a hole is passed over and reported at the end. */
export function* doMadvise(k: Kernel, task: Task, start: number, end: number, advice: number): Op<Result> {
  const populate = advice === MADV.populateRead || advice === MADV.populateWrite;
  if (populate && k.era.populateWalk === "straight") return yield* madvisePopulate(k, task.mm, start, end, advice === MADV.populateWrite);
  let hole = false;
  let at = start;
  for (const piece of vmasIn(k, task.mm, start, end)) {
    if (piece.start > at) {
      hole = true;
      at = piece.start;
    }
    const to = Math.min(end, piece.end);
    // an earlier piece may have merged with this one
    const vma = vmaAt(k, task.mm, at);
    if (vma === undefined) {
      hole = true;
      continue;
    }
    const r = populate ? yield* madvisePopulate(k, task.mm, at, to, advice === MADV.populateWrite) : yield* adviseVma(k, vma, at, to, advice);
    if (failed(r)) return r;
    at = to;
  }
  return hole || at < end ? refuseHole(k, task.mm, "madvise_walk_vmas", "ENOMEM", start, end) : 0;
}

const DISCARDS: ReadonlySet<number> = new Set([MADV.free, MADV.dontneed, MADV.dontneedLocked, MADV.remove, MADV.dontfork, MADV.wipeonfork, MADV.guardInstall]);

/** New VM_* flags of the advice that only changes those; undefined for the others, or the errno. */
function flagAdvice(k: Kernel, vma: Vma, advice: number): number | Result<undefined> {
  const f = vma.flags;
  switch (advice) {
    case MADV.normal:
      return f & ~(VM.randRead | VM.seqRead);
    case MADV.sequential:
      return (f & ~VM.randRead) | VM.seqRead;
    case MADV.random:
      return (f & ~VM.seqRead) | VM.randRead;
    case MADV.dontfork:
      return f | VM.dontCopy;
    case MADV.dofork:
      return f & VM.io ? refuseFlag(k, vma, "madvise_vma_behavior", "EINVAL", "refuse.special", "VM_SPECIAL", true) : f & ~VM.dontCopy;
    case MADV.wipeonfork:
      return vma.file !== 0 || vma.name !== "" || f & VM.shared
        ? refuseFlag(k, vma, "madvise_vma_behavior", "EINVAL", "refuse.special", "VM_SPECIAL", true)
        : f | VM.wipeOnFork;
    case MADV.keeponfork:
      return vma.flagsHi & VMH.droppable ? refuseFlag(k, vma, "madvise_vma_behavior", "EINVAL", "refuse.special", "VM_DROPPABLE", true) : f & ~VM.wipeOnFork;
    case MADV.dontdump:
      return f | VM.dontDump;
    case MADV.dodump:
      if (vma.flagsHi & VMH.droppable) return refuseFlag(k, vma, "madvise_vma_behavior", "EINVAL", "refuse.special", "VM_DROPPABLE", true);
      return f & VM_SPECIAL ? refuseFlag(k, vma, "madvise_vma_behavior", "EINVAL", "refuse.special", "VM_SPECIAL", true) : f & ~VM.dontDump;
    case MADV.hugepage:
      return (f & ~VM.noHugePage) | VM.hugePage;
    case MADV.nohugepage:
      return (f & ~VM.hugePage) | VM.noHugePage;
    case MADV.mergeable:
      // vma_ksm_compatible: memory that is shared, or no ordinary memory, is passed over
      return f & (VM_SPECIAL | VM.hugetlb | VM.shared | VM.mayShare) || vma.flagsHi & VMH.droppable || isDax(k, vma) ? f : f | VM.mergeable;
    case MADV.unmergeable:
      return f & ~VM.mergeable;
    default:
      return undefined;
  }
}

function* adviseVma(k: Kernel, vma: Vma, start: number, end: number, advice: number): Op<Result> {
  // can_modify_vma_madv: what a file is behind may be discarded, it can be read again
  if (vma.flagsHi & VMH.sealed && vma.ops === "none" && DISCARDS.has(advice) && !(vma.flags & VM.write))
    return refuseFlag(k, vma, "can_modify_vma_madv", "EPERM", "refuse.sealed", "VM_SEALED", true, "hint.sealed");
  const flags = flagAdvice(k, vma, advice);
  if (typeof flags === "number") {
    // MADV_HUGEPAGE enrols the mm before the VMA is changed, judged by the new flags
    if (advice === MADV.hugepage) khugepagedEnterVma(k, vma, flags);
    modifyVma(k, vma.slot, start, end, flags, vma.flagsHi);
    return 0;
  }
  if (failed(flags)) return flags;
  switch (advice) {
    case MADV.willneed:
      if (vma.ops === "disk") willneed(k, vma, start, end);
      return 0;
    case MADV.remove:
      return madviseRemove(k, vma, start, end);
    case MADV.cold:
      if (vma.flags & (VM.locked | VM.pfnmap | VM.hugetlb))
        return refuseFlag(k, vma, "can_madv_lru_vma", "EINVAL", "refuse.locked", "VM_LOCKED", true, "hint.locked");
      forBlocks(k, vma, start, end, coldBlock);
      return 0;
    case MADV.pageout:
      if (vma.flags & (VM.locked | VM.pfnmap | VM.hugetlb))
        return refuseFlag(k, vma, "can_madv_lru_vma", "EINVAL", "refuse.locked", "VM_LOCKED", true, "hint.locked");
      return pageout(k, vma, start, end);
    case MADV.free:
    case MADV.dontneed:
    case MADV.dontneedLocked:
      if (vma.flags & (VM.pfnmap | (advice === MADV.dontneedLocked ? 0 : VM.locked)))
        return refuseFlag(k, vma, "madvise_dontneed_free_valid_vma", "EINVAL", "refuse.locked", "VM_LOCKED", true, "hint.locked");
      if (advice === MADV.free && vma.ops !== "none")
        return refuseArgument(k, vma.mm, "madvise_free_single_vma", "EINVAL", "refuse.file", "advice", "MADV_FREE", "hint.freeNeedsAnonymous");
      if (advice === MADV.free) forBlocks(k, vma, start, end, freeBlock);
      else zapRange(k, vma, start, end, { ...ZAP_ALL, keepGuards: true, reclaimTables: true });
      return 0;
    case MADV.collapse:
      return yield* madviseCollapse(k, vma, start, end);
    case MADV.guardInstall:
      return guardInstall(k, vma, start, end);
    case MADV.guardRemove:
      return guardRemove(k, vma, start, end);
    default:
      return fail("EINVAL", "hint.advice");
  }
}

/** madvise_remove: a hole in the file behind a shared mapping that may be writable (vma_is_shared_maywrite). */
function madviseRemove(k: Kernel, vma: Vma, start: number, end: number): Result {
  if (vma.flags & VM.locked) return refuseFlag(k, vma, "madvise_remove", "EINVAL", "refuse.locked", "VM_LOCKED", true, "hint.locked");
  if (vma.file === 0) return refuseArgument(k, vma.mm, "madvise_remove", "EINVAL", "refuse.file", "advice", "MADV_REMOVE", "hint.removeNeedsFile");
  if ((vma.flags & (VM.shared | VM.mayWrite)) !== (VM.shared | VM.mayWrite))
    return refuseFlag(k, vma, "madvise_remove", "EACCES", "refuse.permission", "VM_SHARED", false, "hint.removeNeedsShared");
  const offset = fileIndex(vma, start) * 4096;
  const inode = inodeOf(k, vma);
  if (inode.device !== null) return refuseArgument(k, vma.mm, "vfs_fallocate", "ENODEV", "refuse.file", "advice", "MADV_REMOVE", "hint.removeNeedsFile");
  if (isShmem(k, inode)) return shmemFallocate(k, inode.slot, FALLOC.punchHole | FALLOC.keepSize, offset, (end - start) * 4096);
  return diskFallocate(k, inode.slot, FALLOC.punchHole | FALLOC.keepSize, offset, (end - start) * 4096);
}

/** madvise_willneed of a file of a disk: what posix_fadvise does. */
function willneed(k: Kernel, vma: Vma, start: number, end: number): void {
  const inode = inodeOf(k, vma);
  const first = fileIndex(vma, start);
  const last = Math.min(first + (end - start), sizePages(inode));
  for (let index = first; index < last; index++) if (filemapPage(k, inode.slot, index) === NO_PFN) syncReadahead(k, vma.file, index, last - index);
}

/** Calls `visit` for each PMD-sized block of the range. */
export function forBlocks(k: Kernel, vma: Vma, start: number, end: number, visit: (k: Kernel, vma: Vma, start: number, end: number) => void): void {
  const block = 1 << (k.geo.pmdLevel < 0 ? k.geo.levels[pteLevel(k)].bits : k.geo.pmdOrder);
  for (let vpn = start; vpn < end;) {
    const next = Math.min(end, Math.floor(vpn / block) * block + block);
    paceWhole(k, next - vpn);
    visit(k, vma, vpn, next);
    vpn = next;
  }
}

/** folio_mark_lazyfree. */
function markLazyFree(k: Kernel, head: number): void {
  const flags = k.pageFlags.get(head);
  if ((flags & PG.anon) === 0 || (flags & PG.swapbacked) === 0 || (flags & PG.unevictable) !== 0) return;
  lruRetag(k, head, 0, PG.active | PG.referenced | PG.swapbacked);
  k.countVm(VMSTAT.pglazyfree, folioPages(k, head));
}

const clean = (k: Kernel, lo: number): number => lo & ~(k.geo.encoding.accessed | k.geo.encoding.dirty);

/** Splits a folio that the range covers only in part. True: it was split, look at the entries again. */
function splitFor(k: Kernel, head: ReturnType<typeof folioOf>): boolean {
  folioGet(k, head);
  const ok = hasFlag(k, head, PG.file) ? splitFileFolio(k, head, null) : splitFolio(k, head);
  folioPut(k, head);
  return ok;
}

/** For explanations: every release would call the folio shared. */
const sharedByAnyRule = (k: Kernel, page: Pfn): boolean =>
  maybeMappedShared(k, page, "owners") && maybeMappedShared(k, page, "firstPage") && maybeMappedShared(k, page, "pageMapcount");

/** A huge page that others may map is left alone. */
function skipShared(k: Kernel, vma: Vma, start: number, pages: number, head: Pfn, what: "lazyfree" | "cold"): boolean {
  if (!maybeMappedShared(k, head)) return false;
  if (k.tracer !== null) traceAdvised(k, vma, start, pages, head, what, "shared", sharedByAnyRule(k, head));
  return true;
}

/** madvise_free_huge_pmd and madvise_free_pte_range. */
function freeBlock(k: Kernel, vma: Vma, start: number, end: number): void {
  const pmd = pmdOf(k, vma.mm, start);
  if (pmd !== undefined && isHugePmd(k, pmd.lo)) {
    const head = entryPfn(pmd.lo, pmd.hi);
    if (isHugeZero(k, head)) return;
    if (skipShared(k, vma, start, end - start, head, "lazyfree")) return;
    if (k.tracer !== null) traceAdvised(k, vma, start, end - start, head, "lazyfree", end - start === 1 << k.geo.pmdOrder ? "done" : "split", true);
    if (end - start === 1 << k.geo.pmdOrder) {
      dropFlag(k, head, PG.dirty);
      if (clean(k, pmd.lo) !== pmd.lo) {
        setEntry(k, pmd.table, pmd.i, clean(k, pmd.lo), pmd.hi);
        tlbFlushRange(k, vma.mm, start, end);
      }
      markLazyFree(k, head);
      return;
    }
    splitFor(k, head);
    // the kernel leaves the rest of this block to the entries it now finds
    const now = pmdOf(k, vma.mm, start);
    if (now === undefined || isHugePmd(k, now.lo)) return;
  }
  const t = walkTo(k, k.mms.get(vma.mm).pgd, start, pteLevel(k));
  if (t !== 0) freePtes(k, vma, t, start, end);
}

function freePtes(k: Kernel, vma: Vma, t: TableIndex, start: number, end: number): void {
  const first = indexAt(k.geo, pteLevel(k), start);
  for (let j = 0; j < end - start;) {
    const i = first + j;
    const lo = loAt(k, t, i);
    const hi = hiAt(k, t, i);
    if (!present(k, lo) || (lo & k.geo.encoding.special) !== 0) {
      if (isMarker(k, lo, hi, MARKER.poisoned)) clearEntry(k, t, i);
      j++;
      continue;
    }
    const page = entryPfn(lo, hi);
    const head = folioOf(k, page);
    let n = 1;
    if (isLarge(k, head)) {
      if (k.era.madviseFreeLarge === "batched") n = pteBatch(k, t, i, end - start - j, true);
      if (n < folioPages(k, head)) {
        const shared = k.era.madviseFreeLarge === "batched" ? maybeMappedShared(k, page) : k.mapcount.get(page) + k.entireMapcount.get(head) !== 1;
        if (k.tracer !== null) traceAdvised(k, vma, start + j, n, head, "lazyfree", shared ? "shared" : "split", sharedByAnyRule(k, page));
        // until 6.9 the first THP that could not be split ended the block
        if (shared && k.era.madviseFreeLarge === "compound61") return;
        if (shared) {
          j += n;
          continue;
        }
        if (splitFor(k, head)) continue;
        if (k.era.madviseFreeLarge === "compound61") return;
        j += n;
        continue;
      }
    }
    if (hasFlag(k, head, PG.dirty)) {
      if (folioMapcount(k, head) !== folioPages(k, head)) {
        if (k.tracer !== null) traceAdvised(k, vma, start + j, n, head, "lazyfree", "shared", true);
        j += n;
        continue;
      }
      dropFlag(k, head, PG.dirty);
    }
    for (let b = 0; b < n; b++) {
      const was = loAt(k, t, i + b);
      if (clean(k, was) !== was) setEntry(k, t, i + b, clean(k, was), hiAt(k, t, i + b));
    }
    tlbFlushRange(k, vma.mm, start + j, start + j + n);
    if (k.tracer !== null) traceAdvised(k, vma, start + j, n, head, "lazyfree", "done", true);
    markLazyFree(k, head);
    j += n;
  }
}

/** madvise_pageout: block by block, what was found in it is reclaimed. */
function pageout(k: Kernel, vma: Vma, start: number, end: number): Result {
  let isWhole = true;
  forBlocks(k, vma, start, end, (_k, _vma, from, to) => {
    const found = new Set<Pfn>();
    coldOrPageoutBlock(k, vma, from, to, found);
    if ([...found].some((head) => isLargeLazyFree(k, head))) isWhole = false;
    else reclaimFolios(k, found);
  });
  return isWhole ? 0 : fail("EOPNOTSUPP", "hint.pageoutLater");
}

const coldBlock = (k: Kernel, vma: Vma, start: number, end: number): void => coldOrPageoutBlock(k, vma, start, end, null);

/** The folio is old now: deactivated, or (isolated from the LRU) among those to be reclaimed. */
function madeOld(k: Kernel, head: Pfn, found: Set<Pfn> | null): void {
  lruRetag(k, head, 0, found === null ? PG.active | PG.referenced : PG.referenced);
  if (found !== null && !hasFlag(k, head, PG.unevictable)) found.add(head);
}

/** madvise_cold_or_pageout_pte_range: makes pages old, and splits large folios that the range covers in part. `found`: folios to be paged out. */
function coldOrPageoutBlock(k: Kernel, vma: Vma, start: number, end: number, found: Set<Pfn> | null): void {
  const e = k.geo.encoding;
  const pmd = pmdOf(k, vma.mm, start);
  if (pmd !== undefined && isHugePmd(k, pmd.lo)) {
    const head = entryPfn(pmd.lo, pmd.hi);
    if (isHugeZero(k, head) || isRawPfn(k, head)) return;
    if (skipShared(k, vma, start, end - start, head, "cold")) return;
    if (k.tracer !== null) traceAdvised(k, vma, start, end - start, head, "cold", end - start === 1 << k.geo.pmdOrder ? "done" : "split", true);
    if (end - start === 1 << k.geo.pmdOrder) {
      setEntry(k, pmd.table, pmd.i, pmd.lo & ~e.accessed, pmd.hi);
      tlbFlushRange(k, vma.mm, start, end);
      madeOld(k, head, found);
      return;
    }
    if (!splitFor(k, head)) return;
  }
  const t = walkTo(k, k.mms.get(vma.mm).pgd, start, pteLevel(k));
  if (t === 0) return;
  const first = indexAt(k.geo, pteLevel(k), start);
  for (let j = 0; j < end - start;) {
    const i = first + j;
    const lo = loAt(k, t, i);
    if (!present(k, lo) || (lo & e.special) !== 0) {
      j++;
      continue;
    }
    const page = entryPfn(lo, hiAt(k, t, i));
    const head = folioOf(k, page);
    let n = 1;
    if (isLarge(k, head)) {
      n = k.era.madviseFreeLarge === "batched" ? pteBatch(k, t, i, end - start - j, true) : 1;
      if (n < folioPages(k, head)) {
        const shared = k.era.madviseFreeLarge === "batched" ? maybeMappedShared(k, page) : k.mapcount.get(page) + k.entireMapcount.get(head) !== 1;
        if (k.tracer !== null) traceAdvised(k, vma, start + j, n, head, "cold", shared ? "shared" : "split", sharedByAnyRule(k, page));
        if (!shared && splitFor(k, head)) continue;
        if (k.era.madviseFreeLarge === "compound61") return;
        j += n;
        continue;
      }
    }
    const own = folioMapcount(k, head) === folioPages(k, head);
    if (k.tracer !== null) traceAdvised(k, vma, start + j, n, head, "cold", own ? "done" : "shared", true);
    if (hasFlag(k, head, PG.lru) && own) {
      for (let b = 0; b < n; b++) setEntry(k, t, i + b, loAt(k, t, i + b) & ~e.accessed, hiAt(k, t, i + b));
      tlbFlushRange(k, vma.mm, start + j, start + j + n);
      madeOld(k, head, found);
    }
    j += n;
  }
}
