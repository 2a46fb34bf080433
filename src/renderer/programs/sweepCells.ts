/** Values of a sweep as a person reads them, and rows in the order of a column. */
import type { SweepView } from "../../host/api/labApi.ts";
import type { SweepColumn, SweepValues } from "../../conform/model.ts";
import { aboutKb, countText } from "../pictures/format.ts";

type Unit = SweepColumn["unit"];
type Row = SweepView["rows"][number];

export function valueText(unit: Unit, value: number): string {
  switch (unit) {
    case "count":
      return countText(value);
    case "bytes":
      return aboutKb(Math.round(value / 1024));
    case "ns":
      return `${(value / 1e6).toFixed(2)} ms`;
    case "share":
      return `${(value / 10).toFixed(1)} %`;
  }
}

/** "12 – 480": without and with what the recording hides. */
export function rangeText(unit: Unit, values: SweepValues | null | undefined): string {
  if (values === null || values === undefined) return "–";
  const [least, most] = values.map((value) => valueText(unit, value));
  return least === most ? least : `${least} – ${most}`;
}

/** Percent against the baseline, of the middle of both; null: nothing to compare, or the same. */
export function changeOf(values: SweepValues | null | undefined, base: SweepValues | null | undefined): number | null {
  if (values === null || values === undefined || base === null || base === undefined) return null;
  const [mine, theirs] = [values[0] + values[1], base[0] + base[1]];
  return theirs === 0 || mine === theirs ? null : Math.round(((mine - theirs) * 100) / theirs);
}

export const changeText = (change: number | null): string => (change === null ? "" : change > 0 ? `+${change} %` : `−${-change} %`);

/** `column` -1: in the order of the settings. What was refused comes last. */
export function sorted(rows: readonly Row[], column: number, descending: boolean): readonly Row[] {
  if (column < 0) return rows;
  const key = (row: Row): number => {
    const values = row.values[column];
    return values === null || values === undefined ? Infinity : (descending ? -1 : 1) * (values[0] + values[1]);
  };
  return [...rows].sort((a, b) => (key(a) === key(b) ? 0 : key(a) - key(b)));
}
