import { DEVICES } from "../kernel/drivers/hugelab.ts";
import * as calls from "../kernel/fileCalls.ts";
import { isMountPoint, sysUnlink } from "../kernel/fs/namei.ts";
import { FADVISE_NUMBERS } from "../shell/command/words.ts";
import { fail, failed, type Failure, type Result } from "../kernel/mm/errno.ts";
import { putFile } from "../kernel/mm/inode.ts";
import type { Kernel } from "../kernel/mm/kernel.ts";
import type { OpenFile } from "../kernel/mm/records.ts";
import { lockForTruncation } from "../kernel/mm/truncate.ts";
import type { Op } from "../kernel/sched/points.ts";
import { FALLOC } from "../kernel/mm/shmemFile.ts";
import { UNKNOWN_INSTRUCTION, uprobeRegister, uprobeUnregister } from "../kernel/uprobes.ts";
import type { OperationBody } from "../shell/operation.ts";
import type { ResultFields } from "./execute.ts";

/** Operations of scripts on files and mounts, as the recorder makes them: each opens the file, makes its call and closes it. */

/** What a name of a script stands for: a path; a file without a path that the script holds open (memfd); a segment of SysV shared memory; or what is not simulated yet. */
export type ScriptFile = { readonly path: string } | { readonly held: number } | { readonly shmid: number } | { readonly later: true };
export type ScriptFiles = Map<string, ScriptFile>;

export const LATER = { error: "not simulated yet" } as const;
/** where the recorder mounts */
const WORK_DIRECTORY = "/mnt/ext4";
/** files of every Linux machine that are not simulated; of its devices those of our own driver are */
const SYSTEM_FILE = /^\/(dev(?!\/shm(\/|$))|proc|sys|etc|bin|lib|lib64|usr)(\/|$)/;
export const isSystemFile = (path: string): boolean => SYSTEM_FILE.test(path) && !DEVICES.some((device) => device.path === path);
/** bytes of one write(2) or read(2) of the recorder */
const CHUNK = 65536;

const printed = (r: Result): ResultFields => (failed(r) ? { ret: -1, errno: r.errno, ...(r.hint === undefined ? {} : { hint: r.hint }) } : { ret: r });

/** fpath: a name of the script, or the word itself as a path. */
function scriptFile(files: ScriptFiles, name: string): ScriptFile {
  const known = files.get(name);
  if (known !== undefined) return known;
  return isSystemFile(name) ? { later: true } : { path: name };
}

/** open(2) of what a name stands for, to be closed by the caller; "later" for what is not simulated. */
export function openScriptFile(k: Kernel, files: ScriptFiles, name: string, writable: boolean, create = false): Result<OpenFile> | "later" {
  const file = scriptFile(files, name);
  if ("later" in file) return "later";
  // to open(2) the name of a segment is a path, which leads nowhere
  if ("path" in file || "shmid" in file) return calls.sysOpen(k, "path" in file ? file.path : name, writable, create);
  const held = k.files.find(file.held);
  if (held === undefined) return fail("ENOENT", "hint.noSuchFile");
  return calls.sysOpenInode(k, held.inode, writable);
}

type FileBody = Extract<OperationBody, { op: "falloc" | "truncate" | "fwrite" | "fread" | "fadvise" | "fsync" }>;

const FALLOC_MODES: Readonly<Record<Extract<FileBody, { op: "falloc" }>["mode"], number>> = {
  alloc: 0,
  keep: FALLOC.keepSize,
  punch: FALLOC.punchHole | FALLOC.keepSize,
  collapse: FALLOC.collapseRange,
  zero: FALLOC.zeroRange,
};

/** Calls of a process on a file. */
export function* fileOperation(k: Kernel, files: ScriptFiles, body: FileBody): Op<ResultFields> {
  const file = openScriptFile(k, files, body.file, body.op !== "fread" && body.op !== "fadvise");
  if (file === "later") return LATER;
  if (failed(file)) return printed(file);
  const cut = k.preempt ? cutOut(body) : null;
  const unlockAll = cut === null ? null : yield* lockForTruncation(k, file.inode, cut.first, cut.last);
  try {
    return onFile(k, file, body);
  } finally {
    unlockAll?.();
    putFile(k, file.slot);
  }
}

/** Pages that a call takes out of its file; null: none. */
function cutOut(body: FileBody): { readonly first: number; readonly last: number } | null {
  if (body.op === "truncate") return { first: Number(body.bytes / 4096n), last: Number.MAX_SAFE_INTEGER };
  if (body.op !== "falloc" || body.mode !== "punch") return null;
  return { first: Number(body.offsetBytes / 4096n), last: Number((body.offsetBytes + body.lengthBytes - 1n) / 4096n) };
}

function onFile(k: Kernel, file: OpenFile, body: FileBody): ResultFields {
  switch (body.op) {
    case "falloc":
      return printed(calls.sysFallocate(k, file, FALLOC_MODES[body.mode], body.offsetBytes, body.lengthBytes));
    case "truncate":
      return printed(calls.sysFtruncate(k, file, body.bytes));
    case "fadvise":
      return printed(calls.sysFadvise(k, file, body.offsetBytes, body.lengthBytes, FADVISE_NUMBERS[body.advice]));
    case "fsync":
      return printed(calls.sysFsync(k, file));
    case "fwrite":
      return transfer(body.lengthBytes, body.offsetBytes, null, (at, n) => calls.sysPwrite(k, file, at, n, body.value));
    case "fread": {
      let first = -1;
      const fields = transfer(
        body.lengthBytes,
        body.offsetBytes,
        () => first,
        (at, n) => {
          const r = calls.sysPread(k, file, at, n);
          if (failed(r)) return r;
          if (first < 0 && r.bytes > 0) first = r.first;
          return r.bytes;
        },
      );
      return fields;
    }
  }
}

/** The recorder's loop of calls: ends at an error or at nothing done, and says how much there was before it. */
function transfer(length: bigint, offset: bigint, first: (() => number) | null, call: (at: bigint, bytes: number) => Result): ResultFields {
  let total = 0;
  let failure: Failure | null = null;
  let left = BigInt.asUintN(64, length);
  while (left > 0n) {
    const n = Number(left < BigInt(CHUNK) ? left : BigInt(CHUNK));
    const r = call(offset + BigInt(total), n);
    if (failed(r)) failure = r;
    if (failed(r) || r === 0) break;
    total += r;
    left -= BigInt(r);
  }
  if (total === 0 && failure !== null) return printed(failure);
  return { ret: total, ...(failure === null ? {} : { errno: failure.errno }), ...(first === null ? {} : { val: Math.max(0, first()) }) };
}

// --- the observer's operations

export function mount(k: Kernel, files: ScriptFiles, body: Extract<OperationBody, { op: "mount" }>): ResultFields {
  if (body.fsType !== "tmpfs") {
    files.set(body.name, { later: true });
    return LATER;
  }
  const path = `${WORK_DIRECTORY}/${body.name}`;
  const r = calls.sysMountTmpfs(k, path, body.options);
  if (!failed(r)) files.set(body.name, { path });
  return printed(r);
}

export function umount(k: Kernel, files: ScriptFiles, name: string): ResultFields {
  const file = scriptFile(files, name);
  if ("later" in file) return LATER;
  return printed("path" in file ? calls.sysUmount(k, file.path) : fail("EINVAL"));
}

/** file F DIR|path [SIZE]: makes the file where there is none. */
export function makeFile(k: Kernel, files: ScriptFiles, body: Extract<OperationBody, { op: "file" }>): ResultFields {
  const directory = scriptFile(files, body.directory);
  if (!("path" in directory) || directory.path.startsWith("/mnt/dax")) {
    files.set(body.name, { later: true });
    return LATER;
  }
  const path = isMountPoint(k, directory.path) ? `${directory.path}/${body.name}` : directory.path;
  const file = calls.sysOpen(k, path, true, true);
  if (failed(file)) return printed(file);
  const r = body.bytes === null ? 0 : calls.sysFtruncate(k, file, body.bytes);
  putFile(k, file.slot);
  files.set(body.name, { path });
  return printed(r);
}

export function memfd(k: Kernel, files: ScriptFiles, body: Extract<OperationBody, { op: "memfd" }>): ResultFields {
  if (body.hugetlb !== null) {
    files.set(body.name, { later: true });
    return LATER;
  }
  const file = calls.sysMemfdCreate(k, body.name);
  files.set(body.name, { held: file.slot });
  return printed(calls.sysFtruncate(k, file, body.bytes));
}

export function memfdClose(k: Kernel, files: ScriptFiles, name: string): ResultFields {
  const file = scriptFile(files, name);
  if ("later" in file) return LATER;
  if (!("held" in file) || k.files.find(file.held) === undefined) return printed(fail("EBADF"));
  putFile(k, file.held);
  // the number may be given to another file; this name stands for none any more
  files.set(name, { path: `/proc/self/fd/${name}` });
  return { ret: 0 };
}

export function unlink(k: Kernel, files: ScriptFiles, name: string): ResultFields {
  const file = scriptFile(files, name);
  if ("later" in file) return LATER;
  return printed("path" in file ? sysUnlink(k, file.path) : fail("EPERM"));
}

/** uprobe set F OFFSET, uprobe clear F OFFSET: what perf_event_open with a uprobe and closing it do. */
export function* uprobeOperation(k: Kernel, files: ScriptFiles, body: Extract<OperationBody, { op: "uprobe" }>): Op<ResultFields> {
  const file = openScriptFile(k, files, body.file, false);
  if (file === "later") return LATER;
  if (failed(file)) return printed(file);
  const offset = body.offsetBytes > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(body.offsetBytes);
  const r = body.call === "set" ? yield* uprobeRegister(k, file.inode, offset) : yield* uprobeUnregister(k, file.inode, offset);
  putFile(k, file.slot);
  return r === UNKNOWN_INSTRUCTION ? { error: "not simulated: a breakpoint on this instruction" } : printed(r);
}
