/**
 * `render(state, prompt, previous)`: the escape sequences that turn the previous picture on the terminal into that of the state, as few as it takes.
 *
 * Only what every terminal knows is used: CR, LF, CUU and CUD (CSI A, CSI B), CHA (CSI G), EL (CSI K), ED (CSI J), SGR. Rows are told apart by the terminal's own
 * wrapping, so that a selection over two rows is one line and xterm.js keeps them together when it is resized. The cursor is never left behind the last
 * column, where terminals disagree. Rules for the driver: the first picture begins in column 0; nothing else is written between two pictures of a line,
 * or `previous` is null and the cursor is in column 0 of a row that is empty from there on.
 */
import { pictureOf, lineCells, wrap, type Cell, type Row } from "./picture.ts";
import { splitClusters } from "./clusters.ts";
import type { LineState } from "./state.ts";

/** What is on the terminal: opaque for the driver, who hands it to the next call. */
export interface Layout {
  readonly columns: number;
  readonly height: number | null;
  /** the rows on the screen, from the first one of the line that is shown */
  readonly rows: readonly Row[];
  /** how many rows of the line are above them, when it is higher than the screen */
  readonly first: number;
  readonly cursorRow: number;
  readonly cursorColumn: number;
}

export interface RenderOptions {
  /** parameters of SGR for the prompt, for example "1;32" */
  readonly promptStyle?: string;
  /**
   * What the terminal does with the line in which the cursor is when its width changes: xterm.js leaves its rows alone ("kept", unless reflowCursorLine
   * is set; candidates below it that have to be wrapped confuse it, and the old picture stays above), many others wrap it anew ("wrapped"). When it is not known, the line is drawn below as much as either may have left, so that nothing above
   * it is ever erased.
   */
  readonly onResize?: "kept" | "wrapped" | "unknown";
}

const ESC = "\u001b[";
const NO_ROWS: readonly Row[] = [];

const sameCell = (a: Cell, b: Cell): boolean => a === b || (a.style === b.style && (a.cluster === b.cluster || a.cluster.text === b.cluster.text));

function commonCells(a: Row, b: Row): number {
  const most = Math.min(a.cells.length, b.cells.length);
  let same = 0;
  while (same < most && sameCell(a.cells[same], b.cells[same])) same++;
  return same;
}

const widthOf = (row: Row, from: number, to: number): number => {
  let width = 0;
  for (let i = from; i < to; i++) width += row.cells[i].cluster.width;
  return width;
};

/** Writes rows and keeps count of where the cursor is. Lives for one call of render. */
class Pen {
  output = "";
  row: number;
  /** -1: not known */
  column: number;
  /** the last column was written and the terminal wraps at the next character */
  wraps = false;
  readonly columns: number;
  /** there is a row above the cursor's to go back to, wherever it is */
  readonly climbs: boolean;
  /** the last row that is there already */
  last: number;
  #style = "";

  constructor({ columns, rows }: LineState, row: number, column: number, last: number) {
    this.last = last;
    this.columns = columns;
    this.climbs = rows === null || rows > 1;
    this.row = row;
    this.column = column;
  }

  /** Moves to a row, which exists or is the one below the last, and a column. */
  moveTo(row: number, column: number): void {
    if (this.wraps) {
      this.output += "\r";
      this.wraps = false;
      this.column = 0;
    }
    if (row > this.row) {
      this.style("");
      // LF tells xterm.js that the row it comes to is not wrapped, so only where there is none yet
      const there = Math.min(row, this.last) - this.row;
      if (there > 0) this.output += `${ESC}${there === 1 ? "" : there}B`;
      if (row > this.last) {
        this.output += "\n".repeat(row - Math.max(this.last, this.row));
        this.last = row;
        // a terminal may take LF for CR LF
        if (this.column !== 0) this.column = -1;
      }
    } else if (row < this.row) this.output += `${ESC}${row === this.row - 1 ? "" : this.row - row}A`;
    if (column !== this.column) this.output += column === 0 ? "\r" : `${ESC}${column + 1}G`;
    this.row = row;
    this.column = column;
  }

  style(style: string): void {
    if (style === this.#style) return;
    if (style !== "" && this.wraps) {
      // a row that comes up from below takes the colours of the moment: let it come up plain
      this.style("");
      this.text(" ", 1);
      this.output += "\r";
      this.column = 0;
      this.wraps = false;
    }
    this.output += style === "" ? `${ESC}m` : `${ESC}${this.#style === "" ? "" : "0;"}${style}m`;
    this.#style = style;
  }

  /** Text that every terminal measures as `width`. */
  text(text: string, width: number): void {
    if (this.wraps) {
      this.row++;
      this.column = 0;
      this.last = Math.max(this.last, this.row);
    }
    this.output += text;
    this.column += width;
    this.wraps = this.column === this.columns;
  }

  eraseToEnd(): void {
    this.style("");
    this.output += `${ESC}K`;
  }

  eraseBelow(): void {
    this.style("");
    this.output += `${ESC}J`;
  }

  /**
   * A cluster on which terminals can differ: its columns are blanked, it is written, the cursor put behind it. At the end of a row the next row is
   * entered first, while the terminal still wraps there (`canEnter`: the next row goes on with this one and its first cell will be written).
   */
  uncertain(cell: Cell, last: boolean, canEnter: boolean): void {
    const { width, text } = cell.cluster;
    this.style("");
    const start = this.wraps ? 0 : this.column;
    this.text(" ".repeat(width), width);
    // before it is written: erasing behind it would cut it where the terminal takes it for wider
    if (last && !this.wraps) this.eraseToEnd();
    const full = this.wraps;
    const entered = full && canEnter;
    if (entered) {
      this.text(" ", 1);
      this.output += `${ESC}A`;
    }
    this.output += start === 0 ? "\r" : `${ESC}${start + 1}G`;
    this.wraps = false;
    this.style(cell.style);
    this.output += text;
    if (entered) {
      this.output += `\r${ESC}B`;
      this.column = 0;
    } else if (full) {
      // the row below is another line or not on the screen: no matter where the cursor is now
      this.column = -1;
    } else this.output += `${ESC}${start + width + 1}G`;
  }
}

/** Columns that a row may have written on the terminal: its last cluster may be wider there. */
function extentOf(row: Row | undefined): number {
  const last = row?.cells.at(-1)?.cluster;
  return row === undefined || last === undefined ? 0 : row.used + last.room - last.width;
}

/** Draws a row over what was there, from the first cell that differs. Returns whether the first cell of the next row was overwritten. */
function drawRow(pen: Pen, at: number, row: Row, old: Row | undefined, overwritten: boolean, next: Row | undefined): boolean {
  const continues = row.continues && pen.wraps && pen.row === at - 1;
  const fresh = old === undefined || overwritten || old.continues !== row.continues;
  const lastPlain = row.cells.at(-1)?.cluster.plain ?? true;
  // the last cluster, if uncertain, is drawn again with what is behind it
  const from = fresh ? 0 : Math.min(commonCells(row, old), row.cells.length - (lastPlain ? 0 : 1));
  let to = row.cells.length;
  if (!fresh && row.plain && old.plain && row.used === old.used) {
    let oldTo = old.cells.length;
    while (to > from && oldTo > from && sameCell(row.cells[to - 1], old.cells[oldTo - 1])) {
      to--;
      oldTo--;
    }
  }
  if (!continues || from > 0) pen.moveTo(at, widthOf(row, 0, from));
  if (!row.continues && fresh && old !== undefined) pen.eraseToEnd();
  if (row.cells.length === 0 && row.continues && (fresh || from < (old?.cells.length ?? 0))) {
    // a blank keeps the mark that the terminal has wrapped here
    pen.style("");
    pen.text(" ", 1);
    if (!pen.wraps && extentOf(old) > 1) pen.eraseToEnd();
    pen.moveTo(at, 0);
    return false;
  }
  let spills = false;
  let entered = false;
  for (let i = from; i < to; i++) {
    const cell = row.cells[i];
    const { cluster } = cell;
    if (cluster.plain) {
      pen.style(cell.style);
      pen.text(cluster.text, cluster.width);
    } else {
      spills = true;
      const last = i === row.cells.length - 1;
      entered = last && row.used === pen.columns && next?.continues === true && pen.columns > 1 && pen.climbs;
      pen.uncertain(cell, last, entered);
    }
  }
  if (lastPlain && row.used < pen.columns && (spills || row.used < extentOf(old))) pen.eraseToEnd();
  return entered;
}

const sameRow = (a: Row, b: Row): boolean =>
  a.continues === b.continues && a.cells.length === b.cells.length && (a.cells === b.cells || commonCells(a, b) === a.cells.length);

/** Turns old rows into new ones. The pen stands anywhere on the old rows. */
function drawRows(pen: Pen, rows: readonly Row[], old: readonly Row[]): void {
  let overwritten = false;
  for (let at = 0; at < rows.length; at++) {
    if (!overwritten && at < old.length && sameRow(rows[at], old[at])) continue;
    overwritten = drawRow(pen, at, rows[at], old.at(at), overwritten, rows.at(at + 1));
  }
  pen.style("");
  if (old.length > rows.length) {
    pen.moveTo(rows.length, 0);
    pen.eraseBelow();
  }
}

/** How far the cursor is below the first row of the layout after the terminal took its new size. */
function rowsAbove(layout: Layout, columns: number, height: number | null, onResize: RenderOptions["onResize"]): number {
  const kept = layout.cursorRow;
  if (onResize === "kept" || columns === layout.columns) return withinHeight(kept, height);
  // wide characters that do not fit at an edge can make it more; less is safe
  const cells = kept * layout.columns + layout.cursorColumn;
  const behind = layout.rows[kept].used - layout.cursorColumn;
  // behind text that just fills its row, terminals leave the cursor in that row or put it into the next one
  const wrapped = Math.floor((behind > 0 ? cells : Math.max(0, cells - 1)) / columns);
  return withinHeight(onResize === "wrapped" ? wrapped : Math.min(kept, wrapped), height);
}

const withinHeight = (row: number, height: number | null): number => (height === null ? row : Math.min(row, height - 1));

/** A pen at the beginning of what is on the terminal, and the rows that are there: none after a change of its size, when all is erased. */
function begin(state: LineState, previous: Layout | null, onResize: RenderOptions["onResize"]): { readonly pen: Pen; readonly old: readonly Row[] } {
  if (previous === null) return { pen: new Pen(state, 0, 0, 0), old: NO_ROWS };
  if (previous.columns === state.columns && previous.height === state.rows) {
    return { pen: new Pen(state, previous.cursorRow, previous.cursorColumn, previous.rows.length - 1), old: previous.rows };
  }
  const row = rowsAbove(previous, state.columns, state.rows, onResize ?? "unknown");
  const pen = new Pen(state, row, -1, row);
  pen.moveTo(0, 0);
  pen.eraseBelow();
  return { pen, old: NO_ROWS };
}

/** The picture of the state. `prompt` is one line without escape sequences. */
export function render(
  state: LineState,
  prompt: string,
  previous: Layout | null,
  options: RenderOptions = {},
): { readonly output: string; readonly layout: Layout } {
  const { text, list } = pictureOf(state, prompt, options.promptStyle ?? "");
  const height = state.rows === null ? text.rows.length : Math.max(1, state.rows - list.length);
  // of a line that is higher than the screen the part around the cursor is shown; it moves as little as possible
  let first = Math.min(previous?.first ?? 0, Math.max(0, text.rows.length - height), text.cursorRow);
  first = Math.max(first, text.cursorRow - height + 1);
  const rows = [...text.rows.slice(first, first + height), ...list];
  const { pen, old } = begin(state, previous, options.onResize);
  drawRows(pen, rows, old);
  const cursorRow = text.cursorRow - first;
  pen.moveTo(cursorRow, text.cursorColumn);
  const layout = { columns: state.columns, height: state.rows, rows, first, cursorRow, cursorColumn: text.cursorColumn };
  return { output: pen.output, layout };
}

/**
 * The last picture of a line that was submitted or given up: the whole of it, whatever its height, `mark` behind it (for example "^C"), nothing below,
 * and the cursor in column 0 of a new row. The next picture has no previous layout.
 */
export function renderFinal(
  state: LineState,
  line: string,
  prompt: string,
  previous: Layout | null,
  options: RenderOptions & { readonly mark?: string } = {},
): string {
  const clusters = splitClusters(line + (options.mark ?? ""));
  const cells = lineCells(prompt, options.promptStyle ?? "", clusters, state.columns);
  const { rows, cursorRow, cursorColumn } = wrap(cells, cells.length, state.columns);
  const { pen, old } = begin(state, previous, options.onResize);
  const scrolls = (previous?.first ?? 0) > 0 || (state.rows !== null && rows.length > state.rows);
  if (scrolls) {
    pen.moveTo(0, 0);
    pen.eraseBelow();
  }
  drawRows(pen, rows, scrolls ? NO_ROWS : old);
  pen.moveTo(cursorRow, cursorColumn);
  // when the line just filled its last row, the new row is there
  return cursorColumn === 0 && cursorRow > 0 ? pen.output : `${pen.output}\r\n`;
}
