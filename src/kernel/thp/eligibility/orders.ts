import type { Kernel } from "../../mm/kernel.ts";
import type { Mm } from "../../mm/records.ts";
import { VM, VM_NO_KHUGEPAGED } from "../../mm/vmFlags.ts";
import { fitsAtEnd, type Question } from "./question.ts";
import type { OrdersAnswer } from "./eligibility.ts";

/** THP_ORDERS_ALL_ANON: orders 2 to the PMD order. */
export const anonOrders = (pmdOrder: number): number => ((1 << (pmdOrder + 1)) - 1) & ~3;

/** vma_thp_disabled. */
function disabled(mm: Mm, flags: number, forced: boolean, exceptAdvised: boolean): "noHugePage" | "prctl" | "" {
  if (flags & VM.noHugePage) return "noHugePage";
  if (mm.thpDisable === 0) return "";
  if (!exceptAdvised || mm.thpDisable === 1) return "prctl";
  return forced || flags & VM.hugePage ? "" : "prctl";
}

/** Orders that the per-size files allow (thp_vma_allowable_orders, the inline part). */
export function ordersBySetting(k: Kernel, flags: number): number {
  const g = k.g;
  let mask = g.ordersAlways;
  if (flags & VM.hugePage) mask |= g.ordersMadvise;
  if (g.enabled === "always" || (flags & VM.hugePage && g.enabled !== "never")) mask |= g.ordersInherit;
  return mask;
}

/** 6.8 to 6.18: a bitmap of orders in, the allowed ones out (kernel-semantics.md 1.4 and 1.5), for anonymous memory. */
export function orders(k: Kernel, q: Question): OrdersAnswer {
  const forced = q.caller === "forcedCollapse";
  let left = q.orders;
  if (!forced) {
    left &= ordersBySetting(k, q.flags);
    if (left === 0)
      return {
        orders: 0,
        refusal: k.g.enabled === "never" ? "settingNever" : k.g.enabled === "madvise" && !(q.flags & VM.hugePage) ? "settingMadvise" : "sizeOff",
      };
  }
  left &= anonOrders(k.geo.pmdOrder);
  if (left === 0) return { orders: 0, refusal: "sizeOff" };
  const off = disabled(q.mm, q.flags, forced, k.era.thpDisableExceptAdvised);
  if (off !== "") return { orders: 0, refusal: off };
  const inFault = q.caller === "pageFault";
  if (!inFault && q.caller !== "smaps" && q.flags & VM_NO_KHUGEPAGED) return { orders: 0, refusal: "special" };
  if (!inFault) {
    for (let order = k.geo.pmdOrder; order >= 0 && left !== 0; order--) {
      if ((left & (1 << order)) === 0) continue;
      if (fitsAtEnd(q.vma, order)) break;
      left &= ~(1 << order);
    }
    if (left === 0) return { orders: 0, refusal: "tooSmall" };
  }
  if (q.vma.anonVma === 0 && !inFault && q.caller !== "smaps") return { orders: 0, refusal: "noAnonVma" };
  return { orders: left, refusal: "" };
}
