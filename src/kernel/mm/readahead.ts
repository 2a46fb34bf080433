import { NO_PFN, type Pfn } from "../units.ts";
import { allocZeroedFolio, dropFlag, folioOrder, folioPut, setFlag } from "./folio.ts";
import { sizePages } from "./inode.ts";
import type { Kernel } from "./kernel.ts";
import { filemapAddFolio, filemapFolio, filemapNext, filemapPage } from "./pageCache.ts";
import { PG } from "./pageFlags.ts";
import type { Inode, Readahead, Vma } from "./records.ts";
import { VM } from "./vmFlags.ts";
import { xaLoad } from "./xarray.ts";

/** Reading files of a disk into the page cache, ahead of need (mm/readahead.c, do_sync_mmap_readahead of mm/filemap.c). Reads end at once here. */

/** ra_pages: read_ahead_kb of the disk */
export const raPages = (k: Kernel): number => k.profile.config.readAheadKb / 4;
/** MMAP_LOTSAMISS: a mapping that misses that much more than it hits is not read around */
const LOTS_OF_MISSES = 100;

const ilog2 = (n: number): number => 31 - Math.clz32(n);
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

/** page_cache_ra_order: folios of the order asked for, smaller ones where they have to be aligned or the file ends. Until 6.16 it asked for four times as much itself. */
function pageCacheRaOrder(k: Kernel, file: number, inode: Inode, start: number, ra: Readahead): void {
  let order = ra.order;
  if (!inode.largeFolios || (k.era.readaheadOrder === "rising" && ra.size < 4)) {
    setReadahead(k, file, { ...ra, order: 0 });
    pageCacheRa(k, inode, start, ra.size, ra.asyncSize);
    return;
  }
  if (k.era.readaheadOrder === "rising") order += 2;
  order = Math.min(order, k.geo.pmdOrder, ilog2(ra.size));
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

/** get_init_ra_size: the first window, from what was asked for. */
function initSize(asked: number, max: number): number {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, asked)));
  if (size <= max / 32) return size * 4;
  return size <= max / 4 ? size * 2 : max;
}

/** get_next_ra_size: how windows grow. */
function nextSize(size: number, max: number): number {
  if (size < max / 16) return 4 * size;
  return size <= max / 2 ? 2 * size : max;
}

/** do_sync_mmap_readahead: what is read for a page that a fault missed. */
export function syncMmapReadahead(k: Kernel, vma: Vma, inodeSlot: number, index: number): void {
  const inode = k.inodes.get(inodeSlot);
  const { ra } = k.files.get(vma.file);
  const pmd = 1 << k.geo.pmdOrder;
  if ((vma.flags & VM.hugePage) !== 0 && k.geo.thp) {
    const size = (vma.flags & VM.randRead) !== 0 ? pmd : 2 * pmd;
    const order = k.era.readaheadOrder === "rising" ? k.geo.pmdOrder - 2 : k.geo.pmdOrder;
    pageCacheRaOrder(k, vma.file, inode, index - (index % pmd), { ...ra, size, asyncSize: pmd, order });
  } else if ((vma.flags & VM.seqRead) !== 0) syncReadahead(k, vma.file, index, raPages(k));
  else if ((vma.flags & VM.randRead) === 0 || (k.era.readaheadExec && (vma.flags & VM.exec) !== 0)) readAround(k, vma, inode, index, ra);
  // ->read_folio for what nobody read yet
  if (filemapPage(k, inodeSlot, index) === NO_PFN) readFolio(k, inode, index, -1, 0);
}

/** The mmap read-around of do_sync_mmap_readahead: half of the window on each side; for code from the page on, within its mapping (6.16). */
function readAround(k: Kernel, vma: Vma, inode: Inode, index: number, ra: Readahead): void {
  const mmapMiss = Math.min(ra.mmapMiss + 1, LOTS_OF_MISSES * 10);
  setReadahead(k, vma.file, { ...ra, mmapMiss });
  if (mmapMiss > LOTS_OF_MISSES) return;
  if (k.era.readaheadExec && (vma.flags & VM.exec) !== 0) {
    const start = Math.max(index, vma.pgoff);
    const end = Math.min(start + raPages(k), vma.pgoff + (vma.end - vma.start));
    pageCacheRaOrder(k, vma.file, inode, start, { ...ra, mmapMiss, start, size: end - start, asyncSize: 0, order: 0 });
    return;
  }
  const start = Math.max(0, index - raPages(k) / 2);
  pageCacheRaOrder(k, vma.file, inode, start, { ...ra, mmapMiss, start, size: raPages(k), asyncSize: raPages(k) / 4, order: 0 });
}

/** do_async_mmap_readahead: a fault came to the page that the last window marked. True: more was read, for which the fault let its lock go. */
export function asyncMmapReadahead(k: Kernel, vma: Vma, inodeSlot: number, index: number): boolean {
  if ((vma.flags & VM.randRead) !== 0) return false;
  const { ra } = k.files.get(vma.file);
  if (ra.mmapMiss > 0) setReadahead(k, vma.file, { ...ra, mmapMiss: ra.mmapMiss - 1 });
  const head = filemapFolio(k, inodeSlot, index);
  if ((k.pageFlags.get(head) & PG.readahead) === 0) return false;
  asyncReadahead(k, vma.file, head, index, raPages(k));
  return true;
}

/** page_cache_sync_ra: a page that read(2) missed, with `asked` pages to go. */
export function syncReadahead(k: Kernel, file: number, index: number, asked: number): void {
  const { ra, inode: inodeSlot } = k.files.get(file);
  const inode = k.inodes.get(inodeSlot);
  const max = raPages(k);
  const isNext = ra.prevIndex >= 0 && index - ra.prevIndex >= 0 && index - ra.prevIndex <= 1;
  let next: Readahead;
  if (index === 0 || asked > max || isNext) {
    const size = initSize(asked, max);
    next = { ...ra, start: index, size, asyncSize: size > asked ? size - asked : size >>> 1, order: 0 };
  } else {
    let miss = index - 1;
    while (miss >= 0 && index - miss <= max && filemapPage(k, inodeSlot, miss) !== NO_PFN) miss--;
    let run = index - miss - 1;
    if (run <= asked) {
      pageCacheRa(k, inode, index, asked, 0);
      return;
    }
    if (miss < 0) run *= 2;
    next = { ...ra, start: index, size: Math.min(run + asked, max), asyncSize: 1, order: 0 };
  }
  pageCacheRaOrder(k, file, inode, next.start, next);
}

/** page_cache_async_ra: the marked page was reached; the next window is read. */
export function asyncReadahead(k: Kernel, file: number, head: Pfn, index: number, asked: number): void {
  dropFlag(k, head, PG.readahead);
  const { ra, inode: inodeSlot } = k.files.get(file);
  const inode = k.inodes.get(inodeSlot);
  const pages = 2 ** folioOrder(k, head);
  const expected = Math.floor((ra.start + ra.size - ra.asyncSize) / pages) * pages;
  let start: number;
  let size: number;
  if (index === expected) {
    start = ra.start + ra.size;
    size = k.era.readaheadKeepsSize ? Math.max(ra.size, nextSize(ra.size, raPages(k))) : nextSize(ra.size, raPages(k));
  } else {
    start = index + 1;
    while (start - index <= raPages(k) && filemapPage(k, inodeSlot, start) !== NO_PFN) start++;
    if (start - index > raPages(k)) return;
    size = nextSize(start - index + asked, raPages(k));
  }
  let order = k.era.readaheadOrder === "rising" ? folioOrder(k, head) : ra.order + 2;
  if (k.era.readaheadOrder === "stored") {
    const align = 2 ** Math.min(order, ilog2(raPages(k) & -raPages(k)));
    const end = Math.floor((start + size) / align) * align;
    if (end > start) size = end - start;
  } else order = folioOrder(k, head);
  pageCacheRaOrder(k, file, inode, start, { ...ra, start, size, asyncSize: size, order });
}
