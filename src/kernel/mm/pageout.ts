import { splitFolio } from "../thp/splitFolio.ts";
import { splitFileFolio, tryToUnmapFile } from "../thp/splitFileFolio.ts";
import type { Pfn } from "../units.ts";
import { folioGet, folioPages, folioPut, folioOrder, hasFlag, isLarge, lruRetag, setFlag } from "./folio.ts";
import { MTHP, type Kernel } from "./kernel.ts";
import { filemapRemoveFolio, isShmemFolio } from "./pageCache.ts";
import { PG } from "./pageFlags.ts";
import { loAt } from "./pgtable.ts";
import { mappingsOf } from "./rmapWalk.ts";
import { VMSTAT } from "./vmstat.ts";
import { ZAP_ALL, zapRange } from "./zap.ts";

/**
 * Reclaim of the folios that MADV_PAGEOUT found (reclaim_folio_list, shrink_folio_list of mm/vmscan.c) on a machine without swap: clean pages
 * of disk files go, freed pages of MADV_FREE go, everything else stays and is active afterwards.
 */
export function reclaimFolios(k: Kernel, heads: ReadonlySet<Pfn>): void {
  for (const head of heads) {
    folioGet(k, head);
    if (hasFlag(k, head, PG.file)) reclaimFile(k, head);
    else if (hasFlag(k, head, PG.swapbacked)) keepAnon(k, head);
    else freeLazily(k, head);
  }
}

/** activate_locked: back on the LRU, as used. `head` is a folio of which the caller has a reference. */
function activate(k: Kernel, head: Pfn, pages = 1): void {
  for (let i = 0; i < pages; i++) lruRetag(k, head + i, PG.active, 0);
  folioPut(k, head);
}

/** Anonymous memory needs swap, and large folios are split in the hope that there is room for small ones. */
function keepAnon(k: Kernel, head: Pfn): void {
  if (!isLarge(k, head)) return activate(k, head);
  const order = folioOrder(k, head);
  const pages = folioPages(k, head);
  // before 6.10 all that no PMD maps are split at once, then those that are mapped in part; nobody looked for swap yet
  const isEarly = k.era.reclaimSplits === "withoutPmd" ? k.entireMapcount.get(head) === 0 : hasFlag(k, head, PG.partiallyMapped);
  if (!splitFolio(k, head)) return activate(k, head);
  if (!isEarly) {
    if (order === k.geo.pmdOrder || k.era.reclaimSplits === "withoutPmd") k.countVm(VMSTAT.thpSwpoutFallback);
    if (k.era.mthpStats) k.countMthp(order, MTHP.swpoutFallback);
  }
  activate(k, head, pages);
}

/** Large folios that MADV_FREE gave up are not simulated here: what becomes of them differs even between builds of one release. */
export const isLargeLazyFree = (k: Kernel, head: Pfn): boolean => isLarge(k, head) && hasFlag(k, head, PG.anon) && !hasFlag(k, head, PG.swapbacked);

/** A page that MADV_FREE gave up, and that nobody has written to since: it is freed. */
function freeLazily(k: Kernel, head: Pfn): void {
  const mappings = mappingsOf(k, head);
  const isWritten = hasFlag(k, head, PG.dirty) || mappings.some((m) => m.level === "pte" && (loAt(k, m.table, m.i) & k.geo.encoding.dirty) !== 0);
  if (isWritten) {
    lruRetag(k, head, PG.swapbacked, 0);
    return activate(k, head);
  }
  for (const m of mappings) zapRange(k, m.vma, m.vpn, m.vpn + 1, { ...ZAP_ALL, keepGuards: true });
  k.countVm(VMSTAT.pglazyfreed, 1);
  folioPut(k, head);
}

function reclaimFile(k: Kernel, head: Pfn): void {
  const isShmem = isShmemFolio(k, head);
  if (isShmem && isLarge(k, head) && k.era.reclaimSplits === "withoutPmd") {
    // until 6.11 tmpfs swapped single pages only
    const pages = folioPages(k, head);
    if (!splitFileFolio(k, head, null)) return folioPut(k, head);
    for (let i = 0; i < pages; i++) tryToUnmapFile(k, (head + i) as Pfn);
    return activate(k, head, pages);
  }
  tryToUnmapFile(k, head);
  if (isShmem || hasFlag(k, head, PG.dirty)) {
    // a dirty page of a disk is left to writeback; PG_reclaim is the bit that marks the end of a readahead window, too
    if (!isShmem) setFlag(k, head, PG.readahead);
    return activate(k, head);
  }
  // __remove_mapping: the cache and we have references, nobody else
  if (k.refcount.get(head) === folioPages(k, head) + 1) filemapRemoveFolio(k, head);
  folioPut(k, head);
}
