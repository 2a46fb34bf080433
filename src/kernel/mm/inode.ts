import { INODE_COUNTERS, MISC, type Kernel } from "./kernel.ts";
import { filemapFolios, filemapRemoveFolio } from "./pageCache.ts";
import type { FsType, HugeMount, Inode, Mount, OpenFile, Vma } from "./records.ts";
import { xaFind, xaStore } from "./xarray.ts";

/** Mounts, inodes and open files (fs/inode.c, fs/file_table.c), as far as memory has to do with them. */

/** shm_mnt: the tmpfs that the kernel mounts for shared anonymous memory. */
export const SHM_MOUNT = 1;

export const NO_READAHEAD = { start: 0, size: 0, asyncSize: 0, order: 0, mmapMiss: 0, prevIndex: -1 } as const;

export function addMount(k: Kernel, fs: FsType, path: string, huge: HugeMount, maxBlocks: number): number {
  const slot = k.mounts.add((s) => ({ slot: s, fs, path, huge, maxBlocks, shrinklist: [], step: k.step }));
  k.usedBlocks.set(slot, 0);
  return slot;
}

/** new_inode for a regular file, or for a device. */
export function addInode(
  k: Kernel,
  fields: Pick<Inode, "mount" | "path" | "sizeBytes" | "nlink" | "noReserve" | "largeFolios" | "mode"> & Partial<Pick<Inode, "device">>,
): Inode {
  const slot = k.inodes.add((s) => ({ device: null, ...fields, slot: s, refs: 0, writers: 0, fallocEnd: 0, uprobes: [], vmas: [], shm: 0, step: k.step }));
  k.inodeCounters.fill(slot * INODE_COUNTERS, INODE_COUNTERS, 0);
  return k.inodes.get(slot);
}

export const mountOf = (k: Kernel, inode: Inode): Mount => k.mounts.get(inode.mount);
export const isShmem = (k: Kernel, inode: Inode): boolean => mountOf(k, inode).fs === "tmpfs";
/** S_ISREG */
export const isRegular = (k: Kernel, inode: Inode): boolean => mountOf(k, inode).fs !== "devtmpfs";
export const setSize = (k: Kernel, inode: number, sizeBytes: number): Inode => k.inodes.update(inode, { sizeBytes, step: k.step });

/** Pages of the file, the last one perhaps in part: DIV_ROUND_UP(i_size, PAGE_SIZE). */
export const sizePages = (inode: Inode): number => Math.ceil(inode.sizeBytes / 4096);

/** Pages of the cache beyond the size that only fallocate keeps (shmem_fallocend). */
export const shmemFallocend = (inode: Inode, end: number): number => Math.max(end, inode.fallocEnd);

/** alloc_file: a struct file with one reference. `flags`: O_* bits. */
export function openInode(k: Kernel, inode: number, readable: boolean, writable: boolean, flags = readable ? (writable ? 2 : 0) : 1): OpenFile {
  const slot = k.files.add((s) => ({ slot: s, inode, readable, writable, refs: 1, flags, posBytes: 0, reads: "normal", ra: NO_READAHEAD }));
  const { refs, writers } = k.inodes.get(inode);
  k.inodes.update(inode, { refs: refs + 1, writers: writers + (writable ? 1 : 0) });
  return k.files.get(slot);
}

export const getFile = (k: Kernel, file: number): OpenFile => k.files.update(file, { refs: k.files.get(file).refs + 1 });

/** fput: the last reference closes the file. */
export function putFile(k: Kernel, file: number): void {
  const f = k.files.get(file);
  if (f.refs > 1) {
    k.files.update(file, { refs: f.refs - 1 });
    return;
  }
  k.files.remove(file);
  const inode = k.inodes.get(f.inode);
  k.inodes.update(f.inode, { refs: inode.refs - 1, writers: inode.writers - (f.writable ? 1 : 0) });
  inodeUnused(k, f.inode);
}

/** iput_final: an inode without names and users goes, with its pages. */
export function inodeUnused(k: Kernel, slot: number): void {
  const inode = k.inodes.get(slot);
  if (inode.refs > 0 || inode.nlink > 0) return;
  evictPages(k, slot);
  for (let at = xaFind(k, slot, "disk", 0, Infinity); at >= 0; at = xaFind(k, slot, "disk", at, Infinity)) xaStore(k, slot, "disk", at, 0);
  const { shrinklist } = mountOf(k, inode);
  if (shrinklist.includes(slot)) k.mounts.update(inode.mount, { shrinklist: shrinklist.filter((s) => s !== slot) });
  k.inodes.remove(slot);
}

/** truncate_inode_pages_final: nothing maps the file any more. */
export function evictPages(k: Kernel, inode: number): void {
  for (const head of filemapFolios(k, inode, 0, Infinity)) filemapRemoveFolio(k, head);
}

// --- i_mmap: the VMAs that map a file

export function linkFile(k: Kernel, vma: Vma): void {
  const { inode: slot } = getFile(k, vma.file);
  const inode = k.inodes.get(slot);
  k.inodes.update(slot, { vmas: [...inode.vmas, vma.slot] });
  if (inode.shm !== 0) k.shms.update(inode.shm, { attachedNs: k.misc.get(MISC.clockNs), ...lastPid(k, vma.mm) });
}

export function unlinkFile(k: Kernel, vma: Vma): void {
  const { inode: slot } = k.files.get(vma.file);
  const inode = k.inodes.get(slot);
  const vmas = inode.vmas.filter((v) => v !== vma.slot);
  k.inodes.update(slot, { vmas });
  putFile(k, vma.file);
  if (inode.shm === 0) return;
  // shm_close
  k.shms.update(inode.shm, { detachedNs: k.misc.get(MISC.clockNs), ...lastPid(k, vma.mm) });
  if (k.shms.get(inode.shm).isRemoved && vmas.length === 0) shmDestroy(k, inode.shm);
}

/** Who attached or detached; while fork copies mappings the child is nobody yet. */
function lastPid(k: Kernel, mm: number): { readonly lastPid?: number } {
  for (const [, task] of k.tasks.entries()) if (task.mm === mm) return { lastPid: task.pid };
  return {};
}

/** shm_destroy: nothing has the segment attached. */
export function shmDestroy(k: Kernel, slot: number): void {
  const { file } = k.shms.get(slot);
  k.inodes.update(k.files.get(file).inode, { shm: 0 });
  k.shms.remove(slot);
  putFile(k, file);
}

export const inodeOf = (k: Kernel, vma: Vma): Inode => k.inodes.get(k.files.get(vma.file).inode);

/** linear_page_index: the page of the file at an address. */
export const fileIndex = (vma: Vma, vpn: number): number => vma.pgoff + (vpn - vma.start);

/** VMAs that map any page of [first, last] (vma_interval_tree_foreach). */
export function vmasOfRange(k: Kernel, inode: number, first: number, last: number): Vma[] {
  const out: Vma[] = [];
  for (const slot of k.inodes.get(inode).vmas) {
    const vma = k.vmas.get(slot);
    if (vma.pgoff <= last && vma.pgoff + (vma.end - vma.start) > first) out.push(vma);
  }
  return out;
}
