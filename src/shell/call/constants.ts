/** Constants of the C form with their values on x86-64, by family; `uapi` headers of 6.18. */

import { MADV as ADVICE } from "../../kernel/mm/advice.ts";
import { snakeCase } from "../snakeCase.ts";

import { MFD } from "../../kernel/fs/descriptorCalls.ts";
import { IPC, SHM } from "../../kernel/ipc/shm.ts";
import { O as OPEN } from "../../kernel/fs/namei.ts";
import { FADV } from "../../kernel/fileCalls.ts";

export type ConstantFamily =
  | "PROT"
  | "MAP"
  | "MADV"
  | "MREMAP"
  | "MCL"
  | "MS"
  | "MLOCK"
  | "PR"
  | "RLIMIT"
  | "RLIM"
  | "FALLOC"
  | "O"
  | "AT"
  | "MFD"
  | "SEEK"
  | "FADV"
  | "SHMGET"
  | "SHMAT"
  | "IPC"
  | "S"
  | "MISC";

type Family = Readonly<Record<string, bigint>>;

const PROT: Family = { PROT_NONE: 0x0n, PROT_READ: 0x1n, PROT_WRITE: 0x2n, PROT_EXEC: 0x4n, PROT_GROWSDOWN: 0x01000000n, PROT_GROWSUP: 0x02000000n };

const MAP: Family = {
  MAP_SHARED: 0x01n,
  MAP_PRIVATE: 0x02n,
  MAP_SHARED_VALIDATE: 0x03n,
  MAP_DROPPABLE: 0x08n,
  MAP_FIXED: 0x10n,
  MAP_ANONYMOUS: 0x20n,
  MAP_ANON: 0x20n,
  MAP_32BIT: 0x40n,
  MAP_GROWSDOWN: 0x0100n,
  MAP_DENYWRITE: 0x0800n,
  MAP_EXECUTABLE: 0x1000n,
  MAP_LOCKED: 0x2000n,
  MAP_NORESERVE: 0x4000n,
  MAP_POPULATE: 0x8000n,
  MAP_NONBLOCK: 0x10000n,
  MAP_STACK: 0x20000n,
  MAP_HUGETLB: 0x40000n,
  MAP_SYNC: 0x80000n,
  MAP_FIXED_NOREPLACE: 0x100000n,
  MAP_FILE: 0n,
  // the size of a huge page stands in bits 26 to 31 as its logarithm
  MAP_HUGE_SHIFT: 26n,
  MAP_HUGE_2MB: 21n << 26n,
  MAP_HUGE_1GB: 30n << 26n,
};

const MADV: Family = Object.fromEntries(Object.entries(ADVICE).map(([name, number]) => [`MADV_${snakeCase(name).toUpperCase()}`, BigInt(number)]));

const MREMAP: Family = { MREMAP_MAYMOVE: 1n, MREMAP_FIXED: 2n, MREMAP_DONTUNMAP: 4n };
const MCL: Family = { MCL_CURRENT: 1n, MCL_FUTURE: 2n, MCL_ONFAULT: 4n };
const MS: Family = { MS_ASYNC: 1n, MS_INVALIDATE: 2n, MS_SYNC: 4n };
const MLOCK: Family = { MLOCK_ONFAULT: 1n };

const PR: Family = { PR_SET_THP_DISABLE: 41n, PR_GET_THP_DISABLE: 42n, PR_SET_MEMORY_MERGE: 67n, PR_GET_MEMORY_MERGE: 68n, PR_THP_DISABLE_EXCEPT_ADVISED: 2n };

const RLIMIT: Family = {
  RLIMIT_CPU: 0n,
  RLIMIT_FSIZE: 1n,
  RLIMIT_DATA: 2n,
  RLIMIT_STACK: 3n,
  RLIMIT_CORE: 4n,
  RLIMIT_RSS: 5n,
  RLIMIT_NPROC: 6n,
  RLIMIT_NOFILE: 7n,
  RLIMIT_MEMLOCK: 8n,
  RLIMIT_AS: 9n,
  RLIMIT_LOCKS: 10n,
  RLIMIT_SIGPENDING: 11n,
  RLIMIT_MSGQUEUE: 12n,
  RLIMIT_NICE: 13n,
  RLIMIT_RTPRIO: 14n,
  RLIMIT_RTTIME: 15n,
};

const RLIM: Family = { RLIM_INFINITY: 0xffff_ffff_ffff_ffffn, RLIM64_INFINITY: 0xffff_ffff_ffff_ffffn };

const FALLOC: Family = {
  FALLOC_FL_KEEP_SIZE: 0x01n,
  FALLOC_FL_PUNCH_HOLE: 0x02n,
  FALLOC_FL_COLLAPSE_RANGE: 0x08n,
  FALLOC_FL_ZERO_RANGE: 0x10n,
  FALLOC_FL_INSERT_RANGE: 0x20n,
  FALLOC_FL_UNSHARE_RANGE: 0x40n,
};

const upper = (prefix: string, table: Readonly<Record<string, number>>): Family =>
  Object.fromEntries(Object.entries(table).map(([name, number]) => [prefix + name.toUpperCase(), BigInt(number)]));

const { accMode, ...OPEN_FLAGS } = OPEN;
const O: Family = { O_RDONLY: 0n, O_ACCMODE: BigInt(accMode), ...upper("O_", OPEN_FLAGS) };
const AT: Family = { AT_FDCWD: -100n };
const MFD_FLAGS: Family = {
  MFD_CLOEXEC: BigInt(MFD.cloExec),
  MFD_ALLOW_SEALING: BigInt(MFD.allowSealing),
  MFD_HUGETLB: BigInt(MFD.hugetlb),
  MFD_NOEXEC_SEAL: BigInt(MFD.noExecSeal),
  MFD_EXEC: BigInt(MFD.exec),
  MFD_HUGE_2MB: 21n << 26n,
  MFD_HUGE_1GB: 30n << 26n,
};
const SEEK: Family = { SEEK_SET: 0n, SEEK_CUR: 1n, SEEK_END: 2n, SEEK_DATA: 3n, SEEK_HOLE: 4n };
const FADVISE: Family = upper("POSIX_FADV_", FADV);
const SHMGET: Family = {
  IPC_CREAT: BigInt(IPC.creat),
  IPC_EXCL: BigInt(IPC.excl),
  SHM_HUGETLB: BigInt(SHM.hugetlb),
  SHM_NORESERVE: BigInt(SHM.noReserve),
  SHM_HUGE_2MB: 21n << 26n,
  SHM_HUGE_1GB: 30n << 26n,
};
const SHMAT: Family = { SHM_RDONLY: BigInt(SHM.rdOnly), SHM_RND: BigInt(SHM.rnd), SHM_REMAP: BigInt(SHM.remap), SHM_EXEC: BigInt(SHM.exec) };
const IPC_COMMANDS: Family = {
  IPC_RMID: BigInt(IPC.rmid),
  IPC_SET: BigInt(IPC.set),
  IPC_STAT: BigInt(IPC.stat),
  IPC_INFO: BigInt(IPC.info),
  SHM_LOCK: BigInt(SHM.lock),
  SHM_UNLOCK: BigInt(SHM.unlock),
  SHM_STAT: BigInt(SHM.stat),
  SHM_INFO: BigInt(SHM.info),
  SHM_STAT_ANY: BigInt(SHM.statAny),
};
const S: Family = { S_IFMT: 0o170000n, S_IFREG: 0o100000n, S_IFCHR: 0o020000n };

const MISC: Family = { NULL: 0n, PAGE_SIZE: 4096n, IPC_PRIVATE: 0n };

export const CONSTANT_FAMILIES: Readonly<Record<ConstantFamily, Family>> = {
  PROT,
  MAP,
  MADV,
  MREMAP,
  MCL,
  MS,
  MLOCK,
  PR,
  RLIMIT,
  RLIM,
  FALLOC,
  O,
  AT,
  MFD: MFD_FLAGS,
  SEEK,
  FADV: FADVISE,
  SHMGET,
  SHMAT,
  IPC: IPC_COMMANDS,
  S,
  MISC,
};

const ALL: ReadonlyMap<string, bigint> = new Map(Object.values(CONSTANT_FAMILIES).flatMap((family) => Object.entries(family)));

/** All names, for suggestions and completion. */
export const CONSTANT_NAMES: readonly string[] = [...ALL.keys()];

/** Value of a constant, or null when there is none of that name. */
export function constantValue(name: string): bigint | null {
  return ALL.get(name) ?? null;
}

/** Names of one family, in the order of the header. */
export function familyNames(family: ConstantFamily): readonly string[] {
  return Object.keys(CONSTANT_FAMILIES[family]);
}

export type FlagFamily = "PROT" | "MAP" | "MREMAP" | "MCL" | "MS" | "MLOCK" | "FALLOC" | "O" | "MFD" | "SHMGET" | "SHMAT";

/** The low bits of these families are a number and not bits of their own. */
const NUMBERS: Readonly<Partial<Record<FlagFamily, { readonly mask: bigint; readonly names: Readonly<Record<string, string>> }>>> = {
  MAP: { mask: 0xfn, names: { "1": "MAP_SHARED", "2": "MAP_PRIVATE", "3": "MAP_SHARED_VALIDATE", "8": "MAP_DROPPABLE" } },
  O: { mask: 3n, names: { "0": "O_RDONLY", "1": "O_WRONLY", "2": "O_RDWR", "3": "O_ACCMODE" } },
};
/** A size of huge pages stands in bits 26 to 31 as its logarithm. */
const HUGE_SIZES: Readonly<Partial<Record<FlagFamily, readonly string[]>>> = {
  MAP: ["MAP_HUGE_2MB", "MAP_HUGE_1GB"],
  MFD: ["MFD_HUGE_2MB", "MFD_HUGE_1GB"],
  SHMGET: ["SHM_HUGE_2MB", "SHM_HUGE_1GB"],
};
/** Names of several bits, which come before those of one. */
const WIDE: ReadonlySet<string> = new Set(["O_SYNC", "O_TMPFILE"]);

/** A value as C source shows it: `PROT_READ|PROT_WRITE`, single numbers by their name; what no name covers is added in hexadecimal. */
export function printFlags(family: FlagFamily, value: bigint): string {
  const names: string[] = [];
  const all = CONSTANT_FAMILIES[family];
  let rest = value;
  const take = (name: string, bits: bigint): void => {
    names.push(name);
    rest &= ~bits;
  };
  const low = NUMBERS[family];
  const lowName = low?.names[String(value & low.mask)];
  if (low !== undefined && lowName !== undefined) take(lowName, low.mask);
  for (const name of HUGE_SIZES[family] ?? []) if (((rest >> 26n) & 0x3fn) << 26n === all[name]) take(name, 0x3fn << 26n);
  for (const name of Object.keys(all)) if (WIDE.has(name) && (rest & all[name]) === all[name]) take(name, all[name]);
  for (const [name, bit] of Object.entries(all)) {
    const single = bit !== 0n && (bit & (bit - 1n)) === 0n && bit > (low?.mask ?? 0n) && name !== "MAP_ANON";
    if (single && (rest & bit) === bit) take(name, bit);
  }
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return names.length > 0 ? names.join("|") : family === "PROT" ? "PROT_NONE" : "0";
}

/** The name of a value in a family of single numbers (advice, prctl option, resource), or the number. */
export function printConstant(family: ConstantFamily, value: bigint): string {
  return Object.entries(CONSTANT_FAMILIES[family]).find(([, number]) => number === value)?.[0] ?? String(value);
}
