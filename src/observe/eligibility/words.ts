import type { ConditionId } from "../../kernel/thp/eligibility/conditions.ts";
import type { Caller } from "../../kernel/thp/eligibility/question.ts";
import { sizeText, type Say } from "../picture/context.ts";
import type { CallerAnswer } from "./answers.ts";

/** Answers about eligibility in words. */

export const conditionText = (say: Say, condition: ConditionId): string => say(`observe.condition.${condition}`);

export const callerTitle = (say: Say, caller: Caller): string => say(`observe.caller.${caller}`);
export const callerHint = (say: Say, caller: Caller): string => say(`observe.callerHint.${caller}`);

/** "yes, 2 MiB 64 KiB"; sizes only where there is more to say than the PMD's. */
export function answerText(say: Say, answer: CallerAnswer, pmdOrder: number): string {
  if (answer.allowed === null) return say("observe.eligible.noCaller");
  if (!answer.allowed) return say(answer.orders.length === 0 ? "observe.eligible.no" : "observe.eligible.noButSizes", { sizes: sizes(answer.orders) });
  if (answer.then === "fallback") return say("observe.eligible.yesButFallback");
  const isPlain = answer.orders.length === 1 && answer.orders[0] === pmdOrder;
  return isPlain ? say("observe.eligible.yes") : say("observe.eligible.yesSizes", { sizes: sizes(answer.orders) });
}

const sizes = (orders: readonly number[]): string => orders.map((order) => sizeText(4 * 2 ** order)).join(", ");

/** Why: the condition of the rule that decided, and what a fault does with a yes. */
export function reasonText(say: Say, answer: CallerAnswer): string {
  if (answer.allowed === null) return say("observe.eligible.noCallerReason");
  const because = answer.rule === null ? say("observe.eligible.noRule") : conditionText(say, answer.rule.condition);
  return answer.then === null ? because : `${because}; ${say(`observe.eligible.then.${answer.then}`)}`;
}
