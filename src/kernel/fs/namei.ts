import { diskSetSize } from "../mm/diskFile.ts";
import { failed, type Failure, type Result } from "../mm/errno.ts";
import { addInode, inodeUnused, isShmem, mountOf, openInode } from "../mm/inode.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { Inode, Mount, OpenFile } from "../mm/records.ts";
import { newShmemInode, shmemSetSize } from "../mm/shmemFile.ts";
import { refuseArgument } from "../why/refusal.ts";

/** Paths (fs/namei.c). Mounts have files and no directories of their own; what lies around mounts is a read-only root. Paths are absolute, without "." and "..". */

/** O_* of x86-64 */
export const O = {
  accMode: 3,
  wrOnly: 1,
  rdWr: 2,
  creat: 0o100,
  excl: 0o200,
  noCtty: 0o400,
  trunc: 0o1000,
  append: 0o2000,
  nonBlock: 0o4000,
  dsync: 0o10000,
  direct: 0o40000,
  largeFile: 0o100000,
  directory: 0o200000,
  noFollow: 0o400000,
  noAtime: 0o1000000,
  cloExec: 0o2000000,
  sync: 0o4010000,
  path: 0o10000000,
  tmpFile: 0o20200000,
} as const;

/** bytes of a path with its terminating zero, and of one name in it */
const PATH_MAX = 4096;
const NAME_MAX = 255;
/** umask of the processes */
const UMASK = 0o022;

/** What a path leads to: a file; a directory; or nothing, in a directory of a mount, or (null) of the read-only root. */
export type Found =
  { readonly kind: "file"; readonly inode: Inode } | { readonly kind: "directory" } | { readonly kind: "missing"; readonly mount: Mount | null };

/** The mount that a path lies in: the longest one. */
function mountOfPath(k: Kernel, path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const [, mount] of k.mounts.entries()) {
    if (mount.path === "" || !path.startsWith(`${mount.path}/`)) continue;
    if (best === undefined || mount.path.length > best.path.length) best = mount;
  }
  return best;
}

export function findInode(k: Kernel, path: string): Inode | undefined {
  for (const [, inode] of k.inodes.entries()) if (inode.nlink > 0 && inode.path === path) return inode;
  return undefined;
}

/** True for a path that names a mount, as a directory. */
export const isMountPoint = (k: Kernel, path: string): boolean => [...k.mounts.entries()].some(([, m]) => m.path !== "" && m.path === path);

/** A mount, or what leads to one. */
export const isDirectory = (k: Kernel, path: string): boolean =>
  path === "/" || [...k.mounts.entries()].some(([, m]) => m.path === path || m.path.startsWith(`${path}/`));

const noFile = (k: Kernel, symbol: string, path: string): Failure => refuseArgument(k, 0, symbol, "ENOENT", "refuse.file", "path", path, "hint.noSuchFile");

/** path_lookupat: ENOENT or ENOTDIR when what stands before the last name is no directory. A slash at the end asks for a directory. */
export function lookup(k: Kernel, pathIn: string): Result<Found> {
  if (pathIn === "") return noFile(k, "getname_flags", pathIn);
  if (pathIn.length >= PATH_MAX) return refuseArgument(k, 0, "getname_flags", "ENAMETOOLONG", "refuse.argument", "path", pathIn.length);
  const names = pathIn.split("/").filter((name) => name !== "");
  const path = `/${names.join("/")}`;
  for (let i = 1; i < names.length; i++) {
    const before = `/${names.slice(0, i).join("/")}`;
    if (isDirectory(k, before)) continue;
    if (findInode(k, before) !== undefined) return refuseArgument(k, 0, "link_path_walk", "ENOTDIR", "refuse.file", "path", before, "hint.notDirectory");
    return noFile(k, "link_path_walk", before);
  }
  if (names.some((name) => name.length > NAME_MAX)) return refuseArgument(k, 0, "link_path_walk", "ENAMETOOLONG", "refuse.argument", "path", path);
  if (isDirectory(k, path)) return { kind: "directory" };
  const inode = findInode(k, path);
  if (inode === undefined) return { kind: "missing", mount: mountOfPath(k, path) ?? null };
  return pathIn.endsWith("/") ? refuseArgument(k, 0, "do_open", "ENOTDIR", "refuse.file", "path", path, "hint.notDirectory") : { kind: "file", inode };
}

function makeInode(k: Kernel, mount: Mount, path: string, mode: number): number {
  if (mount.fs === "tmpfs") return newShmemInode(k, mount.slot, path, 0, 1, false, mode);
  const largeFolios = mount.fs === "xfs" || k.era.ext4LargeFolios;
  return addInode(k, { mount: mount.slot, path, sizeBytes: 0, nlink: 1, noReserve: false, largeFolios, mode }).slot;
}

/** path_openat for files: a struct file with a reference of the caller's own. `mode`: permission bits of a file that is made, before the umask. */
export function pathOpenat(k: Kernel, path: string, flags: number, mode: number): Result<OpenFile> {
  const found = lookup(k, path);
  if (failed(found)) return found;
  const exists = found.kind !== "missing";
  if (exists && (flags & (O.creat | O.excl)) === (O.creat | O.excl))
    return refuseArgument(k, 0, "do_open", "EEXIST", "refuse.file", "path", path, "hint.fileExists");
  if (found.kind === "directory")
    return refuseArgument(k, 0, flags & O.creat ? "do_open" : "may_open", "EISDIR", "refuse.file", "path", path, "hint.isDirectory");
  if (found.kind === "file" && flags & O.directory) return refuseArgument(k, 0, "do_open", "ENOTDIR", "refuse.file", "path", path, "hint.notDirectory");
  if (found.kind === "missing") {
    if ((flags & O.creat) === 0) return noFile(k, "path_openat", path);
    if (path.endsWith("/")) return refuseArgument(k, 0, "open_last_lookups", "EISDIR", "refuse.file", "path", path);
    // nobody makes device nodes here
    if (found.mount?.fs === "devtmpfs") return refuseArgument(k, 0, "vfs_create", "EACCES", "refuse.file", "path", path);
    if (found.mount === null || found.mount.fs === "cramfs")
      return refuseArgument(k, 0, "open_last_lookups", "EROFS", "refuse.file", "path", path, "hint.readOnlyRoot");
  }
  if (found.kind === "file" && flags & O.accMode && mountOf(k, found.inode).fs === "cramfs")
    return refuseArgument(k, 0, "do_open", "EROFS", "refuse.file", "path", path, "hint.deviceReadOnly");
  const inode = found.kind === "file" ? found.inode.slot : makeInode(k, found.mount as Mount, path, mode & 0o7777 & ~UMASK);
  // 3 asks for rights to read and to write and gives neither
  const access = flags & O.accMode;
  const kept = (flags & ~(O.creat | O.excl | O.noCtty | O.trunc | O.cloExec)) | O.largeFile;
  const file = openInode(k, inode, access === 0 || access === O.rdWr, access === O.wrOnly || access === O.rdWr, kept);
  // handle_truncate has nothing to do with a device
  if (exists && flags & O.trunc && k.inodes.get(inode).device === null) {
    if (isShmem(k, k.inodes.get(inode))) shmemSetSize(k, inode, 0);
    else diskSetSize(k, inode, 0);
  }
  return file;
}

/** unlink(2): the file lives on while somebody has it open or mapped. */
export function sysUnlink(k: Kernel, path: string): Result {
  const found = lookup(k, path);
  if (failed(found)) return found;
  if (found.kind === "missing") return noFile(k, "do_unlinkat", path);
  if (found.kind === "directory") return refuseArgument(k, 0, "do_unlinkat", "EISDIR", "refuse.file", "path", path, "hint.isDirectory");
  if (mountOf(k, found.inode).fs === "cramfs") return refuseArgument(k, 0, "mnt_want_write", "EROFS", "refuse.file", "path", path, "hint.deviceReadOnly");
  k.inodes.update(found.inode.slot, { nlink: 0, path: `${found.inode.path} (deleted)` });
  inodeUnused(k, found.inode.slot);
  return 0;
}
