import { deferredFolios, folioGet, folioPages, folioPut, hasFlag, unqueueDeferred } from "../mm/folio.ts";
import type { Kernel } from "../mm/kernel.ts";
import { PG } from "../mm/pageFlags.ts";
import { VMSTAT } from "../mm/vmstat.ts";
import type { Pfn } from "../units.ts";
import { splitFolio } from "./splitFolio.ts";

/** The shrinker of the deferred split queue: who gives back memory of huge pages that are only mapped in part. */

/** thp_underused (6.12): more pages of zeros than khugepaged would have filled in. At 511, the default, none is. */
function isUnderused(k: Kernel, head: Pfn): boolean {
  const most = k.g.khugepaged.maxPtesNone;
  const n = folioPages(k, head);
  if (most === (1 << k.geo.pmdOrder) - 1) return false;
  let zeros = 0;
  for (let page = head; page < head + n; page++) if (k.stamp.get(page) === 0) zeros++;
  return zeros > most;
}

/**
 * deferred_split_scan over the whole queue, as a write of 2 to /proc/sys/vm/drop_caches calls it (mm/huge_memory.c, mm/vmscan.c).
 * A folio that is mapped in part is split to single pages, and those that nobody maps are freed; one that cannot be split stays.
 * From 6.12 whole folios are on the queue too: the underused are split, the others leave it.
 */
export function deferredSplitScan(k: Kernel): void {
  const whole = k.era.deferredSplit === "partiallyMappedFlag";
  for (const head of [...deferredFolios(k)]) {
    const underused = whole && !hasFlag(k, head, PG.partiallyMapped);
    const skipped = k.era.shrinkSkipsMlocked && hasFlag(k, head, PG.mlocked);
    if (underused && (skipped || !isUnderused(k, head))) {
      unqueueDeferred(k, head);
      continue;
    }
    folioGet(k, head);
    const split = splitFolio(k, head);
    if (split && underused) k.countVm(VMSTAT.thpUnderusedSplitPage);
    if (!split && underused) unqueueDeferred(k, head);
    folioPut(k, head);
  }
}
