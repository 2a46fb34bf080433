import { expect, it } from "vitest";
import { AGREED, LineTerminal, type Widths } from "../../../tests/lineTerminal.ts";
import { splitClusters } from "./clusters.ts";
import { lineCells, pictureOf, wrap } from "./picture.ts";
import { reduce } from "./reduce.ts";
import { render, renderFinal } from "./render.ts";
import { createLine, type LineEvent, type LineState } from "./state.ts";

const text = (typed: string): LineEvent => ({ kind: "text", text: typed });
const key = (name: string, ctrl = false): LineEvent => ({ kind: "key", name, ctrl, alt: false, shift: false });
const after = (state: LineState, ...events: LineEvent[]): LineState => events.reduce((now, event) => reduce(now, event).state, state);
const rowsOf = (typed: string, columns: number): string[] =>
  wrap(lineCells("$ ", "", splitClusters(typed), columns), 0, columns).rows.map(({ cells }) => cells.map(({ cluster }) => cluster.text).join(""));

it.each<Widths>(["graphemes", "11", "6"])("takes for plain only what the terminal measures alike (%s)", async (widths) => {
  const terminal = new LineTerminal(20, 3, widths);
  const plain: { text: string; width: number }[] = [];
  for (let codePoint = 0x20; codePoint < 0x30000; codePoint++) {
    if (codePoint >= 0xd800 && codePoint < 0xe000) continue;
    const clusters = splitClusters(String.fromCodePoint(codePoint));
    if (clusters.length === 1 && clusters[0].plain) plain.push(clusters[0]);
  }
  expect(plain.length).toBeGreaterThan(30_000);
  const said = await terminal.answers(plain.map((cluster) => `\r\u001b[K${cluster.text}\u001b[6n`).join(""));
  // eslint-disable-next-line no-control-regex -- the answers begin with ESC
  const columns = [...said.matchAll(/\u001b\[\d+;(\d+)R/g)].map(([, column]) => Number(column) - 1);
  expect(plain.filter(({ width }, i) => columns[i] !== width)).toEqual([]);
});

it("agrees with xterm.js on the widths of every kind of cluster", async () => {
  const terminal = new LineTerminal(20, 3, "graphemes");
  for (const cluster of AGREED) {
    await terminal.write(`\r\u001b[K${cluster}`);
    expect([cluster, splitClusters(cluster).map(({ width }) => width)]).toEqual([cluster, [terminal.cursor.column]]);
  }
});

it("gives every cluster the room that a terminal may use for it", async () => {
  const clusters = [...AGREED, "क्ष", "कி", "ﾊﾟ", "각", "นำ", "a\ufe0f", "☃", "★", "🏳️‍🌈", "👩🏽‍🚀", "⺀\u{11c92}", "각\u{10eab}"];
  for (const widths of ["graphemes", "11", "6"] as const) {
    const terminal = new LineTerminal(40, 3, widths);
    for (const cluster of clusters) {
      const [{ room }] = splitClusters(cluster);
      await terminal.write(`\r\u001b[K${cluster}`);
      expect(terminal.cursor.column, `${cluster} ${widths}`).toBeLessThanOrEqual(room);
    }
  }
});

it("wraps at the width and never splits what is wide", () => {
  expect(rowsOf("abcd", 4)).toEqual(["$ ab", "cd"]);
  expect(rowsOf("ab", 4)).toEqual(["$ ab", ""]);
  expect(rowsOf("a漢字", 4)).toEqual(["$ a ", "漢字", ""]);
  expect(rowsOf("漢", 1)).toEqual(["$", " ", "?", ""]);
});

it("shows a sign for what would be invisible", () => {
  expect(rowsOf("a\u202eb\u0301\u200b", 10)).toEqual(["$ a?b\u0301?"]);
});

it("writes little for a key: the character, and the cursor after an edit inside of the line", () => {
  let state = after(createLine(80, 24), text("mmap A 8M rw private anon"));
  let { layout } = render(state, "$ ", null);
  const draw = (...events: LineEvent[]): string => {
    state = after(state, ...events);
    const next = render(state, "$ ", layout);
    layout = next.layout;
    return next.output;
  };
  expect(draw(text("x"))).toBe("x");
  expect(draw(key("backspace"))).toBe("\u001b[28G\u001b[K");
  expect(draw(key("left"))).toBe("\u001b[27G");
  expect(draw(key("t", true))).toBe("\u001b[26Gno");
  expect(draw(key("home"))).toBe("\u001b[3G");
  expect(draw(text("a"))).toBe("ammap A 8M rw private anno\u001b[4G");
});

it("lets the terminal wrap, so that a line of many rows is one line for it", async () => {
  const terminal = new LineTerminal(10, 10, "graphemes");
  const state = after(createLine(10, 10), text("0123456789 漢 👍🏽ab漢字漢字 end"));
  await terminal.write(render(state, "$ ", null).output);
  const { rows } = pictureOf(state, "$ ", "").text;
  expect(rows.map((_, row) => terminal.isWrapped(row))).toEqual(rows.map((_, row) => row > 0));
});

it("shows candidates below the line, the chosen one inverse, and takes them away again", async () => {
  const terminal = new LineTerminal(24, 10, "graphemes");
  let state = after(createLine(24, 10), text("cat m"), key("tab"));
  const candidates = ["mmap", "mlock", "madvise", "mremap"].map((word) => ({ text: word, whole: true }));
  state = after(state, { kind: "completions", request: 1, start: 4, end: 5, candidates }, key("tab"), key("tab"));
  const first = render(state, "$ ", null);
  await terminal.write(first.output);
  expect([0, 1, 2].map((row) => terminal.text(row))).toEqual(["$ cat mlock", "mmap     mlock", "madvise  mremap"]);
  expect(terminal.cells(1).map(({ inverse }) => inverse)).toEqual(Array.from({ length: 24 }, (_, column) => column >= 9 && column < 14));
  expect(terminal.cursor).toEqual({ row: 0, column: 11 });
  await terminal.write(render(after(state, text(" ")), "$ ", first.layout).output);
  expect([0, 1, 2].map((row) => terminal.text(row))).toEqual(["$ cat mlock", "", ""]);
});

it("shows a chosen candidate whose emoji just fills its row", async () => {
  const terminal = new LineTerminal(7, 4, "graphemes");
  let state = after(createLine(7, 4), key("tab"));
  const candidates = ["a😀🇩🇪⚡", "b"].map((word) => ({ text: word, whole: true }));
  state = after(state, { kind: "completions", request: 1, start: 0, end: 0, candidates }, key("tab"));
  await terminal.write(render(state, "", null).output);
  expect([0, 1, 2, 3].map((row) => terminal.text(row))).toEqual(["a😀🇩🇪⚡", "", "a😀🇩🇪⚡", "b"]);
});

it("says how many candidates have no place", async () => {
  const terminal = new LineTerminal(20, 6, "graphemes");
  let state = after(createLine(20, 6), key("tab"));
  const candidates = Array.from({ length: 50 }, (_, i) => ({ text: `candidate${i}`, whole: true }));
  state = after(state, { kind: "completions", request: 1, start: 0, end: 0, candidates });
  await terminal.write(render(state, "$ ", null).output);
  expect([0, 1, 2, 3, 4].map((row) => terminal.text(row))).toEqual(["$ candidate", "candidate0", "candidate1", "... +48", ""]);
});

it("ends a line with its mark and nothing below it", async () => {
  const terminal = new LineTerminal(10, 5, "graphemes");
  const state = after(createLine(10, 5), text("abc"), key("home"));
  const { output, layout } = render(state, "$ ", null);
  await terminal.write(output + renderFinal(state, "abc", "$ ", layout, { mark: "^C" }) + "next");
  expect([0, 1].map((row) => terminal.text(row))).toEqual(["$ abc^C", "next"]);
});

it("leaves no empty row behind a line that just fills its last one", async () => {
  const terminal = new LineTerminal(10, 5, "graphemes");
  const state = after(createLine(10, 5), text("01234567"));
  const { output, layout } = render(state, "$ ", null);
  await terminal.write(output + renderFinal(state, "01234567", "$ ", layout) + "next");
  expect([0, 1].map((row) => terminal.text(row))).toEqual(["$ 01234567", "next"]);
});

it("gives the prompt its style", () => {
  expect(render(createLine(80, 24), "$ ", null, { promptStyle: "1;32" }).output).toBe("\u001b[1;32m$ \u001b[m");
});
