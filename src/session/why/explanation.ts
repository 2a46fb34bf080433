import { TOGGLES } from "../../kernel/era/toggles.ts";
import type { Message } from "../../kernel/message.ts";
import type { Cause } from "../../kernel/why/tracer.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import { fileText } from "./fileFacts.ts";
import type { History } from "./history.ts";
import { stepsOfCauses, traceBack, type Made, type TracedDecision, type TracedStep } from "./replay.ts";
import { readCause } from "./readState.ts";

/** Where a chain of causes ends: with what somebody typed, with the machine as it was switched on, or with the release. */
export type Origin = "command" | "boot" | "release";

/** A node of an explanation: a sentence (key and arguments of the catalogue) and what is behind it. */
export interface Explanation extends Message {
  /** the kernel function that decided */
  readonly symbol: string | null;
  /** the step it is about, as History counts them; null: none */
  readonly step: number | null;
  /** of a leaf */
  readonly origin: Origin | null;
  /** the cause it states, for what wants to change it */
  readonly cause: Cause | null;
  /** causes that the sentence states together with `cause`, of one kind with it */
  readonly alike: readonly Cause[];
  readonly children: readonly Explanation[];
}

type Args = Readonly<Record<string, string | number>>;

interface Parts {
  readonly symbol?: string;
  readonly step?: number;
  readonly origin?: Origin;
  readonly cause?: Cause;
}

export const explained = (key: string, args: Args, children: readonly Explanation[] = [], parts: Parts = {}): Explanation => ({
  key,
  args,
  symbol: parts.symbol ?? null,
  step: parts.step ?? null,
  origin: parts.origin ?? null,
  cause: parts.cause ?? null,
  alike: [],
  children,
});

/** The leaf for a step: the command, or for step 0 the machine as it was switched on. */
export function originOf(history: History, step: number): Explanation {
  if (step === 0) return explained("session.why.boot", {}, [], { origin: "boot" });
  return explained("session.why.command", { step: history.numberOf(step), command: history.commandOf(step) }, [], { origin: "command", step });
}

const set = (is: boolean): "set" | "clear" => (is ? "set" : "clear");

const FILE_KEYS = { i_size: "file.size", i_writecount: "file.writers", large_folios: "file.largeFolios", "huge=": "file.huge", "size=": "file.room" } as const;
const FOLIO_KEYS = { folio_order: "cacheFolio.order", PG_dirty: "cacheFolio.dirty", extra_references: "cacheFolio.held" } as const;
/** Pages of a file, in bytes from its start. */
const pagesText = (index: number, pages: number): string => {
  const from = `0x${(index * 4096).toString(16)}`;
  return pages === 1 ? from : `${from} .. 0x${((index + pages) * 4096).toString(16)}`;
};

/** How the places that a cause is about are written. */
export interface PlaceNames {
  readonly address: (vpn: number) => string;
  readonly file: (inode: number) => string;
}

/** The sentence of a cause. */
export function causeMessage({ address, file }: PlaceNames, cause: Cause): Message {
  const key = (name: string): string => `session.why.cause.${name}`;
  const range = (start: number, end: number): string => `${address(start)} .. ${address(end)}`;
  switch (cause.kind) {
    case "setting":
      return { key: key("setting"), args: { path: cause.path, value: cause.value } };
    case "vmaFlag":
      return { key: key(`vmaFlag.${set(cause.set)}`), args: { flag: cause.flag, at: address(cause.vpn) } };
    case "vmaBounds":
      if (cause.from === cause.to) return { key: key("vmaBounds.any"), args: { bounds: range(cause.start, cause.end) } };
      return { key: key("vmaBounds.block"), args: { bounds: range(cause.start, cause.end), block: range(cause.from, cause.to) } };
    case "hole":
      return { key: key("hole"), args: { range: range(cause.vpn, cause.end) } };
    case "occupied":
      return { key: key("occupied"), args: { range: range(cause.vpn, cause.end) } };
    case "anonVma":
      return { key: key(`anonVma.${set(cause.set)}`), args: { at: address(cause.vpn) } };
    case "offset":
      return { key: key("offset"), args: { at: address(cause.vpn), pgoff: `0x${cause.pgoff.toString(16)}` } };
    case "prctl":
      return { key: key("prctl"), args: { value: cause.value } };
    case "entry":
      return {
        key: key(`entry.${cause.is}`),
        args: { range: cause.pages === 1 ? address(cause.vpn) : range(cause.vpn, cause.vpn + cause.pages) },
      };
    case "folio":
      return { key: key("folio"), args: { property: cause.property, value: cause.value, at: cause.vpn < 0 ? "?" : address(cause.vpn) } };
    case "access":
      return { key: key(cause.write ? "access.write" : "access.read"), args: {} };
    case "argument":
      return { key: key("argument"), args: { name: cause.name, value: cause.value } };
    case "limit":
      return { key: key("limit"), args: { resource: `RLIMIT_${cause.resource.toUpperCase()}`, value: cause.value === Infinity ? "unlimited" : cause.value } };
    case "capability":
      return { key: key(`capability.${set(cause.set)}`), args: { name: cause.name } };
    case "era":
      return { key: key("era"), args: { behaviour: cause.behaviour, value: String(cause.value) } };
    case "config":
      return { key: key("config"), args: { name: cause.name, value: String(cause.value) } };
    case "file":
      return { key: key(FILE_KEYS[cause.property]), args: { file: file(cause.inode), value: cause.value } };
    case "cache":
      return { key: key(`cache.${cause.is}`), args: { file: file(cause.inode), range: pagesText(cause.index, cause.pages) } };
    case "cacheFolio": {
      const args = { file: file(cause.inode), range: pagesText(cause.index, 1), value: cause.value };
      return { key: key(FOLIO_KEYS[cause.property]), args };
    }
    case "readahead":
      return { key: key("readahead"), args: { value: cause.value } };
    case "memory":
      return { key: key("memory"), args: { pages: cause.pages } };
    case "operation":
      return { key: key("operation"), args: {} };
  }
}

const namesIn = ({ world }: History): PlaceNames => ({ address: (vpn) => world.slots.print(vpn * 4096), file: (inode) => fileText(world, inode) });

/** Toggles that move a field of the era. */
export const togglesOfBehaviour = (behaviour: string): string[] => TOGGLES.filter((t) => Object.hasOwn(t.change, behaviour)).map((t) => t.id);

/** The cause, and where it comes from. `setBy`: the step before `step` that made it so. */
function explainCause(history: History, step: number, cause: Cause, setBy: number): Explanation {
  const message = causeMessage(namesIn(history), cause);
  let end: Explanation;
  if (cause.kind === "era")
    end = explained("session.why.release", { toggles: togglesOfBehaviour(cause.behaviour).join(" ") || "-" }, [], { origin: "release" });
  else if (cause.kind === "config" || cause.kind === "memory") end = originOf(history, 0);
  else if (cause.kind === "access" || cause.kind === "argument" || cause.kind === "operation") end = originOf(history, step);
  else {
    const [first, ...earlier] = traceBack(history, cause, setBy);
    end = earlier.reduceRight<Explanation>((below, made) => withFact(history, made, below), originOf(history, earlier.at(-1)?.step ?? first.step));
    if (earlier.length > 0) end = { ...originOf(history, first.step), children: [end] };
  }
  return explained(message.key, message.args, [end], { cause });
}

/** The fact where it was brought from, with the step that made it there behind it. */
function withFact(history: History, made: Made, below: Explanation): Explanation {
  const message = causeMessage(namesIn(history), made.cause);
  const end = below.step === made.step ? below : { ...originOf(history, made.step), children: [below] };
  return explained(message.key, message.args, [end], { cause: made.cause });
}

/** Files of several sizes that hold the same since the same step stand together: nine lines that say alike would hide the tenth. */
function alikeTogether(causes: readonly Cause[], setBy: ReadonlyMap<Cause, number>): Cause[][] {
  const kin = (cause: Cause): string =>
    cause.kind === "setting" && /\d/.test(cause.path) ? `${cause.path.replace(/\d+/g, "#")} ${cause.value} ${setBy.get(cause) ?? 0}` : "";
  const out: Cause[][] = [];
  for (const cause of causes) {
    const last = out.at(-1);
    if (last !== undefined && kin(cause) !== "" && kin(cause) === kin(last[0])) last.push(cause);
    else out.push([cause]);
  }
  return out.flatMap((group) => (group.length < 3 ? group.map((cause) => [cause]) : [group]));
}

const pathOf = (cause: Cause): string => (cause.kind === "setting" ? cause.path : "");

function withAlike(one: Explanation, first: Cause, alike: readonly Cause[]): Explanation {
  if (alike.length === 0) return one;
  const path = joined([first, ...alike].map(pathOf), (list) => `{${list}}`);
  return { ...one, args: { ...one.args, path }, alike };
}

/** A decision with its causes; `also` stands below a sentence of its own. */
function explainDecision(history: History, step: number, { decision, times }: TracedDecision, setBy: ReadonlyMap<Cause, number>): Explanation {
  const of = (cause: Cause): Explanation => explainCause(history, step, cause, setBy.get(cause) ?? 0);
  const also = decision.also ?? [];
  const children = alikeTogether(decision.causes, setBy).map(([first, ...alike]) => withAlike(of(first), first, alike));
  if (also.length > 0) children.push(explained("session.why.also", {}, also.map(of)));
  const args = { symbol: decision.symbol, outcome: decision.outcome, times };
  // a chain has to end somewhere: what no cause was named for is the command's doing
  if (children.length === 0) children.push(originOf(history, step));
  return explained(`session.why.rule.${decision.rule}`, args, children, { symbol: decision.symbol, step });
}

/** A decision that one setting made, and what it has in common with others that may be told together with it. */
function settingDecision({ decision, times }: TracedDecision, setBy: ReadonlyMap<Cause, number>): { cause: Cause & { kind: "setting" }; kin: string } | null {
  const [cause] = decision.causes;
  if (decision.causes.length !== 1 || cause.kind !== "setting" || (decision.also ?? []).length > 0) return null;
  const parts = [decision.symbol, decision.rule, times, cause.path.replace(/\d+/g, "#"), cause.value, setBy.get(cause) ?? 0];
  return { cause, kin: parts.join("|") };
}

/** "not order 8", "not order 7": "not order 8, 7". */
function joined(texts: readonly string[], wrap: (list: string) => string): string {
  let same = 0;
  while (texts.every((text) => same < text.length && !/\d/.test(text[same]) && text[same] === texts[0][same])) same++;
  const rest = texts.map((text) => /^\d*/.exec(text.slice(same))?.[0] ?? "");
  return `${texts[0].slice(0, same)}${wrap(rest.join(","))}${texts[0].slice(same + rest[0].length)}`;
}

/** What the settings of several sizes said alike is told once: seven switched off sizes would push the answer off the screen. */
function explainDecisions(history: History, step: number, decisions: readonly TracedDecision[], setBy: ReadonlyMap<Cause, number>): Explanation[] {
  const out: Explanation[] = [];
  for (let i = 0; i < decisions.length; i++) {
    const first = settingDecision(decisions[i], setBy);
    let end = i + 1;
    while (first !== null && end < decisions.length && settingDecision(decisions[end], setBy)?.kin === first.kin) end++;
    if (first === null || end - i < 3) {
      out.push(explainDecision(history, step, decisions[i], setBy));
      continue;
    }
    const run = decisions.slice(i, end);
    const outcome = joined(
      run.map((each) => each.decision.outcome),
      (list) => list.replaceAll(",", ", "),
    );
    const path = joined(
      run.map((each) => (each.decision.causes[0] as Cause & { kind: "setting" }).path),
      (list) => `{${list}}`,
    );
    const one = explainDecision(history, step, run[0], setBy);
    const alike = run.slice(1).map((each) => each.decision.causes[0]);
    const cause = { ...one.children[0], args: { ...one.children[0].args, path }, alike };
    out.push({ ...one, args: { ...one.args, outcome }, children: [cause] });
    i = end - 1;
  }
  return out;
}

/** A step and what it decided. */
export function explainStep(history: History, traced: TracedStep): Explanation {
  const causes = traced.decisions.flatMap((d) => [...d.decision.causes, ...(d.decision.also ?? [])]);
  const stated = causes.filter((cause) => readCause(history.world.machine, cause) !== null);
  const steps = stepsOfCauses(history, traced.step, stated);
  const setBy = new Map(stated.map((cause, i) => [cause, steps[i]]));
  return explained(
    "session.why.step",
    { step: history.numberOf(traced.step), command: history.commandOf(traced.step) },
    explainDecisions(history, traced.step, traced.decisions, setBy),
    traced.decisions.length === 0 ? { step: traced.step, origin: "command" } : { step: traced.step },
  );
}

/** A line of an explanation: a node of the tree, how far in it stands, and the leaf that stands behind it in the same line. */
export interface ExplanationLine {
  readonly depth: number;
  readonly node: Explanation;
  readonly behind: Explanation | null;
}

/** The tree line by line; a leaf stands behind the cause that it explains. */
export function linesOf(explanation: Explanation, depth = 0): ExplanationLine[] {
  const [only] = explanation.children;
  const leafBehind = explanation.children.length === 1 && only.children.length === 0 && explanation.cause !== null;
  if (leafBehind) return [{ depth, node: explanation, behind: only }];
  return [{ depth, node: explanation, behind: null }, ...explanation.children.flatMap((child) => linesOf(child, depth + 1))];
}

/** One line as a sentence, not indented. */
export const lineText = ({ node, behind }: ExplanationLine, render: RenderMessage): string =>
  behind === null ? render(node) : `${render(node)} ${render(behind)}`;

/** The tree as text: a line for each node, indented. */
export const renderExplanation = (explanation: Explanation, render: RenderMessage): string[] =>
  linesOf(explanation).map((line) => "  ".repeat(line.depth) + lineText(line, render));
