import { FADV, maxBytes, sysFadvise, sysFallocate, sysFsync, sysFtruncate } from "../fileCalls.ts";
import { fail, failed, type Failure, type Result } from "../mm/errno.ts";
import { isShmem, openInode, putFile } from "../mm/inode.ts";
import type { Kernel } from "../mm/kernel.ts";
import { filemapNext, filemapFolio } from "../mm/pageCache.ts";
import type { Descriptor, Inode, OpenFile, Task } from "../mm/records.ts";
import { newShmemInode } from "../mm/shmemFile.ts";
import { hasFlag } from "../mm/folio.ts";
import { PG } from "../mm/pageFlags.ts";
import { refuseArgument, refuseRelease } from "../why/refusal.ts";
import { closeFd, fdDuplicate, fdget, fdInstall, TERMINAL, unusedFd } from "./fdTable.ts";
import { O, pathOpenat } from "./namei.ts";

/** System calls that give, take or use file descriptors, but for those that move data (readWrite.ts). Numbers are those of the process. */

/** EBADF: no such descriptor, or not open for what is wanted. */
export const refuseFd = (k: Kernel, task: Task, symbol: string, fd: number, hint = "hint.noDescriptor"): Failure =>
  refuseArgument(k, task.mm, symbol, "EBADF", "refuse.argument", "fd", fd, hint);

/** The descriptor, or EBADF. */
export function needFd(k: Kernel, task: Task, fd: number, symbol: string): Result<Descriptor> {
  return fdget(k, task, fd) ?? refuseFd(k, task, symbol, fd);
}

/** A descriptor of a file, or null for the terminal, which is no file. */
export function needFile(k: Kernel, task: Task, fd: number, symbol: string): Result<OpenFile | null> {
  const d = needFd(k, task, fd, symbol);
  if (failed(d)) return d;
  return d.file === TERMINAL ? null : k.files.get(d.file);
}

/** The number that a new descriptor gets: the lowest free one, or the one wanted where that is free. */
function numberFor(k: Kernel, task: Task, wanted: number | null): Result {
  const lowest = unusedFd(k, task);
  if (failed(lowest) || wanted === null || wanted < 0 || wanted >= k.tasks.get(task.slot).rlimitNofile) return lowest;
  return fdget(k, task, wanted) === undefined ? wanted : lowest;
}

/** open(2), openat(2). `wanted`: a number to be used if it is free, as a recording had it. */
export function sysOpenat(k: Kernel, task: Task, path: string, flags: number, mode: number, wanted: number | null = null): Result {
  // the number comes first (do_sys_openat2)
  const fd = numberFor(k, task, wanted);
  if (failed(fd)) return fd;
  const file = pathOpenat(k, path, flags, mode);
  if (failed(file)) return file;
  fdInstall(k, task, { fd, file: file.slot, closeOnExec: (flags & O.cloExec) !== 0 });
  return fd;
}

/** MFD_* */
export const MFD = { cloExec: 1, allowSealing: 2, hugetlb: 4, noExecSeal: 8, exec: 0x10 } as const;
/** MFD_NAME_MAX_LEN: what a name of 255 bytes leaves behind "memfd:" */
const MFD_NAME_MAX = 249;
/** the logarithm of a size of huge pages stands in these bits */
const MFD_HUGE_MASK = 0xfc000000;

/** memfd_create(2) of ordinary pages: an unlinked file of shm_mnt. */
export function sysMemfd(k: Kernel, task: Task, name: string, flags: number, wanted: number | null = null): Result {
  const refuse = (hint?: string): Failure => refuseArgument(k, task.mm, "sanitize_flags", "EINVAL", "refuse.argument", "flags", flags, hint);
  const known = MFD.cloExec | MFD.allowSealing | (flags & MFD.hugetlb ? MFD.hugetlb | MFD_HUGE_MASK : 0) | MFD.noExecSeal | MFD.exec;
  if ((flags & ~known) !== 0) return refuse("hint.memfdFlags");
  const mayRun = flags & (MFD.noExecSeal | MFD.exec);
  if (mayRun !== 0 && !k.era.memfdNoExec) return refuseRelease(k, task.mm, "__do_sys_memfd_create", "EINVAL", "memfdNoExec", "hint.memfdFlags");
  if (mayRun === (MFD.noExecSeal | MFD.exec)) return refuse("hint.memfdFlags");
  if (name.length > MFD_NAME_MAX) return refuseArgument(k, task.mm, "alloc_name", "EINVAL", "refuse.argument", "path", name.length, "hint.memfdName");
  const fd = numberFor(k, task, wanted);
  if (failed(fd)) return fd;
  const mode = flags & MFD.noExecSeal ? 0o666 : 0o777;
  const file = openInode(k, newShmemInode(k, 1, `/memfd:${name} (deleted)`, 0, 0, true, mode), true, true, O.rdWr | O.largeFile);
  fdInstall(k, task, { fd, file: file.slot, closeOnExec: (flags & MFD.cloExec) !== 0 });
  return fd;
}

export const sysCloseFd = (k: Kernel, task: Task, fd: number): Result => closeFd(k, task, fd);

/** dup(2) */
export function sysDup(k: Kernel, task: Task, from: number): Result {
  const d = needFd(k, task, from, "__do_sys_dup");
  if (failed(d)) return d;
  const fd = unusedFd(k, task);
  if (!failed(fd)) fdDuplicate(k, task, d, fd, false);
  return fd;
}

/** dup2(2), and dup3(2), which refuses equal numbers and may set FD_CLOEXEC. */
export function sysDup2(k: Kernel, task: Task, from: number, to: number, flags: number | null): Result {
  if (flags !== null && ((flags & ~O.cloExec) !== 0 || from === to))
    return refuseArgument(k, task.mm, "ksys_dup3", "EINVAL", "refuse.argument", "flags", flags, "hint.dupNumbers");
  if (to < 0 || to >= k.tasks.get(task.slot).rlimitNofile) return refuseFd(k, task, "ksys_dup3", to, "hint.descriptors");
  const d = needFd(k, task, from, "ksys_dup3");
  if (failed(d)) return d;
  if (from === to) return to;
  if (fdget(k, task, to) !== undefined) closeFd(k, task, to);
  fdDuplicate(k, task, d, to, flags !== null && (flags & O.cloExec) !== 0);
  return to;
}

export function sysFtruncateFd(k: Kernel, task: Task, fd: number, length: bigint): Result {
  if (BigInt.asIntN(64, length) < 0n)
    return refuseArgument(k, task.mm, "do_sys_ftruncate", "EINVAL", "refuse.argument", "value", length, "hint.negativeOffset");
  const file = needFile(k, task, fd, "do_sys_ftruncate");
  if (file !== null && failed(file)) return file;
  if (file === null || !file.writable) return refuseArgument(k, task.mm, "do_ftruncate", "EINVAL", "refuse.argument", "fd", fd, "hint.openToWrite");
  return sysFtruncate(k, file, length);
}

/** truncate(2) of what a path leads to. */
export function sysTruncatePath(k: Kernel, task: Task, path: string, length: bigint): Result {
  if (BigInt.asIntN(64, length) < 0n) return refuseArgument(k, task.mm, "do_sys_truncate", "EINVAL", "refuse.argument", "value", length, "hint.negativeOffset");
  const file = pathOpenat(k, path, O.rdWr, 0);
  if (failed(file)) return file;
  const r = sysFtruncate(k, file, length);
  putFile(k, file.slot);
  return r;
}

export function sysFallocateFd(k: Kernel, task: Task, fd: number, mode: number, offset: bigint, length: bigint): Result {
  const file = needFile(k, task, fd, "ksys_fallocate");
  if (file !== null && failed(file)) return file;
  if (file === null) return fail("ENODEV", "hint.notRegular");
  return sysFallocate(k, file, mode, offset, length);
}

export function sysFadviseFd(k: Kernel, task: Task, fd: number, offset: bigint, length: bigint, advice: number): Result {
  const file = needFile(k, task, fd, "ksys_fadvise64_64");
  if (file !== null && failed(file)) return file;
  if (BigInt.asIntN(64, length) < 0n)
    return refuseArgument(k, task.mm, "generic_fadvise", "EINVAL", "refuse.argument", "length", length, "hint.negativeOffset");
  if (advice < 0 || advice > FADV.noReuse) return refuseArgument(k, task.mm, "generic_fadvise", "EINVAL", "refuse.argument", "advice", advice, "hint.fadvise");
  return file === null ? 0 : sysFadvise(k, file, offset, length, advice);
}

/** fsync(2) and fdatasync(2), which differ in what cannot be seen. */
export function sysFsyncFd(k: Kernel, task: Task, fd: number): Result {
  const file = needFile(k, task, fd, "do_fsync");
  if (file !== null && failed(file)) return file;
  if (file === null) return refuseArgument(k, task.mm, "vfs_fsync_range", "EINVAL", "refuse.argument", "fd", fd, "hint.notRegular");
  return sysFsync(k, file);
}

/** What fstat(2) tells of a file; null: of the terminal. */
export function sysFstat(k: Kernel, task: Task, fd: number): Result<Inode | null> {
  const file = needFile(k, task, fd, "vfs_fstat");
  if (file === null || failed(file)) return file;
  return k.inodes.get(file.inode);
}

const SEEK = { set: 0, cur: 1, end: 2, data: 3, hole: 4 } as const;

/** lseek(2). SEEK_DATA and SEEK_HOLE are simulated on tmpfs; undefined on a disk, where blocks and not pages would answer. */
export function sysLseek(k: Kernel, task: Task, fd: number, offsetIn: bigint, whence: number): Result | undefined {
  const file = needFile(k, task, fd, "ksys_lseek");
  if (file !== null && failed(file)) return file;
  const refuse = (hint?: string): Failure => refuseArgument(k, task.mm, "vfs_llseek", "EINVAL", "refuse.argument", "offset", offsetIn, hint);
  if (whence < 0 || whence > SEEK.hole) return refuse("hint.whence");
  if (file === null) return refuseArgument(k, task.mm, "no_seek_end_llseek", "ESPIPE", "refuse.argument", "fd", fd, "hint.notRegular");
  const inode = k.inodes.get(file.inode);
  const offset = BigInt.asIntN(64, offsetIn);
  let to: bigint;
  if (whence === SEEK.data || whence === SEEK.hole) {
    if (!isShmem(k, inode)) return undefined;
    const found = seekHoleData(k, inode, offset, whence === SEEK.data);
    if (failed(found)) return found;
    to = BigInt(found);
  } else to = offset + (whence === SEEK.set ? 0n : BigInt(whence === SEEK.cur ? file.posBytes : inode.sizeBytes));
  if (to < 0n || to > BigInt(maxBytes(k, inode))) return refuse(to < 0n ? "hint.negativeOffset" : "hint.fileSizeHere");
  k.files.update(file.slot, { posBytes: Number(to) });
  return Number(to);
}

/** mapping_seek_hole_data: the next page in the cache, or the next place without one; the end of the file is a hole. */
function seekHoleData(k: Kernel, inode: Inode, offset: bigint, wantsData: boolean): Result {
  const size = inode.sizeBytes;
  if (offset < 0n || offset >= BigInt(size)) return fail("ENXIO", "hint.beyondEof");
  const start = Number(offset);
  const last = Math.ceil(size / 4096) - 1;
  let index = Math.floor(start / 4096);
  if (wantsData) {
    for (index = filemapNext(k, inode.slot, index, last); index >= 0; index = filemapNext(k, inode.slot, index + 1, last))
      if (hasFlag(k, filemapFolio(k, inode.slot, index), PG.uptodate)) return Math.max(start, index * 4096);
    return fail("ENXIO", "hint.noData");
  }
  while (index <= last) {
    const next = filemapNext(k, inode.slot, index, last);
    if (next !== index || !hasFlag(k, filemapFolio(k, inode.slot, index), PG.uptodate)) break;
    index++;
  }
  return Math.min(size, Math.max(start, index * 4096));
}
