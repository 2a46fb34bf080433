import { expect, it } from "vitest";
import { folioOrder } from "../mm/folio.ts";
import { inodeOf, SHM_MOUNT } from "../mm/inode.ts";
import { folioOf, INC, INODE_COUNTERS, MISC, MMC, MM_COUNTERS, MTHP, MTHP_COUNTERS, type Kernel } from "../mm/kernel.ts";
import { MADV } from "../mm/advice.ts";
import { MAP } from "../mm/mmap.ts";
import { firstFree, freePagesAt, frontierOf, listAt, MAX_ORDER } from "../mm/pageAlloc.ts";
import { MIGRATE_SHIFT, ORDER_SHIFT, PG } from "../mm/pageFlags.ts";
import { entryAt, entryPfn, indexAt, MARKER, NONPRESENT, pfnLo, pteLevel, walkTo } from "../mm/pgtable.ts";
import type { Inode, Mm, OpenFile, ShmSegment, Task, Vma } from "../mm/records.ts";
import { xaStore } from "../mm/xarray.ts";
import { tlbEntries } from "../mm/tlb.ts";
import { vmaAt } from "../mm/vma.ts";
import { VM } from "../mm/vmFlags.ts";
import { VMSTAT } from "../mm/vmstat.ts";
import { sysShmget } from "../ipc/shm.ts";
import { sysClose, sysFsync, sysFtruncate, sysMountTmpfs, sysOpen, sysPwrite } from "../fileCalls.ts";
import { Machine } from "../machine.ts";
import { findProfile, type Profile } from "../profile/profile.ts";
import { runAlone } from "../sched/points.ts";
import { pmdOf } from "../thp/splitPmd.ts";
import { sysFork, sysGup, sysMadvise, sysMlock, sysMmap, sysMprotect, sysMunmap } from "../syscalls.ts";
import { touchRange } from "../touch.ts";
import type { Pfn } from "../units.ts";

/** Every rule of checkMachine is shown to fire: one field of a machine with rich state is corrupted at a time. */

/** Page numbers of what the machine has mapped, 2 MiB apart at least. */
const AT = {
  small: 0x10000,
  huge: 0x20000,
  sharedHuge: 0x20400,
  split: 0x20800,
  sized: 0x30000,
  zero: 0x40000,
  hugeZero: 0x50000,
  locked: 0x60000,
  guard: 0x70000,
  none: 0x80000,
  pinned: 0x90000,
  gone: 0xa0000,
  wide: 0xb0000,
  shm: 0xc0000,
  shmHuge: 0xd0000,
  disk: 0xe0000,
  cow: 0xf0000,
  device: 0x100000,
} as const;

interface Rich {
  readonly machine: Machine;
  readonly k: Kernel;
  readonly parent: Task;
  readonly child: Task;
}

/** Private pages and shared ones, THPs mapped by PMD and by PTE, 64 KiB folios, mlocked, guarded and pinned pages, shared zeros, free blocks. */
function richMachine(): Rich {
  const machine = new Machine({ profile: findProfile("debian-6.18.15") as Profile, memoryMiB: 1024, cpus: 2 });
  const k = machine.kernel;
  const spawn = (): Task => k.tasks.get(machine.spawn({ comm: "P" }));
  const parent = spawn();
  const thp = "/sys/kernel/mm/transparent_hugepage";
  machine.run(() => machine.writeFile(`${thp}/enabled`, "madvise"));
  const map = (t: Task, at: number, pages: number, prot = 3, flags = 0): void => {
    const r = machine.run((kk) =>
      sysMmap(kk, t, { address: BigInt(at) * 4096n, length: BigInt(pages) * 4096n, prot, flags: MAP.private | MAP.anonymous | MAP.fixedNoReplace | flags }),
    );
    expect(r).toBe(BigInt(at) * 4096n);
  };
  const advise = (t: Task, at: number, pages: number, advice: number): void =>
    expect(machine.run((kk) => sysMadvise(kk, t, BigInt(at) * 4096n, BigInt(pages) * 4096n, advice))).toBe(0);
  const touch = (t: Task, at: number, pages: number, kind: "r" | "w", value = 1): void =>
    expect(runAlone(touchRange(k, t, at * 4096, (at + pages) * 4096, 4096, kind, value)).signals).toEqual([]);

  machine.beginStep();
  map(parent, AT.small, 16);
  touch(parent, AT.small, 16, "w");
  map(parent, AT.huge, 3 * 1024);
  advise(parent, AT.huge, 3 * 1024, MADV.hugepage);
  for (const at of [AT.huge, AT.sharedHuge, AT.split]) touch(parent, at, 512, "w");
  // unmapped in part: mapped by PTEs, on the deferred queue
  expect(machine.run((kk) => sysMunmap(kk, parent, BigInt(AT.split) * 4096n, 16n * 4096n))).toBe(0);
  map(parent, AT.hugeZero, 512);
  advise(parent, AT.hugeZero, 512, MADV.hugepage);
  touch(parent, AT.hugeZero, 1, "r");
  map(parent, AT.zero, 16);
  touch(parent, AT.zero, 16, "r");
  map(parent, AT.locked, 16);
  expect(machine.run((kk) => sysMlock(kk, parent, BigInt(AT.locked) * 4096n, 16n * 4096n, false))).toBe(0);
  map(parent, AT.guard, 16);
  advise(parent, AT.guard, 4, MADV.guardInstall);
  map(parent, AT.none, 16);
  touch(parent, AT.none, 16, "w");
  expect(machine.run((kk) => sysMprotect(kk, parent, BigInt(AT.none) * 4096n, 16n * 4096n, 0))).toBe(0);
  machine.run(() => machine.writeFile(`${thp}/hugepages-64kB/enabled`, "madvise"));
  map(parent, AT.sized, 64);
  advise(parent, AT.sized, 64, MADV.hugepage);
  touch(parent, AT.sized, 64, "w");
  machine.run(() => machine.writeFile(`${thp}/hugepages-64kB/enabled`, "never"));
  // a content that is no single byte
  for (const offset of [0, 5, 9]) runAlone(touchRange(k, parent, AT.small * 4096 + offset, AT.small * 4096 + offset + 1, 4096, "w", offset + 1));
  const child = k.tasks.get(machine.run((kk) => sysFork(kk, parent, "C")) as number);
  // the parent has its own again; half of the small pages and the second THP stay shared
  touch(parent, AT.small, 8, "w", 2);
  touch(parent, AT.huge, 512, "w", 3);
  advise(child, AT.huge, 512, MADV.dontneed);
  mapFiles(machine, parent);
  map(parent, AT.pinned, 1);
  touch(parent, AT.pinned, 1, "w");
  expect(machine.run((kk) => sysGup(kk, parent, AT.pinned, true, false))).toBeGreaterThan(0);
  map(parent, AT.wide, 1024);
  advise(parent, AT.wide, 1024, MADV.hugepage);
  touch(parent, AT.wide, 1024, "w");
  // leaves free blocks and free page tables
  map(parent, AT.gone, 1100);
  touch(parent, AT.gone, 1100, "w");
  expect(machine.run((kk) => sysMunmap(kk, parent, BigInt(AT.gone) * 4096n, 1100n * 4096n))).toBe(0);
  touch(parent, AT.small, 8, "r");
  machine.beginStep();
  return { machine, k, parent, child };
}

/** Shared anonymous memory, a huge page of tmpfs, a file of a disk with dirty pages, and a private copy of one. */
function mapFiles(machine: Machine, task: Task): void {
  const k = machine.kernel;
  expect(sysMountTmpfs(k, "/mnt/ext4/T", "huge=always,size=64M")).toBe(0);
  const open = (path: string, bytes: bigint): OpenFile => {
    const file = sysOpen(k, path, true, true) as OpenFile;
    expect(sysFtruncate(k, file, bytes)).toBe(0);
    return file;
  };
  const map = (at: number, pages: number, flags: number, file?: OpenFile): void => {
    const where = { address: BigInt(at) * 4096n, length: BigInt(pages) * 4096n, prot: 3, flags: flags | MAP.fixedNoReplace };
    expect(machine.run((kk) => sysMmap(kk, task, file === undefined ? where : { ...where, file, offset: 0n }))).toBe(BigInt(at) * 4096n);
  };
  const touch = (at: number, pages: number, kind: "r" | "w"): void =>
    expect(runAlone(touchRange(k, task, at * 4096, (at + pages) * 4096, 4096, kind, 7)).signals).toEqual([]);
  map(AT.shm, 16, MAP.shared | MAP.anonymous);
  touch(AT.shm, 16, "w");
  const huge = open("/mnt/ext4/T/huge", 4n << 20n);
  map(AT.shmHuge, 1024, MAP.shared, huge);
  touch(AT.shmHuge, 1, "w");
  const disk = open("/mnt/ext4/disk", 1n << 20n);
  sysPwrite(k, disk, 0n, 1 << 20, 9);
  sysFsync(k, disk);
  sysPwrite(k, disk, 0n, 8192, 10);
  map(AT.disk, 256, MAP.shared, disk);
  touch(AT.disk, 8, "r");
  touch(AT.disk, 1, "w");
  map(AT.cow, 16, MAP.private, disk);
  touch(AT.cow, 4, "w");
  const device = sysOpen(k, "/dev/hugelab-mixed", true) as OpenFile;
  map(AT.device, 1024, MAP.shared, device);
  expect(machine.run((kk) => sysMadvise(kk, task, BigInt(AT.device) * 4096n, 512n * 4096n, MADV.hugepage))).toBe(0);
  touch(AT.device, 1, "w");
  touch(AT.device + 512, 2, "w");
  sysShmget(k, task, 0, 8192n, 0o600);
  for (const file of [huge, disk, device]) sysClose(k, file);
}

const rich = richMachine();
const { machine, k, parent, child } = rich;
const whole = machine.snapshot();

const entry = (task: Task, vpn: number): number => {
  const t = walkTo(k, k.mms.get(task.mm).pgd, vpn, pteLevel(k));
  expect(t).not.toBe(0);
  return entryAt(k, t, indexAt(k.geo, pteLevel(k), vpn));
};
const pmdEntry = (task: Task, vpn: number): number => {
  const place = pmdOf(k, task.mm, vpn);
  if (place === undefined) throw new Error("no PMD");
  return entryAt(k, place.table, place.i);
};
const frameAt = (e: number): Pfn => entryPfn(k.entryLo.get(e), k.entryHi.get(e));
const page = (vpn: number, task = parent): Pfn => frameAt(entry(task, vpn));
const hugePage = (vpn: number, task = parent): Pfn => frameAt(pmdEntry(task, vpn));
const vma = (vpn: number, task = parent): Vma => vmaAt(k, task.mm, vpn) as Vma;
const inode = (vpn: number): Inode => inodeOf(k, vma(vpn));
const segment = (): ShmSegment => [...k.shms.entries()][0][1];
const aTask = (): Task => [...k.tasks.entries()][0][1];
const cacheRoot = (vpn: number): number => k.inodeCounters.get(inode(vpn).slot * INODE_COUNTERS + INC.root);
const mm = (task = parent): Mm => k.mms.get(task.mm);
const writeBit = k.geo.encoding.write.mask;
const counter = (task: Task, item: number): number => task.mm * MM_COUNTERS + item;
/** The smallest free block that has halves. */
function free(): { pfn: number; zone: number; order: number; type: number; list: number } {
  for (let order = 1; order <= MAX_ORDER; order++)
    for (let zone = k.zones.count; zone >= 1; zone--)
      for (let type = 0; type < 3; type++) {
        const pfn = firstFree(k, zone, order, type);
        if (pfn >= 0) return { pfn, zone, order, type, list: listAt(zone, order, type) };
      }
  throw new Error("no free block");
}
const deferredHead = (): Pfn => k.misc.get(MISC.deferredHead) as Pfn;
const flip = (pfn: number, flag: number): void => k.pageFlags.set(pfn, k.pageFlags.get(pfn) ^ flag);

/** What is corrupted, the rule that must name it, and how. */
const CORRUPTIONS: readonly (readonly [what: string, key: string, corrupt: () => void])[] = [
  ["a reference too many", "refcount", () => k.refcount.add(page(AT.small), 1)],
  ["a reference too few on a shared page", "refcount", () => k.refcount.add(page(AT.small + 12), -1)],
  ["a reference too many on a THP", "refcount", () => k.refcount.add(hugePage(AT.wide), 1)],
  ["a reference of the huge zero folio lost", "refcount", () => k.refcount.add(k.g.hugeZeroPfn, -1)],
  ["a reference of the zero page lost", "refcount", () => k.refcount.add(k.g.zeroPfn, -1)],
  ["a pin forgotten", "refcount", () => k.pincount.set(page(AT.pinned), 0)],
  ["a pin below zero", "pincount", () => k.pincount.set(page(AT.small), -1)],
  ["the counter of pins", "vmstat", () => k.vmstat.add(VMSTAT.nrFollPinAcquired, 1)],
  ["the map count of a page", "mapcount", () => k.mapcount.add(page(AT.small), 1)],
  ["the map count of a page of a folio", "mapcount", () => k.mapcount.add(page(AT.sized + 3), -1)],
  ["the PMD map count", "entireMapcount", () => k.entireMapcount.add(hugePage(AT.sharedHuge), -1)],
  ["the large map count", "largeMapcount", () => k.largeMapcount.add(hugePage(AT.sharedHuge), 1)],
  ["pages mapped of a partly mapped THP", "pagesMapped", () => k.pagesMapped.add(folioOf(k, page(AT.split + 20)), 1)],
  ["an owner's count", "mmId", () => k.mmIdMapcount.add(2 * hugePage(AT.wide), 1)],
  ["an owner that is none", "mmId", () => k.mmIds.set(2 * hugePage(AT.wide), 77)],
  ["the shared bit of a folio of two owners", "mappedShared", () => flip(hugePage(AT.sharedHuge), PG.mappedShared)],
  ["exclusive although shared", "exclusiveShared", () => flip(page(AT.small + 12), PG.anonExclusive)],
  ["a shared THP exclusive", "exclusiveShared", () => flip(hugePage(AT.sharedHuge), PG.anonExclusive)],
  ["writable although not exclusive", "writableShared", () => flip(page(AT.small), PG.anonExclusive)],
  [
    "a writable entry to a shared page",
    "writableShared",
    () => k.entryLo.set(entry(parent, AT.small + 12), k.entryLo.get(entry(parent, AT.small + 12)) | writeBit),
  ],
  [
    "a writable PMD to a shared THP",
    "writableShared",
    () => k.entryLo.set(pmdEntry(child, AT.sharedHuge), k.entryLo.get(pmdEntry(child, AT.sharedHuge)) | writeBit),
  ],
  ["the anon_vma of a page", "rmapLost", () => k.mapping.set(page(AT.small), vma(AT.sized).anonVma)],
  ["no anon_vma at all", "rmapLost", () => k.mapping.set(hugePage(AT.wide), 0)],
  ["the index of a page", "pageIndex", () => k.pageIndex.add(page(AT.small), 1)],
  ["the offset of a VMA", "pageIndex", () => k.vmas.update(vma(AT.wide).slot, { pgoff: vma(AT.wide).pgoff + 512 })],
  ["the head of a tail page", "compound", () => k.mapping.set(hugePage(AT.wide) + 7, page(AT.small))],
  ["a reference on a tail page", "compound", () => k.refcount.set(hugePage(AT.wide) + 7, 1)],
  ["the order of a folio", "compound", () => flip(hugePage(AT.wide), 2 << ORDER_SHIFT)],
  ["a frame without an owner", "frameLost", () => (k.refcount.set(page(AT.small), 0), k.pageFlags.set(page(AT.small), 0))],
  ["a folio that is not anonymous", "folioFlags", () => flip(page(AT.small), PG.anon)],
  ["a folio left locked", "folioFlags", () => flip(page(AT.small), PG.locked)],
  ["a folio off the LRU", "offLru", () => flip(page(AT.small), PG.lru)],
  ["the active flag", "vmstat", () => flip(page(AT.small), PG.active)],
  ["an mlocked page that is evictable", "mlocked", () => flip(page(AT.locked), PG.unevictable)],
  ["a count of locks below zero", "mlocked", () => k.mlockCount.set(page(AT.small), -1)],
  ["partially mapped although whole", "partiallyMapped", () => flip(hugePage(AT.wide), PG.partiallyMapped)],
  ["a content that is not there", "stamp", () => k.stamp.set(page(AT.small), 9999)],
  ["a stamp of a wrong form", "stamp", () => k.stamp.set(hugePage(AT.wide) + 3, 1 << 25)],
  ["something in the huge zero folio", "stamp", () => k.stamp.set(k.g.hugeZeroPfn + 5, (1 << 30) | 1)],
  ["something in the zero page", "zeroPage", () => k.stamp.set(k.g.zeroPfn, (1 << 30) | 1)],
  ["runs of a content out of order", "content", () => k.contents.update(1, { runs: [...k.contents.get(1).runs].reverse() })],
  ["users of the huge zero folio", "hugeZero", () => k.misc.add(MISC.hugeZeroUsers, 1)],
  ["the huge zero folio mapped without a reference", "zeroEntry", () => k.mms.update(parent.mm, { hugeZero: false })],
  ["the zero page mapped writable", "zeroEntry", () => k.entryLo.set(entry(parent, AT.zero), k.entryLo.get(entry(parent, AT.zero)) | writeBit)],
  ["an entry of a device that maps another page of it", "rawEntry", () => k.entryLo.add(entry(parent, AT.device + 512), 4096)],
  ["an entry of a device that looks like a page's", "rawEntry", () => k.entryLo.add(entry(parent, AT.device + 512), -k.geo.encoding.special)],
  ["a huge entry of a device that maps other memory of it", "rawEntry", () => k.entryLo.add(pmdEntry(parent, AT.device), 1 << 21)],
  ["an entry outside of every VMA", "entryOutsideVma", () => k.vmas.update(vma(AT.small).slot, { end: AT.small + 8 })],
  ["a migration entry left over", "entryKind", () => k.entryLo.set(entry(parent, AT.guard), NONPRESENT.migration)],
  ["a marker that means nothing", "entryKind", () => k.entryHi.set(entry(parent, AT.guard), MARKER.guard | 64)],
  ["an entry to a free frame", "entryFree", () => k.entryLo.set(entry(parent, AT.small), pfnLo(free().pfn) | (k.entryLo.get(entry(parent, AT.small)) & 0xfff))],
  [
    "an entry to a page table",
    "entryFree",
    () => k.entryLo.set(entry(parent, AT.small), pfnLo(k.tablePfn.get(mm().pgd)) | (k.entryLo.get(entry(parent, AT.small)) & 0xfff)),
  ],
  [
    "a present entry under PROT_NONE",
    "entryProtection",
    () => k.entryLo.set(entry(parent, AT.none), k.entryLo.get(entry(parent, AT.none)) | k.geo.encoding.present),
  ],
  [
    "an entry that may be executed",
    "entryProtection",
    () => k.entryHi.set(entry(parent, AT.small), k.entryHi.get(entry(parent, AT.small)) & ~k.geo.encoding.noExecHi),
  ],
  ["a PMD leaf to a tail page", "pmdLeaf", () => k.entryLo.set(pmdEntry(parent, AT.wide), k.entryLo.get(pmdEntry(parent, AT.wide)) + 0x1000)],
  ["an entry lost without its page", "mapcount", () => k.entryLo.set(entry(parent, AT.small), 0)],
  ["a table in two places", "tableShared", () => k.entryLo.set(pmdEntry(parent, AT.zero), k.entryLo.get(pmdEntry(parent, AT.small)))],
  ["the frame of a table", "tableFrame", () => k.tablePfn.set(mm().pgd, page(AT.small))],
  ["the count of entries in a table", "tableUsed", () => k.tableUsed.add(walkTo(k, mm().pgd, AT.small, pteLevel(k)), 1)],
  ["a table unhooked and not freed", "tableLost", () => k.entryLo.set(pmdEntry(parent, AT.guard), 0)],
  ["the list of free tables", "tableLost", () => (expect(k.misc.get(MISC.tableFree)).not.toBe(0), k.misc.set(MISC.tableFree, 0))],
  ["a deposit lost", "deposits", () => k.tableDeposit.set(walkTo(k, mm().pgd, AT.huge, k.geo.pmdLevel), 0)],
  ["the count of deposits", "deposits", () => k.tableDeposits.add(walkTo(k, mm().pgd, AT.huge, k.geo.pmdLevel), 1)],
  ["RSS", "rss", () => k.mmCounters.add(counter(parent, MMC.anonPages), 1)],
  ["swap entries that nobody made", "rss", () => k.mmCounters.add(counter(parent, MMC.swapEntries), 1)],
  ["the count of PTE tables", "tableCounter", () => k.mmCounters.add(counter(parent, MMC.ptes), 1)],
  ["the count of PMD tables", "tableCounter", () => k.mmCounters.add(counter(child, MMC.pmds), -1)],
  ["total_vm", "mmCounter", () => k.mmCounters.add(counter(parent, MMC.totalVm), 1)],
  ["data_vm", "mmCounter", () => k.mmCounters.add(counter(parent, MMC.dataVm), -1)],
  ["locked_vm", "mmCounter", () => k.mmCounters.add(counter(parent, MMC.lockedVm), -1)],
  ["two VMAs in the wrong order", "vmaOrder", () => k.mms.update(parent.mm, { vmas: [...mm().vmas].reverse() })],
  ["an empty VMA", "vmaOrder", () => k.vmas.update(vma(AT.zero).slot, { end: AT.zero })],
  ["overlapping VMAs", "vmaOrder", () => k.vmas.update(vma(AT.zero).slot, { end: AT.hugeZero + 1 })],
  ["a VMA of another mm", "vmaOwner", () => k.vmas.update(vma(AT.zero).slot, { mm: child.mm })],
  ["a VMA on no list", "vmaOwner", () => k.mms.update(parent.mm, { vmas: mm().vmas.filter((v) => v !== vma(AT.guard).slot) })],
  ["hugepage and nohugepage at once", "vmaFlags", () => k.vmas.update(vma(AT.huge).slot, { flags: vma(AT.huge).flags | VM.noHugePage })],
  ["an anon_vma that does not list its VMA", "anonVmaChain", () => k.anonVmas.update(vma(AT.small).anonVma, { vmas: [] })],
  ["a VMA that does not list its anon_vma", "anonVmaChain", () => k.vmas.update(vma(AT.small).slot, { chain: [] })],
  ["a VMA without its own anon_vma", "anonVmaChain", () => k.vmas.update(vma(AT.small).slot, { anonVma: 0 })],
  ["active VMAs of an anon_vma", "anonVmaActive", () => k.anonVmas.update(vma(AT.small).anonVma, { numActiveVmas: 5 })],
  ["children of an anon_vma", "anonVmaFamily", () => k.anonVmas.update(vma(AT.small).anonVma, { numChildren: 7 })],
  ["the root of an anon_vma", "anonVmaFamily", () => k.anonVmas.update(vma(AT.small, child).anonVma, { root: vma(AT.wide).anonVma })],
  ["a task without an mm", "task", () => k.tasks.update(child.slot, { mm: 99 })],
  ["two tasks with one pid", "task", () => k.tasks.update(child.slot, { pid: parent.pid })],
  ["a free list linked backwards", "buddyLink", () => k.buddyPrev.set(free().pfn, 5)],
  ["a circle in a free list", "buddyLink", () => k.buddyNext.set(free().pfn, free().pfn)],
  ["the order of a free block", "buddyBlock", () => flip(free().pfn, 4 << ORDER_SHIFT)],
  ["a free block off its alignment", "buddyBlock", () => k.freeHead.set(free().list, free().pfn + 1)],
  ["a frame inside a free block in use", "buddyInUse", () => k.refcount.set(free().pfn + 1, 1)],
  ["the count of free blocks", "buddyCount", () => k.freeCount.add(free().list, 1)],
  ["a free block on no list", "buddyLost", () => k.freeHead.set(free().list, -1)],
  ["two buddies that were not merged", "buddyUnmerged", splitAFreeBlock],
  ["the count of free pages", "freePages", () => k.freeCount.add(freePagesAt(free().zone), 1)],
  ["a frame in use that was never handed out", "frontier", () => k.refcount.set(frontierOf(k, k.zones.count) + 5, 1)],
  ["nr_anon_pages", "vmstat", () => k.vmstat.add(VMSTAT.nrAnonPages, 1)],
  ["nr_anon_transparent_hugepages", "vmstat", () => k.vmstat.add(VMSTAT.nrAnonTransparentHugepages, -1)],
  ["nr_page_table_pages", "vmstat", () => k.vmstat.add(VMSTAT.nrPageTablePages, 1)],
  ["nr_mlock", "vmstat", () => k.vmstat.add(VMSTAT.nrMlock, 1)],
  ["nr_inactive_anon", "vmstat", () => k.vmstat.add(VMSTAT.nrInactiveAnon, 1)],
  ["nr_unevictable", "vmstat", () => k.vmstat.add(VMSTAT.nrUnevictable, 1)],
  ["nr_anon of 64 KiB", "mthpStat", () => k.mthpStat.add(4 * MTHP_COUNTERS + MTHP.nrAnon, 1)],
  ["nr_anon_partially_mapped", "mthpStat", () => k.mthpStat.add(9 * MTHP_COUNTERS + MTHP.nrAnonPartiallyMapped, -1)],
  ["a page of a file that no mapping finds", "rmapLost", () => k.inodes.update(inode(AT.shm).slot, { vmas: [] })],
  ["the index of a page of a file", "pageIndex", () => k.pageIndex.add(page(AT.shm), 1)],
  ["an entry of the page cache", "cacheEntry", () => k.pageIndex.add(hugePage(AT.shmHuge), 512)],
  ["a page missing from the page cache", "nrPages", () => xaStore(k, inode(AT.disk).slot, "cache", 200, 0)],
  ["the count of pages in the cache", "nrPages", () => k.inodeCounters.add(inode(AT.shm).slot * INODE_COUNTERS + INC.nrPages, 1)],
  ["a node of the page cache in two places", "cacheNode", () => k.inodeCounters.set(inode(AT.shm).slot * INODE_COUNTERS + INC.root, cacheRoot(AT.disk))],
  ["the count of entries of a node", "cacheUsed", () => k.cacheUsed.add(cacheRoot(AT.shm), 1)],
  ["a node that was lost", "cacheNodes", () => k.misc.add(MISC.cacheNodeEnd, 1)],
  ["content on a disk that is not there", "diskStamp", () => xaStore(k, inode(AT.disk).slot, "disk", 5, 9999)],
  ["a note of blocks for a page that has none", "fileBlocks", () => xaStore(k, inode(AT.disk).slot, "blocks", 5, 1)],
  ["users of an inode", "inodeUsers", () => k.inodes.update(inode(AT.disk).slot, { refs: 9 })],
  ["writers of an inode", "inodeUsers", () => k.inodes.update(inode(AT.disk).slot, { writers: 0 })],
  ["pages of a mount", "mountBlocks", () => k.usedBlocks.add(inode(AT.shmHuge).mount, 1)],
  ["an inode on the list of another mount", "shrinklist", () => k.mounts.update(SHM_MOUNT, { shrinklist: [inode(AT.disk).slot] })],
  ["a mapping without its file", "vmaFile", () => k.vmas.update(vma(AT.cow).slot, { ops: "none" })],
  ["a mapping that its file does not list", "vmaFile", () => k.inodes.update(inode(AT.disk).slot, { vmas: [vma(AT.disk).slot] })],
  ["references of a file", "fileRefs", () => k.files.update(vma(AT.shm).file, { refs: 0 })],
  ["a descriptor twice", "descriptor", () => k.tasks.update(aTask().slot, { fds: [...aTask().fds, { fd: 0, file: 0, closeOnExec: false }] })],
  ["the file of a segment of shared memory", "shm", () => k.inodes.update(k.files.get(segment().file).inode, { shm: 0 })],
  ["RSS of files", "rss", () => k.mmCounters.add(counter(parent, MMC.filePages), 1)],
  ["RSS of shared memory", "rss", () => k.mmCounters.add(counter(parent, MMC.shmemPages), -1)],
  ["a folio of a file that is also anonymous", "folioFlags", () => flip(page(AT.shm), PG.anon)],
  ["a deposit for a PMD of a file", "deposits", () => k.tableDeposits.add(walkTo(k, mm().pgd, AT.shmHuge, k.geo.pmdLevel), 1)],
  ["a writable private entry to a page of a file", "writableShared", () => k.vmas.update(vma(AT.shm).slot, { flags: vma(AT.shm).flags & ~VM.shared })],
  ["a page behind the end of its file", "cachedBeyondEof", () => k.inodes.update(inode(AT.disk).slot, { sizeBytes: 0 })],
  ["a folio of a file that its page cache lost", "notCached", () => loseFromCache(AT.disk, 200)],
  ["a frame of a file that is gone", "rmapLost", () => k.mapping.set(page(AT.shm), 4000)],
  ["two pages of the cache with one frame", "cacheEntry", () => xaStore(k, inode(AT.shm).slot, "cache", 3, page(AT.shm) + 1)],
  ["a mapped page without the file's data", "notUptodate", () => flip(page(AT.shm), PG.uptodate)],
  ["a writable entry to a clean page", "writableClean", () => (flip(page(AT.disk), PG.dirty), k.vmstat.add(VMSTAT.nrDirty, -1))],
  ["a dirty tag that nobody counted", "vmstat", () => flip(page(AT.disk), PG.dirty)],
  ["the map count of a page of a file", "mapcount", () => k.mapcount.add(page(AT.disk), 1)],
  ["the PMD map count of a folio of a file", "entireMapcount", () => k.entireMapcount.add(hugePage(AT.shmHuge), 1)],
  ["the large map count of a folio of a file", "largeMapcount", () => k.largeMapcount.add(hugePage(AT.shmHuge), 1)],
  ["pages mapped of a folio of a file", "pagesMapped", () => k.pagesMapped.add(hugePage(AT.shmHuge), 1)],
  ["a reference of the page cache lost", "refcount", () => k.refcount.add(hugePage(AT.shmHuge), -1)],
  ["a page of a file in another file", "rmapLost", () => k.mapping.set(page(AT.shm), inode(AT.disk).slot)],
  ["the offset of a mapping of a file", "pageIndex", () => k.vmas.update(vma(AT.disk).slot, { pgoff: 1 })],
  ["a mapping that its file lists twice", "vmaFile", () => k.inodes.update(inode(AT.disk).slot, { vmas: [...inode(AT.disk).vmas, vma(AT.disk).slot] })],
  ["a page of tmpfs that counts as one of a disk", "vmstat", () => flip(page(AT.shm), PG.swapbacked)],
  ["a PMD of a file lost without its folio", "entireMapcount", () => k.entryLo.set(pmdEntry(parent, AT.shmHuge), 0)],
  ["the owner of a folio of a file", "mmId", () => k.mmIds.set(2 * hugePage(AT.shmHuge), 77)],
  ["nr_file_pages", "vmstat", () => k.vmstat.add(VMSTAT.nrFilePages, 1)],
  ["nr_shmem", "vmstat", () => k.vmstat.add(VMSTAT.nrShmem, -1)],
  ["nr_shmem_hugepages", "vmstat", () => k.vmstat.add(VMSTAT.nrShmemHugepages, 1)],
  ["nr_shmem_pmdmapped", "vmstat", () => k.vmstat.add(VMSTAT.nrShmemPmdmapped, 1)],
  ["nr_file_hugepages", "vmstat", () => k.vmstat.add(VMSTAT.nrFileHugepages, 1)],
  ["nr_file_pmdmapped", "vmstat", () => k.vmstat.add(VMSTAT.nrFilePmdmapped, 1)],
  ["nr_mapped", "vmstat", () => k.vmstat.add(VMSTAT.nrMapped, 1)],
  ["nr_dirty", "vmstat", () => k.vmstat.add(VMSTAT.nrDirty, -1)],
  ["nr_inactive_file", "vmstat", () => k.vmstat.add(VMSTAT.nrInactiveFile, 1)],
  ["nr_active_file", "vmstat", () => k.vmstat.add(VMSTAT.nrActiveFile, 1)],
  ["a link of the deferred queue", "deferredLink", () => k.deferredPrev.set(deferredHead(), page(AT.small))],
  ["the tail of the deferred queue", "deferredLink", () => k.misc.set(MISC.deferredTail, 0)],
  ["a folio that does not know that it is queued", "deferredLink", () => flip(deferredHead(), PG.deferred)],
  ["a folio that says it is queued", "deferredFlag", () => flip(page(AT.sized), PG.deferred)],
  ["the length of the deferred queue", "deferredCount", () => k.misc.add(MISC.deferredCount, 1)],
  ["an mm that khugepaged does not list", "khugepagedList", () => k.setGlobals({ khugepagedMms: [] })],
  ["an mm that khugepaged lists twice", "khugepagedList", () => k.setGlobals({ khugepagedMms: [...k.g.khugepagedMms, k.g.khugepagedMms[0]] })],
  ["khugepaged's cursor", "khugepagedCursor", () => k.setGlobals({ khugepagedCursorMm: 55 })],
  ["a daemon that runs and does not sleep", "parked", () => k.setGlobals({ khugepagedRunning: !k.g.khugepagedRunning })],
  ["a lock left behind", "lock", () => void k.locks.add((slot) => ({ slot, kind: "mmap_lock", object: parent.mm, writer: 1, readers: [] }))],
  ["a translation of another frame", "tlbStale", () => k.tlbLo.set(cached().at, k.tlbLo.get(cached().at) ^ 0x1000)],
  ["a translation after its entry was cleared", "tlbStale", () => k.entryLo.set(entry(parent, cached().vpn), 0)],
  ["a translation of an mm that is gone", "tlbStale", () => k.tlbTag.set(127, 88)],
  ["more permission in the TLB", "tlbPermission", () => k.entryLo.set(entry(parent, cached().vpn), k.entryLo.get(entry(parent, cached().vpn)) & ~writeBit)],
  [
    "a dirty bit in the TLB alone",
    "tlbPermission",
    () => k.entryLo.set(entry(parent, cached().vpn), k.entryLo.get(entry(parent, cached().vpn)) & ~k.geo.encoding.dirty),
  ],
];

/** The page cache forgets a page, and counts as if it had never had it. */
function loseFromCache(at: number, index: number): void {
  const { slot } = inode(at);
  xaStore(k, slot, "cache", index, 0);
  k.inodeCounters.add(slot * INODE_COUNTERS + INC.nrPages, -1);
}

/** A free block listed as its two halves. */
function splitAFreeBlock(): void {
  const { pfn, zone, order, type, list } = free();
  const half = listAt(zone, order - 1, type);
  const next = k.buddyNext.get(pfn);
  k.freeHead.set(list, next);
  if (next >= 0) k.buddyPrev.set(next, -1);
  k.freeCount.add(list, -1);
  for (const block of [pfn, pfn + (1 << (order - 1))]) {
    const head = k.freeHead.get(half);
    k.buddyNext.set(block, head);
    k.buddyPrev.set(block, -1);
    if (head >= 0) k.buddyPrev.set(head, block);
    k.freeHead.set(half, block);
    k.freeCount.add(half, 1);
    k.pageFlags.set(block, PG.buddy | ((order - 1) << ORDER_SHIFT) | (type << MIGRATE_SHIFT));
  }
}

/** A translation that CPU 0 keeps of a small writable page. */
function cached(): { vpn: number; at: number } {
  for (const t of tlbEntries(k, 0)) if (t.level === "pte" && (t.lo & writeBit) !== 0) return t;
  throw new Error("nothing writable in the TLB");
}

const keysNow = (): string[] => machine.check().map((v) => v.key.replace("kernel.check.", ""));

it("finds nothing wrong with a machine that has everything in it", () => {
  expect(machine.check()).toEqual([]);
  // what the corruptions below presuppose
  expect(folioOrder(k, folioOf(k, page(AT.sized)))).toBe(4);
  expect(hugePage(AT.hugeZero)).toBe(k.g.hugeZeroPfn);
  expect(page(AT.zero)).toBe(k.g.zeroPfn);
  expect(k.mapcount.get(page(AT.small + 12))).toBe(2);
  expect(k.entireMapcount.get(hugePage(AT.sharedHuge))).toBe(2);
  expect(k.entireMapcount.get(folioOf(k, page(AT.split + 20)))).toBe(0);
  expect(deferredHead()).not.toBe(0);
  expect(k.contents.count).toBeGreaterThan(0);
  expect(k.g.khugepagedMms.length).toBeGreaterThan(0);
});

it.each(CORRUPTIONS)("names %s", (_what, key, corrupt) => {
  machine.restore(whole);
  const before = machine.hash();
  corrupt();
  expect(machine.hash()).not.toBe(before);
  expect(keysNow()).toContain(key);
  machine.restore(whole);
  expect(keysNow()).toEqual([]);
});

it("fires every rule there is", async () => {
  const { kernelMessagesEn } = await import("../messages.en.ts");
  const rules = Object.keys(kernelMessagesEn).filter((key) => key.startsWith("kernel.check."));
  const fired = new Set(CORRUPTIONS.map(([, key]) => `kernel.check.${key}`));
  expect(rules.filter((key) => !fired.has(key))).toEqual([]);
});
