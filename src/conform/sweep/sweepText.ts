import type { Message } from "../../kernel/message.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { Fallback, SweepMeasures, SweepRow, SweepTable } from "../model.ts";
import { COLUMNS, columnOf, sortRows, valuesOf, type Column, type ColumnId, type ColumnUnit } from "./columns.ts";

/** A sweep as text: the table for people, and CSV. */

export interface SweepTextOptions {
  /** null: in the order of the settings */
  readonly sort: { readonly column: Column; readonly descending: boolean } | null;
  /** label of the row that the others are compared with */
  readonly baseline: string | null;
  readonly render: RenderMessage;
}

const SHOWN: readonly ColumnId[] = ["faults", "small", "medium", "huge", "rssPeak", "rssEnd", "bloat", "reach", "tables", "zeroed", "copied", "time"];
/** columns that are compared with the baseline */
const COMPARED: readonly ColumnId[] = ["faults", "rssPeak", "time"];

const MIB = 1 << 20;

export function valueText(unit: ColumnUnit, value: number): string {
  switch (unit) {
    case "count":
      return String(value);
    case "bytes":
      return value >= 10 * MIB ? `${(value / MIB).toFixed(1)}M` : `${Math.round(value / 1024)}k`;
    case "ns":
      return `${(value / 1e6).toFixed(2)}ms`;
    case "share":
      return `${(value / 10).toFixed(1)}%`;
  }
}

/** `12..480`: without and with the pages that the recording hides. */
function rangeText(unit: ColumnUnit, values: readonly [number, number] | null): string {
  if (values === null) return "-";
  const [least, most] = values.map((value) => valueText(unit, value));
  return least === most ? least : `${least}..${most}`;
}

/** Change against the baseline in percent, for both ends of the range. */
function changeText(values: readonly [number, number] | null, base: readonly [number, number] | null): string {
  if (values === null || base === null) return "-";
  const change = (at: 0 | 1): string => {
    if (base[at] === 0) return values[at] === 0 ? "0%" : "-";
    const percent = Math.round(((values[at] - base[at]) * 100) / base[at]);
    return `${percent > 0 ? "+" : ""}${percent}%`;
  };
  return change(0) === change(1) ? change(0) : `${change(0)}..${change(1)}`;
}

/** The row that differences are against: the one of that label, or the recording as it was. */
export const baselineOf = (table: SweepTable, label: string | null): SweepRow =>
  (label === null ? undefined : table.rows.find((row) => row.label === label)) ?? table.rows[0];

/** The whole report. */
export function sweepLines(table: SweepTable, options: SweepTextOptions): string[] {
  const { render, sort } = options;
  const say = (name: string, args: Message["args"] = {}): string => render({ key: `conform.sweep.${name}`, args });
  const base = baselineOf(table, options.baseline);
  const rows = sort === null ? table.rows : sortRows(table.rows, sort.column, sort.descending);
  const columns = SHOWN.map((id) => columnOf(id)).filter((column) => column !== undefined);
  const head = [say("column.setting"), ...columns.flatMap(({ id }) => [say(`column.${id}`), ...(COMPARED.includes(id) ? [say("column.change")] : [])])];
  const body = rows.map((row) => {
    const mark = row === base ? "* " : "  ";
    const cells = columns.flatMap((column) => {
      const values = valuesOf(column, row);
      const change = row === base ? "" : changeText(values, valuesOf(column, base));
      return [rangeText(column.unit, values), ...(COMPARED.includes(column.id) ? [change] : [])];
    });
    return [`${mark}${row.label}`, ...cells];
  });
  const { program, what, kernel, thpEnabled } = table;
  const refused = table.rows.flatMap((row) => (row.refused === null ? [] : [say("notTaken", { setting: row.label, why: render(row.refused) })]));
  return [
    say("head", { program, what, kernel, thp: thpEnabled, profile: table.rows[0].profile, settings: table.rows.length - 1 }),
    "",
    ...alignedLines([head, ...body]),
    "",
    say("baseline", { baseline: base.label }),
    ...refused,
    ...whyLines(table, render),
    "",
    ...table.notes.map(render),
  ];
}

/** Columns under each other: the first to the left, numbers to the right. */
function alignedLines(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd(),
  );
}

interface Seen {
  readonly first: Fallback;
  readonly counts: { readonly label: string; readonly faults: number; readonly blocks: number }[];
}

/** Each reason once, with where it was met and how often. */
function whyLines(table: SweepTable, render: RenderMessage): string[] {
  const seen = new Map<string, Seen>();
  for (const row of table.rows) {
    for (const fallback of (row.most ?? row.least)?.fallbacks ?? []) {
      const key = `${fallback.order} ${fallback.symbol} ${fallback.rule}`;
      const entry = seen.get(key) ?? { first: fallback, counts: [] };
      entry.counts.push({ label: row.label, faults: fallback.faults, blocks: fallback.blocks });
      seen.set(key, entry);
    }
  }
  if (seen.size === 0) return ["", render({ key: "conform.sweep.noFallback", args: {} })];
  const out = ["", render({ key: "conform.sweep.whyHead", args: {} })];
  for (const { first, counts } of seen.values()) {
    const [rule, ...causes] = first.why.map(render);
    const size = sizeText(first.order);
    out.push(`  ${size}: ${rule}`);
    const most = counts.reduce((a, b) => (b.faults > a.faults ? b : a));
    const args = { settings: counts.length, label: most.label, faults: most.faults, blocks: most.blocks };
    out.push(`    ${render({ key: counts.length === 1 ? "conform.sweep.whyOne" : "conform.sweep.whyMany", args })}`);
    out.push(`    ${render({ key: "conform.sweep.example", args: { address: `0x${first.address.toString(16)}`, causes: causes.join("; ") } })}`);
  }
  return out;
}

/** Size of a folio as kernel files name it. */
export const sizeText = (order: number): string => (4 << order >= 1024 ? `${(4 << order) / 1024}M` : `${4 << order}k`);

/** All fallbacks of one row. */
export function fallbackLines(row: SweepRow, render: RenderMessage): string[] {
  const measures = row.most ?? row.least;
  if (measures === null || measures.fallbacks.length === 0) return [render({ key: "conform.sweep.noFallback", args: {} })];
  return measures.fallbacks.flatMap(({ order, faults, blocks, address, why }) => {
    const [rule, ...causes] = why.map(render);
    return [
      `${sizeText(order)}: ${render({ key: "conform.sweep.times", args: { faults, blocks } })}: ${rule}`,
      `    ${render({ key: "conform.sweep.example", args: { address: `0x${address.toString(16)}`, causes: causes.join("; ") } })}`,
    ];
  });
}

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** RFC 4180, one line for each replay. Sizes in bytes, times in nanoseconds, shares in thousandths. */
export function sweepCsv(table: SweepTable): string[] {
  const head = ["setting", "profile", "baseline", "hidden_pages", ...COLUMNS.map(({ id, unit }) => `${id}${unit === "count" ? "" : `_${CSV_UNITS[unit]}`}`)];
  const line = (row: SweepRow, m: SweepMeasures, hidden: string): string =>
    [quoted(row.label), row.profile, row.isBaseline ? 1 : 0, hidden, ...COLUMNS.map((column) => column.of(m))].join(",");
  const body = table.rows.flatMap((row) => [
    ...(row.least === null ? [] : [line(row, row.least, "untouched")]),
    ...(row.most === null ? [] : [line(row, row.most, "touched")]),
  ]);
  return [head.join(","), ...body];
}

const CSV_UNITS: Readonly<Record<Exclude<ColumnUnit, "count">, string>> = { bytes: "bytes", ns: "ns", share: "thousandths" };
