import { MMC, type Kernel } from "../mm/kernel.ts";
import { freeBlocks, freePagesOf, minWatermark, PAGEBLOCK_ORDER, totalFreePages } from "../mm/pageAlloc.ts";
import type { Task } from "../mm/records.ts";
import { VM } from "../mm/vmFlags.ts";
import { VMSTAT, vmstatIndex } from "../mm/vmstat.ts";
import { statusOf } from "../syscalls.ts";

/** What /proc/PID/status, meminfo, vmstat and buddyinfo say in numbers. Formats are observe/'s business. */

const rssPages = (k: Kernel, mm: number): number => k.mmCount(mm, MMC.anonPages) + k.mmCount(mm, MMC.filePages) + k.mmCount(mm, MMC.shmemPages);

/**
 * update_hiwater_rss and update_hiwater_vm, for every mm, as a step begins: within a step both only grow, or only shrink
 * from where the step before left them, so the greater of the mark and the value now is what Linux prints.
 */
export function noteHighWater(k: Kernel): void {
  for (const [mm] of k.mms.entries()) {
    const rss = rssPages(k, mm) - k.mmCount(mm, MMC.hiwaterRss);
    if (rss > 0) k.countMm(mm, MMC.hiwaterRss, rss);
    const vm = k.mmCount(mm, MMC.totalVm) - k.mmCount(mm, MMC.hiwaterVm);
    if (vm > 0) k.countMm(mm, MMC.hiwaterVm, vm);
  }
}

/** The memory lines of /proc/PID/status in kB, in their order (task_mem). */
export interface MemoryStatus {
  readonly VmPeak: number;
  readonly VmSize: number;
  readonly VmLck: number;
  readonly VmPin: number;
  readonly VmHWM: number;
  readonly VmRSS: number;
  readonly RssAnon: number;
  readonly RssFile: number;
  readonly RssShmem: number;
  readonly VmData: number;
  readonly VmStk: number;
  readonly VmExe: number;
  readonly VmLib: number;
  readonly VmPTE: number;
  readonly VmSwap: number;
  readonly HugetlbPages: number;
}

export function memoryStatusOf(k: Kernel, task: Task): MemoryStatus {
  const mm = task.mm;
  const now = statusOf(k, mm);
  let stack = 0;
  let exec = 0;
  for (const slot of k.mms.get(mm).vmas) {
    const vma = k.vmas.get(slot);
    if (vma.flags & VM.growsDown) stack += vma.end - vma.start;
    // is_exec_mapping: executable, not writable, no stack
    if ((vma.flags & (VM.exec | VM.write | VM.growsDown)) === VM.exec) exec += vma.end - vma.start;
  }
  return {
    VmPeak: Math.max(now.VmSize, k.mmCount(mm, MMC.hiwaterVm) * 4),
    VmSize: now.VmSize,
    VmLck: now.VmLck,
    VmPin: 0,
    VmHWM: Math.max(now.VmRSS, k.mmCount(mm, MMC.hiwaterRss) * 4),
    VmRSS: now.VmRSS,
    RssAnon: k.mmCount(mm, MMC.anonPages) * 4,
    RssFile: k.mmCount(mm, MMC.filePages) * 4,
    RssShmem: k.mmCount(mm, MMC.shmemPages) * 4,
    VmData: k.mmCount(mm, MMC.dataVm) * 4,
    VmStk: stack * 4,
    VmExe: 0,
    VmLib: exec * 4,
    VmPTE: now.VmPTE,
    VmSwap: now.VmSwap,
    HugetlbPages: 0,
  };
}

/** Pages of memory that the allocator was given. */
export function managedPages(k: Kernel): number {
  let pages = 0;
  for (let slot = 1; slot <= k.zones.count; slot++) pages += k.zones.get(slot).end - k.zones.get(slot).start;
  return pages;
}

/** si_mem_available without reclaimable slab: what is free above the reserves, and what of the page cache can be given up without harm. */
export function availablePages(k: Kernel): number {
  let reserve = 0;
  for (let slot = 1; slot <= k.zones.count; slot++) reserve += minWatermark(k.zones.get(slot));
  const cache = k.vmstat.get(VMSTAT.nrActiveFile) + k.vmstat.get(VMSTAT.nrInactiveFile);
  return Math.max(0, totalFreePages(k) - reserve) + cache - Math.min(Math.floor(cache / 2), reserve);
}

/** vm_committed_as: pages of all accounted mappings. */
export function committedPages(k: Kernel): number {
  let pages = 0;
  for (const [, vma] of k.vmas.entries()) if (vma.flags & VM.account) pages += vma.end - vma.start;
  return pages;
}

/** Items that follow from state and are not counted on the way. */
const DERIVED: Readonly<Record<string, (k: Kernel) => number>> = {
  nr_free_pages: totalFreePages,
  nr_free_pages_blocks: freeBlockPages,
  nr_zone_inactive_anon: (k) => k.vmstat.get(VMSTAT.nrInactiveAnon),
  nr_zone_active_anon: (k) => k.vmstat.get(VMSTAT.nrActiveAnon),
  nr_zone_inactive_file: (k) => k.vmstat.get(VMSTAT.nrInactiveFile),
  nr_zone_active_file: (k) => k.vmstat.get(VMSTAT.nrActiveFile),
  nr_zone_write_pending: (k) => k.vmstat.get(VMSTAT.nrDirty),
  nr_zone_unevictable: (k) => k.vmstat.get(VMSTAT.nrUnevictable),
  // balanced dirty thresholds: 20% and 10% of what could be dirtied
  nr_dirty_threshold: (k) => Math.floor(availablePages(k) / 5),
  nr_dirty_background_threshold: (k) => Math.floor(availablePages(k) / 10),
};

/** Free pages in blocks of at least a page block. */
function freeBlockPages(k: Kernel): number {
  let pages = 0;
  for (let slot = 1; slot <= k.zones.count; slot++) {
    freeBlocks(k, slot).forEach((count, order) => (pages += order >= PAGEBLOCK_ORDER ? count << order : 0));
  }
  return pages;
}

/** Value of an item of /proc/vmstat; 0 for one that the simulator does not count. */
export function vmstatValue(k: Kernel, name: string): number {
  if (Object.hasOwn(DERIVED, name)) return DERIVED[name](k);
  const i = vmstatIndex(name);
  return i < 0 ? 0 : k.vmstat.get(i);
}

/** Zones with the count of free blocks of each order (/proc/buddyinfo). */
export function buddyinfoOf(k: Kernel): { readonly zone: string; readonly free: readonly number[] }[] {
  const out: { zone: string; free: number[] }[] = [];
  for (let slot = 1; slot <= k.zones.count; slot++) if (freePagesOf(k, slot) >= 0) out.push({ zone: k.zones.get(slot).name, free: freeBlocks(k, slot) });
  return out;
}
