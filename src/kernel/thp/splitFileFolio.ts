import { folioMapcount, folioOrder, folioPages, hasFlag, lruAdd, lruIsolate } from "../mm/folio.ts";
import { isShmem, shmemFallocend, sizePages } from "../mm/inode.ts";
import { FOLIO_ROW, MMC, MTHP, type Kernel } from "../mm/kernel.ts";
import { countSplit, filemapRemoveFolio, folioAccountCleaned, isShmemFolio } from "../mm/pageCache.ts";
import { ORDER_MASK, ORDER_SHIFT, PG } from "../mm/pageFlags.ts";
import { clearEntry } from "../mm/pgtable.ts";
import { removeRmapPtes } from "../mm/rmap.ts";
import { mappingsOf } from "../mm/rmapWalk.ts";
import { tlbFlushRange } from "../mm/tlb.ts";
import { VMSTAT } from "../mm/vmstat.ts";
import { handBits } from "../mm/zap.ts";
import type { Pfn } from "../units.ts";
import { traceSplitFile } from "../why/fileFaults.ts";
import { splitPmd } from "./splitPmd.ts";

/** Splitting a folio of the page cache (mm/huge_memory.c, __folio_split). */

/**
 * try_to_unmap of a folio of a file: every mapping of it goes, and is found again by the next fault. A PMD is split first, which
 * drops it (TTU_SPLIT_HUGE_PMD).
 */
export function tryToUnmapFile(k: Kernel, head: Pfn): void {
  const counter = isShmemFolio(k, head) ? MMC.shmemPages : MMC.filePages;
  for (const m of mappingsOf(k, head)) {
    if (m.level === "pmd") {
      splitPmd(k, m.vma, m.place, m.vpn);
      continue;
    }
    handBits(k, m.vma, head, k.entryLo.get(m.table * k.geo.tableStride + m.i));
    clearEntry(k, m.table, m.i);
    tlbFlushRange(k, m.vma.mm, m.vpn, m.vpn + 1);
    removeRmapPtes(k, m.page, 1, m.vma);
    k.countMm(m.vma.mm, counter, -1);
    k.refcount.add(head, -1);
  }
}

/** Flags of the folio that its pieces have too. */
const COPIED = PG.file | PG.swapbacked | PG.uptodate | PG.dirty | PG.referenced | PG.active | PG.mlocked | PG.unevictable;

/** Orders of the pieces, in order of position: all pages single, or halves down to the page around which is split. */
function piecesOf(order: number, around: number | null): { readonly at: number; readonly order: number }[] {
  if (around === null) return Array.from({ length: 1 << order }, (_, at) => ({ at, order: 0 }));
  const out: { at: number; order: number }[] = [];
  let start = 0;
  for (let o = order - 1; o >= 0; o--) {
    const half = start + (1 << o);
    if (around < half) out.push({ at: half, order: o });
    else {
      out.push({ at: start, order: o });
      start = half;
    }
  }
  out.push({ at: start, order: 0 });
  return out.sort((a, b) => a.at - b.at);
}

/** Makes a piece a folio of its own; its pages keep their contents. */
function makePiece(k: Kernel, head: Pfn, order: number, flags: number, inode: number, index: number): void {
  const n = 1 << order;
  k.pageFlags.set(head, flags | (order > 0 ? PG.head | (order << ORDER_SHIFT) : 0));
  k.mapping.set(head, inode);
  k.pageIndex.set(head, index);
  k.refcount.set(head, n);
  k.pageStep.set(head, k.step);
  if (order === 0) return;
  k.folioRows.fillRows(head, 1, new Array<number>(FOLIO_ROW.width).fill(0));
  k.mmIdRows.fillRows(2 * head, 2, [0, 0]);
  for (let j = 1; j < n; j++) {
    k.pageFlags.set(head + j, PG.tail);
    k.mapping.set(head + j, head);
    k.refcount.set(head + j, 0);
  }
}

/**
 * split_folio to single pages (`around` null), or folio_split around one page (6.15). The caller has one reference, which goes to the
 * folio that then holds `around`, or to the first. False (EAGAIN, EBUSY): somebody else has a reference, or the file system keeps notes
 * about dirty data in it. Pages behind the end of the file leave the page cache.
 */
export function splitFileFolio(k: Kernel, head: Pfn, around: Pfn | null): boolean {
  const order = folioOrder(k, head);
  const pages = folioPages(k, head);
  const count = (ok: boolean): boolean => {
    if (order === k.geo.pmdOrder || !k.era.mthpStats) k.countVm(ok ? VMSTAT.thpSplitPage : VMSTAT.thpSplitPageFailed);
    if (k.era.mthpStats) k.countMthp(order, ok ? MTHP.split : MTHP.splitFailed);
    return ok;
  };
  if (k.tracer !== null) traceSplitFile(k, head);
  // filemap_release_folio: buffers of dirty data cannot be given up
  if (hasFlag(k, head, PG.private) && hasFlag(k, head, PG.dirty)) return count(false);
  if (k.refcount.get(head) - folioMapcount(k, head) !== pages + 1) return count(false);
  tryToUnmapFile(k, head);
  const inode = k.inodes.get(k.mapping.get(head));
  const index = k.pageIndex.get(head);
  const shmem = isShmem(k, inode);
  const end = shmem ? shmemFallocend(inode, sizePages(inode)) : sizePages(inode);
  const isolated = lruIsolate(k, head);
  const flags = k.pageFlags.get(head) & COPIED & ~ORDER_MASK;
  countSplit(k, order, shmem);
  const pieces = piecesOf(order, around === null ? null : around - head);
  for (const p of pieces) makePiece(k, (head + p.at) as Pfn, p.order, flags, inode.slot, index + p.at);
  const keeper = pieces.findLast((p) => p.at <= (around === null ? 0 : around - head));
  k.refcount.add(head + (keeper?.at ?? 0), 1);
  for (const p of pieces) {
    const piece = (head + p.at) as Pfn;
    if (isolated) lruAdd(k, piece);
    if (p.at > 0 && index + p.at >= end) {
      folioAccountCleaned(k, piece);
      filemapRemoveFolio(k, piece);
    }
  }
  return count(true);
}
