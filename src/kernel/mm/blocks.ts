import { NO_PFN, type Pfn } from "../units.ts";
import { allocZeroedFolio, folioPages, folioPut, hasFlag, setFlag } from "./folio.ts";
import { mountOf } from "./inode.ts";
import type { Kernel } from "./kernel.ts";
import { filemapAddFolio, filemapDirtyFolio, filemapFolio } from "./pageCache.ts";
import { PG } from "./pageFlags.ts";
import type { Inode } from "./records.ts";
import { xaLoad, xaStore } from "./xarray.ts";

/**
 * Blocks of a file system below the size of a page (struct buffer_head of ext4). A folio is up to date when each of its blocks is: one
 * that a write(2) covered only in part, and one that was made only to zero the end of the file, is in the page cache and not up to date.
 * Faults do not map it around, mincore(2) does not see it, and whoever needs it reads the rest.
 */

/** Size of a block in bytes: of ext4 as its profile's was made, of others a page. */
export const blockBytes = (k: Kernel, inode: Inode): number => (mountOf(k, inode).fs === "ext4" ? k.profile.config.ext4BlockBytes : 4096);

/** Bits of the blocks that [from, to) (bytes within one page) touches. What a write covers of a block only in part is read or zeroed for it. */
function blockBits(bytes: number, from: number, to: number): number {
  let bits = 0;
  for (let b = Math.floor(from / bytes); b * bytes < to; b++) bits |= 1 << b;
  return bits;
}

const isOfDisk = (k: Kernel, head: Pfn): boolean => (k.pageFlags.get(head) & (PG.file | PG.swapbacked)) === PG.file;

/** block_commit_write, iomap_set_range_uptodate: [from, to) (bytes of the file) of a folio is written. The folio is up to date when all of its blocks are. */
export function commitBlocks(k: Kernel, slot: number, head: Pfn, from: number, to: number): void {
  if (hasFlag(k, head, PG.uptodate)) return;
  const bytes = blockBytes(k, k.inodes.get(slot));
  const whole = 2 ** (4096 / bytes) - 1;
  const first = k.pageIndex.get(head);
  let isWhole = true;
  for (let i = 0; i < folioPages(k, head); i++) {
    const start = (first + i) * 4096;
    const had = xaLoad(k, slot, "blocks", first + i);
    const has = had | (to > start && from < start + 4096 ? blockBits(bytes, Math.max(0, from - start), Math.min(4096, to - start)) : 0);
    if (has !== had) xaStore(k, slot, "blocks", first + i, has);
    isWhole &&= has === whole;
  }
  if (isWhole) folioMarkUptodate(k, slot, head);
}

/** ->read_folio: what is missing is read from the disk. The content is there already, since the simulated disk answers at once. */
export function folioMarkUptodate(k: Kernel, slot: number, head: Pfn): void {
  const first = k.pageIndex.get(head);
  for (let i = 0; i < folioPages(k, head); i++) xaStore(k, slot, "blocks", first + i, 0);
  setFlag(k, head, PG.uptodate);
}

/** block_is_partially_uptodate: whether read(2) gets [from, to) (bytes of the file) of a folio without reading the disk. */
export function isPartiallyUptodate(k: Kernel, slot: number, head: Pfn, from: number, to: number): boolean {
  if (hasFlag(k, head, PG.uptodate)) return true;
  const bytes = blockBytes(k, k.inodes.get(slot));
  const first = k.pageIndex.get(head);
  for (let i = 0; i < folioPages(k, head); i++) {
    const start = (first + i) * 4096;
    if (to <= start || from >= start + 4096) continue;
    const needed = blockBits(bytes, Math.max(0, from - start), Math.min(4096, to - start));
    if ((xaLoad(k, slot, "blocks", first + i) & needed) !== needed) return false;
  }
  return true;
}

/** ext4_block_zero_page_range: the page of a block is brought into the cache, and with it the block, unless that is a hole. */
function zeroBlock(k: Kernel, slot: number, from: number, to: number): void {
  const index = Math.floor(from / 4096);
  const isMapped = xaLoad(k, slot, "disk", index) !== 0;
  let head = filemapFolio(k, slot, index);
  if (head === NO_PFN) {
    head = allocZeroedFolio(k, 0);
    if (head === NO_PFN) return;
    k.stamp.set(head, xaLoad(k, slot, "disk", index));
    filemapAddFolio(k, slot, head, index, false);
    folioPut(k, head);
  }
  if (!isMapped || !isOfDisk(k, head)) return;
  if (!hasFlag(k, head, PG.uptodate)) {
    const bits = blockBits(blockBytes(k, k.inodes.get(slot)), from % 4096, (from % 4096) + (to - from));
    xaStore(k, slot, "blocks", index, xaLoad(k, slot, "blocks", index) | bits);
  }
  setFlag(k, head, PG.private);
  filemapDirtyFolio(k, head);
}

/**
 * ext4_zero_partial_blocks: blocks that [from, to) (bytes) covers only in part. Their pages are in the page cache afterwards, without
 * being up to date.
 */
export function zeroPartialBlocks(k: Kernel, slot: number, from: number, to: number): void {
  const bytes = blockBytes(k, k.inodes.get(slot));
  if (to <= from) return;
  const first = Math.floor(from / bytes);
  const last = Math.floor((to - 1) / bytes);
  if (first === last) {
    if (to - from < bytes) zeroBlock(k, slot, from, to);
    return;
  }
  if (from % bytes !== 0) zeroBlock(k, slot, from, (first + 1) * bytes);
  if (to % bytes !== 0) zeroBlock(k, slot, last * bytes, to);
}
