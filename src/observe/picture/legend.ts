import type { Say } from "./context.ts";
import type { CellState, LegendEntry } from "./model.ts";

const ORDER: readonly CellState[] = [
  "page",
  "huge",
  "anon",
  "anonHuge",
  "zero",
  "hugeZero",
  "pageTable",
  "table",
  "file",
  "swap",
  "special",
  "device",
  "reserved",
  "mixed",
  "free",
  "none",
  "outside",
];

/** What the states that occur stand for, in one order. */
export function legendOf(say: Say, states: Iterable<CellState>): LegendEntry[] {
  const occurring = new Set(states);
  return ORDER.filter((state) => occurring.has(state)).map((state) => ({ state, label: stateLabel(say, state) }));
}

export const stateLabel = (say: Say, state: CellState): string => say(`observe.state.${state}`);
