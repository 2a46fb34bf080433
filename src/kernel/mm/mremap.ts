import { paceWhole } from "../sched/pace.ts";
import type { Op } from "../sched/points.ts";
import { isHugePmd, pmdOf, splitPmd } from "../thp/splitPmd.ts";
import { anonVmaClone, unlinkAnonVmas } from "./anonVma.ts";
import { NO_TABLE } from "../units.ts";
import { failed, type Failure, type Result } from "./errno.ts";
import { MMC, type Kernel } from "./kernel.ts";
import { mlockFutureOk } from "./mlock.ts";
import { doMunmap, enoughMemory, mayExpand, refuseExpand, statAccount, unmappedArea } from "./mmap.ts";
import { clearEntry, deposit, hiAt, indexAt, loAt, pteLevel, setEntry, walkAlloc, walkTo, withdraw } from "./pgtable.ts";
import { mmPopulate } from "./populate.ts";
import type { Task, Vma } from "./records.ts";
import { tlbFlushRange } from "./tlb.ts";
import { anyVmaIn, changeVma, insertVma, mergeVma, vmaAt, vmasIn } from "./vma.ts";
import { VM, VM_LOCKED_MASK, VMH } from "./vmFlags.ts";
import { traceSplitPartial } from "../why/pages.ts";
import {
  refuseArgument,
  refuseBounds,
  refuseFlag,
  refuseHole,
  refuseMapCount,
  refuseMemlock,
  refuseMemory,
  refuseOccupied,
  refuseOvercommit,
  refuseSealed,
} from "../why/refusal.ts";

/** mremap (mm/mremap.c). Page numbers; lengths are rounded up. */
export interface MremapRequest {
  readonly start: number;
  readonly oldPages: number;
  readonly newPages: number;
  readonly mayMove: boolean;
  readonly dontUnmap: boolean;
  /** target page number with MREMAP_FIXED, else -1 */
  readonly fixed: number;
}

/** move_page_tables: entries go from the old to the new range; the pages stay where they are. Returns how many pages that was: fewer when memory is out. */
function movePageTables(k: Kernel, from: Vma, to: Vma, oldStart: number, newStart: number, pages: number): number {
  const n = k.geo.pmdLevel < 0 ? 1 << k.geo.levels[pteLevel(k)].bits : 1 << k.geo.pmdOrder;
  let done = 0;
  while (done < pages) {
    const oldVpn = oldStart + done;
    const newVpn = newStart + done;
    const extent = Math.min(pages - done, n - (oldVpn % n), n - (newVpn % n));
    paceWhole(k, extent);
    if (!moveExtent(k, from, to, oldVpn, newVpn, extent, n)) break;
    done += extent;
  }
  tlbFlushRange(k, from.mm, oldStart, oldStart + pages);
  return done;
}

/** False when there is no memory for a page table. */
function moveExtent(k: Kernel, from: Vma, to: Vma, oldVpn: number, newVpn: number, extent: number, n: number): boolean {
  const pmd = pmdOf(k, from.mm, oldVpn);
  if (k.geo.pmdLevel >= 0 && (pmd === undefined || pmd.lo === 0)) return true;
  if (pmd !== undefined && k.geo.pmdLevel >= 0) {
    const target = walkAlloc(k, to.mm, newVpn, k.geo.pmdLevel);
    if (target === NO_TABLE) return false;
    const ti = indexAt(k.geo, k.geo.pmdLevel, newVpn);
    if (extent === n && loAt(k, target, ti) === 0) {
      // a whole aligned block moves by its PMD entry, be it a leaf (with its deposited table) or a table
      const { lo, hi } = pmd;
      clearEntry(k, pmd.table, pmd.i);
      tlbFlushRange(k, from.mm, oldVpn, oldVpn + n);
      setEntry(k, target, ti, lo, hi);
      if (isHugePmd(k, lo) && from.ops === "none" && target !== pmd.table) deposit(k, target, withdraw(k, pmd.table));
      return true;
    }
    if (isHugePmd(k, pmd.lo)) {
      if (k.tracer !== null) traceSplitPartial(k, from, "move_page_tables", oldVpn, oldVpn + extent);
      splitPmd(k, from, pmd, oldVpn);
    }
  }
  const source = walkTo(k, k.mms.get(from.mm).pgd, oldVpn, pteLevel(k));
  if (source === 0) return true;
  const target = walkAlloc(k, to.mm, newVpn, pteLevel(k));
  if (target === NO_TABLE) return false;
  const i = indexAt(k.geo, pteLevel(k), oldVpn);
  const j = indexAt(k.geo, pteLevel(k), newVpn);
  for (let e = 0; e < extent; e++) {
    const lo = loAt(k, source, i + e);
    const hi = hiAt(k, source, i + e);
    if (lo === 0 && hi === 0) continue;
    clearEntry(k, source, i + e);
    setEntry(k, target, j + e, lo, hi);
  }
  return true;
}

/** copy_vma: the VMA at the new place, merged with neighbours where it can be. */
function copyVma(k: Kernel, vma: Vma, start: number, pages: number, pgoffIn: number): Vma {
  // an unfaulted mapping gets the offset of its new place, so that it can merge there
  const pgoff = vma.ops === "none" && vma.anonVma === 0 ? start : pgoffIn;
  const merged = mergeVma(k, {
    mm: vma.mm,
    start,
    end: start + pages,
    flags: vma.flags,
    flagsHi: vma.flagsHi,
    pgoff,
    name: vma.name,
    file: vma.file,
    ops: vma.ops,
    anonVma: vma.anonVma,
    middle: undefined,
    copiedFrom: vma,
  });
  if (merged !== undefined) {
    // a neighbour without an anon_vma of its own takes over the moved pages' chain
    if (merged.anonVma === 0 && vma.anonVma !== 0 && merged.slot !== vma.slot) return anonVmaClone(k, merged.slot, vma, false);
    return merged;
  }
  const { slot: _slot, step: _step, ...fields } = vma;
  const fresh = insertVma(k, { ...fields, start, end: start + pages, pgoff, anonVma: 0, chain: [] });
  return anonVmaClone(k, fresh.slot, vma, false);
}

/** move_vma. Returns the new page number. */
function moveVma(k: Kernel, r: MremapRequest, vma: Vma, oldPages: number, target: number): Result {
  if (k.mms.get(vma.mm).vmas.length >= k.g.maxMapCount - 3) return refuseMapCount(k, vma.mm, "prep_move_vma");
  const charged = r.dontUnmap ? r.newPages : r.newPages - oldPages;
  if (vma.flags & VM.account && !enoughMemory(k, charged)) return refuseOvercommit(k, vma.mm, charged);
  const flags = vma.flags;
  const pgoff = vma.pgoff + (r.start - vma.start);
  const fresh = copyVma(k, vma, target, r.newPages, pgoff);
  const source = vmaAt(k, vma.mm, r.start) ?? vma;
  const moved = movePageTables(k, source, k.vmas.get(fresh.slot), r.start, target, oldPages);
  statAccount(k, vma.mm, flags, r.newPages);
  if (moved < oldPages) {
    // what was moved goes back: the tables it came from are still there
    movePageTables(k, k.vmas.get(fresh.slot), source, target, r.start, moved);
    if (flags & VM.locked) k.countMm(vma.mm, MMC.lockedVm, r.newPages);
    doMunmap(k, vma.mm, target, target + r.newPages);
    return refuseMemory(k, vma.mm, "move_page_tables", "ENOMEM", 1);
  }
  if (r.dontUnmap) {
    if (flags & VM.locked && k.era.mremapDontUnmapCountsLocked) k.countMm(vma.mm, MMC.lockedVm, r.newPages);
    const left = changeVma(k, source.slot, { flags: source.flags & ~(VM_LOCKED_MASK | (k.era.mremapDontUnmapLosesAccount ? VM.account : 0)) });
    if (fresh.slot !== source.slot && left.start === r.start && left.end === r.start + oldPages) {
      unlinkAnonVmas(k, left.slot);
      changeVma(k, left.slot, { anonVma: 0, chain: [] });
    }
    return target;
  }
  doMunmap(k, vma.mm, r.start, r.start + oldPages);
  if (flags & VM.locked) k.countMm(vma.mm, MMC.lockedVm, r.newPages);
  return target;
}

/** EFAULT: no VMA holds the old address. */
const refuseUnmapped = (k: Kernel, task: Task, r: MremapRequest): Failure =>
  refuseHole(k, task.mm, "vma_lookup", "EFAULT", r.start, r.start + Math.max(1, r.oldPages), "hint.unmapped");

/** ENOMEM: no room up to `end`, and moving was not allowed. */
function refuseInPlace(k: Kernel, vma: Vma, end: number): Failure {
  if (anyVmaIn(k, vma.mm, vma.end, end)) return refuseOccupied(k, vma.mm, "vma_expandable", "ENOMEM", vma.end, end, "hint.mayMove");
  return refuseArgument(k, vma.mm, "vma_expandable", "ENOMEM", "refuse.noRoom", "flags", "no MREMAP_MAYMOVE", "hint.mayMove");
}

/** The checks that need a VMA for growing or moving (check_prep_vma 6.17, vma_to_resize before). */
function checkVma(k: Kernel, task: Task, vma: Vma, r: MremapRequest, oldPages: number): Result {
  // a shared mapping is mapped a second time, the first one stays
  if (oldPages === 0 && (vma.flags & (VM.shared | VM.mayShare)) === 0)
    return refuseArgument(k, vma.mm, "check_prep_vma", "EINVAL", "refuse.lengthZero", "old_size", 0, "hint.duplicatePrivate");
  const special = (vma.flags & (VM.dontExpand | VM.pfnmap)) !== 0;
  if (r.dontUnmap && special) return refuseFlag(k, vma, "check_prep_vma", "EINVAL", "refuse.special", "VM_SPECIAL", true);
  if (oldPages > vma.end - r.start) return refuseBounds(k, vma, "check_prep_vma", "EFAULT", r.start, r.start + oldPages, "hint.acrossVmas");
  if (r.newPages === oldPages) return 0;
  if (special) return refuseFlag(k, vma, "check_prep_vma", "EFAULT", "refuse.special", "VM_SPECIAL", true);
  const delta = r.newPages - oldPages;
  if (vma.flags & VM.locked && !mlockFutureOk(k, task, delta)) return refuseMemlock(k, task, "mlock_future_ok", "EAGAIN", "hint.memlock");
  if (!mayExpand(k, task, vma.flags, delta)) return refuseExpand(k, task, delta, "hint.addressSpace");
  return 0;
}

/** mremap_to: MREMAP_FIXED or MREMAP_DONTUNMAP. */
function remapTo(k: Kernel, task: Task, r: MremapRequest): Result {
  let oldPages = r.oldPages;
  const checkFirst = k.era.mremapMultiVma;
  const before = vmaAt(k, task.mm, r.start);
  if (before === undefined) return refuseUnmapped(k, task, r);
  if (before.flagsHi & VMH.sealed) return refuseSealed(k, before, "check_prep_vma");
  const shrink = oldPages > r.newPages;
  if (checkFirst) {
    const c = checkVma(k, task, before, r, shrink ? r.newPages : oldPages);
    if (failed(c)) return c;
  }
  if (r.fixed >= 0) {
    const u = doMunmap(k, task.mm, r.fixed, r.fixed + r.newPages);
    if (failed(u)) return u;
  }
  if (shrink) {
    const u = doMunmap(k, task.mm, r.start + r.newPages, r.start + oldPages);
    if (failed(u)) return u;
    oldPages = r.newPages;
  }
  const vma = vmaAt(k, task.mm, r.start);
  if (vma === undefined) return refuseUnmapped(k, task, r);
  if (!checkFirst) {
    const c = checkVma(k, task, vma, r, oldPages);
    if (failed(c)) return c;
  }
  if (r.dontUnmap && !mayExpand(k, task, vma.flags, oldPages)) return refuseExpand(k, task, oldPages, "hint.addressSpace");
  const target = r.fixed >= 0 ? r.fixed : unmappedArea(k, task.mm, 0, r.newPages, vma.file !== 0);
  if (failed(target)) return target;
  return moveVma(k, r, vma, oldPages, target);
}

/** expand_vma: in place where there is room, else elsewhere. */
function expand(k: Kernel, task: Task, r: MremapRequest, vma: Vma): Result {
  const delta = r.newPages - r.oldPages;
  const end = vma.end + delta;
  const roomAbove = r.oldPages === vma.end - r.start && end <= k.geo.taskSizePages && !anyVmaIn(k, task.mm, vma.end, end);
  if (roomAbove) {
    if (vma.flags & VM.account && !enoughMemory(k, delta)) return refuseOvercommit(k, task.mm, delta);
    const merged = mergeVma(k, {
      mm: task.mm,
      start: vma.end,
      end,
      flags: vma.flags,
      flagsHi: vma.flagsHi,
      pgoff: vma.pgoff + (vma.end - vma.start),
      name: vma.name,
      file: vma.file,
      ops: vma.ops,
      anonVma: vma.anonVma,
      middle: undefined,
      copiedFrom: undefined,
    });
    if (merged === undefined) changeVma(k, vma.slot, { end });
    statAccount(k, task.mm, vma.flags, delta);
    if (vma.flags & VM.locked) k.countMm(task.mm, MMC.lockedVm, delta);
    return r.start;
  }
  if (!r.mayMove) return refuseInPlace(k, vma, end);
  const target = unmappedArea(k, task.mm, 0, r.newPages, vma.file !== 0);
  if (failed(target)) return target;
  return moveVma(k, r, vma, r.oldPages, target);
}

/** remap_move (6.17): a move without resizing may take several VMAs along. */
function remapMove(k: Kernel, task: Task, r: MremapRequest): Result {
  const end = r.start + r.oldPages;
  const pieces = vmasIn(k, task.mm, r.start, end);
  if (pieces.length === 0 || pieces[0].start > r.start) return refuseUnmapped(k, task, r);
  let first: Result | undefined;
  let target = r.fixed;
  let lastEnd = 0;
  for (const piece of pieces) {
    const start = Math.max(piece.start, r.start);
    const pages = Math.min(end, piece.end) - start;
    const at = target + (first === undefined ? 0 : piece.start - lastEnd);
    lastEnd = piece.end;
    const done = remapTo(k, task, { ...r, start, oldPages: pages, newPages: pages, fixed: at });
    if (failed(done)) return done;
    first ??= done;
    target = done + pages;
  }
  return first ?? refuseUnmapped(k, task, r);
}

/** do_mremap after the checks of addresses and flags that need no VMA. Returns the new page number. */
export function* doMremap(k: Kernel, task: Task, r: MremapRequest): Op<Result> {
  const done = remap(k, task, r);
  if (failed(done)) return done;
  const moved = vmaAt(k, task.mm, done);
  if (moved !== undefined && moved.flags & VM.locked && r.newPages > r.oldPages) yield* mmPopulate(k, task.mm, done + r.oldPages, done + r.newPages, true);
  return done;
}

function remap(k: Kernel, task: Task, r: MremapRequest): Result {
  const top = k.geo.taskSizePages;
  if (r.newPages === 0 || r.newPages > top) return refuseArgument(k, task.mm, "check_mremap_params", "EINVAL", "refuse.addressRange", "new_size", r.newPages);
  if (r.fixed >= 0 || r.dontUnmap) {
    const target = r.fixed >= 0 ? r.fixed : 0;
    if (target > top - r.newPages) return refuseArgument(k, task.mm, "check_mremap_params", "EINVAL", "refuse.addressRange", "new_address", target);
    if (r.start + r.oldPages > target && target + r.newPages > r.start)
      return refuseArgument(k, task.mm, "vrm_overlaps", "EINVAL", "refuse.overlap", "new_address", target, "hint.overlap");
    if (k.mms.get(task.mm).vmas.length + 2 >= k.g.maxMapCount - 3) return refuseMapCount(k, task.mm, "mremap_to");
    if (k.era.mremapMultiVma && r.fixed >= 0 && r.oldPages === r.newPages && r.oldPages > 0) return remapMove(k, task, r);
    return remapTo(k, task, r);
  }
  const vma = vmaAt(k, task.mm, r.start);
  if (vma === undefined) return refuseUnmapped(k, task, r);
  if (vma.flagsHi & VMH.sealed) return refuseSealed(k, vma, "check_prep_vma");
  if (r.oldPages === r.newPages) return r.start;
  if (r.oldPages > r.newPages) {
    const u = doMunmap(k, task.mm, r.start + r.newPages, r.start + r.oldPages);
    return failed(u) ? u : r.start;
  }
  const c = checkVma(k, task, vma, r, r.oldPages);
  return failed(c) ? c : expand(k, task, r, vma);
}
