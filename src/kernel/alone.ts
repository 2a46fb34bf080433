/*
 * Derived by tools/deriveAlone.mjs from the generators that it names and what they call; changed only by changing those and running it again. Plain
 * functions for when no other thread is runnable: the same rules without their preemption points.
 */
import type { EntryEncoding, Geometry } from "./arch/geometry.ts";
import { hugelabFault } from "./drivers/hugelabFault.ts";
import { anonVmaPrepare } from "./mm/anonVma.ts";
import { INLINE, byteAt } from "./mm/content.ts";
import { type Failure, failed } from "./mm/errno.ts";
import { blockEmpty, doWpPage } from "./mm/fault.ts";
import { type FaultBatch, batchFor, batchPages, otherExceptions } from "./mm/faultBatch.ts";
import { FAULT, VMF, VMF_ERROR } from "./mm/faultFlags.ts";
import { type Signal, segv } from "./mm/faultSignal.ts";
import { setHugePmd } from "./mm/fileFault.ts";
import { filemapFault } from "./mm/filemapFault.ts";
import { deferredSplit, folioGet, folioPages, folioPut, hasFlag, isLarge, setFlag } from "./mm/folio.ts";
import { fileIndex, inodeOf, sizePages } from "./mm/inode.ts";
import { ENTRY_ROW, type Kernel, MMC, MTHP, PAGE_ROW, USE_ROW, folioOf } from "./mm/kernel.ts";
import { aroundByPmd, aroundWindow, mapPlan, pmdNone, reachesEof } from "./mm/mapPlan.ts";
import { MAX_ORDER, type MigrateType, PAGEBLOCK_ORDER } from "./mm/pageAlloc.ts";
import { filemapFolio, filemapNext, folioMarkDirty } from "./mm/pageCache.ts";
import { MIGRATE_SHIFT, ORDER_MASK, ORDER_SHIFT, PG } from "./mm/pageFlags.ts";
import {
  FLAG_BITS_HI,
  FLAG_BITS_LO,
  MARKER,
  accountPteTable,
  accountTable,
  deposit,
  isMarker,
  populate,
  setEntry,
  tableAlloc,
  tableFree,
  walkAlloc,
} from "./mm/pgtable.ts";
import { vmPageProt } from "./mm/prot.ts";
import type { Inode, PageContent, Task, Vma, Zone } from "./mm/records.ts";
import { addRmapPtes } from "./mm/rmap.ts";
import { shmemGetFolio } from "./mm/shmem.ts";
import { expandStack } from "./mm/stack.ts";
import { PTE_SET } from "./mm/tlb.ts";
import { type AccessKind, walkOthers } from "./mm/translate.ts";
import { VM, VM_SPECIAL } from "./mm/vmFlags.ts";
import { lowerIndex } from "./mm/vma.ts";
import { VMSTAT } from "./mm/vmstat.ts";
import { rssCounter } from "./mm/zap.ts";
import { isLocked, unlock } from "./sched/locks.ts";
import { QUANTUM, hugeWork, pace, paceWhole } from "./sched/pace.ts";
import { allowableOrders, pmdAllowed } from "./thp/eligibility/eligibility.ts";
import { smallPagesOnly } from "./thp/eligibility/orders.ts";
import { fitsAround } from "./thp/eligibility/question.ts";
import { allocThp, hugePmdWpPage, mapThp } from "./thp/hugeFault.ts";
import { hugeFaultLadder } from "./thp/hugeFaultLadder.ts";
import { getHugeZero } from "./thp/hugeZero.ts";
import { khugepagedEnterVma } from "./thp/khugepagedList.ts";
import { type TouchResult, noteSignal } from "./touchResult.ts";
import { NO_PFN, NO_TABLE, type Pfn, type TableIndex, asTable } from "./units.ts";
import { traceAround, traceAroundPmd, traceFileFault, traceMapped, traceMkwrite, traceNoPage } from "./why/fileFaults.ts";
import { traceAccessError, traceAnonymousPage, traceFaultError, traceHugeRead, traceNoVma } from "./why/pages.ts";
import { traceAllocFailed, traceAnonOrders, tracePmdFault, traceTableThere } from "./why/thp.ts";

const ENTRY_ROWAlone = ENTRY_ROW;
const FAULTAlone = FAULT;
const FLAG_BITS_HIAlone = FLAG_BITS_HI;
const FLAG_BITS_LOAlone = FLAG_BITS_LO;
const INLINEAlone = INLINE;
const MARKERAlone = MARKER;
const MAX_ORDERAlone = MAX_ORDER;
const MIGRATE_SHIFTAlone = MIGRATE_SHIFT;
const MMCAlone = MMC;
const MTHPAlone = MTHP;
const NO_PFNAlone = NO_PFN;
const NO_TABLEAlone = NO_TABLE;
const ORDER_MASKAlone = ORDER_MASK;
const ORDER_SHIFTAlone = ORDER_SHIFT;
const PAGEBLOCK_ORDERAlone = PAGEBLOCK_ORDER;
const PAGE_ROWAlone = PAGE_ROW;
const PGAlone = PG;
const PTE_SETAlone = PTE_SET;
const QUANTUMAlone = QUANTUM;
const USE_ROWAlone = USE_ROW;
const VMAlone = VM;
const VMFAlone = VMF;
const VMF_ERRORAlone = VMF_ERROR;
const VMSTATAlone = VMSTAT;
const VM_SPECIALAlone = VM_SPECIAL;

/** isWritable of arch/geometry.ts. */
const isWritableAlone = (e: EntryEncoding, lo: number): boolean => (lo & e.write.mask) === e.write.value;

/** makeWritable of arch/geometry.ts. */
const makeWritableAlone = (e: EntryEncoding, lo: number): number => (lo & ~e.write.mask) | e.write.value;

/** makeReadOnly of arch/geometry.ts. */
const makeReadOnlyAlone = (e: EntryEncoding, lo: number): number => (lo & ~e.write.mask) | (~e.write.value & e.write.mask);

/** pageRowAt of mm/kernel.ts. */
const pageRowAtAlone = (pfn: number): number => (pfn & ((1 << PAGE_ROWAlone.shift) - 1)) * PAGE_ROWAlone.width;

/** pageChunkEnd of mm/kernel.ts. */
const pageChunkEndAlone = (pfn: number, end: number): number => Math.min(end, (pfn | ((1 << PAGE_ROWAlone.shift) - 1)) + 1);

/** entryRowAt of mm/kernel.ts. */
const entryRowAtAlone = (e: number): number => (e & ((1 << ENTRY_ROWAlone.shift) - 1)) * ENTRY_ROWAlone.width;

/** Run of mm/content.ts. */
type RunAlone = readonly [offset: number, length: number, value: number];

/** inlineStamp of mm/content.ts. */
const inlineStampAlone = (offset: number, value: number): number => (value === 0 ? 0 : INLINEAlone | (offset << 8) | value);

/** runsOf of mm/content.ts. */
function runsOfAlone(k: Kernel, stamp: number): readonly RunAlone[] {
  if (stamp === 0) return [];
  if ((stamp & INLINEAlone) !== 0) return [[(stamp >>> 8) & 0xfff, 1, stamp & 0xff]];
  return k.contents.get(stamp).runs;
}

/** stampOf of mm/content.ts. */
function stampOfAlone(k: Kernel, runs: readonly RunAlone[]): number {
  if (runs.length === 0) return 0;
  if (runs.length === 1 && runs[0][1] === 1) return inlineStampAlone(runs[0][0], runs[0][2]);
  const key = runs.map((r) => r.join(":")).join(",");
  const known = k.contentSlots.get(key);
  if (known !== undefined && k.contents.find(known)?.key === key) return known;
  const slot = findContentAlone(k, key) ?? k.contents.add((): PageContent => ({ key, runs }));
  k.contentSlots.set(key, slot);
  return slot;
}

/** findContent of mm/content.ts. */
function findContentAlone(k: Kernel, key: string): number | undefined {
  for (const [slot, content] of k.contents.entries()) if (content.key === key) return slot;
  return undefined;
}

/** stampAfterWrite of mm/content.ts. */
function stampAfterWriteAlone(k: Kernel, stamp: number, offset: number, length: number, value: number): number {
  if (length === 1) {
    if (stamp === 0 || ((stamp & INLINEAlone) !== 0 && ((stamp >>> 8) & 0xfff) === offset)) return inlineStampAlone(offset, value);
  }
  const end = offset + length;
  const out: RunAlone[] = [];
  for (const [at, n, v] of runsOfAlone(k, stamp)) {
    if (at < offset) out.push([at, Math.min(n, offset - at), v]);
    if (at + n > end) out.push([Math.max(at, end), at + n - Math.max(at, end), v]);
  }
  if (value !== 0) out.push([offset, length, value]);
  out.sort((x, y) => x[0] - y[0]);
  const merged: RunAlone[] = [];
  for (const run of out) {
    const last = merged[merged.length - 1];
    if (last !== undefined && last[0] + last[1] === run[0] && last[2] === run[2]) merged[merged.length - 1] = [last[0], last[1] + run[1], run[2]];
    else merged.push(run);
  }
  return stampOfAlone(k, merged);
}

/** PMD_SET of mm/tlb.ts. */
const PMD_SETAlone = 32;

/** PUD_SET of mm/tlb.ts. */
const PUD_SETAlone = 8;

/** SETS of mm/tlb.ts. */
const SETSAlone = PTE_SETAlone + PMD_SETAlone + PUD_SETAlone;

/** STRIDE of mm/tlb.ts. */
const STRIDEAlone = 128;

/** MM_AT of mm/tlb.ts. */
const MM_ATAlone = 127;

/** tlbEntry of mm/tlb.ts. */
const tlbEntryAlone = (cpu: number, level: "pte" | "pmd" | "pud", vpn: number): number => {
  const base = cpu * STRIDEAlone;
  if (level === "pte") return base + (vpn & (PTE_SETAlone - 1));
  if (level === "pmd") return base + PTE_SETAlone + (((vpn | 0) >>> 9) & (PMD_SETAlone - 1));
  return base + PTE_SETAlone + PMD_SETAlone + (((vpn | 0) >>> 18) & (PUD_SETAlone - 1));
};

/** tagOf of mm/tlb.ts. */
const tagOfAlone = (level: "pte" | "pmd" | "pud", vpn: number): number =>
  level === "pte" ? vpn + 1 : level === "pmd" ? vpn - (vpn & 511) + 1 : vpn - (vpn & 0x3ffff) + 1;

/** tlbSwitch of mm/tlb.ts. */
function tlbSwitchAlone(k: Kernel, mm: number): void {
  const at = k.cpu * STRIDEAlone + MM_ATAlone;
  if (k.tlbTag.get(at) === mm) return;
  k.tlbTag.set(at, mm);
  k.tlbTag.fill(k.cpu * STRIDEAlone, SETSAlone, 0);
}

/** tlbFill of mm/tlb.ts. */
function tlbFillAlone(k: Kernel, level: "pte" | "pmd" | "pud", vpn: number, lo: number, hi: number): void {
  const at = tlbEntryAlone(k.cpu, level, vpn);
  k.tlbTag.set(at, tagOfAlone(level, vpn));
  k.tlbLo.set(at, lo);
  k.tlbHi.set(at, hi);
}

/** PAGEBLOCK_PAGES of mm/pageAlloc.ts. */
const PAGEBLOCK_PAGESAlone = 1 << PAGEBLOCK_ORDERAlone;

/** UNMOVABLE of mm/pageAlloc.ts. */
const UNMOVABLEAlone = 0;

/** MOVABLE of mm/pageAlloc.ts. */
const MOVABLEAlone = 1;

/** RECLAIMABLE of mm/pageAlloc.ts. */
const RECLAIMABLEAlone = 2;

/** typeNumber of mm/pageAlloc.ts. */
const typeNumberAlone = (type: MigrateType): number => (type === "movable" ? MOVABLEAlone : type === "unmovable" ? UNMOVABLEAlone : RECLAIMABLEAlone);

/** FALLBACKS of mm/pageAlloc.ts. */
const FALLBACKSAlone: readonly (readonly number[])[] = [
  [RECLAIMABLEAlone, MOVABLEAlone],
  [RECLAIMABLEAlone, UNMOVABLEAlone],
  [UNMOVABLEAlone, MOVABLEAlone],
];

/** LISTS of mm/pageAlloc.ts. */
const LISTSAlone = (MAX_ORDERAlone + 1) * 3;

/** listAt of mm/pageAlloc.ts. */
const listAtAlone = (zone: number, order: number, type: number): number => zone * 64 + order * 3 + type;

/** frontierAt of mm/pageAlloc.ts. */
const frontierAtAlone = (zone: number): number => zone * 64 + LISTSAlone;

/** freePagesAt of mm/pageAlloc.ts. */
const freePagesAtAlone = (zone: number): number => zone * 64 + LISTSAlone + 1;

/** listAdd of mm/pageAlloc.ts. */
function listAddAlone(k: Kernel, zone: number, pfn: number, order: number, type: number): void {
  const list = listAtAlone(zone, order, type);
  const head = k.freeHead.get(list);
  const row = k.pageRows.ownRow(pfn);
  const at = pageRowAtAlone(pfn);
  row[at + PAGE_ROWAlone.buddyNext] = head;
  row[at + PAGE_ROWAlone.buddyPrev] = -1;
  row[at + PAGE_ROWAlone.flags] = PGAlone.buddy | (order << ORDER_SHIFTAlone) | (type << MIGRATE_SHIFTAlone);
  if (head >= 0) k.buddyPrev.set(head, pfn);
  k.freeHead.set(list, pfn);
  k.freeCount.add(list, 1);
}

/** listRemove of mm/pageAlloc.ts. */
function listRemoveAlone(k: Kernel, zone: number, pfn: number, order: number, type: number): void {
  const list = listAtAlone(zone, order, type);
  const row = k.pageRows.ownRow(pfn);
  const at = pageRowAtAlone(pfn);
  const next = row[at + PAGE_ROWAlone.buddyNext];
  const prev = row[at + PAGE_ROWAlone.buddyPrev];
  row[at + PAGE_ROWAlone.flags] = 0;
  if (prev >= 0) k.buddyNext.set(prev, next);
  else k.freeHead.set(list, next);
  if (next >= 0) k.buddyPrev.set(next, prev);
  k.freeCount.add(list, -1);
}

/** setBlockType of mm/pageAlloc.ts. */
const setBlockTypeAlone = (k: Kernel, pfn: number, type: number): void => k.blockType.set(pfn >>> PAGEBLOCK_ORDERAlone, type + 1);

/** expand of mm/pageAlloc.ts. */
function expandAlone(k: Kernel, zone: number, pfn: number, from: number, to: number, type: number, taken = 1 << to): void {
  let end = 1 << from;
  for (let order = from - 1; order >= to; order--) {
    if (end - (1 << order) < taken) continue;
    end -= 1 << order;
    listAddAlone(k, zone, pfn + end, order, type);
  }
}

/** smallestFree of mm/pageAlloc.ts. */
function smallestFreeAlone(k: Kernel, zone: number, order: number, type: number): number {
  let o = order;
  while (o <= MAX_ORDERAlone && k.freeHead.get(listAtAlone(zone, o, type)) < 0) o++;
  return o;
}

/** takeSmallest of mm/pageAlloc.ts. */
function takeSmallestAlone(k: Kernel, zone: number, order: number, type: number, nr: number): number {
  const o = smallestFreeAlone(k, zone, order, type);
  if (o > MAX_ORDERAlone) return NO_PFNAlone;
  const pfn = k.freeHead.get(listAtAlone(zone, o, type));
  listRemoveAlone(k, zone, pfn, o, type);
  if (o > order) expandAlone(k, zone, pfn, o, order, type, nr << order);
  // each of the others was the only one on a list before its turn came
  for (let next = pfn + 1; next < pfn + nr;) {
    const stop = pageChunkEndAlone(next, pfn + nr);
    const row = k.pageRows.ownRow(next);
    for (let at = pageRowAtAlone(next); next < stop; at += PAGE_ROWAlone.width, next++) {
      row[at + PAGE_ROWAlone.flags] = 0;
      row[at + PAGE_ROWAlone.buddyNext] = -1;
      row[at + PAGE_ROWAlone.buddyPrev] = -1;
    }
  }
  return pfn;
}

/** carve of mm/pageAlloc.ts. */
function carveAlone(k: Kernel, zone: Zone): boolean {
  const start = k.freeCount.get(frontierAtAlone(zone.slot));
  if (start >= zone.end) return false;
  let order = MAX_ORDERAlone;
  while (order > 0 && (start % (1 << order) !== 0 || start + (1 << order) > zone.end)) order--;
  k.freeCount.set(frontierAtAlone(zone.slot), start + (1 << order));
  listAddAlone(k, zone.slot, start, order, MOVABLEAlone);
  return true;
}

/** steal of mm/pageAlloc.ts. */
function stealAlone(k: Kernel, zone: number, order: number, type: number): number {
  for (let o = MAX_ORDERAlone; o >= order; o--) {
    for (const other of FALLBACKSAlone[type]) {
      const pfn = k.freeHead.get(listAtAlone(zone, o, other));
      if (pfn < 0) continue;
      listRemoveAlone(k, zone, pfn, o, other);
      let owner = other;
      // a block of at least half a page block, or any block for kernel memory, takes the page block along
      if (o >= PAGEBLOCK_ORDERAlone || type !== MOVABLEAlone) {
        owner = type;
        const first = pfn - (pfn % PAGEBLOCK_PAGESAlone);
        const blocks = Math.max(1, (1 << o) >>> PAGEBLOCK_ORDERAlone);
        for (let b = 0; b < blocks; b++) setBlockTypeAlone(k, first + b * PAGEBLOCK_PAGESAlone, type);
      }
      expandAlone(k, zone, pfn, o, order, owner);
      return pfn;
    }
  }
  return NO_PFNAlone;
}

/** takeBlock of mm/pageAlloc.ts. */
function takeBlockAlone(k: Kernel, zone: Zone, order: number, type: number, nr: number): number {
  for (;;) {
    const pfn = takeSmallestAlone(k, zone.slot, order, type, nr);
    if (pfn !== NO_PFNAlone) return pfn;
    const largest = listAtAlone(zone.slot, MAX_ORDERAlone, MOVABLEAlone);
    if (type !== MOVABLEAlone && k.freeHead.get(largest) >= 0) return stealAlone(k, zone.slot, order, type);
    if (!carveAlone(k, zone)) return stealAlone(k, zone.slot, order, type);
  }
}

/** PREFERENCE of mm/pageAlloc.ts. */
const PREFERENCEAlone: readonly (readonly number[])[] = [[], [1], [2, 1], [3, 2, 1]];

/** ALLOC_ITEM of mm/pageAlloc.ts. */
const ALLOC_ITEMAlone: readonly number[] = [-1, VMSTATAlone.pgallocDma, VMSTATAlone.pgallocDma32, VMSTATAlone.pgallocNormal];

/** aboveWatermark of mm/pageAlloc.ts. */
const aboveWatermarkAlone = (k: Kernel, zone: Zone): number => k.freeCount.get(freePagesAtAlone(zone.slot)) - zone.minPages;

/** allocPages of mm/pageAlloc.ts. */
function allocPagesAlone(k: Kernel, order: number, type: MigrateType, nr = 1): Pfn {
  const wanted = typeNumberAlone(type);
  const slots = PREFERENCEAlone[k.zones.count];
  const pages = nr << order;
  for (let z = 0; z < slots.length; z++) {
    const slot = slots[z];
    const zone = k.zones.get(slot);
    if (aboveWatermarkAlone(k, zone) < pages) continue;
    const pfn = takeBlockAlone(k, zone, order, wanted, nr);
    if (pfn === NO_PFNAlone) continue;
    k.freeCount.add(freePagesAtAlone(slot), -pages);
    k.vmstat.add(ALLOC_ITEMAlone[slot], pages);
    return pfn as Pfn;
  }
  return NO_PFNAlone;
}

/** indexAt of mm/pgtable.ts. */
function indexAtAlone(geo: Geometry, level: number, vpn: number): number {
  const { scale, mask } = geo.levels[level];
  return (vpn * scale) & mask;
}

/** loAt of mm/pgtable.ts. */
const loAtAlone = (k: Kernel, t: TableIndex, i: number): number => k.entryLo.get(t * k.geo.tableStride + i);

/** hiAt of mm/pgtable.ts. */
const hiAtAlone = (k: Kernel, t: TableIndex, i: number): number => k.entryHi.get(t * k.geo.tableStride + i);

/** present of mm/pgtable.ts. */
const presentAlone = (k: Kernel, lo: number): boolean => (lo & (k.geo.encoding.present | k.geo.encoding.protNone)) !== 0;

/** isLeaf of mm/pgtable.ts. */
const isLeafAlone = (k: Kernel, lo: number): boolean => (lo & k.geo.encoding.leaf) !== 0;

/** entryPfn of mm/pgtable.ts. */
const entryPfnAlone = (lo: number, hi: number): Pfn => ((lo >>> 12) | ((hi & 0x7ff) << 20)) as Pfn;

/** pfnLo of mm/pgtable.ts. */
const pfnLoAlone = (pfn: number): number => (pfn & 0xfffff) << 12;

/** pfnHi of mm/pgtable.ts. */
const pfnHiAlone = (pfn: number): number => (pfn >>> 20) & 0x7ff;

/** setPtes of mm/pgtable.ts. */
function setPtesAlone(k: Kernel, t: TableIndex, i: number, nr: number, stride: number, lo: number, hi: number, frameStep: 0 | 1): void {
  const first = t * k.geo.tableStride + i;
  const { step } = k;
  let pfn: number = entryPfnAlone(lo, hi);
  // a table lies in one chunk: a chunk holds one or more of any geometry (boot.ts)
  const row = k.entryRows.ownRow(first);
  const end = entryRowAtAlone(first) + nr * stride * ENTRY_ROWAlone.width;
  for (let at = entryRowAtAlone(first); at < end; at += stride * ENTRY_ROWAlone.width) {
    row[at + ENTRY_ROWAlone.lo] = (lo & FLAG_BITS_LOAlone) | pfnLoAlone(pfn);
    row[at + ENTRY_ROWAlone.hi] = (hi & FLAG_BITS_HIAlone) | pfnHiAlone(pfn);
    row[at + ENTRY_ROWAlone.step] = step;
    pfn += frameStep;
  }
  k.tableUsed.add(t, nr);
}

/** isCached of mm/pgtable.ts. */
function isCachedAlone(k: Kernel, mm: number, vpn: number): boolean {
  const c = k.tableCache;
  return c.mm === mm && vpn >= c.first && vpn < c.first + c.pages && c.restores === k.store.restores && !k.preempt;
}

/** cachedTable of mm/pgtable.ts. */
const cachedTableAlone = (k: Kernel, mm: number, vpn: number): TableIndex => (isCachedAlone(k, mm, vpn) ? k.tableCache.table : NO_TABLEAlone);

/** cachedEntry of mm/pgtable.ts. */
const cachedEntryAlone = (k: Kernel, mm: number, vpn: number): number =>
  isCachedAlone(k, mm, vpn) ? k.tableCache.firstEntry + ((vpn - k.tableCache.first) | 0) : -1;

/** cacheTable of mm/pgtable.ts. */
function cacheTableAlone(k: Kernel, mm: number, vpn: number, t: TableIndex): void {
  const c = k.tableCache;
  const { mask } = k.geo.levels[k.geo.levels.length - 1];
  c.first = vpn - (vpn & mask);
  c.pages = mask + 1;
  c.table = t;
  c.firstEntry = t * k.geo.tableStride;
  c.mm = mm;
  c.restores = k.store.restores;
}

/** tableBelow of mm/pgtable.ts. */
const tableBelowAlone = (k: Kernel, lo: number, hi: number): TableIndex => asTable(k.mapping.get(entryPfnAlone(lo, hi)));

/** pteLevel of mm/pgtable.ts. */
const pteLevelAlone = (k: Kernel): number => k.geo.levels.length - 1;

/** protLo of mm/prot.ts. */
function protLoAlone(k: Kernel, flags: number): number {
  const e = k.geo.encoding;
  if ((flags & (VMAlone.read | VMAlone.write | VMAlone.exec)) === 0) return makeReadOnlyAlone(e, e.protNone | e.accessed);
  const exec = flags & VMAlone.exec ? e.execLo : 0;
  return makeReadOnlyAlone(e, e.present | e.user | e.accessed | exec);
}

/** protHi of mm/prot.ts. */
const protHiAlone = (k: Kernel, flags: number): number => (flags & VMAlone.exec ? 0 : k.geo.encoding.noExecHi);

/** dirtyBits of mm/prot.ts. */
const dirtyBitsAlone = (k: Kernel): number => k.dirtyBits;

/** entryLoFor of mm/prot.ts. */
const entryLoForAlone = (k: Kernel, pfn: number, flags: number): number => pfnLoAlone(pfn) | protLoAlone(k, flags);

/** entryHiFor of mm/prot.ts. */
const entryHiForAlone = (k: Kernel, pfn: number, flags: number): number => pfnHiAlone(pfn) | protHiAlone(k, flags);

/** dirtyMaybeWrite of mm/prot.ts. */
const dirtyMaybeWriteAlone = (k: Kernel, lo: number, flags: number): number =>
  (flags & VMAlone.write ? makeWritableAlone(k.geo.encoding, lo) : lo) | dirtyBitsAlone(k);

/** folioOrder of mm/folio.ts. */
const folioOrderAlone = (k: Kernel, head: number): number => (k.pageFlags.get(head) & ORDER_MASKAlone) >>> ORDER_SHIFTAlone;

/** NO_COUNTS of mm/folio.ts. */
const NO_COUNTSAlone = [0, 0, 0, 0, 0, 0, 0] as const;

/** NO_MM of mm/folio.ts. */
const NO_MMAlone = [0, 0] as const;

/** prepFolio of mm/folio.ts. */
function prepFolioAlone(k: Kernel, head: Pfn, order: number, nr = 1): void {
  if (order > 0) {
    k.folioRows.fillRows(head, 1, NO_COUNTSAlone);
    k.mmIdRows.fillRows(2 * head, 2, NO_MMAlone);
    k.pageRows.fillRows(head + 1, (1 << order) - 1, [PGAlone.tail, head, 0, 0, 0]);
  }
  const flags = order === 0 ? 0 : PGAlone.head | (order << ORDER_SHIFTAlone);
  const { step } = k;
  for (let pfn = head as number; pfn < head + nr;) {
    const stop = pageChunkEndAlone(pfn, head + nr);
    const page = k.pageRows.ownRow(pfn);
    const use = k.useRows.ownRow(pfn);
    for (let at = pageRowAtAlone(pfn); pfn < stop; at += PAGE_ROWAlone.width, pfn++) {
      page[at + PAGE_ROWAlone.flags] = flags;
      page[at + PAGE_ROWAlone.mapping] = 0;
      page[at + PAGE_ROWAlone.stamp] = 0;
      use[at + USE_ROWAlone.refcount] = 1;
      use[at + USE_ROWAlone.step] = step;
    }
  }
}

/** allocZeroedFolio of mm/folio.ts. */
function allocZeroedFolioAlone(k: Kernel, order: number, type: MigrateType = "movable", nr = 1): Pfn {
  const pfn = allocPagesAlone(k, order, type, nr);
  if (pfn === NO_PFNAlone) return NO_PFNAlone;
  prepFolioAlone(k, pfn, order, nr);
  if (order > 0) k.work += hugeWork(order);
  const { costs } = k;
  k.charge(nr * (order === 0 ? costs.allocPageNs + costs.zero4kNs : costs.allocHugeNs + costs.zero4kNs * (1 << order)));
  return pfn;
}

/** lruItem of mm/folio.ts. */
function lruItemAlone(flags: number): number {
  if (flags & PGAlone.unevictable) return VMSTATAlone.nrUnevictable;
  if ((flags & (PGAlone.anon | PGAlone.swapbacked)) === 0) return flags & PGAlone.active ? VMSTATAlone.nrActiveFile : VMSTATAlone.nrInactiveFile;
  return flags & PGAlone.active ? VMSTATAlone.nrActiveAnon : VMSTATAlone.nrInactiveAnon;
}

/** lockedVma of mm/rmap.ts. */
const lockedVmaAlone = (vma: Vma): boolean => (vma.flags & (VMAlone.locked | VM_SPECIALAlone)) === VMAlone.locked;

/** addLarge of mm/rmap.ts. */
function addLargeAlone(k: Kernel, head: number, diff: number, mm: number): void {
  const total = k.largeMapcount.get(head) + diff;
  k.largeMapcount.set(head, total);
  const a = 2 * head;
  if (k.mmIds.get(a) === mm) k.mmIdMapcount.add(a, diff);
  else if (k.mmIds.get(a + 1) === mm) k.mmIdMapcount.add(a + 1, diff);
  else if (k.mmIds.get(a) === 0) {
    k.mmIds.set(a, mm);
    k.mmIdMapcount.set(a, diff);
    if (total !== diff) setFlag(k, head, PGAlone.mappedShared);
  } else if (k.mmIds.get(a + 1) === 0) {
    k.mmIds.set(a + 1, mm);
    k.mmIdMapcount.set(a + 1, diff);
    setFlag(k, head, PGAlone.mappedShared);
  }
}

/** addNewAnonRmap of mm/rmap.ts. */
function addNewAnonRmapAlone(k: Kernel, head: Pfn, vma: Vma, vpn: number, byPmd: boolean, nr = 1, stride = 1): void {
  const locked = lockedVmaAlone(vma);
  const fresh = k.pageFlags.get(head);
  const order = (fresh & ORDER_MASKAlone) >>> ORDER_SHIFTAlone;
  // on the LRU from here on (folio_add_lru_vma), a locked one on the list of those that are not looked at
  const flags =
    fresh | PGAlone.anon | PGAlone.swapbacked | PGAlone.uptodate | PGAlone.anonExclusive | PGAlone.lru | (locked ? PGAlone.mlocked | PGAlone.unevictable : 0);
  const { step } = k;
  // that of a large folio's first page is set where all its pages are
  const mapcount = order === 0 ? 1 : k.mapcount.get(head);
  const mapping = vma.anonVma;
  let index = vma.pgoff + (vpn - vma.start);
  for (let pfn = head as number; pfn < head + nr;) {
    const stop = pageChunkEndAlone(pfn, head + nr);
    const page = k.pageRows.ownRow(pfn);
    const use = k.useRows.ownRow(pfn);
    for (let at = pageRowAtAlone(pfn); pfn < stop; at += PAGE_ROWAlone.width, pfn++) {
      page[at + PAGE_ROWAlone.flags] = flags;
      page[at + PAGE_ROWAlone.mapping] = mapping;
      use[at + USE_ROWAlone.mapcount] = mapcount;
      use[at + USE_ROWAlone.step] = step;
      use[at + USE_ROWAlone.index] = index | 0;
      use[at + USE_ROWAlone.index + 1] = index * 2 ** -32;
      index += stride;
    }
  }
  if (order > 0) mapNewLargeAlone(k, head, order, vma.mm, byPmd);
  const n = nr << order;
  k.vmstat.add(VMSTATAlone.nrAnonPages, n);
  k.vmstat.add(lruItemAlone(flags), n);
  if (locked) {
    k.mlockCount.fill(head, nr, 1);
    k.countVm(VMSTATAlone.nrMlock, n);
    k.countVm(VMSTATAlone.unevictablePgsMlocked, n);
  }
}

/** mapNewLarge of mm/rmap.ts. */
function mapNewLargeAlone(k: Kernel, head: Pfn, order: number, mm: number, byPmd: boolean): void {
  const n = 1 << order;
  if (byPmd) {
    k.entireMapcount.set(head, 1);
    addLargeAlone(k, head, 1, mm);
    k.vmstat.add(VMSTATAlone.nrAnonTransparentHugepages, 1);
  } else {
    k.pageFlags.fill(head + 1, n - 1, PGAlone.tail | PGAlone.anonExclusive);
    k.mapcount.fill(head, n, 1);
    k.pagesMapped.set(head, n);
    addLargeAlone(k, head, n, mm);
  }
  if (k.era.mthpStats) k.countMthp(order, MTHPAlone.nrAnon);
}

/** findVma of mm/vma.ts. */
function findVmaAlone(k: Kernel, mm: number, vpn: number): Vma | undefined {
  const last = k.lastVma;
  // still in its slot, so it has not changed: what holds the page is what ends above it first
  if (last !== null && !k.preempt && vpn >= last.start && vpn < last.end && last.mm === mm && k.vmas.find(last.slot) === last) return last;
  const list = k.mms.get(mm).vmas;
  const i = lowerIndex(k, mm, vpn);
  if (i === list.length) return undefined;
  k.lastVma = k.vmas.get(list[i]);
  return k.lastVma;
}

/** translate of mm/translate.ts. */
function translateAlone(k: Kernel, mm: number, vpn: number, kind: AccessKind): number {
  tlbSwitchAlone(k, mm);
  const hit = lookupAlone(k, vpn, kind === "w", kind === "x");
  return hit >= 0 ? hit : walkTablesAlone(k, mm, vpn, kind);
}

/** mayExecute of mm/translate.ts. */
const mayExecuteAlone = (e: EntryEncoding, lo: number, hi: number): boolean => (hi & e.noExecHi) === 0 && (e.execLo === 0 || (lo & e.execLo) !== 0);

/** countMisses of mm/translate.ts. */
function countMissesAlone(k: Kernel, kind: AccessKind, misses: number): void {
  if (kind === "w") k.tlbStoreMisses += misses;
  else k.tlbLoadMisses += misses;
}

/** walkTables of mm/translate.ts. */
function walkTablesAlone(k: Kernel, mm: number, vpn: number, kind: AccessKind): number {
  countMissesAlone(k, kind, 1);
  const cached = cachedEntryAlone(k, mm, vpn);
  if (cached >= 0) {
    const lo = k.entryLo.get(cached);
    return (lo & k.geo.encoding.present) === 0 ? -1 : useLeafAlone(k, vpn, kind, 0, cached, lo);
  }
  return walkFromTopAlone(k, mm, vpn, kind);
}

/** walkFromTop of mm/translate.ts. */
function walkFromTopAlone(k: Kernel, mm: number, vpn: number, kind: AccessKind): number {
  const { levels, encoding, tableStride } = k.geo;
  const last = levels.length - 1;
  let t = k.mms.get(mm).pgd;
  for (let l = 0; ; l++) {
    if (l === last) cacheTableAlone(k, mm, vpn, t);
    const at = t * tableStride + indexAtAlone(k.geo, l, vpn);
    const lo = k.entryLo.get(at);
    if ((lo & encoding.present) === 0) return -1;
    if (l === last || (lo & encoding.leaf) !== 0) return useLeafAlone(k, vpn, kind, levels[l].shift, at, lo);
    t = tableBelowAlone(k, lo, k.entryHi.get(at));
  }
}

/** useLeaf of mm/translate.ts. */
function useLeafAlone(k: Kernel, vpn: number, kind: AccessKind, shift: number, at: number, lo: number): number {
  const e = k.geo.encoding;
  const hi = k.entryHi.get(at);
  if (kind === "w" && !isWritableAlone(e, lo)) return -1;
  if (kind === "x" && !mayExecuteAlone(e, lo, hi)) return -1;
  const next = lo | e.accessed | (kind === "w" ? k.dirtyBits : 0);
  if (next !== lo) {
    k.entryLo.set(at, next);
    k.entryStep.set(at, k.step);
  }
  if (shift === 0) {
    tlbFillAlone(k, "pte", vpn, next, hi);
    return entryPfnAlone(lo, hi);
  }
  tlbFillAlone(k, shift === k.geo.pmdOrder ? "pmd" : "pud", vpn, next, hi);
  return entryPfnAlone(lo, hi) + ((vpn | 0) & ((1 << shift) - 1));
}

/** lookup of mm/translate.ts. */
function lookupAlone(k: Kernel, vpn: number, write: boolean, exec: boolean): number {
  const e = k.geo.encoding;
  const need = write ? e.dirty : 0;
  let at = tlbEntryAlone(k.cpu, "pte", vpn);
  let mask = 0;
  if (k.tlbTag.get(at) !== tagOfAlone("pte", vpn)) {
    if (!k.geo.thp) return -1;
    at = tlbEntryAlone(k.cpu, "pmd", vpn);
    mask = 511;
    if (k.tlbTag.get(at) !== tagOfAlone("pmd", vpn)) return -1;
  }
  const lo = k.tlbLo.get(at);
  if (write && ((lo & need) === 0 || !isWritableAlone(e, lo))) return -1;
  const hi = k.tlbHi.get(at);
  if (exec && !mayExecuteAlone(e, lo, hi)) return -1;
  return entryPfnAlone(lo, hi) + (vpn & mask);
}

/** BUS of mm/faultSignal.ts. */
const BUSAlone: Signal = { signal: "SIGBUS", code: "BUS_ADRERR", addressLsb: 0 };

/** POISON of mm/faultSignal.ts. */
const POISONAlone: Signal = { signal: "SIGBUS", code: "BUS_MCEERR_AR", addressLsb: 12 };

/** accessError of mm/faultSignal.ts. */
function accessErrorAlone(flags: number, kind: AccessKind, presentAlone: boolean): boolean {
  if (kind === "w") return (flags & VMAlone.write) === 0;
  // an instruction fetch is judged as a read: the page is mapped and the fetch then faults on it
  if (presentAlone) return true;
  return (flags & (VMAlone.read | VMAlone.write | VMAlone.exec)) === 0;
}

/** isSignal of mm/faultSignal.ts. */
const isSignalAlone = (found: Vma | Signal): found is Signal => (found as Signal).signal !== undefined;

/** vmaForFault of mm/faultSignal.ts. */
function vmaForFaultAlone(k: Kernel, mm: number, vpn: number, kind: AccessKind): Vma | Signal {
  let vma = findVmaAlone(k, mm, vpn);
  if (vma === undefined) {
    if (k.tracer !== null) traceNoVma(k, mm, vpn);
    return segv("SEGV_MAPERR");
  }
  if (vma.start > vpn) {
    const grown = expandStack(k, vma, vpn);
    if (grown === null) return segv("SEGV_MAPERR");
    vma = grown;
  }
  const fetchOfPresent = kind === "x" && translateAlone(k, mm, vpn, "r") >= 0 && translateAlone(k, mm, vpn, "x") < 0;
  if (!accessErrorAlone(vma.flags, kind, fetchOfPresent)) return vma;
  if (k.tracer !== null) traceAccessError(k, vma, vpn, kind, fetchOfPresent);
  return segv("SEGV_ACCERR");
}

/** faultFlagsOf of mm/faultSignal.ts. */
const faultFlagsOfAlone = (kind: AccessKind): number => FAULTAlone.user | (kind === "w" ? FAULTAlone.write : kind === "x" ? FAULTAlone.instruction : 0);

/** signalOf of mm/faultSignal.ts. */
function signalOfAlone(k: Kernel, r: number): Signal | null {
  if (r & VMFAlone.oom) return BUSAlone;
  // bad_area_nosemaphore: a fault that the memory manager refused (a guard) says MAPERR
  if (r & VMFAlone.sigsegv) return segv("SEGV_MAPERR");
  if (r & (VMFAlone.hwpoison | VMFAlone.hwpoisonLarge)) return k.profile.config.memoryFailure ? POISONAlone : BUSAlone;
  return r & VMFAlone.sigbus ? BUSAlone : null;
}

/** askForBatch of mm/faultBatch.ts. */
function askForBatchAlone(batch: FaultBatch, most: number): void {
  if (batch.pause > 0) batch.pause--;
  batch.wanted = batch.possible && batch.pause === 0 ? most : 1;
}

/** Found of mm/fileFault.ts. */
interface FoundAlone {
  readonly page: Pfn;
  readonly result: number;
  /** the fault let its lock go and began anew, with the page in the cache */
  readonly retried: boolean;
}

/** vmfError of mm/fileFault.ts. */
function vmfErrorAlone(k: Kernel, vma: Vma, vpn: number, r: Failure): number {
  if (k.tracer !== null) traceNoPage(k, vma, vpn, r.errno);
  return r.errno === "ENOMEM" ? VMFAlone.oom : VMFAlone.sigbus;
}

/** callFault of mm/fileFault.ts. */
function callFaultAlone(k: Kernel, vma: Vma, vpn: number, inode: Inode, flags: number): FoundAlone {
  const index = fileIndex(vma, vpn);
  if (vma.ops === "disk") {
    const r = filemapFault(k, vma, vpn, inode.slot, index, flags);
    if (failed(r)) return { page: NO_PFNAlone, result: vmfErrorAlone(k, vma, vpn, r), retried: false };
    return { page: r.page, result: r.major ? VMFAlone.major : 0, retried: r.retried };
  }
  const head = shmemGetFolio(k, inode.slot, index, 0, "cache", { vma, vpn });
  if (failed(head)) return { page: NO_PFNAlone, result: vmfErrorAlone(k, vma, vpn, head), retried: false };
  return { page: (head + index - k.pageIndex.get(head)) as Pfn, result: 0, retried: false };
}

/** doFault of mm/fileFault.ts. */
function doFaultAlone(k: Kernel, vma: Vma, vpn: number, flags: number): number {
  if (vma.ops === "device") return hugelabFault(k, vma, vpn);
  if (k.tracer !== null) traceFileFault(k, vma, vpn, (flags & FAULTAlone.write) !== 0);
  if ((flags & FAULTAlone.write) === 0) return doReadFaultAlone(k, vma, vpn, flags);
  return (vma.flags & VMAlone.shared) === 0 ? doCowFaultAlone(k, vma, vpn, flags) : doSharedFaultAlone(k, vma, vpn, flags);
}

/** unlockFound of mm/fileFault.ts. */
const unlockFoundAlone = (k: Kernel, page: Pfn): void => unlock(k, "folio_lock", folioOf(k, page));

/** doReadFault of mm/fileFault.ts. */
function doReadFaultAlone(k: Kernel, vma: Vma, vpn: number, flags: number): number {
  const inode = inodeOf(k, vma);
  const isAround = k.g.faultAroundPages > 1 && vma.ops !== "sysv";
  if (isAround && doFaultAroundAlone(k, vma, vpn, inode) !== 0) return 0;
  const found = callFaultAlone(k, vma, vpn, inode, flags);
  if (found.page === NO_PFNAlone || (found.retried && isAround && doFaultAroundAlone(k, vma, vpn, inode) !== 0)) return found.result;
  const r = found.result | finishFaultAlone(k, vma, vpn, flags, found.page);
  unlockFoundAlone(k, found.page);
  return r;
}

/** doCowFault of mm/fileFault.ts. */
function doCowFaultAlone(k: Kernel, vmaIn: Vma, vpn: number, flags: number): number {
  const vma = anonVmaPrepare(k, vmaIn.slot);
  const copy = allocZeroedFolioAlone(k, 0);
  if (copy === NO_PFNAlone) return VMFAlone.oom;
  const found = callFaultAlone(k, vma, vpn, inodeOf(k, vma), flags);
  if (found.page === NO_PFNAlone) {
    folioPut(k, copy);
    return found.result;
  }
  k.stamp.set(copy, k.stamp.get(found.page));
  k.charge(k.costs.copy4kNs);
  const r = found.result | finishFaultAlone(k, vma, vpn, flags, copy);
  unlockFoundAlone(k, found.page);
  if ((r & VMF_ERRORAlone) !== 0) folioPut(k, copy);
  return r;
}

/** doSharedFault of mm/fileFault.ts. */
function doSharedFaultAlone(k: Kernel, vma: Vma, vpn: number, flags: number): number {
  const found = callFaultAlone(k, vma, vpn, inodeOf(k, vma), flags);
  if (found.page === NO_PFNAlone) return found.result;
  const head = folioOf(k, found.page);
  pageMkwriteAlone(k, vma, vpn, head);
  const r = found.result | finishFaultAlone(k, vma, vpn, flags, found.page);
  if ((r & VMF_ERRORAlone) === 0) folioMarkDirty(k, head);
  unlockFoundAlone(k, found.page);
  return r;
}

/** pageMkwrite of mm/fileFault.ts. */
function pageMkwriteAlone(k: Kernel, vma: Vma, vpn: number, head: Pfn): void {
  if (vma.ops !== "disk") return;
  if (k.tracer !== null) traceMkwrite(k, vma, vpn, head);
  folioMarkDirty(k, head);
  setFlag(k, head, PGAlone.private);
}

/** setPteRange of mm/fileFault.ts. */
function setPteRangeAlone(k: Kernel, vma: Vma, vpn: number, t: TableIndex, page: Pfn, n: number, write: boolean): void {
  const first = indexAtAlone(k.geo, pteLevelAlone(k), vpn);
  const head = folioOf(k, page);
  const prot = vmPageProt(k, vma);
  let flags = write ? dirtyMaybeWriteAlone(k, prot, vma.flags) : prot;
  if (!write && isWritableAlone(k.geo.encoding, prot) && hasFlag(k, head, PGAlone.dirty)) flags |= k.dirtyBits;
  const hi = protHiAlone(k, vma.flags);
  addRmapPtes(k, page, n, vma);
  for (let j = 0; j < n; j++) setEntry(k, t, first + j, pfnLoAlone(page + j) | flags, pfnHiAlone(page + j) | hi);
  folioGet(k, head, n);
}

/** finishFault of mm/fileFault.ts. */
function finishFaultAlone(k: Kernel, vma: Vma, vpn: number, flags: number, page: Pfn): number {
  const write = (flags & FAULTAlone.write) !== 0;
  const isCow = write && (vma.flags & VMAlone.shared) === 0;
  const plan = isCow ? "page" : mapPlan(k, vma, vpn, page);
  const head = folioOf(k, page);
  if (k.tracer !== null && !isCow && isLarge(k, head)) traceMapped(k, vma, vpn, page, plan);
  if (plan === "pmd" && setHugePmd(k, vma, vpn, head, write)) return 0;
  const t = walkAlloc(k, vma.mm, vpn, pteLevelAlone(k));
  if (t === NO_TABLEAlone) return VMFAlone.oom;
  const i = indexAtAlone(k.geo, pteLevelAlone(k), vpn);
  if (isCow) {
    addNewAnonRmapAlone(k, page, vma, vpn, false);
    setEntry(k, t, i, dirtyMaybeWriteAlone(k, entryLoForAlone(k, page, vma.flags), vma.flags), entryHiForAlone(k, page, vma.flags));
    k.countMm(vma.mm, MMCAlone.anonPages, 1);
    return 0;
  }
  const whole = plan === "folio";
  const pages = folioPages(k, head);
  if (whole) setPteRangeAlone(k, vma, vpn - (page - head), t, head, pages, write);
  else setPteRangeAlone(k, vma, vpn, t, page, 1, write);
  k.countMm(vma.mm, rssCounter(k.pageFlags.get(head)), whole ? pages : 1);
  return 0;
}

/** doFaultAround of mm/fileFault.ts. */
function doFaultAroundAlone(k: Kernel, vma: Vma, vpn: number, inode: Inode): number {
  const { first, last } = aroundWindow(k, vma, vpn);
  return filemapMapPagesAlone(k, vma, vpn, inode, fileIndex(vma, first), fileIndex(vma, last));
}

/** nextUptodate of mm/fileFault.ts. */
function nextUptodateAlone(k: Kernel, inode: Inode, from: number, last: number): number {
  for (let at = filemapNext(k, inode.slot, from, last); at >= 0;) {
    const head = filemapFolio(k, inode.slot, at);
    const isFree = !k.preempt || !k.era.faultLocksFolio || !isLocked(k, "folio_lock", head);
    if (isFree && (k.pageFlags.get(head) & (PGAlone.uptodate | PGAlone.readahead)) === PGAlone.uptodate) return at < sizePages(inode) ? at : -1;
    at = filemapNext(k, inode.slot, k.pageIndex.get(head) + folioPages(k, head), last);
  }
  return -1;
}

/** filemapMapPages of mm/fileFault.ts. */
function filemapMapPagesAlone(k: Kernel, vma: Vma, vpn: number, inode: Inode, start: number, end: number): number {
  let at = nextUptodateAlone(k, inode, start, end);
  if (at < 0) return 0;
  const firstHead = filemapFolio(k, inode.slot, at);
  if (pmdNone(k, vma, vpn)) {
    // the page table is put in place by what looks at the PMD: without that there is none to map pages in
    if (k.tracer !== null && isLarge(k, firstHead)) traceAroundPmd(k, vma, vpn, firstHead, aroundByPmd(k, vma, vpn, firstHead));
    if (reachesEof(k, inode, firstHead)) return 0;
    if (aroundByPmd(k, vma, vpn, firstHead) && setHugePmd(k, vma, vpn, firstHead, false)) return VMFAlone.noPage;
  }
  const t = walkAlloc(k, vma.mm, vpn, pteLevelAlone(k));
  if (t === NO_TABLEAlone) return 0;
  const last = k.era.faultAroundStopsAtEof ? Math.min(end, sizePages(inode) - 1) : end;
  const i = indexAtAlone(k.geo, pteLevelAlone(k), vpn);
  const isOpen = loAtAlone(k, t, i) === 0 && hiAtAlone(k, t, i) === 0;
  let mapped = 0;
  while (at >= 0) {
    const head = filemapFolio(k, inode.slot, at);
    const next = k.pageIndex.get(head) + folioPages(k, head);
    mapped += mapFolioRangeAlone(k, vma, t, inode, head, at, Math.min(next - 1, last));
    at = nextUptodateAlone(k, inode, next, last);
  }
  if (k.tracer !== null && mapped > 0) traceAround(k, vma, vpn);
  // counted once, also where nothing was mapped
  k.countMm(vma.mm, rssCounter(k.pageFlags.get(firstHead)), mapped);
  return isOpen && loAtAlone(k, t, i) !== 0 ? VMFAlone.noPage : 0;
}

/** mapFolioRange of mm/fileFault.ts. */
function mapFolioRangeAlone(k: Kernel, vma: Vma, t: TableIndex, inode: Inode, head: Pfn, from: number, to: number): number {
  const index = k.pageIndex.get(head);
  const pages = folioPages(k, head);
  const toVpn = (at: number): number => vma.start + (at - vma.pgoff);
  let first = from;
  let last = to;
  if (k.era.faultAroundWholeFolio && pages > 1 && !reachesEof(k, inode, head)) {
    const vpnOfHead = toVpn(index);
    const block = 1 << k.geo.levels[pteLevelAlone(k)].bits;
    if (vpnOfHead >= vma.start && vpnOfHead + pages <= vma.end && Math.floor(vpnOfHead / block) === Math.floor((vpnOfHead + pages - 1) / block)) {
      first = index;
      last = index + pages - 1;
    }
  }
  let mapped = 0;
  for (let at = first; at <= last;) {
    const i = indexAtAlone(k.geo, pteLevelAlone(k), toVpn(at));
    let n = 0;
    while (at + n <= last && loAtAlone(k, t, i + n) === 0 && hiAtAlone(k, t, i + n) === 0) n++;
    if (n > 0) {
      setPteRangeAlone(k, vma, toVpn(at), t, (head + at - index) as Pfn, n, false);
      mapped += n;
    }
    at += n + 1;
  }
  return mapped;
}

/** hugePmdAnonymousPage of thp/hugeFault.ts. */
function hugePmdAnonymousPageAlone(k: Kernel, vmaIn: Vma, vpn: number, flags: number, table: TableIndex): number {
  const order = k.geo.pmdOrder;
  if (!fitsAround(vmaIn, vpn, order)) {
    return VMFAlone.fallback;
  }
  const vma = anonVmaPrepare(k, vmaIn.slot);
  khugepagedEnterVma(k, vma, vma.flags);
  const i = indexAtAlone(k.geo, k.geo.pmdLevel, vpn);
  const zeroRead = (flags & FAULTAlone.write) === 0 && k.g.useZeroPage !== 0;
  if (k.tracer !== null && (flags & FAULTAlone.write) === 0) traceHugeRead(k, vma, vpn, zeroRead);
  if (zeroRead) {
    const deposited = tableAlloc(k);
    if (deposited === NO_TABLEAlone) return VMFAlone.oom;
    const zero = getHugeZero(k, vma.mm);
    if (zero === NO_PFNAlone) {
      tableFree(k, deposited);
      k.countVm(VMSTATAlone.thpFaultFallback);
      if (k.tracer !== null) traceAllocFailed(k, vma, vpn, k.geo.pmdOrder);
      return VMFAlone.fallback;
    }
    if (loAtAlone(k, table, i) !== 0) {
      tableFree(k, deposited);
      return 0;
    }
    deposit(k, table, deposited);
    setEntry(k, table, i, entryLoForAlone(k, zero, vma.flags) | k.geo.encoding.leaf, entryHiForAlone(k, zero, vma.flags));
    accountPteTable(k, vma.mm, 1);
    return 0;
  }
  const head = allocThp(k);
  if (head === NO_PFNAlone) {
    if (k.tracer !== null) traceAllocFailed(k, vma, vpn, k.geo.pmdOrder);
    return VMFAlone.fallback;
  }
  const deposited = tableAlloc(k);
  if (deposited === NO_TABLEAlone) {
    folioPut(k, head);
    return VMFAlone.oom;
  }
  if (loAtAlone(k, table, i) !== 0) {
    tableFree(k, deposited);
    folioPut(k, head);
    return 0;
  }
  deposit(k, table, deposited);
  mapThp(k, vma, head, table, i, vpn);
  accountPteTable(k, vma.mm, 1);
  if (k.era.collapseQueuesDeferred) deferredSplit(k, head, false);
  return 0;
}

/** handleMmFault of mm/fault.ts. */
function handleMmFaultAlone(k: Kernel, vma: Vma, vpn: number, flags: number, batch: FaultBatch | null): number {
  if ((flags & FAULTAlone.write) !== 0 && (vma.flags & VMAlone.mayWrite) === 0) return VMFAlone.sigsegv;
  const geo = k.geo;
  if (geo.pmdLevel < 0) {
    const t = walkAlloc(k, vma.mm, vpn, pteLevelAlone(k));
    return t === 0 ? VMFAlone.oom : handlePteFaultAlone(k, vma, vpn, flags, t, batch);
  }
  // the walk that failed found the table: its PMD entry is neither empty nor a leaf
  const walked = k.tracer === null ? cachedTableAlone(k, vma.mm, vpn) : NO_TABLEAlone;
  if (walked !== NO_TABLEAlone) return handlePteFaultAlone(k, vma, vpn, flags, walked, batch);
  const byHandler = vma.ops === "none" ? VMFAlone.fallback : hugeFaultLadder(k, vma, vpn, flags);
  if ((byHandler & VMFAlone.fallback) === 0) return byHandler;
  const pmdTable = walkAlloc(k, vma.mm, vpn, geo.pmdLevel);
  if (pmdTable === 0) return VMFAlone.oom;
  const i = indexAtAlone(geo, geo.pmdLevel, vpn);
  let lo = loAtAlone(k, pmdTable, i);
  if (k.tracer !== null && geo.thp && lo === 0 && vma.ops === "none") tracePmdFault(k, vma, vpn, false);
  if (lo === 0 && geo.thp && vma.ops === "none" && pmdAllowed(k, vma, "pageFault")) {
    const r = hugePmdAnonymousPageAlone(k, vma, vpn, flags, pmdTable);
    if ((r & VMFAlone.fallback) === 0) return r;
  } else if (lo !== 0 && isLeafAlone(k, lo) && presentAlone(k, lo)) {
    if ((flags & (FAULTAlone.write | FAULTAlone.unshare)) !== 0 && !isWritableAlone(geo.encoding, lo)) {
      const r = hugePmdWpPage(k, vma, vpn, flags, pmdTable);
      if ((r & VMFAlone.fallback) === 0) return r;
    } else {
      setEntry(k, pmdTable, i, lo | geo.encoding.accessed | ((flags & FAULTAlone.write) !== 0 ? dirtyBitsAlone(k) : 0), hiAtAlone(k, pmdTable, i));
      return 0;
    }
  }
  lo = loAtAlone(k, pmdTable, i);
  // a file's fault may map the PMD itself
  if (lo === 0 && vma.ops !== "none") return doFaultAlone(k, k.vmas.get(vma.slot), vpn, flags);
  let t: TableIndex;
  if (lo === 0) {
    if ((flags & FAULTAlone.write) !== 0 && vma.anonVma === 0) anonVmaPrepare(k, vma.slot);
    t = tableAlloc(k);
    if (t === 0) return VMFAlone.oom;
    accountTable(k, vma.mm, pteLevelAlone(k), 1);
    populate(k, pmdTable, i, t);
  } else {
    if (isLeafAlone(k, lo)) return 0;
    t = tableBelowAlone(k, lo, hiAtAlone(k, pmdTable, i));
    if (k.tracer !== null && geo.thp) traceTableThere(k, vma, vpn, t);
  }
  return handlePteFaultAlone(k, k.vmas.get(vma.slot), vpn, flags, t, batch);
}

/** handlePteFault of mm/fault.ts. */
function handlePteFaultAlone(k: Kernel, vma: Vma, vpn: number, flags: number, t: TableIndex, batch: FaultBatch | null): number {
  const i = indexAtAlone(k.geo, pteLevelAlone(k), vpn);
  const lo = loAtAlone(k, t, i);
  const hi = hiAtAlone(k, t, i);
  if (lo === 0 && hi === 0) {
    if (vma.ops !== "none") return doFaultAlone(k, vma, vpn, flags);
    return doAnonymousPageAlone(k, vma, vpn, flags, t, i, batch);
  }
  if (!presentAlone(k, lo)) {
    if (isMarker(k, lo, hi, MARKERAlone.guard)) return VMFAlone.sigsegv;
    if (isMarker(k, lo, hi, MARKERAlone.poisoned)) return VMFAlone.hwpoison;
    return VMFAlone.sigbus;
  }
  const e = k.geo.encoding;
  if ((flags & (FAULTAlone.write | FAULTAlone.unshare)) !== 0) {
    if (!isWritableAlone(e, lo)) return doWpPage(k, vma, vpn, flags, t, i);
    setEntry(k, t, i, lo | e.accessed | ((flags & FAULTAlone.write) !== 0 ? dirtyBitsAlone(k) : 0), hi);
  } else if ((lo & e.accessed) === 0) setEntry(k, t, i, lo | e.accessed, hi);
  return 0;
}

/** allocAnonFolio of mm/fault.ts. */
function allocAnonFolioAlone(k: Kernel, vma: Vma, vpn: number, t: TableIndex, i: number, nr: number): Pfn {
  // no size on, nothing to look at: the usual case, and the hot one
  if (!k.era.mthp || (k.tracer === null && smallPagesOnly(k))) return allocZeroedFolioAlone(k, 0, "movable", nr);
  let orders = allowableOrders(k, vma, "pageFault", (1 << k.geo.pmdOrder) - 1);
  if (k.tracer !== null) traceAnonOrders(k, vma, vpn, k.geo.pmdOrder - 1, (order) => blockEmpty(k, t, i, order));
  for (let order = k.geo.pmdOrder - 1; order > 0 && orders !== 0; order--) {
    const bit = 1 << order;
    if ((orders & bit) === 0) continue;
    const empty = fitsAround(vma, vpn, order) && blockEmpty(k, t, i, order);
    if (empty) {
      const head = allocZeroedFolioAlone(k, order);
      if (head !== NO_PFNAlone) return head;
      if (k.tracer !== null) {
        traceAllocFailed(k, vma, vpn, order);
        traceAnonOrders(k, vma, vpn, order - 1, (smaller) => blockEmpty(k, t, i, smaller));
      }
      if (k.era.mthpStats) k.countMthp(order, MTHPAlone.anonFaultFallback);
    }
    orders &= ~bit;
  }
  return allocZeroedFolioAlone(k, 0);
}

/** doAnonymousPage of mm/fault.ts. */
function doAnonymousPageAlone(k: Kernel, vmaIn: Vma, vpn: number, flags: number, t: TableIndex, i: number, batch: FaultBatch | null): number {
  if ((vmaIn.flags & VMAlone.shared) !== 0) return VMFAlone.sigbus;
  if (k.tracer !== null) traceAnonymousPage(k, vmaIn, vpn, (flags & FAULTAlone.write) !== 0);
  const e = k.geo.encoding;
  const stride = batch === null ? 1 : batch.stride;
  const nr = batch === null || batch.wanted === 1 ? 1 : batchPages(k, batch, vmaIn, vpn, flags, t, i);
  if ((flags & FAULTAlone.write) === 0) {
    const zero = k.g.zeroPfn;
    setPtesAlone(k, t, i, nr, stride, entryLoForAlone(k, zero, vmaIn.flags) | e.special, entryHiForAlone(k, zero, vmaIn.flags), 0);
    return 0;
  }
  const vma = vmaIn.anonVma === 0 ? anonVmaPrepare(k, vmaIn.slot) : vmaIn;
  const head = allocAnonFolioAlone(k, vma, vpn, t, i, nr);
  if (head === NO_PFNAlone) return VMFAlone.oom;
  const order = folioOrderAlone(k, head);
  const lo = dirtyMaybeWriteAlone(k, entryLoForAlone(k, head, vma.flags), vma.flags);
  const hi = entryHiForAlone(k, head, vma.flags);
  k.countMm(vma.mm, MMCAlone.anonPages, nr << order);
  if (order === 0) {
    addNewAnonRmapAlone(k, head, vma, vpn, false, nr, stride);
    setPtesAlone(k, t, i, nr, stride, lo, hi, 1);
    return 0;
  }
  const n = 1 << order;
  k.refcount.add(head, n - 1);
  if (k.era.mthpStats) k.countMthp(order, MTHPAlone.anonFaultAlloc);
  addNewAnonRmapAlone(k, head, vma, vpn - (vpn & (n - 1)), false);
  setPtesAlone(k, t, i - (i & (n - 1)), n, 1, lo, hi, 1);
  return 0;
}

/** faultAndAccount of mm/fault.ts. */
function faultAndAccountAlone(k: Kernel, vma: Vma, vpn: number, flags: number, batch: FaultBatch | null = null): number {
  k.countVm(VMSTATAlone.pgfault);
  const r = handleMmFaultAlone(k, vma, vpn, flags, batch);
  if ((r & (VMF_ERRORAlone | VMFAlone.retry)) !== 0) {
    if (k.tracer !== null) traceFaultError(k, vma, vpn, r);
    return r;
  }
  const major = (r & VMFAlone.major) !== 0 && (flags & (FAULTAlone.remote | FAULTAlone.tried)) !== FAULTAlone.remote;
  const nr = batch === null ? 1 : batch.done;
  if (nr > 1) k.countVm(VMSTATAlone.pgfault, nr - 1);
  k.countMm(vma.mm, major ? MMCAlone.majFlt : MMCAlone.minFlt, nr);
  if (k.watch !== null) for (let n = 0; n < nr; n++) k.watch.onFault(vma.mm, batch === null ? vpn : vpn + n * batch.stride, flags);
  return r;
}

/** userAccess of mm/access.ts. */
export function userAccessAlone(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind): number | Signal {
  const pfn = translateAlone(k, mm, vpn, kind);
  return pfn >= 0 ? pfn : accessByFaultAlone(k, mm, vpn, offsetBytes, kind, null);
}

/** accessByFault of mm/access.ts. */
function accessByFaultAlone(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind, batch: FaultBatch | null): number | Signal {
  for (;;) {
    const signal = pageFaultAlone(k, mm, vpn, offsetBytes, kind, batch);
    if (signal !== null) return signal;
    // nothing but an access fills a TLB, so that there is nothing to find in it
    const pfn = walkTablesAlone(k, mm, vpn, kind);
    if (pfn < 0) continue;
    if (batch !== null && batch.done > 1) walkOthers(k, mm, vpn, kind, batch);
    return pfn;
  }
}

/** pageFault of mm/access.ts. */
function pageFaultAlone(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind, batch: FaultBatch | null): Signal | null {
  if (k.hooks.onFault !== null) k.hooks.onFault(mm, vpn, offsetBytes, kind === "w" ? 2 : 0);
  k.charge(k.costs.faultEntryNs);
  const vma = vmaForFaultAlone(k, mm, vpn, kind);
  if (isSignalAlone(vma)) return vma;
  const r = faultAndAccountAlone(k, vma, vpn, faultFlagsOfAlone(kind), batch);
  if (batch !== null && batch.done > 1) otherExceptions(k, mm, vpn, offsetBytes, kind, batch);
  return signalOfAlone(k, r);
}

/** touchRange of touch.ts. */
export function touchRangeAlone(k: Kernel, task: Task, start: number, end: number, step: number, kind: AccessKind, value: number): TouchResult {
  const out: TouchResult = { count: 0, ok: 0, first: -1, sum: 0, signals: [] };
  const mm = task.mm;
  const batch = batchFor(step, kind);
  for (let at = start; at < end; at += step * batch.done) {
    batch.done = 1;
    out.count++;
    if (++k.work >= QUANTUMAlone && !pace(k, 0)) return out;
    const vpn = Math.floor(at / 4096);
    const offset = at - vpn * 4096;
    let pfn = translateAlone(k, mm, vpn, kind);
    if (pfn < 0) {
      askForBatchAlone(batch, Math.min(Math.ceil((end - at) / step), QUANTUMAlone - k.work));
      const r: number | Signal = accessByFaultAlone(k, mm, vpn, offset, kind, batch);
      if (typeof r !== "number") {
        noteSignal(out, at, step, r);
        continue;
      }
      pfn = r;
    }
    if (kind === "x") {
      const faulted = executeAlone(k, mm, vpn, offset);
      noteSignal(out, at, step, faulted.signal, faulted.address);
      continue;
    }
    const nr = batch.done;
    out.count += nr - 1;
    k.work += nr - 1;
    out.ok += nr;
    const stamp = k.stamp.get(pfn);
    if (kind === "w") {
      // the frames of a batch lie behind each other and hold the same: nothing yet
      const next = stampAfterWriteAlone(k, stamp, offset, 1, value);
      if (nr > 1) k.stamp.fill(pfn, nr, next);
      else if (next !== stamp) k.stamp.set(pfn, next);
    } else {
      const byte = stamp === 0 ? 0 : byteAt(k, stamp, offset);
      if (out.first < 0) out.first = byte;
      out.sum = (out.sum + byte * nr) >>> 0;
    }
  }
  return out;
}

/** execute of touch.ts. */
function executeAlone(k: Kernel, mm: number, vpn: number, offset: number): { signal: Signal; address: number } {
  const target = vpn * 4096 + offset;
  const written = userAccessAlone(k, mm, vpn, offset, "w");
  if (typeof written !== "number") return { signal: written, address: target };
  for (let next = vpn + 1; ; next++) {
    paceWhole(k, 1);
    const r = userAccessAlone(k, mm, next, 0, "x");
    if (typeof r !== "number") return { signal: r, address: next * 4096 };
  }
}
