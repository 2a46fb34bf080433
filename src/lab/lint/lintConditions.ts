import { FIRST_PROCESS } from "../../shell/command/parseLine.ts";
import { OPERATORS_OF, parsePath, parseRange, typeOf, type PathType } from "../check/paths.ts";
import { leaves } from "../check/reduce.ts";
import type { Lab } from "../pack/pack.ts";
import type { ProblemList } from "../pack/problem.ts";
import type { CheckDefinition, EventCondition, Leaf, Pattern, StateCondition } from "../schema.ts";

/** What can be seen of a lab's conditions without running anything. */

/** Every leaf of a check with where it stands. */
export function* placedLeaves(check: CheckDefinition, at: string): Generator<readonly [leaf: Leaf, place: string]> {
  for (const leaf of leaves(check.require)) yield [leaf, `${at}.require`];
  for (const [i, each] of (check.forbid ?? []).entries()) for (const leaf of leaves(each)) yield [leaf, `${at}.forbid[${i}]`];
  for (const [i, { when }] of (check.wrong ?? []).entries()) for (const leaf of leaves(when)) yield [leaf, `${at}.wrong[${i}]`];
}

export function lintConditions(lab: Lab, problems: ProblemList): void {
  const file = `${lab.folder}/lab.json`;
  lab.checks.forEach((check, i) => {
    const at = `checks[${i}]`;
    for (const [leaf, place] of placedLeaves(check, at)) lintLeaf(lab, file, place, leaf, problems);
    for (const template of [check.feedback.pass, check.feedback.fail])
      for (const [, name] of template.matchAll(/\{([^}]*)\}/g))
        if (name !== "actual" && name !== "wanted") problems.add(file, `${at}.feedback`, "placeholder", { name });
  });
}

function lintLeaf(lab: Lab, file: string, place: string, leaf: Leaf, problems: ProblemList): void {
  if ("prediction" in leaf) {
    if (!lab.predictions.some(({ id }) => id === leaf.prediction)) problems.add(file, place, "noSuchPrediction", { prediction: leaf.prediction });
  } else if ("event" in leaf) lintEvent(file, place, leaf, problems);
  else lintState(file, place, leaf, problems);
}

function isValueOf(type: PathType, { op, value }: StateCondition): boolean {
  if (op === "exists" || op === "monotonic") return value === undefined;
  if (value === undefined) return false;
  const each = Array.isArray(value) ? value : [value];
  if (Array.isArray(value) !== (op === "in") && !(op === "contains" && Array.isArray(value))) return false;
  return each.every((one) => typeof one === (type === "number" ? "number" : "string"));
}

function lintState(file: string, place: string, leaf: StateCondition, problems: ProblemList): void {
  const path = parsePath(leaf.path);
  if (path === null) {
    problems.add(file, `${place}.path`, "badPath", { path: leaf.path });
    return;
  }
  if (path.kind === "result") problems.add(file, `${place}.path`, "resultInCheck", { path: leaf.path });
  // the difference of two texts is none
  if (leaf.since !== undefined && typeOf(path) !== "number") problems.add(file, `${place}.since`, "sinceText", { path: leaf.path });
  if (!OPERATORS_OF[typeOf(path)].has(leaf.op)) problems.add(file, `${place}.op`, "badOperator", { op: leaf.op, path: leaf.path });
  else if (!isValueOf(typeOf(path), leaf)) problems.add(file, `${place}.value`, "badValue", { value: JSON.stringify(leaf.value) ?? "-", path: leaf.path });
}

function lintEvent(file: string, place: string, leaf: EventCondition, problems: ProblemList): void {
  for (const pattern of [leaf, leaf.before, leaf.after]) if (pattern !== undefined) lintPattern(file, place, pattern, problems);
  if (leaf.op !== undefined && leaf.value === undefined) problems.add(file, place, "noBound", { op: leaf.op });
}

function lintPattern(file: string, place: string, pattern: Pattern | EventCondition, problems: ProblemList): void {
  if (pattern.event !== "fault" && pattern.event !== "command") return;
  const range = pattern.where?.in;
  if (range !== undefined && parseRange(range) === null) problems.add(file, `${place}.where.in`, "badRange", { range });
}

/** Paths that never gave anything in any run: spelling mistakes that the grammar lets through. */
export function lintReads(lab: Lab, everRead: ReadonlyMap<string, boolean>, problems: ProblemList): void {
  lab.checks.forEach((check, i) => {
    for (const [leaf, place] of placedLeaves(check, `checks[${i}]`)) {
      if (!("path" in leaf) || parsePath(leaf.path) === null || parsePath(leaf.path)?.kind === "result") continue;
      if (everRead.get(`${leaf.process ?? FIRST_PROCESS} ${leaf.path}`) === false)
        problems.add(`${lab.folder}/lab.json`, `${place}.path`, "neverRead", { path: leaf.path });
    }
  });
}
