import type { Mm, Vma } from "../../mm/records.ts";

/** Who asks whether a VMA may hold a huge page (enum tva_type of 6.18, the flags of earlier releases). */
export type Caller = "smaps" | "pageFault" | "khugepaged" | "forcedCollapse";
export const CALLERS: readonly Caller[] = ["pageFault", "khugepaged", "forcedCollapse", "smaps"];

export interface Question {
  readonly vma: Vma;
  readonly mm: Mm;
  readonly caller: Caller;
  /** flags to judge by: those the VMA has, or is about to have */
  readonly flags: number;
  /** bit per order: what is asked for */
  readonly orders: number;
}

/** Pages of a file lie in an aligned block as in a folio of that order; of anonymous memory always. */
export const liesAligned = (vma: Vma, order: number): boolean => vma.ops === "none" || (vma.start - vma.pgoff) % 2 ** order === 0;

/**
 * Room for a naturally aligned block of 2^order pages that ends at or before the VMA's end (thp_vma_suitable_order). Pages of a
 * file have to lie in the block as in a folio of that order.
 */
export function fitsAtEnd(vma: Vma, order: number): boolean {
  const pages = 2 ** order;
  if (!liesAligned(vma, order)) return false;
  const start = Math.floor((vma.end - pages) / pages) * pages;
  return start >= vma.start && start + pages <= vma.end;
}

/** The aligned block that holds `vpn` lies inside the VMA. */
export function fitsAround(vma: Vma, vpn: number, order: number): boolean {
  const pages = 2 ** order;
  const start = Math.floor(vpn / pages) * pages;
  return start >= vma.start && start + pages <= vma.end;
}
