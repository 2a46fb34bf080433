import { describe, expect, it } from "vitest";
import { LineTerminal } from "../../../tests/lineTerminal.ts";
import { TerminalDriver, type DriverHost, type LineOutcome } from "./driver.ts";

const PROMPT = "$ ";

/** The driver on a real emulator without a screen, with an engine that answers when the test says so. */
class Desk {
  readonly screen = new LineTerminal(40, 12, "graphemes");
  readonly submitted: string[] = [];
  readonly busy: boolean[] = [];
  cancelled = 0;
  ended = 0;
  bells = 0;
  timers: (() => void)[] = [];
  completions: Awaited<ReturnType<DriverHost["complete"]>> = null;
  written = "";
  #answers: ((outcome: LineOutcome) => void)[] = [];
  readonly driver: TerminalDriver;

  constructor() {
    const host: DriverHost = {
      write: (text) => {
        this.written += text;
      },
      submit: (line) => {
        this.submitted.push(line);
        return new Promise((resolve) => this.#answers.push(resolve));
      },
      cancel: () => void this.cancelled++,
      complete: () => Promise.resolve(this.completions),
      endOfInput: () => void this.ended++,
      bell: () => void this.bells++,
      busyChanged: (busy) => void this.busy.push(busy),
      later: (run) => {
        this.timers.push(run);
        return () => {
          this.timers = this.timers.filter((each) => each !== run);
        };
      },
    };
    this.driver = new TerminalDriver(host, 40, 12, PROMPT);
    this.driver.open([], PROMPT, ["cat /proc/meminfo"]);
  }

  async answer(text: string, more: Partial<LineOutcome> = {}): Promise<void> {
    const resolve = this.#answers.shift();
    if (resolve === undefined) throw new Error("no line waits for an answer");
    resolve({ parts: text === "" ? [] : [{ stream: "out", text }], prompt: null, notRun: false, ...more });
    await new Promise((done) => setTimeout(done, 0));
  }

  async rows(): Promise<string[]> {
    await this.screen.write(this.written);
    this.written = "";
    return Array.from({ length: this.screen.rowCount }, (_, row) => this.screen.text(row)).filter((text) => text !== "");
  }
}

describe("TerminalDriver", () => {
  it("echoes, submits a line, writes what came of it and shows a prompt", async () => {
    const desk = new Desk();
    desk.driver.keys("touch A");
    expect(await desk.rows()).toEqual(["$ touch A"]);
    desk.driver.keys("\r");
    expect(desk.submitted).toEqual(["touch A"]);
    await desk.answer("done\n", { prompt: "2 $ " });
    expect(await desk.rows()).toEqual(["$ touch A", "done", "2 $"]);
    expect(desk.busy).toEqual([true, false]);
  });

  it("echoes while a command runs, and puts its output above what is typed", async () => {
    const desk = new Desk();
    desk.driver.keys("slow\rnext");
    expect(await desk.rows()).toEqual(["$ slow", "next"]);
    await desk.answer("out\n");
    expect(await desk.rows()).toEqual(["$ slow", "out", "$ next"]);
    expect(desk.submitted).toEqual(["slow"]);
  });

  it("runs lines of a paste one after the other", async () => {
    const desk = new Desk();
    desk.driver.keys("\u001b[200~one\ntwo\nthr\u001b[201~");
    expect(desk.submitted).toEqual(["one"]);
    await desk.answer("1\n");
    expect(desk.submitted).toEqual(["one", "two"]);
    await desk.answer("2\n");
    expect(await desk.rows()).toEqual(["$ one", "1", "$ two", "2", "$ thr"]);
    expect(desk.busy).toEqual([true, true, false]);
  });

  it("ends output that does not end a line", async () => {
    const desk = new Desk();
    desk.driver.keys("x\r");
    await desk.answer("no line end");
    expect(await desk.rows()).toEqual(["$ x", "no line end", "$"]);
  });

  it("stops what runs with Ctrl-C, and only gives up the line when nothing does", async () => {
    const desk = new Desk();
    desk.driver.keys("draft\u0003");
    expect(desk.cancelled).toBe(0);
    desk.driver.keys("slow\r\u0003");
    expect(desk.cancelled).toBe(1);
    await desk.answer("");
    expect(await desk.rows()).toEqual(["$ draft^C", "$ slow", "^C", "$"]);
  });

  it("gives a line back that was not run, and keeps those behind it in the history", async () => {
    const desk = new Desk();
    desk.driver.keys("\u001b[200~one\ntwo\n\u001b[201~");
    await desk.answer("", { parts: [{ stream: "error", text: "the host is gone\n" }], notRun: true });
    expect(desk.submitted).toEqual(["one"]);
    expect(desk.driver.text).toBe("one");
    expect((await desk.rows()).join("\n")).toContain("the host is gone");
    desk.driver.keys("\u0015\u001b[A");
    expect(desk.driver.text).toBe("two");
  });

  it("writes nothing of content that a terminal would obey", async () => {
    const desk = new Desk();
    desk.driver.keys("x\r");
    await desk.rows();
    await desk.answer("a\u001b[2Jb\u009b31mc\u0007\u202ed\r\n");
    expect(desk.written).not.toContain("\u001b[2J");
    expect(desk.written).not.toContain("\u009b");
    expect(await desk.rows()).toEqual(["$ x", "a␛[2Jb�31mc␇�d", "$"]);
  });

  it("breaks what the session says at blanks, and leaves output as it is", async () => {
    const desk = new Desk();
    const text = "a sentence that is longer than one row of it\n";
    desk.driver.say([
      { stream: "note", text },
      { stream: "out", text },
      { stream: "note", text: `${"x".repeat(45)} y\n` },
    ]);
    expect(await desk.rows()).toEqual([
      "a sentence that is longer than one row",
      "of it",
      "a sentence that is longer than one row o",
      "f it",
      "x".repeat(40),
      "xxxxx y",
      "$",
    ]);
  });

  it("takes an ESC alone as the key when nothing follows", async () => {
    const desk = new Desk();
    desk.completions = { start: 0, end: 1, candidates: ["mmap", "munmap"].map((text) => ({ text, whole: true })) };
    desk.driver.keys("m\t");
    await new Promise((done) => setTimeout(done, 0));
    expect(await desk.rows()).toEqual(["$ m", "mmap    munmap"]);
    desk.driver.keys("\u001b");
    expect(desk.timers).toHaveLength(1);
    desk.timers[0]();
    expect(await desk.rows()).toEqual(["$ m"]);
  });

  it("shows what a search looks for", async () => {
    const desk = new Desk();
    desk.driver.keys("\u0012mem");
    expect(await desk.rows()).toEqual(["(search back) mem: cat /proc/meminfo"]);
    desk.driver.keys("zz");
    expect((await desk.rows()).join("")).toContain("(not found) memz");
  });

  it("puts a text into the line without running it", async () => {
    const desk = new Desk();
    desk.driver.keys("why");
    desk.driver.insert("A\n");
    expect(await desk.rows()).toEqual(["$ why A"]);
    expect(desk.submitted).toEqual([]);
  });

  it("clears the screen and draws the line anew", async () => {
    const desk = new Desk();
    desk.driver.keys("a\r");
    await desk.answer("b\n");
    desk.driver.keys("c\u000c");
    expect(await desk.rows()).toEqual(["$ c"]);
  });

  it("says something between lines, and keeps the one that is typed", async () => {
    const desk = new Desk();
    desk.driver.keys("half a li");
    desk.driver.say([{ stream: "note", text: "The engine was started anew.\n" }], "3 $ ");
    expect(await desk.rows()).toEqual(["The engine was started anew.", "3 $ half a li"]);
  });

  it("does not write the answer of a session that is not shown any more", async () => {
    const desk = new Desk();
    desk.driver.keys("slow\r");
    desk.driver.open([{ stream: "out", text: "other\n" }], "o $ ", []);
    await desk.answer("late\n");
    expect(await desk.rows()).toEqual(["other", "o $"]);
    expect(desk.driver.busy).toBe(false);
    expect(desk.busy.at(-1)).toBe(false);
  });

  it("ends at Ctrl-D on an empty line only", () => {
    const desk = new Desk();
    desk.driver.keys("x\u0004");
    expect(desk.ended).toBe(0);
    desk.driver.keys("\u0015\u0004");
    expect(desk.ended).toBe(1);
  });
});
