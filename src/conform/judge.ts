/** Replays traces on the simulator and adds up what agrees. Reading files and printing is the caller's. */
import { compare } from "./compare.ts";
import type { Difference } from "./compare.ts";
import { classify } from "./deviations.ts";
import type { DeviationRow } from "./deviations.ts";
import type { ScriptRunner, Trace, TraceStep } from "./step.ts";

export interface Verdict {
  readonly trace: string;
  readonly profile: string;
  /** `6.18` of 6.18.15+deb13-amd64 */
  readonly release: string;
  readonly agree: number;
  readonly total: number;
  readonly listed: readonly Difference[];
  readonly unlisted: readonly Difference[];
  readonly stale: readonly DeviationRow[];
  /** what the simulator threw instead of answering */
  readonly crash: string | null;
}

export interface Totals {
  readonly agree: number;
  readonly total: number;
  readonly listed: number;
  readonly unlisted: number;
  readonly stale: number;
  readonly crashes: number;
}

/** At most this share of a release's observations may be listed as deviations. */
export const MAX_LISTED_SHARE = 0.005;

const ALL_TIERS = 6;

/** Replays one trace on the profile that its header names. A simulator that breaks answers nothing, as it would print nothing. */
export function judgeTrace(trace: Trace, run: ScriptRunner, rows: readonly DeviationRow[], tier: number = ALL_TIERS): Verdict {
  let steps: readonly TraceStep[] = [];
  let crash: string | null = null;
  try {
    steps = run(trace.header.profile, trace.source).steps;
  } catch (error) {
    crash = crashText(error);
  }
  const { agree, total, differences } = compare(trace.steps, steps, trace.header.kernel, { tier });
  const { listed, unlisted, stale } = classify(trace.script, differences, rows);
  return {
    trace: trace.script,
    profile: trace.header.profile,
    release: releaseOf(trace.header.kernel),
    agree,
    total,
    listed,
    unlisted,
    // with fewer tiers, a row of a tier that was not compared says nothing
    stale: tier < ALL_TIERS ? [] : stale,
    crash,
  };
}

/** One line that names an exception. */
export function crashText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.split("\n")[0].slice(0, 300);
}

/** `6.18` of 6.18.15+deb13-amd64; the whole text where it is no release number. */
export function releaseOf(kernel: string): string {
  return /^\d+\.\d+/.exec(kernel)?.[0] ?? kernel;
}

/** Adds up verdicts. */
export function sumVerdicts(verdicts: readonly Verdict[]): Totals {
  const sum = (value: (verdict: Verdict) => number): number => verdicts.reduce((total, verdict) => total + value(verdict), 0);
  return {
    agree: sum((verdict) => verdict.agree),
    total: sum((verdict) => verdict.total),
    listed: sum((verdict) => verdict.listed.length),
    unlisted: sum((verdict) => verdict.unlisted.length),
    stale: sum((verdict) => verdict.stale.length),
    crashes: sum((verdict) => (verdict.crash === null ? 0 : 1)),
  };
}

/** Verdicts by release, in order of first appearance. */
export function byRelease(verdicts: readonly Verdict[]): ReadonlyMap<string, readonly Verdict[]> {
  const groups = new Map<string, Verdict[]>();
  for (const verdict of verdicts) {
    const group = groups.get(verdict.release);
    if (group) group.push(verdict);
    else groups.set(verdict.release, [verdict]);
  }
  return groups;
}

/** Two decimals, as compare.py prints a share. */
export function percent(part: number, whole: number): string {
  return (whole === 0 ? 0 : (100 * part) / whole).toFixed(2);
}
