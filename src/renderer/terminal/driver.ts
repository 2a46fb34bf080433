/**
 * The driver of the line editor (src/shell/line): keys in, what the terminal has to write out. It knows neither xterm.js nor the api, so that tests run it
 * on an emulator without a screen. Keys are echoed at once, also while a command runs; output is put above the line that is being typed.
 */
import { decodeKeys, flushKeys, NOTHING_PENDING, waitsForMore, type PendingKeys } from "../../shell/line/decodeKeys.ts";
import { reduce } from "../../shell/line/reduce.ts";
import { render, renderFinal, type Layout } from "../../shell/line/render.ts";
import { createLine, lineText, type Candidate, type Effect, type LineEvent, type LineState } from "../../shell/line/state.ts";
import { say } from "../../i18n/format.ts";
import { atBlanks, safeText } from "./safeText.ts";

export interface OutputPart {
  readonly stream: "out" | "note" | "error" | "input";
  readonly text: string;
}

/** What a submitted line came to. */
export interface LineOutcome {
  readonly parts: readonly OutputPart[];
  /** null: as before */
  readonly prompt: string | null;
  /** the line was not run: it is put back so that it is not lost */
  readonly notRun: boolean;
}

export interface DriverHost {
  write(text: string): void;
  /** never rejects */
  submit(line: string): Promise<LineOutcome>;
  /** Ctrl-C while a command runs */
  cancel(): void;
  /** null: there is no answer */
  complete(text: string, cursor: number): Promise<{ readonly start: number; readonly end: number; readonly candidates: readonly Candidate[] } | null>;
  /** Ctrl-D on an empty line */
  endOfInput(): void;
  bell(): void;
  busyChanged(busy: boolean): void;
  /** calls back after some time; returns how to call it off */
  later(run: () => void, delayMs: number): () => void;
}

/** An ESC alone is the key when nothing has followed for this long. */
const ESCAPE_MS = 50;
const CLEAR = "\u001b[H\u001b[2J";
const PROMPT_STYLE = "1;34";
/** SGR parameters for each kind of output, the 16 colours of the theme only */
const STYLES: Readonly<Record<OutputPart["stream"], string>> = { out: "", note: "90", error: "31", input: PROMPT_STYLE };
/** characters of one write: xterm.js looks at the clock between writes, so that a long text does not hold up a frame */
const CHUNK_CHARACTERS = 1 << 14;

export class TerminalDriver {
  readonly #host: DriverHost;
  #line: LineState;
  #layout: Layout | null = null;
  #pendingKeys: PendingKeys = NOTHING_PENDING;
  #stopEscape: (() => void) | null = null;
  #prompt: string;
  /** false: the last output did not end with a line end, so the line has to begin below it */
  #atLineStart = true;
  /** the answers of lines that were submitted before the terminal was given another session are not written */
  #session = 0;

  constructor(host: DriverHost, columns: number, rows: number, prompt: string) {
    this.#host = host;
    this.#line = createLine(columns, rows);
    this.#prompt = prompt;
  }

  get busy(): boolean {
    return this.#line.busy;
  }

  /** the text of the line that is being typed */
  get text(): string {
    return lineText(this.#line);
  }

  /** What the terminal sent. */
  keys(chunk: string): void {
    this.#stopEscape?.();
    this.#stopEscape = null;
    const { events, pending } = decodeKeys(chunk, this.#pendingKeys);
    this.#pendingKeys = pending;
    this.#handle(events);
    if (!waitsForMore(pending)) return;
    this.#stopEscape = this.#host.later(() => {
      const flushed = flushKeys(this.#pendingKeys);
      this.#pendingKeys = flushed.pending;
      this.#handle(flushed.events);
    }, ESCAPE_MS);
  }

  resize(columns: number, rows: number): void {
    this.#handle([{ kind: "resize", columns, rows }]);
  }

  /** A session is shown: its newest output, its prompt, the lines typed in earlier ones. */
  open(parts: readonly OutputPart[], prompt: string, typed: readonly string[]): void {
    const { columns, rows } = this.#line;
    const wasBusy = this.#line.busy;
    this.#session++;
    this.#line = reduce(createLine(columns, rows), { kind: "historyLoaded", lines: typed }).state;
    this.#layout = null;
    this.#atLineStart = true;
    this.#prompt = prompt;
    this.#host.write(CLEAR);
    this.#writeParts(parts);
    this.#draw();
    if (wasBusy) this.#host.busyChanged(false);
  }

  /** Something to say between two lines, for example that the engine was started anew. */
  say(parts: readonly OutputPart[], prompt: string | null = null): void {
    this.#erase();
    if (prompt !== null) this.#prompt = prompt;
    this.#writeParts(parts);
    this.#draw();
  }

  setPrompt(prompt: string): void {
    if (prompt === this.#prompt) return;
    this.#erase();
    this.#prompt = prompt;
    this.#draw();
  }

  /** Puts a text into the line, behind what is there; it is not run. */
  insert(text: string): void {
    const flat = text.replace(/\s*[\r\n]+\s*/g, " ");
    const old = this.text;
    this.#handle([
      { kind: "key", name: "end", ctrl: false, alt: false, shift: false },
      { kind: "text", text: old === "" || old.endsWith(" ") ? flat : ` ${flat}` },
    ]);
  }

  dispose(): void {
    this.#stopEscape?.();
    this.#session++;
  }

  #handle(events: readonly LineEvent[]): void {
    for (const event of events) {
      const wasBusy = this.#line.busy;
      const step = reduce(this.#line, event);
      this.#line = step.state;
      for (const effect of step.effects) this.#carryOut(effect, wasBusy);
    }
    this.#draw();
  }

  #carryOut(effect: Effect, wasBusy: boolean): void {
    switch (effect.kind) {
      case "submit":
        this.#final(effect.line, "", this.#prompt);
        void this.#submit(effect.line);
        return;
      case "interrupt":
        this.#final(effect.line, "^C", wasBusy ? "" : this.#prompt);
        if (wasBusy) this.#host.cancel();
        return;
      case "endOfInput":
        this.#host.endOfInput();
        return;
      case "clearScreen":
        this.#host.write(CLEAR);
        this.#layout = null;
        return;
      case "requestCompletion":
        void this.#complete(effect);
        return;
      case "bell":
        this.#host.bell();
    }
  }

  async #submit(line: string): Promise<void> {
    const session = this.#session;
    this.#host.busyChanged(true);
    const outcome = await this.#host.submit(line);
    if (session !== this.#session) return;
    this.#erase();
    if (outcome.prompt !== null) this.#prompt = outcome.prompt;
    this.#writeParts(outcome.parts);
    if (outcome.notRun) {
      this.#giveBack(line);
    } else this.#handle([{ kind: "ready" }]);
    if (!this.#line.busy) this.#host.busyChanged(false);
  }

  /** What waits behind a line that was not run would run without it: all goes back to the learner, nothing is lost. */
  #giveBack(line: string): void {
    const { pending } = this.#line;
    this.#line = { ...this.#line, pending: [], history: [...this.#line.history, ...pending] };
    if (pending.length > 0) this.#writeParts([{ stream: "note", text: `${say("renderer.terminal.heldBack", { count: pending.length })}\n` }]);
    this.#handle([{ kind: "ready" }]);
    if (this.text === "") this.insert(line);
  }

  async #complete({ request, text, cursor }: Extract<Effect, { kind: "requestCompletion" }>): Promise<void> {
    const session = this.#session;
    const answer = await this.#host.complete(text, cursor);
    if (session !== this.#session) return;
    const none = { start: cursor, end: cursor, candidates: [] };
    this.#handle([{ kind: "completions", request, ...(answer ?? none) }]);
  }

  /** While a command runs, the line that is typed ahead has no prompt. */
  #promptNow(): string {
    const { search, busy } = this.#line;
    if (search !== null) return say(search.found ? "renderer.terminal.search" : "renderer.terminal.searchFailed", { query: search.query });
    return busy ? "" : this.#prompt;
  }

  #draw(): void {
    const prompt = this.#promptNow();
    const { output, layout } = render(this.#line, prompt, this.#layout, { promptStyle: PROMPT_STYLE, onResize: "kept" });
    this.#layout = layout;
    if (output !== "") this.#host.write(output);
  }

  #final(line: string, mark: string, prompt: string): void {
    this.#host.write(renderFinal(this.#line, line, prompt, this.#layout, { promptStyle: PROMPT_STYLE, onResize: "kept", mark }));
    this.#layout = null;
  }

  /** Takes the line off the screen, so that something can be written where it was. */
  #erase(): void {
    const layout = this.#layout;
    if (layout === null) return;
    this.#host.write(`${layout.cursorRow > 0 ? `\u001b[${layout.cursorRow}A` : ""}\r\u001b[J`);
    this.#layout = null;
  }

  #writeParts(parts: readonly OutputPart[]): void {
    for (const { stream, text } of parts) {
      if (text === "") continue;
      const style = STYLES[stream];
      // output of tools is what it is; what the session says is prose
      const safe = safeText(stream === "note" ? atBlanks(text, this.#line.columns) : text);
      if (style !== "") this.#host.write(`\u001b[${style}m`);
      for (let at = 0; at < safe.length; at += CHUNK_CHARACTERS) this.#host.write(safe.slice(at, at + CHUNK_CHARACTERS));
      if (style !== "") this.#host.write("\u001b[m");
      this.#atLineStart = text.endsWith("\n");
    }
    if (!this.#atLineStart) this.#host.write("\r\n");
    this.#atLineStart = true;
  }
}
