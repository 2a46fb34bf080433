import { beforeEach, describe, expect, it } from "vitest";
import { set8MPage } from "../../kernel/arch/ppc8xxHugePage.ts";
import { Machine } from "../../kernel/machine.ts";
import { Kernel } from "../../kernel/mm/kernel.ts";
import { MAP } from "../../kernel/mm/mmap.ts";
import { smapsOf } from "../../kernel/proc/taskMmu.ts";
import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import { sysFork, sysMadvise, sysMmap, sysMprotect, sysMunmap } from "../../kernel/syscalls.ts";
import { touchRange } from "../../kernel/touch.ts";
import type { Pfn } from "../../kernel/units.ts";
import { buildPicture, type MachineRequest } from "./buildPicture.ts";
import type { PictureContext } from "./context.ts";
import type { AddressSpacePicture, CountersPicture, EntryDetail, PageTablesPicture, PhysicalPicture } from "./model.ts";
import { pictureMessagesEn } from "./messages.en.ts";
import { Summaries } from "./summaries.ts";

const BASE = 0x10000000000;
const MIB = 1 << 20;

/** A machine with one process, and pictures of it with the state before the last step. */
class Desk {
  readonly machine: Machine;
  readonly task: number;
  readonly processes: { name: string; task: number }[];
  readonly #before: Kernel;
  readonly #summaries = new Summaries();

  constructor(profile: Profile = findProfile("debian-6.18.15") as Profile) {
    this.machine = new Machine({ profile, memoryMiB: 1024 });
    this.task = this.machine.spawn({ comm: "P" });
    this.processes = [{ name: "P", task: this.task }];
    const k = this.machine.kernel;
    this.#before = new Kernel(k.profile, k.era, k.geo, k.costs);
  }

  do(operation: Parameters<Machine["run"]>[0]): unknown {
    this.#before.store.restore(this.machine.snapshot().store);
    this.machine.beginStep();
    return this.machine.run(operation);
  }

  mmap(offset: number, length: number): void {
    const call = { address: BigInt(BASE + offset), length: BigInt(length), prot: 3, flags: MAP.private | MAP.anonymous | MAP.fixed };
    this.do((k) => sysMmap(k, k.tasks.get(this.task), call));
  }

  touch(from: number, to: number, kind: "r" | "w" = "w"): void {
    this.do((k) => touchRange(k, k.tasks.get(this.task), BASE + from, BASE + to, 4096, kind, 7));
  }

  picture<P>(request: MachineRequest): P {
    const context: PictureContext = {
      print: (address) => (address >= BASE && address < BASE + 2 ** 32 ? `A+0x${(address - BASE).toString(16)}` : `0x${address.toString(16)}`),
      processes: this.processes,
      current: "P",
      before: this.#before,
      step: this.machine.kernel.step,
      nodeOfStep: (step) => step + 100,
      summaries: this.#summaries,
      render: ({ key, args }) => pictureMessagesEn[key].replace(/\{(\w+)\}/g, (_, name: string) => String(args[name])),
    };
    return buildPicture(this.machine.kernel, request, context) as P;
  }

  space(cells = 4): AddressSpacePicture {
    return this.picture({ kind: "addressSpace", process: null, first: 0, count: 200, cells });
  }

  tables(offset: number, level: number | null = null, process: string | null = null): PageTablesPicture {
    return this.picture({ kind: "pageTables", process, address: `0x${(BASE + offset).toString(16)}`, level });
  }

  memory(firstPfn: number, cells: number, pagesPerCell: number, selected: number | null = null): PhysicalPicture {
    return this.picture({ kind: "physical", firstPfn, cells, pagesPerCell, selected });
  }
}

const field = (entry: EntryDetail, name: string): string => entry.fields.find((each) => each.name === name)?.value ?? "none";
const frameOf = (entry: EntryDetail): number => Number(field(entry, "frame"));

describe("a session with a huge page", () => {
  let desk: Desk;
  beforeEach(() => {
    desk = new Desk();
    desk.mmap(0, 8 * MIB);
    desk.do((k) => sysMadvise(k, k.tasks.get(desk.task), BigInt(BASE), BigInt(4 * MIB), 14));
    desk.touch(0, 1);
    desk.touch(4 * MIB, 4 * MIB + 8192);
  });

  it("shows areas, gaps, and what is mapped in each 2 MiB", () => {
    const picture = desk.space();
    expect(picture.areas.map((area) => [area.name, area.start, area.sizeKb, area.rssKb, area.anonHugeKb, area.permissions, area.pagesPerCell])).toEqual([
      ["A", "0x10000000000", 4096, 2048, 2048, "rw-p", 256],
      ["A+0x400000", "0x10000400000", 4096, 8, 0, "rw-p", 256],
    ]);
    expect(picture.areas[0].gapBeforeKb).toBe(BASE / 1024);
    expect(picture.areas[1].gapBeforeKb).toBe(0);
    expect(picture.areas[0].cells.map(({ state, share }) => [state, share])).toEqual([
      ["huge", 1],
      ["huge", 1],
      ["none", 0],
      ["none", 0],
    ]);
    expect(picture.areas[1].cells[0]).toEqual({ state: "page", share: 2 / 256 });
    expect(picture.areas.map((area) => area.changed)).toEqual([false, true]);
    expect(picture.areas[0].vmFlags).toContain("hg");
    expect(picture.vmFlagMeanings.find(({ flag }) => flag === "hg")?.meaning).toMatch(/MADV_HUGEPAGE/);
    expect(picture.areas[0].label).toMatch(/^private anonymous memory, can be read and written, huge pages wanted/);
    expect(picture.areas[0].why).toBe("vma 0x10000000000");
    expect(picture.legend.map((entry) => entry.state)).toEqual(["page", "huge", "none"]);
  });

  it("cuts cells at multiples of their size and shows a window of areas", () => {
    desk.mmap(64 * MIB + 4096, 2 * MIB);
    const area = desk.space(2).areas[2];
    expect([area.cells.length, area.pagesPerCell]).toEqual([2, 512]);
    const window = desk.picture<AddressSpacePicture>({ kind: "addressSpace", process: "P", first: 1, count: 1, cells: 8 });
    expect([window.areaCount, window.first, window.areas.length, window.areas[0].name]).toEqual([3, 1, 1, "A+0x400000"]);
    expect(window.twin[1]).toBe("Areas 2 to 2 of 3.");
  });

  it("walks to a huge page, and explains every bit", () => {
    const picture = desk.tables(4096);
    expect(picture.walk.map((entry) => [entry.level, entry.state])).toEqual([
      ["pgd", "table"],
      ["pud", "table"],
      ["pmd", "huge"],
    ]);
    const pmd = picture.walk[2];
    expect([field(pmd, "P"), field(pmd, "R/W"), field(pmd, "U/S"), field(pmd, "PS"), field(pmd, "D"), field(pmd, "NX")]).toEqual([
      "1",
      "1",
      "1",
      "1",
      "1",
      "1",
    ]);
    expect(frameOf(pmd) % 512).toBe(0);
    expect(pmd.summary).toBe(`Maps a huge page of 2 MiB, from frame 0x${frameOf(pmd).toString(16)} on.`);
    expect([pmd.changedBy, pmd.address, pmd.why]).toEqual([103, "0x10000000000", "0x10000001000"]);
    expect(picture.level).toBe(2);
    expect(picture.table?.entries.slice(0, 3)).toEqual([
      { state: "huge", present: 512, changed: false },
      { state: "none", present: 0, changed: false },
      { state: "table", present: 2, changed: true },
    ]);
    expect(picture.table?.bytesPerEntry).toBe(2 * MIB);
    expect(desk.tables(4096, 1).table).toBeNull();
    const root = desk.tables(0, 4);
    expect(root.table?.entries.map((entry) => entry.present).filter((n) => n > 0)).toEqual([514]);
  });

  it("shows a split: the same folio, mapped by PTEs", () => {
    const huge = frameOf(desk.tables(0).walk[2]);
    desk.do((k) => sysMprotect(k, k.tasks.get(desk.task), BigInt(BASE + MIB), 4096n, 1));
    const { walk, table } = desk.tables(MIB);
    expect(walk[3].state).toBe("page");
    expect(walk[3].summary).toBe(`Maps frame 0x${(huge + 256).toString(16)}, page 256 of a folio of order 9.`);
    expect(field(walk[3], "R/W")).toBe("0");
    expect(table?.entries.every((entry) => entry.changed)).toBe(true);
    expect(desk.space().areas[0].cells[0].state).toBe("anonHuge");
    const folio = desk.memory(huge, 1, 1, huge + 256).selected;
    expect(folio).toMatchObject({ headPfn: huge, order: 9, state: "anonHuge", mapCount: 512 });
    expect(folio?.mappedAt).toEqual(["P at A+0x0, by 256 PTEs", "P at A+0x100000, by a PTE", "P at A+0x101000, by 255 PTEs"]);
    expect(folio?.flags).toContain("compound_tail");
    expect(desk.picture<CountersPicture>({ kind: "counters", filter: "thp_split_pmd", changedOnly: true }).groups[0].rows).toEqual([
      { name: "thp_split_pmd", value: 1, unit: "", delta: 1, why: "thp_split_pmd" },
    ]);
  });

  it("shows a folio that two processes share, and who maps it", () => {
    const huge = frameOf(desk.tables(0).walk[2]);
    const child = desk.do((k) => sysFork(k, k.tasks.get(desk.task), "C")) as number;
    desk.processes.push({ name: "C", task: child });
    const { selected, cells } = desk.memory(huge, 512, 1, huge);
    expect(selected).toMatchObject({ order: 9, refCount: 2, mapCount: 2 });
    expect(selected?.mappedAt).toEqual(["P at A+0x0, the whole folio by one PMD entry", "C at A+0x0, the whole folio by one PMD entry"]);
    expect(cells.every((cell) => cell.state === "anonHuge" && cell.changed)).toBe(true);
    expect(cells.map((cell) => cell.folioStart).indexOf(true)).toBe(0);
    expect(cells.filter((cell) => cell.folioStart).length).toBe(1);
    const [, , pmd] = desk.tables(0, null, "C").walk;
    expect([frameOf(pmd), field(pmd, "R/W"), pmd.why]).toEqual([huge, "0", "0x10000000000 @C"]);
  });

  it("counts memory at each zoom, and finds the free block of a frame", () => {
    const { pageCount, cells, freeByOrder } = desk.memory(0, 8, 32768);
    expect(pageCount).toBe(1024 * 256);
    const free = freeByOrder.reduce((sum, { counts }) => sum + counts.reduce((n, count, order) => n + count * 2 ** order, 0), 0);
    expect(cells.reduce((sum, cell) => sum + cell.used, 0)).toBe(pageCount - free);
    const huge = frameOf(desk.tables(0).walk[2]);
    expect(desk.memory(huge, 2, 512).cells[0]).toMatchObject({ state: "anonHuge", used: 512, folioStart: true });
    const last = desk.memory(pageCount - 1, 2, 1, pageCount - 1);
    expect(last.cells.map((cell) => cell.state)).toEqual(["free", "outside"]);
    expect(last.selected).toMatchObject({ state: "free", refCount: 0, changedBy: 0 });
    expect(desk.memory(0, 1, 1, 0)).toMatchObject({ cells: [{ state: "reserved", used: 1 }], selected: { state: "reserved" } });
    desk.do((k) => sysMunmap(k, k.tasks.get(desk.task), BigInt(BASE), BigInt(4 * MIB)));
    expect(desk.memory(huge, 1, 512, huge + 3).cells[0]).toMatchObject({ used: 0, changed: true, state: "free" });
    expect(desk.memory(huge, 1, 1, huge + 3).selected?.summary).toMatch(/^Free: in a block of order \d+ /);
  });

  it("takes any request: what is out of bounds is brought within them", () => {
    expect(desk.space(0).areas[0].cells.length).toBe(1);
    expect(desk.picture<AddressSpacePicture>({ kind: "addressSpace", process: null, first: NaN, count: -4, cells: 1e9 }).areas.length).toBe(1);
    expect(desk.memory(-5, 1e9, 3).cells.length).toBe(4096);
    expect(desk.memory(1e15, 1, 0.5, 1e15)).toMatchObject({ pagesPerCell: 1, selected: null, firstPfn: 1024 * 256 - 1 });
    expect(desk.picture<AddressSpacePicture>({ kind: "addressSpace", process: "X", first: 0, count: 1, cells: 1 })).toMatchObject({ areas: [], process: "X" });
    for (const address of ["", "0x", "A", "0xffffffffffffffff", "-1", "0x10000000000000000"])
      expect(desk.picture<PageTablesPicture>({ kind: "pageTables", process: null, address, level: 7 })).toMatchObject({ walk: [], table: null });
    expect(desk.picture<CountersPicture>({ kind: "counters", filter: "no such", changedOnly: false })).toMatchObject({ groups: [] });
    expect(desk.space().twin.join("\n")).not.toMatch(/observe\.|[{}]/);
  });

  it("finds the first page that is mapped when no address is given", () => {
    desk.mmap(-64 * MIB, MIB);
    expect(desk.picture<PageTablesPicture>({ kind: "pageTables", process: null, address: null, level: null }).address).toBe("0x10000000000");
    const fresh = new Desk();
    expect(fresh.picture<PageTablesPicture>({ kind: "pageTables", process: null, address: null, level: null })).toMatchObject({ address: "0x0" });
    expect(fresh.space()).toMatchObject({ areas: [], title: "Address space of P: nothing is mapped" });
  });

  it("shows zero pages, and a guard", () => {
    desk.touch(6 * MIB, 6 * MIB + 1, "r");
    desk.do((k) => sysMadvise(k, k.tasks.get(desk.task), BigInt(BASE + 7 * MIB), 4096n, 102));
    expect(desk.tables(6 * MIB).walk[3]).toMatchObject({ state: "zero" });
    const guard = desk.tables(7 * MIB).walk[3];
    expect(guard).toMatchObject({ state: "special", summary: "Guard marker: an access ends with SIGSEGV." });
    expect(guard.fields.filter((each) => each.set).map((each) => each.name)).toEqual(["guard", "type"]);
    expect(desk.space(2048).areas[1].cells.map((cell) => cell.state)).toContain("zero");
  });
});

it("leaves out of Rss what smaps of an older kernel leaves out", () => {
  for (const [id, rss] of [
    ["debian-6.18.15", 2048],
    ["upstream-5.19", 0],
  ] as const) {
    const desk = new Desk(findProfile(id));
    desk.mmap(0, 2 * MIB);
    desk.do((k) => sysMadvise(k, k.tasks.get(desk.task), BigInt(BASE), BigInt(2 * MIB), 14));
    desk.touch(0, 1);
    desk.do((k) => sysMprotect(k, k.tasks.get(desk.task), BigInt(BASE), BigInt(2 * MIB), 0));
    const [area] = desk.space().areas;
    const [vma] = desk.machine.vmas(desk.machine.tasks()[0]);
    const smaps = smapsOf(desk.machine.kernel, vma);
    expect([area.rssKb, area.anonHugeKb, area.cells[0].state]).toEqual([smaps.Rss, smaps.AnonHugePages, "huge"]);
    expect(area.rssKb, id).toBe(rss);
    expect(desk.tables(0).walk[2].summary).toMatch(/^Holds frame .*no access is allowed\.$/);
  }
});

it("has the levels and fields of 5-level tables", () => {
  const desk = new Desk(findProfile("x86-64-la57-6.18"));
  desk.mmap(0, MIB);
  desk.touch(0, 1);
  expect(desk.tables(0).walk.map((entry) => entry.level)).toEqual(["pgd", "p4d", "pud", "pmd", "pte"]);
  expect(desk.tables(0).level).toBe(1);
  expect(desk.tables(0, 5).table?.bytesPerEntry).toBe(2 ** 48);
});

it("has the two levels of powerpc 8xx, and its 8 MiB page", () => {
  const desk = new Desk(findProfile("ppc-8xx-6.12"));
  const vpn = 0x1000;
  const call = { address: BigInt(vpn * 4096), length: BigInt(16 * MIB), prot: 3, flags: MAP.private | MAP.anonymous | MAP.fixed };
  desk.do((k) => sysMmap(k, k.tasks.get(desk.task), call));
  desk.do((k) => touchRange(k, k.tasks.get(desk.task), (vpn + 2048) * 4096, (vpn + 2048) * 4096 + 1, 4096, "w", 1));
  const k = desk.machine.kernel;
  const small = desk.picture<PageTablesPicture>({ kind: "pageTables", process: null, address: `0x${((vpn + 2048) * 4096).toString(16)}`, level: null });
  expect(small.walk.map((entry) => [entry.level, entry.state, entry.raw.length])).toEqual([
    ["pgd", "table", 10],
    ["pte", "page", 10],
  ]);
  expect(small.table?.entries.length).toBe(1024);
  expect(small.walk[1].fields.map((each) => each.name)).toContain("RO");
  expect(set8MPage(k, k.tasks.get(desk.task).mm, vpn, 4096 as Pfn, 0x121)).toBe(true);
  const big = desk.picture<PageTablesPicture>({ kind: "pageTables", process: null, address: `0x${(vpn * 4096).toString(16)}`, level: null });
  expect(field(big.walk[0], "PS")).toBe("0x3");
  expect(big.walk[0].summary).toMatch(/8 MiB/);
  for (const picture of [small, big]) {
    for (const entry of picture.walk)
      expect(entry.fields.reduce((sum, f) => sum + Number(f.value) * 2 ** Number(f.bits.split("-")[0]), 0)).toBe(Number(entry.raw));
  }
});
