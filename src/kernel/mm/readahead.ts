import { NO_PFN, type Pfn } from "../units.ts";
import { allocZeroedFolio, dropFlag, folioPut, setFlag } from "./folio.ts";
import { sizePages } from "./inode.ts";
import type { Kernel } from "./kernel.ts";
import { filemapAddFolio, filemapFolio, filemapNext, filemapPage } from "./pageCache.ts";
import { PG } from "./pageFlags.ts";
import { asyncWindow, fileRaPages, ilog2, mmapWindow, syncWindow, windowOrder } from "./readaheadWindow.ts";
import type { Inode, Readahead, Vma } from "./records.ts";
import { VM } from "./vmFlags.ts";
import { xaLoad } from "./xarray.ts";
import { traceAsyncReadahead, traceMmapReadahead } from "../why/readahead.ts";

/** Reading files of a disk into the page cache, ahead of need (mm/readahead.c, do_sync_mmap_readahead of mm/filemap.c). Reads end at once here. */

/** io_pages of the disk (max_sectors_kb of 1280): what is read at once where there is no window */
const IO_PAGES = 320;

/** __ffs: the number of zero bits at the end. */
const trailingZeros = (n: number): number => ilog2(n & -n);

/** ra_alloc_folio and what read_pages makes of it: a folio with what the disk holds. False: memory is out, or something is there already. */
function readFolio(k: Kernel, inode: Inode, index: number, mark: number, order: number): boolean {
  if (filemapNext(k, inode.slot, index, index + 2 ** order - 1) >= 0) return false;
  const head = allocZeroedFolio(k, order);
  if (head === NO_PFN) return false;
  for (let i = 0; i < 1 << order; i++) {
    const stamp = xaLoad(k, inode.slot, "disk", index + i);
    if (stamp !== 0) k.stamp.set(head + i, stamp);
  }
  setFlag(k, head, PG.uptodate | (index === Math.floor(mark / 2 ** order) * 2 ** order ? PG.readahead : 0));
  filemapAddFolio(k, inode.slot, head, index, false);
  folioPut(k, head);
  return true;
}

/** do_page_cache_ra, page_cache_ra_unbounded: single pages, passing over those that are there. */
function pageCacheRa(k: Kernel, inode: Inode, index: number, pages: number, lookahead: number): void {
  const end = Math.min(index + pages, sizePages(inode));
  const mark = lookahead <= end - index ? end - lookahead : -1;
  for (let at = index; at < end; at++) if (filemapPage(k, inode.slot, at) === NO_PFN && !readFolio(k, inode, at, at === mark ? at : -1, 0)) return;
}

/** page_cache_ra_order: folios of the order asked for, smaller ones where they have to be aligned or the file ends. */
function pageCacheRaOrder(k: Kernel, file: number, inode: Inode, start: number, ra: Readahead): void {
  const order = windowOrder(k, inode.slot, ra);
  if (order < 0) {
    setReadahead(k, file, { ...ra, order: 0 });
    pageCacheRa(k, inode, start, ra.size, ra.asyncSize);
    return;
  }
  setReadahead(k, file, k.era.readaheadOrder === "rising" ? ra : { ...ra, order });
  const limit = Math.min(sizePages(inode), start + ra.size) - 1;
  const mark = start + ra.size - ra.asyncSize;
  let index = start;
  while (index <= limit) {
    let o = order;
    if ((index & ((1 << o) - 1)) !== 0) o = trailingZeros(index);
    while (o > 0 && index + 2 ** o - 1 > limit) o--;
    if (!readFolio(k, inode, index, mark, o)) break;
    index += 2 ** o;
  }
  if (index <= limit && ra.size > index - start)
    pageCacheRa(k, inode, start + (k.era.readaheadOrder === "rising" ? 0 : index - start), ra.size - (index - start), ra.asyncSize);
}

/** force_page_cache_ra: pages of a range that are not in the cache, as single folios without a mark (readahead(2)). */
export function forcePageCacheRa(k: Kernel, inode: Inode, index: number, pages: number): void {
  pageCacheRa(k, inode, index, pages, 0);
}

/** One folio that a window of readahead ended with: the fault that comes to it has to ask for the next window. */
export function readMarkedFolio(k: Kernel, inode: Inode, index: number, order: number): void {
  readFolio(k, inode, index, index, order);
}

const setReadahead = (k: Kernel, file: number, ra: Readahead): void => void k.files.update(file, { ra });

/** do_sync_mmap_readahead: what is read for a page that a fault missed. */
export function syncMmapReadahead(k: Kernel, vma: Vma, vpn: number, inodeSlot: number, index: number): void {
  const inode = k.inodes.get(inodeSlot);
  if (k.tracer !== null) traceMmapReadahead(k, vma, vpn, index);
  const { kind, window, mmapMiss } = mmapWindow(k, vma, index);
  const { ra } = k.files.get(vma.file);
  if (mmapMiss !== ra.mmapMiss) setReadahead(k, vma.file, { ...ra, mmapMiss });
  if (window !== null) pageCacheRaOrder(k, vma.file, inode, window.start, window.ra);
  else if (kind === "sequential") syncReadahead(k, vma.file, index, fileRaPages(k, vma.file));
  // ->read_folio for what nobody read yet
  if (filemapPage(k, inodeSlot, index) === NO_PFN) readFolio(k, inode, index, -1, 0);
}

/** do_async_mmap_readahead: a fault came to the page that the last window marked. True: more was read, for which the fault let its lock go. */
export function asyncMmapReadahead(k: Kernel, vma: Vma, vpn: number, inodeSlot: number, index: number): boolean {
  if ((vma.flags & VM.randRead) !== 0) return false;
  const { ra } = k.files.get(vma.file);
  if (ra.mmapMiss > 0) setReadahead(k, vma.file, { ...ra, mmapMiss: ra.mmapMiss - 1 });
  const head = filemapFolio(k, inodeSlot, index);
  if ((k.pageFlags.get(head) & PG.readahead) === 0) return false;
  if (k.tracer !== null) traceAsyncReadahead(k, vma, vpn, head, index);
  asyncReadahead(k, vma.file, head, index, fileRaPages(k, vma.file));
  return true;
}

/** page_cache_sync_ra: a page that read(2) missed, with `asked` pages to go. */
export function syncReadahead(k: Kernel, file: number, index: number, asked: number): void {
  const inode = k.inodes.get(k.files.get(file).inode);
  if (k.files.get(file).reads === "random") {
    forcePageCacheRa(k, inode, index, Math.min(asked, Math.max(fileRaPages(k, file), IO_PAGES)));
    return;
  }
  const next = syncWindow(k, file, index, asked);
  if (next === null) pageCacheRa(k, inode, index, asked, 0);
  else pageCacheRaOrder(k, file, inode, next.start, next);
}

/** page_cache_async_ra: the marked page was reached; the next window is read. */
export function asyncReadahead(k: Kernel, file: number, head: Pfn, index: number, asked: number): void {
  dropFlag(k, head, PG.readahead);
  const next = asyncWindow(k, file, head, index, asked);
  if (next !== null) pageCacheRaOrder(k, file, k.inodes.get(k.files.get(file).inode), next.start, next);
}
