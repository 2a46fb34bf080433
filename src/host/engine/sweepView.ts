import type { SweepRow, SweepTable } from "../../conform/model.ts";
import { COLUMNS, valuesOf } from "../../conform/sweep/columns.ts";
import { sizeText, sweepLines } from "../../conform/sweep/sweepText.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { SweepFallbackView, SweepRowView, SweepView } from "../api/labApi.ts";

/** A sweep with finished sentences, and as text. */
export function sweepView(table: SweepTable, render: RenderMessage): SweepView {
  const rows = table.rows.map((row): SweepRowView => ({
    label: row.label,
    profile: row.profile,
    isBaseline: row.isBaseline,
    refused: row.refused === null ? null : render(row.refused),
    values: COLUMNS.map((column) => valuesOf(column, row)),
    fallbacks: fallbacksOf(row, render),
  }));
  const { program, what, kernel, thpEnabled } = table;
  const args = { program, what, kernel, thp: thpEnabled, profile: table.rows[0].profile, settings: table.rows.length - 1 };
  return {
    title: render({ key: "conform.sweep.head", args }),
    columns: COLUMNS.map(({ id, unit }) => ({ id, unit, title: render({ key: `conform.sweep.column.${id}`, args: {} }) })),
    rows,
    notes: table.notes.map(render),
    missing: table.rows.filter((row) => row.least === null && row.refused === null).length,
    twin: sweepLines(table, { sort: null, baseline: null, render }),
  };
}

function fallbacksOf(row: SweepRow, render: RenderMessage): SweepFallbackView[] {
  return ((row.most ?? row.least)?.fallbacks ?? []).map(({ order, faults, blocks, address, why }) => {
    const [rule, ...causes] = why.map(render);
    const example = render({ key: "conform.sweep.example", args: { address: `0x${address.toString(16)}`, causes: causes.join("; ") } });
    return { size: sizeText(order), faults, blocks, rule, example };
  });
}
