import { isWritable, makeReadOnly, makeWritable } from "../arch/geometry.ts";
import { isRawPfn } from "../drivers/card.ts";
import { folioGet, folioMarkAccessed, folioPages, folioPut, hasFlag, mlockFolio, setFlag } from "../mm/folio.ts";
import { MMC, type Kernel } from "../mm/kernel.ts";
import { folioMarkDirty } from "../mm/pageCache.ts";
import { PG } from "../mm/pageFlags.ts";
import {
  accountPteTable,
  clearEntry,
  entryPfn,
  hiAt,
  indexAt,
  isLeaf,
  loAt,
  pfnHi,
  pfnLo,
  populate,
  present,
  setEntry,
  tableFree,
  walkTo,
  withdraw,
} from "../mm/pgtable.ts";
import { removeRmapPmd, splitAnonRmapPmd } from "../mm/rmap.ts";
import type { Vma } from "../mm/records.ts";
import { tlbFlushRange } from "../mm/tlb.ts";
import { VM, VM_SPECIAL } from "../mm/vmFlags.ts";
import { VMSTAT } from "../mm/vmstat.ts";
import type { Pfn, TableIndex } from "../units.ts";
import { traceSplitPartial } from "../why/pages.ts";
import { isHugeZero } from "./hugeZero.ts";

/** Where a PMD-sized leaf is. */
export interface PmdPlace {
  readonly table: TableIndex;
  readonly i: number;
  readonly lo: number;
  readonly hi: number;
}

/** The PMD entry of an address, or undefined where there is no PMD table. */
export function pmdOf(k: Kernel, mm: number, vpn: number): PmdPlace | undefined {
  if (k.geo.pmdLevel < 0) return undefined;
  const table = walkTo(k, k.mms.get(mm).pgd, vpn, k.geo.pmdLevel);
  if (table === 0) return undefined;
  const i = indexAt(k.geo, k.geo.pmdLevel, vpn);
  return { table, i, lo: loAt(k, table, i), hi: hiAt(k, table, i) };
}

/** pmd_trans_huge on a present leaf. */
export const isHugePmd = (k: Kernel, lo: number): boolean => present(k, lo) && isLeaf(k, lo);

/**
 * __split_huge_pmd of a folio of a file: the PMD goes, and with it the mapping. The next access faults again, by pages or by a PMD.
 * zap_huge_pmd does the same without counting it as a split.
 */
function dropFilePmd(k: Kernel, vma: Vma, place: PmdPlace, start: number): void {
  const head = entryPfn(place.lo, place.hi);
  const n = folioPages(k, head);
  clearEntry(k, place.table, place.i);
  tlbFlushRange(k, vma.mm, start, start + n);
  if ((place.lo & k.geo.encoding.dirty) !== 0) folioMarkDirty(k, head);
  if ((place.lo & k.geo.encoding.accessed) !== 0 && (vma.flags & (VM.seqRead | VM.randRead)) === 0) folioMarkAccessed(k, head);
  k.countMm(vma.mm, k.pageFlags.get(head) & PG.swapbacked ? MMC.shmemPages : MMC.filePages, -n);
  removeRmapPmd(k, head, vma);
  folioPut(k, head);
}

/** A PMD of memory that no folio stands behind (vma_is_special_huge): the entry goes, and nothing is counted. */
function dropRawPmd(k: Kernel, vma: Vma, place: PmdPlace, vpn: number): void {
  const n = 1 << k.geo.pmdOrder;
  const start = Math.floor(vpn / n) * n;
  clearEntry(k, place.table, place.i);
  tlbFlushRange(k, vma.mm, start, start + n);
}

const isFileFolio = (k: Kernel, head: Pfn): boolean => (k.pageFlags.get(head) & PG.file) !== 0;

/**
 * __split_huge_pmd: replaces a PMD leaf by a table of page entries (the deposited one). The folio stays whole.
 * Write, young, dirty, soft-dirty, uffd-wp and exclusivity are copied to every entry.
 */
export function splitPmd(k: Kernel, vma: Vma, place: PmdPlace, vpn: number): void {
  if (isRawPfn(k, entryPfn(place.lo, place.hi))) {
    k.countVm(VMSTAT.thpSplitPmd);
    dropRawPmd(k, vma, place, vpn);
    return;
  }
  const e = k.geo.encoding;
  const n = 1 << k.geo.pmdOrder;
  const start = Math.floor(vpn / n) * n;
  const { table, i, lo, hi } = place;
  k.countVm(VMSTAT.thpSplitPmd);
  const pfn = entryPfn(lo, hi);
  if (isFileFolio(k, pfn)) {
    dropFilePmd(k, vma, place, start);
    return;
  }
  const pteTable = withdraw(k, table);
  clearEntry(k, table, i);
  tlbFlushRange(k, vma.mm, start, start + n);
  if (isHugeZero(k, pfn)) {
    const zero = k.g.zeroPfn;
    const zeroLo = makeReadOnly(e, (lo & ~(0xfffff000 | e.leaf | e.dirty)) | e.special) | pfnLo(zero);
    for (let j = 0; j < n; j++) setEntry(k, pteTable, j, zeroLo, (hi & ~0x7ff) | pfnHi(zero));
    populate(k, table, i, pteTable);
    return;
  }
  const exclusive = hasFlag(k, pfn, PG.anonExclusive);
  const base = lo & 0xfff & ~(e.leaf | (k.era.splitKeepsDirty ? 0 : e.dirty));
  if (!k.era.splitKeepsDirty && (lo & e.dirty) !== 0) setFlag(k, pfn, PG.dirty);
  const flagsLo = isWritable(e, lo) ? makeWritable(e, base) : makeReadOnly(e, base);
  const flagsHi = hi & ~0x7ff;
  folioGet(k, pfn, n - 1);
  for (let j = 0; j < n; j++) {
    const page = pfn + j;
    setEntry(k, pteTable, j, pfnLo(page) | flagsLo, pfnHi(page) | flagsHi);
    if (exclusive) setFlag(k, page, PG.anonExclusive);
  }
  splitAnonRmapPmd(k, pfn, vma);
  // a page-table-mapped folio is counted as mlocked only from 6.7, and then only because all of it is mapped here
  if ((vma.flags & (VM.locked | VM_SPECIAL)) === VM.locked && k.era.rmapMlocksWholeFolio) mlockFolio(k, pfn);
  removeRmapPmd(k, pfn, vma);
  populate(k, table, i, pteTable);
}

/** split_huge_pmd_address: splits the PMD leaf across `vpn`, if there is one and the cut is inside it. */
export function splitPmdAddress(k: Kernel, vma: Vma, vpn: number): void {
  if (k.geo.pmdLevel < 0) return;
  const n = 1 << k.geo.pmdOrder;
  const start = Math.floor(vpn / n) * n;
  if (start === vpn || start < vma.start || start + n > vma.end) return;
  const place = pmdOf(k, vma.mm, vpn);
  if (place === undefined || !isHugePmd(k, place.lo)) return;
  if (k.tracer !== null) traceSplitPartial(k, vma, "split_huge_pmd_address", vpn, vpn);
  splitPmd(k, vma, place, vpn);
}

/** zap_huge_pmd: removes a PMD leaf as a whole, with its deposited table. */
export function zapPmd(k: Kernel, vma: Vma, place: PmdPlace, vpn: number): void {
  if (isRawPfn(k, entryPfn(place.lo, place.hi))) {
    dropRawPmd(k, vma, place, vpn);
    return;
  }
  const n = 1 << k.geo.pmdOrder;
  const start = Math.floor(vpn / n) * n;
  const pfn = entryPfn(place.lo, place.hi);
  if (isFileFolio(k, pfn)) {
    dropFilePmd(k, vma, place, start);
    return;
  }
  clearEntry(k, place.table, place.i);
  tlbFlushRange(k, vma.mm, start, start + n);
  const deposited = withdraw(k, place.table);
  tableFree(k, deposited);
  accountPteTable(k, vma.mm, -1);
  if (isHugeZero(k, pfn)) return;
  removeRmapPmd(k, pfn, vma);
  k.countMm(vma.mm, MMC.anonPages, -folioPages(k, pfn));
  folioPut(k, pfn);
}
