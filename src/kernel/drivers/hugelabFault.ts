import { VMF } from "../mm/faultFlags.ts";
import { fileIndex } from "../mm/inode.ts";
import { MISC, type Kernel } from "../mm/kernel.ts";
import { hiAt, indexAt, loAt, pfnHi, pfnLo, pteLevel, setEntry, walkAlloc } from "../mm/pgtable.ts";
import { dirtyMaybeWrite, protHi, vmPageProt } from "../mm/prot.ts";
import type { Vma } from "../mm/records.ts";
import { tlbFlushRange } from "../mm/tlb.ts";
import { fitsAround } from "../thp/eligibility/question.ts";
import { NO_TABLE } from "../units.ts";
import { CARD_PAGES } from "./card.ts";

/** The driver's ->fault and ->huge_fault, with vmf_insert_pfn and vmf_insert_pfn_pmd (mm/memory.c, mm/huge_memory.c), which they end in. */

/** ->fault: maps one page of the card. */
export function hugelabFault(k: Kernel, vma: Vma, vpn: number): number {
  const index = fileIndex(vma, vpn);
  k.misc.add(MISC.deviceFaults, 1);
  if (index >= CARD_PAGES) return VMF.sigbus;
  const t = walkAlloc(k, vma.mm, vpn, pteLevel(k));
  if (t === NO_TABLE) return VMF.oom;
  const i = indexAt(k.geo, pteLevel(k), vpn);
  // insert_pfn leaves what is there
  if (loAt(k, t, i) !== 0 || hiAt(k, t, i) !== 0) return VMF.noPage;
  const pfn = k.cardStart + index;
  setEntry(k, t, i, pfnLo(pfn) | vmPageProt(k, vma) | k.geo.encoding.special, pfnHi(pfn) | protHi(k, vma.flags));
  return VMF.noPage;
}

/** ->huge_fault: maps 2 MiB of the card where they lie aligned in the mapping, which nobody checked before it. It has nothing larger to give. */
export function hugelabHugeFault(k: Kernel, vma: Vma, vpn: number, write: boolean, order: number): number {
  k.misc.add(order === k.geo.pmdOrder ? MISC.hugeFaultsPmd : MISC.hugeFaultsPud, 1);
  if (order !== k.geo.pmdOrder || k.g.hugelabOrder < order) return VMF.fallback;
  const pages = 2 ** order;
  const start = vpn - (vpn % pages);
  const index = fileIndex(vma, start);
  if (!fitsAround(vma, vpn, order) || index % pages !== 0 || index + pages > CARD_PAGES) return VMF.fallback;
  return insertPfnPmd(k, vma, start, k.cardStart + index, write) ? VMF.noPage : VMF.oom;
}

/** vmf_insert_pfn_pmd. Since 6.12 the entry says itself that no page stands behind it. False: no memory for a table. */
function insertPfnPmd(k: Kernel, vma: Vma, start: number, pfn: number, write: boolean): boolean {
  const e = k.geo.encoding;
  const table = walkAlloc(k, vma.mm, start, k.geo.pmdLevel);
  if (table === NO_TABLE) return false;
  const i = indexAt(k.geo, k.geo.pmdLevel, start);
  const was = loAt(k, table, i);
  if (was !== 0) {
    if (!write) return true;
    setEntry(k, table, i, dirtyMaybeWrite(k, was | e.accessed, vma.flags), hiAt(k, table, i));
    tlbFlushRange(k, vma.mm, start, start + 2 ** k.geo.pmdOrder);
    return true;
  }
  const lo = pfnLo(pfn) | vmPageProt(k, vma) | e.leaf | (k.era.pmdSpecial ? e.special : 0);
  setEntry(k, table, i, write ? dirtyMaybeWrite(k, lo | e.accessed, vma.flags) : lo, pfnHi(pfn) | protHi(k, vma.flags));
  return true;
}
