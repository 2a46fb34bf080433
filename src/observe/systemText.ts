import { procTextOf, vmstatItemsOf } from "../kernel/era/procText.ts";
import type { Kernel } from "../kernel/mm/kernel.ts";
import { totalFreePages } from "../kernel/mm/pageAlloc.ts";
import { VMSTAT, VMSTAT_NAMES } from "../kernel/mm/vmstat.ts";
import { availablePages, buddyinfoOf, committedPages, managedPages, vmstatValue } from "../kernel/proc/memoryStatus.ts";

/** /proc/meminfo, vmstat and buddyinfo, byte for byte as the kernel prints them. docs/kernel-files.md says which lines are not simulated. */

const VMALLOC_TOTAL_KB = 34359738367;
const GIB_PAGES = 1 << 18;
const PMD_PAGES = 1 << 9;

type Line = readonly [name: string, kb: number];

const kbOf = (k: Kernel, item: number): number => k.vmstat.get(item) * 4;
const hugeKbOf = (k: Kernel, item: number): number => kbOf(k, item) * 2 ** k.geo.pmdOrder;

function lruLines(k: Kernel): Line[] {
  const active = kbOf(k, VMSTAT.nrActiveAnon);
  const inactive = kbOf(k, VMSTAT.nrInactiveAnon);
  const activeFile = kbOf(k, VMSTAT.nrActiveFile);
  const inactiveFile = kbOf(k, VMSTAT.nrInactiveFile);
  return [
    ["Active", active + activeFile],
    ["Inactive", inactive + inactiveFile],
    ["Active(anon)", active],
    ["Inactive(anon)", inactive],
    ["Active(file)", activeFile],
    ["Inactive(file)", inactiveFile],
    ["Unevictable", k.vmstat.get(VMSTAT.nrUnevictable) * 4],
    ["Mlocked", k.vmstat.get(VMSTAT.nrMlock) * 4],
  ];
}

const zeros = (...names: readonly string[]): Line[] => names.map((name) => [name, 0]);

/** Lines up to Percpu, all of one shape. */
function generalLines(k: Kernel): Line[] {
  const text = procTextOf(k.profile.release);
  return [
    ["MemTotal", managedPages(k) * 4],
    ["MemFree", totalFreePages(k) * 4],
    ["MemAvailable", availablePages(k) * 4],
    ...zeros("Buffers"),
    ["Cached", kbOf(k, VMSTAT.nrFilePages)],
    ...zeros("SwapCached"),
    ...lruLines(k),
    ...zeros("SwapTotal", "SwapFree", "Zswap", "Zswapped"),
    ["Dirty", kbOf(k, VMSTAT.nrDirty)],
    ...zeros("Writeback"),
    ["AnonPages", kbOf(k, VMSTAT.nrAnonPages)],
    ["Mapped", kbOf(k, VMSTAT.nrMapped)],
    ["Shmem", kbOf(k, VMSTAT.nrShmem)],
    ...zeros("KReclaimable", "Slab", "SReclaimable", "SUnreclaim", "KernelStack"),
    ["PageTables", k.vmstat.get(VMSTAT.nrPageTablePages) * 4],
    ...(text.meminfoSecPageTables ? zeros("SecPageTables") : []),
    ...zeros("NFS_Unstable", "Bounce", "WritebackTmp"),
    ["CommitLimit", Math.floor(managedPages(k) / 2) * 4],
    ["Committed_AS", committedPages(k) * 4],
    ["VmallocTotal", VMALLOC_TOTAL_KB],
    ...zeros("VmallocUsed", "VmallocChunk", "Percpu"),
  ];
}

function hugeLines(k: Kernel): Line[] {
  const thp: Line[] = [
    ["AnonHugePages", hugeKbOf(k, VMSTAT.nrAnonTransparentHugepages)],
    ["ShmemHugePages", hugeKbOf(k, VMSTAT.nrShmemHugepages)],
    ["ShmemPmdMapped", hugeKbOf(k, VMSTAT.nrShmemPmdmapped)],
    ["FileHugePages", hugeKbOf(k, VMSTAT.nrFileHugepages)],
    ["FilePmdMapped", hugeKbOf(k, VMSTAT.nrFilePmdmapped)],
  ];
  return [...(k.geo.thp ? thp : []), ...(procTextOf(k.profile.release).meminfoBalloon ? zeros("Balloon") : [])];
}

/** The lines of meminfo that are of one shape and follow from the machine's state, as numbers in kB. */
export const meminfoLines = (k: Kernel): readonly Line[] => [...generalLines(k), ...hugeLines(k)];

/** How the kernel maps memory for itself: in the largest pages that fit. */
function directMapLines(k: Kernel): Line[] {
  const pages = k.profile.memoryMiB * 256;
  const gigantic = Math.floor(pages / GIB_PAGES);
  const rest = pages - gigantic * GIB_PAGES;
  const huge = Math.floor(rest / PMD_PAGES);
  return [
    ["DirectMap4k", (rest - huge * PMD_PAGES) * 4],
    ["DirectMap2M", huge * PMD_PAGES * 4],
    ["DirectMap1G", gigantic * GIB_PAGES * 4],
  ];
}

export function meminfoText(k: Kernel): string {
  const kb = ([name, value]: Line): string => `${`${name}:`.padEnd(16)}${String(value).padStart(8)} kB\n`;
  const count = (name: string): string => `${name}:${" ".repeat(18 - name.length)}    0\n`;
  return [
    ...generalLines(k).map(kb),
    ...(k.profile.config.memoryFailure ? ["HardwareCorrupted:     0 kB\n"] : []),
    ...hugeLines(k).map(kb),
    ...(k.geo.thp
      ? [...["HugePages_Total", "HugePages_Free", "HugePages_Rsvd", "HugePages_Surp"].map(count), kb(["Hugepagesize", 2048]), kb(["Hugetlb", 0])]
      : []),
    ...(k.geo.thp ? directMapLines(k).map(kb) : []),
  ].join("");
}

/** One item a line; items that the simulator does not count are 0. */
export function vmstatText(k: Kernel): string {
  return vmstatItemsOf(k.profile.release, VMSTAT_NAMES)
    .map((name) => `${name} ${vmstatValue(k, name)}\n`)
    .join("");
}

export function buddyinfoText(k: Kernel): string {
  return buddyinfoOf(k)
    .map(({ zone, free }) => `Node 0, zone ${zone.padStart(8)} ${free.map((n) => `${String(n).padStart(6)} `).join("")}\n`)
    .join("");
}

/** What `dmesg` shows: the lines of a boot that this machine has something to say about. */
export function dmesgText(k: Kernel): string {
  const { profile } = k;
  const kb = profile.memoryMiB * 1024;
  const lines = [
    `Linux version ${profile.kernelRelease} (hugelab simulated kernel, profile ${profile.id})`,
    `Command line: ${Object.entries(profile.bootParameters)
      .map(([name, value]) => `${name}=${value}`)
      .join(" ")}`.trimEnd(),
    `Memory: ${availablePages(k) * 4}K/${kb}K available`,
    `smp: Brought up 1 node, ${profile.cpus} CPU${profile.cpus === 1 ? "" : "s"}`,
    `hugelab: ${k.geo.id}, page tables ${k.geo.levels.map((level) => level.name).join(" ")}`,
  ];
  return lines.map((line) => `[    0.000000] ${line}\n`).join("");
}
