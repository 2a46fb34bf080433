import type { Kernel } from "../../mm/kernel.ts";
import { shmemAllows } from "./files.ts";
import { holds, type ConditionId } from "./conditions.ts";
import type { Caller, Question } from "./question.ts";

/**
 * What a rule answers to a caller where its condition holds. "next": nothing, the rule behind it is asked. "shmem": what the settings of tmpfs say.
 */
export type Verdict = "yes" | "no" | "shmem" | "next";
export const VERDICTS: readonly Verdict[] = ["yes", "no", "shmem", "next"];

/** One rule of the check: a condition, and an answer for each caller. */
export interface Rule extends Readonly<Record<Caller, Verdict>> {
  /** as the reference document counts them: "R0" to "R12" of 6.1, and what the fix split them into */
  readonly id: string;
  readonly condition: ConditionId;
}

/** The rules in order: the first whose condition holds and that has an answer for the caller decides. */
export type RuleList = readonly Rule[];

export interface Answer {
  /** the orders that are allowed, of those that were asked for */
  readonly orders: number;
  /** index in the list of the rule that decided about the last orders left; -1: none did, and that is a no */
  readonly decidedBy: number;
}

/** Goes through the rules from the first on, each order until one decides about it. */
export function decide(k: Kernel, q: Question, rules: RuleList): Answer {
  let left = q.orders;
  let allowed = 0;
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i];
    const verdict = rule[q.caller];
    if (verdict === "next") continue;
    const held = holds(k, q, rule.condition, left);
    if (held === 0) continue;
    if (verdict === "yes") allowed |= held;
    // until 6.13 what tmpfs allows was returned as it is: orders that were not asked for, or do not fit the VMA
    else if (verdict === "shmem") allowed |= shmemAllows(k, q) & (k.era.mthp && !k.era.shmemEligibleMasked ? -1 : held);
    left &= ~held;
    if (left === 0) return { orders: allowed, decidedBy: i };
  }
  return { orders: allowed, decidedBy: -1 };
}
