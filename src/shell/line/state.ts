/**
 * The line editor as a value. `reduce(state, event)` (reduce.ts) gives the next value and what the driver has to do, `decodeKeys` (decodeKeys.ts) turns
 * what a terminal sends into events, `render` (render.ts) draws. Nothing here keeps state or reads a clock, so it runs alike in the renderer (xterm.js)
 * and in `hugelab shell`.
 *
 * The driver's loop:
 *
 *     const decoded = decodeKeys(chunk, pendingKeys);         // chunk: what the terminal sent
 *     pendingKeys = decoded.pending;                          // if it holds an ESC alone: flushKeys(pendingKeys) some 50 ms later
 *     for (const event of decoded.events) {
 *       const step = reduce(state, event);
 *       state = step.state;
 *       for (const effect of step.effects) ...                // submit: write(renderFinal(...)), run the line, then reduce(state, {kind: "ready"})
 *     }
 *     if (!state.busy) ({ output, layout } = render(state, prompt, layout)); write(output);
 */
import type { Cluster, Edit } from "./clusters.ts";

/** What a key press means, independent of how the terminal encodes it. `name` is a lower-case letter or sign, or one of the names of decodeKeys.ts. */
export interface KeyEvent {
  readonly kind: "key";
  readonly name: string;
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
}

export interface Candidate {
  readonly text: string;
  /** false when more has to follow (a directory, `at=`), so that no blank is put behind it */
  readonly whole: boolean;
}

export type LineEvent =
  | KeyEvent
  /** printable text that was typed */
  | { readonly kind: "text"; readonly text: string }
  /** a bracketed paste */
  | { readonly kind: "paste"; readonly text: string }
  /** rows: null when the height is not known */
  | { readonly kind: "resize"; readonly columns: number; readonly rows: number | null }
  /** the answer to requestCompletion: candidates for the UTF-16 units from start to before end of the text that was sent */
  | { readonly kind: "completions"; readonly request: number; readonly start: number; readonly end: number; readonly candidates: readonly Candidate[] }
  /** lines of earlier sessions, oldest first; they come before those of this one */
  | { readonly kind: "historyLoaded"; readonly lines: readonly string[] }
  /** the command of the last submit has ended and a prompt may be shown again */
  | { readonly kind: "ready" };

export type Effect =
  /** run this line; until `ready` comes, no other submit follows */
  | { readonly kind: "submit"; readonly line: string }
  /** Ctrl-C: end what runs, or begin a new line behind this one, which was given up */
  | { readonly kind: "interrupt"; readonly line: string }
  | { readonly kind: "endOfInput" }
  /** clear the screen and draw anew with no previous layout */
  | { readonly kind: "clearScreen" }
  /** cursor in UTF-16 units; the answer bears the same request number */
  | { readonly kind: "requestCompletion"; readonly request: number; readonly text: string; readonly cursor: number }
  | { readonly kind: "bell" };

export interface Step {
  readonly state: LineState;
  readonly effects: readonly Effect[];
}

/** Where in the history the line is from. Distances count from the newest entry, which is 1, so that older entries can be added meanwhile. */
export interface Browsing {
  readonly back: number;
  /** entries have to begin with it */
  readonly prefix: string;
  /** what was being typed; it comes back behind the newest entry */
  readonly draft: Edit;
}

export interface Search {
  readonly direction: "backward" | "forward";
  readonly query: string;
  /** distance of the entry shown, 0 when none is shown yet */
  readonly back: number;
  readonly found: boolean;
  /** the line before the search */
  readonly origin: Edit;
  /** this search before the last character of the query was typed */
  readonly shorter: Search | null;
}

export type CompletionState =
  | { readonly kind: "asked"; readonly request: number }
  /** candidates are shown below the line */
  | {
      readonly kind: "menu";
      /** the line in which a candidate replaces the UTF-16 units from start to before end */
      readonly base: Edit;
      readonly start: number;
      readonly end: number;
      readonly candidates: readonly Candidate[];
      /** index of the candidate in the line, -1 when it is still the base */
      readonly chosen: number;
    };

/** What the last event did, as far as the next one depends on it: runs of one kind are one step of undo, kills in a row are one kill. */
export type LastAction = "none" | "insert" | "deleteBackward" | "deleteForward" | "kill" | "complete";

export interface LineState extends Edit {
  /** earlier texts, newest last */
  readonly undo: readonly Edit[];
  readonly last: LastAction;
  /** newest first */
  readonly killRing: readonly string[];
  /** set directly after a yank: the line before it, and the entry of the ring that was put in */
  readonly yank: { readonly base: Edit; readonly entry: number } | null;
  /** oldest first */
  readonly history: readonly string[];
  readonly browsing: Browsing | null;
  readonly search: Search | null;
  readonly lastQuery: string;
  readonly completion: CompletionState | null;
  /** number of the last completion request */
  readonly requests: number;
  /** columns of the terminal, 1 or more */
  readonly columns: number;
  readonly rows: number | null;
  /** a line was submitted and `ready` has not come yet; keys go on editing the next line */
  readonly busy: boolean;
  /** complete lines, pasted or typed ahead, that are submitted one at each `ready` */
  readonly pending: readonly string[];
}

export const EMPTY_EDIT: Edit = { clusters: [], cursor: 0 };

const MOST_COLUMNS = 10_000;

const dimension = (count: number): number => (Number.isNaN(count) ? 1 : Math.max(1, Math.min(MOST_COLUMNS, Math.floor(count))));

export function resized(state: LineState, columns: number, rows: number | null): LineState {
  return { ...state, columns: dimension(columns), rows: rows === null ? null : dimension(rows) };
}

export function createLine(columns: number, rows: number | null): LineState {
  const state: LineState = {
    ...EMPTY_EDIT,
    undo: [],
    last: "none",
    killRing: [],
    yank: null,
    history: [],
    browsing: null,
    search: null,
    lastQuery: "",
    completion: null,
    requests: 0,
    columns: 1,
    rows: null,
    busy: false,
    pending: [],
  };
  return resized(state, columns, rows);
}

/** A command of the editor: `state` has the traces of the last action removed, `before` is the state as it was. */
export type Command = (state: LineState, before: LineState) => Step;

export const quiet = (state: LineState): Step => ({ state, effects: [] });
export const bell = (state: LineState): Step => ({ state, effects: [{ kind: "bell" }] });

/** The text of the line. */
export function lineText(state: { readonly clusters: readonly Cluster[] }): string {
  let text = "";
  for (const cluster of state.clusters) text += cluster.text;
  return text;
}
