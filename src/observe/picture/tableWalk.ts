import { ENTRY_ROW, entryRowAt, type Kernel } from "../../kernel/mm/kernel.ts";
import { indexAt, tableBelow } from "../../kernel/mm/pgtable.ts";
import type { TableIndex } from "../../kernel/units.ts";
import type { Summaries } from "./summaries.ts";

/** What a walk over a range of pages meets. Page numbers; ranges lie within the range walked. */
export interface TableVisitor {
  /** an entry above the lowest level that leads nowhere */
  empty(vpn: number, pages: number, step: number): void;
  /** a leaf above the lowest level, or a part of one; `span` is the size of the whole, pages */
  leaf(vpn: number, pages: number, span: number, lo: number, hi: number, step: number): void;
  /** a table of the lowest level, or a part of it: its entries from `index` on */
  table(t: TableIndex, index: number, vpn: number, pages: number): void;
}

/** Walks the tables that translate the pages [start, end), in order of address. Costs one visit for each entry above the lowest level. */
export function walkTables(k: Kernel, pgd: TableIndex, start: number, end: number, visitor: TableVisitor): void {
  walkLevel(k, pgd, 0, start, end, visitor);
}

function walkLevel(k: Kernel, t: TableIndex, level: number, start: number, end: number, visitor: TableVisitor): void {
  const { levels, encoding, tableStride } = k.geo;
  if (level === levels.length - 1) {
    visitor.table(t, indexAt(k.geo, level, start), start, end - start);
    return;
  }
  const span = 2 ** levels[level].shift;
  for (let vpn = start; vpn < end;) {
    const next = Math.min(end, Math.floor(vpn / span) * span + span);
    const e = t * tableStride + indexAt(k.geo, level, vpn);
    const lo = k.entryLo.get(e);
    const hi = k.entryHi.get(e);
    if ((lo & (encoding.present | encoding.protNone)) === 0) visitor.empty(vpn, next - vpn, k.entryStep.get(e));
    else if ((lo & encoding.leaf) !== 0) visitor.leaf(vpn, next - vpn, span, lo, hi, k.entryStep.get(e));
    else walkLevel(k, tableBelow(k, lo, hi), level + 1, vpn, next, visitor);
    vpn = next;
  }
}

/** What lies below a table: 4 KiB pages that are mapped (the zero pages too), and the latest step that changed any of its entries or one below. */
export interface Below {
  readonly pages: number;
  readonly step: number;
}

export function countBelow(k: Kernel, summaries: Summaries, t: TableIndex, level: number): Below {
  const { levels, encoding, tableStride } = k.geo;
  if (level === levels.length - 1) {
    const { pages, zero, device, step } = summaries.table(k, t);
    return { pages: pages + zero + device, step };
  }
  const first = t * tableStride;
  const chunk = k.entryRows.chunks[first >>> k.entryRows.shift];
  let pages = 0;
  let step = 0;
  if (chunk === undefined) return { pages, step };
  const span = 2 ** levels[level].shift;
  for (let i = 0; i < 2 ** levels[level].bits; i++) {
    const at = entryRowAt(first + i);
    const lo = chunk[at + ENTRY_ROW.lo];
    step = Math.max(step, chunk[at + ENTRY_ROW.step]);
    if ((lo & (encoding.present | encoding.protNone)) === 0) continue;
    if ((lo & encoding.leaf) !== 0) pages += span;
    else {
      const below = countBelow(k, summaries, tableBelow(k, lo, chunk[at + ENTRY_ROW.hi]), level + 1);
      pages += below.pages;
      step = Math.max(step, below.step);
    }
  }
  return { pages, step };
}
