/** A real terminal emulator (xterm.js without a screen) for tests of the line editor. */
import { createRequire } from "node:module";
import type Unicode11 from "@xterm/addon-unicode11";
import type Graphemes from "@xterm/addon-unicode-graphemes";
import type Headless from "@xterm/headless";
import type { Row } from "../src/shell/line/picture.ts";

const load = createRequire(import.meta.url);
// addon-unicode-graphemes 0.4.0 reads its table from the beginning of the buffer's memory, wherever the buffer begins in it: no pool, no harm
Buffer.poolSize = 0;
const { Terminal } = load("@xterm/headless") as typeof Headless;
const { UnicodeGraphemesAddon } = load("@xterm/addon-unicode-graphemes") as typeof Graphemes;
const { Unicode11Addon } = load("@xterm/addon-unicode11") as typeof Unicode11;

/** How the emulator measures text: whole grapheme clusters, or each code point by the tables of Unicode 11 or 6. */
export type Widths = "graphemes" | "11" | "6";

export interface TerminalCell {
  readonly text: string;
  readonly width: number;
  readonly inverse: boolean;
}

export class LineTerminal {
  readonly #terminal: InstanceType<typeof Terminal>;

  constructor(columns: number, rows: number, widths: Widths, reflowCursorLine = false) {
    this.#terminal = new Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 5000, reflowCursorLine });
    if (widths === "graphemes") this.#terminal.loadAddon(new UnicodeGraphemesAddon());
    if (widths === "11") {
      this.#terminal.loadAddon(new Unicode11Addon());
      this.#terminal.unicode.activeVersion = "11";
    }
  }

  write(text: string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(text, resolve));
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  /** What the emulator answers to text that asks (`CSI 6 n`). */
  async answers(text: string): Promise<string> {
    let said = "";
    const listener = this.#terminal.onData((data) => (said += data));
    await this.write(text);
    listener.dispose();
    return said;
  }

  /** row counted from the beginning of the scrollback */
  get cursor(): { readonly row: number; readonly column: number } {
    const { active } = this.#terminal.buffer;
    return { row: active.baseY + active.cursorY, column: active.cursorX };
  }

  /** rows that have scrolled off */
  get scrolledOff(): number {
    return this.#terminal.buffer.active.baseY;
  }

  get rowCount(): number {
    return this.#terminal.buffer.active.length;
  }

  isWrapped(row: number): boolean {
    return this.#terminal.buffer.active.getLine(row)?.isWrapped ?? false;
  }

  cells(row: number): TerminalCell[] {
    const line = this.#terminal.buffer.active.getLine(row);
    if (line === undefined) throw new Error(`the terminal has no row ${row}`);
    return Array.from({ length: this.#terminal.cols }, (_, column) => {
      const cell = line.getCell(column)!;
      return { text: cell.getWidth() === 0 ? "" : cell.getChars() || " ", width: cell.getWidth(), inverse: cell.isInverse() !== 0 };
    });
  }

  text(row: number): string {
    return this.cells(row)
      .map((cell) => cell.text)
      .join("")
      .trimEnd();
  }
}

/** Clusters that string-width and xterm.js with grapheme clusters measure alike, of every kind that there is. */
export const AGREED: readonly string[] = [
  ...["a", "b", "Z", "7", " ", "_", "é", "e\u0301", "ß", "Ω", "ж", "漢", "字", "か", "한", "ｗ", "→", "⚡"],
  ...["😀", "👨‍👩‍👧", "🇩🇪", "1\ufe0f\u20e3", "❤\ufe0f", "👍🏽", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}"],
];

/** A row of a picture as the emulator should have it. `null`: terminals may differ here. */
export function expectedCells(row: Row, columns: number, widths: Widths): (TerminalCell | null)[] {
  const cells: (TerminalCell | null)[] = [];
  for (const { cluster, style } of row.cells) {
    const known = cluster.plain || (widths === "graphemes" && AGREED.includes(cluster.text));
    const inverse = style.split(";").includes("7");
    cells.push(known ? { text: cluster.text, width: cluster.width, inverse } : null);
    for (let i = 1; i < cluster.width; i++) cells.push(known ? { text: "", width: 0, inverse } : null);
  }
  // a terminal that takes the last cluster for wider shows it beyond its place
  const last = row.cells.at(-1)?.cluster;
  const beyond = last === undefined || cells.at(-1) !== null ? 0 : Math.min(last.room - last.width, columns - cells.length);
  for (let i = 0; i < beyond; i++) cells.push(null);
  while (cells.length < columns) cells.push({ text: " ", width: 1, inverse: false });
  return cells;
}
