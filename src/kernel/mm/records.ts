import type { Pfn, TableIndex } from "../units.ts";

/** An address space (struct mm_struct). Counters that change on every fault are in the mmCounters column. */
export interface Mm {
  readonly slot: number;
  readonly pgd: TableIndex;
  /** VMA slots in order of address */
  readonly vmas: readonly number[];
  /** VM_LOCKED | VM_LOCKONFAULT while mlockall(MCL_FUTURE) holds */
  readonly defFlags: number;
  /** 0: THP allowed; 1: PR_SET_THP_DISABLE; 3: except advised (6.18) */
  readonly thpDisable: 0 | 1 | 3;
  /** registered with khugepaged (MMF_VM_HUGEPAGE) */
  readonly khugepaged: boolean;
  /** odd while a fork write-protects pages, two more after each (write_protect_seq) */
  readonly writeProtectSeq: number;
  /** holds a reference on the huge zero folio (MMF_HUGE_ZERO_FOLIO) */
  readonly hugeZero: boolean;
  /** page numbers; the heap is [startBrk, brk) */
  readonly startBrk: number;
  /** bytes past startBrk pages are kept exactly: brk is a byte address */
  readonly brkBytes: number;
  /** top of the mmap area, exclusive, page number */
  readonly mmapBase: number;
  readonly step: number;
}

/** A mapping (struct vm_area_struct). Page numbers; [start, end). */
export interface Vma {
  readonly slot: number;
  readonly mm: number;
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly flagsHi: number;
  /** page offset in the file, or the page number at which an anonymous mapping was made */
  readonly pgoff: number;
  /** 0 until the first write fault prepares one */
  readonly anonVma: number;
  /** every anon_vma a page of this VMA may belong to (anon_vma_chain), oldest first */
  readonly chain: readonly number[];
  /** what smaps prints as its name; "" for anonymous memory */
  readonly name: string;
  /** step that last changed it */
  readonly step: number;
}

/** struct anon_vma: who may map pages that were first faulted here. */
export interface AnonVma {
  readonly slot: number;
  readonly root: number;
  /** 0 for a root */
  readonly parent: number;
  readonly numChildren: number;
  readonly numActiveVmas: number;
  /** VMAs on its interval tree, in order of linking */
  readonly vmas: readonly number[];
}

/** A process as far as memory is concerned (one thread each). */
export interface Task {
  readonly slot: number;
  readonly pid: number;
  readonly comm: string;
  readonly mm: number;
  readonly parent: number;
  /** RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_DATA in bytes; Infinity: unlimited */
  readonly rlimitMemlock: number;
  readonly rlimitAs: number;
  readonly rlimitData: number;
  readonly capIpcLock: boolean;
  /** CAP_SYS_RESOURCE: may raise a hard limit */
  readonly capSysResource: boolean;
}

/** The limit of a resource in bytes; Infinity: none. */
export const limitOf = (task: Task, resource: "memlock" | "as" | "data"): number =>
  resource === "memlock" ? task.rlimitMemlock : resource === "as" ? task.rlimitAs : task.rlimitData;

/** A zone of the buddy allocator: frames [start, end). */
export interface Zone {
  readonly slot: number;
  readonly name: "DMA" | "DMA32" | "Normal";
  readonly start: number;
  readonly end: number;
  /** its min watermark, pages: never handed out to an ordinary allocation */
  readonly minPages: number;
}

/** Bytes of a page that are not zero: runs in order, not overlapping (content.ts). */
export interface PageContent {
  readonly key: string;
  readonly runs: readonly (readonly [offset: number, length: number, value: number])[];
}

export type ThpMode = "always" | "madvise" | "never";
export type ThpSizeMode = "always" | "inherit" | "madvise" | "never";
export type ShmemMode = "always" | "within_size" | "advise" | "never" | "deny" | "force";
export type ShmemSizeMode = "always" | "inherit" | "within_size" | "advise" | "never";
export type DefragMode = "always" | "defer" | "defer+madvise" | "madvise" | "never";

export interface KhugepagedSettings {
  readonly defrag: number;
  readonly allocSleepMillisecs: number;
  readonly scanSleepMillisecs: number;
  readonly pagesToScan: number;
  readonly maxPtesNone: number;
  readonly maxPtesSwap: number;
  readonly maxPtesShared: number;
}

/** Settings and lists of the whole machine. */
export interface Globals {
  readonly enabled: ThpMode;
  readonly defrag: DefragMode;
  readonly shmemEnabled: ShmemMode;
  /** modes of hugepages-N/shmem_enabled by order */
  readonly shmemSizes: readonly ShmemSizeMode[];
  readonly useZeroPage: number;
  readonly shrinkUnderused: number;
  /** by order 0..pmdOrder: orders in each of the three masks of huge_anon_orders_* */
  readonly ordersAlways: number;
  readonly ordersMadvise: number;
  readonly ordersInherit: number;
  readonly khugepaged: KhugepagedSettings;
  /** mms that khugepaged visits, in order of registration */
  readonly khugepagedMms: readonly number[];
  /** mm slot the scan stands at, 0: start of a new pass; and the page number in it */
  readonly khugepagedCursorMm: number;
  readonly khugepagedCursorVpn: number;
  readonly khugepagedRunning: boolean;
  readonly zeroPfn: Pfn;
  /** -1 when not allocated */
  readonly hugeZeroPfn: Pfn;
  readonly overcommitMemory: number;
  readonly maxMapCount: number;
  /** kernel files that only keep what was written, by path */
  readonly plain: Readonly<Record<string, string>>;
  /** step of the last write, by path */
  readonly settingStep: Readonly<Record<string, number>>;
  readonly nextPid: number;
}

/** A thread that sleeps between commands (sched/parked.ts): what it would go on with. It holds no lock. */
export interface ParkedThread {
  readonly slot: number;
  readonly name: string;
  /** the operation it carries out, a kernel function in camelCase */
  readonly operation: string;
  /** the preemption point it sleeps at */
  readonly point: string;
  readonly args: Readonly<Record<string, string | number>>;
}

/** A lock of the scheduler: who holds it (thread numbers) and how. */
export interface LockRecord {
  readonly slot: number;
  readonly kind: string;
  readonly object: number;
  readonly writer: number;
  readonly readers: readonly number[];
}
