/** How the states of cells look: a colour and a pattern each, so that nothing is told by colour alone. */
import type { CellState } from "../../observe/picture/model.ts";

export type Pattern = "solid" | "hatch" | "dots" | "cross" | "bar" | "blank";

export interface Look {
  /** name of a token of tokens.css */
  readonly token: string;
  readonly pattern: Pattern;
}

export const LOOKS: Readonly<Record<CellState, Look>> = {
  none: { token: "--cell-none", pattern: "blank" },
  table: { token: "--cell-table", pattern: "dots" },
  page: { token: "--cell-page", pattern: "solid" },
  huge: { token: "--cell-huge", pattern: "bar" },
  zero: { token: "--cell-zero", pattern: "hatch" },
  hugeZero: { token: "--cell-huge", pattern: "hatch" },
  swap: { token: "--cell-swap", pattern: "cross" },
  special: { token: "--cell-special", pattern: "dots" },
  device: { token: "--cell-reserved", pattern: "bar" },
  free: { token: "--cell-free", pattern: "blank" },
  anon: { token: "--cell-page", pattern: "solid" },
  anonHuge: { token: "--cell-huge", pattern: "bar" },
  pageTable: { token: "--cell-table", pattern: "dots" },
  reserved: { token: "--cell-reserved", pattern: "solid" },
  file: { token: "--cell-file", pattern: "solid" },
  mixed: { token: "--cell-mixed", pattern: "hatch" },
  outside: { token: "--cell-none", pattern: "cross" },
};

export interface Run {
  readonly state: CellState;
  readonly share: number;
  /** index of the first cell */
  readonly first: number;
  readonly count: number;
}

/** Neighbours that look the same, put together. */
export function runsOf(cells: readonly { readonly state: CellState; readonly share: number }[]): readonly Run[] {
  const runs: Run[] = [];
  cells.forEach(({ state, share }, at) => {
    const last = runs.at(-1);
    if (last !== undefined && last.state === state && last.share === share) runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else runs.push({ state, share, first: at, count: 1 });
  });
  return runs;
}

/** Columns and size of square cells that fill a width, at least as large as asked for. */
export function gridFor(count: number, width: number, wanted: number, columnsMultiple: number): { readonly columns: number; readonly size: number } {
  const fitting = Math.max(1, Math.floor(width / wanted));
  const columns = fitting >= columnsMultiple ? Math.floor(fitting / columnsMultiple) * columnsMultiple : fitting;
  const most = Math.min(columns, Math.max(1, count));
  return { columns: most, size: Math.max(4, Math.min(Math.floor(width / most), Math.ceil(wanted * 1.5))) };
}

/** Where the arrow keys lead in a grid; null: the key is none of them. */
export function stepInGrid(key: string, at: number, columns: number, count: number): number | null {
  const within = (index: number): number => Math.min(count - 1, Math.max(0, index));
  switch (key) {
    case "ArrowLeft":
      return within(at - 1);
    case "ArrowRight":
      return within(at + 1);
    case "ArrowUp":
      return at - columns < 0 ? at : at - columns;
    case "ArrowDown":
      return at + columns >= count ? at : at + columns;
    case "Home":
      return 0;
    case "End":
      return within(count - 1);
    default:
      return null;
  }
}
