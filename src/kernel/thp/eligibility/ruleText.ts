import { CONDITION_IDS, type ConditionId } from "./conditions.ts";
import { CALLERS, type Caller } from "./question.ts";
import type { Rule, RuleList, Verdict } from "./rules.ts";

/**
 * A list of rules as one line of text, as the file of the live patch holds it: "dax:ynnn special:nnnn". A rule is its condition and a letter for each
 * caller, in the order of CALLERS.
 */
export const RULES_FILE = "/sys/kernel/livepatch/hugelab/eligibility_rules";

/** More rules than anybody needs; the file has one page. */
export const MOST_RULES = 40;

const LETTERS: Readonly<Record<Verdict, string>> = { yes: "y", no: "n", shmem: "s", next: "-" };
const VERDICT_OF: Readonly<Record<string, Verdict>> = { y: "yes", n: "no", s: "shmem", "-": "next" };

export const verdictLetters = (rule: Rule): string => CALLERS.map((caller) => LETTERS[rule[caller]]).join("");

export const printRule = (rule: Rule): string => `${rule.condition}:${verdictLetters(rule)}`;
export const printRules = (rules: RuleList): string => rules.map(printRule).join(" ");

export type RuleProblem = "tooMany" | "empty" | "condition" | "letters" | "shmem";

const isCondition = (word: string): word is ConditionId => (CONDITION_IDS as readonly string[]).includes(word);

/** One rule. The answer of tmpfs makes sense for memory of tmpfs only. */
export function parseRule(word: string, id: string): { readonly rule: Rule } | { readonly problem: RuleProblem; readonly word: string } {
  const [condition, letters, ...rest] = word.split(":");
  if (!isCondition(condition) || rest.length > 0) return { problem: "condition", word };
  if (!/^[yns-]{4}$/.test(letters ?? "")) return { problem: "letters", word };
  if (letters.includes("s") && condition !== "shmem") return { problem: "shmem", word };
  const verdicts = Object.fromEntries(CALLERS.map((caller, i) => [caller, VERDICT_OF[letters[i]]])) as Record<Caller, Verdict>;
  return { rule: { id, condition, ...verdicts } };
}

/** A whole list, or what is wrong with the first word that makes no sense. */
export function parseRules(text: string): { readonly rules: RuleList } | { readonly problem: RuleProblem; readonly word: string } {
  const words = text.split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return { problem: "empty", word: "" };
  if (words.length > MOST_RULES) return { problem: "tooMany", word: words[MOST_RULES] };
  const rules: Rule[] = [];
  for (const [i, word] of words.entries()) {
    const parsed = parseRule(word, `#${i}`);
    if ("problem" in parsed) return parsed;
    rules.push(parsed.rule);
  }
  return { rules };
}
