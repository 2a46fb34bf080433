import { expect, it, describe } from "vitest";
import { checkMachine } from "../check/checkMachine.ts";
import { Machine } from "../machine.ts";
import { translate } from "../mm/translate.ts";
import { failed } from "../mm/errno.ts";
import { totalFreePages } from "../mm/pageAlloc.ts";
import { allocPages } from "../mm/pageAlloc.ts";
import { prepFolio } from "../mm/folio.ts";
import { MISC, type Kernel } from "../mm/kernel.ts";
import { MAP } from "../mm/mmap.ts";
import type { Task } from "../mm/records.ts";
import { findProfile } from "../profile/profile.ts";
import { runAlone, type Op } from "../sched/points.ts";
import * as sys from "../syscalls.ts";
import { touchRange } from "../touch.ts";
import type { TouchResult } from "../touchResult.ts";
import type { Pfn } from "../units.ts";
import { makeReadOnly, makeWritable } from "./geometry.ts";
import { PPC_8XX, PPC_8XX_PMD_PAGE_8M } from "./ppc8xx.ts";
import { clear8MPage, PAGE_8M_PAGES, set8MPage, walk8xx } from "./ppc8xxHugePage.ts";

const PAGE = 4096;
const MIB = 1 << 20;
const RW = 3;
const ANON = MAP.private | MAP.anonymous;

class Lab {
  readonly machine: Machine;
  readonly k: Kernel;
  readonly task: Task;

  constructor(profile: string) {
    this.machine = new Machine({ profile: findProfile(profile)! });
    this.k = this.machine.kernel;
    this.task = this.k.tasks.get(this.machine.spawn({ comm: "P" }));
  }

  run<T>(op: Op<T>): T {
    this.machine.beginStep();
    const r = runAlone(op);
    expect(checkMachine(this.k)).toEqual([]);
    return r;
  }

  map(address: number, length: number, flags: number = MAP.fixed): bigint {
    const r = this.run(sys.sysMmap(this.k, this.task, { address: BigInt(address), length: BigInt(length), prot: RW, flags: ANON | flags }));
    if (failed(r)) throw new Error(r.errno);
    return r;
  }

  touch(address: number, length: number, kind: "r" | "w", value = 0, task = this.task): TouchResult {
    return this.run(touchRange(this.k, task, address, address + length, PAGE, kind, value));
  }

  frame(address: number, task = this.task): number {
    return translate(this.k, task.mm, address / PAGE, "r");
  }

  get vmPte(): number {
    return sys.statusOf(this.k, this.task.mm).VmPTE;
  }

  get rss(): number {
    return sys.statusOf(this.k, this.task.mm).VmRSS;
  }

  fork(): Task {
    const r = this.run(sys.sysFork(this.k, this.task, "C"));
    if (failed(r)) throw new Error(r.errno);
    return this.k.tasks.get(r);
  }
}

/** What every geometry must do with memory of its own, at an address that begins a table. */
function wholeLife(lab: Lab, base: number): void {
  const { k, task } = lab;
  const free = totalFreePages(k);
  const tables = k.misc.get(MISC.tableCount);
  lab.map(base, 32 * PAGE);
  expect(lab.touch(base, 8 * PAGE, "w", 5)).toMatchObject({ count: 8, ok: 8 });
  expect(lab.touch(base, 9 * PAGE, "r")).toMatchObject({ ok: 9, first: 5, sum: 40 });
  expect(lab.rss).toBe(8 * 4);

  // fork shares, a write copies, and the child keeps what was
  const child = lab.fork();
  expect(lab.frame(base, child)).toBe(lab.frame(base));
  expect(lab.touch(base, PAGE, "w", 9).ok).toBe(1);
  expect(lab.frame(base, child)).not.toBe(lab.frame(base));
  expect(lab.touch(base, 2 * PAGE, "r", 0, child)).toMatchObject({ first: 5, sum: 10 });
  sys.sysExit(k, child);
  expect(checkMachine(k)).toEqual([]);
  expect(lab.touch(base, 2 * PAGE, "r")).toMatchObject({ first: 9, sum: 14 });

  expect(lab.run(sys.sysMprotect(k, task, BigInt(base), BigInt(PAGE), 1))).toBe(0);
  expect(lab.touch(base, PAGE, "w", 1).signals).toMatchObject([{ signal: { signal: "SIGSEGV", code: "SEGV_ACCERR" } }]);
  expect(lab.run(sys.sysMprotect(k, task, BigInt(base), BigInt(PAGE), RW))).toBe(0);
  expect(lab.touch(base, PAGE, "w", 1).ok).toBe(1);

  const moved = base + 64 * MIB;
  const frame = lab.frame(base);
  const mremap = { address: BigInt(base), oldLength: BigInt(32 * PAGE), newLength: BigInt(32 * PAGE), mayMove: true, dontUnmap: false, fixed: BigInt(moved) };
  expect(lab.run(sys.sysMremap(k, task, mremap))).toBe(BigInt(moved));
  expect(lab.frame(moved)).toBe(frame);
  expect(lab.touch(base, PAGE, "r").signals).toMatchObject([{ signal: { code: "SEGV_MAPERR" } }]);
  expect(lab.touch(moved, 2 * PAGE, "r")).toMatchObject({ first: 1, sum: 6 });

  expect(lab.run(sys.sysMunmap(k, task, BigInt(moved), BigInt(32 * PAGE)))).toBe(0);
  expect([lab.rss, lab.vmPte, k.misc.get(MISC.tableCount), totalFreePages(k)]).toEqual([0, 0, tables, free]);
}

describe("powerpc 8xx", () => {
  it("boots with two levels, no THP and no khugepaged", () => {
    const { k } = new Lab("ppc-8xx-6.12");
    expect([k.geo.levels.length, k.geo.thp, k.g.khugepagedRunning]).toEqual([2, false, false]);
    expect(checkMachine(k)).toEqual([]);
  });

  it("maps, touches, forks, copies, protects, moves and unmaps memory, and frees its tables", () => wholeLife(new Lab("ppc-8xx-6.12"), 0x10000000));

  it("counts one table for each 4 MiB", () => {
    const lab = new Lab("ppc-8xx-6.12");
    lab.map(0x10000000, 16 * MIB);
    const counts = [0, 4, 8].map((mib) => {
      lab.touch(0x10000000 + mib * MIB, PAGE, "w", 1);
      return lab.vmPte;
    });
    expect(counts).toEqual([4, 8, 12]);
    lab.touch(0x10000000 + 3 * MIB, PAGE, "w", 1);
    expect(lab.vmPte).toBe(12);
    expect(lab.run(sys.sysMadvise(lab.k, lab.task, 0x10000000n, BigInt(16 * MIB), 4))).toBe(0);
    expect(lab.rss).toBe(0);
  });

  it("places mappings below 2 GiB and refuses what does not fit", () => {
    const lab = new Lab("ppc-8xx-6.12");
    const at = lab.map(0, 4 * MIB, 0);
    expect(at).toBeLessThan(1n << 31n);
    expect(at).toBeGreaterThan(0n);
    const tooFar = sys.sysMmap(lab.k, lab.task, { address: 1n << 31n, length: 4096n, prot: RW, flags: ANON | MAP.fixed });
    expect(lab.run(tooFar)).toMatchObject({ errno: "ENOMEM" });
    expect(lab.run(sys.sysMadvise(lab.k, lab.task, at, 4096n, 14))).toMatchObject({ errno: "EINVAL" });
    expect(lab.run(sys.sysMadvise(lab.k, lab.task, at, 4096n, 25))).toMatchObject({ errno: "EINVAL" });
  });

  it("reads write protection from a field, where zero is writable", () => {
    const e = PPC_8XX.encoding;
    expect(makeReadOnly(e, e.present) & e.write.mask).not.toBe(0);
    expect(makeWritable(e, makeReadOnly(e, e.present))).toBe(e.present);
  });

  it("has an 8 MiB page as two top entries with 1024 cells each", () => {
    const lab = new Lab("ppc-8xx-6.12");
    const { k, task } = lab;
    const vpn = 0x10000000 / PAGE;
    // memory that was never handed out comes in order, so that the blocks of 4 MiB lie side by side
    const blocks = Array.from({ length: 4 }, () => allocPages(k, 10, "movable")).sort((a, b) => a - b);
    const head = blocks.find((b) => b % PAGE_8M_PAGES === 0 && blocks.includes((b + 1024) as Pfn))!;
    for (const b of blocks) prepFolio(k, b, 10);
    const tables = k.misc.get(MISC.tableCount);
    const bits = PPC_8XX.encoding.present | PPC_8XX.encoding.accessed | PPC_8XX.encoding.dirty;
    expect(set8MPage(k, task.mm, vpn, head, bits)).toBe(true);
    const { pgd } = k.mms.get(task.mm);
    const upper = [0, 1].map((n) => k.entryLo.get(pgd * k.geo.tableStride + vpn / 1024 + n));
    expect(upper.map((lo) => lo & PPC_8XX_PMD_PAGE_8M)).toEqual([PPC_8XX_PMD_PAGE_8M, PPC_8XX_PMD_PAGE_8M]);
    expect(upper.map((lo) => k.tableUsed.get(k.mapping.get(lo >>> 12)))).toEqual([1024, 1024]);
    expect(upper[0] >>> 12).not.toBe(upper[1] >>> 12);
    expect([k.misc.get(MISC.tableCount) - tables, lab.vmPte]).toEqual([2, 8]);
    for (const page of [0, 1, 1023, 1024, 2047]) {
      expect(walk8xx(k, task.mm, vpn + page)).toEqual({ pfn: head + page, pages: PAGE_8M_PAGES });
      // the walk of the hardware, which is the same over all geometries
      expect(translate(k, task.mm, vpn + page, "w")).toBe(head + page);
    }
    expect(walk8xx(k, task.mm, vpn + 2048)).toBeUndefined();
    expect(() => set8MPage(k, task.mm, vpn, head, bits)).toThrow("in use");
    expect(() => set8MPage(k, task.mm, vpn + 1024, head, bits)).toThrow("no place");
    clear8MPage(k, task.mm, vpn);
    expect(walk8xx(k, task.mm, vpn)).toBeUndefined();
    expect([k.misc.get(MISC.tableCount), lab.vmPte]).toEqual([tables, 0]);
    expect(() => clear8MPage(k, task.mm, vpn)).toThrow("holds no 8 MiB page");
  });

  it("walks small pages beside it", () => {
    const lab = new Lab("ppc-8xx-6.12");
    lab.map(0x10000000, PAGE);
    lab.touch(0x10000000, PAGE, "w", 1);
    expect(walk8xx(lab.k, lab.task.mm, 0x10000)).toEqual({ pfn: lab.frame(0x10000000), pages: 1 });
    expect(() => set8MPage(new Lab("upstream-6.18").k, 1, 0, 0 as Pfn, 1)).toThrow("no 8 MiB pages on x86-64");
  });
});

describe("x86-64", () => {
  it("maps, touches, forks, copies, protects, moves and unmaps memory with 4 levels", () => wholeLife(new Lab("upstream-6.18"), 0x4000000000));

  /** an address that needs the fifth level, with a top table of its own */
  const HIGH = 2 ** 55;

  it("does so with 5 levels, below and above 2^47", () => {
    wholeLife(new Lab("x86-64-la57-6.18"), 0x4000000000);
    wholeLife(new Lab("x86-64-la57-6.18"), HIGH);
  });

  it("counts tables of the PUD, PMD and PTE levels only: the P4D is free", () => {
    const counts = ["upstream-6.18", "x86-64-la57-6.18"].map((profile) => {
      const lab = new Lab(profile);
      const tables = lab.k.misc.get(MISC.tableCount);
      lab.map(0x4000000000, PAGE);
      lab.touch(0x4000000000, PAGE, "w", 1);
      return [lab.vmPte, lab.k.misc.get(MISC.tableCount) - tables];
    });
    // one more table is there with 5 levels, and VmPTE does not show it
    expect(counts).toEqual([
      [12, 3],
      [12, 4],
    ]);
  });

  it("maps huge pages above 2^47 and splits them", () => {
    const lab = new Lab("x86-64-la57-6.18");
    const { k, task } = lab;
    lab.run(lab.machine.writeFile("/sys/kernel/mm/transparent_hugepage/enabled", "always"));
    lab.map(HIGH, 4 * MIB);
    lab.touch(HIGH, PAGE, "w", 7);
    expect(lab.rss).toBe(2048);
    expect(lab.frame(HIGH + 5 * PAGE) - lab.frame(HIGH)).toBe(5);
    expect(lab.run(sys.sysMprotect(k, task, BigInt(HIGH + PAGE), BigInt(PAGE), 1))).toBe(0);
    expect(lab.touch(HIGH, 2 * PAGE, "r")).toMatchObject({ ok: 2, first: 7 });
    expect(lab.run(sys.sysMunmap(k, task, BigInt(HIGH), BigInt(4 * MIB)))).toBe(0);
    expect([lab.rss, lab.vmPte]).toEqual([0, 0]);
  });

  it("chooses addresses above 2^47 only when a hint asks for them", () => {
    const lab = new Lab("x86-64-la57-6.18");
    expect(lab.map(0, 2 * MIB, 0)).toBeLessThan(1n << 47n);
    expect(lab.map(2 ** 48, 2 * MIB, 0)).toBe(1n << 48n);
    // the place is taken: the highest room there is
    expect(lab.map(2 ** 48, 2 * MIB, 0)).toBeGreaterThan(1n << 55n);
    // a hint whose mapping would lie across the end of the window is none
    const across = lab.map(2 ** 47 - 2 * PAGE, 2 * MIB, 0);
    expect(across).toBeLessThan((1n << 47n) - BigInt(2 * MIB));
    expect(new Lab("upstream-6.18").map(2 ** 48, 2 * MIB, 0)).toBeLessThan(1n << 47n);
  });

  it("refuses what lies beyond 56 bits", () => {
    const lab = new Lab("x86-64-la57-6.18");
    const beyond = sys.sysMmap(lab.k, lab.task, { address: 1n << 56n, length: 4096n, prot: RW, flags: ANON | MAP.fixed });
    expect(lab.run(beyond)).toMatchObject({ errno: "ENOMEM" });
    const last = sys.sysMmap(lab.k, lab.task, { address: (1n << 56n) - 8192n, length: 4096n, prot: RW, flags: ANON | MAP.fixed });
    expect(lab.run(last)).toBe((1n << 56n) - 8192n);
  });
});
