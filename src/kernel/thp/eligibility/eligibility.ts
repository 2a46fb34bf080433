import type { Kernel } from "../../mm/kernel.ts";
import type { Vma } from "../../mm/records.ts";
import { merged } from "./merged.ts";
import { orders } from "./orders.ts";
import type { Caller, Question } from "./question.ts";
import { separate519 } from "./separate519.ts";

/**
 * Which of the asked orders a VMA may hold, as the booted release answers it.
 * 5.19: transparent_hugepage_active and its kin; 6.0 to 6.7: hugepage_vma_check; 6.8 on: thp_vma_allowable_orders.
 */
export function allowableOrders(k: Kernel, vma: Vma, caller: Caller, asked: number, flags: number = vma.flags): number {
  if (!k.geo.thp) return 0;
  const q: Question = { vma, mm: k.mms.get(vma.mm), caller, flags, orders: asked };
  if (k.era.mthp) return orders(k, q);
  const allowed = k.era.eligibility === "separate519" ? separate519(k, q) : merged(k, q);
  return allowed ? asked & (1 << k.geo.pmdOrder) : 0;
}

export const pmdAllowed = (k: Kernel, vma: Vma, caller: Caller, flags: number = vma.flags): boolean =>
  k.geo.thp && allowableOrders(k, vma, caller, 1 << k.geo.pmdOrder, flags) !== 0;
