import { hugelabMmap } from "../drivers/hugelabMmap.ts";
import type { Op } from "../sched/points.ts";
import { khugepagedEnterVma } from "../thp/khugepagedList.ts";
import { failed, type Failure, type Result } from "./errno.ts";
import { isShmem, openInode, putFile, SHM_MOUNT } from "./inode.ts";
import { MMC, type Kernel } from "./kernel.ts";
import { mlockFutureOk } from "./mlock.ts";
import { freePgdRange } from "./pgtable.ts";
import { mmPopulate } from "./populate.ts";
import type { Task, Vma, VmOps } from "./records.ts";
import { newShmemInode } from "./shmemFile.ts";
import { anyVmaIn, changeVma, insertVma, lowerIndex, mergeVma, removeVma, splitVma, vmasIn } from "./vma.ts";
import { VM, VM_LOCKED_MASK, VM_SPECIAL, VMH } from "./vmFlags.ts";
import { ZAP_ALL, zapRange } from "./zap.ts";
import { refuseArgument, refuseLimit, refuseMapCount, refuseMemlock, refuseOccupied, refuseOvercommit, refuseSealed } from "../why/refusal.ts";
import { tracePlacement } from "../why/vma.ts";

/** mmap, munmap, brk (mm/mmap.c, mm/vma.c). Page numbers; callers have rounded. */

export const MAP = {
  shared: 1,
  private: 2,
  sharedValidate: 3,
  droppable: 8,
  fixed: 0x10,
  anonymous: 0x20,
  growsDown: 0x100,
  locked: 0x2000,
  noReserve: 0x4000,
  populate: 0x8000,
  nonBlock: 0x10000,
  stack: 0x20000,
  hugetlb: 0x40000,
  sync: 0x80000,
  fixedNoReplace: 0x100000,
} as const;

/** may_expand_vm: RLIMIT_AS and RLIMIT_DATA. */
export function mayExpand(k: Kernel, task: Task, flags: number, pages: number): boolean {
  if (k.mmCount(task.mm, MMC.totalVm) + pages > Math.floor(task.rlimitAs / 4096)) return false;
  const data = isData(flags);
  return !data || k.mmCount(task.mm, MMC.dataVm) + pages <= Math.floor(task.rlimitData / 4096);
}

/** ENOMEM for what mayExpand refused: the limit that is too low. */
export function refuseExpand(k: Kernel, task: Task, pages: number, hint?: string): Failure {
  const total = k.mmCount(task.mm, MMC.totalVm) + pages > Math.floor(task.rlimitAs / 4096);
  return refuseLimit(k, task, "may_expand_vm", "ENOMEM", total ? "as" : "data", hint);
}

/** is_data_mapping: private, writable, not a stack. */
const isData = (flags: number): boolean => (flags & (VM.write | VM.shared | VM.growsDown)) === VM.write;

/** vm_stat_account */
export function statAccount(k: Kernel, mm: number, flags: number, pages: number): void {
  k.countMm(mm, MMC.totalVm, pages);
  if (isData(flags)) k.countMm(mm, MMC.dataVm, pages);
}

/** __vm_enough_memory with overcommit_memory=0: only what could never fit is refused. */
export function enoughMemory(k: Kernel, pages: number): boolean {
  if (k.g.overcommitMemory !== 0) return true;
  return pages <= k.profile.memoryMiB * 256;
}

/** The highest gap of `pages` below `top` whose start is aligned (unmapped_area_topdown); -1: none. */
function topDownGap(k: Kernel, mm: number, pages: number, align: number, top: number): number {
  const list = k.mms.get(mm).vmas;
  let ceiling = top;
  for (let i = list.length - 1; i >= -1; i--) {
    const vma = i >= 0 ? k.vmas.get(list[i]) : undefined;
    const floor = vma?.end ?? 16;
    if (floor < ceiling) {
      const start = Math.floor((ceiling - pages) / align) * align;
      if (start >= floor) return start;
    }
    if (vma !== undefined) ceiling = Math.min(ceiling, vma.start);
  }
  return -1;
}

/** __thp_get_unmapped_area: from a gap with room for one more block the place where the file's blocks lie on multiples of their size; -1: none. */
function fileGap(k: Kernel, mm: number, pages: number, pgoff: number, ceiling: number): number {
  const pmd = 1 << k.geo.pmdOrder;
  const wide = topDownGap(k, mm, pages + pmd, 1, ceiling);
  if (wide < 0) return -1;
  const lead = (((pgoff - wide) % pmd) + pmd) % pmd;
  return wide + (lead === 0 ? pmd : lead);
}

/**
 * get_unmapped_area for anonymous memory and files of disks, with THP alignment as the release does it (kernel-semantics.md 1.9).
 * Files of disks are always aligned (thp_get_unmapped_area). `aligns` false: the plain search.
 */
export function unmappedArea(k: Kernel, mm: number, hint: number, pages: number, isFile = false, aligns = true, pgoff = 0): Result {
  const top = k.geo.taskSizePages;
  if (pages > top) return refuseArgument(k, mm, "get_unmapped_area", "ENOMEM", "refuse.addressRange", "length", pages);
  // mmap_address_hint_valid, 5 levels: a hint opens the space above 47 bits, and no mapping lies across its lower end
  const window = k.geo.mapWindowPages;
  const inOnePart = hint > window === hint + pages > window;
  const ceiling = k.mms.get(mm).mmapBase + (hint > window ? top - window : 0);
  if (hint > 0 && hint + pages <= top && inOnePart && !anyVmaIn(k, mm, hint, hint + pages)) return hint;
  const pmd = 1 << k.geo.pmdOrder;
  const style = k.era.mmapThpAlign;
  const wants =
    aligns &&
    k.geo.thp &&
    (isFile
      ? pgoff + pages - Math.ceil(pgoff / pmd) * pmd >= pmd
      : style === "always"
        ? pages >= pmd
        : style === "pmdMultiple"
          ? pages % pmd === 0
          : style === "pmdMultipleNoHint"
            ? pages % pmd === 0 && hint === 0
            : false);
  if (k.tracer !== null) tracePlacement(k, mm, hint, pages, wants);
  if (wants) {
    const aligned = isFile ? fileGap(k, mm, pages, pgoff, ceiling) : topDownGap(k, mm, pages, pmd, ceiling);
    if (aligned >= 0) return aligned;
  }
  const found = topDownGap(k, mm, pages, 1, ceiling);
  return found >= 0 ? found : refuseArgument(k, mm, "vm_unmapped_area", "ENOMEM", "refuse.noRoom", "length", pages);
}

export interface MmapRequest {
  /** page number asked for; 0 with no MAP_FIXED: anywhere */
  readonly start: number;
  readonly pages: number;
  /** PROT_* bits */
  readonly prot: number;
  /** MAP_* bits */
  readonly flags: number;
  /** slot of the struct file to map, 0 for anonymous memory; the caller keeps its reference */
  readonly file: number;
  /** first page of the file */
  readonly pgoff: number;
}

/** The part of do_mmap about MAP_SHARED, MAP_PRIVATE and what the file was opened for: VM_* bits to set and to clear, or the errno. */
function sharingFlags(k: Kernel, mm: number, r: MmapRequest): Result<{ readonly set: number; readonly clear: number }> {
  const type = r.flags & 0xf;
  const wrong = (errno: "EINVAL" | "EOPNOTSUPP" | "EACCES", hint?: string): Failure =>
    refuseArgument(k, mm, "do_mmap", errno, "refuse.argument", "flags", r.flags, hint);
  const grows = (r.flags & MAP.growsDown) !== 0;
  if (r.file === 0) {
    if (type === MAP.private || (type === MAP.droppable && k.era.droppable)) return { set: 0, clear: 0 };
    if (type !== MAP.shared || grows) return wrong("EINVAL", "hint.mapType");
    return { set: VM.shared | VM.mayShare, clear: 0 };
  }
  const file = k.files.get(r.file);
  // file_mmap_ok: no byte of a file lies behind MAX_LFS_FILESIZE, 2^63 - 1
  if (r.pgoff > 2 ** 51 - 1 - r.pages) return refuseArgument(k, mm, "file_mmap_ok", "EOVERFLOW", "refuse.addressRange", "offset", r.pgoff, "hint.mapOffset");
  if (type === MAP.droppable || (type !== MAP.private && type !== MAP.shared && type !== MAP.sharedValidate)) return wrong("EINVAL", "hint.mapType");
  if (type === MAP.sharedValidate && (r.flags & MAP.sync) !== 0) return wrong("EOPNOTSUPP", "hint.mapSync");
  if (type !== MAP.private && (r.prot & 2) !== 0 && !file.writable) return wrong("EACCES", "hint.openForWriting");
  if (!file.readable) return wrong("EACCES");
  if (grows) return wrong("EINVAL");
  if (type === MAP.private) return { set: 0, clear: 0 };
  return { set: VM.shared | VM.mayShare, clear: file.writable ? 0 : VM.mayWrite | VM.shared };
}

/** Where the kernel puts a mapping by itself: as its file asks for (->get_unmapped_area), else as for anonymous memory. */
function placeMapping(k: Kernel, mm: number, r: MmapRequest): Result {
  const isShm = r.file === 0 ? (r.flags & 0xf) === MAP.shared : isShmem(k, k.inodes.get(k.files.get(r.file).inode));
  if (isShm) return shmemUnmappedArea(k, mm, r);
  // a device asks for nothing; until 6.12 it was aligned as anonymous memory was
  const isDevice = r.file !== 0 && k.inodes.get(k.files.get(r.file).inode).device !== null;
  if (isDevice) return unmappedArea(k, mm, r.start, r.pages, false, k.era.mmapThpAlign !== "pmdMultipleNoHint");
  return unmappedArea(k, mm, r.start, r.pages, r.file !== 0, true, r.pgoff);
}

/** shmem_get_unmapped_area: aligned for the largest folio that the mapping may be given. */
function shmemUnmappedArea(k: Kernel, mm: number, r: MmapRequest): Result {
  const plain = unmappedArea(k, mm, r.start, r.pages, true, false);
  const { g } = k;
  if (failed(plain) || r.start !== 0 || !k.geo.thp || g.shmemEnabled === "deny") return plain;
  const mount = k.mounts.get(r.file === 0 ? SHM_MOUNT : k.inodes.get(k.files.get(r.file).inode).mount);
  let order = g.shmemEnabled === "force" || mount.huge !== "never" ? k.geo.pmdOrder : 0;
  if (g.shmemEnabled !== "force" && r.file === 0 && k.era.shmemSizes) {
    const used = (mode: string): boolean => mode !== "never" && (mode !== "inherit" || mount.huge !== "never");
    g.shmemSizes.forEach((mode, o) => (order = used(mode) && (o > order || order === k.geo.pmdOrder) ? o : order));
  }
  const n = 2 ** order;
  const offset = r.pgoff % n;
  if (order === 0 || r.pages < n || (offset !== 0 && offset + r.pages < 2 * n) || plain % n === offset) return plain;
  const wide = unmappedArea(k, mm, 0, r.pages + n - 1, true, false);
  if (failed(wide)) return plain;
  const lead = wide % n;
  const at = wide - lead + offset + (lead > offset ? n : 0);
  return at > k.geo.taskSizePages - r.pages ? plain : at;
}

/** do_mmap. Returns the page number of the mapping. */
export function* doMmap(k: Kernel, task: Task, r: MmapRequest): Op<Result> {
  const mm = task.mm;
  if (k.mms.get(mm).vmas.length > k.g.maxMapCount) return refuseMapCount(k, mm, "do_mmap");
  let flags = (r.prot & 7) | k.mms.get(mm).defFlags | VM.mayRead | VM.mayWrite | VM.mayExec;
  let flagsHi = 0;
  if (r.flags & MAP.growsDown) flags |= VM.growsDown;
  if (r.flags & MAP.locked) flags |= VM.locked;
  if (r.flags & MAP.stack && k.era.stackNoHugePage) flags |= VM.noHugePage;
  let start = r.start;
  if (r.flags & (MAP.fixed | MAP.fixedNoReplace)) {
    if (start + r.pages > k.geo.taskSizePages)
      return refuseArgument(k, mm, "get_unmapped_area", "ENOMEM", "refuse.addressRange", "address", start, "hint.taskSize");
    if (r.flags & MAP.fixedNoReplace && anyVmaIn(k, mm, start, start + r.pages))
      return refuseOccupied(k, mm, "do_mmap", "EEXIST", start, start + r.pages, "hint.occupied");
  } else {
    const found = placeMapping(k, mm, r);
    if (failed(found)) return found;
    start = found;
  }
  if (r.flags & MAP.locked && task.rlimitMemlock === 0 && !task.capIpcLock) return refuseMemlock(k, task, "can_do_mlock", "EPERM");
  if (flags & VM.locked && !mlockFutureOk(k, task, r.pages)) return refuseMemlock(k, task, "mlock_future_ok", "EAGAIN", "hint.memlock");
  const sharing = sharingFlags(k, mm, r);
  if (failed(sharing)) return sharing;
  flags = (flags | sharing.set) & ~sharing.clear;
  if ((r.flags & MAP.droppable) === MAP.droppable && k.era.droppable) {
    if (flags & (VM.locked | VM.growsDown)) return refuseArgument(k, mm, "do_mmap", "EINVAL", "refuse.argument", "flags", r.flags);
    flags |= VM.wipeOnFork | VM.dontDump | VM.noReserve;
    flagsHi |= VMH.droppable;
  }
  if (r.flags & MAP.noReserve && k.g.overcommitMemory !== 2) flags |= VM.noReserve;
  const mapped = mmapRegion(k, task, start, r.pages, flags, flagsHi, r.file, r.pgoff);
  if (failed(mapped)) return mapped;
  const populate = (r.flags & (MAP.populate | MAP.nonBlock)) === MAP.populate || (flags & (VM.locked | VM.lockOnFault)) === VM.locked;
  if (populate) yield* mmPopulate(k, mm, start, start + r.pages, true);
  return start;
}

/** shmem_zero_setup: the unlinked file behind shared anonymous memory. Its pages are accounted for at once, but with MAP_NORESERVE. */
function shmemZeroSetup(k: Kernel, mm: number, pages: number, flags: number): Result {
  const noReserve = (flags & VM.noReserve) !== 0;
  if (!noReserve && !enoughMemory(k, pages)) return refuseOvercommit(k, mm, pages);
  const inode = newShmemInode(k, SHM_MOUNT, "/dev/zero (deleted)", pages * 4096, 0, noReserve);
  return openInode(k, inode, true, true).slot;
}

/** ->mmap of a file of a file system: whose vm_ops the VMA gets (shmem_mmap asks whether the file has a name). */
function vmOpsOf(k: Kernel, file: number): VmOps {
  if (file === 0) return "none";
  const inode = k.inodes.get(k.files.get(file).inode);
  if (inode.shm !== 0) return "sysv";
  return !isShmem(k, inode) ? "disk" : inode.nlink > 0 ? "shmem" : "anonShmem";
}

/** mmap_region: replaces what is there and merges with the neighbours. `fileIn` 0: anonymous memory, for which shared ones get a file here. */
export function mmapRegion(k: Kernel, task: Task, start: number, pages: number, flagsIn: number, flagsHi: number, fileIn = 0, pgoffIn = 0): Result {
  const mm = task.mm;
  let flags = flagsIn;
  const replaced = vmasIn(k, mm, start, start + pages).reduce((sum, v) => sum + Math.min(v.end, start + pages) - Math.max(v.start, start), 0);
  const cut = cutForUnmap(k, mm, start, start + pages);
  if (failed(cut)) return cut;
  if (!mayExpand(k, task, flags, pages - replaced)) return refuseExpand(k, task, pages - replaced, "hint.addressSpace");
  if ((flags & (VM.noReserve | VM.shared | VM.write)) === VM.write) {
    if (!enoughMemory(k, pages)) return refuseOvercommit(k, mm, pages);
    flags |= VM.account;
  }
  if (replaced > 0) removeRange(k, mm, start, start + pages);
  const device = hugelabMmap(k, fileIn, pgoffIn, pages, flags);
  if (failed(device)) return device;
  // VM_LOCKED means nothing to memory that is not paged
  if (device !== undefined) flags = device.flags & ~(fileIn !== 0 && device.flags & VM_SPECIAL ? VM_LOCKED_MASK : 0);
  const isSharedAnon = fileIn === 0 && (flags & VM.mayShare) !== 0;
  const made = isSharedAnon ? shmemZeroSetup(k, mm, pages, flags) : fileIn;
  if (failed(made)) return made;
  const vma = placeVma(k, {
    mm,
    start,
    end: start + pages,
    flags,
    flagsHi,
    pgoff: made === 0 ? start : pgoffIn,
    file: made,
    ops: device === undefined ? vmOpsOf(k, made) : device.ops,
    name: "",
    anonVma: 0,
  });
  // the VMA has its own reference now
  if (isSharedAnon) putFile(k, made);
  statAccount(k, mm, flags, pages);
  if (flags & VM.locked) k.countMm(mm, MMC.lockedVm, pages);
  return vma.start;
}

/** The end of mmap_region: a neighbour grows over the range, or it gets a VMA of its own. */
function placeVma(k: Kernel, v: Omit<Vma, "slot" | "step" | "chain">): Vma {
  const merged = mergeVma(k, { ...v, middle: undefined, copiedFrom: undefined });
  if (merged !== undefined) return changeVma(k, merged.slot, { flags: merged.flags | VM.softDirty });
  const vma = insertVma(k, { ...v, flags: v.flags | VM.softDirty, chain: [] });
  khugepagedEnterVma(k, vma, v.flags);
  return vma;
}

/**
 * vms_gather_munmap_vmas: cuts the mappings at both ends of the range. A sealed mapping refuses; what was cut before it was
 * met stays cut (6.12; the first releases of mseal looked at the whole range first).
 */
function cutForUnmap(k: Kernel, mm: number, start: number, end: number): Result {
  const hit = vmasIn(k, mm, start, end);
  if (hit.length === 0) return 0;
  const sealed = (v: Vma): boolean => (v.flagsHi & VMH.sealed) !== 0;
  const anySealed = hit.find(sealed);
  if (k.era.sealedCheck === "wholeRange" && anySealed !== undefined) return refuseSealed(k, anySealed, "can_modify_mm");
  const first = hit[0];
  if (first.start < start) {
    if (first.end > end && k.mms.get(mm).vmas.length >= k.g.maxMapCount) return refuseMapCount(k, mm, "vms_gather_munmap_vmas");
    if (sealed(first)) return refuseSealed(k, first, "vms_gather_munmap_vmas");
    splitVma(k, first.slot, start, true);
  }
  for (const vma of vmasIn(k, mm, start, end)) {
    if (sealed(vma)) return refuseSealed(k, vma, "vms_gather_munmap_vmas");
    if (vma.end > end) splitVma(k, vma.slot, end, false);
  }
  return 0;
}

/** do_munmap: removes every mapping of [start, end). Nothing mapped there is not an error. */
export function doMunmap(k: Kernel, mm: number, start: number, end: number): Result {
  const cut = cutForUnmap(k, mm, start, end);
  if (failed(cut)) return cut;
  removeRange(k, mm, start, end);
  return 0;
}

/** Zaps and frees whole VMAs, then the page tables that nothing needs any more (unmap_region). */
function removeRange(k: Kernel, mm: number, start: number, end: number): void {
  const gone = vmasIn(k, mm, start, end);
  if (gone.length === 0) return;
  const list = k.mms.get(mm).vmas;
  const at = lowerIndex(k, mm, start);
  const floor = at > 0 ? k.vmas.get(list[at - 1]).end : 0;
  const after = at + gone.length;
  const ceiling = after < list.length ? k.vmas.get(list[after]).start : 0;
  for (const vma of gone) {
    zapRange(k, vma, vma.start, vma.end, ZAP_ALL);
    statAccount(k, mm, vma.flags, vma.start - vma.end);
    if (vma.flags & VM.locked) k.countMm(mm, MMC.lockedVm, vma.start - vma.end);
  }
  const from = gone[0].start;
  const to = gone[gone.length - 1].end;
  for (const vma of gone) removeVma(k, vma.slot);
  freePgdRange(k, mm, from, to, floor, ceiling);
}

/** exit_mmap: everything goes. */
export function exitMmap(k: Kernel, mm: number): void {
  removeRange(k, mm, 0, k.geo.taskSizePages + 1);
}

/** brk(2): moves the end of the heap. Returns the new end in bytes (the old one when refused), as the kernel does. */
export function* doBrk(k: Kernel, task: Task, wantedBytes: number): Op<number> {
  const mm = k.mms.get(task.mm);
  const startBytes = mm.startBrk * 4096;
  if (wantedBytes < startBytes) return mm.brkBytes;
  const oldEnd = Math.ceil(mm.brkBytes / 4096);
  const newEnd = Math.ceil(wantedBytes / 4096);
  if (newEnd < oldEnd) {
    const r = doMunmap(k, task.mm, newEnd, oldEnd);
    if (failed(r)) return mm.brkBytes;
  } else if (newEnd > oldEnd) {
    if (newEnd > k.geo.taskSizePages || anyVmaIn(k, task.mm, oldEnd, newEnd + 1)) return mm.brkBytes;
    const flags = VM.read | VM.write | VM.mayRead | VM.mayWrite | VM.mayExec | mm.defFlags;
    if (flags & VM.locked && !mlockFutureOk(k, task, newEnd - oldEnd)) return mm.brkBytes;
    const r = mmapRegion(k, task, oldEnd, newEnd - oldEnd, flags, 0);
    if (failed(r)) return mm.brkBytes;
    if (flags & VM.locked) yield* mmPopulate(k, task.mm, oldEnd, newEnd, true);
  }
  k.mms.update(task.mm, { brkBytes: wantedBytes });
  return wantedBytes;
}
