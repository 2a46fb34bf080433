/**
 * The parsed form of one line of the command language (conformance/GRAMMAR.md).
 * The parser makes these, the session carries them out. Numbers of bytes and addresses are
 * bigint here because a learner may type any 64-bit value; the kernel refuses what Linux refuses.
 */

/** `NAME([+-]NUM)*` or a plain number. `name` is null for a plain number. */
export interface AddressExpr {
  readonly name: string | null;
  /** bytes added to the base of the name's slot (may be negative), or the number itself */
  readonly offsetBytes: bigint;
}

/** An address with a length; `lengthBytes` null means "to the end of what NAME ever mapped" (for touch: one byte). */
export interface RangeExpr {
  readonly at: AddressExpr;
  readonly lengthBytes: bigint | null;
}

export type MmapFlag =
  | "private"
  | "shared"
  | "shared_validate"
  | "sync"
  | "anon"
  | "shm"
  | "hugetlb"
  | "hugetlb2M"
  | "hugetlb1G"
  | "hugetlb4M"
  | "noreserve"
  | "populate"
  | "locked"
  | "nonblock"
  | "stack"
  | "growsdown"
  | "droppable"
  | "fixed"
  | "noaddr";

export type AdviceName =
  | "normal"
  | "random"
  | "sequential"
  | "willneed"
  | "dontneed"
  | "free"
  | "remove"
  | "dontfork"
  | "dofork"
  | "mergeable"
  | "unmergeable"
  | "hugepage"
  | "nohugepage"
  | "dontdump"
  | "dodump"
  | "wipeonfork"
  | "keeponfork"
  | "cold"
  | "pageout"
  | "populate_read"
  | "populate_write"
  | "dontneed_locked"
  | "collapse"
  | "hwpoison"
  | "soft_offline"
  | "guard_install"
  | "guard_remove"
  | "bogus";

export type ShmatFlag = "rdonly" | "exec" | "rnd" | "remap" | "noaddr";

/** PROT_* as bits: 1 read, 2 write, 4 exec. */
export type ProtBits = number;

export type OperationBody =
  | {
      readonly op: "mmap";
      readonly name: string;
      readonly lengthBytes: bigint;
      readonly prot: ProtBits;
      readonly flags: readonly MmapFlag[];
      readonly at: AddressExpr | null;
      readonly file: string | null;
      readonly readOnlyFile: boolean;
      readonly offsetBytes: bigint;
    }
  | { readonly op: "munmap"; readonly range: RangeExpr }
  | { readonly op: "mprotect"; readonly range: RangeExpr; readonly prot: ProtBits }
  | { readonly op: "mseal"; readonly range: RangeExpr }
  | { readonly op: "msync"; readonly range: RangeExpr }
  | { readonly op: "mincore"; readonly range: RangeExpr }
  | { readonly op: "mlock"; readonly range: RangeExpr }
  | { readonly op: "munlock"; readonly range: RangeExpr }
  | { readonly op: "mlock2"; readonly range: RangeExpr; readonly onfault: boolean }
  | {
      readonly op: "mremap";
      readonly at: AddressExpr;
      readonly oldBytes: bigint;
      readonly newBytes: bigint;
      readonly mayMove: boolean;
      readonly fixed: AddressExpr | null;
      readonly dontUnmap: boolean;
    }
  | { readonly op: "madvise"; readonly range: RangeExpr; /** a name of the table, or the number typed */ readonly advice: AdviceName | number }
  /** lengthBytes null and all false: one byte. `all`: to the end of what NAME ever mapped. value: 0 to 255 */
  | {
      readonly op: "touch";
      readonly range: RangeExpr;
      readonly mode: "r" | "w" | "x";
      readonly stepBytes: bigint;
      readonly value: number;
      readonly all: boolean;
    }
  | { readonly op: "kread"; readonly at: AddressExpr; readonly lengthBytes: bigint }
  | { readonly op: "kwrite"; readonly at: AddressExpr; readonly lengthBytes: bigint }
  | { readonly op: "mlockall"; readonly current: boolean; readonly future: boolean; readonly onfault: boolean }
  | { readonly op: "munlockall" }
  | { readonly op: "prctl"; readonly what: "thp_disable"; readonly value: number | "except" }
  | { readonly op: "prctl"; readonly what: "get_thp_disable" }
  | { readonly op: "prctl"; readonly what: "memory_merge"; readonly value: number }
  | { readonly op: "prctl"; readonly what: "other"; readonly number: number; readonly value: number }
  | { readonly op: "rlimit"; readonly resource: "memlock" | "as" | "data"; readonly bytes: bigint }
  /** SysV shared memory; NAME stands for the segment */
  | {
      readonly op: "shmget";
      readonly name: string;
      readonly bytes: bigint;
      /** 0: IPC_PRIVATE */
      readonly key: number;
      readonly create: boolean;
      readonly excl: boolean;
      readonly noReserve: boolean;
    }
  | {
      readonly op: "shmat";
      readonly name: string;
      readonly segment: string;
      readonly flags: readonly ShmatFlag[];
      readonly at: AddressExpr | null;
    }
  | { readonly op: "shmdt"; readonly at: AddressExpr }
  | { readonly op: "shmctl"; readonly segment: string; readonly call: "rmid" | "stat" }
  | { readonly op: "brk"; /** signed growth of the heap */ readonly deltaBytes: bigint }
  | { readonly op: "fork"; readonly child: string }
  | { readonly op: "exit" }
  | { readonly op: "resume" }
  | { readonly op: "kill" }
  | {
      readonly op: "falloc";
      readonly file: string;
      readonly mode: "alloc" | "keep" | "punch" | "zero" | "collapse";
      readonly offsetBytes: bigint;
      readonly lengthBytes: bigint;
    }
  | { readonly op: "truncate"; readonly file: string; readonly bytes: bigint }
  | { readonly op: "fwrite"; readonly file: string; readonly offsetBytes: bigint; readonly lengthBytes: bigint; readonly value: number }
  | { readonly op: "fread"; readonly file: string; readonly offsetBytes: bigint; readonly lengthBytes: bigint }
  | {
      readonly op: "fadvise";
      readonly file: string;
      readonly offsetBytes: bigint;
      readonly lengthBytes: bigint;
      readonly advice: "dontneed" | "willneed" | "normal";
    }
  | { readonly op: "fsync"; readonly file: string }
  | { readonly op: "uffd"; readonly call: "open"; readonly features: readonly string[] }
  | { readonly op: "uffd"; readonly call: "close" | "poll" }
  | { readonly op: "uffd"; readonly call: "register"; readonly range: RangeExpr; readonly modes: readonly ("missing" | "wp" | "minor" | "bad" | "none")[] }
  | { readonly op: "uffd"; readonly call: "unregister" | "wake"; readonly range: RangeExpr }
  | {
      readonly op: "uffd";
      readonly call: "copy" | "zeropage" | "continue" | "poison" | "writeprotect" | "move";
      readonly range: RangeExpr;
      readonly source: AddressExpr | null;
      readonly wp: boolean;
      readonly dontWake: boolean;
      readonly allowHoles: boolean;
      readonly badMode: boolean;
    }
  /** an alias (thp/ mthp/ khp/ hugetlb/ vm/ ksm/ debug/) is expanded by the parser: path is absolute */
  | { readonly op: "sysSet"; readonly path: string; readonly value: string }
  | { readonly op: "sysGet"; readonly path: string }
  | { readonly op: "mount"; readonly name: string; readonly fsType: string; readonly device: string | null; readonly options: string }
  | { readonly op: "umount"; readonly name: string }
  | { readonly op: "file"; readonly name: string; readonly directory: string; readonly bytes: bigint | null }
  | { readonly op: "unlink"; readonly name: string }
  | { readonly op: "memfd"; readonly name: string; readonly bytes: bigint; readonly hugetlb: "2M" | "1G" | null }
  | { readonly op: "memfdClose"; readonly name: string }
  /** ours: a breakpoint at an offset of a file, in every process */
  | { readonly op: "uprobe"; readonly call: "set" | "clear"; readonly file: string; readonly offsetBytes: bigint }
  | { readonly op: "khugepagedScan"; readonly passes: number }
  | { readonly op: "ksmScan"; readonly passes: number }
  | { readonly op: "ksmUnmerge" }
  | { readonly op: "zram"; readonly bytes: bigint | null }
  | { readonly op: "memcg"; readonly call: "new" | "limit"; readonly bytes: bigint; readonly process: string | null }
  | { readonly op: "dropCaches"; readonly value: number }
  | { readonly op: "compact" }
  | { readonly op: "sleep"; readonly milliseconds: number }
  /** ours, for threaded scripts: take a page as get_user_pages does. fast: without locks */
  | { readonly op: "gup"; readonly range: RangeExpr; readonly write: boolean; readonly fast: boolean };

/** One operation, by the process that makes the call, with the text it was parsed from (as the trace prints it). */
export interface Operation {
  readonly process: string;
  readonly text: string;
  /** counted from 1 */
  readonly line: number;
  readonly body: OperationBody;
}
