import { kernelBug } from "../assert.ts";
import { NO_PFN, type Pfn } from "../units.ts";
import { PAGE_ROW, pageChunkEnd, pageRowAt, type Kernel } from "./kernel.ts";
import { MIGRATE_MASK, MIGRATE_SHIFT, ORDER_MASK, ORDER_SHIFT, PG } from "./pageFlags.ts";
import type { Zone } from "./records.ts";
import { VMSTAT } from "./vmstat.ts";

/**
 * The buddy allocator (mm/page_alloc.c): free blocks by zone, order and migrate type. Memory that was
 * never handed out is not on a list: it lies above the zone's frontier and is carved in blocks of the
 * highest order when the lists are empty, so that an untouched machine costs nothing.
 */
export const MAX_ORDER = 10;
export const PAGEBLOCK_ORDER = 9;
const PAGEBLOCK_PAGES = 1 << PAGEBLOCK_ORDER;
const MAX_BLOCK = 1 << MAX_ORDER;

export type MigrateType = "unmovable" | "movable" | "reclaimable";
export const MIGRATE_TYPES: readonly MigrateType[] = ["unmovable", "movable", "reclaimable"];
const UNMOVABLE = 0;
const MOVABLE = 1;
const RECLAIMABLE = 2;
const typeNumber = (type: MigrateType): number => (type === "movable" ? MOVABLE : type === "unmovable" ? UNMOVABLE : RECLAIMABLE);
/** Where to steal from, in order (fallbacks[] of page_alloc.c). */
const FALLBACKS: readonly (readonly number[])[] = [
  [RECLAIMABLE, MOVABLE],
  [RECLAIMABLE, UNMOVABLE],
  [UNMOVABLE, MOVABLE],
];

const LISTS = (MAX_ORDER + 1) * 3;
/** freeHead/freeCount: list of (zone slot, order, type); then the frontier and the free pages of each zone */
export const listAt = (zone: number, order: number, type: number): number => zone * 64 + order * 3 + type;
const frontierAt = (zone: number): number => zone * 64 + LISTS;
export const freePagesAt = (zone: number): number => zone * 64 + LISTS + 1;

export const pagesToBytes = (pages: number): number => pages * 4096;

/** Lays out zones; all memory starts above the frontiers. */
export function initZones(k: Kernel, ranges: readonly { readonly name: Zone["name"]; readonly start: number; readonly end: number }[]): void {
  for (const range of ranges) {
    const slot = k.zones.add((s) => ({ slot: s, ...range, minPages: minPagesOf(range.start, range.end) }));
    k.freeCount.set(frontierAt(slot), range.start);
    k.freeCount.set(freePagesAt(slot), range.end - range.start);
    for (let l = 0; l < LISTS; l++) k.freeHead.set(slot * 64 + l, -1);
  }
}

function listAdd(k: Kernel, zone: number, pfn: number, order: number, type: number): void {
  const list = listAt(zone, order, type);
  const head = k.freeHead.get(list);
  const row = k.pageRows.ownRow(pfn);
  const at = pageRowAt(pfn);
  row[at + PAGE_ROW.buddyNext] = head;
  row[at + PAGE_ROW.buddyPrev] = -1;
  row[at + PAGE_ROW.flags] = PG.buddy | (order << ORDER_SHIFT) | (type << MIGRATE_SHIFT);
  if (head >= 0) k.buddyPrev.set(head, pfn);
  k.freeHead.set(list, pfn);
  k.freeCount.add(list, 1);
}

function listRemove(k: Kernel, zone: number, pfn: number, order: number, type: number): void {
  const list = listAt(zone, order, type);
  const row = k.pageRows.ownRow(pfn);
  const at = pageRowAt(pfn);
  const next = row[at + PAGE_ROW.buddyNext];
  const prev = row[at + PAGE_ROW.buddyPrev];
  row[at + PAGE_ROW.flags] = 0;
  if (prev >= 0) k.buddyNext.set(prev, next);
  else k.freeHead.set(list, next);
  if (next >= 0) k.buddyPrev.set(next, prev);
  k.freeCount.add(list, -1);
}

const blockTypeOf = (k: Kernel, pfn: number): number => {
  const stored = k.blockType.get(pfn >>> PAGEBLOCK_ORDER);
  return stored === 0 ? MOVABLE : stored - 1;
};
const setBlockType = (k: Kernel, pfn: number, type: number): void => k.blockType.set(pfn >>> PAGEBLOCK_ORDER, type + 1);

/** Gives back what is left of a block of order `from` after its first `taken` frames, in blocks of order `to` and more. */
function expand(k: Kernel, zone: number, pfn: number, from: number, to: number, type: number, taken = 1 << to): void {
  let end = 1 << from;
  for (let order = from - 1; order >= to; order--) {
    if (end - (1 << order) < taken) continue;
    end -= 1 << order;
    listAdd(k, zone, pfn + end, order, type);
  }
}

/** The order of the smallest block of the type, of at least `order`, that a zone has on its lists; above MAX_ORDER: none. */
function smallestFree(k: Kernel, zone: number, order: number, type: number): number {
  let o = order;
  while (o <= MAX_ORDER && k.freeHead.get(listAt(zone, o, type)) < 0) o++;
  return o;
}

/**
 * Takes a block of the type from the lists of a zone (__rmqueue_smallest); NO_PFN when there is none. With `nr` it takes that
 * many frames (order 0), which lie behind each other: what is left of a split block is the smallest one from then on, its lowest part first.
 */
function takeSmallest(k: Kernel, zone: number, order: number, type: number, nr: number): number {
  const o = smallestFree(k, zone, order, type);
  if (o > MAX_ORDER) return NO_PFN;
  const pfn = k.freeHead.get(listAt(zone, o, type));
  listRemove(k, zone, pfn, o, type);
  if (o > order) expand(k, zone, pfn, o, order, type, nr << order);
  // each of the others was the only one on a list before its turn came
  for (let next = pfn + 1; next < pfn + nr;) {
    const stop = pageChunkEnd(next, pfn + nr);
    const row = k.pageRows.ownRow(next);
    for (let at = pageRowAt(next); next < stop; at += PAGE_ROW.width, next++) {
      row[at + PAGE_ROW.flags] = 0;
      row[at + PAGE_ROW.buddyNext] = -1;
      row[at + PAGE_ROW.buddyPrev] = -1;
    }
  }
  return pfn;
}

/** Moves never-used memory to the movable lists: one block of the highest order that fits at the frontier. */
function carve(k: Kernel, zone: Zone): boolean {
  const start = k.freeCount.get(frontierAt(zone.slot));
  if (start >= zone.end) return false;
  let order = MAX_ORDER;
  while (order > 0 && (start % (1 << order) !== 0 || start + (1 << order) > zone.end)) order--;
  k.freeCount.set(frontierAt(zone.slot), start + (1 << order));
  listAdd(k, zone.slot, start, order, MOVABLE);
  return true;
}

/** __rmqueue_fallback: the largest block of another type; a whole page block changes its type. */
function steal(k: Kernel, zone: number, order: number, type: number): number {
  for (let o = MAX_ORDER; o >= order; o--) {
    for (const other of FALLBACKS[type]) {
      const pfn = k.freeHead.get(listAt(zone, o, other));
      if (pfn < 0) continue;
      listRemove(k, zone, pfn, o, other);
      let owner = other;
      // a block of at least half a page block, or any block for kernel memory, takes the page block along
      if (o >= PAGEBLOCK_ORDER || type !== MOVABLE) {
        owner = type;
        const first = pfn - (pfn % PAGEBLOCK_PAGES);
        const blocks = Math.max(1, (1 << o) >>> PAGEBLOCK_ORDER);
        for (let b = 0; b < blocks; b++) setBlockType(k, first + b * PAGEBLOCK_PAGES, type);
      }
      expand(k, zone, pfn, o, order, owner);
      return pfn;
    }
  }
  return NO_PFN;
}

/**
 * __rmqueue: a block of the type itself, else of memory that was never used, else of another type. Never-used memory
 * counts as movable: other types steal from it, and no more of it is carved than one block of the highest order.
 */
function takeBlock(k: Kernel, zone: Zone, order: number, type: number, nr: number): number {
  for (;;) {
    const pfn = takeSmallest(k, zone.slot, order, type, nr);
    if (pfn !== NO_PFN) return pfn;
    const largest = listAt(zone.slot, MAX_ORDER, MOVABLE);
    if (type !== MOVABLE && k.freeHead.get(largest) >= 0) return steal(k, zone.slot, order, type);
    if (!carve(k, zone)) return steal(k, zone.slot, order, type);
  }
}

/** Zones to try, by the number of zones there are: slots, highest first. */
const PREFERENCE: readonly (readonly number[])[] = [[], [1], [2, 1], [3, 2, 1]];

/** pgalloc_* of a zone, by slot. */
const ALLOC_ITEM: readonly number[] = [-1, VMSTAT.pgallocDma, VMSTAT.pgallocDma32, VMSTAT.pgallocNormal];

/** Pages a zone keeps back from ordinary allocations. */
export const minWatermark = (zone: Zone): number => zone.minPages;
/** min_free_kbytes's part of a zone, as a share of its size. */
const minPagesOf = (start: number, end: number): number => Math.min(11264, Math.floor((end - start) / 200));

/** Pages that a zone may hand out before it is at its watermark (zone_watermark_ok). */
const aboveWatermark = (k: Kernel, zone: Zone): number => k.freeCount.get(freePagesAt(zone.slot)) - zone.minPages;

/**
 * Takes a block of 2^order frames, whose content and flags are undefined but for a cleared flag word.
 * NO_PFN when no zone has one above its watermark. alloc_pages, 5.19 to 6.18.
 * `nr` > 1: that many single frames, which lie behind each other; at most framesFromBlock and framesToWatermark.
 */
export function allocPages(k: Kernel, order: number, type: MigrateType, nr = 1): Pfn {
  const wanted = typeNumber(type);
  const slots = PREFERENCE[k.zones.count];
  const pages = nr << order;
  for (let z = 0; z < slots.length; z++) {
    const slot = slots[z];
    const zone = k.zones.get(slot);
    if (aboveWatermark(k, zone) < pages) continue;
    const pfn = takeBlock(k, zone, order, wanted, nr);
    if (pfn === NO_PFN) continue;
    k.freeCount.add(freePagesAt(slot), -pages);
    k.vmstat.add(ALLOC_ITEM[slot], pages);
    return pfn as Pfn;
  }
  return NO_PFN;
}

/** The zone that the next single frame comes from, if it is on its lists by then. */
function nextZone(k: Kernel): Zone | undefined {
  const slots = PREFERENCE[k.zones.count];
  for (let z = 0; z < slots.length; z++) {
    const zone = k.zones.get(slots[z]);
    if (aboveWatermark(k, zone) >= 1) return zone;
  }
  return undefined;
}

/** How many of the next single movable frames lie behind each other: those of the block that is split for them. */
export function framesFromBlock(k: Kernel): number {
  const zone = nextZone(k);
  const order = zone === undefined ? MAX_ORDER + 1 : smallestFree(k, zone.slot, 0, MOVABLE);
  return order > MAX_ORDER ? 1 : 1 << order;
}

/** How many of the next single frames the zone that the first comes from may hand out. */
export function framesToWatermark(k: Kernel): number {
  const zone = nextZone(k);
  return zone === undefined ? 1 : aboveWatermark(k, zone);
}

const zoneOf = (k: Kernel, pfn: number): Zone => {
  for (let slot = 1; slot <= k.zones.count; slot++) {
    const zone = k.zones.get(slot);
    if (pfn >= zone.start && pfn < zone.end) return zone;
  }
  throw new RangeError(`no zone holds frame ${pfn}`);
};

/** Gives a block back and merges it with its buddies (__free_one_page). */
export function freePages(k: Kernel, pfn: Pfn, order: number): void {
  const zone = zoneOf(k, pfn);
  if ((k.pageFlags.get(pfn) & PG.buddy) !== 0) kernelBug(`frame ${pfn} freed twice`);
  const type = blockTypeOf(k, pfn);
  let block: number = pfn;
  let o = order;
  while (o < MAX_ORDER) {
    const buddy = block ^ (1 << o);
    if (buddy < zone.start || buddy + (1 << o) > zone.end) break;
    const flags = k.pageFlags.get(buddy);
    if ((flags & PG.buddy) === 0 || (flags & ORDER_MASK) >>> ORDER_SHIFT !== o) break;
    const buddyType = (flags & MIGRATE_MASK) >>> MIGRATE_SHIFT;
    listRemove(k, zone.slot, buddy, o, buddyType);
    block = Math.min(block, buddy);
    o++;
  }
  k.pageFlags.set(pfn, 0);
  listAdd(k, zone.slot, block, o, type);
  k.freeCount.add(freePagesAt(zone.slot), 1 << order);
  k.vmstat.add(VMSTAT.pgfree, 1 << order);
}

/** Free pages of a zone, the never-used ones included. */
export const freePagesOf = (k: Kernel, zone: number): number => k.freeCount.get(freePagesAt(zone));

export function totalFreePages(k: Kernel): number {
  let sum = 0;
  for (let slot = 1; slot <= k.zones.count; slot++) sum += freePagesOf(k, slot);
  return sum;
}

/** Free blocks of each order of a zone, as /proc/buddyinfo counts them. */
export function freeBlocks(k: Kernel, slot: number): number[] {
  const zone = k.zones.get(slot);
  const out: number[] = [];
  for (let order = 0; order <= MAX_ORDER; order++) {
    out.push(k.freeCount.get(listAt(slot, order, 0)) + k.freeCount.get(listAt(slot, order, 1)) + k.freeCount.get(listAt(slot, order, 2)));
  }
  let pfn = k.freeCount.get(frontierAt(slot));
  while (pfn < zone.end) {
    const next = Math.min(zone.end, pfn + MAX_BLOCK - (pfn % MAX_BLOCK));
    if (next - pfn === MAX_BLOCK) {
      const whole = Math.floor((zone.end - pfn) / MAX_BLOCK);
      out[MAX_ORDER] += whole;
      pfn += whole * MAX_BLOCK;
      continue;
    }
    let order = MAX_ORDER;
    while (order > 0 && (pfn % (1 << order) !== 0 || pfn + (1 << order) > zone.end)) order--;
    out[order]++;
    pfn += 1 << order;
  }
  return out;
}

/** Head of a free list, -1 when it is empty, and how many blocks the zone says it has. */
export const firstFree = (k: Kernel, zone: number, order: number, type: number): number => k.freeHead.get(listAt(zone, order, type));
export const freeBlocksOn = (k: Kernel, zone: number, order: number, type: number): number => k.freeCount.get(listAt(zone, order, type));

/** Walks every free block on the lists (for views). */
export function* freeListBlocks(k: Kernel, slot: number): Generator<{ pfn: number; order: number; type: number }> {
  for (let order = 0; order <= MAX_ORDER; order++) {
    for (let type = 0; type < 3; type++) {
      for (let pfn = k.freeHead.get(listAt(slot, order, type)); pfn >= 0; pfn = k.buddyNext.get(pfn)) yield { pfn, order, type };
    }
  }
}

/** First frame of a zone that was never handed out. */
export const frontierOf = (k: Kernel, slot: number): number => k.freeCount.get(frontierAt(slot));
