import { printCount } from "./printCount.ts";
import type { RenderMessage } from "../shell/renderMessage.ts";
import type { Measured } from "./carryOut.ts";

/** `perf stat LINE`: counts of the simulated machine while a line of any form runs, set out as perf does. */

/** Counters that are shown even when they stayed 0, by the name of their item. */
const ALWAYS = ["thp_fault_alloc", "thp_fault_fallback", "thp_collapse_alloc", "thp_split_page", "thp_split_pmd"];

/** What stands behind `perf stat`, or null for another line. Options of the real one are passed over, so that a known command works. */
export function perfStatRest(line: string): string | null {
  const found = /^\s*perf\s+stat(?:\s+-[erox]\s+\S+|\s+-[a-zA-Z]+|\s+--)*\s+([^-\s].*)$/s.exec(line);
  return found === null ? null : found[1];
}

interface Misses {
  readonly loads: number;
  readonly stores: number;
}

/** The table. Every figure is of the simulated machine, and the heading says so. */
export function perfStatLines(command: string, measured: Measured, misses: Misses, render: RenderMessage): string[] {
  const { outcome, minor, major } = measured;
  const faults = outcome.faults.reduce((sum, each) => sum + each.faults.pf, 0);
  const rows: [number, string][] = [
    [faults, "page-faults"],
    [minor, "minor-faults"],
    [major, "major-faults"],
    [misses.loads, "dTLB-load-misses"],
    [misses.stores, "dTLB-store-misses"],
    ...ALWAYS.map((name): [number, string] => [outcome.counters[name] ?? 0, name]),
  ];
  for (const [name, change] of Object.entries(outcome.counters)) if (name.startsWith("thp_") && !ALWAYS.includes(name)) rows.push([change, name]);
  const seconds = `${(measured.clockNs / 1e9).toFixed(9)}`;
  return [
    render({ key: "session.perf.head", args: { command } }),
    "",
    ...rows.map(([count, name]) => `${printCount(count).padStart(18)}      ${name}`),
    "",
    render({ key: "session.perf.time", args: { seconds: seconds.padStart(18) } }),
  ];
}
