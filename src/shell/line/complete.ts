/**
 * Completion with Tab: the first asks for candidates and puts in what all of them begin with; while they are shown, Tab and Shift-Tab put in one after
 * the other, Ctrl-G and Escape put back what was typed, any other key keeps what is there. All of it is one step of undo.
 */
import { editOf, harmless, type Edit } from "./clusters.ts";
import { edited } from "./edit.ts";
import { bell, lineText, quiet, type Candidate, type Command, type CompletionState, type LineEvent, type LineState, type Step } from "./state.ts";

export type Menu = Extract<CompletionState, { kind: "menu" }>;

const MOST_CANDIDATES = 1000;

const unitsBefore = ({ clusters, cursor }: Edit): number => {
  let units = 0;
  for (let i = 0; i < cursor; i++) units += clusters[i].text.length;
  return units;
};

/** The base line with its part from start to end replaced, the cursor behind it. */
function replaced(base: Edit, start: number, end: number, text: string): Edit {
  const line = lineText(base);
  return editOf(line.slice(0, start) + text + line.slice(end), start + text.length);
}

export const askForCompletion: Command = (state) => {
  if (state.busy) return bell(state);
  const request = state.requests + 1;
  return {
    state: { ...state, requests: request, completion: { kind: "asked", request } },
    effects: [{ kind: "requestCompletion", request, text: lineText(state), cursor: unitsBefore(state) }],
  };
};

/** What all the texts begin with; it does not end inside a surrogate pair. */
function commonBeginning(candidates: readonly Candidate[]): string {
  let common = candidates[0].text;
  for (const { text } of candidates) {
    let units = 0;
    while (units < common.length && common[units] === text[units]) units++;
    common = common.slice(0, units);
  }
  return common.replace(/[\ud800-\udbff]$/, "");
}

/** Takes the answer to the request that is open; one that comes too late, or to a line that has changed since, is ignored. */
export function completionsArrived(state: LineState, answer: Extract<LineEvent, { kind: "completions" }>): Step {
  if (state.completion?.kind !== "asked" || state.completion.request !== answer.request) return quiet(state);
  const closed: LineState = { ...state, completion: null };
  const line = lineText(state);
  const end = Math.min(line.length, Math.max(0, Math.floor(answer.end)));
  const start = Math.min(end, Math.max(0, Math.floor(answer.start)));
  const candidates = answer.candidates
    .slice(0, MOST_CANDIDATES)
    .map(({ text, whole }) => ({ text: harmless(text), whole }))
    .filter(({ text }) => text !== "");
  if (candidates.length === 0 || Number.isNaN(start)) return bell(closed);
  if (candidates.length === 1) {
    const [{ text, whole }] = candidates;
    return quiet(changed(closed, replaced(closed, start, end, whole && line[end] !== " " ? `${text} ` : text), false));
  }
  const common = commonBeginning(candidates);
  const more = common.length > end - start && common.startsWith(line.slice(start, end));
  const next = more ? changed(closed, replaced(closed, start, end, common), false) : closed;
  const base = { clusters: next.clusters, cursor: next.cursor };
  return quiet({ ...next, completion: { kind: "menu", base, start, end: more ? start + common.length : end, candidates, chosen: -1 } });
}

const changed = (state: LineState, next: Edit, joins: boolean): LineState =>
  lineText(next) === lineText(state) ? { ...state, cursor: next.cursor } : edited(state, next, "complete", joins);

/** Puts in the next (1) or the last (-1) candidate of the menu. */
export function cycle(state: LineState, before: LineState, menu: Menu, direction: 1 | -1): Step {
  const { length } = menu.candidates;
  const chosen = menu.chosen === -1 && direction === -1 ? length - 1 : (menu.chosen + direction + length) % length;
  const next = replaced(menu.base, menu.start, menu.end, menu.candidates[chosen].text);
  return quiet({ ...changed({ ...state, last: before.last }, next, before.last === "complete"), completion: { ...menu, chosen } });
}

export const closeMenu = (state: LineState, menu: Menu): LineState => ({ ...state, ...menu.base });
