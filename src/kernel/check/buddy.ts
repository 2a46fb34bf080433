import { freeBlocksOn, firstFree, freePagesOf, frontierOf, MAX_ORDER, MIGRATE_TYPES } from "../mm/pageAlloc.ts";
import { MIGRATE_SHIFT, ORDER_SHIFT, PG } from "../mm/pageFlags.ts";
import type { Zone } from "../mm/records.ts";
import type { Survey } from "./survey.ts";

/** The lists of free blocks: links, orders, places and counts. Notes each block for the pass over the frames. */
export function checkFreeLists(s: Survey): void {
  const { k, report } = s;
  for (let slot = 1; slot <= k.zones.count; slot++) {
    const zone = k.zones.get(slot);
    const frontier = frontierOf(k, slot);
    if (frontier < zone.start || frontier > zone.end) report.add("kernel.check.frontier", { zone: zone.name, pfn: frontier });
    let pages = zone.end - frontier;
    for (let order = 0; order <= MAX_ORDER; order++)
      for (let type = 0; type < MIGRATE_TYPES.length; type++) pages += checkList(s, zone, frontier, order, type) * 2 ** order;
    const is = freePagesOf(k, slot);
    if (is !== pages) report.add("kernel.check.freePages", { zone: zone.name, is, should: pages });
  }
}

/** One list. Returns how many blocks it has. */
function checkList(s: Survey, zone: Zone, frontier: number, order: number, type: number): number {
  const { k, report } = s;
  const flags = PG.buddy | (order << ORDER_SHIFT) | (type << MIGRATE_SHIFT);
  let n = 0;
  let prev = -1;
  for (let pfn = firstFree(k, zone.slot, order, type); pfn >= 0; pfn = k.buddyNext.get(pfn)) {
    if (pfn < zone.start || pfn + 2 ** order > frontier || pfn % 2 ** order !== 0) {
      report.add("kernel.check.buddyBlock", { pfn, order });
      break;
    }
    if (s.freeOrder.get(pfn) !== 0) {
      report.add("kernel.check.buddyLink", { pfn, order });
      break;
    }
    if (k.pageFlags.get(pfn) !== flags) report.add("kernel.check.buddyBlock", { pfn, order });
    if (k.buddyPrev.get(pfn) !== prev) report.add("kernel.check.buddyLink", { pfn, order });
    s.freeOrder.set(pfn, order + 1);
    prev = pfn;
    n++;
  }
  const is = freeBlocksOn(k, zone.slot, order, type);
  if (is !== n) report.add("kernel.check.buddyCount", { zone: zone.name, order, is, should: n });
  return n;
}
