import type { Kernel } from "../../kernel/mm/kernel.ts";
import type { Vma } from "../../kernel/mm/records.ts";
import { hasHugeFault } from "../../kernel/mm/vmaOps.ts";
import { allowableOrders, ask, eligibilitySymbol } from "../../kernel/thp/eligibility/eligibility.ts";
import { allOrders } from "../../kernel/thp/eligibility/orders.ts";
import type { Caller } from "../../kernel/thp/eligibility/question.ts";
import { rulesOf } from "../../kernel/thp/eligibility/ruleLists.ts";
import type { Rule } from "../../kernel/thp/eligibility/rules.ts";

/** What one caller is told about a VMA, and by which rule. */
export interface CallerAnswer {
  readonly caller: Caller;
  /** null: the release has no such caller */
  readonly allowed: boolean | null;
  /** the orders that are allowed, largest first */
  readonly orders: readonly number[];
  /** the rule that decided; null where none did */
  readonly rule: Rule | null;
  readonly symbol: string;
  /** what the fault path does with a yes */
  readonly then: "anonymous" | "handler" | "fallback" | null;
}

const ordersIn = (mask: number): number[] => {
  const out: number[] = [];
  for (let order = 30; order >= 0; order--) if ((mask & (1 << order)) !== 0) out.push(order);
  return out;
};

/** MADV_COLLAPSE came with 6.1. */
const hasCaller = (k: Kernel, caller: Caller): boolean => caller !== "forcedCollapse" || k.era.madvCollapse;

/** What create_huge_pmd has for memory of this kind. */
const thenOf = (k: Kernel, vma: Vma): CallerAnswer["then"] => (vma.ops === "none" ? "anonymous" : hasHugeFault(k, vma) ? "handler" : "fallback");

/**
 * Asks as the caller asks: khugepaged and MADV_COLLAPSE about a PMD, smaps about every order, a fault about a PMD and, where there are sizes, about smaller ones. The rule is the
 * one that decided about the PMD; where smaps says yes for a smaller order alone, the one that said that.
 */
export function answerOf(k: Kernel, vma: Vma, caller: Caller): CallerAnswer {
  const symbol = eligibilitySymbol(k, caller);
  if (!hasCaller(k, caller)) return { caller, allowed: null, orders: [], rule: null, symbol, then: null };
  const pmd = 1 << k.geo.pmdOrder;
  const asked = caller === "smaps" || (caller === "pageFault" && k.era.mthp) ? allOrders(k) : pmd;
  const mask = allowableOrders(k, vma, caller, asked);
  const aboutPmd = ask(k, vma, caller, pmd);
  const allowed = caller === "smaps" ? mask !== 0 : (mask & pmd) !== 0;
  const decided = allowed && (aboutPmd.orders & pmd) === 0 ? ask(k, vma, caller, mask) : aboutPmd;
  return {
    caller,
    allowed,
    orders: ordersIn(mask),
    rule: rulesOf(k, caller)[decided.decidedBy] ?? null,
    symbol,
    then: caller === "pageFault" && allowed ? thenOf(k, vma) : null,
  };
}
