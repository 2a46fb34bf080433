import { fail, failed, type Result } from "./mm/errno.ts";
import { diskFallocate, diskRead, diskSetSize, diskWrite, diskWriteback, invalidateMappingPages } from "./mm/diskFile.ts";
import { addInode, addMount, inodeUnused, isShmem, mountOf, openInode, putFile } from "./mm/inode.ts";
import type { Kernel } from "./mm/kernel.ts";
import { parseTmpfsOptions } from "./mm/mountOptions.ts";
import { filemapPage } from "./mm/pageCache.ts";
import { syncReadahead } from "./mm/readahead.ts";
import type { Inode, Mount, OpenFile } from "./mm/records.ts";
import { newShmemInode, shmemFallocate, shmemRead, shmemSetSize, shmemWrite, type ReadBytes } from "./mm/shmemFile.ts";
import { NO_PFN } from "./units.ts";
import { refuseArgument } from "./why/refusal.ts";

/**
 * System calls on files and mounts, with byte offsets. Paths are whole; directories are not simulated beyond mounts. Offsets and
 * lengths of 64 bits are judged here, so that what is below has numbers below 2^53.
 */

/** MAX_LFS_FILESIZE of 64 bits is 2^63-1; here files end at 2^50, below what a number holds exactly. */
const MAX_BYTES = 2 ** 50;

/** The mount that a path lies in: the longest one. */
function mountOfPath(k: Kernel, path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const [, mount] of k.mounts.entries()) {
    if (mount.path === "" || !(path === mount.path || path.startsWith(`${mount.path}/`))) continue;
    if (best === undefined || mount.path.length > best.path.length) best = mount;
  }
  return best;
}

export function findInode(k: Kernel, path: string): Inode | undefined {
  for (const [, inode] of k.inodes.entries()) if (inode.nlink > 0 && inode.path === path) return inode;
  return undefined;
}

/** True for a path that names a mount, as a directory. */
export const isMountPoint = (k: Kernel, path: string): boolean => [...k.mounts.entries()].some(([, m]) => m.path === path);

/** open(2): a struct file with a reference of the caller's. `create`: O_CREAT. */
export function sysOpen(k: Kernel, path: string, writable: boolean, create = false): Result<OpenFile> {
  const found = findInode(k, path);
  if (found !== undefined && writable && mountOf(k, found).fs === "cramfs") return fail("EROFS", "hint.deviceReadOnly");
  if (found !== undefined) return openInode(k, found.slot, true, writable);
  const refuse = (): ReturnType<typeof fail> => refuseArgument(k, 0, "path_openat", "ENOENT", "refuse.file", "value", path, "hint.noSuchFile");
  if (isMountPoint(k, path)) return writable ? fail("EISDIR") : refuse();
  const mount = create ? mountOfPath(k, path) : undefined;
  if (mount === undefined || path.slice(mount.path.length + 1).includes("/")) return refuse();
  // nobody makes device nodes here, and cramfs cannot be written
  if (mount.fs === "devtmpfs") return fail("EPERM");
  if (mount.fs === "cramfs") return fail("EROFS");
  return openInode(k, makeInode(k, mount, path), true, writable);
}

/** open(2) through /proc/PID/fd: a file that somebody holds, opened once more. */
export const sysOpenInode = (k: Kernel, inode: number, writable: boolean): OpenFile => openInode(k, inode, true, writable);

function makeInode(k: Kernel, mount: Mount, path: string): number {
  if (mount.fs === "tmpfs") return newShmemInode(k, mount.slot, path, 0, 1, false);
  const largeFolios = mount.fs === "xfs" || k.era.ext4LargeFolios;
  return addInode(k, { mount: mount.slot, path, sizeBytes: 0, nlink: 1, noReserve: false, largeFolios }).slot;
}

/** close(2) of what sysOpen gave. */
export const sysClose = (k: Kernel, file: OpenFile): void => putFile(k, file.slot);

/** memfd_create(2): an unlinked file of shm_mnt, opened. */
export function sysMemfdCreate(k: Kernel, name: string): OpenFile {
  return openInode(k, newShmemInode(k, 1, `/memfd:${name} (deleted)`, 0, 0, true), true, true);
}

export function sysUnlink(k: Kernel, path: string): Result {
  const inode = findInode(k, path);
  if (inode === undefined) return refuseArgument(k, 0, "do_unlinkat", "ENOENT", "refuse.file", "value", path, "hint.noSuchFile");
  k.inodes.update(inode.slot, { nlink: 0, path: `${path} (deleted)` });
  inodeUnused(k, inode.slot);
  return 0;
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
  if (bytes === Infinity) return fail("EFBIG");
  if (isDevice(k, file)) return fail("EINVAL", "hint.deviceNotFile");
  return isShmem(k, k.inodes.get(file.inode)) ? shmemSetSize(k, file.inode, bytes) : diskSetSize(k, file.inode, bytes);
}

export function sysFallocate(k: Kernel, file: OpenFile, mode: number, offsetIn: bigint, lengthIn: bigint): Result {
  const offset = bytesOf(offsetIn);
  const length = bytesOf(lengthIn);
  if (offset === undefined || length === undefined || length === 0) return refuseOffset(k, "vfs_fallocate", lengthIn);
  if (offset + length > MAX_BYTES) return fail("EFBIG");
  if (isDevice(k, file)) return fail("ENODEV", "hint.deviceNotFile");
  return isShmem(k, k.inodes.get(file.inode)) ? shmemFallocate(k, file.inode, mode, offset, length) : diskFallocate(k, file.inode, mode, offset, length);
}

export function sysPwrite(k: Kernel, file: OpenFile, offsetIn: bigint, length: number, value: number): Result {
  const offset = bytesOf(offsetIn);
  if (offset === undefined) return refuseOffset(k, "ksys_pwrite64", offsetIn);
  if (offset + length > MAX_BYTES) return fail("EFBIG");
  if (isDevice(k, file)) return fail("EINVAL", "hint.deviceNotFile");
  return isShmem(k, k.inodes.get(file.inode)) ? shmemWrite(k, file.inode, offset, length, value) : diskWrite(k, file.inode, offset, length, value);
}

export function sysPread(k: Kernel, file: OpenFile, offsetIn: bigint, length: number): Result<ReadBytes> {
  const offset = bytesOf(offsetIn);
  if (offset === undefined) return refuseOffset(k, "ksys_pread64", offsetIn);
  if (isDevice(k, file)) return fail("EINVAL", "hint.deviceNotFile");
  return isShmem(k, k.inodes.get(file.inode)) ? shmemRead(k, file.inode, offset, length) : diskRead(k, file.slot, offset, length);
}

export type FadviseAdvice = "normal" | "dontneed" | "willneed";

/** posix_fadvise(2), generic_fadvise. tmpfs has nothing to read ahead and keeps what nobody else has. */
export function sysFadvise(k: Kernel, file: OpenFile, offsetIn: bigint, lengthIn: bigint, advice: FadviseAdvice): Result {
  const offset = bytesOf(offsetIn) ?? 0;
  const length = bytesOf(lengthIn);
  if (length === undefined) return refuseOffset(k, "generic_fadvise", lengthIn);
  if (isDevice(k, file) || isShmem(k, k.inodes.get(file.inode)) || advice === "normal") return 0;
  const end = length === 0 ? Infinity : offset + length;
  if (advice === "willneed") {
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
  if (isDevice(k, file)) return fail("EINVAL", "hint.deviceNotFile");
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
