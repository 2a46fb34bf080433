import { failed, type Result } from "../kernel/mm/errno.ts";
import { MAP } from "../kernel/mm/mmap.ts";
import type { Resource, Task } from "../kernel/mm/records.ts";
import type { Op } from "../kernel/sched/points.ts";
import * as sys from "../kernel/syscalls.ts";
import type { CallOperation, CallValue } from "../shell/call/callOperation.ts";
import { FILE_CALLS, mappedFile, resolvePath } from "./callFiles.ts";
import { SHM_CALLS } from "./callShm.ts";
import { int, LATER, refuse, result, u64, type Call, type CallRow, type Show } from "./callRow.ts";
import { mincoreRuns, type ResultFields } from "./execute.ts";
import type { LearnerWorld } from "./learnerWorld.ts";
import { MAX_PROCESSES } from "./world.ts";

/** Carries out lines of the C form: the numbers a program would pass, checked and refused as the system call does. */

const PAGE = 4096n;

function* mmap(call: Call): Op<ResultFields> {
  const { world, task, args, operation } = call;
  const [address, length, prot, flags, fd, offset] = args;
  if (u64(offset) % PAGE !== 0n) return refuse("EINVAL", "hint.alignOffset");
  const bits = Number(u64(flags) & 0xffffffffn);
  const file = (bits & MAP.anonymous) === 0 ? mappedFile(call, fd) : undefined;
  if (failed(file)) return refuse(file.errno, "hint.anonymous");
  // huge page pools and MAP_32BIT are not simulated yet
  if (bits & (MAP.hugetlb | 0x40)) return LATER;
  // a character device like a terminal has no ->mmap
  if (file === null) return refuse("ENODEV", "hint.notRegular");
  const recorded = operation.recorded?.value ?? null;
  const what = { length, prot: Number(prot & 7n), flags: bits, ...(file === undefined ? {} : { file, offset: u64(offset) }) };
  // a pasted line of strace goes where it went then, so that the addresses of later lines fit
  if (u64(address) === 0n && recorded !== null && recorded > 0n) {
    const there = yield* sys.sysMmap(world.machine.kernel, task, { ...what, address: recorded, flags: bits | MAP.fixedNoReplace });
    if (!failed(there)) return { ret: there };
  }
  return result(yield* sys.sysMmap(world.machine.kernel, task, { ...what, address }));
}

function* mremap({ world, task, args }: Call): Op<ResultFields> {
  const [address, oldLength, newLength, flags, target] = args;
  if (u64(flags) & ~7n) return refuse("EINVAL");
  return result(
    yield* sys.sysMremap(world.machine.kernel, task, {
      address,
      oldLength,
      newLength,
      mayMove: (flags & 1n) !== 0n,
      fixed: (flags & 2n) !== 0n ? target : null,
      dontUnmap: (flags & 4n) !== 0n,
    }),
  );
}

/** pages that the vector of mincore has room for */
const VECTOR_PAGES = 1n << 24n;

function* mincore({ world, task, args }: Call): Op<ResultFields> {
  if (u64(args[1]) / PAGE > VECTOR_PAGES) return refuse("EFAULT", "hint.vector");
  const r = sys.sysMincore(world.machine.kernel, task, args[0], args[1]);
  return failed(r) ? refuse(r.errno, r.hint) : { ret: 0, incore: mincoreRuns(r) };
}

const PR_SET_THP_DISABLE = 41n;
const PR_GET_THP_DISABLE = 42n;

function* prctl({ world, task, args }: Call): Op<ResultFields> {
  const [option, arg2, arg3, arg4, arg5] = args;
  const k = world.machine.kernel;
  if (option === PR_SET_THP_DISABLE) {
    if (arg4 !== 0n || arg5 !== 0n) return refuse("EINVAL", "hint.prctlRest");
    return result(sys.sysSetThpDisable(k, task, arg2, Number(BigInt.asIntN(32, arg3))));
  }
  if (option === PR_GET_THP_DISABLE) return arg2 || arg3 || arg4 || arg5 ? refuse("EINVAL", "hint.prctlRest") : result(sys.sysGetThpDisable(k, task));
  return LATER;
}

const RESOURCES: Readonly<Record<string, Resource>> = { "2": "data", "7": "nofile", "8": "memlock", "9": "as" };

function* setrlimit({ world, task, args, operation }: Call): Op<ResultFields> {
  const limit = operation.args[1];
  if (limit.kind !== "struct" || limit.members.length !== 2) return refuse("EFAULT", "hint.rlimitStruct");
  const [soft, hard] = limit.members.map((member) => valueOf(world, member));
  if (args[0] < 0n || args[0] > 15n || u64(soft) > u64(hard)) return refuse("EINVAL", "hint.rlimitOrder");
  const resource = RESOURCES[String(args[0])];
  return resource === undefined ? LATER : result(sys.sysSetrlimit(world.machine.kernel, task, resource, u64(soft)));
}

/** brk(2) returns the end of the heap, the new one or, when it could not be moved, the old one. */
function* brk({ world, task, args }: Call): Op<ResultFields> {
  return { ret: yield* sys.sysBrk(world.machine.kernel, task, u64(args[0])) };
}

/** sbrk(3) of the C library: the end as it was. */
function* sbrk({ world, task, args }: Call): Op<ResultFields> {
  const k = world.machine.kernel;
  const before = BigInt(k.mms.get(task.mm).brkBytes);
  const wanted = before + BigInt.asIntN(64, args[0]);
  const after = yield* sys.sysBrk(k, task, u64(wanted));
  return after === u64(wanted) ? { ret: before } : refuse("ENOMEM");
}

function* fork({ world, task }: Call): Op<ResultFields> {
  const place = [...world.processes.keys(), world.processes.length].find((i) => world.processes[i] === undefined) ?? 0;
  if (place >= MAX_PROCESSES) return refuse("EAGAIN", "hint.processes");
  let n = 1;
  while (world.find(`C${n}`) !== undefined) n++;
  const name = `C${n}`;
  const r = yield* sys.sysFork(world.machine.kernel, task, name);
  if (failed(r)) return refuse(r.errno, r.hint);
  world.processes[place] = { name, task: r };
  return { ret: world.machine.kernel.tasks.get(r).pid, child: name };
}

const RANGE: readonly Show[] = ["address", "number"];

/** A call on an address and a length, with flags of which `known` exist. */
const ranged = (flagsShow: readonly Show[], known: bigint, run: (c: Call) => Op<Result>): CallRow => ({
  show: [...RANGE, ...flagsShow],
  run: function* (c) {
    if (c.args[2] !== undefined && (u64(c.args[2]) & ~known) !== 0n) return refuse("EINVAL");
    return result(yield* run(c));
  },
});

function* direct(r: Result): Op<Result> {
  return r;
}

const ALL = (1n << 64n) - 1n;

export const CALLS: Readonly<Record<string, CallRow>> = {
  mmap: { show: ["address", "number", "PROT", "MAP", "int", "number"], run: mmap, returnsAddress: true },
  munmap: ranged([], 0n, ({ world, task, args }) => sys.sysMunmap(world.machine.kernel, task, args[0], args[1])),
  mprotect: ranged(["PROT"], 7n, ({ world, task, args }) => sys.sysMprotect(world.machine.kernel, task, args[0], args[1], Number(args[2]))),
  mremap: { show: ["address", "number", "number", "MREMAP", "address"], run: mremap, returnsAddress: true },
  madvise: ranged(["MADV"], ALL, ({ world, task, args }) => sys.sysMadvise(world.machine.kernel, task, args[0], args[1], Number(BigInt.asIntN(32, args[2])))),
  mlock: ranged([], 0n, ({ world, task, args }) => sys.sysMlock(world.machine.kernel, task, args[0], args[1], false)),
  mlock2: ranged(["MLOCK"], 1n, ({ world, task, args }) => sys.sysMlock(world.machine.kernel, task, args[0], args[1], args[2] === 1n)),
  munlock: ranged([], 0n, ({ world, task, args }) => sys.sysMunlock(world.machine.kernel, task, args[0], args[1])),
  mlockall: {
    show: ["MCL"],
    run: function* ({ world, task, args: [flags] }) {
      if (u64(flags) & ~7n) return refuse("EINVAL", "hint.mlockall");
      return result(yield* sys.sysMlockall(world.machine.kernel, task, (flags & 1n) !== 0n, (flags & 2n) !== 0n, (flags & 4n) !== 0n));
    },
  },
  munlockall: {
    show: [],
    run: function* ({ world, task }) {
      return result(yield* sys.sysMunlockall(world.machine.kernel, task));
    },
  },
  mincore: { show: ["address", "number", "vec"], run: mincore },
  msync: ranged(["MS"], ALL, ({ world, task, args }) => direct(sys.sysMsync(world.machine.kernel, task, args[0], args[1], int(args[2])))),
  mseal: ranged(["number"], 0n, ({ world, task, args }) => sys.sysMseal(world.machine.kernel, task, args[0], args[1])),
  brk: { show: ["address"], run: brk, returnsAddress: true },
  sbrk: { show: ["int"], run: sbrk, returnsAddress: true },
  prctl: { show: ["PR", "int", "int", "int", "int"], run: prctl },
  setrlimit: { show: ["RLIMIT", "limit"], run: setrlimit },
  fork: { show: [], run: fork },
  ...FILE_CALLS,
  ...SHM_CALLS,
};

function valueOf(world: LearnerWorld, value: CallValue): bigint {
  if (value.kind !== "value") return 0n;
  if (value.name === null) return value.offset;
  return world.slots.resolve({ name: value.name, offsetBytes: value.offset })?.address ?? 0n;
}

/** What a call is made with: the numbers of its registers, and the text behind those that point to one. */
export interface CallArguments {
  readonly args: readonly bigint[];
  readonly texts: readonly (string | null)[];
  /** soft and hard limit of setrlimit */
  readonly limits: readonly [bigint, bigint] | null;
}

/** The arguments of a call as they are before it runs. `directory`: where relative paths begin. */
export function argumentsOf(world: LearnerWorld, operation: CallOperation, directory: string): CallArguments {
  const args = operation.args.map((value) => valueOf(world, value));
  const { show } = CALLS[operation.call];
  // some calls have arguments that may be left out
  while (args.length < show.length) args.push(0n);
  const texts = show.map((kind, i) => textOf(operation.args[i], kind, directory));
  return { args, texts, limits: limitsOf(world, operation) };
}

function textOf(value: CallValue | undefined, kind: Show, directory: string): string | null {
  if (value?.kind !== "text") return null;
  return kind === "path" ? resolvePath(value.text, directory) : value.text;
}

/** The two numbers of setrlimit's struct; null where none was given. */
function limitsOf(world: LearnerWorld, operation: CallOperation): readonly [bigint, bigint] | null {
  const limit = operation.args[1];
  if (operation.call !== "setrlimit" || limit?.kind !== "struct" || limit.members.length !== 2) return null;
  return [u64(valueOf(world, limit.members[0])), u64(valueOf(world, limit.members[1]))];
}

/** Runs a call; binds the name in front of `=` to what it returned. */
export function* executeCall(world: LearnerWorld, task: Task, operation: CallOperation, directory: string): Op<ResultFields> {
  const { args, texts } = argumentsOf(world, operation, directory);
  const fields = yield* CALLS[operation.call].run({ world, task, args, texts, operation });
  const { target } = operation;
  if (target !== null && (typeof fields.ret === "bigint" || typeof fields.ret === "number") && fields.errno === undefined) {
    const mapped = typeof fields.mappedBytes === "number" ? BigInt(fields.mappedBytes) : 0n;
    const length = operation.call === "mmap" ? args[1] : operation.call === "mremap" ? args[2] : mapped;
    world.slots.bind(target, BigInt(fields.ret), (u64(length) + PAGE - 1n) & ~(PAGE - 1n));
  }
  return fields;
}
