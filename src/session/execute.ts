import { failed, type Result } from "../kernel/mm/errno.ts";
import { MAP } from "../kernel/mm/mmap.ts";
import type { Task } from "../kernel/mm/records.ts";
import { readZero, writePipe } from "../kernel/mm/userCopy.ts";
import type { Op } from "../kernel/sched/points.ts";
import { dropCaches } from "../kernel/fileCalls.ts";
import { deferredSplitScan } from "../kernel/thp/deferredSplitScan.ts";
import { putFile } from "../kernel/mm/inode.ts";
import * as sys from "../kernel/syscalls.ts";
import { MISC, type Kernel } from "../kernel/mm/kernel.ts";
import { touchRange } from "../kernel/touch.ts";
import type { TouchResult } from "../kernel/touchResult.ts";
import type { AddressExpr, MmapFlag, Operation, OperationBody, RangeExpr } from "../shell/operation.ts";
import { ADVICE_NUMBERS } from "../shell/command/words.ts";
import { fileOperation, LATER, makeFile, memfd, memfdClose, mount, openScriptFile, umount, unlink, uprobeOperation } from "./fileOperations.ts";
import { shmOperation, trailingZeros } from "./shmOperations.ts";
import { MAX_PROCESSES, type ScriptProcess, type Stage } from "./world.ts";

/** Result fields of an operation as a trace prints them: ret, errno, cnt, ... or error. */
export type ResultFields = Readonly<Record<string, unknown>>;

const MASK64 = (1n << 64n) - 1n;

const printed = (r: Result): ResultFields => (failed(r) ? { ret: -1, errno: r.errno, ...(r.hint === undefined ? {} : { hint: r.hint }) } : { ret: r });

interface Place {
  readonly address: bigint;
  readonly length: bigint;
}

/** An operation as the kernel code that carries it out; the result fields come at its end. */
export type Carried = Op<ResultFields>;

/** Carries out one operation of a script on a world. */
export function* execute(world: Stage, operation: Operation): Carried {
  const process = world.find(operation.process);
  if (process === undefined) return { error: "no such proc" };
  const driver = driverOperation(world, operation.body);
  if (driver !== undefined) return yield* driver;
  return yield* processOperation(world, process, operation.body);
}

// --- operations of the observer: settings, daemons, files

function driverOperation(world: Stage, body: OperationBody): Carried | undefined {
  const k = world.machine.kernel;
  switch (body.op) {
    case "sysSet":
      return sysSet(world, body.path, body.value);
    case "sysGet":
      return plain(sysGet(world, body.path));
    case "khugepagedScan":
      return khugepagedScan(world, body.passes);
    case "sleep":
      return plain({ ret: 0 });
    case "dropCaches":
      // 1: page cache, 2: what shrinkers hold, 3: both
      if (body.value & 1) dropCaches(k);
      if (body.value & 2) deferredSplitScan(k);
      return plain({ ret: 0 });
    case "compact":
      return plain({ ret: 0 });
    case "mount":
      return plain(mount(k, world.files, body));
    case "umount":
      return plain(umount(k, world.files, body.name));
    case "file":
      return plain(makeFile(k, world.files, body));
    case "unlink":
      return plain(unlink(k, world.files, body.name));
    case "memfd":
      return plain(memfd(k, world.files, body));
    case "memfdClose":
      return plain(memfdClose(k, world.files, body.name));
    case "uprobe":
      return uprobeOperation(k, world.files, body);
    case "ksmScan":
    case "ksmUnmerge":
    case "zram":
    case "memcg":
      return plain(LATER);
    default:
      return undefined;
  }
}

function* plain(fields: ResultFields): Carried {
  return fields;
}

function* sysSet(world: Stage, path: string, value: string): Carried {
  const r = yield* world.machine.writeFile(path, value);
  return printed(r);
}

/** The value in brackets, or the first line. */
function sysGet(world: Stage, path: string): ResultFields {
  const text = world.machine.readFile(path);
  if (failed(text)) return printed(text);
  const chosen = /\[([^\]]*)\]/.exec(text)?.[1] ?? text.split("\n")[0];
  return { ret: 0, val: chosen };
}

function* khugepagedScan(world: Stage, passes: number): Carried {
  const scans = (): number => world.machine.kernel.misc.get(MISC.fullScans);
  const before = scans();
  for (let i = 0; i < passes; i++) yield* world.machine.writeFile("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "3600000");
  return { ret: 0, passes: scans() - before };
}

// --- operations of a process

function place(world: Stage, range: RangeExpr): Place | undefined {
  const at = world.slots.resolve(range.at);
  if (at === undefined) return undefined;
  return { address: at.address, length: range.lengthBytes ?? world.slots.defaultLength(at.address, at.slot) };
}

function* processOperation(world: Stage, process: ScriptProcess, body: OperationBody): Carried {
  const k = world.machine.kernel;
  const task = world.task(process);
  switch (body.op) {
    case "mmap":
      return yield* doMmap(world, task, body);
    case "mremap":
      return yield* doMremap(world, task, body);
    case "touch":
      return yield* doTouch(world, task, body);
    case "kread":
    case "kwrite":
      return yield* kernelCopy(world, task, body.at, body.lengthBytes, body.op === "kread");
    case "mlockall":
      return printed(yield* sys.sysMlockall(k, task, body.current, body.future, body.onfault));
    case "munlockall":
      return printed(yield* sys.sysMunlockall(k, task));
    case "prctl":
      return doPrctl(k, task, body);
    case "rlimit":
      return printed(sys.sysSetrlimit(k, task, body.resource, body.bytes));
    case "brk":
      return yield* doBrk(k, task, body.deltaBytes);
    case "fork":
      return yield* doFork(world, task, body.child);
    case "shmget":
    case "shmat":
    case "shmdt":
    case "shmctl":
      return yield* shmOperation(world, task, body);
    case "exit":
      sys.sysExit(k, task);
      world.processes[world.processes.indexOf(process)] = undefined;
      world.faultLogs.delete(task.mm);
      return { ret: 0 };
    case "resume":
      return { error: "not blocked" };
    case "kill":
      return { error: "unknown op" };
    case "uffd":
      return body.call === "open" ? LATER : { error: "no uffd" };
    case "falloc":
    case "truncate":
    case "fwrite":
    case "fread":
    case "fadvise":
    case "fsync":
      return yield* fileOperation(k, world.files, body);
    case "munmap":
    case "mprotect":
    case "mseal":
    case "msync":
    case "mincore":
    case "mlock":
    case "munlock":
    case "mlock2":
    case "madvise":
    case "gup":
      return yield* rangeOperation(world, task, body);
    default:
      return LATER;
  }
}

type RangeBody = Extract<
  OperationBody,
  { range: RangeExpr; op: "munmap" | "mprotect" | "mseal" | "msync" | "mincore" | "mlock" | "munlock" | "mlock2" | "madvise" | "gup" }
>;

function* rangeOperation(world: Stage, task: Task, body: RangeBody): Carried {
  const k = world.machine.kernel;
  const at = place(world, body.range);
  if (at === undefined) return { error: "addr" };
  switch (body.op) {
    case "munmap":
      return printed(yield* sys.sysMunmap(k, task, at.address, at.length));
    case "mprotect":
      return printed(yield* sys.sysMprotect(k, task, at.address, at.length, body.prot));
    case "mseal":
      return printed(yield* sys.sysMseal(k, task, at.address, at.length));
    case "msync":
      return printed(sys.sysMsync(k, task, at.address, at.length, sys.MS.sync));
    case "mincore":
      return mincore(k, task, at);
    case "mlock":
      return printed(yield* sys.sysMlock(k, task, at.address, at.length, false));
    case "mlock2":
      return printed(yield* sys.sysMlock(k, task, at.address, at.length, body.onfault));
    case "munlock":
      return printed(yield* sys.sysMunlock(k, task, at.address, at.length));
    case "madvise":
      return yield* doMadvise(k, task, at, typeof body.advice === "number" ? body.advice : ADVICE_NUMBERS[body.advice]);
    case "gup": {
      const r = yield* sys.sysGup(k, task, Number(at.address / 4096n), body.write, body.fast);
      return failed(r) ? printed(r) : { ret: 0, pinned: r };
    }
  }
}

/** Advice whose subsystem is not simulated yet; everything else is answered. */
const ADVICE_LATER: ReadonlySet<number> = new Set([100, 101]);

function* doMadvise(k: Kernel, task: Task, at: Place, advice: number): Carried {
  if (ADVICE_LATER.has(advice)) return LATER;
  return printed(yield* sys.sysMadvise(k, task, at.address, at.length, advice));
}

/** The recorder's buffer holds this many pages. */
const MINCORE_PAGES = 8192n;

function mincore(k: Kernel, task: Task, at: Place): ResultFields {
  if (at.length / 4096n > MINCORE_PAGES) return { error: "mincore too long" };
  const r = sys.sysMincore(k, task, at.address, at.length);
  if (failed(r)) return printed(r);
  return { ret: 0, incore: mincoreRuns(r) };
}

/** Residency as runs: "1x512,0x512". */
export function mincoreRuns(pages: Uint8Array): string {
  const runs: string[] = [];
  for (let i = 0; i < pages.length;) {
    let j = i;
    while (j < pages.length && pages[j] === pages[i]) j++;
    runs.push(`${pages[i]}x${j - i}`);
    i = j;
  }
  return runs.join(",");
}

export const FLAG_BITS: Readonly<Record<MmapFlag, number>> = {
  private: MAP.private,
  shared: MAP.shared,
  shared_validate: MAP.sharedValidate,
  sync: MAP.sync,
  anon: MAP.anonymous,
  shm: MAP.anonymous,
  hugetlb: MAP.hugetlb,
  hugetlb2M: MAP.hugetlb | MAP.anonymous | (21 << 26),
  hugetlb1G: MAP.hugetlb | MAP.anonymous | (30 << 26),
  hugetlb4M: MAP.hugetlb | MAP.anonymous | (22 << 26),
  noreserve: MAP.noReserve,
  populate: MAP.populate,
  locked: MAP.locked,
  nonblock: MAP.nonBlock,
  stack: MAP.stack,
  growsdown: MAP.growsDown,
  droppable: MAP.droppable,
  fixed: 0,
  noaddr: 0,
};

/** mmap; of hugetlb it says that it is not there yet. A file is opened for it and closed again, as the recorder does. */
function* doMmap(world: Stage, task: Task, body: Extract<OperationBody, { op: "mmap" }>): Carried {
  const slot = world.slots.get(body.name);
  if (slot === undefined) return { error: "slot" };
  const at = body.at === null ? { address: slot.base } : world.slots.resolve(body.at);
  if (at === undefined) return { error: "at" };
  if (body.offsetBytes % 4096n !== 0n) return { ret: -1, errno: "EINVAL", hint: "hint.alignOffset" };
  const anywhere = body.flags.includes("noaddr");
  let flags = body.flags.reduce((bits, f) => bits | FLAG_BITS[f], 0);
  if (flags & MAP.hugetlb) return LATER;
  const k = world.machine.kernel;
  const file = body.file === null ? undefined : openScriptFile(k, world.files, body.file, !body.readOnlyFile);
  if (file === "later") return LATER;
  if (failed(file)) return { ...printed(file), what: "open" };
  // without MAP_ANONYMOUS the kernel looks for the file first
  if (file === undefined && (flags & MAP.anonymous) === 0) return { ret: -1, errno: "EBADF" };
  if (!anywhere) flags |= body.flags.includes("fixed") ? MAP.fixed : MAP.fixedNoReplace;
  const what = {
    prot: body.prot,
    flags: file === undefined ? flags : flags & ~MAP.anonymous,
    offset: body.offsetBytes,
    ...(file === undefined ? {} : { file }),
  };
  const r = yield* sys.sysMmap(k, task, { address: anywhere ? 0n : at.address, length: body.lengthBytes, ...what });
  if (file !== undefined) putFile(k, file.slot);
  if (failed(r)) return printed(r);
  const end = at.address + body.lengthBytes - slot.base;
  if (!anywhere && end > slot.lengthBytes && at.address >= slot.base && at.address < slot.base + world.slots.layout.bytes) slot.lengthBytes = end;
  return { ret: world.slots.print(Number(r)), ...(anywhere ? { align: trailingZeros(r) } : {}) };
}

function* doMremap(world: Stage, task: Task, body: Extract<OperationBody, { op: "mremap" }>): Carried {
  const at = world.slots.resolve(body.at);
  if (at === undefined) return { error: "mremap" };
  const target = body.fixed === null ? null : world.slots.resolve(body.fixed);
  if (target === undefined) return { error: "mremap" };
  const r = yield* sys.sysMremap(world.machine.kernel, task, {
    address: at.address,
    oldLength: body.oldBytes,
    newLength: body.newBytes,
    mayMove: body.mayMove,
    dontUnmap: body.dontUnmap,
    fixed: target === null ? null : target.address,
  });
  if (failed(r)) return printed(r);
  if (target?.slot !== undefined) {
    const end = target.address + body.newBytes - target.slot.base;
    if (end > target.slot.lengthBytes) target.slot.lengthBytes = end;
  } else if (at.slot !== undefined && r === at.address) {
    const end = at.address + body.newBytes - at.slot.base;
    if (end > at.slot.lengthBytes) at.slot.lengthBytes = end;
  }
  return { ret: world.slots.print(Number(r)) };
}

/** From here on a user address is not canonical: the access traps without an address. */
const canonicalEnd = (world: Stage): bigint => 1n << BigInt(world.machine.kernel.geo.addressBits);

function* doTouch(world: Stage, task: Task, body: Extract<OperationBody, { op: "touch" }>): Carried {
  const at = world.slots.resolve(body.range.at);
  if (at === undefined) return { error: "addr" };
  const length = body.range.lengthBytes ?? (body.all ? world.slots.defaultLength(at.address, at.slot) : 1n);
  const end = (at.address + length) & MASK64;
  const canonical = canonicalEnd(world);
  if (at.address >= canonical) return nonCanonical(world, at.address, end, body.stepBytes);
  if (end > canonical) return { error: "not simulated: a touch that leaves the user address space" };
  const r = yield* touchRange(world.machine.kernel, task, Number(at.address), Number(end), Number(body.stepBytes), body.mode, body.value & 0xff);
  return touchFields(world, r, body.mode);
}

function nonCanonical(world: Stage, address: bigint, end: bigint, step: bigint): ResultFields {
  const count = end > address ? Number((end - address + step - 1n) / step) : 0;
  if (count === 0) return { cnt: 0, ok: 0 };
  return { cnt: count, ok: 0, sig: [{ at: world.slots.print(Number(address)), n: count, sig: "SIGSEGV", code: "128", si_addr: "0" }] };
}

function touchFields(world: Stage, r: TouchResult, mode: string): ResultFields {
  const sig = r.signals.map((s) => ({
    at: world.slots.print(s.address),
    n: s.count,
    sig: s.signal.signal,
    code: s.signal.code === "SI_KERNEL" ? "128" : s.signal.code,
    si_addr: world.slots.print(s.faultAddress),
    ...(s.signal.addressLsb > 0 ? { lsb: s.signal.addressLsb } : {}),
  }));
  return { cnt: r.count, ok: r.ok, ...(mode === "r" && r.ok > 0 ? { val: r.first, sum: r.sum } : {}), ...(sig.length > 0 ? { sig } : {}) };
}

/** kread: read(/dev/zero) stores zeros at the address; kwrite: write(pipe) loads from it, 4096 bytes at most. */
function* kernelCopy(world: Stage, task: Task, e: AddressExpr, lengthIn: bigint, store: boolean): Carried {
  const at = world.slots.resolve(e);
  if (at === undefined) return { error: "addr" };
  const length = Number(store || lengthIn < 4096n ? lengthIn : 4096n);
  if (at.address + BigInt(length) > canonicalEnd(world)) return { ret: -1, errno: "EFAULT" };
  const k = world.machine.kernel;
  const r = store ? yield* readZero(k, task.mm, Number(at.address), length) : yield* writePipe(k, task.mm, Number(at.address), length);
  return r < 0 ? { ret: -1, errno: "EFAULT" } : { ret: r };
}

function doPrctl(k: Kernel, task: Task, body: Extract<OperationBody, { op: "prctl" }>): ResultFields {
  switch (body.what) {
    case "thp_disable":
      return printed(body.value === "except" ? sys.sysSetThpDisable(k, task, 1n, 2) : sys.sysSetThpDisable(k, task, BigInt(body.value), 0));
    case "get_thp_disable":
      return printed(sys.sysGetThpDisable(k, task));
    case "memory_merge":
      return LATER;
    case "other":
      return { ret: -1, errno: "EINVAL" };
  }
}

function* doBrk(k: Kernel, task: Task, delta: bigint): Carried {
  const wanted = BigInt(k.mms.get(task.mm).brkBytes) + delta;
  const r = yield* sys.sysBrk(k, task, wanted);
  return r === wanted ? { ret: 0 } : { ret: -1, errno: "ENOMEM" };
}

function* doFork(world: Stage, task: Task, child: string): Carried {
  let index = 1;
  while (index < MAX_PROCESSES && world.processes[index] !== undefined) index++;
  if (index === MAX_PROCESSES) return { error: "too many processes" };
  const r = yield* sys.sysFork(world.machine.kernel, task, child);
  if (failed(r)) return printed(r);
  world.processes[index] = { name: child.slice(0, 15), task: r };
  return { ret: child.slice(0, 15) };
}
