import { describe, expect, it } from "vitest";
import { bootKernel } from "../boot.ts";
import { findProfile, type Profile } from "../profile/profile.ts";
import { NO_PFN, type Pfn } from "../units.ts";
import type { Kernel } from "./kernel.ts";
import { allocPages, freeBlocks, freePages, freePagesOf, frontierOf, MAX_ORDER, minWatermark, totalFreePages, type MigrateType } from "./pageAlloc.ts";
import { VMSTAT } from "./vmstat.ts";

const boot = (memoryMiB = 64): Kernel => bootKernel({ profile: findProfile("upstream-6.18") as Profile, memoryMiB });

/** Free blocks by order in all zones, as /proc/buddyinfo. */
const blocks = (k: Kernel): number[] =>
  Array.from({ length: MAX_ORDER + 1 }, (_, order) => Array.from({ length: k.zones.count }, (_, z) => freeBlocks(k, z + 1)[order]).reduce((a, b) => a + b));

const pagesIn = (counts: readonly number[]): number => counts.reduce((sum, n, order) => sum + n * 2 ** order, 0);

describe("splitting and merging", () => {
  it("splits the smallest block that is large enough, and puts the upper halves on the lists", () => {
    const k = boot();
    const before = blocks(k);
    const pfn = allocPages(k, 0, "movable");
    const after = blocks(k);
    // one block of the highest order became one of each order below, and the page
    expect(after[MAX_ORDER]).toBe(before[MAX_ORDER] - 1);
    expect(after.slice(0, MAX_ORDER)).toEqual(before.slice(0, MAX_ORDER).map((n) => n + 1));
    freePages(k, pfn, 0);
    expect(blocks(k)).toEqual(before);
  });

  it("gives blocks that are aligned to their size and do not overlap", () => {
    const k = boot();
    const taken = new Set<number>();
    for (let n = 0; n < 60; n++) {
      const order = (n * 7) % (MAX_ORDER + 1);
      const pfn = allocPages(k, order, "movable");
      expect(pfn % 2 ** order).toBe(0);
      for (let i = 0; i < 2 ** order; i++) {
        expect(taken.has(pfn + i)).toBe(false);
        taken.add(pfn + i);
      }
      if (taken.size > 10_000) break;
    }
    expect(taken.size).toBeGreaterThan(5_000);
  });

  it("merges back to what there was, in whatever order blocks are freed", () => {
    const k = boot();
    const before = blocks(k);
    const got = Array.from({ length: 300 }, (_, n) => ({ order: n % 4, pfn: allocPages(k, n % 4, "movable") }));
    got.sort((a, b) => ((a.pfn * 7919) % 1009) - ((b.pfn * 7919) % 1009));
    for (const { pfn, order } of got) freePages(k, pfn, order);
    expect(blocks(k)).toEqual(before);
  });

  it("does not merge a free block with one of another size or with one in use", () => {
    const k = boot();
    const first = allocPages(k, 1, "movable");
    const second = allocPages(k, 1, "movable");
    expect(second).toBe(first + 2);
    const before = blocks(k);
    freePages(k, first, 1);
    expect(blocks(k)[1]).toBe(before[1] + 1);
    freePages(k, (second + 1) as Pfn, 0);
    expect(blocks(k)[0]).toBe(before[0] + 1);
    // the last page brings all of them together
    freePages(k, second, 0);
    expect(blocks(k)[1]).toBe(before[1]);
  });
});

describe("migrate types", () => {
  const takeAll = (k: Kernel, order: number, type: MigrateType): Pfn[] => {
    const out: Pfn[] = [];
    for (let pfn = allocPages(k, order, type); pfn !== NO_PFN; pfn = allocPages(k, order, type)) out.push(pfn);
    return out;
  };

  it("take from each other when their own blocks are gone", () => {
    for (const type of ["movable", "unmovable", "reclaimable"] as const) {
      const k = boot(32);
      const own = allocPages(k, 0, "unmovable");
      expect(own).not.toBe(NO_PFN);
      const got = takeAll(k, 0, type);
      const kept = Array.from({ length: k.zones.count }, (_, z) => minWatermark(k.zones.get(z + 1))).reduce((a, b) => a + b);
      expect(totalFreePages(k)).toBe(kept);
      expect(new Set(got).size).toBe(got.length);
    }
  });

  it("give a stolen block a new type, so that what is freed in it stays there", () => {
    const k = boot();
    const pfn = allocPages(k, 0, "unmovable");
    freePages(k, pfn, 0);
    expect(allocPages(k, 0, "unmovable")).toBe(pfn);
  });
});

describe("the frontier", () => {
  it("moves up by whole blocks and never down", () => {
    const k = boot();
    const zone = k.zones.count;
    const at = frontierOf(k, zone);
    const got = [allocPages(k, MAX_ORDER, "movable"), allocPages(k, MAX_ORDER, "movable")];
    const moved = frontierOf(k, zone);
    expect(moved).toBeGreaterThanOrEqual(at + 1024);
    expect(moved % 1024).toBe(0);
    for (const pfn of got) freePages(k, pfn, MAX_ORDER);
    expect(frontierOf(k, zone)).toBe(moved);
    // free memory is used before memory that was never used
    allocPages(k, MAX_ORDER, "movable");
    expect(frontierOf(k, zone)).toBe(moved);
  });

  it("counts memory above it as free blocks of the highest order that fits", () => {
    for (const memoryMiB of [17, 64, 100, 1000]) {
      const k = boot(memoryMiB);
      for (let z = 1; z <= k.zones.count; z++) expect(pagesIn(freeBlocks(k, z))).toBe(freePagesOf(k, z));
    }
  });
});

describe("exhaustion", () => {
  it("ends with no page, keeps the watermark, and gives everything back", () => {
    const k = boot(32);
    const before = { pages: totalFreePages(k), blocks: blocks(k) };
    const got: Pfn[] = [];
    for (let pfn = allocPages(k, 3, "movable"); pfn !== NO_PFN; pfn = allocPages(k, 3, "movable")) got.push(pfn);
    expect(allocPages(k, 3, "unmovable")).toBe(NO_PFN);
    for (let z = 1; z <= k.zones.count; z++) expect(freePagesOf(k, z)).toBeGreaterThanOrEqual(minWatermark(k.zones.get(z)));
    for (const pfn of got) freePages(k, pfn, 3);
    expect(totalFreePages(k)).toBe(before.pages);
    expect(blocks(k)).toEqual(before.blocks);
  });

  it("refuses a size for want of a whole block while single pages are there", () => {
    const k = boot(32);
    const got: Pfn[] = [];
    for (let pfn = allocPages(k, 0, "movable"); pfn !== NO_PFN; pfn = allocPages(k, 0, "movable")) got.push(pfn);
    for (const pfn of got) if (pfn % 2 === 0) freePages(k, pfn, 0);
    expect(totalFreePages(k)).toBeGreaterThan(3000);
    expect(allocPages(k, 9, "movable")).toBe(NO_PFN);
    expect(allocPages(k, 0, "movable")).not.toBe(NO_PFN);
  });

  it("finds a block that is freed twice", () => {
    const k = boot();
    const pfn = allocPages(k, 2, "movable");
    freePages(k, pfn, 2);
    const block = allocPages(k, 10, "movable");
    freePages(k, block, 10);
    expect(() => freePages(k, block, 10)).toThrow("freed twice");
  });
});

it("counts what it hands out and takes back", () => {
  const k = boot();
  const before = { alloc: k.vmstat.get(VMSTAT.pgallocDma32), free: k.vmstat.get(VMSTAT.pgfree) };
  const pfn = allocPages(k, 4, "movable");
  freePages(k, pfn, 4);
  expect([k.vmstat.get(VMSTAT.pgallocDma32) - before.alloc, k.vmstat.get(VMSTAT.pgfree) - before.free]).toEqual([16, 16]);
});
