import type { Difference } from "../compare.ts";
import type { ProgramDifference, RssChange } from "./compareProgram.ts";

/**
 * Differences of a replay as rows of a list can name them (conformance/deviations/programs.json): the operation is the event of the recording, the field
 * is "fault", "call", or the n-th difference of RSS behind that event. Tiers say nothing here.
 */
export function programDifferences(differences: readonly ProgramDifference[]): Difference[] {
  const seen = new Map<number, number>();
  return differences.map((d) => {
    if (d.kind === "call") return row(d.at, d.name, "call", d.recorded, d.ours);
    if (d.kind === "fault") return row(d.at, "pf", "fault", `${hex(d.address)} ${d.access}`, d.trouble ?? d.ours.map(hex));
    const n = seen.get(d.at) ?? 0;
    seen.set(d.at, n + 1);
    return row(d.at, d.place, `rss.${n}`, changeText(d.recorded), changeText(d.ours));
  });
}

const row = (operation: number, op: string, field: string, recorded: unknown, ours: unknown): Difference => ({ operation, op, field, tier: 1, recorded, ours });
const hex = (address: number): string => `0x${address.toString(16)}`;
const changeText = (c: RssChange | null): string | null => (c === null ? null : `${c.member} ${c.pages}`);
