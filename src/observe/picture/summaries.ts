import { isRawPfn } from "../../kernel/drivers/card.ts";
import { ENTRY_ROW, PAGE_ROW, pageRowAt, type Kernel } from "../../kernel/mm/kernel.ts";
import { ORDER_MASK, ORDER_SHIFT, PG } from "../../kernel/mm/pageFlags.ts";
import { entryPfn } from "../../kernel/mm/pgtable.ts";
import type { TableIndex } from "../../kernel/units.ts";

/** What the entries of a table of the lowest level hold. */
export interface TableCounts {
  /** entries that map a page, the zero page left out */
  readonly pages: number;
  readonly zero: number;
  /** entries that map memory of a device */
  readonly device: number;
  /** entries that hold something but no page: markers, migration entries */
  readonly special: number;
  /** the latest step that changed one of them */
  readonly step: number;
}

/** Kinds of page frames, and how many frames of each a stretch of memory has. */
export const FRAME = { free: 0, anon: 1, anonHuge: 2, pageTable: 3, zero: 4, hugeZero: 5, reserved: 6, other: 7, file: 8 } as const;
export const FRAME_KINDS = 9;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

const BLOCK_SHIFT = PAGE_ROW.shift;
const BLOCK_PAGES = 1 << BLOCK_SHIFT;
/** blocks in a section: the chunks of a section are shared or replaced together */
const SECTION_SHIFT = 6;
export const SECTION_PAGES = BLOCK_PAGES << SECTION_SHIFT;

/** The kind of a used frame or of the head of a folio, by its flags. */
export function frameKind(flags: number): FrameKind {
  if (flags === 0 || (flags & PG.buddy) !== 0) return FRAME.free;
  if ((flags & PG.table) !== 0) return FRAME.pageTable;
  if ((flags & PG.zero) !== 0) return (flags & PG.head) !== 0 ? FRAME.hugeZero : FRAME.zero;
  if ((flags & PG.reserved) !== 0) return FRAME.reserved;
  if ((flags & PG.file) !== 0) return FRAME.file;
  if ((flags & PG.head) !== 0) return FRAME.anonHuge;
  return (flags & PG.anon) !== 0 ? FRAME.anon : FRAME.other;
}

/**
 * Counts for pictures, one set for each page-table chunk, each 2 MiB and each 128 MiB of memory. They are derived and hang on the chunks of
 * the store, which never change once a snapshot shares them: a picture counts again only what commands wrote since the last picture.
 * `Kernel.store.snapshot()` must have been called since the last write (buildPicture does it).
 */
export class Summaries {
  readonly #tables = new WeakMap<Int32Array, (TableCounts | undefined)[]>();
  readonly #blocks = new WeakMap<Int32Array, Int32Array>();
  readonly #sections = new WeakMap<readonly unknown[], Int32Array>();

  /** Counts of a table of the lowest level. */
  table(k: Kernel, t: TableIndex): TableCounts {
    const first = t * k.geo.tableStride;
    const chunk = k.entryRows.chunks[first >>> k.entryRows.shift];
    if (chunk === undefined) return NOTHING;
    let known = this.#tables.get(chunk);
    if (known === undefined) {
      known = [];
      this.#tables.set(chunk, known);
    }
    const place = (first & k.entryRows.mask) / k.geo.tableStride;
    return (known[place] ??= countTable(k, chunk, first & k.entryRows.mask));
  }

  /** Frames of each kind among the 512 of a block, by FRAME. */
  block(k: Kernel, block: number): Int32Array {
    const chunk = k.pageRows.chunks[block];
    // never handed out
    if (chunk === undefined) return ALL_FREE;
    let counts = this.#blocks.get(chunk);
    if (counts === undefined) {
      counts = countBlock(chunk);
      this.#blocks.set(chunk, counts);
    }
    return counts;
  }

  /** Frames of each kind among 128 MiB. */
  section(k: Kernel, section: number): Int32Array {
    const chunks = k.pageRows.snapshot()[section];
    if (chunks === undefined) return SECTION_FREE;
    let counts = this.#sections.get(chunks);
    if (counts === undefined) {
      counts = new Int32Array(FRAME_KINDS);
      for (let block = section << SECTION_SHIFT; block < (section + 1) << SECTION_SHIFT; block++) {
        const of = this.block(k, block);
        for (let kind = 0; kind < FRAME_KINDS; kind++) counts[kind] += of[kind];
      }
      this.#sections.set(chunks, counts);
    }
    return counts;
  }
}

const NOTHING: TableCounts = { pages: 0, zero: 0, device: 0, special: 0, step: 0 };
const freeCounts = (pages: number): Int32Array => Int32Array.from({ length: FRAME_KINDS }, (_, kind) => (kind === FRAME.free ? pages : 0));
const ALL_FREE = freeCounts(BLOCK_PAGES);
const SECTION_FREE = freeCounts(SECTION_PAGES);

function countTable(k: Kernel, chunk: Int32Array, first: number): TableCounts {
  const { present, protNone, special: zeroBit } = k.geo.encoding;
  const { width } = k.entryRows;
  const holdsFrame = present | protNone;
  let pages = 0;
  let zero = 0;
  let device = 0;
  let special = 0;
  let step = 0;
  const end = (first + 2 ** k.geo.levels[k.geo.levels.length - 1].bits) * width;
  for (let at = first * width; at < end; at += width) {
    const lo = chunk[at + ENTRY_ROW.lo];
    if (chunk[at + ENTRY_ROW.step] > step) step = chunk[at + ENTRY_ROW.step];
    if ((lo & holdsFrame) !== 0) {
      if ((lo & zeroBit) === 0) pages++;
      else if (isRawPfn(k, entryPfn(lo, chunk[at + ENTRY_ROW.hi]))) device++;
      else zero++;
    } else if (lo !== 0 || chunk[at + ENTRY_ROW.hi] !== 0) special++;
  }
  return { pages, zero, device, special, step };
}

function countBlock(chunk: Int32Array): Int32Array {
  const counts = new Int32Array(FRAME_KINDS);
  // a free block of more than this ends behind it; its second half has no flags, as the inside of any free block
  for (let i = 0; i < BLOCK_PAGES;) {
    const flags = chunk[pageRowAt(i) + PAGE_ROW.flags];
    const pages = (flags & (PG.head | PG.buddy)) !== 0 ? Math.min(1 << ((flags & ORDER_MASK) >>> ORDER_SHIFT), BLOCK_PAGES - i) : 1;
    counts[frameKind(flags)] += pages;
    i += pages;
  }
  return counts;
}
