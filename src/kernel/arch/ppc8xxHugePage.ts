import { bugOn } from "../assert.ts";
import type { Kernel } from "../mm/kernel.ts";
import * as pgtable from "../mm/pgtable.ts";
import { NO_TABLE, type Pfn, type TableIndex } from "../units.ts";
import { PPC_8XX_PMD_PAGE_8M } from "./ppc8xx.ts";

/**
 * The 8 MiB page of powerpc 8xx since 6.11 (kernel-semantics.md 10.2): two entries of the top level, each marked as 8 MiB
 * and each with a page table of 1024 cells; cell after cell holds the next 4 KiB of the page. Before, both entries pointed
 * to one hugepte (hugepd); nothing of that is here.
 */
export const PAGE_8M_PAGES = 2048;
const ENTRIES = 2;

const is8M = (lo: number): boolean => (lo & PPC_8XX_PMD_PAGE_8M) === PPC_8XX_PMD_PAGE_8M;

function checkPlace(k: Kernel, vpn: number): void {
  bugOn(k.geo.id !== "ppc-8xx", `no 8 MiB pages on ${k.geo.id}`);
  bugOn(vpn % PAGE_8M_PAGES !== 0 || vpn + PAGE_8M_PAGES > k.geo.taskSizePages, `no place for an 8 MiB page: page ${vpn}`);
}

/**
 * Maps 8 MiB of memory from frame `pfn` on at page number `vpn`, both aligned to 8 MiB (set_huge_pte_at). `bits`: of each
 * cell besides its frame. The two entries must be empty. False, with nothing changed, when there is no memory for the tables.
 */
export function set8MPage(k: Kernel, mm: number, vpn: number, pfn: Pfn, bits: number): boolean {
  checkPlace(k, vpn);
  bugOn(pfn % PAGE_8M_PAGES !== 0, `frame ${pfn} does not begin an 8 MiB page`);
  const { pgd } = k.mms.get(mm);
  const first = pgtable.indexAt(k.geo, 0, vpn);
  const tables: TableIndex[] = [];
  for (let n = 0; n < ENTRIES; n++) {
    bugOn(pgtable.loAt(k, pgd, first + n) !== 0, `entry ${first + n} of the top level is in use`);
    const t = pgtable.tableAlloc(k);
    if (t === NO_TABLE) {
      for (const made of tables) pgtable.tableFree(k, made);
      return false;
    }
    tables.push(t);
  }
  const cells = 1 << k.geo.levels[pgtable.pteLevel(k)].bits;
  tables.forEach((t, n) => {
    for (let i = 0; i < cells; i++) pgtable.setEntry(k, t, i, pgtable.pfnLo(pfn + n * cells + i) | bits, pgtable.pfnHi(pfn + n * cells + i));
    pgtable.populate(k, pgd, first + n, t);
    pgtable.setEntry(k, pgd, first + n, pgtable.loAt(k, pgd, first + n) | PPC_8XX_PMD_PAGE_8M, pgtable.hiAt(k, pgd, first + n));
    pgtable.accountTable(k, mm, pgtable.pteLevel(k), 1);
  });
  return true;
}

/** What the walk finds at a page number: the frame, and how large the page is that it is part of (1 or 2048 pages of 4 KiB). */
export function walk8xx(k: Kernel, mm: number, vpn: number): { readonly pfn: Pfn; readonly pages: number } | undefined {
  const { pgd } = k.mms.get(mm);
  const upper = pgtable.loAt(k, pgd, pgtable.indexAt(k.geo, 0, vpn));
  if (!pgtable.present(k, upper)) return undefined;
  const t = pgtable.tableBelow(k, upper, pgtable.hiAt(k, pgd, pgtable.indexAt(k.geo, 0, vpn)));
  const i = pgtable.indexAt(k.geo, pgtable.pteLevel(k), vpn);
  const lo = pgtable.loAt(k, t, i);
  return pgtable.present(k, lo) ? { pfn: pgtable.entryPfn(lo, pgtable.hiAt(k, t, i)), pages: is8M(upper) ? PAGE_8M_PAGES : 1 } : undefined;
}

/** Takes an 8 MiB page out again and frees its two tables (huge_ptep_get_and_clear, then free_pgd_range). The memory stays the caller's. */
export function clear8MPage(k: Kernel, mm: number, vpn: number): void {
  checkPlace(k, vpn);
  const { pgd } = k.mms.get(mm);
  const first = pgtable.indexAt(k.geo, 0, vpn);
  for (let n = first; n < first + ENTRIES; n++) {
    const lo = pgtable.loAt(k, pgd, n);
    bugOn(!is8M(lo), `entry ${n} of the top level holds no 8 MiB page`);
    const t = pgtable.tableBelow(k, lo, pgtable.hiAt(k, pgd, n));
    for (let i = 0; i < 1 << k.geo.levels[pgtable.pteLevel(k)].bits; i++) pgtable.clearEntry(k, t, i);
    pgtable.clearEntry(k, pgd, n);
    pgtable.tableFree(k, t);
    pgtable.accountTable(k, mm, pgtable.pteLevel(k), -1);
  }
}
