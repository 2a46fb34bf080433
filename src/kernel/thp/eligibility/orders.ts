import type { Kernel } from "../../mm/kernel.ts";
import type { Globals, ThpSizeMode } from "../../mm/records.ts";
import { VM, VM_NO_KHUGEPAGED } from "../../mm/vmFlags.ts";
import { vmaThpDisabled } from "./disabled.ts";
import { fileAllowed, fileOrders } from "./files.ts";
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

/** Orders that the per-size files allow (thp_vma_allowable_orders, the inline part). */
export function ordersBySetting(k: Kernel, flags: number): number {
  const g = k.g;
  let mask = g.ordersAlways;
  if (flags & VM.hugePage) mask |= g.ordersMadvise;
  if (g.enabled === "always" || (flags & VM.hugePage && g.enabled !== "never")) mask |= g.ordersInherit;
  return mask;
}

/** 6.8 to 6.18: a bitmap of orders in, the allowed ones out (kernel-semantics.md 1.4 and 1.5). */
export function orders(k: Kernel, q: Question): number {
  const forced = q.caller === "forcedCollapse";
  const anonymous = q.vma.ops === "none";
  let left = q.orders & (anonymous ? anonOrders(k.geo.pmdOrder) : fileOrders(k.geo.pmdOrder));
  if (anonymous && !forced) left &= ordersBySetting(k, q.flags);
  if (left === 0) return 0;
  if (vmaThpDisabled(k, q.mm, q.flags, forced)) return 0;
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
  if (!anonymous) {
    // until 6.13 what tmpfs allows was returned as it is: orders that were not asked for, or do not fit the VMA
    const allowed = fileAllowed(k, q);
    return q.vma.ops !== "disk" && !k.era.shmemEligibleMasked ? allowed : left & allowed;
  }
  return q.vma.anonVma === 0 && !inFault && q.caller !== "smaps" ? 0 : left;
}
