/**
 * Compares a recorded trace with another run of the same script, observation by observation. The definition of agreement
 * is shared/conformance/compare.py; this is the same function in TypeScript: for any pair of runs the same number of
 * observations, the same number that agree, and the same differences in the same order.
 */
import type { TraceStep } from "./step.ts";
import { kernelLimits, meminfoOf, nameOf, resultOf, stateOf, tierOf } from "./projection.ts";
import type { KernelLimits, Observations } from "./projection.ts";
import { pythonEqual, pythonOrder, pythonTruth, pythonWords } from "./pythonValue.ts";

export interface Difference {
  /** number of the operation as the trace counts it, from 0 */
  readonly operation: number;
  readonly op: string;
  /** as compare.py names it: `ret`, `flt.at`, `P:A+0x0.pm` */
  readonly field: string;
  readonly tier: number;
  readonly recorded: unknown;
  readonly ours: unknown;
}

export interface Comparison {
  readonly agree: number;
  readonly total: number;
  readonly differences: readonly Difference[];
}

export interface CompareOptions {
  /** only tiers up to this one; 6 is all */
  readonly tier?: number;
  /** a second recording: an observation in which the two recordings differ is not counted at all */
  readonly again?: readonly TraceStep[];
}

/** What stands for a value that one side does not have. */
export const ABSENT = "(absent)";

const NOTHING: Observations = new Map();
const ALL_TIERS = 6;

/** One run, read step by step: what this operation answered, and the state it left. */
export interface Side {
  readonly result: Observations;
  readonly state: Observations;
  readonly meminfo: Observations;
}

export const START: Side = { result: NOTHING, state: NOTHING, meminfo: NOTHING };

export function advance(side: Side, step: TraceStep | undefined, limits: KernelLimits): Side {
  const fields = step ?? {};
  // state is printed only when it changed, so a step without it keeps what was there
  const procs = "procs" in fields ? fields.procs : undefined;
  return {
    result: resultOf(fields, limits),
    state: procs ? stateOf(procs as Readonly<Record<string, unknown>>, limits) : side.state,
    meminfo: meminfoOf(fields),
  };
}

function stateValue(side: Side, key: string): unknown {
  if (side.state.has(key)) return side.state.get(key);
  return side.meminfo.has(key) ? side.meminfo.get(key) : ABSENT;
}

function valueAt(side: Side, key: string, isResult: boolean): unknown {
  return isResult && side.result.has(key) ? side.result.get(key) : stateValue(side, key);
}

function addChanged(keys: Set<string>, now: Observations, was: Observations): void {
  if (now === was) return;
  for (const [key, value] of now) if (!pythonEqual(value, was.get(key))) keys.add(key);
  for (const [key, value] of was) if (!now.has(key) && !pythonEqual(value, undefined)) keys.add(key);
}

/**
 * Counts what agrees and lists what does not. What is compared at an operation is its result and every state field that
 * changed since the operation before, in the trace or in the other run: a difference is counted when it appears, not again while it stays.
 */
export function compare(trace: readonly TraceStep[], other: readonly TraceStep[], kernel: string, options: CompareOptions = {}): Comparison {
  const limits = kernelLimits(kernel);
  const tier = options.tier ?? ALL_TIERS;
  const differences: Difference[] = [];
  let agree = 0;
  let total = 0;
  let [a, b, second] = [START, START, START];
  let [wasA, wasB] = [START, START];
  // a process waits for a userfaultfd: what the waking call prints may already hold the retried access
  let waiting = false;
  for (const [i, step] of trace.entries()) {
    const otherStep = other[i];
    a = advance(a, step, limits);
    b = advance(b, otherStep, limits);
    if (options.again) second = advance(second, options.again[i], limits);
    const words = pythonWords(step.op);
    const late = waiting && words.slice(0, 2).includes("uffd");
    waiting = pythonTruth(step["blocked"]) || (waiting && !words.includes("resume"));
    const keys = new Set<string>();
    // late: state is compared only at the next operation
    for (const side of [a, b]) for (const key of side.result.keys()) if (!late || tierOf(key) < 4) keys.add(key);
    const visited = new Set(keys);
    if (!late) {
      for (const [now, was] of [
        [a, wasA],
        [b, wasB],
      ] as const) {
        addChanged(visited, now.state, was.state);
        addChanged(visited, now.meminfo, was.meminfo);
      }
    }
    for (const key of [...visited].sort(pythonOrder)) {
      if (tierOf(key) > tier) continue;
      const recorded = valueAt(a, key, keys.has(key));
      if (options.again && !pythonEqual(recorded, valueAt(second, key, keys.has(key)))) continue;
      const ours = valueAt(b, key, keys.has(key));
      total++;
      if (pythonEqual(recorded, ours)) agree++;
      else differences.push({ operation: step.n ?? i, op: step.op, field: nameOf(key), tier: tierOf(key), recorded, ours });
    }
    if (visited.size === 0) {
      // an operation with nothing to see still has to be there
      total++;
      if (pythonTruth(otherStep)) agree++;
    }
    if (!late) [wasA, wasB] = [a, b];
  }
  return { agree, total, differences };
}
