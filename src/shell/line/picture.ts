/** Which cluster comes into which cell of the terminal: prompt and text wrapped at its width, the candidates of a completion below them. */
import { joinClusters, splitClusters, type Cluster } from "./clusters.ts";
import type { Menu } from "./complete.ts";
import type { LineState } from "./state.ts";

export interface Cell {
  readonly cluster: Cluster;
  /** parameters of SGR, "" for plain text */
  readonly style: string;
}

export interface Row {
  readonly cells: readonly Cell[];
  /** columns that the cells take */
  readonly used: number;
  /** it goes on with the row above, which is full: the terminal wrapped there */
  readonly continues: boolean;
  /** all its cells are plain */
  readonly plain: boolean;
}

export interface Picture {
  readonly rows: readonly Row[];
  readonly cursorRow: number;
  /** below the width: a row that is full is followed by one that may be empty */
  readonly cursorColumn: number;
}

const MOST_LIST_ROWS = 10;
const INVERSE = "7";
const [BLANK, PLACEHOLDER] = splitClusters(" ?");
const BLANK_CELL: Cell = { cluster: BLANK, style: "" };
const PLACEHOLDER_CELL: Cell = { cluster: PLACEHOLDER, style: INVERSE };

/** What stands for a cluster in a terminal of this width: an inverse question mark where it cannot be shown. */
function cellOf(cluster: Cluster, style: string, columns: number): Cell {
  return cluster.drawable && cluster.room <= columns ? { cluster, style } : PLACEHOLDER_CELL;
}

/**
 * Fills rows from left to right. What does not fit at the end of a row begins the next one, behind blanks, and so does what a terminal that measures
 * otherwise would wrap.
 */
export function wrap(cells: readonly Cell[], cursor: number, columns: number): Picture {
  const rows: Row[] = [];
  let row: Cell[] = [];
  let used = 0;
  let plain = true;
  const endRow = (): void => {
    rows.push({ cells: row, used, continues: rows.length > 0, plain });
    row = [];
    used = 0;
    plain = true;
  };
  let cursorRow = 0;
  let cursorColumn = 0;
  for (let i = 0; i < cells.length; i++) {
    const { cluster } = cells[i];
    if (used + cluster.room > columns) {
      for (; used < columns; used++) row.push(BLANK_CELL);
      endRow();
    }
    if (i === cursor) {
      cursorRow = rows.length;
      cursorColumn = used;
    }
    row.push(cells[i]);
    used += cluster.width;
    if (!cluster.plain) plain = false;
    if (used === columns) endRow();
  }
  if (cursor >= cells.length) {
    cursorRow = rows.length;
    cursorColumn = used;
  }
  endRow();
  return { rows, cursorRow, cursorColumn };
}

export function lineCells(prompt: string, promptStyle: string, clusters: readonly Cluster[], columns: number): readonly Cell[] {
  const cells: Cell[] = [];
  for (const cluster of splitClusters(prompt)) cells.push(cellOf(cluster, promptStyle, columns));
  for (const cluster of clusters) cells.push(cluster.plain && cluster.width <= columns ? { cluster, style: "" } : cellOf(cluster, "", columns));
  return cells;
}

/** A row of words at given columns; what does not fit is cut. */
function listRow(words: readonly { readonly text: string; readonly style: string }[], step: number, columns: number): Row {
  const cells: Cell[] = [];
  let used = 0;
  words.forEach(({ text, style }, i) => {
    for (; used < i * step; used++) cells.push(BLANK_CELL);
    const most = Math.min(columns, (i + 1) * step);
    for (const cluster of splitClusters(text)) {
      const cell = cellOf(cluster, style, columns);
      if (used + cell.cluster.room > most) break;
      cells.push(cell);
      used += cell.cluster.width;
    }
  });
  return { cells, used, continues: false, plain: cells.every((cell) => cell.cluster.plain) };
}

/** The candidates in columns, read row by row, at most `most` rows around the chosen one; a last row tells how many are not shown. */
export function listRows(menu: Menu, columns: number, most: number): readonly Row[] {
  if (most < 1) return [];
  const shown = menu.candidates.map(({ text }) => splitClusters(text));
  const widest = Math.max(...shown.map((clusters) => clusters.reduce((sum, cluster) => sum + cluster.room, 0)));
  const step = Math.min(columns, widest + 2);
  const perRow = Math.max(1, Math.floor(columns / step));
  const total = Math.ceil(shown.length / perRow);
  const visible = total <= most ? total : Math.max(1, most - 1);
  const chosenRow = Math.floor(Math.max(0, menu.chosen) / perRow);
  const first = Math.max(0, Math.min(total - visible, chosenRow - visible + 1));
  const rows: Row[] = [];
  for (let r = first; r < first + visible; r++) {
    const words = shown.slice(r * perRow, (r + 1) * perRow);
    const style = (i: number): string => (r * perRow + i === menu.chosen ? INVERSE : "");
    rows.push(
      listRow(
        words.map((clusters, i) => ({ text: joinClusters(clusters), style: style(i) })),
        step,
        columns,
      ),
    );
  }
  const hidden = shown.length - Math.min(shown.length, (first + visible) * perRow) + first * perRow;
  if (hidden > 0 && visible < most) rows.push(listRow([{ text: `... +${hidden}`, style: "" }], columns, columns));
  return rows;
}

/** How many rows the list may have in a terminal of this height. */
export const mostListRows = (rows: number | null): number => (rows === null ? MOST_LIST_ROWS : Math.min(MOST_LIST_ROWS, Math.floor(rows / 2)));

export function pictureOf(state: LineState, prompt: string, promptStyle: string): { readonly text: Picture; readonly list: readonly Row[] } {
  const cells = lineCells(prompt, promptStyle, state.clusters, state.columns);
  const text = wrap(cells, cells.length - state.clusters.length + state.cursor, state.columns);
  const { completion } = state;
  return { text, list: completion?.kind === "menu" ? listRows(completion, state.columns, mostListRows(state.rows)) : [] };
}
