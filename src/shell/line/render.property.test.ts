/** Whatever happens to a line, a real terminal emulator shows exactly that line, the cursor where it belongs, and nothing above it is touched. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { AGREED, expectedCells, LineTerminal, type Widths } from "../../../tests/lineTerminal.ts";
import { editOf } from "./clusters.ts";
import { pictureOf } from "./picture.ts";
import { reduce } from "./reduce.ts";
import { render, renderFinal, type Layout, type RenderOptions } from "./render.ts";
import { createLine, lineText, type LineEvent, type LineState } from "./state.ts";

const RUNS = process.env.HUGELAB_LONG === "1" ? 4000 : 250;

/** Anything, also what terminals measure differently. */
const anything = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 4 }),
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.constantFrom("क्ष", "கி", "ﾊﾟ", "각", "a\u200d", "नी", "\u200b", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
);

const key = (name: string, modifiers = ""): LineEvent => ({
  kind: "key",
  name,
  ctrl: modifiers.includes("C"),
  alt: modifiers.includes("M"),
  shift: modifiers.includes("S"),
});

const keys: LineEvent[] = [
  ...["left", "right", "home", "end", "up", "down", "backspace", "delete", "tab", "escape"].map((name) => key(name)),
  ...[..."abdefgkltuwyrsnp_"].map((name) => key(name, "C")),
  ...[..."bfdy"].map((name) => key(name, "M")),
  key("tab", "S"),
  key("left", "C"),
  key("right", "C"),
  key("backspace", "M"),
];

type Action = { readonly kind: "event"; readonly event: LineEvent } | { readonly kind: "answer"; readonly texts: readonly string[] };

// xterm.js has 2 columns at least
const size = fc.record({ columns: fc.oneof(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 8, max: 60 })), rows: fc.integer({ min: 1, max: 24 }) });
const resizing = size.map((to): LineEvent => ({ kind: "resize", ...to }));

/** Typing at the end of the line, and changes of the size. */
function typing(text: fc.Arbitrary<string>): fc.Arbitrary<Action[]> {
  const typed = fc.array(text, { maxLength: 12 }).map((parts): LineEvent => ({ kind: "text", text: parts.join("") }));
  const event = fc.oneof({ weight: 3, arbitrary: typed }, { weight: 1, arbitrary: fc.constant(key("backspace")) }, { weight: 2, arbitrary: resizing });
  return fc.array(
    event.map((of): Action => ({ kind: "event", event: of })),
    { maxLength: 20 },
  );
}

function actions(text: fc.Arbitrary<string>, resizes: fc.Arbitrary<LineEvent>[]): fc.Arbitrary<Action[]> {
  const event = (arbitrary: fc.Arbitrary<LineEvent>): fc.Arbitrary<Action> => arbitrary.map((of) => ({ kind: "event", event: of }));
  const string = fc.array(text, { maxLength: 12 }).map((parts) => parts.join(""));
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: event(string.map((typed) => ({ kind: "text", text: typed }))) },
      { weight: 6, arbitrary: event(fc.constantFrom(...keys)) },
      { weight: 2, arbitrary: event(fc.constantFrom(key("left"), key("right"), key("backspace"))) },
      { weight: 1, arbitrary: event(fc.array(string, { maxLength: 3 }).map((lines) => ({ kind: "paste", text: lines.join("\n") }))) },
      { weight: 1, arbitrary: event(fc.constant(key("enter"))) },
      { weight: 1, arbitrary: event(fc.array(string, { maxLength: 3 }).map((lines) => ({ kind: "historyLoaded", lines }))) },
      { weight: 1, arbitrary: fc.array(string, { maxLength: 9 }).map((texts): Action => ({ kind: "answer", texts })) },
      ...resizes.map((resize) => ({ weight: 1, arbitrary: event(resize) })),
    ),
    { maxLength: 40 },
  );
}

const ABOVE = ["1", "2", "3"];

/** Does what a driver does with an emulator, and compares after every event. */
class Driver {
  state: LineState;
  layout: Layout | null = null;
  terminal: LineTerminal;
  /** first row of the line in the terminal, counted from the beginning of its scrollback */
  top = 0;
  /** how many rows of ABOVE the terminal has */
  above = 0;
  /** false: rows of this line from before a change of the size may be left above it */
  exact = true;
  readonly terms: Terms;
  readonly prompt: string;
  readonly options: RenderOptions;

  constructor(columns: number, rows: number, terms: Terms, prompt: string) {
    this.state = createLine(columns, rows);
    this.terms = terms;
    this.prompt = prompt;
    this.options = terms.onResize === undefined ? {} : { onResize: terms.onResize };
    this.terminal = this.open();
  }

  open(): LineTerminal {
    this.exact = true;
    this.layout = null;
    return new LineTerminal(this.state.columns, this.state.rows!, this.terms.widths, this.terms.reflows);
  }

  async begin(): Promise<void> {
    await this.writeAbove();
    await this.show();
  }

  async writeAbove(): Promise<void> {
    await this.terminal.write(ABOVE.map((line) => `${line}\r\n`).join(""));
    this.top = this.terminal.cursor.row;
    this.above = ABOVE.length;
  }

  async handle(action: Action): Promise<void> {
    if (action.kind === "answer") {
      const { completion, requests } = this.state;
      if (completion?.kind !== "asked") return;
      const end = lineText(this.state).length;
      const candidates = action.texts.map((text, i) => ({ text, whole: i % 2 === 0 }));
      return this.feed({ kind: "completions", request: requests, start: Math.max(0, end - 2), end, candidates });
    }
    return this.feed(action.event);
  }

  async feed(event: LineEvent): Promise<void> {
    if (event.kind === "resize") {
      // rows of ours that leave the screen when it shrinks cannot be erased any more, and xterm.js 6 counts what it wraps below the cursor as above it
      const leaves = this.layout !== null && this.layout.rows.length >= Math.min(this.state.rows!, event.rows!);
      if (leaves || this.state.completion?.kind === "menu" || this.options.onResize !== "kept") this.exact = false;
      this.terminal.resize(event.columns, event.rows!);
    }
    const step = reduce(this.state, event);
    this.state = step.state;
    for (const effect of step.effects) {
      if (effect.kind === "submit") {
        await this.finish(effect.line);
        await this.feed({ kind: "ready" });
      }
      if (effect.kind === "clearScreen") {
        this.terminal = this.open();
        this.top = 0;
        this.above = 0;
      }
    }
    await this.show();
  }

  async show(): Promise<void> {
    if (this.state.busy) return;
    const { output, layout } = render(this.state, this.prompt, this.layout, this.options);
    this.layout = layout;
    await this.terminal.write(output);
    const { text, list } = pictureOf(this.state, this.prompt, "");
    const rows = [...text.rows.slice(layout.first, layout.first + Math.max(1, this.state.rows! - list.length)), ...list];
    if (!this.exact) this.top = this.terminal.cursor.row - (text.cursorRow - layout.first);
    expect(this.terminal.cursor).toEqual({ row: this.top + text.cursorRow - layout.first, column: text.cursorColumn });
    expect(rows.length).toBeLessThanOrEqual(this.state.rows!);
    this.expectRows(rows);
    // nothing below
    for (let row = this.top + rows.length; row < this.terminal.rowCount; row++) expect(this.terminal.text(row)).toBe("");
    expect(ABOVE.slice(0, this.above).map((_, i) => this.terminal.text(i))).toEqual(ABOVE.slice(0, this.above));
    // drawing what is there already takes nothing
    expect(render(this.state, this.prompt, layout, this.options).output).toBe("");
  }

  expectRows(rows: readonly Parameters<typeof expectedCells>[0][]): void {
    for (const [i, row] of rows.entries()) {
      const is = this.terminal.cells(this.top + i);
      const should = expectedCells(row, this.state.columns, this.terms.widths);
      expect(is.map((cell, column) => (should[column] === null ? null : cell))).toEqual(should);
    }
  }

  /** The line was submitted: all of it is there, in the scrollback too, with the cursor below it. */
  async finish(line: string): Promise<void> {
    await this.terminal.write(renderFinal(this.state, line, this.prompt, this.layout, this.options));
    const { rows } = pictureOf({ ...createLine(this.state.columns, null), ...editOf(line) }, this.prompt, "").text;
    const shown = rows.at(-1)!.cells.length === 0 ? rows.slice(0, -1) : rows;
    const { row, column } = this.terminal.cursor;
    expect(column).toBe(0);
    if (this.exact) expect(row).toBe(this.top + Math.max(1, shown.length));
    this.top = row - Math.max(1, shown.length);
    this.expectRows(shown);
    this.terminal = this.open();
    await this.writeAbove();
  }
}

interface Terms {
  readonly widths: Widths;
  readonly onResize?: RenderOptions["onResize"];
  /** the emulator wraps the line of the cursor anew when it is resized */
  readonly reflows?: boolean;
}

function property(name: string, list: fc.Arbitrary<Action[]>, terms: Terms): void {
  it(name, async () => {
    await fc.assert(
      fc.asyncProperty(size, fc.constantFrom("$ ", "hugelab> ", "漢 ", ""), list, async ({ columns, rows }, prompt, happening) => {
        const driver = new Driver(columns, rows, terms, prompt);
        await driver.begin();
        for (const action of happening) await driver.handle(action);
      }),
      { numRuns: RUNS },
    );
  });
}

const known = fc.constantFrom(...AGREED, "\u0301", "\u202e");
property("shows the line cell by cell", actions(known, []), { widths: "graphemes" });
property("shows the line cell by cell through changes of the size", actions(known, [resizing]), { widths: "graphemes", onResize: "kept" });
property("keeps its place with any text where the terminal measures each code point (Unicode 6)", actions(anything, []), { widths: "6" });
property("keeps its place with any text where the terminal measures each code point (Unicode 11)", actions(anything, [resizing]), {
  widths: "11",
  onResize: "kept",
});
property("keeps its place with any text where the terminal measures clusters", actions(fc.oneof(anything, known), [resizing]), {
  widths: "graphemes",
  onResize: "kept",
});
property("erases nothing above it where it is not known that the terminal leaves the line alone", actions(known, [resizing]), {
  widths: "graphemes",
  onResize: "unknown",
});
// xterm.js 6 with reflowCursorLine loses rows behind the cursor when it makes the line narrower: this is only for a cursor at the end
property("erases nothing above it where the terminal wraps the line anew", typing(known), { widths: "graphemes", onResize: "wrapped", reflows: true });
property("erases nothing above it where it is not known that the terminal wraps the line anew", typing(known), {
  widths: "graphemes",
  onResize: "unknown",
  reflows: true,
});
