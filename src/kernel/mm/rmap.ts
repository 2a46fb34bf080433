import { kernelBug } from "../assert.ts";
import type { Era } from "../era/era.ts";
import type { Pfn } from "../units.ts";
import { deferredSplit, folioPages, hasFlag, lruItem, mlockFolio, munlockFolio, setFlag } from "./folio.ts";
import { folioOf, MTHP, PAGE_ROW, pageChunkEnd, pageRowAt, USE_ROW, type Kernel } from "./kernel.ts";
import { ORDER_MASK, ORDER_SHIFT, PG } from "./pageFlags.ts";
import type { Vma } from "./records.ts";
import { VM, VM_SPECIAL } from "./vmFlags.ts";
import { VMSTAT } from "./vmstat.ts";
import { traceStillHuge } from "../why/pages.ts";

/** Map counts of folios (mm/rmap.c). PageAnonExclusive is kept apart from them. */

const lockedVma = (vma: Vma): boolean => (vma.flags & (VM.locked | VM_SPECIAL)) === VM.locked;

// --- which mm maps a large folio (folio_add_return_large_mapcount, 6.15; kept in every release, read by eras that track owners)

function addLarge(k: Kernel, head: number, diff: number, mm: number): void {
  const total = k.largeMapcount.get(head) + diff;
  k.largeMapcount.set(head, total);
  const a = 2 * head;
  if (k.mmIds.get(a) === mm) k.mmIdMapcount.add(a, diff);
  else if (k.mmIds.get(a + 1) === mm) k.mmIdMapcount.add(a + 1, diff);
  else if (k.mmIds.get(a) === 0) {
    k.mmIds.set(a, mm);
    k.mmIdMapcount.set(a, diff);
    if (total !== diff) setFlag(k, head, PG.mappedShared);
  } else if (k.mmIds.get(a + 1) === 0) {
    k.mmIds.set(a + 1, mm);
    k.mmIdMapcount.set(a + 1, diff);
    setFlag(k, head, PG.mappedShared);
  }
}

function subLarge(k: Kernel, head: number, diff: number, mm: number): void {
  const total = k.largeMapcount.get(head) - diff;
  k.largeMapcount.set(head, total);
  for (const slot of [2 * head, 2 * head + 1]) {
    if (k.mmIds.get(slot) !== mm) continue;
    const left = k.mmIdMapcount.get(slot) - diff;
    if (left > 0) {
      k.mmIdMapcount.set(slot, left);
      return;
    }
    k.mmIdMapcount.set(slot, 0);
    k.mmIds.set(slot, 0);
    break;
  }
  if (k.mmIdMapcount.get(2 * head) === total || k.mmIdMapcount.get(2 * head + 1) === total) k.pageFlags.set(head, k.pageFlags.get(head) & ~PG.mappedShared);
}

/** NR_ANON_MAPPED or NR_FILE_MAPPED, and the counter of PMD mappings. */
const mappedItem = (flags: number): number => (flags & PG.anon ? VMSTAT.nrAnonPages : VMSTAT.nrMapped);
const pmdItem = (flags: number): number =>
  flags & PG.anon ? VMSTAT.nrAnonTransparentHugepages : flags & PG.swapbacked ? VMSTAT.nrShmemPmdmapped : VMSTAT.nrFilePmdmapped;

/**
 * folio_add_new_anon_rmap + folio_add_lru_vma: the first mapping of a fresh folio, exclusive. `byPmd`: as one PMD leaf.
 * `nr` > 1: of that many small folios, which lie behind each other and are mapped `stride` pages apart.
 */
export function addNewAnonRmap(k: Kernel, head: Pfn, vma: Vma, vpn: number, byPmd: boolean, nr = 1, stride = 1): void {
  const locked = lockedVma(vma);
  const fresh = k.pageFlags.get(head);
  const order = (fresh & ORDER_MASK) >>> ORDER_SHIFT;
  // on the LRU from here on (folio_add_lru_vma), a locked one on the list of those that are not looked at
  const flags = fresh | PG.anon | PG.swapbacked | PG.uptodate | PG.anonExclusive | PG.lru | (locked ? PG.mlocked | PG.unevictable : 0);
  const { step } = k;
  // that of a large folio's first page is set where all its pages are
  const mapcount = order === 0 ? 1 : k.mapcount.get(head);
  const mapping = vma.anonVma;
  let index = vma.pgoff + (vpn - vma.start);
  for (let pfn = head as number; pfn < head + nr;) {
    const stop = pageChunkEnd(pfn, head + nr);
    const page = k.pageRows.ownRow(pfn);
    const use = k.useRows.ownRow(pfn);
    for (let at = pageRowAt(pfn); pfn < stop; at += PAGE_ROW.width, pfn++) {
      page[at + PAGE_ROW.flags] = flags;
      page[at + PAGE_ROW.mapping] = mapping;
      use[at + USE_ROW.mapcount] = mapcount;
      use[at + USE_ROW.step] = step;
      use[at + USE_ROW.index] = index | 0;
      use[at + USE_ROW.index + 1] = index * 2 ** -32;
      index += stride;
    }
  }
  if (order > 0) mapNewLarge(k, head, order, vma.mm, byPmd);
  const n = nr << order;
  k.vmstat.add(VMSTAT.nrAnonPages, n);
  k.vmstat.add(lruItem(flags), n);
  if (locked) {
    k.mlockCount.fill(head, nr, 1);
    k.countVm(VMSTAT.nrMlock, n);
    k.countVm(VMSTAT.unevictablePgsMlocked, n);
  }
}

/** Map counts and statistics of a large folio that is mapped whole for the first time. */
function mapNewLarge(k: Kernel, head: Pfn, order: number, mm: number, byPmd: boolean): void {
  const n = 1 << order;
  if (byPmd) {
    k.entireMapcount.set(head, 1);
    addLarge(k, head, 1, mm);
    k.vmstat.add(VMSTAT.nrAnonTransparentHugepages, 1);
  } else {
    k.pageFlags.fill(head + 1, n - 1, PG.tail | PG.anonExclusive);
    k.mapcount.fill(head, n, 1);
    k.pagesMapped.set(head, n);
    addLarge(k, head, n, mm);
  }
  if (k.era.mthpStats) k.countMthp(order, MTHP.nrAnon);
}

/** folio_add_anon_rmap_ptes and folio_add_file_rmap_ptes on `n` consecutive pages of one folio; an anonymous one is mapped already or was before. */
export function addRmapPtes(k: Kernel, page: Pfn, n: number, vma: Vma): void {
  const head = folioOf(k, page);
  const item = mappedItem(k.pageFlags.get(head));
  if (!hasFlag(k, head, PG.head)) {
    if (k.mapcount.get(head) === 0) k.vmstat.add(item, 1);
    k.mapcount.add(head, 1);
  } else {
    let first = 0;
    for (let i = 0; i < n; i++) {
      if (k.mapcount.get(page + i) === 0) first++;
      k.mapcount.add(page + i, 1);
    }
    k.pagesMapped.add(head, first);
    if (k.entireMapcount.get(head) === 0) k.vmstat.add(item, first);
    addLarge(k, head, n, vma.mm);
  }
  k.pageStep.set(head, k.step);
  if (lockedVma(vma) && (k.era.rmapMlocksWholeFolio ? folioPages(k, head) === n : !hasFlag(k, head, PG.head))) mlockFolio(k, head);
}

/** folio_add_file_rmap_pmd. */
export function addRmapPmd(k: Kernel, head: Pfn, vma: Vma): void {
  const flags = k.pageFlags.get(head);
  if (k.entireMapcount.get(head) === 0) {
    k.vmstat.add(pmdItem(flags), 1);
    k.vmstat.add(mappedItem(flags), folioPages(k, head) - k.pagesMapped.get(head));
  }
  k.entireMapcount.add(head, 1);
  addLarge(k, head, 1, vma.mm);
  k.pageStep.set(head, k.step);
  if (lockedVma(vma)) mlockFolio(k, head);
}

/**
 * Second mapping of `n` exclusive pages by PTEs in the same mm, while the PMD still maps them: the
 * PMD split adds PTE mappings before it removes the PMD one.
 */
export function splitAnonRmapPmd(k: Kernel, head: Pfn, vma: Vma): void {
  const n = folioPages(k, head);
  for (let i = 0; i < n; i++) {
    if (k.mapcount.get(head + i) === 0) k.pagesMapped.add(head, 1);
    k.mapcount.add(head + i, 1);
  }
  addLarge(k, head, n, vma.mm);
}

/** folio_try_dup_anon_rmap_ptes and folio_dup_file_rmap_ptes at fork: never first. */
export function dupRmapPtes(k: Kernel, page: Pfn, n: number, dst: Vma): void {
  const head = folioOf(k, page);
  for (let i = 0; i < n; i++) k.mapcount.add(page + i, 1);
  if (hasFlag(k, head, PG.head)) {
    for (let i = 0; i < n; i++) if (k.mapcount.get(page + i) === 1) k.pagesMapped.add(head, 1);
    addLarge(k, head, n, dst.mm);
  }
  k.pageStep.set(head, k.step);
}

export function dupAnonRmapPmd(k: Kernel, head: Pfn, dst: Vma): void {
  k.entireMapcount.add(head, 1);
  addLarge(k, head, 1, dst.mm);
  k.pageStep.set(head, k.step);
}

/**
 * folio_remove_rmap_ptes on `n` consecutive pages of one folio. A large folio that keeps some mapped pages
 * and loses others is queued for a deferred split. Until 6.8 pages were removed one by one, so that
 * unmapping a whole PTE-mapped THP queued it too.
 */
export function removeRmapPtes(k: Kernel, page: Pfn, n: number, vma: Vma): void {
  const head = folioOf(k, page);
  k.pageStep.set(head, k.step);
  if (!hasFlag(k, head, PG.head)) {
    const left = k.mapcount.get(head) - 1;
    if (left < 0) kernelBug(`page ${head}: map count below zero`);
    k.mapcount.set(head, left);
    if (left === 0) k.vmstat.add(mappedItem(k.pageFlags.get(head)), -1);
    if (lockedVma(vma)) munlockFolio(k, head);
    return;
  }
  if (!k.era.rmapBatched && n > 1) {
    for (let i = 0; i < n; i++) removeRmapPtes(k, (page + i) as Pfn, 1, vma);
    return;
  }
  subLarge(k, head, n, vma.mm);
  let last = 0;
  for (let i = 0; i < n; i++) {
    const left = k.mapcount.get(page + i) - 1;
    if (left < 0) kernelBug(`page ${page + i}: map count below zero`);
    k.mapcount.set(page + i, left);
    if (left === 0) last++;
  }
  k.pagesMapped.add(head, -last);
  if (k.tracer !== null && last > 0 && k.entireMapcount.get(head) > 0) traceStillHuge(k, vma, head);
  if (last > 0 && k.entireMapcount.get(head) === 0) {
    k.vmstat.add(mappedItem(k.pageFlags.get(head)), -last);
    // 6.1 queues whenever a subpage loses its last mapping, even the last subpage
    if (hasFlag(k, head, PG.anon) && (k.era.rmapDoubleMap || k.pagesMapped.get(head) > 0)) deferredSplit(k, head, true);
  }
  if (lockedVma(vma) && !k.era.rmapDoubleMap) munlockFolio(k, head);
}

/** folio_remove_rmap_pmd. */
export function removeRmapPmd(k: Kernel, head: Pfn, vma: Vma): void {
  k.pageStep.set(head, k.step);
  subLarge(k, head, 1, vma.mm);
  const left = k.entireMapcount.get(head) - 1;
  if (left < 0) kernelBug(`folio ${head}: PMD map count below zero`);
  k.entireMapcount.set(head, left);
  if (left === 0) {
    const pages = folioPages(k, head);
    const unmapped = pages - k.pagesMapped.get(head);
    const flags = k.pageFlags.get(head);
    k.vmstat.add(pmdItem(flags), -1);
    k.vmstat.add(mappedItem(flags), -unmapped);
    if (unmapped > 0 && unmapped < pages && hasFlag(k, head, PG.anon)) deferredSplit(k, head, true);
  }
  if (lockedVma(vma)) munlockFolio(k, head);
}

/** folio_move_anon_rmap: the folio now belongs to this VMA's anon_vma alone. */
export const moveAnonRmap = (k: Kernel, head: Pfn, vma: Vma): void => k.mapping.set(head, vma.anonVma);

/** Might more than one mm map the folio (folio_maybe_mapped_shared 6.15, folio_likely_mapped_shared 6.8, page_mapcount before). */
export function maybeMappedShared(k: Kernel, page: Pfn, behaviour: Era["mappedShared"] = k.era.mappedShared): boolean {
  const head = folioOf(k, page);
  if (!hasFlag(k, head, PG.head)) return k.mapcount.get(head) > 1;
  switch (behaviour) {
    case "owners":
      return k.largeMapcount.get(head) > 1 && hasFlag(k, head, PG.mappedShared);
    case "firstPage": {
      const total = k.largeMapcount.get(head);
      if (total <= 1) return false;
      if (k.entireMapcount.get(head) > 0 || total > folioPages(k, head)) return true;
      return k.mapcount.get(head) > 1;
    }
    case "pageMapcount":
      return k.mapcount.get(page) + k.entireMapcount.get(head) > 1;
  }
}
