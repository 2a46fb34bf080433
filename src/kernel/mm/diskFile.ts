import { NO_PFN, type Pfn } from "../units.ts";
import { isWritable, makeReadOnly } from "../arch/geometry.ts";
import { blockBytes, commitBlocks, folioMarkUptodate, isPartiallyUptodate, zeroPartialBlocks } from "./blocks.ts";
import { byteAt, stampAfterPut, stampAfterWrite, type ByteRuns } from "./content.ts";
import { fail, type Result } from "./errno.ts";
import { allocZeroedFolio, dropFlag, folioMapcount, folioMarkAccessed, folioPages, folioPut, hasFlag, setFlag } from "./folio.ts";
import { mountOf, setSize, sizePages } from "./inode.ts";
import { folioOf, type Kernel } from "./kernel.ts";
import {
  filemapAddFolio,
  filemapDirtyFolio,
  filemapFolio,
  filemapFolios,
  filemapNext,
  filemapPage,
  filemapRemoveFolio,
  folioAccountCleaned,
  folioMarkDirty,
  nrPages,
} from "./pageCache.ts";
import { PG } from "./pageFlags.ts";
import { hiAt, loAt, setEntry } from "./pgtable.ts";
import { asyncReadahead, syncReadahead } from "./readahead.ts";
import { fileRaPages } from "./readaheadWindow.ts";
import { mappingsOf } from "./rmapWalk.ts";
import { FALLOC, type ReadBytes } from "./shmemFile.ts";
import { tlbFlushRange } from "./tlb.ts";
import { truncateRange, unmapMappingRange } from "./truncate.ts";
import { VMSTAT } from "./vmstat.ts";
import { xaLoad, xaStore } from "./xarray.ts";
import { tracePunchWriteback } from "../why/fileFaults.ts";

/** Calls on files of a disk (mm/filemap.c, fs/ext4, fs/xfs), as far as the page cache shows it. Writing back ends at once. */

/** What the disk holds of [first, last] is forgotten, the page at `first` from `offset` on. */
function forgetDisk(k: Kernel, slot: number, first: number, last: number): void {
  for (let index = first; index <= last; index++) xaStore(k, slot, "disk", index, 0);
}

/** ext4_setattr, xfs_setattr_size of the size: truncate_setsize. */
export function diskSetSize(k: Kernel, slot: number, bytes: number): Result {
  const old = k.inodes.get(slot).sizeBytes;
  setSize(k, slot, bytes);
  const isExt4 = mountOf(k, k.inodes.get(slot)).fs === "ext4";
  if (bytes > old && isExt4 && k.era.ext4ZeroesOldEnd) zeroToBlockEnd(k, slot, old);
  // truncate_pagecache is called for a file that grows, too: a large folio across the new end is split there
  const hole = Math.ceil(bytes / 4096) * 4096;
  unmapMappingRange(k, slot, hole, 0, true);
  if (nrPages(k, slot) > 0) truncateRange(k, slot, bytes, Infinity);
  forgetDisk(k, slot, Math.ceil(bytes / 4096), Math.ceil(old / 4096));
  if (bytes % 4096 !== 0) {
    const index = Math.floor(bytes / 4096);
    xaStore(k, slot, "disk", index, stampAfterWrite(k, xaLoad(k, slot, "disk", index), bytes % 4096, 4096 - (bytes % 4096), 0));
  }
  if (isExt4 && bytes < old) zeroToBlockEnd(k, slot, bytes);
  return 0;
}

/** ext4_block_truncate_page: the rest of the block that the file ends in. */
const zeroToBlockEnd = (k: Kernel, slot: number, end: number): void => {
  const bytes = blockBytes(k, k.inodes.get(slot));
  zeroPartialBlocks(k, slot, end, Math.ceil(end / bytes) * bytes);
};

/** The largest order of a folio for `bytes` at an offset that alignment allows (fgf_set_order, __filemap_get_folio). */
function writeOrder(k: Kernel, at: number, bytes: number): number {
  const index = Math.floor(at / 4096);
  // fgf_set_order says how much is to be written, rounded down to a power of two
  let order = bytes < 8192 ? 0 : Math.min(k.geo.pmdOrder, 31 - Math.clz32(Math.floor(bytes / 4096)));
  while (order > 0 && index % 2 ** order !== 0) order--;
  return order;
}

/** write_begin: the folio at an offset, made where there is none. What the write does not cover comes from the disk. */
function writeBegin(k: Kernel, slot: number, at: number, bytes: number): Pfn {
  const index = Math.floor(at / 4096);
  const there = filemapFolio(k, slot, index);
  if (there !== NO_PFN) return there;
  const { largeFolios } = k.inodes.get(slot);
  for (let order = largeFolios ? writeOrder(k, at, bytes) : 0; order >= 0; order--) {
    const first = index - (index % 2 ** order);
    if (order > 0 && filemapNext(k, slot, first, first + 2 ** order - 1) >= 0) continue;
    const head = allocZeroedFolio(k, order);
    if (head === NO_PFN) continue;
    for (let i = 0; i < 1 << order; i++) k.stamp.set(head + i, xaLoad(k, slot, "disk", first + i));
    filemapAddFolio(k, slot, head, first, false);
    folioPut(k, head);
    return head;
  }
  return NO_PFN;
}

/** The size follows what was written or allocated up to `end`; what lies between the old end and `from` is zeroed (6.13). */
function grow(k: Kernel, slot: number, from: number, end: number): void {
  const inode = k.inodes.get(slot);
  const old = inode.sizeBytes;
  if (end <= old) return;
  setSize(k, slot, end);
  if (k.era.ext4ZeroesOldEnd && from > old && mountOf(k, inode).fs === "ext4") zeroPartialBlocks(k, slot, old, from);
}

export function diskWrite(k: Kernel, slot: number, offset: number, content: ByteRuns): Result {
  const length = content.lengthBytes;
  for (let done = 0; done < length;) {
    const at = offset + done;
    const { largeFolios } = k.inodes.get(slot);
    const chunk = largeFolios ? 4096 << k.geo.pmdOrder : 4096;
    const asked = Math.min(length - done, chunk - (at % chunk));
    const head = writeBegin(k, slot, at, asked);
    if (head === NO_PFN) return done > 0 ? done : fail("ENOMEM");
    const start = k.pageIndex.get(head) * 4096;
    const bytes = Math.min(asked, start + folioPages(k, head) * 4096 - at);
    for (let b = at; b < at + bytes;) {
      const n = Math.min(4096 - (b % 4096), at + bytes - b);
      const page = head + Math.floor((b - start) / 4096);
      k.stamp.set(page, stampAfterPut(k, k.stamp.get(page), b % 4096, content, b - offset, n));
      b += n;
    }
    commitBlocks(k, slot, head, at, at + bytes);
    setFlag(k, head, PG.private);
    filemapDirtyFolio(k, head);
    folioMarkAccessed(k, head);
    grow(k, slot, at, at + bytes);
    done += bytes;
  }
  return length;
}

/** filemap_read: pages that are missing are read with those behind them. `file`: whose readahead state is used. */
export function diskRead(k: Kernel, file: number, offset: number, length: number): ReadBytes {
  const slot = k.files.get(file).inode;
  const end = Math.min(offset + length, k.inodes.get(slot).sizeBytes);
  let first = -1;
  for (let at = offset; at < end;) {
    const index = Math.floor(at / 4096);
    const asked = Math.ceil(end / 4096) - index;
    if (filemapPage(k, slot, index) === NO_PFN) syncReadahead(k, file, index, asked);
    const page = filemapPage(k, slot, index);
    if (page === NO_PFN) break;
    const head = folioOf(k, page);
    if (hasFlag(k, head, PG.readahead)) asyncReadahead(k, file, head, index, Math.max(asked, fileRaPages(k, file)));
    if (!isPartiallyUptodate(k, slot, head, at, end)) folioMarkUptodate(k, slot, head);
    if (first < 0) first = byteAt(k, k.stamp.get(page), at % 4096);
    folioMarkAccessed(k, head);
    at = (k.pageIndex.get(head) + folioPages(k, head)) * 4096;
    const { ra } = k.files.get(file);
    k.files.update(file, { ra: { ...ra, prevIndex: Math.floor((Math.min(at, end) - 1) / 4096) } });
  }
  return { bytes: Math.max(0, end - offset), first: Math.max(0, first) };
}

/** Modes that both file systems know; tmpfs has fewer. */
export function diskFallocate(k: Kernel, slot: number, mode: number, offset: number, length: number): Result {
  const inode = k.inodes.get(slot);
  const first = Math.ceil(offset / 4096);
  const end = Math.floor((offset + length) / 4096);
  if (mode & FALLOC.collapseRange) return collapseRange(k, slot, offset, length);
  if (mode & (FALLOC.punchHole | FALLOC.zeroRange)) {
    // ext4_punch_hole up to 6.13, xfs_flush_unmap_range; a folio that stays dirty cannot be split, and stays whole
    if (k.tracer !== null && mountOf(k, inode).fs === "ext4" && mode & FALLOC.punchHole) tracePunchWriteback(k, slot, first, end - first);
    if (mountOf(k, inode).fs === "xfs" || (mode & FALLOC.punchHole && k.era.ext4PunchWritesBack))
      diskWriteback(k, slot, Math.floor(offset / 4096), Math.ceil((offset + length) / 4096));
    if (end > first) unmapMappingRange(k, slot, first * 4096, (end - first) * 4096, false);
    truncateRange(k, slot, offset, offset + length - 1);
    forgetDisk(k, slot, first, end - 1);
    zeroEdges(k, slot, offset, offset + length);
    if (mountOf(k, inode).fs === "ext4") {
      // a hole ends with the page that the file ends in, and there is none behind it
      const limit = mode & (FALLOC.keepSize | FALLOC.punchHole) ? sizePages(inode) * 4096 : Infinity;
      if (offset < inode.sizeBytes || limit === Infinity) zeroPartialBlocks(k, slot, offset, Math.min(offset + length, limit));
    }
  }
  // ext4_alloc_file_blocks zeroes up to the new end, not only up to where the range begins
  if ((mode & (FALLOC.keepSize | FALLOC.punchHole)) === 0) grow(k, slot, offset + length, offset + length);
  return 0;
}

/** The parts of pages at both ends of a range of zeros, on the disk. */
function zeroEdges(k: Kernel, slot: number, from: number, to: number): void {
  const edge = (start: number, end: number): void => {
    const index = Math.floor(start / 4096);
    const stamp = xaLoad(k, slot, "disk", index);
    if (stamp !== 0 && end > start) xaStore(k, slot, "disk", index, stampAfterWrite(k, stamp, start % 4096, end - start, 0));
  };
  const first = Math.ceil(from / 4096) * 4096;
  edge(from, Math.min(first, to));
  if (to % 4096 !== 0 && to > first) edge(Math.floor(to / 4096) * 4096, to);
}

/** FALLOC_FL_COLLAPSE_RANGE: what lies behind the range moves to its start. Whole blocks, and not up to the end. */
function collapseRange(k: Kernel, slot: number, offset: number, length: number): Result {
  const inode = k.inodes.get(slot);
  if (offset % 4096 !== 0 || length % 4096 !== 0 || offset + length >= inode.sizeBytes) return fail("EINVAL", "hint.collapseRange");
  diskWriteback(k, slot, Math.floor(offset / 4096), Infinity);
  unmapMappingRange(k, slot, offset, 0, true);
  truncateRange(k, slot, offset, Infinity);
  const shift = length / 4096;
  const pages = sizePages(inode);
  for (let index = offset / 4096; index < pages; index++) xaStore(k, slot, "disk", index, index + shift < pages ? xaLoad(k, slot, "disk", index + shift) : 0);
  setSize(k, slot, inode.sizeBytes - length);
  return 0;
}

/** folio_mkclean: the next write to each page of it faults again. */
function folioMkclean(k: Kernel, head: Pfn): void {
  const e = k.geo.encoding;
  for (const m of mappingsOf(k, head)) {
    if ((m.vma.flags & 8) === 0) continue;
    const [table, i] = m.level === "pmd" ? [m.place.table, m.place.i] : [m.table, m.i];
    const lo = loAt(k, table, i);
    if ((lo & e.dirty) === 0 && !isWritable(e, lo)) continue;
    setEntry(k, table, i, makeReadOnly(e, lo) & ~e.dirty, hiAt(k, table, i));
    tlbFlushRange(k, m.vma.mm, m.vpn, m.vpn + (m.level === "pmd" ? 1 << k.geo.pmdOrder : 1));
    if ((lo & e.dirty) !== 0) folioMarkDirty(k, head);
  }
}

/** filemap_write_and_wait_range: dirty folios of [first, last) are written to the disk. Returns which. */
export function diskWriteback(k: Kernel, slot: number, first: number, last: number): ReadonlySet<Pfn> {
  const written = new Set<Pfn>();
  for (const head of filemapFolios(k, slot, first, last === Infinity ? Number.MAX_SAFE_INTEGER : last - 1)) {
    if (!hasFlag(k, head, PG.dirty)) continue;
    written.add(head);
    if (folioMapcount(k, head) > 0) folioMkclean(k, head);
    folioAccountCleaned(k, head);
    // folio_end_writeback: PG_reclaim, which is the same bit
    dropFlag(k, head, PG.readahead);
    const index = k.pageIndex.get(head);
    const pages = folioPages(k, head);
    for (let i = 0; i < pages; i++) xaStore(k, slot, "disk", index + i, k.stamp.get(head + i));
    k.countVm(VMSTAT.nrWritten, pages);
  }
  return written;
}

const NOTHING: ReadonlySet<Pfn> = new Set();

/** invalidate_mapping_pages (POSIX_FADV_DONTNEED, drop_caches): clean folios of [first, last] that nobody maps or holds. `busy`: they are being written. */
export function invalidateMappingPages(k: Kernel, slot: number, first: number, last: number, busy: ReadonlySet<Pfn> = NOTHING): void {
  for (const head of filemapFolios(k, slot, first, last)) {
    if (busy.has(head)) continue;
    const index = k.pageIndex.get(head);
    const pages = folioPages(k, head);
    if (index < first || index + pages - 1 > last) continue;
    if (hasFlag(k, head, PG.dirty) || k.refcount.get(head) !== pages) continue;
    filemapRemoveFolio(k, head);
  }
}
