import { MTHP_COUNTERS, type Kernel } from "../kernel/mm/kernel.ts";
import type { Vma } from "../kernel/mm/records.ts";
import { VMSTAT, VMSTAT_NAMES } from "../kernel/mm/vmstat.ts";
import { isHugeZero } from "../kernel/thp/hugeZero.ts";
import { folioPlace, isWalked, kpageflagBits, KPF, smapsOf, vmFlagNames, walkPages, type Smaps } from "../kernel/proc/taskMmu.ts";
import { pageMapcount } from "../kernel/mm/folio.ts";
import { PG } from "../kernel/mm/pageFlags.ts";
import { VM } from "../kernel/mm/vmFlags.ts";
import { statusOf } from "../kernel/syscalls.ts";
import type { Pfn } from "../kernel/units.ts";
import type { PageRun, ProcessState, VmaState } from "./traceStep.ts";
import type { World } from "./world.ts";

/** What the recorder's observer reads from outside after an operation (recorder/oracle.c: proc_state, pagemap_runs). */

interface PageLook {
  readonly f: string;
  readonly k: string;
  readonly o: number;
  readonly id: number;
  readonly index: number;
  readonly mc: number;
}

const LETTERS: readonly (readonly [number, string])[] = [
  [KPF.anon, "a"],
  [KPF.thp, "t"],
  [KPF.huge, "h"],
  [KPF.zeroPage, "z"],
  [KPF.ksm, "k"],
  [KPF.swapbacked, "b"],
  [KPF.hwpoison, "p"],
  [KPF.mlocked, "m"],
];

class RunBuilder {
  readonly runs: PageRun[] = [];
  private readonly base: number;
  private prev: PageLook | undefined;
  private start = 0;
  private count = 0;
  private firstIndex = 0;
  private firstId = 0;
  private folios = 0;

  constructor(base: number) {
    this.base = base;
  }

  /** `n` pages alike but for their position in the folio, from `vpn` on. */
  add(vpn: number, look: PageLook, n: number): void {
    const p = this.prev;
    let merge = false;
    if (p !== undefined && p.f === look.f && p.k === look.k && p.o === look.o && p.mc === look.mc) {
      if (look.o === 0) merge = true;
      else if (look.id === p.id && look.index === p.index + 1) merge = true;
      else if (look.index === 0 && p.index === 2 ** p.o - 1 && this.firstIndex === 0) {
        merge = true;
        this.folios++;
      }
    }
    const last = n > 1 ? { ...look, index: look.index + n - 1 } : look;
    if (merge) this.count += n;
    else {
      this.flush();
      this.start = vpn;
      this.count = n;
      this.firstIndex = look.index;
      this.firstId = look.id;
      this.folios = 1;
    }
    this.prev = last;
  }

  flush(): void {
    const p = this.prev;
    if (p === undefined || p.f === "") return;
    const run: Record<string, string | number> = { at: `0x${((this.start - this.base) * 4096).toString(16)}`, n: this.count, f: p.f };
    if (p.k !== "") run.k = p.k;
    if (p.o > 0) {
      run.o = p.o;
      if (this.folios > 1) run.nf = this.folios;
      else {
        run.id = this.firstId;
        if (this.firstIndex > 0) run.i = this.firstIndex;
      }
    }
    if (p.mc > 1) run.mc = p.mc;
    this.runs.push(run as unknown as PageRun);
  }
}

const NOTHING: PageLook = { f: "", k: "", o: 0, id: -1, index: 0, mc: 0 };

/** Folio numbers of one dump: by head, in order of first sight. */
export type FolioIds = Map<number, number>;

export function pageRuns(k: Kernel, vma: Vma, ids: FolioIds): PageRun[] {
  const b = new RunBuilder(vma.start);
  if (!isWalked(vma)) return b.runs;
  for (const p of walkPages(k, vma.mm, vma.start, vma.end)) {
    if (p.state === "none") {
      b.add(p.vpn, NOTHING, p.pages);
      continue;
    }
    if (p.state !== "present") {
      b.add(p.vpn, { ...NOTHING, f: `S${p.uffdWp ? "W" : ""}${p.state === "guard" && k.era.pagemapGuard ? "G" : ""}` }, 1);
      continue;
    }
    if (p.raw) {
      b.add(p.vpn, { ...NOTHING, f: p.huge && k.era.pagemapScan ? "PH" : "P" }, p.pages);
      continue;
    }
    const first = p.pfn as Pfn;
    const where = folioPlace(k, first);
    const hugeZero = isHugeZero(k, where.head);
    const isFile = !p.zero && (k.pageFlags.get(where.head) & PG.anon) === 0;
    let id = -1;
    if (where.order > 0) {
      id = ids.get(where.head) ?? ids.size;
      ids.set(where.head, id);
    }
    const kind = (bits: number[]): string =>
      LETTERS.filter(([n]) => bits.includes(n))
        .map(([, c]) => c)
        .join("");
    const letters = kind(kpageflagBits(k, first));
    const letter = (pfn: Pfn): string => (k.era.kpageflagsTails || where.order === 0 ? letters : kind(kpageflagBits(k, pfn)));
    const firstMc = p.zero ? 0 : pageMapcount(k, first);
    for (let i = 0; i < p.pages;) {
      const pfn = (first + i) as Pfn;
      const mc = p.zero ? 0 : pageMapcount(k, pfn);
      const letterNow = letter(pfn);
      let n = 1;
      while (i + n < p.pages && (p.zero ? 0 : pageMapcount(k, (pfn + n) as Pfn)) === mc && (k.era.kpageflagsTails || letter((pfn + n) as Pfn) === letterNow))
        n++;
      const exclusive = p.huge && k.era.pagemapPmdExclusive === "firstPage" ? firstMc === 1 : mc === 1;
      const f = `P${p.huge && k.era.pagemapScan ? "H" : ""}${hugeZero || isFile ? "F" : ""}${exclusive ? "X" : ""}${p.uffdWp ? "W" : ""}`;
      b.add(p.vpn + i, { f, k: letterNow, o: where.order, id, index: where.index + i, mc }, n);
      i += n;
    }
  }
  b.flush();
  return b.runs;
}

const SHOWN: readonly (keyof Smaps)[] = [
  "Rss",
  "Pss",
  "Pss_Dirty",
  "Shared_Clean",
  "Shared_Dirty",
  "Private_Clean",
  "Private_Dirty",
  "Referenced",
  "Anonymous",
  "KSM",
  "LazyFree",
  "AnonHugePages",
  "ShmemPmdMapped",
  "FilePmdMapped",
  "Shared_Hugetlb",
  "Private_Hugetlb",
  "Swap",
  "SwapPss",
  "Locked",
];

function vmaState(world: World, k: Kernel, vma: Vma, ids: FolioIds): VmaState {
  const s = smapsOf(k, vma);
  const state: Record<string, unknown> = {
    at: world.slots.print(vma.start * 4096),
    len: `0x${((vma.end - vma.start) * 4096).toString(16)}`,
    perm: `${vma.flags & VM.read ? "r" : "-"}${vma.flags & VM.write ? "w" : "-"}${vma.flags & VM.exec ? "x" : "-"}${vma.flags & VM.mayShare ? "s" : "p"}`,
  };
  if (vma.file !== 0 && vma.pgoff !== 0) state.off = `0x${(vma.pgoff * 4096).toString(16)}`;
  for (const key of SHOWN) if (s[key] !== 0) state[key] = s[key];
  state.THPeligible = s.THPeligible;
  state.VmFlags = vmFlagNames(k, vma).join(" ");
  state.pm = pageRuns(k, vma, ids);
  return state as unknown as VmaState;
}

/** State of every living process, by name. */
export function processStates(world: World): Record<string, ProcessState> {
  const k = world.machine.kernel;
  const ids: FolioIds = new Map();
  const out: Record<string, ProcessState> = {};
  for (const p of world.living()) {
    const task = world.task(p);
    const status = statusOf(k, task.mm);
    out[p.name] = {
      VmPTE: status.VmPTE - world.base.pte,
      VmSize: status.VmSize - world.base.size,
      ...(status.VmLck > 0 ? { VmLck: status.VmLck } : {}),
      ...(status.VmSwap > 0 ? { VmSwap: status.VmSwap } : {}),
      vmas: world.machine
        .vmas(task)
        .filter((v) => world.slots.inSlots(v.start * 4096))
        .map((v) => vmaState(world, k, v, ids)),
    };
  }
  return out;
}

const SHOWN_COUNTERS = ["thp_", "htlb_", "swpin_zero", "swpout_zero", "pswp", "ksm_", "cow_ksm", "pglazyfree", "zswp", "pgmigrate", "hugetlb"];
const COUNTER_INDICES = VMSTAT_NAMES.map((name, i) => ({ name, i })).filter(({ name }) => SHOWN_COUNTERS.some((p) => name.startsWith(p)));

const MTHP_FILES = [
  "anon_fault_alloc",
  "anon_fault_fallback",
  "anon_fault_fallback_charge",
  "zswpout",
  "swpin",
  "swpin_fallback",
  "swpin_fallback_charge",
  "swpout",
  "swpout_fallback",
  "shmem_alloc",
  "shmem_fallback",
  "shmem_fallback_charge",
  "split",
  "split_failed",
  "split_deferred",
  "nr_anon",
  "nr_anon_partially_mapped",
];

/** Values of the counters a trace shows, to take differences of. */
export interface Counters {
  readonly vmstat: readonly number[];
  readonly mthp: readonly number[];
  readonly anonHugeKb: number;
  /** huge-page lines of meminfo about files, kB */
  readonly fileHugeKb: Readonly<Record<"ShmemHugePages" | "ShmemPmdMapped" | "FilePmdMapped", number>>;
}

export function countersOf(k: Kernel): Counters {
  const hugeKb = (item: number): number => k.vmstat.get(item) * 2 ** k.geo.pmdOrder * 4;
  const mthp: number[] = [];
  for (let order = 1; order <= k.geo.pmdOrder; order++)
    for (let item = 0; item < MTHP_FILES.length; item++) mthp.push(k.mthpStat.get(order * MTHP_COUNTERS + item));
  return {
    vmstat: COUNTER_INDICES.map(({ i }) => k.vmstat.get(i)),
    mthp,
    anonHugeKb: hugeKb(VMSTAT.nrAnonTransparentHugepages),
    fileHugeKb: {
      ShmemHugePages: hugeKb(VMSTAT.nrShmemHugepages),
      ShmemPmdMapped: hugeKb(VMSTAT.nrShmemPmdmapped),
      FilePmdMapped: hugeKb(VMSTAT.nrFilePmdmapped),
    },
  };
}

export function vmstatDelta(before: Counters, now: Counters): Record<string, number> {
  const out: Record<string, number> = {};
  COUNTER_INDICES.forEach(({ name }, i) => {
    if (now.vmstat[i] !== before.vmstat[i]) out[name] = now.vmstat[i] - before.vmstat[i];
  });
  return out;
}

export function mthpDelta(k: Kernel, before: Counters, now: Counters): Record<string, number> {
  const out: Record<string, number> = {};
  for (let order = 1, n = 0; order <= k.geo.pmdOrder; order++) {
    MTHP_FILES.forEach((file) => {
      if (now.mthp[n] !== before.mthp[n]) out[`${4 << order}kB.${file}`] = now.mthp[n] - before.mthp[n];
      n++;
    });
  }
  return out;
}
