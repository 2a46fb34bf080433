import { pwriteBytes, sysPread } from "../fileCalls.ts";
import { userAccess } from "../mm/access.ts";
import { runsIn, stampAfterPut, type ByteRuns } from "../mm/content.ts";
import { fail, failed, type Failure, type Result } from "../mm/errno.ts";
import type { Kernel } from "../mm/kernel.ts";
import { filemapPage } from "../mm/pageCache.ts";
import type { OpenFile, Task } from "../mm/records.ts";
import { paceWhole } from "../sched/pace.ts";
import type { Op } from "../sched/points.ts";
import { NO_PFN } from "../units.ts";
import { refuseArgument } from "../why/refusal.ts";
import { needFile, refuseFd } from "./descriptorCalls.ts";
import { O } from "./namei.ts";

/**
 * read, write, pread and pwrite (fs/read_write.c) between files and the memory of a process. Linux copies folio by folio; here the whole
 * range is copied at once, so that faults of the buffer come together, behind what is read into the page cache and before what is written there.
 */

/** MAX_RW_COUNT: what one call moves at most, bytes */
const MAX_RW_COUNT = 0x7ffff000;

/** Where bytes go or come from: an address of the process; bytes themselves (for a text that was typed); or nothing (a recording that only names them). */
export type Buffer = { readonly address: bigint } | { readonly bytes: ByteRuns } | null;

export interface TransferCall {
  readonly fd: number;
  readonly buffer: Buffer;
  readonly count: bigint;
  /** offset in the file, of pread and pwrite; null: at the file's position, which moves on */
  readonly offset: bigint | null;
}

/** What both directions refuse before anything is moved; null for the terminal, which is not simulated. */
function checkTransfer(k: Kernel, task: Task, c: TransferCall, writes: boolean): Result<OpenFile | null> {
  const symbol = writes ? "vfs_write" : "vfs_read";
  if (c.offset !== null && BigInt.asIntN(64, c.offset) < 0n)
    return refuseArgument(k, task.mm, writes ? "ksys_pwrite64" : "ksys_pread64", "EINVAL", "refuse.argument", "offset", c.offset, "hint.negativeOffset");
  const file = needFile(k, task, c.fd, writes ? "ksys_write" : "ksys_read");
  if (file !== null && failed(file)) return file;
  if (file === null) return c.offset === null ? null : refuseArgument(k, task.mm, symbol, "ESPIPE", "refuse.argument", "fd", c.fd, "hint.notRegular");
  if (writes ? !file.writable : !file.readable) return refuseFd(k, task, symbol, c.fd, writes ? "hint.openToWrite" : "hint.openToRead");
  if (c.buffer !== null && "address" in c.buffer && !accessOk(k, c.buffer.address, c.count)) return refuseBuffer(k, task, c.buffer.address);
  if (BigInt.asIntN(64, c.count) < 0n)
    return refuseArgument(k, task.mm, "rw_verify_area", "EINVAL", "refuse.argument", "length", c.count, "hint.negativeOffset");
  const at = BigInt.asIntN(64, c.offset ?? BigInt(file.posBytes));
  if (at + c.count >= 1n << 63n) return refuseArgument(k, task.mm, "rw_verify_area", "EINVAL", "refuse.argument", "range", c.count);
  return file;
}

/** access_ok: the range lies in the user half. A negative count is somebody else's business. */
function accessOk(k: Kernel, addressIn: bigint, count: bigint): boolean {
  const address = BigInt.asUintN(64, addressIn);
  const top = BigInt(k.geo.taskSizePages) * 4096n;
  return address <= top && (BigInt.asIntN(64, count) < 0n || address + count <= top);
}

const refuseBuffer = (k: Kernel, task: Task, address: bigint): Failure =>
  refuseArgument(k, task.mm, "access_ok", "EFAULT", "refuse.addressRange", "address", address, "hint.buffer");

/** read(2), pread64(2): bytes read. "later": from the terminal. */
export function* sysRead(k: Kernel, task: Task, c: TransferCall): Op<Result | "later"> {
  const file = checkTransfer(k, task, c, false);
  if (file === null) return "later";
  if (failed(file)) return file;
  const count = Math.min(Number(c.count), MAX_RW_COUNT);
  const at = c.offset === null ? file.posBytes : Number(c.offset);
  if (count === 0) return 0;
  const got = sysPread(k, file, BigInt(at), count);
  if (failed(got)) return got;
  let done = got.bytes;
  if (c.buffer !== null && "address" in c.buffer && done > 0) {
    done = yield* copyToUser(k, task, Number(c.buffer.address), fileBytes(k, file.inode, at, done));
    if (done === 0) return fail("EFAULT", "hint.buffer");
  }
  if (c.offset === null) k.files.update(file.slot, { posBytes: at + done });
  return done;
}

/** write(2), pwrite64(2): bytes written. "later": to the terminal. */
export function* sysWrite(k: Kernel, task: Task, c: TransferCall): Op<Result | "later"> {
  const file = checkTransfer(k, task, c, true);
  if (file === null) return "later";
  if (failed(file)) return file;
  const count = Math.min(Number(c.count), MAX_RW_COUNT);
  // with O_APPEND pwrite(2) appends too
  const at = file.flags & O.append ? k.inodes.get(file.inode).sizeBytes : c.offset === null ? file.posBytes : Number(c.offset);
  if (count === 0) return 0;
  const bytes = yield* bytesToWrite(k, task, c.buffer, count);
  if (bytes.lengthBytes === 0) return fail("EFAULT", "hint.buffer");
  const done = pwriteBytes(k, file, BigInt(at), bytes);
  if (!failed(done) && c.offset === null) k.files.update(file.slot, { posBytes: at + done });
  return done;
}

function* bytesToWrite(k: Kernel, task: Task, buffer: Buffer, count: number): Op<ByteRuns> {
  if (buffer === null) return { lengthBytes: count, runs: [] };
  // what lies behind a text is not known: zeros
  if ("bytes" in buffer) return { ...buffer.bytes, lengthBytes: count };
  return yield* copyFromUser(k, task, Number(buffer.address), count);
}

/** What the page cache holds of a range; holes are zeros. */
function fileBytes(k: Kernel, inode: number, start: number, length: number): ByteRuns {
  const runs: [number, number, number][] = [];
  for (let at = start; at < start + length;) {
    const offset = at % 4096;
    const n = Math.min(4096 - offset, start + length - at);
    const page = filemapPage(k, inode, Math.floor(at / 4096));
    if (page !== NO_PFN) for (const [from, count, value] of runsIn(k, k.stamp.get(page), offset, n)) runs.push([at - start + from, count, value]);
    at += n;
  }
  return { lengthBytes: length, runs };
}

/** Stores bytes at an address, page by page; how many were stored before a page that cannot be had. */
function* copyToUser(k: Kernel, task: Task, start: number, bytes: ByteRuns): Op<number> {
  for (let done = 0; done < bytes.lengthBytes;) {
    const offset = (start + done) % 4096;
    const n = Math.min(4096 - offset, bytes.lengthBytes - done);
    paceWhole(k, 1);
    const pfn = yield* userAccess(k, task.mm, Math.floor((start + done) / 4096), offset, "w");
    if (typeof pfn !== "number") return done;
    k.stamp.set(pfn, stampAfterPut(k, k.stamp.get(pfn), offset, bytes, done, n));
    done += n;
  }
  return bytes.lengthBytes;
}

/** Loads bytes from an address, page by page, up to one that cannot be had. */
function* copyFromUser(k: Kernel, task: Task, start: number, length: number): Op<ByteRuns> {
  const runs: [number, number, number][] = [];
  for (let done = 0; done < length;) {
    const offset = (start + done) % 4096;
    const n = Math.min(4096 - offset, length - done);
    paceWhole(k, 1);
    const pfn = yield* userAccess(k, task.mm, Math.floor((start + done) / 4096), offset, "r");
    if (typeof pfn !== "number") return { lengthBytes: done, runs };
    for (const [from, count, value] of runsIn(k, k.stamp.get(pfn), offset, n)) runs.push([done + from, count, value]);
    done += n;
  }
  return { lengthBytes: length, runs };
}
