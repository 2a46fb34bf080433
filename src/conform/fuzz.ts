/** Compares two recordings of a script with the simulator, and says which differences are of one kind. */
import { compare } from "./compare.ts";
import type { Comparison, Difference } from "./compare.ts";
import { crashText } from "./judge.ts";
import type { ScriptRunner, TraceHeader, TraceStep } from "./step.ts";

export interface RecordedTwice {
  readonly header: TraceHeader;
  readonly first: readonly TraceStep[];
  readonly second: readonly TraceStep[];
}

export interface FuzzResult extends Comparison {
  /** the simulator's steps; empty when it broke */
  readonly ours: readonly TraceStep[];
  readonly crash: string | null;
}

/**
 * How many steps of a recording can be relied on: up to the first scan of khugepaged that did not get through the machine's
 * memory in time (other processes have too much), or the first operation that the recorder gave up waiting for.
 */
export function settledLength(steps: readonly TraceStep[]): number {
  const index = steps.findIndex((step) => step["timeout"] === true || isCutScan(step));
  return index < 0 ? steps.length : index;
}

function isCutScan(step: TraceStep): boolean {
  const words = step.op.split(" ");
  // stopped: khugepaged does not run at all (enabled is never), which is an answer like any other
  return words[0] === "khugepaged" && words[1] === "scan" && step["stopped"] !== true && step["passes"] !== Number(words[2] ?? 1);
}

/** Runs the simulator and compares what both recordings agree on. A simulator that breaks agrees in nothing. */
export function compareTwice(recorded: RecordedTwice, profile: string, source: string, run: ScriptRunner): FuzzResult {
  const settled = Math.min(settledLength(recorded.first), settledLength(recorded.second));
  const first = recorded.first.slice(0, settled);
  const again = recorded.second.slice(0, settled);
  let ours: readonly TraceStep[] = [];
  let crash: string | null = null;
  try {
    ours = run(profile, source).steps;
  } catch (error) {
    crash = crashText(error);
  }
  const comparison = compare(first, ours, recorded.header.kernel, { again });
  return { ...comparison, agree: crash === null ? comparison.agree : 0, ours, crash };
}

/** Two differences of one kind probably have one cause: the same call, the same field, wherever it was. */
export function kindOf(difference: Difference): string {
  const words = difference.op.replace(/^@\S+ /, "").split(" ");
  const call = words[0] === "madvise" ? `madvise ${words[words.length - 1]}` : words[0];
  return `${call} ${difference.field.replace(/^[^.]*:[^.]*\./, "").replace(/@\w+/, "")}`;
}

/** Kinds of all differences, with a crash as one more. */
export function kindsOf(result: Pick<FuzzResult, "differences" | "crash">): ReadonlySet<string> {
  if (result.crash !== null) return new Set([`crash ${result.crash.replace(/\d+/g, "N")}`]);
  return new Set(result.differences.map(kindOf));
}
