import type { Era } from "../era/era.ts";
import { fail, type Errno, type Failure } from "../mm/errno.ts";
import type { Kernel } from "../mm/kernel.ts";
import { limitOf, type Resource, type Task, type Vma } from "../mm/records.ts";
import type { ArgumentName, Cause, RefusalRule, VmaFlagName } from "./tracer.ts";

/**
 * Refusals that say which check refused: each makes the Failure of a call, and tells the tracer, if there is one, why.
 * They take plain values only, so that nothing is built where nobody traces. `symbol`: the kernel function that checks.
 */
function refused(k: Kernel, mm: number, symbol: string, errno: Errno, rule: RefusalRule, cause: Cause, hint: string | undefined): Failure {
  const vpn = "vpn" in cause ? cause.vpn : -1;
  k.tracer?.decide({ symbol, rule, outcome: errno, causes: [cause], mm, vpn, pages: vpn < 0 ? 0 : 1 });
  return fail(errno, hint);
}

/** The call's own argument is what no state could make right. */
export function refuseArgument(
  k: Kernel,
  mm: number,
  symbol: string,
  errno: Errno,
  rule: RefusalRule,
  name: ArgumentName,
  value: bigint | number | string,
  hint?: string,
): Failure {
  if (k.tracer === null) return fail(errno, hint);
  return refused(k, mm, symbol, errno, rule, { kind: "argument", name, value: typeof value === "bigint" ? `0x${value.toString(16)}` : value }, hint);
}

/** Nothing is mapped somewhere in [vpn, end). */
export function refuseHole(k: Kernel, mm: number, symbol: string, errno: Errno, vpn: number, end: number, hint = "hint.hole"): Failure {
  if (k.tracer === null) return fail(errno, hint);
  return refused(k, mm, symbol, errno, "refuse.hole", { kind: "hole", mm, vpn, end }, hint);
}

/** Something is mapped in [vpn, end). */
export function refuseOccupied(k: Kernel, mm: number, symbol: string, errno: Errno, vpn: number, end: number, hint: string): Failure {
  if (k.tracer === null) return fail(errno, hint);
  return refused(k, mm, symbol, errno, "refuse.occupied", { kind: "occupied", mm, vpn, end }, hint);
}

/** A flag of a VMA, as it is (`set`), forbids the call. */
export function refuseFlag(k: Kernel, vma: Vma, symbol: string, errno: Errno, rule: RefusalRule, flag: VmaFlagName, set: boolean, hint?: string): Failure {
  if (k.tracer === null) return fail(errno, hint);
  return refused(k, vma.mm, symbol, errno, rule, { kind: "vmaFlag", mm: vma.mm, vpn: vma.start, flag, set }, hint);
}

/** RLIMIT_* of the process. */
export function refuseLimit(k: Kernel, task: Task, symbol: string, errno: Errno, resource: Resource, hint?: string): Failure {
  if (k.tracer === null) return fail(errno, hint);
  return refused(k, task.mm, symbol, errno, "refuse.limit", { kind: "limit", mm: task.mm, resource, value: limitOf(task, resource) }, hint);
}

/** The release does not have it, or has it in another way. */
export function refuseRelease(k: Kernel, mm: number, symbol: string, errno: Errno, behaviour: keyof Era, hint?: string): Failure {
  if (k.tracer === null) return fail(errno, hint);
  return refused(k, mm, symbol, errno, "refuse.release", { kind: "era", behaviour, value: k.era[behaviour] }, hint);
}

/** A setting forbids it. */
export function refuseSetting(
  k: Kernel,
  mm: number,
  symbol: string,
  errno: Errno,
  rule: RefusalRule,
  path: string,
  value: string | number,
  hint?: string,
): Failure {
  if (k.tracer === null) return fail(errno, hint);
  return refused(k, mm, symbol, errno, rule, { kind: "setting", path, value }, hint);
}

/** The kernel was built without it. */
export function refuseConfig(k: Kernel, mm: number, symbol: string, errno: Errno, name: string, hint?: string): Failure {
  if (k.tracer === null) return fail(errno, hint);
  return refused(k, mm, symbol, errno, "refuse.config", { kind: "config", name, value: false }, hint);
}

/** More pages than the machine has (free). */
export function refuseMemory(k: Kernel, mm: number, symbol: string, errno: Errno, pages: number, hint?: string): Failure {
  if (k.tracer === null) return fail(errno, hint);
  return refused(k, mm, symbol, errno, "refuse.memory", { kind: "memory", pages }, hint);
}

/** Two VMAs where the range must lie in one: the bounds of the first. */
export function refuseBounds(k: Kernel, vma: Vma, symbol: string, errno: Errno, from: number, to: number, hint: string): Failure {
  if (k.tracer === null) return fail(errno, hint);
  return refused(k, vma.mm, symbol, errno, "refuse.acrossVmas", { kind: "vmaBounds", mm: vma.mm, vpn: from, start: vma.start, end: vma.end, from, to }, hint);
}

/** RLIMIT_MEMLOCK, which CAP_IPC_LOCK lifts. */
export const refuseMemlock = (k: Kernel, task: Task, symbol: string, errno: Errno, hint?: string): Failure =>
  refuseUncapable(k, task, symbol, errno, "memlock", "CAP_IPC_LOCK", hint);

/** A limit of the process that one with the capability need not keep. */
export function refuseUncapable(
  k: Kernel,
  task: Task,
  symbol: string,
  errno: Errno,
  resource: Resource,
  name: "CAP_IPC_LOCK" | "CAP_SYS_RESOURCE",
  hint?: string,
): Failure {
  if (k.tracer === null) return fail(errno, hint);
  const causes: Cause[] = [
    { kind: "limit", mm: task.mm, resource, value: limitOf(task, resource) },
    { kind: "capability", mm: task.mm, name, set: false },
  ];
  k.tracer.decide({ symbol, rule: "refuse.limit", outcome: errno, causes, mm: task.mm, vpn: -1, pages: 0 });
  return fail(errno, hint);
}

/** __vm_enough_memory with overcommit_memory=0: what could never fit, in pages. */
export function refuseOvercommit(k: Kernel, mm: number, pages: number): Failure {
  if (k.tracer === null) return fail("ENOMEM", "hint.overcommit");
  const causes: Cause[] = [
    { kind: "setting", path: "/proc/sys/vm/overcommit_memory", value: k.g.overcommitMemory },
    { kind: "memory", pages },
  ];
  k.tracer.decide({ symbol: "__vm_enough_memory", rule: "refuse.overcommit", outcome: "ENOMEM", causes, mm, vpn: -1, pages: 0 });
  return fail("ENOMEM", "hint.overcommit");
}

export const refuseMapCount = (k: Kernel, mm: number, symbol: string): Failure =>
  refuseSetting(k, mm, symbol, "ENOMEM", "refuse.mapCount", "/proc/sys/vm/max_map_count", k.g.maxMapCount, "hint.mapCount");

export const refuseSealed = (k: Kernel, vma: Vma, symbol: string): Failure =>
  refuseFlag(k, vma, symbol, "EPERM", "refuse.sealed", "VM_SEALED", true, "hint.sealed");
