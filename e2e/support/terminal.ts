/** The terminal as a person uses it: keys in, text of the screen out. */
import type { Page } from "@playwright/test";
import { expect } from "@playwright/test";

/** What the page lends for reading (docs/renderer.md). */
interface Buffer {
  readonly length: number;
  readonly baseY: number;
  readonly cursorX: number;
  readonly cursorY: number;
  getLine(row: number): { translateToString(trimRight: boolean): string; readonly isWrapped: boolean } | undefined;
}
interface Seam {
  __hugelabTerminal?: { readonly buffer: { readonly active: Buffer }; readonly cols: number; readonly rows: number };
}

export interface Screen {
  /** lines of the whole buffer, wrapped rows put together, without empty ones at the end */
  readonly lines: readonly string[];
  readonly columns: number;
  readonly rows: number;
  /** row of the cursor, counted from the first one of the buffer */
  readonly cursorRow: number;
  /** the row where the cursor is, as text */
  readonly cursorLine: string;
  readonly cursorColumn: number;
  /** rows that are scrolled out at the top */
  readonly above: number;
}

export class TerminalPage {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  async read(): Promise<Screen> {
    return await this.#page.evaluate(() => {
      const terminal = (window as unknown as Seam).__hugelabTerminal;
      // the screen with the terminal is still to come
      if (terminal === undefined) return { lines: [], columns: 0, rows: 0, cursorRow: 0, cursorLine: "", cursorColumn: 0, above: 0 };
      const { active } = terminal.buffer;
      const lines: string[] = [];
      for (let row = 0; row < active.length; row++) {
        const line = active.getLine(row);
        // a row that goes on in the next one may end in a space that belongs to the line
        const wraps = active.getLine(row + 1)?.isWrapped === true;
        const text = line?.translateToString(!wraps) ?? "";
        if (line?.isWrapped === true) lines[lines.length - 1] += text;
        else lines.push(text);
      }
      while (lines.length > 0 && lines[lines.length - 1] === "") lines.pop();
      const cursorRow = active.baseY + active.cursorY;
      return {
        lines,
        columns: terminal.cols,
        rows: terminal.rows,
        cursorRow,
        cursorLine: active.getLine(cursorRow)?.translateToString(true) ?? "",
        cursorColumn: active.cursorX,
        above: active.baseY,
      };
    });
  }

  async text(): Promise<string> {
    return (await this.read()).lines.join("\n");
  }

  async focus(): Promise<void> {
    await this.#page.keyboard.press("Alt+2");
    await expect(this.#page.locator(".xterm-helper-textarea")).toBeFocused();
  }

  async type(text: string): Promise<void> {
    await this.#page.keyboard.type(text);
  }

  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#page.keyboard.press(key);
  }

  /** Types a line and waits until the next prompt is there; what was printed in between. */
  async run(line: string, timeoutMs = 15_000): Promise<string> {
    const input = this.#page.locator(".xterm-helper-textarea");
    if (!(await input.evaluate((element) => element === document.activeElement))) await this.focus();
    await this.idle();
    const before = await this.read();
    await this.type(line);
    await this.press("Enter");
    const after = async (): Promise<boolean> => {
      const { cursorRow, cursorLine } = await this.read();
      return cursorRow > before.cursorRow && PROMPT.test(cursorLine);
    };
    await expect.poll(after, { message: `a prompt after ${line}`, timeout: timeoutMs, intervals: [20, 50, 100] }).toBe(true);
    const { lines } = await this.read();
    // what stood before, with the line that was typed; and without the new prompt
    return lines.slice(before.lines.length, -1).join("\n");
  }

  /** Until a prompt waits for a line. */
  async idle(timeoutMs = 15_000): Promise<void> {
    await expect.poll(async () => (await this.read()).cursorLine, { timeout: timeoutMs }).toMatch(PROMPT);
  }

  /** Until the screen says it. */
  async says(text: string | RegExp, timeoutMs = 10_000): Promise<void> {
    const poll = expect.poll(() => this.text(), { timeout: timeoutMs });
    await (typeof text === "string" ? poll.toContain(text) : poll.toMatch(text));
  }

  /** Pastes as the browser does, through the clipboard event. */
  async paste(text: string): Promise<void> {
    await this.#page.evaluate((pasted) => {
      const data = new DataTransfer();
      data.setData("text/plain", pasted);
      document.querySelector(".xterm-helper-textarea")?.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }, text);
  }
}

/** "[3] P>" with nothing behind it */
export const PROMPT = /^\[\d+\] \S+> ?$/;

/** A command that takes seconds: 64 GiB are read page by page, each of which maps the zero page. It lies over the places of three other names. */
export const LONG_COMMAND = {
  before: ["echo 1 > /proc/sys/vm/overcommit_memory", "echo never > /sys/kernel/mm/transparent_hugepage/enabled", "mmap A 64G rw private anon"],
  line: "touch A 64G r",
  /** what the page tables take when it has run to its end */
  pageTablesKb: 64 * 512 * 4,
} as const;
