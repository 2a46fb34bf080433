import type { Kernel } from "../../mm/kernel.ts";
import type { Globals, Mm, ThpSizeMode } from "../../mm/records.ts";
import { VM, VM_NO_KHUGEPAGED } from "../../mm/vmFlags.ts";
import { fitsAtEnd, type Question } from "./question.ts";

/** THP_ORDERS_ALL_ANON: orders 2 to the PMD order. */
export const anonOrders = (pmdOrder: number): number => ((1 << (pmdOrder + 1)) - 1) & ~3;

/** No size between a page and a PMD is on for anyone: a fault takes single pages without looking further. */
export const smallPagesOnly = (k: Kernel): boolean =>
  !k.era.mthp || ((k.g.ordersAlways | k.g.ordersMadvise | k.g.ordersInherit) & ((1 << k.geo.pmdOrder) - 1)) === 0;

/** What hugepages-N/enabled holds. */
export function sizeMode(g: Globals, order: number): ThpSizeMode {
  const bit = 1 << order;
  return g.ordersAlways & bit ? "always" : g.ordersInherit & bit ? "inherit" : g.ordersMadvise & bit ? "madvise" : "never";
}

/** vma_thp_disabled. */
function disabled(mm: Mm, flags: number, forced: boolean, exceptAdvised: boolean): boolean {
  if (flags & VM.noHugePage) return true;
  if (mm.thpDisable === 0) return false;
  if (!exceptAdvised || mm.thpDisable === 1) return true;
  return !forced && (flags & VM.hugePage) === 0;
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
export function orders(k: Kernel, q: Question): number {
  const forced = q.caller === "forcedCollapse";
  let left = q.orders & anonOrders(k.geo.pmdOrder);
  if (!forced) left &= ordersBySetting(k, q.flags);
  if (left === 0) return 0;
  if (disabled(q.mm, q.flags, forced, k.era.thpDisableExceptAdvised)) return 0;
  const inFault = q.caller === "pageFault";
  if (!inFault && q.caller !== "smaps" && q.flags & VM_NO_KHUGEPAGED) return 0;
  if (!inFault) {
    for (let order = k.geo.pmdOrder; order >= 0 && left !== 0; order--) {
      if ((left & (1 << order)) === 0) continue;
      if (fitsAtEnd(q.vma, order)) break;
      left &= ~(1 << order);
    }
    if (left === 0) return 0;
  }
  return q.vma.anonVma === 0 && !inFault && q.caller !== "smaps" ? 0 : left;
}
