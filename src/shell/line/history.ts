/** Lines submitted before: browsing by prefix (Up, Down) and incremental search (Ctrl-R, Ctrl-S). */
import { editOf, harmless, joinClusters, type Edit } from "./clusters.ts";
import { withUndo } from "./edit.ts";
import { bell, lineText, quiet, type Command, type LineState, type Search, type Step } from "./state.ts";

const MOST_ENTRIES = 10_000;

/** The history with a submitted line. Blank lines and repetitions of the newest entry are not kept. */
export function remember(history: readonly string[], line: string): readonly string[] {
  if (line.trim() === "" || history.at(-1) === line) return history;
  return [...history.slice(Math.max(0, history.length + 1 - MOST_ENTRIES)), line];
}

export function loadHistory(state: LineState, lines: readonly string[]): LineState {
  const older = lines.map((line) => harmless(line)).filter((line) => line.trim() !== "");
  return { ...state, history: [...older, ...state.history].slice(-MOST_ENTRIES) };
}

const entryAt = (history: readonly string[], back: number): string => history[history.length - back];
const justText = ({ clusters, cursor }: Edit): Edit => ({ clusters, cursor });

export const previousLine: Command = (state) => browse(state, 1);
export const nextLine: Command = (state) => browse(state, -1);

/** Goes to the next older (1) or newer (-1) entry that begins as the line did when browsing began. */
function browse(state: LineState, direction: 1 | -1): Step {
  const { history } = state;
  const { back, prefix, draft } = state.browsing ?? { back: 0, prefix: joinClusters(state.clusters, 0, state.cursor), draft: justText(state) };
  const shown = lineText(state);
  for (let at = back + direction; at > 0 && at <= history.length; at += direction) {
    const entry = entryAt(history, at);
    if (!entry.startsWith(prefix) || entry === shown) continue;
    const undo = state.browsing === null ? withUndo(state, state) : state.undo;
    return quiet({ ...state, ...editOf(entry), undo, browsing: { back: at, prefix, draft } });
  }
  if (direction === 1 || state.browsing === null) return bell(state);
  return quiet({ ...state, ...draft, browsing: null });
}

const beginSearch =
  (direction: Search["direction"]): Command =>
  (state) =>
    quiet({ ...state, search: { direction, query: "", back: 0, found: true, origin: justText(state), shorter: null } });

export const searchBackward = beginSearch("backward");
export const searchForward = beginSearch("forward");

/** The line that a search shows: the entry with the cursor where the query is in it, or the line before the search. */
function shownBy(state: LineState, search: Search): LineState {
  if (search.back === 0) return { ...state, search, ...search.origin };
  const entry = entryAt(state.history, search.back);
  return { ...state, search, ...editOf(entry, Math.max(0, entry.indexOf(search.query))) };
}

/** Looks for the query from `first` on in the direction of the search; where there is none, the line stays and the search says so. */
function look(state: LineState, search: Search, first: number): Step {
  const step = search.direction === "backward" ? 1 : -1;
  const shown = search.back > 0 ? entryAt(state.history, search.back) : null;
  for (let at = first; at > 0 && at <= state.history.length; at += step) {
    const entry = entryAt(state.history, at);
    if (!entry.includes(search.query) || (at !== search.back && entry === shown)) continue;
    return quiet(shownBy(state, { ...search, back: at, found: true }));
  }
  return bell({ ...state, search: { ...search, found: false } });
}

export function searchFor(state: LineState, search: Search, typed: string): Step {
  const query = search.query + harmless(typed);
  if (query === search.query) return quiet(state);
  return look(state, { ...search, query, shorter: search }, Math.max(1, search.back));
}

export function searchAgain(state: LineState, search: Search, direction: Search["direction"]): Step {
  if (search.query === "" && state.lastQuery !== "") return searchFor(state, { ...search, direction }, state.lastQuery);
  if (search.query === "") return quiet({ ...state, search: { ...search, direction } });
  return look(state, { ...search, direction }, search.back + (direction === "backward" ? 1 : -1));
}

export function searchShorter(state: LineState, search: Search): Step {
  return search.shorter === null ? bell(state) : quiet(shownBy(state, search.shorter));
}

export function abortSearch(state: LineState, search: Search): LineState {
  return { ...state, ...search.origin, search: null };
}

/** Ends the search with the line it shows. Up and Down go on from there; undo brings back the line before the search. */
export function acceptSearch(state: LineState, search: Search): LineState {
  const ended = { ...state, search: null, lastQuery: search.query === "" ? state.lastQuery : search.query };
  if (search.back === 0) return ended;
  return { ...ended, undo: withUndo(state, search.origin), browsing: { back: search.back, prefix: "", draft: search.origin } };
}

/** The catalogue key and arguments of the prompt to show during a search (a Message of kernel/message.ts), or null when there is none. */
export function searchPrompt(state: LineState): { readonly key: string; readonly args: { readonly query: string } } | null {
  if (state.search === null) return null;
  const { direction, found, query } = state.search;
  const args = { query };
  if (!found) return { key: "shell.line.searchFailed", args };
  return { key: direction === "backward" ? "shell.line.searchBackward" : "shell.line.searchForward", args };
}
