/** Commands that change the text or move in it: insert, delete, kill and yank, transpose, undo, words. Names are those of GNU readline. */
import { harmless, joinClusters, MOST_UNITS, replaceClusters, type Cluster, type Edit } from "./clusters.ts";
import { bell, quiet, type Command, type LastAction, type LineState, type Step } from "./state.ts";

const MOST_UNDO = 1000;
const MOST_KILLS = 60;

const isBlank = (cluster: Cluster): boolean => cluster.text === " ";
const isWord = (cluster: Cluster): boolean => /^[\p{L}\p{N}_]/u.test(cluster.text);

/** Undo steps with the text as it is put on top. */
export function withUndo(state: LineState, text: Edit): readonly Edit[] {
  return [...state.undo.slice(Math.max(0, state.undo.length + 1 - MOST_UNDO)), { clusters: text.clusters, cursor: text.cursor }];
}

/** The state with a new text. `joins`: it belongs to the same step of undo as the action before. */
export function edited(state: LineState, next: Edit, last: LastAction, joins = false): LineState {
  const undo = joins ? state.undo : withUndo(state, state);
  return { ...state, clusters: next.clusters, cursor: next.cursor, undo, last, browsing: null };
}

/** As much of a text as still fits into the line, no half characters. */
function fitting(state: LineState, text: string): string {
  let units = MOST_UNITS;
  for (const cluster of state.clusters) units -= cluster.text.length;
  return text.length <= units ? text : text.slice(0, Math.max(0, units)).replace(/[\ud800-\udbff]$/, "");
}

/** Puts text in at the cursor; rings when it was too long for the line and cut. */
export function insert(state: LineState, before: LineState, raw: string, last: LastAction): Step {
  const clean = harmless(raw);
  const text = fitting(state, clean);
  if (text === "") return clean === "" ? quiet(state) : bell(state);
  const wordBegins = state.cursor > 0 && isBlank(state.clusters[state.cursor - 1]) && !text.startsWith(" ");
  const joins = last === "insert" && before.last === "insert" && !wordBegins;
  const next = edited(state, replaceClusters(state.clusters, state.cursor, state.cursor, text), last, joins);
  return text.length < clean.length ? bell(next) : quiet(next);
}

function remove(state: LineState, before: LineState, from: number, to: number, last: LastAction): Step {
  if (from >= to) return bell(state);
  return quiet(edited(state, replaceClusters(state.clusters, from, to, ""), last, last === before.last));
}

export const deleteBackward: Command = (state, before) => remove(state, before, Math.max(0, state.cursor - 1), state.cursor, "deleteBackward");
export const deleteForward: Command = (state, before) =>
  remove(state, before, state.cursor, Math.min(state.clusters.length, state.cursor + 1), "deleteForward");

const moveTo = (state: LineState, cursor: number): Step => (cursor < 0 || cursor > state.clusters.length ? bell(state) : quiet({ ...state, cursor }));

export const lineBegin: Command = (state) => moveTo(state, 0);
export const lineEnd: Command = (state) => moveTo(state, state.clusters.length);
export const forwardChar: Command = (state) => moveTo(state, state.cursor + 1);
export const backwardChar: Command = (state) => moveTo(state, state.cursor - 1);
export const forwardWord: Command = (state) => moveTo(state, wordEnd(state));
export const backwardWord: Command = (state) => moveTo(state, wordBegin(state, isWord));

/** The end of the word at or after the cursor. */
function wordEnd({ clusters, cursor }: Edit): number {
  let at = cursor;
  while (at < clusters.length && !isWord(clusters[at])) at++;
  while (at < clusters.length && isWord(clusters[at])) at++;
  return at;
}

/** The beginning of the word before the cursor. */
function wordBegin({ clusters, cursor }: Edit, inWord: (cluster: Cluster) => boolean): number {
  let at = cursor;
  while (at > 0 && !inWord(clusters[at - 1])) at--;
  while (at > 0 && inWord(clusters[at - 1])) at--;
  return at;
}

/** Takes a part of the line into the kill ring. Kills in a row make one entry, in the order of the text. */
function kill(state: LineState, before: LineState, from: number, to: number): Step {
  if (from >= to) return bell({ ...state, last: before.last === "kill" ? "kill" : "none" });
  const text = joinClusters(state.clusters, from, to);
  const next = edited(state, replaceClusters(state.clusters, from, to, ""), "kill");
  const [newest = "", ...older] = state.killRing;
  if (before.last !== "kill") return quiet({ ...next, killRing: [text, ...state.killRing].slice(0, MOST_KILLS) });
  return quiet({ ...next, killRing: [from < state.cursor ? text + newest : newest + text, ...older] });
}

export const killToEnd: Command = (state, before) => kill(state, before, state.cursor, state.clusters.length);
export const killToBegin: Command = (state, before) => kill(state, before, 0, state.cursor);
export const killWordForward: Command = (state, before) => kill(state, before, state.cursor, wordEnd(state));
export const killWordBackward: Command = (state, before) => kill(state, before, wordBegin(state, isWord), state.cursor);
/** back to a blank, whatever the signs between */
export const killBlankWord: Command = (state, before) =>
  kill(
    state,
    before,
    wordBegin(state, (cluster) => !isBlank(cluster)),
    state.cursor,
  );

export const yank: Command = (state, before) => {
  if (state.killRing.length === 0) return bell(state);
  const base = { clusters: state.clusters, cursor: state.cursor };
  const step = insert(state, before, state.killRing[0], "none");
  return { ...step, state: { ...step.state, yank: { base, entry: 0 } } };
};

/** Directly after a yank: the entry before that one instead. */
export const yankPop: Command = (state, before) => {
  if (before.yank === null) return bell(state);
  const { base, entry: last } = before.yank;
  const entry = (last + 1) % state.killRing.length;
  // the undo step of the yank stays the one to go back to
  const step = insert({ ...state, clusters: base.clusters, cursor: base.cursor, undo: state.undo.slice(0, -1) }, before, state.killRing[entry], "none");
  return { ...step, state: { ...step.state, yank: { base, entry } } };
};

/** Exchanges the characters before and at the cursor; at the end of the line, the two before it. */
export const transpose: Command = (state) => {
  const { clusters } = state;
  const second = state.cursor === clusters.length ? state.cursor - 1 : state.cursor;
  if (second < 1) return bell(state);
  return quiet(edited(state, replaceClusters(clusters, second - 1, second + 1, clusters[second].text + clusters[second - 1].text), "none"));
};

export const undo: Command = (state) => {
  const text = state.undo.at(-1);
  if (text === undefined) return bell(state);
  return quiet({ ...state, ...text, undo: state.undo.slice(0, -1), browsing: null });
};
