import { lockRead, lockWriteGroup, unlock } from "../sched/locks.ts";
import type { Op } from "../sched/points.ts";
import { splitFileFolio } from "../thp/splitFileFolio.ts";
import type { Pfn } from "../units.ts";
import { stampAfterWrite } from "./content.ts";
import { folioGet, folioMapcount, folioPages, folioPut, hasFlag, isLarge } from "./folio.ts";
import { vmasOfRange } from "./inode.ts";
import { folioOf, type Kernel } from "./kernel.ts";
import { filemapFolio, filemapFolios, filemapNext, filemapPage, filemapRemoveFolio, folioMarkDirty, isShmemFolio } from "./pageCache.ts";
import { PG } from "./pageFlags.ts";
import { NO_PFN } from "../units.ts";
import { traceKeptWhole, traceSplitStyle, traceUnmapped } from "../why/fileFaults.ts";
import { ZAP_ALL, zapRange } from "./zap.ts";

/** Taking pages out of a file (mm/truncate.c, unmap_mapping_range of mm/memory.c, shmem_undo_range of mm/shmem.c). */

/** unmap_mapping_pages: no mapping of [first, last] of the file stays. `evenCows`: private copies go too. Guards stay (`dropMarkers`: go). */
export function unmapMappingPages(k: Kernel, inode: number, first: number, last: number, evenCows: boolean, dropMarkers = false): void {
  for (const vma of vmasOfRange(k, inode, first, last)) {
    const start = Math.max(vma.start, vma.start + (first - vma.pgoff));
    const end = Math.min(vma.end, vma.start + (last - vma.pgoff) + 1);
    if (k.tracer !== null) traceUnmapped(k, vma, start, end, evenCows);
    zapRange(k, vma, start, end, { ...ZAP_ALL, keepGuards: !dropMarkers, keepCows: !evenCows });
  }
}

/** unmap_mapping_range over bytes, rounded outwards. `length` 0: to the end. */
export function unmapMappingRange(k: Kernel, inode: number, start: number, length: number, evenCows: boolean): void {
  const first = Math.floor(start / 4096);
  unmapMappingPages(k, inode, first, length === 0 ? Number.MAX_SAFE_INTEGER : first + Math.ceil(length / 4096) - 1, evenCows);
}

/**
 * What cutting [first, last] out of a file waits for while other threads run: i_mmap, to unmap it a first time, then the lock of every folio in it. The caller
 * carries the truncation out and then calls what this returns.
 */
export function* lockForTruncation(k: Kernel, inode: number, first: number, last: number): Op<() => void> {
  yield* lockRead(k, "i_mmap_rwsem", inode);
  unmapMappingPages(k, inode, first, last, true);
  unlock(k, "i_mmap_rwsem", inode);
  yield "truncate.unmapped";
  for (;;) {
    const folios = filemapFolios(k, inode, first, last);
    yield* lockWriteGroup(k, "folio_lock", folios);
    const unlockAll = (): void => {
      for (const head of folios) unlock(k, "folio_lock", head);
    };
    if (filemapFolios(k, inode, first, last).every((head) => folios.includes(head))) return unlockAll;
    unlockAll();
  }
}

/** truncate_inode_folio: unmapped, and out of the page cache. */
export function truncateInodeFolio(k: Kernel, head: Pfn): void {
  const index = k.pageIndex.get(head);
  // unmap_mapping_folio: what lies on the folio's addresses goes as well
  if (folioMapcount(k, head) > 0) unmapMappingPages(k, k.mapping.get(head), index, index + folioPages(k, head) - 1, false, true);
  filemapRemoveFolio(k, head);
}

/** folio_zero_range, in bytes from the folio's start. */
function zeroRange(k: Kernel, head: Pfn, offset: number, length: number): void {
  for (let at = offset; at < offset + length;) {
    const page = head + Math.floor(at / 4096);
    const from = at % 4096;
    const bytes = Math.min(4096 - from, offset + length - at);
    k.stamp.set(page, bytes === 4096 ? 0 : stampAfterWrite(k, k.stamp.get(page), from, bytes, 0));
    at += bytes;
  }
}

/** Splits a folio with a reference of the caller's own. What cannot be split is unmapped, unless it is of tmpfs (6.18). */
function trySplit(k: Kernel, head: Pfn, at: Pfn): boolean {
  folioGet(k, head);
  const around = k.era.truncateSplit === "around";
  if (k.tracer !== null) traceSplitStyle(k, head);
  const isSplit = splitFileFolio(k, head, around ? at : null);
  // a split leaves the reference with the folio that holds the page, or with the first
  folioPut(k, isSplit && around ? folioOf(k, at) : head);
  if (!isSplit && k.era.truncateUnmapsUnsplit && !isShmemFolio(k, head)) {
    const index = k.pageIndex.get(head);
    unmapMappingPages(k, k.mapping.get(head), index, index + folioPages(k, head) - 1, false);
  }
  return isSplit;
}

/**
 * truncate_inode_partial_folio: zeroes what lies in [start, end] (bytes, end inclusive) and splits the folio, so that the pages of
 * the hole can go. False: it stays whole, and dirty.
 */
export function truncatePartialFolio(k: Kernel, head: Pfn, start: number, end: number): boolean {
  const position = k.pageIndex.get(head) * 4096;
  const size = folioPages(k, head) * 4096;
  const offset = Math.max(0, start - position);
  const length = position + size <= end ? size - offset : end + 1 - position - offset;
  if (length === size) {
    truncateInodeFolio(k, head);
    return true;
  }
  zeroRange(k, head, offset, length);
  if (!isLarge(k, head)) return true;
  if (trySplit(k, head, (head + Math.floor(offset / 4096)) as Pfn)) {
    // a split around the start of the hole may leave a folio across its end
    if (k.era.truncateSplit === "around" && offset + length < size) splitAtEnd(k, (head + Math.floor((offset + length) / 4096)) as Pfn);
    return true;
  }
  if (hasFlag(k, head, PG.dirty)) {
    if (k.tracer !== null) traceKeptWhole(k, head);
    return false;
  }
  truncateInodeFolio(k, head);
  return true;
}

function splitAtEnd(k: Kernel, page: Pfn): void {
  const head = folioOf(k, page);
  // pages behind the end of the file went with the first split
  if (hasFlag(k, head, PG.file) && isLarge(k, head)) trySplit(k, head, page);
}

/**
 * shmem_undo_range and truncate_inode_pages_range: takes the pages of [start, end] out (bytes, end inclusive; Infinity: all). Folios
 * that lie in it go whole, those at its ends in part.
 */
export function truncateRange(k: Kernel, inode: number, startByte: number, endByte: number): void {
  let first = Math.ceil(startByte / 4096);
  let end = endByte === Infinity ? Infinity : Math.floor((endByte + 1) / 4096);
  removeWhole(k, inode, first, end);
  const head = filemapFolio(k, inode, Math.floor(startByte / 4096));
  let isSame = Math.floor(startByte / 4096) === Math.floor(endByte / 4096);
  if (head !== NO_PFN) {
    const index = k.pageIndex.get(head);
    const next = index + folioPages(k, head);
    isSame = endByte < next * 4096;
    if (isShmemFolio(k, head)) folioMarkDirty(k, head);
    if (!truncatePartialFolio(k, head, startByte, endByte)) {
      first = next;
      if (isSame) end = index;
    }
  }
  if (!isSame && endByte !== Infinity) {
    const last = filemapFolio(k, inode, Math.floor(endByte / 4096));
    if (last !== NO_PFN) {
      const index = k.pageIndex.get(last);
      if (isShmemFolio(k, last)) folioMarkDirty(k, last);
      if (!truncatePartialFolio(k, last, startByte, endByte)) end = index;
    }
  }
  removeRest(k, inode, first, end, startByte, endByte);
}

/** find_lock_entries and truncation of each: folios that lie in [first, end) as a whole. */
function removeWhole(k: Kernel, inode: number, first: number, end: number): void {
  for (const head of filemapFolios(k, inode, first, end === Infinity ? Number.MAX_SAFE_INTEGER : end - 1)) {
    const index = k.pageIndex.get(head);
    if (index >= first && index + folioPages(k, head) <= end) truncateInodeFolio(k, head);
  }
}

/** The last loop of both: what the splits left in [first, end). */
function removeRest(k: Kernel, inode: number, first: number, end: number, startByte: number, endByte: number): void {
  const last = end === Infinity ? Number.MAX_SAFE_INTEGER : end - 1;
  for (let at = filemapNext(k, inode, first, last); at >= 0; at = filemapNext(k, inode, at, last)) {
    const head = filemapFolio(k, inode, at);
    const next = k.pageIndex.get(head) + folioPages(k, head);
    if (!isLarge(k, head)) truncateInodeFolio(k, head);
    else truncatePartialFolio(k, head, startByte, endByte);
    // what is still there stays
    if (filemapPage(k, inode, at) !== NO_PFN) at = isLarge(k, filemapFolio(k, inode, at)) ? next : at + 1;
  }
}
