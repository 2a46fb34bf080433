import type { Fidelity } from "../../conform/fidelity.ts";
import { percent } from "../../conform/judge.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { FidelityView } from "../api/labApi.ts";

/** characters of a recorded value that are shown */
const VALUE_CHARACTERS = 200;

const shown = (value: unknown): string => (JSON.stringify(value) ?? "").slice(0, VALUE_CHARACTERS);

/** The measurement as it is shown: with the names of the areas, and as text. `version`: of the Hugelab that came with it. */
export function fidelityView(fidelity: Fidelity, version: string, render: RenderMessage): FidelityView {
  const say = (key: string, args: Readonly<Record<string, string | number>> = {}): string => render({ key, args });
  const rows = fidelity.rows.map((row) => ({ ...row, area: say(`host.fidelity.area.${row.area}`) }));
  const deviations = fidelity.deviations.map(({ trace, operation, field, recorded, ours, symbol, reason }) => ({
    trace,
    operation: String(operation),
    field,
    recorded: shown(recorded),
    ours: shown(ours),
    symbol,
    reason,
  }));
  const measured = say("host.fidelity.measured", { version, behaviour: fidelity.behaviour });
  const total = { traces: 0, observations: 0, agreeing: 0, listed: 0 };
  for (const { traces, observations, agreeing, listed } of rows) {
    total.traces += traces;
    total.observations += observations;
    total.agreeing += agreeing;
    total.listed += listed;
  }
  const lines = [...rows, { area: say("host.fidelity.all"), release: "", ...total }].map(({ area, release, traces, observations, agreeing, listed }) => {
    const share = percent(agreeing, observations);
    const counts = { traces, agreeing, observations, percent: share, listed };
    return `${area.padEnd(44)} ${release.padEnd(6)} ${say(listed === 0 ? "host.fidelity.row" : "host.fidelity.rowListed", counts)}`;
  });
  const reasons = deviations.map((row) => say("host.fidelity.deviation", row));
  return {
    rows,
    deviations,
    measured,
    twin: [measured, "", ...lines, "", deviations.length === 0 ? say("host.fidelity.none") : say("host.fidelity.some"), ...reasons],
  };
}

/** What is shown where there is no measurement. */
export function noFidelity(sentence: string): FidelityView {
  return { rows: [], deviations: [], measured: sentence, twin: [sentence] };
}
