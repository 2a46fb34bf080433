import { folioMarkAccessed, folioPut, isLarge } from "./folio.ts";
import { folioOf, MMC, type Kernel } from "./kernel.ts";
import { folioMarkDirty } from "./pageCache.ts";
import { PG } from "./pageFlags.ts";
import {
  accountPteTable,
  clearEntry,
  entryPfn,
  hiAt,
  holeEnd,
  indexAt,
  isMarker,
  loAt,
  MARKER,
  present,
  pteLevel,
  tableBelow,
  tableFree,
  walkTo,
} from "./pgtable.ts";
import type { Vma } from "./records.ts";
import { removeRmapPtes } from "./rmap.ts";
import { tlbFlushRange } from "./tlb.ts";
import { isHugePmd, pmdOf, splitPmd, zapPmd } from "../thp/splitPmd.ts";
import { VM } from "./vmFlags.ts";
import { paceWhole } from "../sched/pace.ts";
import type { Pfn, TableIndex } from "../units.ts";
import { traceSplitPartial, traceZapped, traceZapWhole } from "../why/pages.ts";

/** What a zap spares or does besides. */
export interface ZapDetails {
  /** guard markers stay (MADV_DONTNEED); munmap and exit drop them */
  readonly keepGuards: boolean;
  /** page tables that become empty may be freed (MADV_DONTNEED, 6.14) */
  readonly reclaimTables: boolean;
  /** anonymous pages stay, and markers with them: what holes punched in a file leave of private copies */
  readonly keepCows: boolean;
}

export const ZAP_ALL: ZapDetails = { keepGuards: false, reclaimTables: false, keepCows: false };

/** unmap_page_range: removes every translation of [start, end) of a VMA and drops the pages. */
export function zapRange(k: Kernel, vma: Vma, start: number, end: number, details: ZapDetails): void {
  const block = k.geo.pmdLevel < 0 ? 1 << k.geo.levels[pteLevel(k)].bits : 1 << k.geo.levels[k.geo.pmdLevel].shift;
  const { pgd } = k.mms.get(vma.mm);
  let vpn = start;
  while (vpn < end) {
    const hole = holeEnd(k, pgd, vpn);
    if (hole > vpn) {
      vpn = hole;
      continue;
    }
    const next = Math.min(end, Math.floor(vpn / block) * block + block);
    paceWhole(k, next - vpn);
    zapBlock(k, vma, vpn, next, details, block);
    vpn = next;
  }
}

/** Skips to the next block: false when upper tables are missing. */
function zapBlock(k: Kernel, vma: Vma, start: number, end: number, details: ZapDetails, block: number): void {
  const pmd = pmdOf(k, vma.mm, start);
  if (pmd !== undefined && pmd.lo !== 0 && isHugePmd(k, pmd.lo)) {
    if (end - start === block) {
      if (k.tracer !== null) traceZapWhole(k, vma, start, end);
      zapPmd(k, vma, pmd, start);
      return;
    }
    if (k.tracer !== null) traceSplitPartial(k, vma, "zap_pmd_range", start, end);
    splitPmd(k, vma, pmd, start);
  }
  const t = walkTo(k, k.mms.get(vma.mm).pgd, start, pteLevel(k));
  if (t === 0) return;
  const skipped = zapPtes(k, vma, t, start, end, details);
  if (details.reclaimTables && k.era.reclaimsPageTables && pmd !== undefined && !skipped && end - start === block) {
    const now = pmdOf(k, vma.mm, start);
    if (now !== undefined && tableBelow(k, now.lo, now.hi) === t && k.tableUsed.get(t) === 0) {
      clearEntry(k, now.table, now.i);
      tableFree(k, t);
      accountPteTable(k, vma.mm, -1);
    }
  }
}

/** folio_pte_batch: entries from `i` that map consecutive pages of one folio with like protection. */
export function pteBatch(k: Kernel, t: TableIndex, i: number, max: number, ignoreWrite: boolean): number {
  const first = entryPfn(loAt(k, t, i), hiAt(k, t, i));
  const head = folioOf(k, first);
  if (!isLarge(k, head)) return 1;
  const e = k.geo.encoding;
  const ignore = e.accessed | e.dirty | e.softDirty | (ignoreWrite ? e.write.mask : 0);
  const flags = loAt(k, t, i) & 0xfff & ~ignore;
  const order = (k.pageFlags.get(head) >>> 24) & 0x1f;
  const limit = Math.min(max, head + (1 << order) - first);
  let n = 1;
  while (n < limit) {
    const lo = loAt(k, t, i + n);
    if (!present(k, lo) || entryPfn(lo, hiAt(k, t, i + n)) !== first + n || (lo & 0xfff & ~ignore) !== flags) break;
    n++;
  }
  return n;
}

/** mm_counter: the RSS counter that a folio counts in. */
export const rssCounter = (flags: number): number => (flags & PG.anon ? MMC.anonPages : flags & PG.swapbacked ? MMC.shmemPages : MMC.filePages);

/** What the entry of a file's page knew goes to the folio: that it was written, and used (zap_present_folio_ptes, zap_huge_pmd). */
export function handBits(k: Kernel, vma: Vma, head: Pfn, lo: number): void {
  const e = k.geo.encoding;
  if ((lo & e.dirty) !== 0) folioMarkDirty(k, head);
  if ((lo & e.accessed) !== 0 && (vma.flags & (VM.seqRead | VM.randRead)) === 0) folioMarkAccessed(k, head);
}

/** zap_pte_range on entries of one table. Returns whether an entry was left in place. */
function zapPtes(k: Kernel, vma: Vma, t: TableIndex, start: number, end: number, details: ZapDetails): boolean {
  const e = k.geo.encoding;
  let skipped = false;
  // RSS is counted once for each table (add_mm_rss_vec)
  let freed = 0;
  let freedFile = 0;
  let freedShmem = 0;
  const first = indexAt(k.geo, pteLevel(k), start);
  const n = end - start;
  for (let j = 0; j < n;) {
    const i = first + j;
    const lo = loAt(k, t, i);
    const hi = hiAt(k, t, i);
    if (lo === 0 && hi === 0) {
      j++;
      continue;
    }
    if (!present(k, lo)) {
      if (isMarker(k, lo, hi, MARKER.guard) ? details.keepGuards : details.keepCows) skipped = true;
      else clearEntry(k, t, i);
      j++;
      continue;
    }
    if ((lo & e.special) !== 0) {
      clearEntry(k, t, i);
      j++;
      continue;
    }
    const page = entryPfn(lo, hi);
    const head = folioOf(k, page);
    const flags = k.pageFlags.get(head);
    const isAnon = (flags & PG.anon) !== 0;
    if (isAnon && details.keepCows) {
      skipped = true;
      j++;
      continue;
    }
    const batch = k.era.zapPmdBatch ? pteBatch(k, t, i, n - j, true) : 1;
    for (let b = 0; b < batch; b++) {
      if (!isAnon) handBits(k, vma, head, loAt(k, t, i + b));
      clearEntry(k, t, i + b);
    }
    tlbFlushRange(k, vma.mm, start + j, start + j + batch);
    if (isAnon) freed += batch;
    else if (rssCounter(flags) === MMC.shmemPages) freedShmem += batch;
    else freedFile += batch;
    removeRmapPtes(k, page, batch, vma);
    if (k.tracer !== null) traceZapped(k, vma, start + j, batch, head, isLarge(k, head), k.refcount.get(head) - batch);
    folioPut(k, head, batch);
    j += batch;
  }
  // translations of the zero page are cached too
  tlbFlushRange(k, vma.mm, start, end);
  if (freedFile > 0) k.countMm(vma.mm, MMC.filePages, -freedFile);
  if (freed > 0) k.countMm(vma.mm, MMC.anonPages, -freed);
  if (freedShmem > 0) k.countMm(vma.mm, MMC.shmemPages, -freedShmem);
  return skipped;
}
