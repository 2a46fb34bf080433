import { paceWhole } from "../sched/pace.ts";
import type { Op } from "../sched/points.ts";
import { isHugeZero } from "../thp/hugeZero.ts";
import { isHugePmd, pmdOf } from "../thp/splitPmd.ts";
import type { Pfn } from "../units.ts";
import { fail, failed, type Result } from "./errno.ts";
import { folioPages, isLarge, mlockFolio, munlockFolio } from "./folio.ts";
import { folioOf, MMC, type Kernel } from "./kernel.ts";
import { entryPfn, hiAt, indexAt, loAt, present, pteLevel, walkTo } from "./pgtable.ts";
import { mmPopulate } from "./populate.ts";
import type { Task, Vma } from "./records.ts";
import { modifyVma, vmasIn } from "./vma.ts";
import { VM, VM_LOCKED_MASK, VM_SPECIAL } from "./vmFlags.ts";
import { isDax } from "./vmaOps.ts";
import { pteBatch } from "./zap.ts";
import { refuseArgument, refuseHole, refuseMemlock } from "../why/refusal.ts";

/** mlock and its kin (mm/mlock.c). */

/** mlock_pte_range over a VMA whose flags are already the new ones. */
function mlockPages(k: Kernel, vma: Vma, start: number, end: number): void {
  const lock = (vma.flags & VM.locked) !== 0;
  const apply = (head: Pfn): void => (lock ? mlockFolio(k, head) : munlockFolio(k, head));
  const block = 1 << (k.geo.pmdLevel < 0 ? k.geo.levels[pteLevel(k)].bits : k.geo.pmdOrder);
  for (let vpn = start; vpn < end;) {
    const next = Math.min(end, Math.floor(vpn / block) * block + block);
    paceWhole(k, next - vpn);
    const pmd = pmdOf(k, vma.mm, vpn);
    if (pmd !== undefined && isHugePmd(k, pmd.lo)) {
      const head = entryPfn(pmd.lo, pmd.hi);
      if (!isHugeZero(k, head)) apply(head);
    } else mlockPtes(k, vma, vpn, next, start, end, lock, apply);
    vpn = next;
  }
}

function mlockPtes(k: Kernel, vma: Vma, from: number, to: number, start: number, end: number, lock: boolean, apply: (head: Pfn) => void): void {
  const t = walkTo(k, k.mms.get(vma.mm).pgd, from, pteLevel(k));
  if (t === 0) return;
  const first = indexAt(k.geo, pteLevel(k), from);
  for (let j = 0; j < to - from;) {
    const lo = loAt(k, t, first + j);
    const page = entryPfn(lo, hiAt(k, t, first + j));
    if (!present(k, lo) || (lo & k.geo.encoding.special) !== 0) {
      j++;
      continue;
    }
    const head = folioOf(k, page);
    if (!isLarge(k, head)) {
      apply(head);
      j++;
      continue;
    }
    if (!k.era.mlockLargeOnlyWhole) {
      // until 6.6 a page of a large folio mapped by PTEs is never locked
      j++;
      continue;
    }
    const step = pteBatch(k, t, first + j, to - from - j, false);
    const pages = folioPages(k, head);
    const vpnOfHead = from + j - (page - head);
    const inside = vpnOfHead >= Math.max(start, vma.start) && vpnOfHead + pages <= Math.min(end, vma.end);
    if (!lock || (inside && step === pages)) apply(head);
    j += step;
  }
}

/** mlock_fixup: changes VM_LOCKED of one piece and the pages in it. */
function mlockFixup(k: Kernel, vmaIn: Vma, start: number, end: number, newFlags: number): Vma {
  const old = vmaIn.flags;
  if (newFlags === old || old & (VM_SPECIAL | VM.hugetlb) || isDax(k, vmaIn)) return vmaIn;
  // the pages are walked with the new flags in force; merging first is what Linux does too
  const vma = modifyVma(k, vmaIn.slot, start, end, newFlags, vmaIn.flagsHi);
  const pages = end - start;
  if ((newFlags & VM.locked) === 0) k.countMm(vma.mm, MMC.lockedVm, -pages);
  else if ((old & VM.locked) === 0) k.countMm(vma.mm, MMC.lockedVm, pages);
  if (!(newFlags & VM.locked && old & VM.locked)) mlockPages(k, vma, start, end);
  return vma;
}

/** apply_vma_lock_flags: ENOMEM at the first hole, after what lies before it was done. */
function applyLockFlags(k: Kernel, mm: number, start: number, end: number, flags: number): Result {
  let at = start;
  for (const found of vmasIn(k, mm, start, end)) {
    if (found.start > at) return refuseHole(k, mm, "apply_vma_lock_flags", "ENOMEM", at, found.start);
    const vma = k.vmas.find(found.slot) ?? vmasIn(k, mm, at, at + 1)[0];
    const to = Math.min(end, found.end);
    mlockFixup(k, vma, at, to, (vma.flags & ~VM_LOCKED_MASK) | flags);
    at = to;
  }
  return at < end ? refuseHole(k, mm, "apply_vma_lock_flags", "ENOMEM", at, end) : 0;
}

/** count_mm_mlocked_page_nr: pages of the range that are locked already. */
function lockedIn(k: Kernel, mm: number, start: number, end: number): number {
  let sum = 0;
  for (const vma of vmasIn(k, mm, start, end)) if (vma.flags & VM.locked) sum += Math.min(end, vma.end) - Math.max(start, vma.start);
  return sum;
}

const posixError = (r: Result): Result => (failed(r) ? (r.errno === "EFAULT" ? fail("ENOMEM") : r.errno === "ENOMEM" ? fail("EAGAIN") : r) : r);

/** do_mlock. `flags`: VM_LOCKED, with VM_LOCKONFAULT for MLOCK_ONFAULT. Page-rounded range. */
export function* mlockRange(k: Kernel, task: Task, start: number, end: number, flags: number): Op<Result> {
  if (task.rlimitMemlock === 0 && !task.capIpcLock) return refuseMemlock(k, task, "can_do_mlock", "EPERM");
  const limit = Math.floor(task.rlimitMemlock / 4096);
  let locked = end - start + k.mmCount(task.mm, MMC.lockedVm);
  if (locked > limit && !task.capIpcLock) locked -= lockedIn(k, task.mm, start, end);
  if (locked > limit && !task.capIpcLock) return refuseMemlock(k, task, "do_mlock", "ENOMEM", "hint.memlock");
  const r = start === end ? 0 : applyLockFlags(k, task.mm, start, end, flags);
  if (failed(r)) return r;
  return posixError(yield* mmPopulate(k, task.mm, start, end, false));
}

export const munlockRange = (k: Kernel, task: Task, start: number, end: number): Result => (start === end ? 0 : applyLockFlags(k, task.mm, start, end, 0));

/** apply_mlockall_flags and mlockall(2). */
export function* mlockall(k: Kernel, task: Task, current: boolean, future: boolean, onfault: boolean): Op<Result> {
  if ((!current && !future) || (!current && !future && onfault))
    return refuseArgument(k, task.mm, "__do_sys_mlockall", "EINVAL", "refuse.argument", "flags", onfault ? "MCL_ONFAULT alone" : 0, "hint.mlockall");
  if (task.rlimitMemlock === 0 && !task.capIpcLock) return refuseMemlock(k, task, "can_do_mlock", "EPERM");
  if (current && !task.capIpcLock && k.mmCount(task.mm, MMC.totalVm) > Math.floor(task.rlimitMemlock / 4096))
    return refuseMemlock(k, task, "__do_sys_mlockall", "ENOMEM", "hint.memlock");
  const bits = VM.locked | (onfault ? VM.lockOnFault : 0);
  k.mms.update(task.mm, { defFlags: future ? bits : 0 });
  if (!current) return 0;
  lockAll(k, task.mm, bits);
  const list = k.mms.get(task.mm).vmas;
  const top = list.length === 0 ? 0 : k.vmas.get(list[list.length - 1]).end;
  yield* mmPopulate(k, task.mm, 0, top, true);
  return 0;
}

export function munlockall(k: Kernel, task: Task): Result {
  k.mms.update(task.mm, { defFlags: 0 });
  lockAll(k, task.mm, 0);
  return 0;
}

function lockAll(k: Kernel, mm: number, bits: number): void {
  for (const slot of [...k.mms.get(mm).vmas]) {
    const vma = k.vmas.find(slot);
    if (vma === undefined || vma.mm !== mm) continue;
    mlockFixup(k, vma, vma.start, vma.end, (vma.flags & ~VM_LOCKED_MASK) | bits);
  }
}

/** For mmap: whether locking `pages` more stays within the limit (mlock_future_ok). */
export const mlockFutureOk = (k: Kernel, task: Task, pages: number): boolean =>
  task.capIpcLock || pages + k.mmCount(task.mm, MMC.lockedVm) <= Math.floor(task.rlimitMemlock / 4096);
