import type { CheckDefinition, Condition, EventCondition, Leaf, Operator, StateCondition } from "../schema.ts";
import { parsePath } from "./paths.ts";
import type { Value } from "./readModel.ts";
import type { LabReducer, Progression } from "./reduce.ts";

/** Everything that a condition is evaluated against, at one node of the history. Reading never fails: null is "there is nothing". */
export interface CheckContext {
  read(path: string, process: string | undefined): Value | null;
  /** the same where the lab began */
  readAtStart(path: string, process: string | undefined): Value | null;
  readonly reducer: LabReducer;
  readonly progression: Progression;
  /** null: not answered yet */
  predicted(id: string): { readonly right: boolean } | null;
}

export interface Held {
  readonly holds: boolean;
  /** the leaf that decided, where it says something: what was found and what was wanted */
  readonly actual: string | null;
  readonly wanted: string | null;
}

export interface CheckOutcome extends Held {
  /** the recognised mistake: its id; null: none */
  readonly mistake: string | null;
}

const join = (value: Value["value"], unit: string): string => {
  const text = typeof value === "object" ? value.join(" ") : String(value);
  return unit === "" || text === "" ? text : `${text} ${unit}`;
};

const SIGNS: Readonly<Record<string, string>> = { "==": "", "!=": "not ", "<": "< ", "<=": "<= ", ">": "> ", ">=": ">= " };

/** What a leaf asks for, as a person reads it: "2048 kB", ">= 1". Signs and units only, no words. */
function wantedOf(op: Operator, value: StateCondition["value"], unit: string): string {
  if (value === undefined) return "";
  const text = Array.isArray(value) ? value.map((each) => join(each, unit)).join(" / ") : join(value, unit);
  return `${SIGNS[op] ?? ""}${text}`;
}

function compareScalars(op: Operator, actual: number | string, wanted: number | string): boolean {
  if (typeof actual !== typeof wanted) return false;
  switch (op) {
    case "==":
      return actual === wanted;
    case "!=":
      return actual !== wanted;
    case "<":
      return actual < wanted;
    case "<=":
      return actual <= wanted;
    case ">":
      return actual > wanted;
    case ">=":
      return actual >= wanted;
    default:
      return false;
  }
}

function holdsFor(op: Operator, actual: Value["value"], wanted: StateCondition["value"]): boolean {
  if (op === "exists") return true;
  if (wanted === undefined) return false;
  if (op === "contains") {
    const all = Array.isArray(wanted) ? wanted : [wanted];
    return all.every((each) => (typeof actual === "object" ? actual.includes(String(each)) : String(actual).includes(String(each))));
  }
  if (typeof actual === "object") return false;
  if (op === "in") return (Array.isArray(wanted) ? wanted : [wanted]).some((each) => each === actual);
  return !Array.isArray(wanted) && compareScalars(op, actual, wanted);
}

function stateHolds(leaf: StateCondition, context: CheckContext): Held {
  const now = context.read(leaf.path, leaf.process);
  if (leaf.op === "monotonic") {
    const parsed = parsePath(leaf.path) !== null && context.reducer.trend(context.progression, leaf);
    return { holds: parsed, actual: now === null ? null : join(now.value, now.unit), wanted: null };
  }
  const unit = now?.unit ?? "";
  const wanted = wantedOf(leaf.op, leaf.value, unit);
  if (now === null) return { holds: false, actual: null, wanted };
  let actual = now.value;
  if (leaf.since !== undefined) {
    const start = context.readAtStart(leaf.path, leaf.process);
    if (typeof actual !== "number" || typeof start?.value !== "number") return { holds: false, actual: null, wanted };
    actual -= start.value;
  }
  return { holds: holdsFor(leaf.op, actual, leaf.value), actual: join(actual, unit), wanted };
}

function eventHolds(leaf: EventCondition, context: CheckContext): Held {
  const { count } = context.reducer.tally(context.progression, leaf);
  const op = leaf.op ?? ">=";
  const value = leaf.value ?? 1;
  return { holds: compareScalars(op, count, value), actual: String(count), wanted: wantedOf(op, value, "") };
}

function leafHolds(leaf: Leaf, context: CheckContext): Held {
  if ("path" in leaf) return stateHolds(leaf, context);
  if ("event" in leaf) return eventHolds(leaf, context);
  const answer = context.predicted(leaf.prediction);
  return { holds: answer !== null && (leaf.is === "answered" || answer.right), actual: null, wanted: null };
}

/** Evaluates a condition. Total: every condition that the schema lets through has an answer, on any world. Schema bounds depth and number. */
export function evaluate(condition: Condition, context: CheckContext): Held {
  if ("all" in condition) {
    let last: Held = { holds: true, actual: null, wanted: null };
    for (const each of condition.all) {
      const held = evaluate(each, context);
      if (!held.holds) return held;
      if (last.actual === null) last = held;
    }
    return last;
  }
  if ("any" in condition) {
    const all = condition.any.map((each) => evaluate(each, context));
    return all.find((held) => held.holds) ?? all[0];
  }
  if ("not" in condition) {
    const held = evaluate(condition.not, context);
    return { holds: !held.holds, actual: held.actual, wanted: held.wanted === null ? null : `not ${held.wanted}` };
  }
  return leafHolds(condition, context);
}

/** A check at one node: whether it passes, what was found, and which of its mistakes is to be seen. */
export function evaluateCheck(check: CheckDefinition, context: CheckContext): CheckOutcome {
  const required = evaluate(check.require, context);
  const forbidden = (check.forbid ?? []).map((each) => evaluate(each, context)).find((held) => held.holds);
  const held = required.holds && forbidden !== undefined ? { ...forbidden, holds: false } : required;
  if (held.holds) return { ...held, mistake: null };
  const mistake = (check.wrong ?? []).find(({ when }) => evaluate(when, context).holds);
  return { ...held, mistake: mistake?.id ?? null };
}
