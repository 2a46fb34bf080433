import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Machine } from "../machine.ts";
import { findProfile } from "../profile/profile.ts";
import { runAlone, type Op } from "../sched/points.ts";
import { mixInto } from "../store/hash.ts";
import { sysFork, sysMadvise, sysMlock, sysMmap, sysMprotect, sysMunmap } from "../syscalls.ts";
import { touchRange } from "../touch.ts";
import { failed, type Result } from "./errno.ts";
import { FRAME_LIMITS, PLACE_LIMITS } from "./faultBatch.ts";
import type { Kernel } from "./kernel.ts";
import { MADV } from "./advice.ts";
import { MAP } from "./mmap.ts";
import { freePagesOf } from "./pageAlloc.ts";
import type { Task } from "./records.ts";
import { tlbFill } from "./tlb.ts";
import type { AccessKind } from "./translate.ts";

/** Faults in batches leave what the same faults leave one by one: the same hash, results and hooks, whatever lies in their way. */

const PAGE = 4096;
/** Pages that a program plays in: more than a quantum of accesses, and a dozen tables. */
const AREA = 6144;
const MOST_FAULTS = 200_000;
const ANON = MAP.private | MAP.anonymous | MAP.fixed;

/** Often the same places, so that steps meet. */
const at = fc.oneof(fc.nat(AREA - 1), fc.constantFrom(0, 1, 10, 300, 500, 512, 1024));
const length = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 700 }), fc.integer({ min: 1, max: AREA }));
const kind = fc.constantFrom<AccessKind>("w", "w", "w", "w", "w", "r", "r", "x");

type Step =
  | { readonly op: "map"; readonly at: number; readonly pages: number; readonly prot: number }
  | { readonly op: "unmap" | "punch"; readonly at: number; readonly pages: number }
  | { readonly op: "advise"; readonly at: number; readonly pages: number; readonly advice: number }
  | { readonly op: "protect"; readonly at: number; readonly pages: number; readonly prot: number }
  | { readonly op: "lock"; readonly at: number; readonly pages: number }
  | {
      readonly op: "touch";
      readonly at: number;
      readonly pages: number;
      readonly bytes: number;
      readonly offset: number;
      readonly kind: AccessKind;
      readonly value: number;
      readonly child: boolean;
    }
  | { readonly op: "size"; readonly order: number; readonly mode: string }
  | { readonly op: "huge"; readonly mode: string }
  | { readonly op: "stale"; readonly at: number; readonly pages: number }
  | { readonly op: "squeeze"; readonly left: number }
  | { readonly op: "fork" | "snapshot" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant("map" as const), at, pages: length, prot: fc.constantFrom(3, 3, 3, 2, 1, 0) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom("unmap" as const, "punch" as const), at, pages: length }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("advise" as const),
      at,
      pages: length,
      advice: fc.constantFrom(MADV.dontneed, MADV.hugepage, MADV.nohugepage, MADV.populateWrite, MADV.populateRead),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("protect" as const), at, pages: length, prot: fc.constantFrom(0, 1, 2, 3, 7) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("lock" as const), at, pages: length }) },
  {
    weight: 9,
    arbitrary: fc.record({
      op: fc.constant("touch" as const),
      at,
      pages: length,
      bytes: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(1, 1, 2, 3, 7, 64, 512).map((n) => n * PAGE) },
        { weight: 1, arbitrary: fc.constantFrom(1024, 5000, 8192 + 8) },
      ),
      offset: fc.nat(PAGE - 1),
      kind,
      value: fc.nat(255),
      child: fc.nat(5).map((n) => n === 0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant("size" as const), order: fc.constantFrom(2, 4), mode: fc.constantFrom("always", "madvise", "never", "never") }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("huge" as const), mode: fc.constantFrom("always", "madvise", "never", "never") }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("stale" as const), at, pages: fc.integer({ min: 1, max: 80 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("squeeze" as const), left: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom("fork" as const, "snapshot" as const) }) },
);

const program = fc.record({
  profile: fc.constantFrom("upstream-6.18", "upstream-6.18", "debian-6.1.176", "ppc-8xx-6.12", "x86-64-la57-6.18"),
  memoryMiB: fc.constantFrom(14, 24, 48),
  /** the quantum at which a touch is stopped */
  quanta: fc.integer({ min: 1, max: 4 }),
  steps: fc.array(step, { minLength: 4, maxLength: 14 }),
});
type Program = typeof program extends fc.Arbitrary<infer P> ? P : never;

/** One run of a program: a line of what can be seen after each step. */
class Life {
  readonly seen: string[] = [];
  private readonly machine: Machine;
  private readonly k: Kernel;
  private readonly task: Task;
  private readonly base: number;
  private readonly points: boolean;
  private child: Task | undefined;
  private hooked = 0;
  private quanta = 0;
  private faults = 0;
  private stoppable = false;

  /** `points`: by the generators, which yield at every point. */
  constructor(p: Program, points: boolean) {
    this.machine = new Machine({ profile: findProfile(p.profile)!, memoryMiB: p.memoryMiB });
    this.k = this.machine.kernel;
    this.task = this.k.tasks.get(this.machine.spawn({ comm: "P" }));
    this.base = this.k.geo.thp ? 0x100000000000 : 0x10000000;
    this.points = points;
    this.machine.hooks = {
      onFault: (mm, vpn, offset, error) => {
        this.hooked = mixInto(mixInto(this.hooked ^ mm, vpn | 0), offset ^ error);
        // where a limit is left out, an access may fault again and again
        if (++this.faults > MOST_FAULTS) throw new Error("this does not end");
      },
      // only what can be left half done is stopped
      onQuantum: () => !this.stoppable || ++this.quanta % p.quanta !== 0,
    };
    for (const s of p.steps) {
      this.machine.beginStep();
      this.k.work = 0;
      this.k.stopped = false;
      const result = this.step(s);
      this.seen.push(`${JSON.stringify(s)} ${JSON.stringify(result)} ${this.hooked} ${this.quanta} ${this.machine.hash()}`);
    }
  }

  private run(op: Op<Result<bigint | number>>): string {
    const r = runAlone(op);
    return failed(r) ? r.errno : String(r);
  }

  private touch(s: Step & { op: "touch" }): unknown {
    const { k } = this;
    const task = s.child && this.child !== undefined ? this.child : this.task;
    const start = this.base + s.at * PAGE + s.offset;
    k.preempt = this.points;
    this.stoppable = s.kind !== "x";
    // locks are held by a thread
    k.thread = this.points ? 1 : 0;
    // a call runs through all pages that follow
    const pages = s.kind === "x" ? Math.min(s.pages, 2) : s.pages;
    const r = runAlone(touchRange(k, task, start, start + pages * PAGE, s.bytes, s.kind, s.value));
    k.preempt = false;
    this.stoppable = false;
    k.thread = 0;
    return r;
  }

  /** Other memory takes what is free, but for `left` frames and what a zone keeps back. */
  private squeeze(left: number): string {
    const { k } = this;
    let free = -left;
    for (const [slot, zone] of k.zones.entries()) free += Math.max(0, freePagesOf(k, slot) - zone.minPages);
    if (free <= 0) return "";
    const address = BigInt(this.base + 2 * AREA * PAGE);
    const r = this.run(sysMmap(k, this.task, { address, length: BigInt(free * PAGE), prot: 3, flags: ANON | MAP.populate }));
    // what the page tables took too
    return r;
  }

  private step(s: Step): unknown {
    const { k, task } = this;
    const address = "at" in s ? BigInt(this.base + s.at * PAGE) : 0n;
    const bytes = "pages" in s ? BigInt(s.pages * PAGE) : 0n;
    switch (s.op) {
      case "map":
        return this.run(sysMmap(k, task, { address, length: bytes, prot: s.prot, flags: ANON }));
      case "unmap":
        return this.run(sysMunmap(k, task, address, bytes));
      case "punch":
        for (let n = 0; n < Math.min(s.pages, 200); n++) this.run(sysMadvise(k, task, address + BigInt(2 * n * PAGE), BigInt(PAGE), MADV.dontneed));
        return null;
      case "advise":
        return this.run(sysMadvise(k, task, address, bytes, s.advice));
      case "protect":
        return this.run(sysMprotect(k, task, address, bytes, s.prot));
      case "lock":
        return this.run(sysMlock(k, task, address, bytes, true));
      case "touch":
        return this.touch(s);
      case "size":
        return this.run(this.machine.writeFile(`/sys/kernel/mm/transparent_hugepage/hugepages-${4 << s.order}kB/enabled`, s.mode));
      case "huge":
        return this.run(this.machine.writeFile("/sys/kernel/mm/transparent_hugepage/enabled", s.mode));
      case "stale":
        // as if the flush after an unmap had been forgotten
        for (let n = 0; n < s.pages; n += 7) tlbFill(k, "pte", this.base / PAGE + s.at + n, 0x3000 | 0x867, 0);
        return null;
      case "squeeze":
        return this.squeeze(s.left);
      case "fork": {
        const r = runAlone(sysFork(k, task, "C"));
        this.child = failed(r) ? this.child : k.tasks.get(r);
        return null;
      }
      case "snapshot":
        this.machine.snapshot();
        return null;
    }
  }
}

type AnyLimit = { readonly name: string; readonly pages: (k: Kernel, at: unknown, most: number) => number };
const lists = [FRAME_LIMITS, PLACE_LIMITS] as unknown as readonly AnyLimit[][];

/** Carries something out with other limits. */
function withLimits<T>(change: () => void, then: () => T): T {
  const kept = lists.map((list) => [...list]);
  change();
  try {
    return then();
  } finally {
    lists.forEach((list, n) => list.splice(0, list.length, ...kept[n]));
  }
}

const leaveOut = (name: string): void =>
  lists.forEach((list) => {
    const at = list.findIndex((l) => l.name === name);
    if (at >= 0) list.splice(at, 1);
  });

const oneByOne = (p: Program): string[] =>
  withLimits(
    () => lists[1].unshift({ name: "alone", pages: () => 1 }),
    () => new Life(p, false).seen,
  );

it("leaves the state of faults taken one by one, by the plain functions and by the generators", () => {
  fc.assert(
    fc.property(program, (p) => {
      const batched = new Life(p, false).seen;
      expect(batched).toEqual(oneByOne(p));
      expect(batched).toEqual(new Life(p, true).seen);
    }),
    { numRuns: process.env.HUGELAB_LONG === "1" ? 5000 : 150 },
  );
});

/** A program whose loop faults on every page of an area that nothing is in the way of. */
const plain: Program = {
  profile: "upstream-6.18",
  memoryMiB: 48,
  quanta: 4,
  steps: [
    { op: "map", at: 0, pages: AREA, prot: 3 },
    { op: "touch", at: 0, pages: AREA, bytes: PAGE, offset: 5, kind: "w", value: 9, child: false },
  ],
};

it("takes most faults of a plain loop together", () => {
  const asked: number[] = [];
  withLimits(
    () => lists[1].push({ name: "count", pages: (_k, _at, most) => (asked.push(most), most) }),
    () => new Life(plain, false),
  );
  expect(asked.length).toBeLessThan(60);
  expect(asked.reduce((a, b) => a + b, 0)).toBeGreaterThan(AREA - 40);
});

/** For each limit a program in which it decides. */
const touchAll = (from: number, pages: number): Step => ({ op: "touch", at: from, pages, bytes: PAGE, offset: 0, kind: "w", value: 7, child: false });
const mapAll: Step = { op: "map", at: 0, pages: 2200, prot: 3 };
const deciding: Readonly<Record<string, readonly Step[]>> = {
  block: [mapAll, touchAll(3, 2000)],
  // all memory is taken, and then a part of it comes back in large blocks
  // (frames of page tables are of another type, and make what is left less than the last block)
  watermark: [
    mapAll,
    touchAll(0, 1),
    { op: "squeeze", left: 0 },
    { op: "unmap", at: 2 * AREA + 1000, pages: 200 },
    touchAll(600, 1),
    touchAll(1100, 1),
    touchAll(0, 500),
  ],
  sizes: [mapAll, touchAll(0, 1), { op: "size", order: 2, mode: "always" }, touchAll(17, 100), touchAll(200, 100), touchAll(512, 1000)],
  vma: [{ op: "map", at: 0, pages: 100, prot: 3 }, touchAll(0, 200)],
  table: [mapAll, touchAll(300, 600)],
  // the page that is there is not in the TLB any more, where another has displaced it
  entries: [mapAll, touchAll(20, 1), touchAll(84, 1), touchAll(0, 100)],
  // a CPU that comes from another process has nothing in its TLB: the first touch makes it run this one
  tlb: [mapAll, touchAll(0, 1), { op: "stale", at: 10, pages: 1 }, touchAll(0, 100)],
};

describe("a limit that is left out shows", () => {
  it.each(lists.flat().map((l) => l.name))("%s", (name) => {
    const p: Program = { ...plain, memoryMiB: 14, steps: [...deciding[name]] };
    const single = oneByOne(p);
    expect(new Life(p, false).seen).toEqual(single);
    const without = withLimits(
      () => leaveOut(name),
      () => {
        try {
          return new Life(p, false).seen;
        } catch (e) {
          return [String(e)];
        }
      },
    );
    expect(without).not.toEqual(single);
  });
});
