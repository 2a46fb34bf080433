import * as fd from "../kernel/fs/descriptorCalls.ts";
import { isDirectory, lookup, O, sysUnlink } from "../kernel/fs/namei.ts";
import { sysRead, sysWrite, type Buffer, type TransferCall } from "../kernel/fs/readWrite.ts";
import { failed, type Result } from "../kernel/mm/errno.ts";
import { isShmem } from "../kernel/mm/inode.ts";
import { FALLOC } from "../kernel/mm/shmemFile.ts";
import type { ByteRuns } from "../kernel/mm/content.ts";
import type { Kernel } from "../kernel/mm/kernel.ts";
import type { Inode, OpenFile } from "../kernel/mm/records.ts";
import type { Op } from "../kernel/sched/points.ts";
import { absolutePath } from "../shell/tools/fileAccess.ts";
import { int, LATER, refuse, result, u64, type Call, type CallRow } from "./callRow.ts";
import type { ResultFields } from "./execute.ts";
import { isSystemFile } from "./fileOperations.ts";

/** Calls of the C form on files and descriptors. */

const AT_FDCWD = -100;

const kernelOf = (c: Call): Kernel => c.world.machine.kernel;

/** The descriptor that a pasted line had; null where none was recorded. */
const recordedFd = ({ operation: { recorded } }: Call): number | null =>
  recorded === null || recorded.value === null || recorded.value < 0n || recorded.value > 0x7fffffffn ? null : Number(recorded.value);

/** A path as the kernel takes it: absolute, with a slash at its end where one was typed. */
export function resolvePath(path: string, directory: string): string {
  if (path === "") return path;
  const whole = absolutePath(path, directory);
  return path.endsWith("/") && whole !== "/" ? `${whole}/` : whole;
}

/** What is opened in another way than files are. */
function isLaterOpen(call: Call, path: string, flags: number): boolean {
  if (isSystemFile(path) || (flags & (O.path | O.direct)) !== 0 || (flags & O.tmpFile) === O.tmpFile) return true;
  if ((flags & (O.creat | O.directory)) === (O.creat | O.directory)) return true;
  const found = lookup(kernelOf(call), path);
  return !failed(found) && found.kind === "directory" && (flags & (O.creat | O.accMode | O.trunc)) === 0;
}

function open(call: Call, path: string | null, flags: number, mode: bigint): ResultFields {
  if (path === null) return refuse("EFAULT", "hint.path");
  if (isLaterOpen(call, path, flags)) return LATER;
  return result(fd.sysOpenat(kernelOf(call), call.task, path, flags, Number(mode & 0o7777n), recordedFd(call)));
}

function* openCall(call: Call): Op<ResultFields> {
  return open(call, call.texts[0], int(call.args[1]), call.args[2]);
}

/** openat(2): from the directory of the process, or with an absolute path. Other directories cannot be open yet. */
function* openat(call: Call): Op<ResultFields> {
  const { world, task, args, texts } = call;
  const directory = int(args[0]);
  const typed = call.operation.args[1];
  if (directory !== AT_FDCWD && typed.kind === "text" && !typed.text.startsWith("/")) {
    const d = fd.needFd(world.machine.kernel, task, directory, "path_init");
    return failed(d) ? result(d) : refuse("ENOTDIR", "hint.notDirectory");
  }
  return open(call, texts[1], int(args[2]), args[3]);
}

function* memfd(call: Call): Op<ResultFields> {
  const name = call.texts[0];
  if (name === null) return refuse("EFAULT", "hint.path");
  const flags = Number(u64(call.args[1]) & 0xffffffffn);
  if (flags & fd.MFD.hugetlb) return LATER;
  return result(fd.sysMemfd(kernelOf(call), call.task, name, flags, recordedFd(call)));
}

/** The bytes of a text. Behind one that strace cut off they are taken to go on as its last one. */
function textBytes(text: string, isCut: boolean, count: number): ByteRuns {
  const runs: [number, number, number][] = [...text].map((c, i) => [i, 1, c.charCodeAt(0)] as [number, number, number]).filter(([, , value]) => value !== 0);
  const last = text.charCodeAt(text.length - 1);
  if (isCut && last > 0 && count > text.length) runs.push([text.length, count - text.length, last]);
  return { lengthBytes: count, runs };
}

function bufferOf({ args, texts, operation }: Call): Buffer {
  const typed = operation.args[1];
  if (typed.kind === "text") return { bytes: textBytes(texts[1] ?? "", typed.isCut, Math.max(0, Number(BigInt.asIntN(64, args[2])))) };
  return typed.kind === "value" ? { address: u64(args[1]) } : null;
}

/** read, write, pread64, pwrite64. What a pasted line read stands in it as text: there is no address to store it at. */
function transfer(isWrite: boolean, isAt: boolean): CallRow["run"] {
  return function* (call) {
    const { world, task, args } = call;
    const buffer = bufferOf(call);
    const c: TransferCall = {
      fd: int(args[0]),
      buffer: !isWrite && buffer !== null && "bytes" in buffer ? null : buffer,
      count: u64(args[2]),
      offset: isAt ? args[3] : null,
    };
    const k = world.machine.kernel;
    const r = isWrite ? yield* sysWrite(k, task, c) : yield* sysRead(k, task, c);
    return r === "later" ? LATER : result(r);
  };
}

/** As strace prints struct stat, with what the simulator knows. */
function statText(inode: Inode | null): string {
  if (inode === null) return "st_mode=S_IFCHR|0620, ...";
  if (inode.device !== null && inode.sizeBytes === 0) return `st_mode=S_IFCHR|0${inode.mode.toString(8)}, ...`;
  return `st_mode=S_IFREG|0${inode.mode.toString(8)}, st_nlink=${inode.nlink}, st_size=${inode.sizeBytes}, ...`;
}

function* fstat({ world, task, args, operation }: Call): Op<ResultFields> {
  const r = fd.sysFstat(world.machine.kernel, task, int(args[0]));
  if (r !== null && failed(r)) return result(r);
  if (operation.args[1].kind === "value" && operation.args[1].name === null) return refuse("EFAULT", "hint.statBuffer");
  return { ret: 0, stat: statText(r), sizeBytes: r?.sizeBytes ?? 0 };
}

function* lseek({ world, task, args }: Call): Op<ResultFields> {
  const r = fd.sysLseek(world.machine.kernel, task, int(args[0]), args[1], int(args[2]));
  return r === undefined ? LATER : result(r);
}

function* fallocate({ world, task, args }: Call): Op<ResultFields> {
  const k = world.machine.kernel;
  const [number, mode] = args.map(int);
  const file = fd.needFile(k, task, number, "ksys_fallocate");
  const moves = (mode & (FALLOC.insertRange | FALLOC.unshareRange)) !== 0;
  if (moves && file !== null && !failed(file) && !isShmem(k, k.inodes.get(file.inode))) return LATER;
  return result(fd.sysFallocateFd(k, task, number, mode, args[2], args[3]));
}

/** A call that a plain function of the kernel carries out. */
const plain = (show: CallRow["show"], run: (c: Call) => Result): CallRow => ({
  show,
  run: function* (c) {
    return result(run(c));
  },
});

/** A call on a path: EFAULT without one, "later" for files of the system. */
const onPath = (show: CallRow["show"], run: (c: Call, path: string) => Result): CallRow => ({
  show,
  run: function* (c) {
    const path = c.texts[0];
    if (path === null) return refuse("EFAULT", "hint.path");
    return isSystemFile(path) && !isDirectory(c.world.machine.kernel, path) ? LATER : result(run(c, path));
  },
});

const fadvise: CallRow = plain(["fd", "int", "int", "FADV"], (c) => fd.sysFadviseFd(kernelOf(c), c.task, int(c.args[0]), c.args[1], c.args[2], int(c.args[3])));
const fsync: CallRow = plain(["fd"], (c) => fd.sysFsyncFd(kernelOf(c), c.task, int(c.args[0])));

export const FILE_CALLS: Readonly<Record<string, CallRow>> = {
  open: { show: ["path", "O", "mode"], run: openCall },
  openat: { show: ["dir", "path", "O", "mode"], run: openat },
  creat: {
    show: ["path", "mode"],
    run: function* (call) {
      return open(call, call.texts[0], O.creat | O.wrOnly | O.trunc, call.args[1]);
    },
  },
  memfd_create: { show: ["name", "MFD"], run: memfd },
  close: plain(["fd"], (c) => fd.sysCloseFd(kernelOf(c), c.task, int(c.args[0]))),
  dup: plain(["fd"], (c) => fd.sysDup(kernelOf(c), c.task, int(c.args[0]))),
  dup2: plain(["fd", "fd"], (c) => fd.sysDup2(kernelOf(c), c.task, int(c.args[0]), int(c.args[1]), null)),
  dup3: plain(["fd", "fd", "int"], (c) => fd.sysDup2(kernelOf(c), c.task, int(c.args[0]), int(c.args[1]), int(c.args[2]))),
  ftruncate: plain(["fd", "int"], (c) => fd.sysFtruncateFd(kernelOf(c), c.task, int(c.args[0]), c.args[1])),
  truncate: onPath(["path", "int"], (c, path) => fd.sysTruncatePath(kernelOf(c), c.task, path, c.args[1])),
  fallocate: { show: ["fd", "FALLOC", "int", "int"], run: fallocate },
  posix_fadvise: fadvise,
  fadvise64: fadvise,
  read: { show: ["fd", "buffer", "int"], run: transfer(false, false) },
  write: { show: ["fd", "buffer", "int"], run: transfer(true, false) },
  pread: { show: ["fd", "buffer", "int", "int"], run: transfer(false, true) },
  pread64: { show: ["fd", "buffer", "int", "int"], run: transfer(false, true) },
  pwrite: { show: ["fd", "buffer", "int", "int"], run: transfer(true, true) },
  pwrite64: { show: ["fd", "buffer", "int", "int"], run: transfer(true, true) },
  lseek: { show: ["fd", "int", "SEEK"], run: lseek },
  fsync,
  fdatasync: fsync,
  fstat: { show: ["fd", "stat"], run: fstat },
  unlink: onPath(["path"], (c, path) => sysUnlink(kernelOf(c), path)),
};

/** The descriptor that mmap is given: its struct file, null for the terminal, or EBADF. */
export const mappedFile = (call: Call, number: bigint): Result<OpenFile | null> => fd.needFile(kernelOf(call), call.task, int(number), "ksys_mmap_pgoff");
