/**
 * The line editor (shell/line) on the terminal that Hugelab was started in: raw mode, bracketed paste, resizing. The session runs in this thread,
 * so while a line runs nothing is read but by the probe, which looks for a Ctrl-C among what was typed meanwhile; the rest is typed ahead.
 */
import { closeSync, constants, openSync, readSync } from "node:fs";
import { say } from "../i18n/format.ts";
import type { AfterLine } from "./converse.ts";
import type { CancelProbe } from "../session/pacer.ts";
import type { ShellSession } from "../session/shellSession.ts";
import { decodeKeys, flushKeys, NOTHING_PENDING, waitsForMore } from "../shell/line/decodeKeys.ts";
import { reduce } from "../shell/line/reduce.ts";
import { render, renderFinal, type Layout } from "../shell/line/render.ts";
import { createLine, type Effect, type LineEvent, type LineState } from "../shell/line/state.ts";

/** milliseconds after which an ESC alone is the key */
const ESCAPE_MS = 50;
const PASTE_ON = "\u001b[?2004h";
const PASTE_OFF = "\u001b[?2004l";
const CLEAR = "\u001b[H\u001b[2J\u001b[3J";
const BELL = "\u0007";
const CTRL_C = 3;
const TYPED_BYTES = 4096;

/** Reads what was typed while a line runs, without waiting. Where that is not possible (Windows, no /dev/tty) nothing can be stopped. */
export class TypedAhead implements CancelProbe {
  readonly bytes: number[] = [];
  readonly #file: number;
  readonly #buffer = Buffer.alloc(TYPED_BYTES);
  #wantsStop = false;

  private constructor(file: number) {
    this.#file = file;
  }

  /** Null where it cannot be done. */
  static open(): TypedAhead | null {
    const file = openTerminal();
    return file === null ? null : new TypedAhead(file);
  }

  /** A line begins: a Ctrl-C from before was for another one. */
  begin(): void {
    this.#wantsStop = false;
  }

  stop(): boolean {
    if (this.#wantsStop) return true;
    const read = this.#read();
    for (let i = 0; i < read; i++) {
      if (this.#buffer[i] === CTRL_C) {
        // what was typed before it was for a shell that it gives up
        this.bytes.length = 0;
        this.#wantsStop = true;
      } else this.bytes.push(this.#buffer[i]);
    }
    return this.#wantsStop;
  }

  close(): void {
    closeSync(this.#file);
  }

  #read(): number {
    try {
      return readSync(this.#file, this.#buffer, 0, TYPED_BYTES, null);
    } catch {
      // EAGAIN: nothing there; anything else: the terminal has gone, and the event loop will notice
      return 0;
    }
  }
}

function openTerminal(): number | null {
  if (process.platform === "win32") return null;
  try {
    return openSync("/dev/tty", constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
}

export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/** Talks with a learner until they leave. The terminal is put back as it was, whatever happens. */
export async function converseOnTerminal(session: ShellSession, terminal: Terminal, after: AfterLine, ahead: TypedAhead | null): Promise<void> {
  const { input, output } = terminal;
  const left = Promise.withResolvers<void>();
  const driver = new Driver(session, terminal, after, ahead, () => left.resolve());
  const onData = (chunk: Uint8Array): void => driver.typed(chunk);
  const onResize = (): void => driver.resized();
  input.setRawMode(true);
  output.write(PASTE_ON);
  try {
    input.on("data", onData).on("end", left.resolve).on("error", left.reject);
    output.on("resize", onResize);
    driver.draw();
    await left.promise;
  } finally {
    driver.end();
    input.off("data", onData).off("end", left.resolve).pause();
    output.off("resize", onResize);
    output.write(PASTE_OFF);
    input.setRawMode(false);
  }
}

const rowsOf = (output: NodeJS.WriteStream): number | null => (output.rows > 0 ? output.rows : null);

class Driver {
  readonly #session: ShellSession;
  readonly #after: AfterLine;
  readonly #ahead: TypedAhead | null;
  readonly #output: NodeJS.WriteStream;
  readonly #leave: () => void;
  #line: LineState;
  #keys = NOTHING_PENDING;
  #layout: Layout | null = null;
  #timer: NodeJS.Timeout | undefined;
  #hasLeft = false;

  constructor(session: ShellSession, { output }: Terminal, after: AfterLine, ahead: TypedAhead | null, leave: () => void) {
    this.#session = session;
    this.#after = after;
    this.#ahead = ahead;
    this.#output = output;
    this.#leave = leave;
    this.#line = createLine(output.columns, rowsOf(output));
  }

  typed(chunk: Uint8Array): void {
    clearTimeout(this.#timer);
    const decoded = decodeKeys(chunk, this.#keys);
    this.#keys = decoded.pending;
    this.#take(decoded.events);
    // what the probe read while a line ran was typed before anything that is read from now on
    for (let bytes = this.#typedAhead(); bytes.length > 0 && !this.#hasLeft; bytes = this.#typedAhead()) {
      const more = decodeKeys(Uint8Array.from(bytes), this.#keys);
      this.#keys = more.pending;
      this.#take(more.events);
    }
    if (waitsForMore(this.#keys)) this.#timer = setTimeout(() => this.#flush(), ESCAPE_MS);
  }

  resized(): void {
    this.#take([{ kind: "resize", columns: this.#output.columns, rows: rowsOf(this.#output) }]);
  }

  draw(): void {
    if (this.#hasLeft) return;
    const { output, layout } = render(this.#line, this.#prompt(), this.#layout);
    this.#layout = layout;
    this.#output.write(output);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#hasLeft = true;
  }

  #typedAhead(): readonly number[] {
    return this.#ahead?.bytes.splice(0) ?? [];
  }

  #flush(): void {
    const flushed = flushKeys(this.#keys);
    this.#keys = flushed.pending;
    this.#take(flushed.events);
  }

  /** A line that ends makes an event itself, so they are taken one behind the other and not one inside the other. */
  #take(given: readonly LineEvent[]): void {
    const events = [...given];
    for (let event = events.shift(); event !== undefined && !this.#hasLeft; event = events.shift()) {
      const step = reduce(this.#line, event);
      this.#line = step.state;
      for (const effect of step.effects) {
        const next = this.#carryOut(effect);
        if (next !== null) events.unshift(next);
      }
    }
    this.draw();
  }

  #carryOut(effect: Effect): LineEvent | null {
    switch (effect.kind) {
      case "submit":
        this.#final(effect.line, "");
        return this.#run(effect.line);
      case "interrupt":
        this.#final(effect.line, "^C");
        return null;
      case "endOfInput":
        this.#final("", "");
        this.#hasLeft = true;
        this.#leave();
        return null;
      case "clearScreen":
        this.#output.write(CLEAR);
        this.#layout = null;
        return null;
      case "requestCompletion":
        return { kind: "completions", request: effect.request, ...this.#session.complete(effect.text, effect.cursor) };
      case "bell":
        this.#output.write(BELL);
        return null;
    }
  }

  #run(line: string): LineEvent {
    this.#ahead?.begin();
    const step = this.#session.submit(line);
    const texts = [...step.output.map((part) => part.text), ...this.#after(step).map((each) => `${each}\n`)];
    // Node's raw mode leaves the output as it is: a newline still goes back to the first column
    for (const text of texts) this.#output.write(text);
    if (step.ended) {
      this.#hasLeft = true;
      this.#leave();
    }
    return { kind: "ready" };
  }

  #final(line: string, mark: string): void {
    this.#output.write(renderFinal(this.#line, line, this.#prompt(), this.#layout, { mark }));
    this.#layout = null;
  }

  #prompt(): string {
    const { search } = this.#line;
    if (search === null) return this.#session.prompt();
    return say(search.found ? "cli.shell.search" : "cli.shell.searchFailed", { query: search.query });
  }
}
