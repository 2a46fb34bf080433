import { folioOf, PAGE_ROW, type Kernel } from "../../kernel/mm/kernel.ts";
import { MAX_ORDER } from "../../kernel/mm/pageAlloc.ts";
import { ORDER_MASK, ORDER_SHIFT, PG } from "../../kernel/mm/pageFlags.ts";
import type { Field } from "../../kernel/store/rows.ts";
import type { Pfn } from "../../kernel/units.ts";
import type { CellState } from "./model.ts";
import { FRAME, FRAME_KINDS, frameKind, SECTION_PAGES, type Summaries } from "./summaries.ts";

/** Which page frames are used, for what, and which of them the last step changed: counted over ranges of frames. */

const BLOCK_PAGES = 1 << PAGE_ROW.shift;

export const FRAME_STATES: readonly CellState[] = ["free", "anon", "anonHuge", "pageTable", "zero", "hugeZero", "reserved", "reserved", "file"];

/** Memory as the pictures see it: zones, and the frames that belong to none. */
export interface MemoryLayout {
  /** one past the last frame */
  readonly end: number;
  /** first frame of the first zone: those below belong to nobody */
  readonly start: number;
}

export function layoutOf(k: Kernel): MemoryLayout {
  let start = Infinity;
  let end = 0;
  for (let slot = 1; slot <= k.zones.count; slot++) {
    start = Math.min(start, k.zones.get(slot).start);
    end = Math.max(end, k.zones.get(slot).end);
  }
  return { start, end };
}

/** The free block that a frame belongs to: its head and order; undefined when the frame is used. A frame that was never handed out is a block of its own. */
export function freeBlockAt(k: Kernel, pfn: number): { readonly head: number; readonly order: number } | undefined {
  for (let order = 0; order <= MAX_ORDER; order++) {
    const head = pfn - (pfn % (1 << order));
    const flags = k.pageFlags.get(head);
    if ((flags & PG.buddy) !== 0 && (flags & ORDER_MASK) >>> ORDER_SHIFT >= order) return { head, order: (flags & ORDER_MASK) >>> ORDER_SHIFT };
  }
  return k.pageFlags.get(pfn) === 0 ? { head: pfn, order: 0 } : undefined;
}

/** The kind of one frame. */
export const kindAt = (k: Kernel, pfn: number): number => {
  const flags = k.pageFlags.get(pfn);
  return frameKind((flags & PG.tail) !== 0 ? k.pageFlags.get(folioOf(k, pfn as Pfn)) : flags);
};

/** Counts the frames of each kind in [start, end) into `counts`. Whole blocks and sections come from the summaries. */
export function countFrames(k: Kernel, summaries: Summaries, layout: MemoryLayout, start: number, end: number, counts: Int32Array): void {
  counts.fill(0);
  for (let pfn = start; pfn < end;) {
    if (pfn % BLOCK_PAGES !== 0 || pfn + BLOCK_PAGES > end) {
      counts[kindAt(k, pfn)]++;
      pfn++;
      continue;
    }
    const isSection = pfn % SECTION_PAGES === 0 && pfn + SECTION_PAGES <= end;
    const of = isSection ? summaries.section(k, pfn / SECTION_PAGES) : summaries.block(k, pfn / BLOCK_PAGES);
    for (let kind = 0; kind < FRAME_KINDS; kind++) counts[kind] += of[kind];
    pfn += isSection ? SECTION_PAGES : BLOCK_PAGES;
  }
  // frames below the first zone are in no list and have no flags
  const below = Math.max(0, Math.min(end, layout.start) - start);
  counts[FRAME.free] -= below;
  counts[FRAME.reserved] += below;
}

const isFree = (flags: number): boolean => flags === 0 || (flags & PG.buddy) !== 0;

/** Is a used frame other than it was? What is counted for a whole folio counts for its head. Free frames look alike, whatever block they are in. */
function frameDiffers(k: Kernel, before: Kernel, pfn: number): boolean {
  const flags = k.pageFlags.get(pfn);
  const flagsWere = before.pageFlags.get(pfn);
  if (isFree(flags) || isFree(flagsWere)) return isFree(flags) !== isFree(flagsWere);
  if (flags !== flagsWere) return true;
  const differs = (field: Field, old: Field): boolean => field.get(pfn) !== old.get(pfn);
  return (
    differs(k.stamp, before.stamp) ||
    differs(k.mapping, before.mapping) ||
    differs(k.refcount, before.refcount) ||
    differs(k.mapcount, before.mapcount) ||
    ((flags & PG.head) !== 0 && differs(k.entireMapcount, before.entireMapcount))
  );
}

/** Is any frame of [start, end), or the folio it is part of, other than it was before? Chunks that both states share are passed over. */
export function framesChanged(k: Kernel, before: Kernel, start: number, end: number): boolean {
  for (let pfn = start; pfn < end;) {
    const c = pfn >>> PAGE_ROW.shift;
    const stop = Math.min(end, (c + 1) << PAGE_ROW.shift);
    if (k.pageRows.chunks[c] !== before.pageRows.chunks[c] || k.useRows.chunks[c] !== before.useRows.chunks[c]) {
      const head = folioOf(k, pfn as Pfn);
      if (head !== pfn && frameDiffers(k, before, head)) return true;
      for (let p = pfn; p < stop; p++) if (frameDiffers(k, before, p)) return true;
    }
    pfn = stop;
  }
  return false;
}
