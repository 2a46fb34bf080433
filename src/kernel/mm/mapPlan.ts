import { vmaThpDisabled } from "../thp/eligibility/disabled.ts";
import { NO_TABLE, type Pfn } from "../units.ts";
import { folioOrder, folioPages, isLarge } from "./folio.ts";
import { inodeOf, isShmem, sizePages } from "./inode.ts";
import { folioOf, type Kernel } from "./kernel.ts";
import { hiAt, indexAt, loAt, pteLevel, walkTo } from "./pgtable.ts";
import type { Inode, Vma } from "./records.ts";
import { fitsFile } from "./shmemOrders.ts";

/** How much of a file's folio a fault maps, and how. Plain questions: nothing is changed here, so that explanations may ask them too. */

/** The PMD entry over a page is empty: neither a table nor a leaf. */
export function pmdNone(k: Kernel, vma: Vma, vpn: number): boolean {
  if (k.geo.pmdLevel < 0) return false;
  const table = walkTo(k, k.mms.get(vma.mm).pgd, vpn, k.geo.pmdLevel);
  return table === NO_TABLE || loAt(k, table, indexAt(k.geo, k.geo.pmdLevel, vpn)) === 0;
}

/** The part of do_set_pmd that asks: a folio of PMD size lies right, and nothing forbids to map it by one entry. */
export function suitsPmd(k: Kernel, vma: Vma, vpn: number, head: Pfn): boolean {
  const order = k.geo.pmdOrder;
  if (!k.geo.thp || folioOrder(k, head) !== order || !fitsFile(vma, vpn, order)) return false;
  return !(k.era.setPmdChecksDisabled && vmaThpDisabled(k, k.mms.get(vma.mm), vma.flags, true));
}

/** How far a folio reaches over the end of a disk file: then it is mapped page by page, so that accesses behind the end get their signal (6.18). */
export const crossesEof = (k: Kernel, inode: Inode, head: Pfn): boolean =>
  k.era.faultStopsAtEof && !isShmem(k, inode) && sizePages(inode) < k.pageIndex.get(head) + folioPages(k, head);

/** The same as filemap_map_pages asks it (6.18): it takes the last page for the end, so that a file's last folio counts as crossing it. */
export const reachesEof = (k: Kernel, inode: Inode, head: Pfn): boolean =>
  k.era.faultStopsAtEof && !isShmem(k, inode) && sizePages(inode) - 1 < k.pageIndex.get(head) + folioPages(k, head);

/** Nothing stands in the entries for [first, first + n) of a table; a table that is not there has none. */
export function rangeNone(k: Kernel, vma: Vma, vpn: number, n: number): boolean {
  const t = walkTo(k, k.mms.get(vma.mm).pgd, vpn, pteLevel(k));
  if (t === NO_TABLE) return true;
  const first = indexAt(k.geo, pteLevel(k), vpn);
  for (let j = 0; j < n; j++) if (loAt(k, t, first + j) !== 0 || hiAt(k, t, first + j) !== 0) return false;
  return true;
}

/** By a PMD, all pages of the folio by PTEs, or the one page. */
export type MapPlan = "pmd" | "folio" | "page";

/** What finish_fault maps of the page that ->fault found; a private copy is always one page. */
export function mapPlan(k: Kernel, vma: Vma, vpn: number, page: Pfn): MapPlan {
  const head = folioOf(k, page);
  if (!isLarge(k, head) || crossesEof(k, inodeOf(k, vma), head)) return "page";
  if (pmdNone(k, vma, vpn) && suitsPmd(k, vma, vpn, head)) return "pmd";
  if (k.era.finishFault === "page" || (k.era.finishFault === "anonShmem" && vma.ops !== "anonShmem")) return "page";
  const pages = folioPages(k, head);
  const before = page - head;
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const inVma = vpn - before >= vma.start && vpn - before + pages <= vma.end;
  const inTable = i >= before && i - before + pages <= 1 << k.geo.levels[pteLevel(k)].bits;
  return inVma && inTable && rangeNone(k, vma, vpn - before, pages) ? "folio" : "page";
}

/** filemap_map_pmd: fault-around maps the first folio it meets by a PMD. */
export const aroundByPmd = (k: Kernel, vma: Vma, vpn: number, head: Pfn): boolean =>
  !reachesEof(k, inodeOf(k, vma), head) && isLarge(k, head) && suitsPmd(k, vma, vpn, head);

/** do_fault_around: the aligned window of fault_around_bytes around the page, within the VMA and the page table: first and last page. */
export function aroundWindow(k: Kernel, vma: Vma, vpn: number): { readonly first: number; readonly last: number } {
  const n = k.g.faultAroundPages;
  const entries = 1 << k.geo.levels[pteLevel(k)].bits;
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const from = Math.max(i - (i % n), i - Math.min(i, vpn - vma.start));
  const to = Math.min(from + n, entries, i + (vma.end - vpn)) - 1;
  return { first: vpn + from - i, last: vpn + to - i };
}
