import { failed, type Failure, type Result } from "../mm/errno.ts";
import { openInode, putFile, setSize, SHM_MOUNT, shmDestroy } from "../mm/inode.ts";
import { INC, INODE_COUNTERS, MISC, type Kernel } from "../mm/kernel.ts";
import { doMmap, doMunmap, enoughMemory, MAP } from "../mm/mmap.ts";
import type { ShmSegment, Task } from "../mm/records.ts";
import { newShmemInode } from "../mm/shmemFile.ts";
import { anyVmaIn, vmasIn } from "../mm/vma.ts";
import { vmaStartWrite } from "../mm/vmaLock.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../sched/locks.ts";
import type { Op } from "../sched/points.ts";
import { asVpn } from "../units.ts";
import { refuseArgument, refuseOccupied, refuseOvercommit } from "../why/refusal.ts";

/** SysV shared memory (ipc/shm.c, ipc/util.c): segments of ordinary pages, which are files of shm_mnt. */

export const IPC = { private: 0, creat: 0o1000, excl: 0o2000, noWait: 0o4000, rmid: 0, set: 1, stat: 2, info: 3 } as const;
export const SHM = {
  hugetlb: 0o4000,
  noReserve: 0o10000,
  rdOnly: 0o10000,
  rnd: 0o20000,
  remap: 0o40000,
  exec: 0o100000,
  lock: 11,
  unlock: 12,
  stat: 13,
  info: 14,
  statAny: 15,
} as const;

/** SHMMAX as it is by default: ULONG_MAX - 2^24 */
export const SHMMAX = (1n << 64n) - 1n - (1n << 24n);
/** IPCMNI_SHIFT: the place in the table stands in these bits of an id */
const INDEX_BITS = 15;
/** RADIX_TREE_MAP_SIZE: places are used in turn, of at least so many */
const MIN_CYCLE = 64;
const PAGE = 4096n;

const refuse = (
  k: Kernel,
  task: Task,
  symbol: string,
  errno: "EINVAL" | "EEXIST" | "ENOENT" | "ENOSPC" | "ENOMEM",
  value: bigint | number,
  hint?: string,
): Failure => refuseArgument(k, task.mm, symbol, errno, "refuse.argument", "value", value, hint);

const segments = (k: Kernel): ShmSegment[] => [...k.shms.entries()].map(([, segment]) => segment);

/** shm_obtain_object: an id that is not (or no longer) there is EINVAL. */
function obtain(k: Kernel, task: Task, id: number): Result<ShmSegment> {
  return segments(k).find((segment) => segment.id === id) ?? refuse(k, task, "shm_obtain_object_check", "EINVAL", id, "hint.shmId");
}

/** shm_nattch: each VMA counts, also those that a split makes. */
export const shmAttached = (k: Kernel, segment: ShmSegment): number => k.inodes.get(k.files.get(segment.file).inode).vmas.length;

/** ipc_idr_alloc: the next free place, and the id that it makes. */
function newId(k: Kernel): number {
  const taken = new Set(segments(k).map(({ id }) => id & ((1 << INDEX_BITS) - 1)));
  const cycle = Math.min(k.g.shmMni, Math.max(Math.floor((taken.size * 3) / 2), MIN_CYCLE));
  let index = k.g.shmLastIndex + 1;
  while (index < cycle && taken.has(index)) index++;
  if (index >= cycle) for (index = 0; taken.has(index); index++);
  const shmSequence = index <= k.g.shmLastIndex ? k.g.shmSequence + 1 : k.g.shmSequence;
  k.setGlobals({ shmLastIndex: index, shmSequence });
  return (shmSequence << INDEX_BITS) | index;
}

/** shmget(2), without SHM_HUGETLB. */
export function sysShmget(k: Kernel, task: Task, key: number, sizeIn: bigint, flags: number): Result {
  const size = BigInt.asUintN(64, sizeIn);
  const found = key === IPC.private ? undefined : segments(k).find((segment) => segment.key === key);
  if (found !== undefined) {
    if ((flags & (IPC.creat | IPC.excl)) === (IPC.creat | IPC.excl)) return refuse(k, task, "ipcget_public", "EEXIST", key, "hint.shmExists");
    return size > BigInt(found.sizeBytes) ? refuse(k, task, "shm_more_checks", "EINVAL", size, "hint.shmSmaller") : found.id;
  }
  if (key !== IPC.private && (flags & IPC.creat) === 0) return refuse(k, task, "ipcget_public", "ENOENT", key, "hint.shmCreate");
  const most = k.g.shmMaxBytes === Infinity ? SHMMAX : BigInt(k.g.shmMaxBytes);
  if (size === 0n || size > most) return refuse(k, task, "newseg", "EINVAL", size, "hint.shmSize");
  const pages = Number((size + PAGE - 1n) / PAGE);
  // the file ends at MAX_LFS_FILESIZE, and its pages are accounted for as those of shared anonymous memory
  if (size >= 1n << 63n) return refuse(k, task, "__shmem_file_setup", "EINVAL", size, "hint.shmSize");
  const noReserve = (flags & SHM.noReserve) !== 0 && k.g.overcommitMemory !== 2;
  if (!noReserve && !enoughMemory(k, pages)) return refuseOvercommit(k, task.mm, pages);
  if (k.shms.count >= k.g.shmMni) return refuse(k, task, "ipc_addid", "ENOSPC", k.shms.count, "hint.shmMni");
  const name = `/SYSV${(key >>> 0).toString(16).padStart(8, "0")} (deleted)`;
  const inode = newShmemInode(k, SHM_MOUNT, name, 0, 0, noReserve, 0o777);
  setSize(k, inode, Number(size));
  const file = openInode(k, inode, true, true).slot;
  const id = newId(k);
  const made = { id, key, mode: flags & 0o777, isRemoved: false, sizeBytes: Number(size), file, creatorPid: task.pid, lastPid: 0 };
  const slot = k.shms.add((s) => ({ ...made, slot: s, attachedNs: 0, detachedNs: 0, changedNs: k.misc.get(MISC.clockNs) }));
  k.inodes.update(inode, { shm: slot });
  return id;
}

/** shmat(2): the address, SHMLBA is a page on x86. */
export function* sysShmat(k: Kernel, task: Task, id: number, addressIn: bigint, flags: number): Op<Result<bigint>> {
  let address = BigInt.asUintN(64, addressIn);
  const fixed = address !== 0n;
  if (id < 0) return refuse(k, task, "do_shmat", "EINVAL", id, "hint.shmId");
  if (fixed && address % PAGE !== 0n) {
    if ((flags & SHM.rnd) === 0) return refuseArgument(k, task.mm, "do_shmat", "EINVAL", "refuse.alignment", "address", address, "hint.shmRnd");
    address -= address % PAGE;
    if (address === 0n && (flags & SHM.remap) !== 0) return refuse(k, task, "do_shmat", "EINVAL", flags, "hint.shmRemap");
  } else if (!fixed && (flags & SHM.remap) !== 0) return refuse(k, task, "do_shmat", "EINVAL", flags, "hint.shmRemap");
  const segment = obtain(k, task, id);
  if (failed(segment)) return segment;
  const pages = Math.ceil(segment.sizeBytes / 4096);
  const end = address + BigInt(segment.sizeBytes);
  yield* mmapWriteLock(k, task.mm);
  yield* vmaStartWrite(k, task.mm, 0, k.geo.taskSizePages);
  try {
    if (fixed && (flags & SHM.remap) === 0) {
      if (end >= 1n << 64n) return refuseArgument(k, task.mm, "do_shmat", "EINVAL", "refuse.addressRange", "address", address, "hint.taskSize");
      const start = asVpn(Number(address / PAGE));
      if (anyVmaIn(k, task.mm, start, start + pages)) return refuseOccupied(k, task.mm, "do_shmat", "EINVAL", start, start + pages, "hint.shmOccupied");
    }
    if (fixed && end > BigInt(k.geo.taskSizePages) * PAGE)
      return refuseArgument(k, task.mm, "get_unmapped_area", "ENOMEM", "refuse.addressRange", "address", address, "hint.taskSize");
    return yield* attach(k, task, segment, fixed ? asVpn(Number(address / PAGE)) : -1, pages, flags);
  } finally {
    mmapWriteUnlock(k, task.mm);
  }
}

/** The part of do_shmat from the struct file of this attachment on. */
function* attach(k: Kernel, task: Task, segment: ShmSegment, start: number, pages: number, flags: number): Op<Result<bigint>> {
  const readOnly = (flags & SHM.rdOnly) !== 0;
  const { inode } = k.files.get(segment.file);
  const file = openInode(k, inode, true, !readOnly).slot;
  const prot = (readOnly ? 1 : 3) | (flags & SHM.exec ? 4 : 0);
  const request = { start: Math.max(0, start), pages, prot, flags: MAP.shared | (start < 0 ? 0 : MAP.fixed), file, pgoff: 0 };
  const r = yield* doMmap(k, task, request);
  putFile(k, file);
  return failed(r) ? r : BigInt(r) * PAGE;
}

/** shmdt(2): every mapping of the attachment that began at the address, wherever its pieces begin now. */
export function* sysShmdt(k: Kernel, task: Task, addressIn: bigint): Op<Result> {
  const address = BigInt.asUintN(64, addressIn);
  if (address % PAGE !== 0n) return refuseArgument(k, task.mm, "ksys_shmdt", "EINVAL", "refuse.alignment", "address", address, "hint.shmAddress");
  const top = k.geo.taskSizePages;
  if (address >= BigInt(top) * PAGE) return refuseArgument(k, task.mm, "ksys_shmdt", "EINVAL", "refuse.addressRange", "address", address, "hint.shmAddress");
  const start = asVpn(Number(address / PAGE));
  yield* mmapWriteLock(k, task.mm);
  yield* vmaStartWrite(k, task.mm, start, top);
  let found: { readonly file: number; readonly pages: number } | null = null;
  for (const vma of vmasIn(k, task.mm, start, top)) {
    if (found !== null && vma.end - start > found.pages) break;
    if (vma.ops !== "sysv" || vma.start - start !== vma.pgoff || (found !== null && found.file !== vma.file)) continue;
    found ??= { file: vma.file, pages: Math.ceil(k.inodes.get(k.files.get(vma.file).inode).sizeBytes / 4096) };
    doMunmap(k, task.mm, vma.start, vma.end);
  }
  mmapWriteUnlock(k, task.mm);
  return found === null ? refuseArgument(k, task.mm, "ksys_shmdt", "EINVAL", "refuse.hole", "address", address, "hint.shmAddress") : 0;
}

/** shmctl(2) with IPC_RMID: the segment goes at once, or with its last attachment. */
export function sysShmRmid(k: Kernel, task: Task, id: number): Result {
  const segment = obtain(k, task, id);
  if (failed(segment)) return segment;
  if (shmAttached(k, segment) === 0) shmDestroy(k, segment.slot);
  else k.shms.update(segment.slot, { isRemoved: true, key: IPC.private });
  return 0;
}

/** shmctl(2) with IPC_STAT. */
export const sysShmStat = (k: Kernel, task: Task, id: number): Result<ShmSegment> => obtain(k, task, id);

/** Pages of a segment that are in memory. */
export const shmResident = (k: Kernel, segment: ShmSegment): number => k.inodeCounters.get(k.files.get(segment.file).inode * INODE_COUNTERS + INC.nrPages);
