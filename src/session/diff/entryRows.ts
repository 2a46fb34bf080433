import { isWritable } from "../../kernel/arch/geometry.ts";
import { isRawPfn } from "../../kernel/drivers/card.ts";
import { ENTRY_ROW, entryRowAt, type Kernel } from "../../kernel/mm/kernel.ts";
import { entryPfn, tableBelow } from "../../kernel/mm/pgtable.ts";
import { isHugeZero } from "../../kernel/thp/hugeZero.ts";
import type { TableIndex } from "../../kernel/units.ts";
import type { Say } from "../../observe/picture/context.ts";
import { stateLabel } from "../../observe/picture/legend.ts";
import type { CellState } from "../../observe/picture/model.ts";
import { Runs, type RowGroup } from "./groups.ts";
import { mmOf, type ProcessSide } from "./valueRows.ts";

/**
 * Differences of what page-table entries map, page by page, neighbours with the same difference as one row. Tables whose chunk both states
 * share are passed over.
 */

/** What translates a stretch of pages on one side: a table, or one entry (0 and 0: none) of some level. */
type Side =
  { readonly kind: "table"; readonly table: TableIndex } | { readonly kind: "entry"; readonly lo: number; readonly hi: number; readonly span: number };

const STATES: readonly CellState[] = ["none", "page", "huge", "zero", "hugeZero", "special", "device"];
const LOOK = {
  none: 0,
  page: 1,
  huge: 2,
  zero: 3,
  hugeZero: 4,
  special: 5,
  device: 6,
  writable: 8,
  accessed: 16,
  dirty: 32,
  softDirty: 64,
  uffdWp: 128,
  protNone: 256,
} as const;
const KIND_MASK = 7;
const FLAG_NAMES = [
  [LOOK.accessed, "accessed"],
  [LOOK.dirty, "dirty"],
  [LOOK.softDirty, "soft-dirty"],
  [LOOK.uffdWp, "uffd-wp"],
  [LOOK.protNone, "protnone"],
] as const;

/** What an entry does, as one number. */
function lookOf(k: Kernel, lo: number, hi: number, span: number): number {
  const e = k.geo.encoding;
  if (lo === 0 && hi === 0) return LOOK.none;
  if ((lo & (e.present | e.protNone)) === 0) return LOOK.special | ((hi & 0xff) << 16);
  const pfn = entryPfn(lo, hi);
  const small = (lo & e.special) !== 0 ? LOOK.zero : LOOK.page;
  const kind = isRawPfn(k, pfn) ? LOOK.device : span === 1 ? small : isHugeZero(k, pfn) ? LOOK.hugeZero : LOOK.huge;
  const bit = (mask: number, flag: number): number => ((lo & mask) !== 0 ? flag : 0);
  return (
    kind |
    (isWritable(e, lo) ? LOOK.writable : 0) |
    bit(e.accessed, LOOK.accessed) |
    bit(e.dirty, LOOK.dirty) |
    bit(e.softDirty, LOOK.softDirty) |
    bit(e.uffdWp, LOOK.uffdWp) |
    ((lo & e.present) === 0 ? LOOK.protNone : 0)
  );
}

function lookText(say: Say, look: number, frame: number): string {
  const state = STATES[look & KIND_MASK];
  const label = stateLabel(say, state);
  if (state === "none" || state === "special") return label;
  const flags = FLAG_NAMES.filter(([bit]) => (look & bit) !== 0).map(([, name]) => name);
  return [label, say("session.diff.frame", { frame: `0x${frame.toString(16)}` }), (look & LOOK.writable) !== 0 ? "rw" : "r", ...flags].join(", ");
}

/** Frame of the page at `offset` in what an entry maps; -1 for none. */
const frameOf = (k: Kernel, entry: Extract<Side, { kind: "entry" }>, vpn: number): number =>
  (entry.lo & (k.geo.encoding.present | k.geo.encoding.protNone)) === 0 ? -1 : entryPfn(entry.lo, entry.hi) + (vpn % entry.span);

interface Place {
  readonly vpn: number;
  readonly beforeLook: number;
  readonly afterLook: number;
  readonly beforeFrame: number;
  readonly afterFrame: number;
}

class EntryWalk {
  readonly #from: Kernel;
  readonly #to: Kernel;
  readonly #runs: Runs;
  #begin: Place | null = null;

  constructor(from: Kernel, to: Kernel, row: (first: Place, count: number) => void) {
    this.#from = from;
    this.#to = to;
    this.#runs = new Runs((_first, count) => {
      if (this.#begin !== null) row(this.#begin, count);
      this.#begin = null;
    });
  }

  walk(was: Side, is: Side, level: number, start: number): void {
    if (was.kind === "entry" && is.kind === "entry") this.#compare(was, is, level, start);
    else if (!this.#isShared(was, is, level)) this.#entries(was, is, level, start);
  }

  end(): void {
    this.#runs.flush();
  }

  /** The same table of the lowest level in the same chunk. */
  #isShared(was: Side, is: Side, level: number): boolean {
    const { geo, entryRows } = this.#to;
    if (was.kind !== "table" || is.kind !== "table" || was.table !== is.table || level !== geo.levels.length - 1) return false;
    const c = (is.table * geo.tableStride) >>> entryRows.shift;
    return entryRows.chunks[c] === this.#from.entryRows.chunks[c];
  }

  #entries(was: Side, is: Side, level: number, start: number): void {
    const { bits, shift } = this.#to.geo.levels[level];
    const span = 2 ** shift;
    for (let i = 0; i < 2 ** bits; i++) {
      const before = childOf(this.#from, was, level, i, span);
      const after = childOf(this.#to, is, level, i, span);
      if (before.kind === "entry" && after.kind === "entry" && before.lo === after.lo && before.hi === after.hi && before.span === after.span) continue;
      this.walk(before, after, level + 1, start + i * span);
    }
  }

  #compare(was: Extract<Side, { kind: "entry" }>, is: Extract<Side, { kind: "entry" }>, level: number, vpn: number): void {
    const beforeLook = lookOf(this.#from, was.lo, was.hi, was.span);
    const afterLook = lookOf(this.#to, is.lo, is.hi, is.span);
    const beforeFrame = frameOf(this.#from, was, vpn);
    const afterFrame = frameOf(this.#to, is, vpn);
    if (beforeLook === afterLook && beforeFrame === afterFrame) return;
    const pages = 2 ** this.#to.geo.levels[level - 1].shift;
    const isElsewhere = beforeFrame !== afterFrame ? 2 ** 24 : 0;
    this.#runs.add(vpn, pages, beforeLook, afterLook + isElsewhere);
    this.#begin ??= { vpn, beforeLook, afterLook, beforeFrame, afterFrame };
  }
}

function childOf(k: Kernel, side: Side, level: number, i: number, span: number): Side {
  if (side.kind === "entry") return side;
  const e = side.table * k.geo.tableStride + i;
  const chunk = k.entryRows.chunks[e >>> k.entryRows.shift];
  if (chunk === undefined) return NOTHING;
  const lo = chunk[entryRowAt(e) + ENTRY_ROW.lo];
  const hi = chunk[entryRowAt(e) + ENTRY_ROW.hi];
  const { present, protNone, leaf } = k.geo.encoding;
  const isTable = level < k.geo.levels.length - 1 && (lo & (present | protNone)) !== 0 && (lo & leaf) === 0;
  return isTable ? { kind: "table", table: tableBelow(k, lo, hi) } : { kind: "entry", lo, hi, span };
}

const NOTHING: Side = { kind: "entry", lo: 0, hi: 0, span: 1 };

export function entryRows(group: RowGroup, from: ProcessSide, to: ProcessSide, process: string, at: (vpn: number) => string, suffix: string, say: Say): void {
  if (mmOf(from, process) === 0 && mmOf(to, process) === 0) return;
  const root = (side: ProcessSide): Side => {
    const mm = mmOf(side, process);
    return mm === 0 ? NOTHING : { kind: "table", table: side.k.mms.get(mm).pgd };
  };
  const walk = new EntryWalk(from.k, to.k, (first, count) =>
    group.add(() => ({
      subject: count === 1 ? `${at(first.vpn)}${suffix}` : say("session.diff.pages", { from: `${at(first.vpn)}${suffix}`, count }),
      before: lookText(say, first.beforeLook, first.beforeFrame),
      after: lookText(say, first.afterLook, first.afterFrame),
      why: mmOf(to, process) === 0 ? null : `0x${(first.vpn * 4096).toString(16)}${suffix}`,
    })),
  );
  walk.walk(root(from), root(to), 0, 0);
  walk.end();
}
