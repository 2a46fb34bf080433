/**
 * Deviations: differences from a recorded kernel that are known, written down exactly, with their reason, one row each
 * (conformance/deviations/<profile>.json). There are no wildcards, a listed deviation never counts as agreement, and a row
 * that no longer describes a difference is stale.
 */
import type { Difference } from "./compare.ts";
import { pythonEqual } from "./pythonValue.ts";

export interface DeviationRow {
  /** name of the script, without .json */
  readonly trace: string;
  /** number of the operation in the trace, from 0 */
  readonly operation: number;
  /** as compare.py names it */
  readonly field: string;
  readonly recorded: unknown;
  readonly ours: unknown;
  /** kernel symbol whose behaviour differs */
  readonly symbol: string;
  readonly reason: string;
}

export interface Classified {
  readonly listed: readonly Difference[];
  readonly unlisted: readonly Difference[];
  /** rows of this trace that describe no difference any more */
  readonly stale: readonly DeviationRow[];
}

export type RowsResult =
  | { readonly kind: "rows"; readonly rows: readonly DeviationRow[] }
  /** row: number of the bad row, from 0, or null when the file as a whole is wrong */
  | { readonly kind: "bad"; readonly row: number | null; readonly problem: "notAList" | "notARow" | "noReason" | "twice" };

/** Splits the differences of one trace into those that a row describes exactly and the others. */
export function classify(trace: string, differences: readonly Difference[], rows: readonly DeviationRow[]): Classified {
  const open = new Map<string, DeviationRow>();
  for (const row of rows) if (row.trace === trace) open.set(placeOf(row), row);
  const listed: Difference[] = [];
  const unlisted: Difference[] = [];
  for (const difference of differences) {
    const row = open.get(placeOf(difference));
    if (row !== undefined && pythonEqual(row.recorded, difference.recorded) && pythonEqual(row.ours, difference.ours)) {
      open.delete(placeOf(difference));
      listed.push(difference);
    } else unlisted.push(difference);
  }
  return { listed, unlisted, stale: [...open.values()] };
}

function placeOf(at: { readonly operation: number; readonly field: string }): string {
  return `${at.operation} ${at.field}`;
}

/** A row for a difference that still needs its symbol and its reason; it is refused as long as they are empty. */
export function rowFor(trace: string, difference: Difference): DeviationRow {
  const { operation, field, recorded, ours } = difference;
  return { trace, operation, field, recorded, ours, symbol: "", reason: "" };
}

/** Checks the parsed content of a deviations file. A row without symbol and reason, or said twice, is an error: nothing is excused by accident. */
export function readRows(content: unknown): RowsResult {
  if (!Array.isArray(content)) return { kind: "bad", row: null, problem: "notAList" };
  const places = new Set<string>();
  for (const [row, entry] of content.entries()) {
    if (!isRow(entry)) return { kind: "bad", row, problem: "notARow" };
    if (entry.symbol.trim() === "" || entry.reason.trim() === "") return { kind: "bad", row, problem: "noReason" };
    const place = `${entry.trace} ${placeOf(entry)}`;
    if (places.has(place)) return { kind: "bad", row, problem: "twice" };
    places.add(place);
  }
  return { kind: "rows", rows: content as DeviationRow[] };
}

function isRow(entry: unknown): entry is DeviationRow {
  if (typeof entry !== "object" || entry === null) return false;
  const row = entry as Readonly<Record<string, unknown>>;
  const texts = ["trace", "field", "symbol", "reason"].every((key) => typeof row[key] === "string");
  return texts && Number.isInteger(row["operation"]) && "recorded" in row && "ours" in row;
}
