import { asVpn } from "./units.ts";
import { failed, type Failure, type Result } from "./mm/errno.ts";
import { findVma, fullyMapped, modifyVma, vmaAt, vmasIn } from "./mm/vma.ts";
import { doFork, doExit } from "./mm/fork.ts";
import { gupFast, gupSlow } from "./mm/gup.ts";
import { diskWriteback } from "./mm/diskFile.ts";
import { fileResident } from "./mm/fileFault.ts";
import { fileIndex, inodeOf } from "./mm/inode.ts";
import { MMC, type Kernel } from "./mm/kernel.ts";
import { adviceValid, doMadvise, needsMmapWrite, refuseAdvice } from "./mm/madvise.ts";
import { mlockall, mlockRange, munlockall, munlockRange } from "./mm/mlock.ts";
import { doBrk, doMmap, doMunmap, MAP } from "./mm/mmap.ts";
import { doMprotect } from "./mm/mprotect.ts";
import { doMremap } from "./mm/mremap.ts";
import { LIMIT_FIELDS, limitOf, type OpenFile, type Resource, type Task } from "./mm/records.ts";
import { vmaStartWrite } from "./mm/vmaLock.ts";
import { VM, VMH } from "./mm/vmFlags.ts";
import { isWalked, walkPages } from "./proc/taskMmu.ts";
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from "./sched/locks.ts";
import type { Op } from "./sched/points.ts";
import { NO_PFN } from "./units.ts";
import { uprobeMmap } from "./uprobes.ts";
import { refuseArgument, refuseFlag, refuseHole, refuseOccupied, refuseRelease, refuseSealed, refuseUncapable } from "./why/refusal.ts";
import type { ArgumentName, RefusalRule } from "./why/tracer.ts";

/**
 * System calls as a program makes them: byte addresses and lengths of 64 bits, the checks that come before any
 * VMA is looked at, and the mmap_lock. Results are a number (or an address), or an errno.
 */

const PAGE = 4096n;
const MASK64 = (1n << 64n) - 1n;
const aligned = (n: bigint): boolean => n % PAGE === 0n;
const u64 = (n: bigint): bigint => n & MASK64;
/** PAGE_ALIGN, which wraps at 2^64. */
const pageAlign = (n: bigint): bigint => u64(n + PAGE - 1n) & ~(PAGE - 1n);
const vpnOf = (n: bigint): number => asVpn(Number(n / PAGE));
const taskSize = (k: Kernel): bigint => BigInt(k.geo.taskSizePages) * PAGE;

/** vma_start_write for every VMA of an mm. */
const writeLockAll = (k: Kernel, mm: number): Op<void> => vmaStartWrite(k, mm, 0, k.geo.taskSizePages);

export interface MmapCall {
  readonly address: bigint;
  readonly length: bigint;
  readonly prot: number;
  readonly flags: number;
  /** the file to map, and where in it; without one anonymous memory */
  readonly file?: OpenFile;
  readonly offset?: bigint;
}

/** mmap(2). Mappings of hugetlb come with later releases of Hugelab. */
export function* sysMmap(k: Kernel, task: Task, c: MmapCall): Op<Result<bigint>> {
  const length = u64(c.length);
  if (length === 0n) return refuseArgument(k, task.mm, "do_mmap", "EINVAL", "refuse.lengthZero", "length", length, "hint.lengthZero");
  const rounded = pageAlign(length);
  if (rounded === 0n || rounded > taskSize(k)) return refuseArgument(k, task.mm, "do_mmap", "ENOMEM", "refuse.addressRange", "length", length, "hint.taskSize");
  let address = u64(c.address);
  const fixed = (c.flags & (MAP.fixed | MAP.fixedNoReplace)) !== 0;
  if (fixed) {
    if (address > taskSize(k) - rounded)
      return refuseArgument(k, task.mm, "get_unmapped_area", "ENOMEM", "refuse.addressRange", "address", address, "hint.taskSize");
    if (!aligned(address)) return refuseAlignment(k, task, "get_unmapped_area", "address", address);
  } else address &= ~(PAGE - 1n);
  const offset = u64(c.offset ?? 0n);
  if (!aligned(offset)) return refuseAlignment(k, task, "__do_sys_mmap", "address", offset);
  yield* mmapWriteLock(k, task.mm);
  // where the kernel chooses, any neighbour may grow
  yield* fixed ? vmaStartWrite(k, task.mm, vpnOf(address), vpnOf(address + rounded)) : writeLockAll(k, task.mm);
  try {
    if (c.flags & MAP.fixedNoReplace) {
      const at = findVma(k, task.mm, vpnOf(address));
      if (at !== undefined && at.start < vpnOf(address + rounded))
        return refuseOccupied(k, task.mm, "do_mmap", "EEXIST", vpnOf(address), vpnOf(address + rounded), "hint.occupied");
    }
    const type = c.flags & 0xf;
    if (type === MAP.droppable && !k.era.droppable) return refuseRelease(k, task.mm, "do_mmap", "EINVAL", "droppable", "hint.mapType");
    const what = { file: c.file?.slot ?? 0, pgoff: c.file === undefined ? 0 : vpnOf(offset) };
    const r = yield* doMmap(k, task, { start: vpnOf(address), pages: vpnOf(rounded), prot: c.prot, flags: c.flags, ...what });
    if (failed(r)) return r;
    const vma = c.file === undefined ? undefined : vmaAt(k, task.mm, r);
    if (vma !== undefined && inodeOf(k, vma).uprobes.length > 0) yield* uprobeMmap(k, vma);
    return BigInt(r) * PAGE;
  } finally {
    mmapWriteUnlock(k, task.mm);
  }
}

export function* sysMunmap(k: Kernel, task: Task, address: bigint, lengthIn: bigint): Op<Result> {
  const start = u64(address);
  const length = u64(lengthIn);
  if (!aligned(start)) return refuseAlignment(k, task, "do_vmi_munmap", "address", start);
  if (start > taskSize(k) || length > taskSize(k) - start)
    return refuseArgument(k, task.mm, "do_vmi_munmap", "EINVAL", "refuse.addressRange", "range", start, "hint.alignAddress");
  const end = start + pageAlign(length);
  if (end === start) return refuseArgument(k, task.mm, "do_vmi_munmap", "EINVAL", "refuse.lengthZero", "length", length, "hint.lengthZero");
  yield* mmapWriteLock(k, task.mm);
  yield* vmaStartWrite(k, task.mm, vpnOf(start), vpnOf(end));
  const r = doMunmap(k, task.mm, vpnOf(start), vpnOf(end));
  mmapWriteUnlock(k, task.mm);
  return r;
}

export function* sysMprotect(k: Kernel, task: Task, address: bigint, lengthIn: bigint, prot: number): Op<Result> {
  const start = u64(address);
  if (!aligned(start)) return refuseAlignment(k, task, "do_mprotect_pkey", "address", start);
  if (u64(lengthIn) === 0n) return 0;
  const length = pageAlign(u64(lengthIn));
  const end = u64(start + length);
  if (end <= start) return refuseArgument(k, task.mm, "do_mprotect_pkey", "ENOMEM", "refuse.addressRange", "range", u64(lengthIn));
  if (end > taskSize(k)) return refuseArgument(k, task.mm, "do_mprotect_pkey", "ENOMEM", "refuse.addressRange", "range", start, "hint.hole");
  yield* mmapWriteLock(k, task.mm);
  yield* vmaStartWrite(k, task.mm, vpnOf(start), vpnOf(end));
  const r = yield* doMprotect(k, task, vpnOf(start), vpnOf(end), prot);
  mmapWriteUnlock(k, task.mm);
  return r;
}

export interface MremapCall {
  readonly address: bigint;
  readonly oldLength: bigint;
  readonly newLength: bigint;
  readonly mayMove: boolean;
  readonly dontUnmap: boolean;
  /** target with MREMAP_FIXED */
  readonly fixed: bigint | null;
}

const refuseMremap = (k: Kernel, task: Task, rule: RefusalRule, name: ArgumentName, value: bigint | string, hint?: string): Failure =>
  refuseArgument(k, task.mm, "check_mremap_params", "EINVAL", rule, name, value, hint);

/** The old mapping is missing or sealed: null when neither. */
function refuseOldMapping(k: Kernel, task: Task, vpn: number): Failure | null {
  const vma = vmaAt(k, task.mm, vpn);
  if (vma === undefined) return refuseHole(k, task.mm, "vma_lookup", "EFAULT", vpn, vpn + 1, "hint.unmapped");
  return vma.flagsHi & VMH.sealed ? refuseSealed(k, vma, "can_modify_vma") : null;
}

export function* sysMremap(k: Kernel, task: Task, c: MremapCall): Op<Result<bigint>> {
  const start = u64(c.address);
  const oldLength = pageAlign(u64(c.oldLength));
  const newLength = pageAlign(u64(c.newLength));
  if (!aligned(start)) return refuseAlignment(k, task, "check_mremap_params", "address", start);
  if (newLength === 0n) return refuseMremap(k, task, "refuse.lengthZero", "new_size", newLength, "hint.lengthZero");
  const target = c.fixed === null ? null : u64(c.fixed);
  if ((target !== null || c.dontUnmap) && !c.mayMove) return refuseMremap(k, task, "refuse.argument", "flags", "no MREMAP_MAYMOVE", "hint.mayMove");
  if (c.dontUnmap && oldLength !== newLength) return refuseMremap(k, task, "refuse.argument", "new_size", newLength);
  if (newLength > taskSize(k)) return refuseMremap(k, task, "refuse.addressRange", "new_size", newLength);
  if (start > taskSize(k)) return refuseArgument(k, task.mm, "vma_lookup", "EFAULT", "refuse.addressRange", "address", start);
  // until 6.16 the old mapping was looked up before the new address was looked at
  const early = k.era.mremapMultiVma ? null : refuseOldMapping(k, task, vpnOf(start));
  if (early !== null) return early;
  if (target !== null && !aligned(target)) return refuseAlignment(k, task, "check_mremap_params", "new_address", target);
  if (target !== null && target > taskSize(k) - newLength) return refuseMremap(k, task, "refuse.addressRange", "new_address", target, "hint.alignAddress");
  const oldPages = oldLength > taskSize(k) ? k.geo.taskSizePages : vpnOf(oldLength);
  yield* mmapWriteLock(k, task.mm);
  yield* writeLockAll(k, task.mm);
  const r = yield* doMremap(k, task, {
    start: vpnOf(start),
    oldPages,
    newPages: vpnOf(newLength),
    mayMove: c.mayMove,
    dontUnmap: c.dontUnmap,
    fixed: target === null ? -1 : vpnOf(target),
  });
  mmapWriteUnlock(k, task.mm);
  return failed(r) ? r : BigInt(r) * PAGE;
}

export function* sysMadvise(k: Kernel, task: Task, address: bigint, lengthIn: bigint, advice: number): Op<Result> {
  const start = u64(address);
  const length = u64(lengthIn);
  if (!adviceValid(k, advice)) return refuseAdvice(k, task.mm, advice);
  if (!aligned(start)) return refuseAlignment(k, task, "is_valid_madvise", "address", start);
  const rounded = pageAlign(length);
  const end = u64(start + rounded);
  if ((length !== 0n && rounded === 0n) || end < start) return refuseArgument(k, task.mm, "is_valid_madvise", "EINVAL", "refuse.addressRange", "range", length);
  if (end === start) return 0;
  const top = taskSize(k);
  if (start >= top) return refuseArgument(k, task.mm, "madvise_walk_vmas", "ENOMEM", "refuse.addressRange", "address", start, "hint.hole");
  const last = vpnOf(end > top ? top : end);
  const write = needsMmapWrite(advice);
  if (write) {
    yield* mmapWriteLock(k, task.mm);
    yield* vmaStartWrite(k, task.mm, vpnOf(start), last);
  } else yield* mmapReadLock(k, task.mm);
  const r = yield* doMadvise(k, task, vpnOf(start), last, advice);
  if (write) mmapWriteUnlock(k, task.mm);
  else mmapReadUnlock(k, task.mm);
  if (end <= top || failed(r)) return r;
  return refuseArgument(k, task.mm, "madvise_walk_vmas", "ENOMEM", "refuse.addressRange", "range", end, "hint.hole");
}

/** Range of mlock and its kin: rounded outwards. undefined: the end wraps. */
function lockRange(k: Kernel, address: bigint, length: bigint): { start: number; end: number } | undefined {
  const start = u64(address) & ~(PAGE - 1n);
  const rounded = pageAlign(u64(u64(length) + (u64(address) % PAGE)));
  const end = u64(start + rounded);
  if (end < start) return undefined;
  const top = taskSize(k);
  return { start: vpnOf(start > top ? top : start), end: vpnOf(end > top ? top + PAGE : end) };
}

export function* sysMlock(k: Kernel, task: Task, address: bigint, length: bigint, onfault: boolean): Op<Result> {
  const range = lockRange(k, address, length);
  if (range === undefined) return refuseArgument(k, task.mm, "do_mlock", "EINVAL", "refuse.addressRange", "range", length);
  yield* mmapWriteLock(k, task.mm);
  yield* vmaStartWrite(k, task.mm, range.start, range.end);
  const r = yield* mlockRange(k, task, range.start, range.end, VM.locked | (onfault ? VM.lockOnFault : 0));
  mmapWriteUnlock(k, task.mm);
  return r;
}

export function* sysMunlock(k: Kernel, task: Task, address: bigint, length: bigint): Op<Result> {
  const range = lockRange(k, address, length);
  if (range === undefined) return refuseArgument(k, task.mm, "apply_vma_lock_flags", "EINVAL", "refuse.addressRange", "range", length);
  yield* mmapWriteLock(k, task.mm);
  yield* vmaStartWrite(k, task.mm, range.start, range.end);
  const r = munlockRange(k, task, range.start, range.end);
  mmapWriteUnlock(k, task.mm);
  return r;
}

export function* sysMlockall(k: Kernel, task: Task, current: boolean, future: boolean, onfault: boolean): Op<Result> {
  yield* mmapWriteLock(k, task.mm);
  yield* writeLockAll(k, task.mm);
  const r = yield* mlockall(k, task, current, future, onfault);
  mmapWriteUnlock(k, task.mm);
  return r;
}

export function* sysMunlockall(k: Kernel, task: Task): Op<Result> {
  yield* mmapWriteLock(k, task.mm);
  yield* writeLockAll(k, task.mm);
  const r = munlockall(k, task);
  mmapWriteUnlock(k, task.mm);
  return r;
}

/** MS_* */
export const MS = { async: 1, invalidate: 2, sync: 4 } as const;

/** msync(2): with MS_SYNC what shared mappings of disk files in the range wrote is written back. A hole is passed over and reported at the end; with MS_ASYNC it ends the call. */
export function sysMsync(k: Kernel, task: Task, address: bigint, length: bigint, flags: number): Result {
  const start = u64(address);
  const wrong = (hint?: string): Failure => refuseArgument(k, task.mm, "__do_sys_msync", "EINVAL", "refuse.argument", "flags", flags, hint);
  if ((flags & ~(MS.async | MS.invalidate | MS.sync)) !== 0) return wrong("hint.msyncFlags");
  if (!aligned(start)) return refuseAlignment(k, task, "__do_sys_msync", "address", start);
  if ((flags & (MS.async | MS.sync)) === (MS.async | MS.sync)) return wrong("hint.msyncFlags");
  const end = u64(start + pageAlign(u64(length)));
  if (end === start) return 0;
  if (end < start) return refuseArgument(k, task.mm, "__do_sys_msync", "ENOMEM", "refuse.addressRange", "range", end, "hint.hole");
  const last = end > taskSize(k) ? k.geo.taskSizePages : vpnOf(end);
  let at = vpnOf(start);
  let isWhole = end <= taskSize(k);
  for (const vma of vmasIn(k, task.mm, vpnOf(start > taskSize(k) ? taskSize(k) : start), last)) {
    if (vma.start > at) isWhole = false;
    if (!isWhole && flags === MS.async) break;
    if (flags & MS.invalidate && vma.flags & VM.locked) return refuseFlag(k, vma, "__do_sys_msync", "EBUSY", "refuse.locked", "VM_LOCKED", true, "hint.locked");
    at = vma.end;
    if ((flags & MS.sync) === 0 || vma.ops !== "disk" || (vma.flags & VM.shared) === 0) continue;
    const first = Math.max(vma.start, vpnOf(start));
    diskWriteback(k, inodeOf(k, vma).slot, fileIndex(vma, first), fileIndex(vma, Math.min(vma.end, last)));
  }
  return isWhole && at >= last ? 0 : refuseHole(k, task.mm, "__do_sys_msync", "ENOMEM", vpnOf(start), last);
}

/** mincore(2): one flag for each page. Pages of a huge zero folio and of the zero page are resident, and those of a file that are in the page cache. */
export function sysMincore(k: Kernel, task: Task, address: bigint, length: bigint): Result<Uint8Array> {
  const start = u64(address);
  if (!aligned(start)) return refuseAlignment(k, task, "__do_sys_mincore", "address", start);
  const end = start + ((u64(length) + PAGE - 1n) / PAGE) * PAGE;
  if (end > taskSize(k)) return refuseArgument(k, task.mm, "__do_sys_mincore", "ENOMEM", "refuse.addressRange", "range", end, "hint.hole");
  if (!fullyMapped(k, task.mm, vpnOf(start), vpnOf(end))) return refuseHole(k, task.mm, "do_mincore", "ENOMEM", vpnOf(start), vpnOf(end));
  const out = new Uint8Array(vpnOf(end - start));
  for (const vma of vmasIn(k, task.mm, vpnOf(start), vpnOf(end))) {
    // to mincore memory that is not walked is as if it were not mapped, and a device has no page cache
    if (!isWalked(vma)) continue;
    for (const p of walkPages(k, task.mm, Math.max(vma.start, vpnOf(start)), Math.min(vma.end, vpnOf(end)))) {
      const at = p.vpn - vpnOf(start);
      if (p.state === "present") out.fill(1, at, at + p.pages);
      // what is not mapped may be in the page cache
      else if (vma.file !== 0) for (let i = 0; i < p.pages; i++) out[at + i] = fileResident(k, inodeOf(k, vma), fileIndex(vma, p.vpn + i)) ? 1 : 0;
    }
  }
  return out;
}

/** mseal(2), 6.10: nothing may be unmapped, moved, resized or re-protected any more. */
export function* sysMseal(k: Kernel, task: Task, address: bigint, lengthIn: bigint): Op<Result> {
  if (!k.era.mseal) return refuseRelease(k, task.mm, "__do_sys_mseal", "ENOSYS", "mseal", "hint.mseal");
  const start = u64(address);
  if (!aligned(start)) return refuseAlignment(k, task, "do_mseal", "address", start);
  const length = pageAlign(u64(lengthIn));
  const end = u64(start + length);
  if ((u64(lengthIn) !== 0n && length === 0n) || end < start)
    return refuseArgument(k, task.mm, "do_mseal", "EINVAL", "refuse.addressRange", "range", u64(lengthIn));
  if (end === start) return 0;
  if (end > taskSize(k)) return refuseArgument(k, task.mm, "do_mseal", "ENOMEM", "refuse.addressRange", "range", end, "hint.hole");
  if (!fullyMapped(k, task.mm, vpnOf(start), vpnOf(end))) return refuseHole(k, task.mm, "check_mm_seal", "ENOMEM", vpnOf(start), vpnOf(end));
  yield* mmapWriteLock(k, task.mm);
  yield* vmaStartWrite(k, task.mm, vpnOf(start), vpnOf(end));
  for (const piece of vmasIn(k, task.mm, vpnOf(start), vpnOf(end))) {
    const now = k.vmas.find(piece.slot);
    if (now === undefined || now.flagsHi & VMH.sealed) continue;
    modifyVma(k, now.slot, Math.max(now.start, vpnOf(start)), Math.min(now.end, vpnOf(end)), now.flags, now.flagsHi | VMH.sealed);
  }
  mmapWriteUnlock(k, task.mm);
  return 0;
}

export function* sysBrk(k: Kernel, task: Task, wantedBytes: bigint): Op<bigint> {
  yield* mmapWriteLock(k, task.mm);
  yield* writeLockAll(k, task.mm);
  const r = yield* doBrk(k, task, Number(wantedBytes > taskSize(k) ? 0n : wantedBytes));
  mmapWriteUnlock(k, task.mm);
  return BigInt(r);
}

/** prctl(PR_SET_THP_DISABLE, value, flags). */
export function sysSetThpDisable(k: Kernel, task: Task, value: bigint, flags: number): Result {
  const on = value !== 0n;
  if (flags === 2 && on && !k.era.thpDisableExceptAdvised)
    return refuseRelease(k, task.mm, "prctl_set_thp_disable", "EINVAL", "thpDisableExceptAdvised", "hint.thpDisableFlags");
  if (flags !== 0 && (!on || flags !== 2))
    return refuseArgument(k, task.mm, "prctl_set_thp_disable", "EINVAL", "refuse.argument", "flags", flags, "hint.thpDisableFlags");
  k.mms.update(task.mm, { thpDisable: !on ? 0 : flags === 2 ? 3 : 1 });
  return 0;
}

export const sysGetThpDisable = (k: Kernel, task: Task): Result => k.mms.get(task.mm).thpDisable;

/** setrlimit(2) with the soft and the hard limit alike (do_prlimit). Raising the hard one takes CAP_SYS_RESOURCE. */
export function sysSetrlimit(k: Kernel, task: Task, resource: Resource, bytes: bigint): Result {
  const n = bytes >= 1n << 53n ? Infinity : Number(bytes);
  if (n > limitOf(task, resource) && !task.capSysResource)
    return refuseUncapable(k, task, "do_prlimit", "EPERM", resource, "CAP_SYS_RESOURCE", "hint.rlimitRaise");
  k.tasks.update(task.slot, { [LIMIT_FIELDS[resource]]: n });
  return 0;
}

export function* sysFork(k: Kernel, task: Task, comm: string): Op<Result> {
  yield* mmapWriteLock(k, task.mm);
  yield* writeLockAll(k, task.mm);
  const r = yield* doFork(k, task, comm);
  mmapWriteUnlock(k, task.mm);
  return r;
}

export const sysExit = (k: Kernel, task: Task): void => doExit(k, task);

/** get_user_pages_fast(FOLL_PIN): without locks first, then with the mmap_lock. Returns the frame. */
export function* sysGup(k: Kernel, task: Task, vpn: number, write: boolean, fast: boolean): Op<Result> {
  if (fast) {
    const pfn = yield* gupFast(k, task.mm, vpn, write);
    if (pfn !== NO_PFN) return pfn;
  }
  yield* mmapReadLock(k, task.mm);
  const r = yield* gupSlow(k, task.mm, vpn, write);
  mmapReadUnlock(k, task.mm);
  return r;
}

/** An address or length that is no multiple of the page size: EINVAL. */
const refuseAlignment = (k: Kernel, task: Task, symbol: string, name: ArgumentName, value: bigint): Failure =>
  refuseArgument(k, task.mm, symbol, "EINVAL", "refuse.alignment", name, value, "hint.alignAddress");

/** Pages a process has mapped: VmSize, VmLck and VmPTE of /proc/PID/status, in kB. */
export function statusOf(k: Kernel, mm: number): { VmSize: number; VmLck: number; VmPTE: number; VmRSS: number; VmSwap: number } {
  return {
    VmSize: k.mmCount(mm, MMC.totalVm) * 4,
    VmLck: k.mmCount(mm, MMC.lockedVm) * 4,
    VmPTE: (k.mmCount(mm, MMC.ptes) + k.mmCount(mm, MMC.pmds) + k.mmCount(mm, MMC.puds)) * 4,
    VmRSS: (k.mmCount(mm, MMC.anonPages) + k.mmCount(mm, MMC.filePages) + k.mmCount(mm, MMC.shmemPages)) * 4,
    VmSwap: k.mmCount(mm, MMC.swapEntries) * 4,
  };
}
