import { PPC_8XX_PMD_PAGE_8M } from "../../kernel/arch/ppc8xx.ts";
import { isRawPfn } from "../../kernel/drivers/card.ts";
import { folioPlace } from "../../kernel/proc/taskMmu.ts";
import type { Kernel } from "../../kernel/mm/kernel.ts";
import { entryAt, entryPfn, indexAt, isMarker, loAt, hiAt, MARKER, NONPRESENT, tableBelow } from "../../kernel/mm/pgtable.ts";
import { isHugeZero } from "../../kernel/thp/hugeZero.ts";
import type { TableIndex } from "../../kernel/units.ts";
import { rawText } from "../pageTableText.ts";
import { hex, isLastStep, processOf, sayer, sizeText, whyWords, type PictureContext, type Say } from "./context.ts";
import { fieldsOf, type EntryKind } from "./entryFields.ts";
import { legendOf } from "./legend.ts";
import type { CellState, EntryDetail, PageTablesPicture, PageTablesRequest } from "./model.ts";
import { countBelow, walkTables } from "./tableWalk.ts";

/** The picture of page tables: the walk from the root to an address, and all entries of one table on the way. */

function kindOf(k: Kernel, level: number, lo: number, hi: number): EntryKind {
  const { present, protNone, leaf } = k.geo.encoding;
  if (lo === 0 && hi === 0) return "none";
  if ((lo & (present | protNone)) === 0) return "notPresent";
  const isLowest = level === k.geo.levels.length - 1;
  if (!isLowest && (lo & leaf) === 0) return "table";
  if ((lo & present) === 0) return "protNone";
  return isLowest ? "page" : "huge";
}

function stateOf(k: Kernel, level: number, kind: EntryKind, lo: number, hi: number): CellState {
  if (kind === "none" || kind === "table") return kind;
  if (isRawPfn(k, entryPfn(lo, hi)) && kind !== "notPresent") return "device";
  if (kind === "notPresent") return (lo & NONPRESENT.mask) === NONPRESENT.swap ? "swap" : "special";
  if (level === k.geo.levels.length - 1) return (lo & k.geo.encoding.special) !== 0 ? "zero" : "page";
  return isHugeZero(k, entryPfn(lo, hi)) ? "hugeZero" : "huge";
}

function notPresentSummary(k: Kernel, say: Say, lo: number, hi: number): string {
  if (isMarker(k, lo, hi, MARKER.guard)) return say("observe.entry.guard");
  if (isMarker(k, lo, hi, MARKER.uffdWp)) return say("observe.entry.uffdWp");
  return say((lo & NONPRESENT.mask) === NONPRESENT.migration ? "observe.entry.migration" : "observe.entry.notPresent");
}

/** One sentence on what an entry does. */
function summaryOf(k: Kernel, say: Say, level: number, kind: EntryKind, lo: number, hi: number): string {
  const size = sizeText(4 * 2 ** k.geo.levels[level].shift);
  const pfn = entryPfn(lo, hi);
  const frame = hex(pfn);
  switch (kind) {
    case "none":
      return say("observe.entry.none", { size });
    case "notPresent":
      return notPresentSummary(k, say, lo, hi);
    case "table":
      if (k.geo.bytesPerEntry === 4 && (lo & PPC_8XX_PMD_PAGE_8M) === PPC_8XX_PMD_PAGE_8M) return say("observe.entry.half8M", { frame });
      return say("observe.entry.table", { level: k.geo.levels[level + 1].name, frame });
    case "protNone":
      if (isRawPfn(k, pfn)) return say("observe.entry.device", { size, frame });
      return say("observe.entry.protNone", { size, frame });
    case "huge":
      if (isRawPfn(k, pfn)) return say("observe.entry.device", { size, frame });
      return say(isHugeZero(k, pfn) ? "observe.entry.hugeZero" : "observe.entry.huge", { size, frame });
    case "page": {
      if (isRawPfn(k, pfn)) return say("observe.entry.device", { size, frame });
      if ((lo & k.geo.encoding.special) !== 0) return say("observe.entry.zero", { frame });
      const { order, index } = folioPlace(k, pfn);
      return order === 0 ? say("observe.entry.page", { frame }) : say("observe.entry.pageOfFolio", { frame, index, order });
    }
  }
}

interface Shown {
  readonly k: Kernel;
  readonly context: PictureContext;
  readonly process: string;
}

function entryDetail(shown: Shown, table: TableIndex, level: number, vpn: number): EntryDetail {
  const { k, context } = shown;
  const say = sayer(context);
  const index = indexAt(k.geo, level, vpn);
  const lo = loAt(k, table, index);
  const hi = hiAt(k, table, index);
  const kind = kindOf(k, level, lo, hi);
  const span = 2 ** k.geo.levels[level].shift;
  return {
    level: k.geo.levels[level].name,
    index,
    address: hex(Math.floor(vpn / span) * span * 4096),
    raw: rawText(lo, hi, k.geo.bytesPerEntry),
    state: stateOf(k, level, kind, lo, hi),
    summary: summaryOf(k, say, level, kind, lo, hi),
    fields: fieldsOf(say, k.geo, kind, lo, hi),
    changedBy: context.nodeOfStep(k.entryStep.get(entryAt(k, table, index))) ?? 0,
    why: whyWords(context, shown.process, hex(vpn * 4096)),
  };
}

/** The tables on the way to a page, root first: as far as entries lead. */
function tablesTo(k: Kernel, pgd: TableIndex, vpn: number): TableIndex[] {
  const tables = [pgd];
  for (let level = 0; level < k.geo.levels.length - 1; level++) {
    const lo = loAt(k, tables[level], indexAt(k.geo, level, vpn));
    const hi = hiAt(k, tables[level], indexAt(k.geo, level, vpn));
    if (kindOf(k, level, lo, hi) !== "table") break;
    tables.push(tableBelow(k, lo, hi));
  }
  return tables;
}

function tableView(shown: Shown, table: TableIndex, level: number, vpn: number): NonNullable<PageTablesPicture["table"]> {
  const { k, context } = shown;
  const { bits, shift, name } = k.geo.levels[level];
  const whole = 2 ** (bits + shift);
  const entries: { state: CellState; present: number; changed: boolean }[] = [];
  for (let i = 0; i < 2 ** bits; i++) {
    const lo = loAt(k, table, i);
    const hi = hiAt(k, table, i);
    const kind = kindOf(k, level, lo, hi);
    let step = k.entryStep.get(entryAt(k, table, i));
    let present = kind === "none" || kind === "notPresent" ? 0 : 2 ** shift;
    if (kind === "table") {
      const below = countBelow(k, context.summaries, tableBelow(k, lo, hi), level + 1);
      present = below.pages;
      step = Math.max(step, below.step);
    }
    entries.push({ state: stateOf(k, level, kind, lo, hi), present, changed: isLastStep(context, step) });
  }
  const frame = k.tablePfn.get(table);
  return {
    name,
    frame: frame > 0 ? hex(frame) : null,
    start: hex(Math.floor(vpn / whole) * whole * 4096),
    bytesPerEntry: 4096 * 2 ** shift,
    entries,
  };
}

/** The first page that is mapped, or the first of the first area, or page 0. */
function firstMapped(k: Kernel, mm: number): number {
  const { pgd, vmas } = k.mms.get(mm);
  for (const slot of vmas) {
    const { start, end } = k.vmas.get(slot);
    let found = -1;
    const note = (vpn: number): void => {
      if (found < 0) found = vpn;
    };
    walkTables(k, pgd, start, end, {
      empty: () => undefined,
      leaf: (vpn) => note(vpn),
      table: (t, index, vpn, pages) => {
        for (let i = 0; found < 0 && i < pages; i++) if (loAt(k, t, index + i) !== 0) note(vpn + i);
      },
    });
    if (found >= 0) return found;
  }
  return vmas.length === 0 ? 0 : k.vmas.get(vmas[0]).start;
}

/** The page number of a hexadecimal address; null where it is none of a process. */
function readVpn(k: Kernel, address: string): number | null {
  if (!/^0x[0-9a-f]{1,16}$/i.test(address)) return null;
  const vpn = Number(BigInt(address) >> 12n);
  return vpn < k.geo.taskSizePages ? vpn : null;
}

export function pageTablesPicture(k: Kernel, request: PageTablesRequest, context: PictureContext): PageTablesPicture {
  const say = sayer(context);
  const none = { kind: "pageTables", address: request.address ?? "0x0", level: 1, walk: [], table: null, legend: [], twin: [] } as const;
  const found = processOf(k, context, request.process);
  const process = found?.name ?? request.process ?? context.current;
  if (found === undefined) return { ...none, process, title: say("observe.noProcess", { name: process }) };
  const vpn = request.address === null ? firstMapped(k, found.task.mm) : readVpn(k, request.address);
  if (vpn === null) return { ...none, process, title: say("observe.tables.badAddress", { address: request.address ?? "" }) };
  const shown: Shown = { k, context, process };
  const tables = tablesTo(k, k.mms.get(found.task.mm).pgd, vpn);
  const { length } = k.geo.levels;
  const asked = request.level === null ? tables.length - 1 : length - request.level;
  const at = Math.max(0, Math.min(length - 1, asked));
  const table = at < tables.length ? tableView(shown, tables[at], at, vpn) : null;
  return {
    ...none,
    title: say("observe.tables.title", { name: process, at: context.print(vpn * 4096) }),
    process,
    address: hex(vpn * 4096),
    level: length - at,
    walk: tables.map((t, level) => entryDetail(shown, t, level, vpn)),
    table,
    legend: legendOf(say, table === null ? [] : table.entries.map((entry) => entry.state)),
  };
}
