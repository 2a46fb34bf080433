import type { RuleList } from "../thp/eligibility/rules.ts";
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
  /** first pages of blocks that map a folio of PMD size page by page, noted for khugepaged, at most MAX_PTE_MAPPED_THP (until 6.5) */
  readonly pteMappedThps: readonly number[];
  /** breakpoints were put into it (MMF_HAS_UPROBES) */
  readonly hasUprobes: boolean;
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

/**
 * Whose vm_operations_struct a VMA has. "none": vma_is_anonymous. "anonShmem": a file of tmpfs without a name when it was mapped
 * (MAP_SHARED|MAP_ANONYMOUS, memfd); "shmem": any other of tmpfs; "sysv": SysV shared memory, whose vm_ops wrap those of tmpfs, count
 * what is attached (->close) and map no pages around; "disk": a file of a disk, with ->page_mkwrite; "device": memory of a device
 * (drivers/hugelab.ts).
 */
export type VmOps = "none" | "shmem" | "anonShmem" | "sysv" | "disk" | "device";

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
  /** what smaps prints as its name; "" for anonymous memory, and for memory of a file, which has its own */
  readonly name: string;
  /** slot of the struct file behind it (vm_file); 0 for private anonymous memory, but for that which a device made */
  readonly file: number;
  /** whose vm_ops it has, settled by mmap */
  readonly ops: VmOps;
  /** step that last changed it */
  readonly step: number;
}

export type FsType = "tmpfs" | "ext4" | "xfs" | "devtmpfs" | "cramfs";
/** huge= of a tmpfs mount */
export type HugeMount = "never" | "always" | "within_size" | "advise";

/** A mounted file system (struct super_block). Slot 1 is shm_mnt, which the kernel mounts for itself. */
export interface Mount {
  readonly slot: number;
  readonly fs: FsType;
  /** where it is mounted; "" for shm_mnt */
  readonly path: string;
  /** huge= of tmpfs; of shm_mnt what shmem_enabled says */
  readonly huge: HugeMount;
  /** pages that files may have in all (size= of tmpfs); 0: any number */
  readonly maxBlocks: number;
  /** inodes with a large folio across the end of their file, of mounts with maxBlocks */
  readonly shrinklist: readonly number[];
  readonly step: number;
}

/** Ways in which the driver of drivers/hugelab.ts maps memory, a device node for each. */
export type DeviceKind = "mixed" | "pfn" | "small" | "anon" | "dax" | "daxMixed" | "xip";

/** struct inode of a regular file or a device with its struct address_space. Counts that change with each page are in the inodeCounters column. */
export interface Inode {
  readonly slot: number;
  readonly mount: number;
  /** where it is, as maps prints it: with its mount's path, or "/dev/zero", "/memfd:NAME", "/SYSV..." */
  readonly path: string;
  readonly sizeBytes: number;
  /** permission bits of its mode, as stat(2) shows them */
  readonly mode: number;
  /** names it has; 0: it lives as long as somebody has it open */
  readonly nlink: number;
  /** struct files, and whoever else holds it */
  readonly refs: number;
  /** struct files that may write (i_writecount) */
  readonly writers: number;
  /** VM_NORESERVE of shared anonymous memory: pages are charged one by one */
  readonly noReserve: boolean;
  /** folios of more than one page may hold it (mapping_large_folio_support) */
  readonly largeFolios: boolean;
  /** which device it is; null: none */
  readonly device: DeviceKind | null;
  /** page index up to which fallocate promised pages, also beyond the size (shmem_inode_info) */
  readonly fallocEnd: number;
  /** breakpoints at byte offsets of it, and the byte of the instruction under each, -1 while no mapping needed it */
  readonly uprobes: readonly { readonly offset: number; readonly insn: number }[];
  /** VMAs that map it (i_mmap), in order of linking */
  readonly vmas: readonly number[];
  /** slot of the segment of SysV shared memory that it is the file of; 0: none */
  readonly shm: number;
  readonly step: number;
}

/** A segment of SysV shared memory (struct shmid_kernel). How often it is attached (shm_nattch) is the number of VMAs of its file. */
export interface ShmSegment {
  readonly slot: number;
  readonly id: number;
  /** 0: IPC_PRIVATE, or marked for removal */
  readonly key: number;
  /** permission bits */
  readonly mode: number;
  /** marked by IPC_RMID: it goes with its last attachment (SHM_DEST) */
  readonly isRemoved: boolean;
  readonly sizeBytes: number;
  /** slot of the struct file that it holds */
  readonly file: number;
  readonly creatorPid: number;
  /** who attached or detached last; 0: nobody */
  readonly lastPid: number;
  /** of attaching, detaching and changing last, nanoseconds of the machine's clock; 0: never */
  readonly attachedNs: number;
  readonly detachedNs: number;
  readonly changedNs: number;
}

/** struct file: an inode opened once. */
export interface OpenFile {
  readonly slot: number;
  readonly inode: number;
  readonly readable: boolean;
  readonly writable: boolean;
  /** descriptors and VMAs */
  readonly refs: number;
  /** O_* bits that stay after open(2) (f_flags); the descriptor has O_CLOEXEC */
  readonly flags: number;
  /** where read(2) and write(2) go on, bytes (f_pos); below 2^53 */
  readonly posBytes: number;
  /** how posix_fadvise(2) says that it is read: in any order (FMODE_RANDOM), or from front to back (twice the window) */
  readonly reads: "normal" | "random" | "sequential";
  /** struct file_ra_state; pages */
  readonly ra: Readahead;
}

/** struct file_ra_state: the window read last, how much of it may be read ahead of need, and its folio order. */
export interface Readahead {
  readonly start: number;
  readonly size: number;
  readonly asyncSize: number;
  readonly order: number;
  readonly mmapMiss: number;
  /** page index that read(2) ended at; -1: none */
  readonly prevIndex: number;
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

/** An open file descriptor of a process. */
export interface Descriptor {
  readonly fd: number;
  /** slot of the struct file; 0: the terminal that the process was started from */
  readonly file: number;
  readonly closeOnExec: boolean;
}

/** Limits that a process can have (RLIMIT_*). */
export type Resource = "memlock" | "as" | "data" | "nofile";

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
  /** RLIMIT_NOFILE: descriptors are below it */
  readonly rlimitNofile: number;
  /** its open descriptors, by number (files_struct) */
  readonly fds: readonly Descriptor[];
  readonly capIpcLock: boolean;
  /** CAP_SYS_RESOURCE: may raise a hard limit */
  readonly capSysResource: boolean;
}

/** The field of a task that holds a limit. */
export const LIMIT_FIELDS = { memlock: "rlimitMemlock", as: "rlimitAs", data: "rlimitData", nofile: "rlimitNofile" } as const;

/** The limit of a resource, in bytes (of "nofile" a number of descriptors); Infinity: none. */
export const limitOf = (task: Task, resource: Resource): number => task[LIMIT_FIELDS[resource]];

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
  /** shmem_enabled as last written; what it makes of shm_mnt is huge of mount 1 */
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
  /** fault_around_bytes of debugfs, pages */
  readonly faultAroundPages: number;
  /** parameter of the driver of drivers/hugelab.ts: the largest order that its ->huge_fault maps */
  readonly hugelabOrder: number;
  /** rules of eligibility that were put in by hand (a live patch); null: those of the release */
  readonly eligibilityRules: RuleList | null;
  readonly overcommitMemory: number;
  readonly maxMapCount: number;
  /** kernel files that only keep what was written, by path */
  readonly plain: Readonly<Record<string, string>>;
  /** step of the last write, by path */
  readonly settingStep: Readonly<Record<string, number>>;
  readonly nextPid: number;
  /** kernel.shmmax in bytes, Infinity for its default; kernel.shmmni, segments at most */
  readonly shmMaxBytes: number;
  readonly shmMni: number;
  /** of the last segment: its place in the table, and how often places began anew (ids->seq) */
  readonly shmLastIndex: number;
  readonly shmSequence: number;
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
