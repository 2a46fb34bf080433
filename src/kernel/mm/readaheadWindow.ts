import type { Pfn } from "../units.ts";
import { folioOrder } from "./folio.ts";
import type { Kernel } from "./kernel.ts";
import { filemapPage } from "./pageCache.ts";
import type { Readahead, Vma } from "./records.ts";
import { NO_PFN } from "../units.ts";
import { VM } from "./vmFlags.ts";

/** Which pages are read ahead, and in folios of what order (mm/readahead.c, do_sync_mmap_readahead). Plain questions: nothing is read or changed here. */

/** ra_pages: read_ahead_kb of the disk */
export const raPages = (k: Kernel): number => k.profile.config.readAheadKb / 4;
/** ra_pages of a struct file: POSIX_FADV_SEQUENTIAL doubles the window */
export const fileRaPages = (k: Kernel, file: number): number => raPages(k) * (k.files.get(file).reads === "sequential" ? 2 : 1);
/** MMAP_LOTSAMISS: a mapping that misses that much more than it hits is not read around */
const LOTS_OF_MISSES = 100;

export const ilog2 = (n: number): number => 31 - Math.clz32(n);

/** A window of pages to read. `start` is where it is read from, which `ra.start` need not say (MADV_HUGEPAGE). */
export interface Window {
  readonly start: number;
  readonly ra: Readahead;
}

/** How a fault that missed reads: a block for MADV_HUGEPAGE, as read(2) would for MADV_SEQUENTIAL, code from the page on, around the page, or that page alone. */
export interface MmapWindow {
  readonly kind: "huge" | "sequential" | "exec" | "around" | "missed" | "random";
  /** null: only the page itself, and for "sequential" what syncWindow says */
  readonly window: Window | null;
  /** what the misses of this file are counted as from now on */
  readonly mmapMiss: number;
}

/** do_sync_mmap_readahead, as far as it chooses. */
export function mmapWindow(k: Kernel, vma: Vma, index: number): MmapWindow {
  const { ra } = k.files.get(vma.file);
  const pmd = 1 << k.geo.pmdOrder;
  if ((vma.flags & VM.hugePage) !== 0 && k.geo.thp) {
    const size = (vma.flags & VM.randRead) !== 0 ? pmd : 2 * pmd;
    const order = k.era.readaheadOrder === "rising" ? k.geo.pmdOrder - 2 : k.geo.pmdOrder;
    return { kind: "huge", window: { start: index - (index % pmd), ra: { ...ra, size, asyncSize: pmd, order } }, mmapMiss: ra.mmapMiss };
  }
  if ((vma.flags & VM.seqRead) !== 0) return { kind: "sequential", window: null, mmapMiss: ra.mmapMiss };
  const isCode = k.era.readaheadExec && (vma.flags & VM.exec) !== 0;
  if ((vma.flags & VM.randRead) !== 0 && !isCode) return { kind: "random", window: null, mmapMiss: ra.mmapMiss };
  const mmapMiss = Math.min(ra.mmapMiss + 1, LOTS_OF_MISSES * 10);
  if (mmapMiss > LOTS_OF_MISSES) return { kind: "missed", window: null, mmapMiss };
  if (isCode) {
    const start = Math.max(index, vma.pgoff);
    const end = Math.min(start + fileRaPages(k, vma.file), vma.pgoff + (vma.end - vma.start));
    return { kind: "exec", window: { start, ra: { ...ra, mmapMiss, start, size: end - start, asyncSize: 0, order: 0 } }, mmapMiss };
  }
  const start = Math.max(0, index - fileRaPages(k, vma.file) / 2);
  return {
    kind: "around",
    window: { start, ra: { ...ra, mmapMiss, start, size: fileRaPages(k, vma.file), asyncSize: fileRaPages(k, vma.file) / 4, order: 0 } },
    mmapMiss,
  };
}

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

/** page_cache_sync_ra: the window for a page that read(2) missed, with `asked` pages to go; null: just what was asked for. */
export function syncWindow(k: Kernel, file: number, index: number, asked: number): Readahead | null {
  const { ra, inode } = k.files.get(file);
  const max = fileRaPages(k, file);
  const isNext = ra.prevIndex >= 0 && index - ra.prevIndex >= 0 && index - ra.prevIndex <= 1;
  if (index === 0 || asked > max || isNext) {
    const size = initSize(asked, max);
    return { ...ra, start: index, size, asyncSize: size > asked ? size - asked : size >>> 1, order: 0 };
  }
  let miss = index - 1;
  while (miss >= 0 && index - miss <= max && filemapPage(k, inode, miss) !== NO_PFN) miss--;
  let run = index - miss - 1;
  if (run <= asked) return null;
  if (miss < 0) run *= 2;
  return { ...ra, start: index, size: Math.min(run + asked, max), asyncSize: 1, order: 0 };
}

/** page_cache_async_ra: the window behind the one whose marked page was reached; null where all of it is there. */
export function asyncWindow(k: Kernel, file: number, head: Pfn, index: number, asked: number): Readahead | null {
  const { ra, inode } = k.files.get(file);
  const pages = 2 ** folioOrder(k, head);
  const expected = Math.floor((ra.start + ra.size - ra.asyncSize) / pages) * pages;
  let start: number;
  let size: number;
  if (index === expected) {
    start = ra.start + ra.size;
    size = k.era.readaheadKeepsSize ? Math.max(ra.size, nextSize(ra.size, fileRaPages(k, file))) : nextSize(ra.size, fileRaPages(k, file));
  } else {
    start = index + 1;
    while (start - index <= fileRaPages(k, file) && filemapPage(k, inode, start) !== NO_PFN) start++;
    if (start - index > fileRaPages(k, file)) return null;
    size = nextSize(start - index + asked, fileRaPages(k, file));
  }
  let order = k.era.readaheadOrder === "rising" ? folioOrder(k, head) : ra.order + 2;
  if (k.era.readaheadOrder === "stored") {
    const align = 2 ** Math.min(order, ilog2(fileRaPages(k, file) & -fileRaPages(k, file)));
    const end = Math.floor((start + size) / align) * align;
    if (end > start) size = end - start;
  } else order = folioOrder(k, head);
  return { ...ra, start, size, asyncSize: size, order };
}

/** The order that page_cache_ra_order begins with; -1: single pages only. Until 6.16 it asked for four times as much itself. */
export function windowOrder(k: Kernel, inode: number, ra: Readahead): number {
  const isRising = k.era.readaheadOrder === "rising";
  if (!k.inodes.get(inode).largeFolios || (isRising && ra.size < 4)) return -1;
  return Math.min(isRising ? ra.order + 2 : ra.order, k.geo.pmdOrder, ilog2(ra.size));
}
