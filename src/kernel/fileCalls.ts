import { O, pathOpenat } from "./fs/namei.ts";
import { uniformBytes, type ByteRuns } from "./mm/content.ts";
import type { fail } from "./mm/errno.ts";
import { failed, type Failure, type Result } from "./mm/errno.ts";
import { diskFallocate, diskRead, diskSetSize, diskWrite, diskWriteback, invalidateMappingPages } from "./mm/diskFile.ts";
import { addMount, inodeUnused, isShmem, mountOf, openInode, putFile } from "./mm/inode.ts";
import type { Kernel } from "./mm/kernel.ts";
import { parseTmpfsOptions } from "./mm/mountOptions.ts";
import { filemapPage } from "./mm/pageCache.ts";
import { syncReadahead } from "./mm/readahead.ts";
import type { Inode, OpenFile } from "./mm/records.ts";
import { FALLOC, newShmemInode, shmemFallocate, shmemRead, shmemSetSize, shmemWrite, type ReadBytes } from "./mm/shmemFile.ts";
import { NO_PFN } from "./units.ts";
import { refuseArgument } from "./why/refusal.ts";

/**
 * System calls on files and mounts, with byte offsets. Paths are whole; directories are not simulated beyond mounts. Offsets and
 * lengths of 64 bits are judged here, so that what is below has numbers below 2^53.
 */

/** Here files end at 2^50, below what a number holds exactly. MAX_LFS_FILESIZE, where those of tmpfs and xfs end, is 2^63-1. */
const MAX_BYTES = 2 ** 50;
/** ext4_max_size: 2^32 - 1 blocks */
const EXT4_MAX_BYTES = (2 ** 32 - 1) * 4096;

/** s_maxbytes: no byte of a file lies behind it. */
export const maxBytes = (k: Kernel, inode: Inode): number => (mountOf(k, inode).fs === "ext4" ? EXT4_MAX_BYTES : MAX_BYTES);

/** EFBIG: beyond what the file system can have, or what is simulated. */
const refuseSize = (k: Kernel, inode: Inode, symbol: string, value: bigint): Failure =>
  refuseArgument(k, 0, symbol, "EFBIG", "refuse.argument", "value", value, mountOf(k, inode).fs === "ext4" ? "hint.fileSize" : "hint.fileSizeHere");

/** open(2) with mode 0644: a struct file with a reference of the caller's. `create`: O_CREAT. */
export const sysOpen = (k: Kernel, path: string, writable: boolean, create = false): Result<OpenFile> =>
  pathOpenat(k, path, (writable ? O.rdWr : 0) | (create ? O.creat : 0), 0o644);

/** open(2) through /proc/PID/fd: a file that somebody holds, opened once more. */
export const sysOpenInode = (k: Kernel, inode: number, writable: boolean): OpenFile => openInode(k, inode, true, writable);

/** close(2) of what sysOpen gave. */
export const sysClose = (k: Kernel, file: OpenFile): void => putFile(k, file.slot);

/** memfd_create(2): an unlinked file of shm_mnt, opened. */
export function sysMemfdCreate(k: Kernel, name: string): OpenFile {
  return openInode(k, newShmemInode(k, 1, `/memfd:${name} (deleted)`, 0, 0, true), true, true);
}

/** mount(2) of tmpfs at a path that nothing is mounted at. */
export function sysMountTmpfs(k: Kernel, path: string, options: string): Result {
  const parsed = parseTmpfsOptions(k, options);
  if (failed(parsed)) return parsed;
  addMount(k, "tmpfs", path, parsed.huge, parsed.maxBlocks);
  return 0;
}

/** umount2(2): EBUSY while a file of it is open or mapped. */
export function sysUmount(k: Kernel, path: string): Result {
  const mount = [...k.mounts.entries()].map(([, m]) => m).find((m) => m.path !== "" && m.path === path);
  if (mount === undefined) return refuseArgument(k, 0, "path_umount", "EINVAL", "refuse.file", "value", path, "hint.notMounted");
  const own = [...k.inodes.entries()].map(([, inode]) => inode).filter((inode) => inode.mount === mount.slot);
  if (own.some((inode) => inode.refs > 0)) return refuseArgument(k, 0, "do_umount", "EBUSY", "refuse.file", "value", path, "hint.mountBusy");
  for (const inode of own) {
    k.inodes.update(inode.slot, { nlink: 0 });
    inodeUnused(k, inode.slot);
  }
  k.mounts.remove(mount.slot);
  return 0;
}

/** A device of drivers/hugelab.ts is there to be mapped: its driver has no other calls. */
const isDevice = (k: Kernel, file: OpenFile): boolean => k.inodes.get(file.inode).device !== null;
const refuseDevice = (k: Kernel, inode: Inode, symbol: string, errno: "EINVAL" | "ENODEV"): Failure =>
  refuseArgument(k, 0, symbol, errno, "refuse.file", "path", inode.path, "hint.deviceNotFile");

/** An offset or length as the calls take it; undefined for a negative one. */
function bytesOf(n: bigint): number | undefined {
  const signed = BigInt.asIntN(64, n);
  return signed < 0n ? undefined : signed > BigInt(MAX_BYTES) ? Infinity : Number(signed);
}

const refuseOffset = (k: Kernel, symbol: string, value: bigint): ReturnType<typeof fail> =>
  refuseArgument(k, 0, symbol, "EINVAL", "refuse.argument", "value", value, "hint.negativeOffset");

export function sysFtruncate(k: Kernel, file: OpenFile, length: bigint): Result {
  const bytes = bytesOf(length);
  if (bytes === undefined) return refuseOffset(k, "do_sys_ftruncate", length);
  const inode = k.inodes.get(file.inode);
  if (bytes > maxBytes(k, inode)) return refuseSize(k, inode, "inode_newsize_ok", length);
  if (inode.device !== null) return refuseDevice(k, inode, "do_ftruncate", "EINVAL");
  return isShmem(k, inode) ? shmemSetSize(k, file.inode, bytes) : diskSetSize(k, file.inode, bytes);
}

/** The part of vfs_fallocate about FALLOC_FL_*: one operation at a time, a hole only with KEEP_SIZE, moving only without. */
function fallocateModeValid(mode: number): boolean {
  const keeps = (mode & FALLOC.keepSize) !== 0;
  const operation = mode & ~FALLOC.keepSize;
  if (operation === FALLOC.punchHole) return keeps;
  if (operation === FALLOC.collapseRange || operation === FALLOC.insertRange) return !keeps;
  return operation === 0 || operation === FALLOC.zeroRange || operation === FALLOC.unshareRange;
}

export function sysFallocate(k: Kernel, file: OpenFile, mode: number, offsetIn: bigint, lengthIn: bigint): Result {
  const offset = bytesOf(offsetIn);
  const length = bytesOf(lengthIn);
  if (offset === undefined || length === undefined || length === 0) return refuseOffset(k, "vfs_fallocate", lengthIn);
  if (!fallocateModeValid(mode)) return refuseArgument(k, 0, "vfs_fallocate", "EOPNOTSUPP", "refuse.argument", "flags", mode, "hint.fallocMode");
  if (!file.writable) return refuseArgument(k, 0, "vfs_fallocate", "EBADF", "refuse.argument", "flags", file.flags, "hint.openToWrite");
  const inode = k.inodes.get(file.inode);
  if (offset + length > maxBytes(k, inode)) return refuseSize(k, inode, "vfs_fallocate", offsetIn);
  if (inode.device !== null) return refuseDevice(k, inode, "vfs_fallocate", "ENODEV");
  return isShmem(k, inode) ? shmemFallocate(k, file.inode, mode, offset, length) : diskFallocate(k, file.inode, mode, offset, length);
}

export const sysPwrite = (k: Kernel, file: OpenFile, offset: bigint, length: number, value: number): Result =>
  pwriteBytes(k, file, offset, uniformBytes(length, value));

/** pwrite(2) of bytes that the caller has got already. What does not fit below the largest size of a file is left out. */
export function pwriteBytes(k: Kernel, file: OpenFile, offsetIn: bigint, bytes: ByteRuns): Result {
  const offset = bytesOf(offsetIn);
  if (offset === undefined) return refuseOffset(k, "ksys_pwrite64", offsetIn);
  const inode = k.inodes.get(file.inode);
  if (inode.device !== null) return refuseDevice(k, inode, "vfs_write", "EINVAL");
  const most = maxBytes(k, inode);
  if (bytes.lengthBytes > 0 && offset >= most) return refuseSize(k, inode, "generic_write_check_limits", offsetIn);
  const written = { ...bytes, lengthBytes: Math.min(bytes.lengthBytes, most - offset) };
  return isShmem(k, inode) ? shmemWrite(k, file.inode, offset, written) : diskWrite(k, file.inode, offset, written);
}

export function sysPread(k: Kernel, file: OpenFile, offsetIn: bigint, length: number): Result<ReadBytes> {
  const offset = bytesOf(offsetIn);
  if (offset === undefined) return refuseOffset(k, "ksys_pread64", offsetIn);
  if (isDevice(k, file)) return refuseDevice(k, k.inodes.get(file.inode), "vfs_read", "EINVAL");
  return isShmem(k, k.inodes.get(file.inode)) ? shmemRead(k, file.inode, offset, length) : diskRead(k, file.slot, offset, length);
}

/** POSIX_FADV_* */
export const FADV = { normal: 0, random: 1, sequential: 2, willNeed: 3, dontNeed: 4, noReuse: 5 } as const;

/** posix_fadvise(2), generic_fadvise, of advice that exists. tmpfs has nothing to read ahead and keeps what nobody else has. */
export function sysFadvise(k: Kernel, file: OpenFile, offsetIn: bigint, lengthIn: bigint, advice: number): Result {
  const offset = bytesOf(offsetIn) ?? 0;
  const length = bytesOf(lengthIn);
  if (length === undefined) return refuseOffset(k, "generic_fadvise", lengthIn);
  if (isDevice(k, file) || isShmem(k, k.inodes.get(file.inode))) return 0;
  if (advice <= FADV.sequential) {
    k.files.update(file.slot, { reads: advice === FADV.random ? "random" : advice === FADV.sequential ? "sequential" : "normal" });
    return 0;
  }
  // FMODE_NOREUSE only says that a page's use by this file does not count for reclaim
  if (advice === FADV.noReuse) return 0;
  const end = length === 0 ? Infinity : offset + length;
  if (advice === FADV.willNeed) {
    const last = Math.min(Math.ceil(end / 4096), Math.ceil(k.inodes.get(file.inode).sizeBytes / 4096));
    for (let index = Math.floor(offset / 4096); index < last; index++)
      if (filemapPage(k, file.inode, index) === NO_PFN) syncReadahead(k, file.slot, index, last - index);
    return 0;
  }
  // WB_SYNC_NONE: nobody waits for the disk, and what is on its way there stays; a disk of memory needs no waiting
  const busy = diskWriteback(k, file.inode, Math.floor(offset / 4096), Math.ceil(end / 4096));
  const stays = k.profile.config.diskIsMemory ? undefined : busy;
  // whole pages only; up to the end of the file the last page counts as whole
  const last = end === Infinity || end >= k.inodes.get(file.inode).sizeBytes ? Number.MAX_SAFE_INTEGER : Math.floor(end / 4096) - 1;
  invalidateMappingPages(k, file.inode, Math.ceil(offset / 4096), last, stays);
  return 0;
}

export function sysFsync(k: Kernel, file: OpenFile): Result {
  if (isDevice(k, file)) return refuseDevice(k, k.inodes.get(file.inode), "vfs_fsync_range", "EINVAL");
  if (!isShmem(k, k.inodes.get(file.inode))) diskWriteback(k, file.inode, 0, Infinity);
  return 0;
}

/** sync(2) and /proc/sys/vm/drop_caches: clean pages of disk files that nobody maps are dropped. */
export function dropCaches(k: Kernel): void {
  for (const [slot, inode] of [...k.inodes.entries()]) {
    if (isShmem(k, inode) || inode.device !== null) continue;
    diskWriteback(k, slot, 0, Infinity);
    invalidateMappingPages(k, slot, 0, Number.MAX_SAFE_INTEGER);
  }
}
