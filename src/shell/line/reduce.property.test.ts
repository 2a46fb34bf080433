/** The editor against a simple model: a string, an offset in it, and Intl.Segmenter over all of it each time. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { joinClusters, MOST_UNITS, replaceClusters, splitClusters } from "./clusters.ts";
import { decodeKeys, flushKeys, NOTHING_PENDING, type PendingKeys } from "./decodeKeys.ts";
import { reduce } from "./reduce.ts";
import { render } from "./render.ts";
import { createLine, lineText, type KeyEvent, type LineEvent, type LineState } from "./state.ts";

const numRuns = process.env.HUGELAB_LONG === "1" ? 50_000 : 2_000;

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const segments = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment);

const key = (name: string, modifiers = ""): KeyEvent => ({
  kind: "key",
  name,
  ctrl: modifiers.includes("C"),
  alt: modifiers.includes("M"),
  shift: modifiers.includes("S"),
});

/** Parts that join with one another in every way that UAX #29 has. */
const parts = fc.constantFrom(
  ..."ab 1_-é漢か한",
  ..."\u0301\u200d\ufe0f\u20e3\u094d\u0915\u0937\u093f\u1100\u1161\u11a8\u0600\u0e33\u200b",
  ...["🇩", "🇪", "👩", "👧", "🏽", "❤", "\u{1f3f4}", "\u{e0067}", "\u{e007f}", "\u{11ca2}", "©"],
);
const text = fc.oneof(
  fc.array(parts, { maxLength: 10 }).map((list) => list.join("")),
  fc.string({ unit: "binary", maxLength: 6 }),
);

it("splits again only what an edit touches, with the result of splitting everything", () => {
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 30 }), fc.array(parts, { maxLength: 4 }), fc.nat(), fc.nat(), (all, inserted, a, b) => {
      const clusters = splitClusters(all.join(""));
      const from = a % (clusters.length + 1);
      const to = from + (b % (clusters.length - from + 1));
      const next = replaceClusters(clusters, from, to, inserted.join(""));
      const before = joinClusters(clusters, 0, from) + inserted.join("");
      expect(next.clusters).toEqual(splitClusters(before + joinClusters(clusters, to)));
      expect(joinClusters(next.clusters, 0, next.cursor).length).toBeGreaterThanOrEqual(before.length);
      expect(joinClusters(next.clusters, 0, Math.max(0, next.cursor - 1)).length).toBeLessThan(Math.max(1, before.length));
    }),
    { numRuns: numRuns * 5 },
  );
});

/** A line as a string and an offset, and what was killed. */
class Model {
  text = "";
  offset = 0;
  killed = "";

  around(): { before: string[]; after: string[] } {
    const all = segments(this.text);
    const before: string[] = [];
    let units = 0;
    while (units < this.offset) {
      before.push(all[before.length]);
      units += before[before.length - 1].length;
    }
    return { before, after: all.slice(before.length) };
  }

  set(before: string, after: string): void {
    this.text = before + after;
    this.offset = before.length;
    // inside of a cluster there is no place for a cursor
    this.offset = this.around().before.join("").length;
  }

  type(typed: string): void {
    const { before, after } = this.around();
    this.set(before.join("") + typed, after.join(""));
  }

  press(name: string): void {
    const { before, after } = this.around();
    const [left, right] = [before.join(""), after.join("")];
    const word = /^[\p{L}\p{N}_]/u;
    const wordEnd = (): number => {
      const found = after.findIndex((cluster, i) => i > 0 && !word.test(cluster) && word.test(after[i - 1]));
      return found === -1 ? after.length : found;
    };
    const wordBegin = (inWord: (cluster: string) => boolean): number => {
      let at = before.length;
      while (at > 0 && !inWord(before[at - 1])) at--;
      while (at > 0 && inWord(before[at - 1])) at--;
      return at;
    };
    const killBefore = (at: number): void => {
      this.killed = before.slice(at).join("");
      this.set(before.slice(0, at).join(""), right);
    };
    const killAfter = (at: number): void => {
      this.killed = after.slice(0, at).join("");
      this.set(left, after.slice(at).join(""));
    };
    switch (name) {
      case "left":
        return this.set(before.slice(0, -1).join(""), before.slice(-1).join("") + right);
      case "right":
        return this.set(left + after.slice(0, 1).join(""), after.slice(1).join(""));
      case "home":
        return this.set("", this.text);
      case "end":
        return this.set(this.text, "");
      case "backspace":
        return this.set(before.slice(0, -1).join(""), right);
      case "delete":
        return this.set(left, after.slice(1).join(""));
      case "M-f":
        return this.set(left + after.slice(0, wordEnd()).join(""), after.slice(wordEnd()).join(""));
      case "M-b": {
        const at = wordBegin((cluster) => word.test(cluster));
        return this.set(before.slice(0, at).join(""), before.slice(at).join("") + right);
      }
      case "C-k":
        return killAfter(after.length);
      case "C-u":
        return killBefore(0);
      case "C-w":
        return killBefore(wordBegin((cluster) => cluster !== " "));
      case "M-d":
        return killAfter(wordEnd());
      case "M-backspace":
        return killBefore(wordBegin((cluster) => word.test(cluster)));
    }
  }
}

const modelKeys = ["left", "right", "home", "end", "backspace", "delete", "M-f", "M-b", "C-k", "C-u", "C-w", "M-d", "M-backspace"];
const chord = (name: string): KeyEvent => key(name.replace(/^[CM]-/, ""), /^[CM]-/.exec(name)?.[0] ?? "");
/** What the editor takes of typed text. */
function clean(raw: string): string {
  const allowed = (character: string): boolean => character >= " " && !(character >= "\u007f" && character <= "\u009f");
  return Array.from(raw.toWellFormed(), (character) => (character === "\t" || character === "\n" ? " " : allowed(character) ? character : "")).join("");
}

it("has the text and the cursor of a simple model after any keys", () => {
  const step = fc.oneof(
    text.map((typed) => ({ typed })),
    fc.constantFrom(...modelKeys).map((name) => ({ name })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const model = new Model();
      let state = createLine(80, 24);
      for (const one of steps) {
        if ("typed" in one) model.type(clean(one.typed));
        else model.press(one.name);
        state = reduce(state, "typed" in one ? { kind: "text", text: one.typed } : chord(one.name)).state;
        expect(lineText(state)).toBe(model.text);
        expect(joinClusters(state.clusters, 0, state.cursor).length).toBe(model.offset);
      }
    }),
    { numRuns },
  );
});

const kills = fc.array(fc.constantFrom("C-k", "C-u", "C-w", "M-d", "M-backspace"), { minLength: 1, maxLength: 4 });

/** A line with the cursor inside of it. */
function lineAt(left: string, right: string): LineState {
  let state = reduce(createLine(80, 24), { kind: "text", text: left }).state;
  const cut = lineText(state).length;
  state = reduce(state, { kind: "text", text: right }).state;
  state = reduce(state, key("home")).state;
  while (joinClusters(state.clusters, 0, state.cursor).length < cut) state = reduce(state, key("right")).state;
  return state;
}

/** Text that joins with nothing put beside it. */
const apart = fc.array(fc.constantFrom(..."ab 1_-é漢か한", "e\u0301", "😀", "👨‍👩‍👧"), { maxLength: 10 }).map((list) => list.join(""));

it("takes into the kill ring exactly what leaves the line, so that a yank puts it back", () => {
  fc.assert(
    fc.property(apart, apart, kills, (left, right, names) => {
      const before = lineAt(left, right);
      let state = before;
      for (const name of names) state = reduce(state, chord(name)).state;
      expect(state.killRing.length).toBe(lineText(state) === lineText(before) ? 0 : 1);
      expect(lineText(reduce(state, key("y", "C")).state)).toBe(lineText(before));
    }),
    { numRuns },
  );
});

it("loses nothing in kills, where what is left joins too", () => {
  const sorted = (all: string): string => Array.from(all).sort().join("");
  fc.assert(
    fc.property(text, text, kills, (left, right, names) => {
      const before = lineAt(left, right);
      let state = before;
      for (const name of names) state = reduce(state, chord(name)).state;
      expect(sorted(lineText(state) + state.killRing.join(""))).toBe(sorted(lineText(before)));
    }),
    { numRuns },
  );
});

const anyKey = fc.oneof(
  fc.constantFrom(...modelKeys).map(chord),
  fc
    .record({
      name: fc.constantFrom("up", "down", "tab", "escape", "enter", "backspace", "left", ..."abcdefgklnprstuwxyz_"),
      ctrl: fc.boolean(),
      alt: fc.boolean(),
      shift: fc.boolean(),
    })
    .map((of): LineEvent => ({ kind: "key", ...of })),
);
const anyEvent: fc.Arbitrary<LineEvent> = fc.oneof(
  { weight: 8, arbitrary: anyKey },
  { weight: 4, arbitrary: text.map((typed): LineEvent => ({ kind: "text", text: typed })) },
  { weight: 1, arbitrary: fc.array(text, { maxLength: 4 }).map((lines): LineEvent => ({ kind: "paste", text: lines.join("\r\n") })) },
  {
    weight: 1,
    arbitrary: fc
      .record({ columns: fc.oneof(fc.integer(), fc.double(), fc.nat(20)), rows: fc.option(fc.oneof(fc.integer(), fc.double(), fc.nat(20))) })
      .map((size): LineEvent => ({ kind: "resize", ...size })),
  },
  { weight: 1, arbitrary: fc.constant<LineEvent>({ kind: "ready" }) },
  { weight: 1, arbitrary: fc.array(text, { maxLength: 3 }).map((lines): LineEvent => ({ kind: "historyLoaded", lines })) },
  {
    weight: 2,
    arbitrary: fc
      .record({
        request: fc.nat(5),
        start: fc.oneof(fc.nat(20), fc.integer(), fc.double()),
        end: fc.oneof(fc.nat(20), fc.double()),
        candidates: fc.array(fc.record({ text, whole: fc.boolean() }), { maxLength: 5 }),
      })
      .map((answer): LineEvent => ({ kind: "completions", ...answer })),
  },
);

/** What must hold in every state. */
function check(state: LineState): void {
  expect(state.clusters.map(({ text: cluster }) => cluster)).toEqual(segments(lineText(state)));
  expect(lineText(state)).toBe(clean(lineText(state)));
  expect(lineText(state).length).toBeLessThanOrEqual(MOST_UNITS);
  expect(state.cursor).toBeGreaterThanOrEqual(0);
  expect(state.cursor).toBeLessThanOrEqual(state.clusters.length);
  for (const cluster of state.clusters) expect(cluster.room).toBeGreaterThanOrEqual(cluster.width);
}

it("never throws and keeps its state whole, whatever happens; no event changes the state it was given", () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      let state = createLine(80, 24);
      for (const event of events) {
        const before = JSON.stringify(state);
        const { state: next } = reduce(state, event);
        expect(JSON.stringify(state)).toBe(before);
        state = next;
        check(state);
        render(state, "$ ", null);
      }
    }),
    { numRuns },
  );
});

it("goes back by undo to every text there was, up to the empty line", () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
      let state = createLine(80, 24);
      const texts = new Set([""]);
      for (const event of events) {
        state = reduce(state, event).state;
        texts.add(lineText(state));
      }
      if (state.search !== null) state = reduce(state, key("g", "C")).state;
      for (let steps = 0; state.undo.length > 0; steps++) {
        expect(steps).toBeLessThan(1000);
        state = reduce(state, key("_", "C")).state;
        expect(texts.has(lineText(state))).toBe(true);
      }
      expect(lineText(state)).toBe("");
    }),
    { numRuns },
  );
});

it("submits every line of pastes and of typing ahead, in order, one at each ready", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.constantFrom("a", "bc", "漢", "x y", ""), { maxLength: 4 }), { maxLength: 8 }), (pastes) => {
      let state = createLine(80, 24);
      const submitted: string[] = [];
      let whole = "";
      const feed = (event: LineEvent): void => {
        const step = reduce(state, event);
        state = step.state;
        for (const effect of step.effects) if (effect.kind === "submit") submitted.push(effect.line);
      };
      for (const lines of pastes) {
        whole += lines.join("\n");
        feed({ kind: "paste", text: lines.join("\r\n") });
        expect(state.busy).toBe(whole.includes("\n"));
      }
      const wanted = whole.split("\n");
      while (state.busy) {
        expect(submitted).toEqual(wanted.slice(0, submitted.length));
        feed({ kind: "ready" });
      }
      expect([...submitted, lineText(state)]).toEqual(wanted);
    }),
    { numRuns },
  );
});

it("decodes the same events however the input is cut, and never lets a control sequence show as text", () => {
  const sequence = fc.oneof(
    fc.constantFrom(
      "\u001b[A",
      "\u001bOB",
      "\u001b[1;5C",
      "\u001b[3~",
      "\u001b[Z",
      "\u001bb",
      "\u0001",
      "\r",
      "\u007f",
      "\u001b[<0;1;1M",
      "\u001b[I",
      "\u001b[?1;2c",
    ),
    fc.constantFrom("\u001b]11;rgb:0/0/0\u0007", "\u001bP1$r0m\u001b\\", "\u001b[[A", "\u001b[27;5;97~", "\u001b[97;5u", "\u001b[M !!", "\u001b\u001b[D"),
    fc.constantFrom("abc", "漢字", "é", "👩‍👧", "\u{1f600}"),
    fc.constantFrom("\u001b[200~one\ntwo\u001b[201~", "\u001b[200~\u001b[31m\u001b[20\u001b[201~", "\u001b[200~\u001b[201~"),
  );
  /** runs of text may be cut anywhere: what counts is all of it together */
  const merged = (events: readonly LineEvent[]): LineEvent[] => {
    const list: LineEvent[] = [];
    for (const event of events) {
      const last = list.at(-1);
      if (event.kind === "text" && last?.kind === "text") list[list.length - 1] = { kind: "text", text: last.text + event.text };
      else list.push(event);
    }
    return list;
  };
  fc.assert(
    fc.property(fc.array(sequence, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 6 }), fc.boolean(), (sequences, cuts, asBytes) => {
      const input = sequences.join("");
      const data = asBytes ? new Uint8Array(Buffer.from(input)) : input;
      const places = [...new Set(cuts.map((cut) => cut % (data.length + 1)))].sort((a, b) => a - b);
      const events: LineEvent[] = [];
      let pending: PendingKeys = NOTHING_PENDING;
      for (const [i, place] of [...places, data.length].entries()) {
        const decoded = decodeKeys(data.slice(places[i - 1] ?? 0, place), pending);
        events.push(...decoded.events);
        pending = decoded.pending;
      }
      const whole = sequences.flatMap((one) => decodeKeys(one, NOTHING_PENDING).events);
      expect(merged(events)).toEqual(merged(whole));
      expect(pending).toEqual(NOTHING_PENDING);
      const shown = merged(events).flatMap((event) => (event.kind === "text" ? [event.text] : []));
      expect(shown.join("")).toBe(sequences.filter((one) => !/[\u001b\r\u0001\u007f]/.test(one)).join("")); // eslint-disable-line no-control-regex
    }),
    { numRuns },
  );
});

it("takes any bytes whatever: decoding, editing and drawing never throw", () => {
  const bytes = fc.array(fc.uint8Array({ maxLength: 24 }), { maxLength: 6 });
  const escapes = fc.array(
    fc.string({
      unit: fc.constantFrom("\u001b", "[", "O", "]", "P", "2", "0", "1", "~", ";", "M", "a", "\\", "\u0007", "\u0003", "漢", "\ud83d"),
      maxLength: 12,
    }),
    {
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(fc.oneof(bytes, escapes), (chunks) => {
      let state = createLine(20, 5);
      let pending: PendingKeys = NOTHING_PENDING;
      for (const chunk of chunks) {
        const decoded = decodeKeys(chunk, pending);
        pending = decoded.pending;
        for (const event of [...decoded.events, ...flushKeys(pending).events]) state = reduce(state, event).state;
        check(state);
        render(state, "$ ", null);
      }
    }),
    { numRuns },
  );
});
