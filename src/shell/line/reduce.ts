/** `reduce(state, event)`: the line after an event, and what the driver has to do. Never throws; an event that means nothing changes nothing. */
import { harmless } from "./clusters.ts";
import * as edit from "./edit.ts";
import * as complete from "./complete.ts";
import * as history from "./history.ts";
import { bell, EMPTY_EDIT, lineText, quiet, resized, type Command, type KeyEvent, type LineEvent, type LineState, type Search, type Step } from "./state.ts";

/** Submits a line, or, while another one runs, puts it behind those that wait. */
function submit(state: LineState, line: string): Step {
  if (state.busy) return quiet({ ...state, pending: [...state.pending, line] });
  return { state: { ...state, busy: true, history: history.remember(state.history, line) }, effects: [{ kind: "submit", line }] };
}

const emptied = (state: LineState): LineState => ({ ...state, ...EMPTY_EDIT, undo: [], browsing: null });

const acceptLine: Command = (state) => submit(emptied(state), lineText(state));

const interrupt: Command = (state) => ({
  state: { ...emptied(state), search: null, pending: [] },
  effects: [{ kind: "interrupt", line: lineText(state) }],
});

const deleteOrEnd: Command = (state, before) => {
  if (state.clusters.length > 0) return edit.deleteForward(state, before);
  return state.busy ? quiet(state) : { state, effects: [{ kind: "endOfInput" }] };
};

const clearScreen: Command = (state) => ({ state, effects: [{ kind: "clearScreen" }] });

/** C- control, M- Alt, S- Shift, in this order. */
const BINDINGS: Readonly<Record<string, Command>> = {
  enter: acceptLine,
  "C-c": interrupt,
  "C-d": deleteOrEnd,
  "C-l": clearScreen,
  tab: complete.askForCompletion,
  left: edit.backwardChar,
  "C-b": edit.backwardChar,
  right: edit.forwardChar,
  "C-f": edit.forwardChar,
  home: edit.lineBegin,
  "C-a": edit.lineBegin,
  end: edit.lineEnd,
  "C-e": edit.lineEnd,
  "M-b": edit.backwardWord,
  "C-left": edit.backwardWord,
  "M-left": edit.backwardWord,
  "M-f": edit.forwardWord,
  "C-right": edit.forwardWord,
  "M-right": edit.forwardWord,
  backspace: edit.deleteBackward,
  "S-backspace": edit.deleteBackward,
  delete: edit.deleteForward,
  "C-k": edit.killToEnd,
  "C-u": edit.killToBegin,
  "C-w": edit.killBlankWord,
  "M-backspace": edit.killWordBackward,
  "M-d": edit.killWordForward,
  "C-delete": edit.killWordForward,
  "C-y": edit.yank,
  "M-y": edit.yankPop,
  "C-t": edit.transpose,
  "C-_": edit.undo,
  up: history.previousLine,
  "C-p": history.previousLine,
  down: history.nextLine,
  "C-n": history.nextLine,
  "C-r": history.searchBackward,
  "C-s": history.searchForward,
};

const chord = ({ ctrl, alt, shift, name }: KeyEvent): string => `${ctrl ? "C-" : ""}${alt ? "M-" : ""}${shift ? "S-" : ""}${name}`;

/** The state without what concerns only the action that directly follows the last one. */
const settled = (state: LineState): LineState => ({ ...state, last: "none", yank: null, completion: null });

/** Keys that an incremental search has for itself; null for those that end it and then do what they do. */
function searchKey(state: LineState, search: Search, keys: string): Step | null {
  switch (keys) {
    case "C-r":
      return history.searchAgain(state, search, "backward");
    case "C-s":
      return history.searchAgain(state, search, "forward");
    case "backspace":
      return history.searchShorter(state, search);
    case "C-g":
      return quiet(history.abortSearch(state, search));
    case "escape":
      return quiet(history.acceptSearch(state, search));
    case "C-c":
      return interrupt(history.abortSearch(state, search), state);
    default:
      return null;
  }
}

function pressed(before: LineState, event: KeyEvent): Step {
  const keys = chord(event);
  const state = settled(before);
  if (state.search !== null) {
    const step = searchKey(state, state.search, keys);
    if (step !== null) return step;
    return Object.hasOwn(BINDINGS, keys) ? pressed(history.acceptSearch(state, state.search), event) : quiet(before);
  }
  if (before.completion?.kind === "menu") {
    if (keys === "tab") return complete.cycle(state, before, before.completion, 1);
    if (keys === "S-tab") return complete.cycle(state, before, before.completion, -1);
    if (keys === "C-g" || keys === "escape") return quiet(complete.closeMenu(state, before.completion));
  }
  if (keys === "C-g") return bell(state);
  return Object.hasOwn(BINDINGS, keys) ? BINDINGS[keys](state, before) : quiet(before);
}

function typed(before: LineState, text: string): Step {
  const state = settled(before);
  return state.search === null ? edit.insert(state, before, text, "insert") : history.searchFor(state, state.search, text);
}

/** As if the text were typed: each complete line is submitted, the first one after it was put in at the cursor, and the rest stays. */
function pasted(before: LineState, text: string): Step {
  const [first, ...more] = text.replace(/\r\n?/g, "\n").split("\n");
  if (more.length === 0 && before.search !== null) return typed(before, first);
  const open = settled(before);
  const state = open.search === null ? open : history.acceptSearch(open, open.search);
  const put = edit.insert(state, before, first, "none");
  if (more.length === 0) return put;
  const submitted = acceptLine(put.state, put.state);
  const waiting = { ...submitted.state, pending: [...submitted.state.pending, ...more.slice(0, -1).map((line) => harmless(line))] };
  const rest = edit.insert(waiting, waiting, more[more.length - 1], "none");
  return { state: rest.state, effects: [...put.effects, ...submitted.effects, ...rest.effects] };
}

/** The command has ended: the next line that waits is submitted. What is being typed stays. */
function ready(before: LineState): Step {
  const [line, ...pending] = before.pending;
  const idle = { ...before, busy: false };
  if (line === undefined) return quiet(idle);
  // the history grows: distances in it would not hold
  const state = idle.search === null ? idle : history.acceptSearch(idle, idle.search);
  return submit({ ...state, pending, browsing: null }, line);
}

export function reduce(state: LineState, event: LineEvent): Step {
  switch (event.kind) {
    case "key":
      return pressed(state, event);
    case "text":
      return typed(state, event.text);
    case "paste":
      return event.text === "" ? quiet(state) : pasted(state, event.text);
    case "resize":
      return quiet(resized(state, event.columns, event.rows));
    case "completions":
      return complete.completionsArrived(state, event);
    case "historyLoaded":
      return quiet(history.loadHistory(state, event.lines));
    case "ready":
      return ready(state);
  }
}
