import { procTextOf } from "../kernel/era/procText.ts";
import { inodeOf, isShmem } from "../kernel/mm/inode.ts";
import type { Kernel } from "../kernel/mm/kernel.ts";
import type { Task, Vma } from "../kernel/mm/records.ts";
import { VM } from "../kernel/mm/vmFlags.ts";
import { memoryStatusOf, type MemoryStatus } from "../kernel/proc/memoryStatus.ts";
import { smapsOf, smapsRollupOf, vmFlagNames } from "../kernel/proc/taskMmu.ts";

/**
 * /proc/PID/maps, smaps, smaps_rollup and status, byte for byte as the kernel prints them (fs/proc/task_mmu.c, array.c).
 * The page of vsyscall, which belongs to every x86-64 process and to no mm, is left out.
 */

const kb = (name: string, value: number, width = 8): string => `${name}${String(value).padStart(width)} kB\n`;
const hex = (value: number, width: number): string => value.toString(16).padStart(width, "0");

/** show_vma_header_prefix: the column at which a name begins depends on the size of a pointer. */
function header(k: Kernel, start: number, end: number, permissions: string, name: string, place = "00000000 00:00 0"): string {
  const prefix = `${hex(start * 4096, 8)}-${hex(end * 4096, 8)} ${permissions} ${place} `;
  return name === "" ? `${prefix}\n` : `${prefix.padEnd(24 + k.geo.bytesPerEntry * 6)} ${name}\n`;
}

/** Offset, device and inode of a mapping of a file. Disks are fe:00, fe:01 ...; tmpfs and devtmpfs have devices without a major number. */
function placeOf(k: Kernel, vma: Vma): string {
  if (vma.file === 0) return "00000000 00:00 0";
  const inode = inodeOf(k, vma);
  const device = isShmem(k, inode) || inode.device !== null ? `00:${hex(inode.mount, 2)}` : `fe:${hex(inode.mount, 2)}`;
  // a segment of SysV shared memory shows its id in place of an inode number
  return `${hex(vma.pgoff * 4096, 8)} ${device} ${inode.shm === 0 ? inode.slot : k.shms.get(inode.shm).id}`;
}

/** get_vma_name: the heap is known by its place (vma_is_initial_heap). */
export function vmaName(k: Kernel, vma: Vma): string {
  if (vma.name !== "") return vma.name;
  if (vma.file !== 0) return inodeOf(k, vma).path;
  const mm = k.mms.get(vma.mm);
  return vma.start * 4096 < mm.brkBytes && vma.end > mm.startBrk ? "[heap]" : "";
}

/** `rw-p` */
export function permissionsOf(vma: Vma): string {
  const { flags } = vma;
  return `${flags & VM.read ? "r" : "-"}${flags & VM.write ? "w" : "-"}${flags & VM.exec ? "x" : "-"}${flags & VM.mayShare ? "s" : "p"}`;
}

const mapsLine = (k: Kernel, vma: Vma): string => header(k, vma.start, vma.end, permissionsOf(vma), vmaName(k, vma), placeOf(k, vma));

const vmasOf = (k: Kernel, task: Task): Vma[] => k.mms.get(task.mm).vmas.map((slot) => k.vmas.get(slot));

export function mapsText(k: Kernel, task: Task): string {
  return vmasOf(k, task)
    .map((vma) => mapsLine(k, vma))
    .join("");
}

type SizeKey = Exclude<keyof ReturnType<typeof smapsRollupOf>, "Private_Hugetlb">;

/** The lines that smaps and smaps_rollup share (__show_smap), in their order. */
function sizeLines(k: Kernel, s: Readonly<Partial<Record<SizeKey | "Private_Hugetlb", number>>>, isRollup: boolean): string {
  const line = (name: SizeKey): string => kb(`${name}:`.padEnd(16), s[name] ?? 0);
  const keys: readonly SizeKey[] = [
    "Rss",
    "Pss",
    ...(procTextOf(k.profile.release).smapsPssDirty ? (["Pss_Dirty"] as const) : []),
    ...(isRollup ? (["Pss_Anon", "Pss_File", "Pss_Shmem"] as const) : []),
    "Shared_Clean",
    "Shared_Dirty",
    "Private_Clean",
    "Private_Dirty",
    "Referenced",
    "Anonymous",
    ...(k.era.smapsKsm ? (["KSM"] as const) : []),
    "LazyFree",
    "AnonHugePages",
    "ShmemPmdMapped",
    "FilePmdMapped",
    "Shared_Hugetlb",
  ];
  return [
    ...keys.map(line),
    // one character longer than the others, and so one column narrower
    kb("Private_Hugetlb: ", s.Private_Hugetlb ?? 0, 7),
    line("Swap"),
    line("SwapPss"),
    line("Locked"),
  ].join("");
}

/** The smaps entry of one VMA (show_smap). */
export function smapsEntry(k: Kernel, vma: Vma): string {
  const s = smapsOf(k, vma);
  const eligible = procTextOf(k.profile.release).smapsPadsThpEligible ? String(s.THPeligible).padStart(8) : String(s.THPeligible);
  return [
    mapsLine(k, vma),
    kb("Size:           ", s.Size),
    kb("KernelPageSize: ", s.KernelPageSize),
    kb("MMUPageSize:    ", s.MMUPageSize),
    sizeLines(k, s, false),
    `THPeligible:    ${eligible}\n`,
    `VmFlags: ${vmFlagNames(k, vma)
      .map((name) => `${name} `)
      .join("")}\n`,
  ].join("");
}

export function smapsText(k: Kernel, task: Task): string {
  return vmasOf(k, task)
    .map((vma) => smapsEntry(k, vma))
    .join("");
}

export function smapsRollupText(k: Kernel, task: Task): string {
  const vmas = vmasOf(k, task);
  const first = vmas[0]?.start ?? 0;
  const last = vmas[vmas.length - 1]?.end ?? 0;
  return header(k, first, last, "---p", "[rollup]") + sizeLines(k, smapsRollupOf(k, task.mm), true);
}

const MEMORY_LINES = [
  "VmPeak",
  "VmSize",
  "VmLck",
  "VmPin",
  "VmHWM",
  "VmRSS",
  "RssAnon",
  "RssFile",
  "RssShmem",
  "VmData",
  "VmStk",
  "VmExe",
  "VmLib",
  "VmPTE",
  "VmSwap",
  "HugetlbPages",
] as const satisfies readonly (keyof MemoryStatus)[];

/** status: who the process is and its memory. Lines about signals, capabilities, CPUs and context switches are not simulated and not printed. */
export function statusText(k: Kernel, task: Task, parentPid: number): string {
  const text = procTextOf(k.profile.release);
  const memory = memoryStatusOf(k, task);
  const thpEnabled = k.geo.thp && k.mms.get(task.mm).thpDisable !== 1 ? 1 : 0;
  return [
    `Name:\t${task.comm}\n`,
    "Umask:\t0022\n",
    "State:\tS (sleeping)\n",
    `Tgid:\t${task.pid}\n`,
    "Ngid:\t0\n",
    `Pid:\t${task.pid}\n`,
    `PPid:\t${parentPid}\n`,
    "TracerPid:\t0\n",
    ...(text.statusKthread ? ["Kthread:\t0\n"] : []),
    ...MEMORY_LINES.map((name) => kb(`${name}:\t`, memory[name])),
    "CoreDumping:\t0\n",
    `THP_enabled:\t${thpEnabled}\n`,
    ...(text.statusUntagMask ? ["untag_mask:\t0xffffffffffffffff\n"] : []),
    "Threads:\t1\n",
  ].join("");
}
