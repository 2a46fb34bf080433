import { bugOn } from "./assert.ts";
import { X86_64_4LEVEL, X86_64_5LEVEL } from "./arch/x86.ts";
import { PPC_8XX } from "./arch/ppc8xx.ts";
import type { Geometry } from "./arch/geometry.ts";
import type { Era } from "./era/era.ts";
import { resolveEra, togglesOf } from "./era/resolve.ts";
import { STANDARD_DESCRIPTORS } from "./fs/fdTable.ts";
import { mmAlloc } from "./mm/fork.ts";
import { addDevices } from "./drivers/hugelab.ts";
import { folioGet, setFlag } from "./mm/folio.ts";
import { addMount, SHM_MOUNT } from "./mm/inode.ts";
import { ENTRY_ROW, MISC, Kernel } from "./mm/kernel.ts";
import { prepFolio } from "./mm/folio.ts";
import { allocPages, initZones } from "./mm/pageAlloc.ts";
import { PG } from "./mm/pageFlags.ts";
import type { Zone } from "./mm/records.ts";
import type { Profile } from "./profile/profile.ts";
import { DEFAULT_COSTS, type CostSheet } from "./sched/costs.ts";
import { setKhugepaged } from "./thp/khugepaged.ts";
import { NO_PFN } from "./units.ts";

const GEOMETRIES: Readonly<Record<Profile["geometry"], Geometry>> = { "x86-64": X86_64_4LEVEL, "x86-64-la57": X86_64_5LEVEL, "ppc-8xx": PPC_8XX };

export interface BootOptions {
  readonly profile: Profile;
  /** toggles switched on or off besides those of the release: "+id", "-id" */
  readonly patches?: readonly string[];
  readonly memoryMiB?: number;
  readonly cpus?: number;
  readonly costs?: CostSheet;
  /** for tests: fields of the resolved era to force */
  readonly era?: Partial<Era>;
}

/** Toggles of a profile with patches applied. Order does not matter. */
export function togglesWith(profile: Profile, patches: readonly string[]): string[] {
  const on = new Set(togglesOf(profile.release));
  for (const p of patches) {
    if (p.startsWith("-")) on.delete(p.slice(1));
    else on.add(p.startsWith("+") ? p.slice(1) : p);
  }
  return [...on];
}

/** Zones of a machine: 16 MiB DMA, up to 4 GiB DMA32, Normal above (arch/x86/mm/init.c). */
function zonesFor(memoryMiB: number): { name: Zone["name"]; start: number; end: number }[] {
  const pages = memoryMiB * 256;
  const out: { name: Zone["name"]; start: number; end: number }[] = [{ name: "DMA", start: 1, end: Math.min(pages, 4096) }];
  if (pages > 4096) out.push({ name: "DMA32", start: 4096, end: Math.min(pages, 1048576) });
  if (pages > 1048576) out.push({ name: "Normal", start: 1048576, end: pages });
  return out;
}

/** transparent_hugepage= of the kernel's command line (setup_transparent_hugepage); without it what kernels are built with, CONFIG_TRANSPARENT_HUGEPAGE_ALWAYS. */
function thpDefault(profile: Profile): "always" | "madvise" | "never" {
  const word = profile.bootParameters.transparent_hugepage;
  return word === "madvise" || word === "never" ? word : "always";
}

/** Switches a machine on: zones, the zero page, the defaults of every setting. */
export function bootKernel(o: BootOptions): Kernel {
  const profile = { ...o.profile, memoryMiB: o.memoryMiB ?? o.profile.memoryMiB, cpus: o.cpus ?? o.profile.cpus };
  const era = Object.freeze({ ...resolveEra(togglesWith(profile, o.patches ?? []), profile.fixes), ...o.era });
  const geo = GEOMETRIES[profile.geometry];
  const k = new Kernel(profile, era, geo, o.costs ?? DEFAULT_COSTS);
  bugOn((1 << ENTRY_ROW.shift) % geo.tableStride !== 0, "a page table across chunks of the entry column");
  initZones(k, zonesFor(profile.memoryMiB));
  const pmdBit = geo.pmdOrder > 0 ? 1 << geo.pmdOrder : 0;
  k.globals.add(() => ({
    // machines of less than 512 MiB start with THP off
    enabled: profile.memoryMiB < 512 ? "never" : thpDefault(profile),
    defrag: "madvise",
    shmemEnabled: "never",
    shmemSizes: Array.from({ length: geo.pmdOrder + 1 }, (_, order) => (order === geo.pmdOrder ? "inherit" : "never")),
    useZeroPage: 1,
    shrinkUnderused: 1,
    ordersAlways: 0,
    ordersMadvise: 0,
    ordersInherit: pmdBit,
    khugepaged: { defrag: 1, allocSleepMillisecs: 60000, scanSleepMillisecs: 10000, pagesToScan: 4096, maxPtesNone: 511, maxPtesSwap: 64, maxPtesShared: 256 },
    khugepagedMms: [],
    khugepagedCursorMm: 0,
    khugepagedCursorVpn: 0,
    khugepagedRunning: false,
    zeroPfn: NO_PFN,
    hugeZeroPfn: NO_PFN,
    faultAroundPages: 16,
    hugelabOrder: geo.pmdOrder,
    eligibilityRules: null,
    overcommitMemory: 0,
    maxMapCount: 65530,
    plain: {},
    settingStep: {},
    nextPid: 1,
    shmMaxBytes: Infinity,
    shmMni: 4096,
    shmLastIndex: -1,
    shmSequence: 0,
  }));
  setKhugepaged(k, geo.thp && profile.memoryMiB >= 512);
  const zero = allocPages(k, 0, "unmovable");
  prepFolio(k, zero, 0);
  setFlag(k, zero, PG.reserved | PG.zero);
  folioGet(k, zero);
  k.setGlobals({ zeroPfn: zero });
  k.misc.set(MISC.tableEnd, 1);
  k.misc.set(MISC.cacheNodeEnd, 1);
  bugOn(addMount(k, "tmpfs", "", "never", 0) !== SHM_MOUNT, "shm_mnt is not the first mount");
  for (const [fs, path] of DISKS) addMount(k, fs, path, "never", 0);
  // as shmem_default_max_blocks: half of the memory
  for (const path of TMPFS) addMount(k, "tmpfs", path, "never", Math.floor((profile.memoryMiB * 256) / 2));
  addDevices(k);
  return k;
}

/** Disks that a machine has. */
const DISKS: readonly (readonly ["ext4" | "xfs", string])[] = [
  ["ext4", "/mnt/ext4"],
  ["xfs", "/mnt/xfs"],
];

/** Mounts of tmpfs that a machine has. */
const TMPFS: readonly string[] = ["/dev/shm", "/mnt/tmp"];

export interface ProcessOptions {
  readonly comm: string;
  readonly parent?: number;
  readonly root?: boolean;
}

/** A process with an empty address space, as it is just before exec maps a program. Returns its task slot. */
export function newProcess(k: Kernel, o: ProcessOptions): number {
  const top = k.geo.mapWindowPages;
  const mm = mmAlloc(k, { startBrk: Math.min(0x600, top >>> 2), brkBytes: Math.min(0x600, top >>> 2) * 4096, mmapBase: top - 0x800, thpDisable: 0 });
  bugOn(mm === 0, "no memory for a process");
  const pid = k.g.nextPid;
  k.setGlobals({ nextPid: pid + 1 });
  return k.tasks.add((slot) => ({
    slot,
    pid,
    comm: o.comm,
    mm,
    parent: o.parent ?? 0,
    rlimitMemlock: 8 * 1024 * 1024,
    rlimitAs: Infinity,
    rlimitData: Infinity,
    rlimitNofile: 1024,
    fds: STANDARD_DESCRIPTORS,
    capIpcLock: o.root ?? true,
    capSysResource: o.root ?? true,
  }));
}
