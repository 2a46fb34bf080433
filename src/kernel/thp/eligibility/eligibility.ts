import type { Kernel } from "../../mm/kernel.ts";
import type { Vma } from "../../mm/records.ts";
import type { Caller } from "./question.ts";
import { rulesOf } from "./ruleLists.ts";
import { decide, type Answer } from "./rules.ts";

const NOTHING: Answer = { orders: 0, decidedBy: -1 };

/** What the machine's rules say about the asked orders, and which of them decided. */
export function ask(k: Kernel, vma: Vma, caller: Caller, asked: number, flags: number = vma.flags): Answer {
  if (!k.geo.thp) return NOTHING;
  return decide(k, { vma, mm: k.mms.get(vma.mm), caller, flags, orders: asked }, rulesOf(k, caller));
}

/**
 * Which of the asked orders a VMA may hold, as the booted release answers it.
 * 5.19: __transparent_hugepage_enabled, transparent_hugepage_active and khugepaged's hugepage_vma_check; 6.0 to 6.7: hugepage_vma_check, which is asked for a
 * PMD and says the same for a PUD; 6.8 on: thp_vma_allowable_orders.
 */
export function allowableOrders(k: Kernel, vma: Vma, caller: Caller, asked: number, flags: number = vma.flags): number {
  if (!k.geo.thp) return 0;
  const known = k.era.mthp ? asked : asked & ((1 << k.geo.pmdOrder) | (caller === "pageFault" ? 1 << pudOrder(k) : 0));
  return ask(k, vma, caller, known, flags).orders;
}

/** Pages of a PUD entry, as an order. */
export const pudOrder = (k: Kernel): number => k.geo.levels[k.geo.pmdLevel - 1].shift;

export const pmdAllowed = (k: Kernel, vma: Vma, caller: Caller, flags: number = vma.flags): boolean =>
  k.geo.thp && allowableOrders(k, vma, caller, 1 << k.geo.pmdOrder, flags) !== 0;

const SEPARATE_SYMBOLS: Readonly<Record<Caller, string>> = {
  pageFault: "__transparent_hugepage_enabled",
  khugepaged: "hugepage_vma_check",
  forcedCollapse: "hugepage_vma_check",
  smaps: "transparent_hugepage_active",
};

/** The kernel function that answers a caller, by release. */
export function eligibilitySymbol(k: Kernel, caller: Caller): string {
  if (k.era.eligibility === "separate") return SEPARATE_SYMBOLS[caller];
  return k.era.eligibility === "merged" ? "hugepage_vma_check" : "thp_vma_allowable_orders";
}
