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

/** "12 – 480": without and with what the recording hides. A unit that both have is said once. */
export function rangeText(unit: Unit, values: SweepValues | null | undefined): string {
  if (values === null || values === undefined) return "–";
  const [least, most] = values.map((value) => valueText(unit, value));
  if (least === most) return least;
  const [number, suffix = ""] = least.split(" ");
  return suffix !== "" && most.endsWith(` ${suffix}`) ? `${number} – ${most}` : `${least} – ${most}`;
}

const changeAt = (mine: number, theirs: number): number | null => (theirs === 0 ? null : Math.round(((mine - theirs) * 100) / theirs));
const signed = (percent: number): string => (percent > 0 ? `+${percent}` : percent < 0 ? `−${-percent}` : "0");

/** Percent against the baseline, for both ends of the range; "" where nothing changes or nothing can be compared. */
export function changeText(values: SweepValues | null | undefined, base: SweepValues | null | undefined): string {
  if (values === null || values === undefined || base === null || base === undefined) return "";
  const [least, most] = [changeAt(values[0], base[0]), changeAt(values[1], base[1])];
  const both = [least, most].filter((each): each is number => each !== null);
  if (both.length === 0 || both.every((each) => each === 0)) return "";
  return `${[...new Set(both.map(signed))].join(" … ")} %`;
}

/** `column` -1: in the order of the settings. What was refused comes last. */
export function sorted(rows: readonly Row[], column: number, descending: boolean): readonly Row[] {
  if (column < 0) return rows;
  const key = (row: Row): number => {
    const values = row.values[column];
    return values === null || values === undefined ? Infinity : (descending ? -1 : 1) * (values[0] + values[1]);
  };
  return [...rows].sort((a, b) => (key(a) === key(b) ? 0 : key(a) - key(b)));
}
