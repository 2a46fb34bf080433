import type { Kernel } from "../../mm/kernel.ts";
import type { Globals, ThpSizeMode, Vma } from "../../mm/records.ts";
import { fileOrders } from "../../mm/shmemOrders.ts";
import { VM } from "../../mm/vmFlags.ts";
import { isSpecialHuge } from "../../mm/vmaOps.ts";

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

/** The orders that memory of a file may be tried in at all. 6.8 to 6.11: PMD and PUD; later PMD and PUD for DAX and raw memory, any folio order for other files. */
export function fileOrderSet(k: Kernel, vma: Vma): number {
  const huge = (1 << k.geo.pmdOrder) | (1 << k.geo.levels[k.geo.pmdLevel - 1].shift);
  return k.era.fileOrders === "pmdAndPud" || isSpecialHuge(k, vma) ? huge : fileOrders(k.geo.pmdOrder);
}

/** THP_ORDERS_ALL: what smaps asks about. */
export const allOrders = (k: Kernel): number =>
  !k.geo.thp ? 0 : anonOrders(k.geo.pmdOrder) | fileOrders(k.geo.pmdOrder) | (1 << k.geo.levels[k.geo.pmdLevel - 1].shift);
