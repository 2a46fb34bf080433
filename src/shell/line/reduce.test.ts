import { expect, it } from "vitest";
import { decodeKeys, flushKeys, NOTHING_PENDING, waitsForMore } from "./decodeKeys.ts";
import { searchPrompt } from "./history.ts";
import { reduce } from "./reduce.ts";
import { createLine, lineText, type Effect, type LineEvent, type LineState } from "./state.ts";

/** A line that is driven by what a terminal sends; `|` in what `shown` returns is the cursor. */
class Line {
  state: LineState = createLine(80, 24);
  effects: Effect[] = [];

  send(input: string): this {
    const decoded = decodeKeys(input, NOTHING_PENDING);
    for (const event of [...decoded.events, ...flushKeys(decoded.pending).events]) this.feed(event);
    return this;
  }

  feed(event: LineEvent): this {
    const step = reduce(this.state, event);
    this.state = step.state;
    this.effects.push(...step.effects);
    return this;
  }

  /** answers the open request with candidates for the last `units` units before the cursor */
  answer(units: number, ...texts: string[]): this {
    const asked = this.effects.findLast((effect) => effect.kind === "requestCompletion");
    if (asked === undefined) throw new Error("no completion was asked for");
    const candidates = texts.map((text) => ({ text, whole: !text.endsWith("/") }));
    return this.feed({ kind: "completions", request: asked.request, start: asked.cursor - units, end: asked.cursor, candidates });
  }

  get shown(): string {
    const texts = this.state.clusters.map(({ text }) => text);
    return [...texts.slice(0, this.state.cursor), "|", ...texts.slice(this.state.cursor)].join("");
  }

  get kinds(): string[] {
    return this.effects.map(({ kind }) => kind);
  }
}

const typed = (input: string): Line => new Line().send(input);
const withHistory = (...lines: string[]): Line => new Line().feed({ kind: "historyLoaded", lines });

const UP = "\u001b[A";
const DOWN = "\u001b[B";
const LEFT = "\u001b[D";
const RIGHT = "\u001b[C";

it.each([
  ["moves by characters", `abc${LEFT}${LEFT}\u0006`, "ab|c"],
  ["moves over a family as one character", `a👨‍👩‍👧b${LEFT}${LEFT}`, "a|👨‍👩‍👧b"],
  ["moves by words, which have letters, digits and _", "mmap A+2M rw_x\u001bb\u001bb", "mmap A+|2M rw_x"],
  ["moves by words with Ctrl and an arrow", "mmap A+2M\u0001\u001b[1;5C\u001b[1;5C", "mmap A|+2M"],
  ["goes to the ends", "abc\u001b[Hx\u001b[Fy\u0001z\u0005.", "zxabcy.|"],
  ["deletes before and at the cursor", `abcd${LEFT}${LEFT}\u007f\u001b[3~`, "a|d"],
  ["deletes with Ctrl-D where there is text", `ab${LEFT}\u0004`, "a|"],
  ["deletes an accent with its letter", "ae\u0301\u007f", "a|"],
  ["kills to the end and brings it back", `abcd${LEFT}${LEFT}\u000b\u0001\u0019`, "cd|ab"],
  ["kills to the beginning", `abcd${LEFT}\u0015`, "|d"],
  ["kills a word back to a blank", "touch A+4k,w\u0017", "touch |"],
  ["kills a word of letters", "touch A+4k\u001b\u007f", "touch A+|"],
  ["kills the next word", "one two\u0001\u001bd", "| two"],
  ["makes one entry of kills in a row", "one two three\u0017\u0017\u0015\u0019", "one two three|"],
  ["keeps kills apart that are not in a row", `one two\u0017${LEFT}\u0015\u0019`, "one| "],
  ["goes through the ring with Alt-Y", `one two\u0017${LEFT}\u0015\u0019\u001by`, "two| "],
  ["exchanges characters", `abc${LEFT}\u0014`, "acb|"],
  ["exchanges the last two", "abc\u0014", "acb|"],
  ["takes back a kill at once", "one two\u0017\u001f", "one two|"],
  ["takes back a yank with its changes", "one two\u0017\u0015x\u0019\u001by\u001f", "x|"],
  ["never prints what it does not know", "a\u001b[15~\u001b[99;3X\u001b]0;title\u0007\u001bOPb\u0000\u001c", "ab|"],
])("%s", (_, input, shown) => {
  expect(typed(input).shown).toBe(shown);
});

it("takes back typing word by word", () => {
  const line = new Line();
  for (const character of "one two  three\u007f\u007f") line.send(character);
  expect(["", "\u001f", "\u001f", "\u001f", "\u001f"].map((undo) => line.send(undo).shown)).toEqual([
    "one two  thr|",
    "one two  three|",
    "one two  |",
    "one |",
    "|",
  ]);
});

it("submits a line and remembers it once", () => {
  const line = typed("one\r").feed({ kind: "ready" }).send("one\r").feed({ kind: "ready" }).send(" \r");
  expect(line.effects).toEqual([
    { kind: "submit", line: "one" },
    { kind: "submit", line: "one" },
    { kind: "submit", line: " " },
  ]);
  expect(line.state.history).toEqual(["one"]);
});

it("keeps what is typed while a command runs, and submits it when that has ended", () => {
  const line = typed("one\rtwo\rthr");
  expect(line.kinds).toEqual(["submit"]);
  line.feed({ kind: "ready" });
  expect(line.effects.at(-1)).toEqual({ kind: "submit", line: "two" });
  expect(line.shown).toBe("thr|");
  expect(line.feed({ kind: "ready" }).state.busy).toBe(false);
  expect(line.kinds).toEqual(["submit", "submit"]);
});

it("forgets on Ctrl-C the line and the lines that wait", () => {
  const line = typed("\u001b[200~one\ntwo\nthree\u001b[201~\u0003");
  expect(line.effects.at(-1)).toEqual({ kind: "interrupt", line: "three" });
  expect([line.shown, line.state.pending]).toEqual(["|", []]);
  expect(line.feed({ kind: "ready" }).kinds).toEqual(["submit", "interrupt"]);
});

it("tells the end of input, the clearing of the screen and what cannot be done", () => {
  expect(typed("\u0004").kinds).toEqual(["endOfInput"]);
  expect(typed("a\u000c").kinds).toEqual(["clearScreen"]);
  for (const input of ["\u007f", LEFT, RIGHT, "\u000b", "\u0019", "\u001by", "a\u0014", "\u001f", UP, DOWN, "\u0007"])
    expect(typed(input).kinds).toEqual(["bell"]);
});

it("puts pasted lines in at the cursor, submits the complete ones in order and keeps the rest", () => {
  const line = typed(`ad${LEFT}\u001b[200~b\r\nc\u001b[31m\td\ne\u001b[201~f`);
  expect(line.shown).toBe("ef|");
  line.feed({ kind: "ready" });
  expect(line.effects).toEqual([
    { kind: "submit", line: "abd" },
    { kind: "submit", line: "c[31m d" },
  ]);
});

it("cuts a line that is too long, and rings", () => {
  const line = new Line().feed({ kind: "paste", text: "😀".repeat(10_000) }).send("x");
  expect([lineText(line.state).length, line.kinds]).toEqual([16_384, ["bell", "bell"]]);
});

it("browses entries that begin as the line does, and comes back to what was typed", () => {
  const line = withHistory("mmap A 8M", "touch A", "mmap B 2M", "touch B").send("mm");
  expect(line.send(UP).shown).toBe("mmap B 2M|");
  expect(line.send(UP).shown).toBe("mmap A 8M|");
  expect(line.send(UP).kinds).toEqual(["bell"]);
  expect(line.send(DOWN).shown).toBe("mmap B 2M|");
  expect(line.send(DOWN).shown).toBe("mm|");
  expect(line.send(`${UP}x\u0010`).shown).toBe("mmap B 2Mx|");
  expect(line.send("\u001f\u001f").shown).toBe("mm|");
});

it("takes the history of earlier sessions while entries are browsed", () => {
  const line = typed("new\r")
    .feed({ kind: "ready" })
    .send(UP)
    .feed({ kind: "historyLoaded", lines: ["old", "older\u001b"] });
  expect(line.send(UP).shown).toBe("older|");
});

it("searches the history as the query grows and shrinks", () => {
  const line = withHistory("mmap A 8M", "touch A", "madvise A 2M", "touch B").send("draft\u0012to");
  expect([line.shown, searchPrompt(line.state)]).toEqual(["|touch B", { key: "shell.line.searchBackward", args: { query: "to" } }]);
  expect(line.send("\u0012").shown).toBe("|touch A");
  expect(line.send("\u0013").shown).toBe("|touch B");
  expect(line.send("\u007f\u007f").shown).toBe("draft|");
  expect(line.send("M").shown).toBe("madvise A 2|M");
  expect(line.send("zz").kinds).toEqual(["bell", "bell"]);
  expect(searchPrompt(line.state)).toEqual({ key: "shell.line.searchFailed", args: { query: "Mzz" } });
  expect(line.send("\u0007").shown).toBe("draft|");
  expect(searchPrompt(line.state)).toBeNull();
});

it("ends a search with a key that edits, with the found line in its place", () => {
  const line = withHistory("mmap A 8M", "touch A").send("\u0012map\u0005x");
  expect(line.shown).toBe("mmap A 8Mx|");
  expect(line.send("\u001f\u001f").shown).toBe("|");
  expect(line.send("\u0012\u0012\r").effects.at(-1)).toEqual({ kind: "submit", line: "mmap A 8M" });
});

it("completes the only candidate with a blank when it is whole", () => {
  expect(typed("tou\t").answer(3, "touch").shown).toBe("touch |");
  expect(typed("cat /pr\t").answer(3, "/proc/").shown).toBe("cat /proc/|");
  expect(typed(`tou A${LEFT}${LEFT}\t`).answer(3, "touch").shown).toBe("touch| A");
  expect(typed("x\t").answer(1).kinds).toEqual(["requestCompletion", "bell"]);
});

it("completes what all candidates have, shows them, and goes through them", () => {
  const line = typed("cat m\t").answer(1, "mmap", "mmap2", "mmapped");
  expect([line.shown, line.state.completion?.kind]).toEqual(["cat mmap|", "menu"]);
  expect(line.send("\t").shown).toBe("cat mmap|");
  expect(line.send("\t").shown).toBe("cat mmap2|");
  expect(line.send("\u001b[Z\u001b[Z").shown).toBe("cat mmapped|");
  expect(line.send("\u0007").shown).toBe("cat mmap|");
  expect(line.state.completion).toBeNull();
  expect(line.send("\u001f").shown).toBe("cat m|");
});

it("ignores candidates that come too late", () => {
  expect(typed("m\tx").answer(1, "mmap").shown).toBe("mx|");
  expect(typed("m\t").feed({ kind: "completions", request: 7, start: 0, end: 1, candidates: [{ text: "mmap", whole: true }] }).shown).toBe("m|");
});

it("tells an ESC that is a key from one that begins a sequence by time", () => {
  const escape = decodeKeys("\u001b", NOTHING_PENDING);
  expect([escape.events, waitsForMore(escape.pending)]).toEqual([[], true]);
  expect(decodeKeys("[A", escape.pending).events).toMatchObject([{ name: "up" }]);
  expect(flushKeys(escape.pending)).toMatchObject({ events: [{ name: "escape", alt: false }], pending: NOTHING_PENDING });
  expect(flushKeys(decodeKeys("\u001b[", NOTHING_PENDING).pending).events).toMatchObject([{ name: "[", alt: true }]);
});

it("is not caught in a control string that never ends", () => {
  const open = decodeKeys("\u001b]0;never", NOTHING_PENDING);
  expect(decodeKeys("\u0003", open.pending).events).toMatchObject([{ name: "c", ctrl: true }]);
});

it("puts one U+FFFD for each part that is not UTF-8", () => {
  for (const bytes of [
    [0x61, 0xff, 0x62],
    [0xc0, 0x80, 0x41],
    [0xe6, 0xbc, 0x41],
    [0xed, 0xa0, 0x80, 0x2e],
    [0xf0, 0x9f, 0x98, 0x80, 0x80, 0x2e],
    [0xf4, 0x90, 0x80, 0x80, 0x2e],
  ]) {
    const { events } = decodeKeys(Uint8Array.from(bytes), NOTHING_PENDING);
    const text = events.map((event) => (event.kind === "text" ? event.text : "")).join("");
    expect(text).toBe(new TextDecoder().decode(Uint8Array.from(bytes)));
  }
});
