import { fail, failed, type Result } from "./errno.ts";
import { byteAt, stampAfterPut, type ByteRuns } from "./content.ts";
import { folioMarkAccessed, folioPages, hasFlag, setFlag } from "./folio.ts";
import { addInode, mountOf, setSize } from "./inode.ts";
import type { Kernel } from "./kernel.ts";
import { filemapFolios, folioMarkDirty, nrPages } from "./pageCache.ts";
import { PG } from "./pageFlags.ts";
import { shmemGetFolio, shmemLargeFolios } from "./shmem.ts";
import { truncateInodeFolio, truncateRange, unmapMappingRange } from "./truncate.ts";
import { NO_PFN } from "../units.ts";
import { refuseArgument } from "../why/refusal.ts";

/** Calls on files of tmpfs (mm/shmem.c): size, reading, writing, fallocate. Offsets and lengths in bytes, below 2^53. */

/** shmem_get_inode: a new file of tmpfs. */
export function newShmemInode(k: Kernel, mount: number, path: string, sizeBytes: number, nlink: number, noReserve: boolean, mode = 0o600): number {
  const largeFolios = shmemLargeFolios(k.era.tmpfsLargeFolios, k.mounts.get(mount).huge);
  return addInode(k, { mount, path, sizeBytes, nlink, noReserve, largeFolios, mode }).slot;
}

/** shmem_setattr of the size: pages behind the new end go, private copies of them too. */
export function shmemSetSize(k: Kernel, slot: number, bytes: number): Result {
  const inode = k.inodes.get(slot);
  const old = inode.sizeBytes;
  if (bytes !== old) setSize(k, slot, bytes);
  if (bytes > old) return 0;
  const hole = Math.ceil(bytes / 4096) * 4096;
  if (old > hole) unmapMappingRange(k, slot, hole, 0, true);
  if (inode.fallocEnd > Math.ceil(bytes / 4096)) k.inodes.update(slot, { fallocEnd: Math.ceil(bytes / 4096) });
  if (nrPages(k, slot) > 0) truncateRange(k, slot, bytes, Infinity);
  return 0;
}

/** Most bytes that one call of ->write_begin is asked for (generic_perform_write). */
function writeChunk(k: Kernel, largeFolios: boolean, at: number, left: number): number {
  const chunk = k.era.writeChunk === "folio" && largeFolios ? 4096 << k.geo.pmdOrder : 4096;
  return Math.min(left, chunk - (at % chunk));
}

/** shmem_file_write_iter: bytes written, or the errno where none was. */
export function shmemWrite(k: Kernel, slot: number, offset: number, content: ByteRuns): Result {
  const length = content.lengthBytes;
  const { largeFolios } = k.inodes.get(slot);
  let done = 0;
  while (done < length) {
    const at = offset + done;
    const asked = writeChunk(k, largeFolios, at, length - done);
    const head = shmemGetFolio(k, slot, Math.floor(at / 4096), at + asked, "write", null);
    if (failed(head)) return done > 0 ? done : head;
    const start = k.pageIndex.get(head) * 4096;
    const bytes = Math.min(asked, start + folioPages(k, head) * 4096 - at);
    for (let b = at; b < at + bytes;) {
      const n = Math.min(4096 - (b % 4096), at + bytes - b);
      const page = head + Math.floor((b - start) / 4096);
      k.stamp.set(page, stampAfterPut(k, k.stamp.get(page), b % 4096, content, b - offset, n));
      b += n;
    }
    if (at + bytes > k.inodes.get(slot).sizeBytes) setSize(k, slot, at + bytes);
    if (!hasFlag(k, head, PG.uptodate)) setFlag(k, head, PG.uptodate);
    folioMarkDirty(k, head);
    done += bytes;
  }
  return done;
}

/** What read(2) gave: how many bytes, and the first of them. */
export interface ReadBytes {
  readonly bytes: number;
  readonly first: number;
}

/** shmem_file_read_iter: holes read as zeros and stay holes. */
export function shmemRead(k: Kernel, slot: number, offset: number, length: number): ReadBytes {
  const end = Math.min(offset + length, k.inodes.get(slot).sizeBytes);
  let first = -1;
  for (let at = offset; at < end;) {
    const head = shmemGetFolio(k, slot, Math.floor(at / 4096), 0, "read", null);
    if (failed(head)) break;
    const hole = head === NO_PFN;
    const start = hole ? Math.floor(at / 4096) * 4096 : k.pageIndex.get(head) * 4096;
    if (first < 0) first = hole ? 0 : byteAt(k, k.stamp.get(head + Math.floor((at - start) / 4096)), at % 4096);
    if (!hole && at === start) folioMarkAccessed(k, head);
    at = start + (hole ? 1 : folioPages(k, head)) * 4096;
  }
  return { bytes: Math.max(0, end - offset), first: Math.max(0, first) };
}

/** FALLOC_FL_* */
export const FALLOC = { keepSize: 1, punchHole: 2, collapseRange: 8, zeroRange: 0x10, insertRange: 0x20, unshareRange: 0x40 } as const;

/** shmem_fallocate: pages for a range, or a hole in it. */
export function shmemFallocate(k: Kernel, slot: number, mode: number, offset: number, length: number): Result {
  if ((mode & ~(FALLOC.keepSize | FALLOC.punchHole)) !== 0)
    return refuseArgument(k, 0, "shmem_fallocate", "EOPNOTSUPP", "refuse.argument", "flags", mode, "hint.fallocTmpfs");
  if ((mode & FALLOC.punchHole) !== 0) {
    punchHole(k, slot, offset, length);
    return 0;
  }
  const inode = k.inodes.get(slot);
  const first = Math.floor(offset / 4096);
  const end = Math.ceil((offset + length) / 4096);
  const { maxBlocks } = mountOf(k, inode);
  if (maxBlocks > 0 && end - first > maxBlocks) return fail("ENOSPC", "hint.mountFull");
  if (inode.fallocEnd < end) k.inodes.update(slot, { fallocEnd: end });
  for (let index = first; index < end;) {
    const head = shmemGetFolio(k, slot, index, offset + length, "falloc", null);
    if (failed(head)) {
      k.inodes.update(slot, { fallocEnd: inode.fallocEnd });
      undoFallocate(k, slot, first, index);
      return head;
    }
    index = k.pageIndex.get(head) + folioPages(k, head);
    folioMarkDirty(k, head);
  }
  if ((mode & FALLOC.keepSize) === 0 && offset + length > k.inodes.get(slot).sizeBytes) setSize(k, slot, offset + length);
  return 0;
}

/** The part of shmem_fallocate about FALLOC_FL_PUNCH_HOLE; private copies of the pages stay. */
export function punchHole(k: Kernel, slot: number, offset: number, length: number): void {
  const start = Math.ceil(offset / 4096) * 4096;
  const end = Math.floor((offset + length) / 4096) * 4096 - 1;
  if (end > start) unmapMappingRange(k, slot, start, 1 + end - start, false);
  const { fallocEnd } = k.inodes.get(slot);
  const last = Math.floor((offset + length) / 4096);
  if (fallocEnd > Math.ceil(offset / 4096) && fallocEnd <= last) k.inodes.update(slot, { fallocEnd: Math.ceil(offset / 4096) });
  truncateRange(k, slot, offset, offset + length - 1);
}

/** shmem_undo_range of a failed fallocate: only folios that it made, which nobody has used, go. */
function undoFallocate(k: Kernel, slot: number, first: number, end: number): void {
  for (const head of filemapFolios(k, slot, first, end - 1)) if (!hasFlag(k, head, PG.uptodate)) truncateInodeFolio(k, head);
}
