import type { z } from "zod";
import type { ProblemList } from "./problem.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

const placeOf = (path: Path): string =>
  path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const key of path) at = typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined;
  return at;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return typeof text === "string" ? text : typeof value;
}

/** How far in and how many: of the alternatives of a union the one meant is the one that fails latest and least. */
function weight(issues: readonly Issue[]): number {
  const unknown = issues.some((issue) => issue.code === "unrecognized_keys");
  const literal = issues.some((issue) => issue.code === "invalid_value" && issue.path.length === 1 && issue.path[0] === "event");
  return issues.length + (unknown ? 10 : 0) + (literal ? 100 : 0);
}

/** Adds what zod found, each as one sentence at its place. `value`: what was checked, to be quoted from. */
export function addIssues(file: string, value: unknown, error: z.ZodError, problems: ProblemList): void {
  for (const issue of error.issues) addIssue(file, value, issue, [], problems);
}

function addIssue(file: string, value: unknown, issue: Issue, before: Path, problems: ProblemList): void {
  const path = [...before, ...issue.path];
  const place = placeOf(path);
  const found = shown(valueAt(value, path));
  switch (issue.code) {
    case "invalid_union": {
      const [best] = [...issue.errors].sort((a, b) => weight(a) - weight(b));
      if (best === undefined || best.length === 0) problems.add(file, place, "invalid", { found, wanted: issue.message });
      else for (const inner of best) addIssue(file, value, inner, path, problems);
      return;
    }
    case "unrecognized_keys":
      problems.add(file, place, "unknownKey", { keys: issue.keys.join(", ") });
      return;
    case "invalid_type":
      if (valueAt(value, path) === undefined) problems.add(file, place, "missingKey", { wanted: issue.expected });
      else problems.add(file, place, "wrongType", { found, wanted: issue.expected });
      return;
    case "invalid_value":
      problems.add(file, place, "notOneOf", { found, wanted: issue.values.map(String).join(", ") });
      return;
    case "too_big":
      problems.add(file, place, "tooBig", { most: Number(issue.maximum) });
      return;
    case "too_small":
      problems.add(file, place, "tooSmall", { least: Number(issue.minimum) });
      return;
    default:
      problems.add(file, place, "invalid", { found, wanted: issue.message });
  }
}
