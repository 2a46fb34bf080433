import { NO_PFN, type Pfn } from "../units.ts";
import { folioGet, folioOrder, folioPages, folioPut, hasFlag, lruAdd, setFlag, dropFlag } from "./folio.ts";
import { folioOf, INC, INODE_COUNTERS, type Kernel } from "./kernel.ts";
import { PG } from "./pageFlags.ts";
import { VMSTAT } from "./vmstat.ts";
import { xaFind, xaLoad, xaStore } from "./xarray.ts";

/** The page cache (mm/filemap.c): folios of every order by file offset. It holds one reference for each page. */

/** The page at an index (find_get_page without its reference), or NO_PFN. */
export function filemapPage(k: Kernel, inode: number, index: number): Pfn {
  const entry = xaLoad(k, inode, "cache", index);
  return entry === 0 ? NO_PFN : ((entry - 1) as Pfn);
}

/** The folio at an index (filemap_get_entry), or NO_PFN. */
export function filemapFolio(k: Kernel, inode: number, index: number): Pfn {
  const page = filemapPage(k, inode, index);
  return page === NO_PFN ? NO_PFN : folioOf(k, page);
}

/** The first index of [from, last] with a page, or -1. */
export const filemapNext = (k: Kernel, inode: number, from: number, last: number): number => xaFind(k, inode, "cache", from, last);

/** Folios that have a page in [from, last], in order of index. A copy: callers change the cache while they walk it. */
export function filemapFolios(k: Kernel, inode: number, from: number, last: number): Pfn[] {
  const out: Pfn[] = [];
  for (let at = filemapNext(k, inode, from, last); at >= 0;) {
    const head = filemapFolio(k, inode, at);
    out.push(head);
    at = filemapNext(k, inode, k.pageIndex.get(head) + folioPages(k, head), last);
  }
  return out;
}

export const nrPages = (k: Kernel, inode: number): number => k.inodeCounters.get(inode * INODE_COUNTERS + INC.nrPages);

export const isShmemFolio = (k: Kernel, head: number): boolean => (k.pageFlags.get(head) & (PG.file | PG.swapbacked)) === (PG.file | PG.swapbacked);

/** NR_FILE_PAGES, NR_SHMEM and the huge ones of both, for `folios` of one order that come or go. */
function countCached(k: Kernel, order: number, shmem: boolean, folios: number): void {
  k.countVm(VMSTAT.nrFilePages, folios << order);
  if (shmem) k.countVm(VMSTAT.nrShmem, folios << order);
  if (order === k.geo.pmdOrder) k.countVm(shmem ? VMSTAT.nrShmemHugepages : VMSTAT.nrFileHugepages, folios);
}

/** Entries of the cache that a folio's pages stand in. */
export function setEntries(k: Kernel, inode: number, head: Pfn, index: number): void {
  const n = folioPages(k, head);
  for (let i = 0; i < n; i++) xaStore(k, inode, "cache", index + i, head + i + 1);
}

/**
 * filemap_add_folio and shmem_add_to_page_cache: the caller keeps the reference that it allocated the folio with. `shmem`: of tmpfs,
 * which swaps it instead of writing it back.
 */
export function filemapAddFolio(k: Kernel, inode: number, head: Pfn, index: number, shmem: boolean): void {
  const n = folioPages(k, head);
  k.mapping.set(head, inode);
  k.pageIndex.set(head, index);
  k.pageStep.set(head, k.step);
  setFlag(k, head, PG.file | (shmem ? PG.swapbacked : 0));
  folioGet(k, head, n);
  setEntries(k, inode, head, index);
  k.inodeCounters.add(inode * INODE_COUNTERS + INC.nrPages, n);
  countCached(k, folioOrder(k, head), shmem, 1);
  lruAdd(k, head);
}

/** filemap_remove_folio: out of the cache, with the cache's references. A dirty page's data are lost (truncation). */
export function filemapRemoveFolio(k: Kernel, head: Pfn): void {
  const inode = k.mapping.get(head);
  const index = k.pageIndex.get(head);
  const n = folioPages(k, head);
  const isPartial = (k.pageFlags.get(head) & (PG.uptodate | PG.swapbacked)) === 0;
  for (let i = 0; i < n; i++) {
    xaStore(k, inode, "cache", index + i, 0);
    if (isPartial) xaStore(k, inode, "blocks", index + i, 0);
  }
  k.inodeCounters.add(inode * INODE_COUNTERS + INC.nrPages, -n);
  const shmem = isShmemFolio(k, head);
  countCached(k, folioOrder(k, head), shmem, -1);
  if (shmem) uncharge(k, inode, n);
  folioAccountCleaned(k, head);
  dropFlag(k, head, PG.file | PG.private | PG.readahead);
  k.mapping.set(head, 0);
  folioPut(k, head, n);
}

/** shmem_inode_unacct_blocks. */
export const uncharge = (k: Kernel, inode: number, pages: number): void => k.usedBlocks.add(k.inodes.get(inode).mount, -pages);

/** A split took `from` folios of one order apart: the counts of huge ones follow. */
export function countSplit(k: Kernel, order: number, shmem: boolean): void {
  if (order === k.geo.pmdOrder) k.countVm(shmem ? VMSTAT.nrShmemHugepages : VMSTAT.nrFileHugepages, -1);
}

/** folio_mark_dirty. PG_readahead and PG_reclaim are one bit, so a page that a fault makes dirty is no longer the mark of a window. */
export function folioMarkDirty(k: Kernel, head: Pfn): void {
  dropFlag(k, head, PG.readahead);
  filemapDirtyFolio(k, head);
}

/** filemap_dirty_folio, what write(2) calls itself. Only files of a disk count as dirty: tmpfs has nowhere to write them to. */
export function filemapDirtyFolio(k: Kernel, head: Pfn): void {
  if (hasFlag(k, head, PG.dirty)) return;
  setFlag(k, head, PG.dirty);
  if ((k.pageFlags.get(head) & (PG.file | PG.swapbacked)) !== PG.file) return;
  k.countVm(VMSTAT.nrDirty, folioPages(k, head));
  k.countVm(VMSTAT.nrDirtied, folioPages(k, head));
}

/** folio_clear_dirty_for_io, folio_account_cleaned. */
export function folioAccountCleaned(k: Kernel, head: Pfn): void {
  if (!hasFlag(k, head, PG.dirty)) return;
  dropFlag(k, head, PG.dirty);
  if ((k.pageFlags.get(head) & (PG.file | PG.swapbacked)) === PG.file) k.countVm(VMSTAT.nrDirty, -folioPages(k, head));
}
