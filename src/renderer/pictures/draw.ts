/** Draws cells on a canvas. */
import type { CellState } from "../../observe/picture/model.ts";
import { LOOKS } from "./cells.ts";

export interface DrawnCell {
  readonly state: CellState;
  /** 0 to 1, how much of it is used */
  readonly share: number;
  readonly changed: boolean;
  /** false: it belongs to the same folio as the one before it */
  readonly begins: boolean;
}

export interface DrawOptions {
  readonly columns: number;
  /** pixels of the page */
  readonly size: number;
  readonly cursor: number | null;
  readonly selected: number | null;
  readonly token: (name: string) => string;
}

/** below this size patterns are noise */
const PATTERN_SIZE_LEAST = 7;
const SHARE_LEAST = 0.35;

type Pen = CanvasRenderingContext2D;

function pattern(pen: Pen, state: CellState, x: number, y: number, width: number, height: number): void {
  const centreX = x + width / 2;
  const centreY = y + height / 2;
  pen.beginPath();
  switch (LOOKS[state].pattern) {
    case "hatch":
      pen.moveTo(x, y + height);
      pen.lineTo(x + width, y);
      pen.stroke();
      return;
    case "cross":
      pen.moveTo(x + 2, y + 2);
      pen.lineTo(x + width - 2, y + height - 2);
      pen.moveTo(x + width - 2, y + 2);
      pen.lineTo(x + 2, y + height - 2);
      pen.stroke();
      return;
    case "dots":
      pen.arc(centreX, centreY, Math.max(1, width / 7), 0, Math.PI * 2);
      pen.fill();
      return;
    case "bar":
      pen.fillRect(x + width * 0.25, centreY - 1, width * 0.5, 2);
      return;
    case "solid":
    case "blank":
  }
}

/** The whole picture. The canvas has been given its size in device pixels. */
export function drawCells(pen: Pen, cells: readonly DrawnCell[], options: DrawOptions): void {
  const { columns, size, token } = options;
  const colours = new Map<CellState, string>();
  const colourOf = (state: CellState): string => {
    const known = colours.get(state) ?? token(LOOKS[state].token);
    colours.set(state, known);
    return known;
  };
  const mark = token("--cell-mark");
  const gap = size >= 9 ? 1 : size >= 6 ? 0.5 : 0;
  pen.lineWidth = 1;
  pen.strokeStyle = mark;
  cells.forEach(({ state, share, begins }, at) => {
    const x = (at % columns) * size;
    const y = Math.floor(at / columns) * size;
    const left = begins ? gap : 0;
    pen.globalAlpha = share >= 1 || LOOKS[state].pattern === "blank" ? 1 : SHARE_LEAST + (1 - SHARE_LEAST) * share;
    pen.fillStyle = colourOf(state);
    pen.fillRect(x + left, y + gap, size - left, size - gap);
    pen.globalAlpha = 1;
    pen.fillStyle = mark;
    if (size >= PATTERN_SIZE_LEAST) pattern(pen, state, x + left, y + gap, size - left, size - gap);
  });
  frames(pen, cells, options);
}

function frames(pen: Pen, cells: readonly DrawnCell[], { columns, size, cursor, selected, token }: DrawOptions): void {
  const frame = (at: number, colour: string, width: number): void => {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.strokeRect((at % columns) * size + width / 2, Math.floor(at / columns) * size + width / 2, size - width + 1, size - width + 1);
  };
  const changed = token("--changed");
  cells.forEach((cell, at) => {
    if (cell.changed) frame(at, changed, size >= PATTERN_SIZE_LEAST ? 2 : 1);
  });
  if (selected !== null && selected < cells.length) frame(selected, token("--text"), 2);
  if (cursor !== null && cursor < cells.length) frame(cursor, token("--accent"), 3);
}
