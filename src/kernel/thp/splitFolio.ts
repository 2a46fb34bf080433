import { makeReadOnly } from "../arch/geometry.ts";
import { folioMapcount, folioOrder, folioPut, hasFlag, lruAdd, lruIsolate, unqueueDeferred } from "../mm/folio.ts";
import { MMC, MTHP, type Kernel } from "../mm/kernel.ts";
import { ORDER_MASK, PG } from "../mm/pageFlags.ts";
import { hiAt, indexAt, loAt, NONPRESENT, pfnHi, pfnLo, populate, pteLevel, setEntry, walkTo, withdraw } from "../mm/pgtable.ts";
import { protLo } from "../mm/prot.ts";
import { addRmapPtes, removeRmapPmd, removeRmapPtes } from "../mm/rmap.ts";
import { mappingsOf } from "../mm/rmapWalk.ts";
import type { Vma } from "../mm/records.ts";
import { tlbFlushRange } from "../mm/tlb.ts";
import { VM } from "../mm/vmFlags.ts";
import { VMSTAT } from "../mm/vmstat.ts";
import type { Pfn } from "../units.ts";
import { traceSplitFolio } from "../why/pages.ts";
import { isHugeZero } from "./hugeZero.ts";
import { splitPmd } from "./splitPmd.ts";

interface Remembered {
  readonly vma: Vma;
  readonly vpn: number;
  readonly lo: number;
  readonly hi: number;
  readonly page: Pfn;
  readonly exclusive: boolean;
}

/** unmap_folio: every mapping becomes a migration entry, remembered so that it can be put back page by page. */
function unmapFolio(k: Kernel, head: Pfn): Remembered[] {
  const out: Remembered[] = [];
  const n = 1 << k.geo.pmdOrder;
  for (const m of mappingsOf(k, head)) {
    if (m.level !== "pmd") continue;
    if (!k.era.splitFreezesPmd) {
      splitPmd(k, m.vma, m.place, m.vpn);
      continue;
    }
    const { table, i, lo, hi } = m.place;
    k.countVm(VMSTAT.thpSplitPmd);
    const pteTable = withdraw(k, table);
    const exclusive = hasFlag(k, head, PG.anonExclusive);
    const flagsLo = lo & 0xfff & ~k.geo.encoding.leaf;
    tlbFlushRange(k, m.vma.mm, m.vpn, m.vpn + n);
    for (let j = 0; j < n; j++) {
      const page = (head + j) as Pfn;
      out.push({ vma: m.vma, vpn: m.vpn + j, lo: pfnLo(page) | flagsLo, hi: (hi & ~0x7ff) | pfnHi(page), page, exclusive });
      setEntry(k, pteTable, j, NONPRESENT.migration, page);
    }
    setEntry(k, table, i, 0, 0);
    populate(k, table, i, pteTable);
    removeRmapPmd(k, head, m.vma);
    k.refcount.add(head, -1);
  }
  for (const m of mappingsOf(k, head)) {
    if (m.level !== "pte") continue;
    out.push({ vma: m.vma, vpn: m.vpn, lo: loAt(k, m.table, m.i), hi: hiAt(k, m.table, m.i), page: m.page, exclusive: hasFlag(k, m.page, PG.anonExclusive) });
    setEntry(k, m.table, m.i, NONPRESENT.migration, m.page);
    tlbFlushRange(k, m.vma.mm, m.vpn, m.vpn + 1);
    removeRmapPtes(k, m.page, 1, m.vma);
    k.refcount.add(head, -1);
  }
  return out;
}

/** remap_page: puts the mappings back; pages of zeros become the shared zero page where the release does that. */
function remap(k: Kernel, remembered: readonly Remembered[], split: boolean): void {
  const e = k.geo.encoding;
  for (const m of remembered) {
    const t = walkTo(k, k.mms.get(m.vma.mm).pgd, m.vpn, pteLevel(k));
    const i = indexAt(k.geo, pteLevel(k), m.vpn);
    const vma = k.vmas.get(m.vma.slot);
    if (split && k.era.splitToZeroPage && k.stamp.get(m.page) === 0 && !hasFlag(k, m.page, PG.mlocked) && (vma.flags & VM.locked) === 0) {
      const zero = k.g.zeroPfn;
      setEntry(k, t, i, makeReadOnly(e, protLo(k, vma.flags)) | e.special | pfnLo(zero), (m.hi & ~0x7ff) | pfnHi(zero));
      k.countMm(vma.mm, MMC.anonPages, -1);
      continue;
    }
    k.refcount.add(split ? m.page : folioHead(k, m.page), 1);
    addRmapPtes(k, m.page, 1, vma);
    if (m.exclusive) k.pageFlags.set(m.page, k.pageFlags.get(m.page) | PG.anonExclusive);
    setEntry(k, t, i, m.lo, m.hi);
  }
}

const folioHead = (k: Kernel, page: Pfn): number => (k.pageFlags.get(page) & PG.tail ? k.mapping.get(page) : page);

const COPIED = PG.anon | PG.swapbacked | PG.uptodate | PG.dirty | PG.referenced | PG.active | PG.mlocked | PG.unevictable;

/**
 * split_folio to order 0. The caller holds one reference of its own, which stays on the first page.
 * Returns false (EAGAIN, EBUSY) when somebody else holds a reference.
 */
export function splitFolio(k: Kernel, head: Pfn): boolean {
  const order = folioOrder(k, head);
  const n = 1 << order;
  const count = (ok: boolean): boolean => {
    if (order === k.geo.pmdOrder || !k.era.mthpStats) k.countVm(ok ? VMSTAT.thpSplitPage : VMSTAT.thpSplitPageFailed);
    if (k.era.mthpStats) k.countMthp(order, ok ? MTHP.split : MTHP.splitFailed);
    return ok;
  };
  if (isHugeZero(k, head)) return false;
  const extra = k.refcount.get(head) - folioMapcount(k, head) - 1;
  if (k.tracer !== null) traceSplitFolio(k, head, extra);
  if (extra !== 0) return count(false);
  const remembered = unmapFolio(k, head);
  unqueueDeferred(k, head);
  const isolated = lruIsolate(k, head);
  const flags = k.pageFlags.get(head);
  const anonVma = k.mapping.get(head);
  const index = k.pageIndex.get(head);
  if (k.era.mthpStats) k.countMthp(order, MTHP.nrAnon, -1);
  for (let j = 0; j < n; j++) {
    const page = head + j;
    k.pageFlags.set(page, flags & COPIED & ~ORDER_MASK);
    k.mapping.set(page, anonVma);
    k.pageIndex.set(page, index + j);
    k.refcount.set(page, 1);
    k.pageStep.set(page, k.step);
    if (isolated) lruAdd(k, page);
  }
  remap(k, remembered, true);
  for (let j = 1; j < n; j++) folioPut(k, (head + j) as Pfn);
  return count(true);
}
