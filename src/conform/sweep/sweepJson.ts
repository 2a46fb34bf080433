import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { SweepMeasures, SweepTable } from "../model.ts";

/** A sweep for other programs: the table with its messages as sentences. Sizes in bytes, times in nanoseconds. */
export function sweepJson(table: SweepTable, render: RenderMessage): unknown {
  const measures = (m: SweepMeasures | null): unknown => (m === null ? null : { ...m, fallbacks: m.fallbacks.map((f) => ({ ...f, why: f.why.map(render) })) });
  return {
    ...table,
    rows: table.rows.map((row) => ({
      ...row,
      refused: row.refused === null ? null : render(row.refused),
      least: measures(row.least),
      most: measures(row.most),
    })),
    notes: table.notes.map(render),
  };
}
