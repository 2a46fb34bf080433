import type { ByOrder, SweepMeasures, SweepRow } from "../model.ts";

/** The columns of a sweep: what each is of a replay, in numbers. Front ends format; nothing is computed twice. */
export type ColumnId =
  | "faults"
  | "major"
  | "other"
  | "small"
  | "medium"
  | "huge"
  | "rssPeak"
  | "rssEnd"
  | "bloat"
  | "bloatEnd"
  | "reach"
  | "tables"
  | "zeroed"
  | "copied"
  | "time"
  | "splits";

export type ColumnUnit = "count" | "bytes" | "ns" | "share";

export interface Column {
  readonly id: ColumnId;
  readonly unit: ColumnUnit;
  readonly of: (m: SweepMeasures) => number;
}

const sumOf = (list: readonly ByOrder[], keep: (order: number) => boolean): number =>
  list.reduce((sum, { order, value }) => (keep(order) ? sum + value : sum), 0);

/** Order of a PMD on x86-64 with 4 KiB pages, which is what programs were recorded on. */
export const PMD_ORDER = 9;

/** Thousandths of the written anonymous memory that a PMD maps. */
function pmdShare(m: SweepMeasures): number {
  const all = sumOf(m.reach, () => true);
  return all === 0 ? 0 : Math.round((m.pmdMappedBytes * 1000) / all);
}

export const COLUMNS: readonly Column[] = [
  { id: "faults", unit: "count", of: (m) => m.faults },
  { id: "small", unit: "count", of: (m) => sumOf(m.anonymous, (order) => order === 0) },
  { id: "medium", unit: "count", of: (m) => sumOf(m.anonymous, (order) => order > 0 && order < PMD_ORDER) },
  { id: "huge", unit: "count", of: (m) => sumOf(m.anonymous, (order) => order >= PMD_ORDER) },
  { id: "other", unit: "count", of: (m) => m.otherFaults },
  { id: "major", unit: "count", of: (m) => m.majorFaults },
  { id: "rssPeak", unit: "bytes", of: (m) => m.rssPeakBytes },
  { id: "rssEnd", unit: "bytes", of: (m) => m.rssEndBytes },
  { id: "bloat", unit: "bytes", of: (m) => m.bloatPeakBytes },
  { id: "bloatEnd", unit: "bytes", of: (m) => m.bloatEndBytes },
  { id: "reach", unit: "share", of: pmdShare },
  { id: "tables", unit: "bytes", of: (m) => m.pageTablePeakBytes },
  { id: "zeroed", unit: "bytes", of: (m) => m.zeroedBytes },
  { id: "copied", unit: "bytes", of: (m) => m.copiedBytes },
  { id: "time", unit: "ns", of: (m) => m.clockNs },
  { id: "splits", unit: "count", of: (m) => m.pmdSplits },
];

export const columnOf = (id: string): Column | undefined => COLUMNS.find((column) => column.id === id);

/** Value of a row: least and most, which are the same where the recording hides nothing. Null: the machine refused the setting. */
export function valuesOf(column: Column, row: SweepRow): readonly [least: number, most: number] | null {
  if (row.least === null) return null;
  return [column.of(row.least), column.of(row.most ?? row.least)];
}

/** Rows by a column, the smallest first (`descending`: the largest); what was refused comes last, and what is equal stays in its order. */
export function sortRows(rows: readonly SweepRow[], column: Column, descending: boolean): readonly SweepRow[] {
  const sign = descending ? -1 : 1;
  const key = (row: SweepRow): number => {
    const values = valuesOf(column, row);
    // the average, since a range that begins low may end high
    return values === null ? Infinity : (sign * (values[0] + values[1])) / 2;
  };
  return [...rows].sort((a, b) => (key(a) === key(b) ? 0 : key(a) - key(b)));
}
