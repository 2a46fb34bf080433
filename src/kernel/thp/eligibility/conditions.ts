import { hasHugeFault, isDax } from "../../mm/vmaOps.ts";
import type { Kernel } from "../../mm/kernel.ts";
import type { VmOps } from "../../mm/records.ts";
import { VM, VM_NO_KHUGEPAGED } from "../../mm/vmFlags.ts";
import { vmaThpDisabled } from "./disabled.ts";
import { fileThpEnabled } from "./files.ts";
import { anonOrders, fileOrderSet, ordersBySetting } from "./orders.ts";
import { fitsAtEnd, liesAligned, type Question } from "./question.ts";

/**
 * What the rules of eligibility ask about a VMA (thp-eligibility-collapse-hugefault.md 1.3 and 1.4). An answer is the orders, of those given, for which
 * the condition holds: for most conditions all of them or none.
 */
export type ConditionId =
  | "noMm"
  | "disabled"
  | "unsupported"
  | "dax"
  | "special"
  | "unsuitable"
  | "misaligned"
  | "shmem"
  | "alwaysOn"
  | "settingRefuses"
  | "fileSettingRefuses"
  | "sizeRefuses"
  | "orderUnsupported"
  | "hugeFault"
  | "fileThp"
  | "notAnonymous"
  | "temporaryStack"
  | "noAnonVma"
  | "otherwise";

type Holds = (k: Kernel, q: Question, orders: number) => number;

/** A condition that is about the VMA, whatever the order. */
const whole =
  (holds: (k: Kernel, q: Question) => boolean): Holds =>
  (k, q, orders) =>
    holds(k, q) ? orders : 0;

const isAnonymous = (q: Question): boolean => q.vma.ops === "none";

/** shmem_file: also a segment of SysV shared memory, whose vm_ops wrap those of tmpfs. */
const isShmemOps = (ops: VmOps): boolean => ops === "shmem" || ops === "anonShmem" || ops === "sysv";

/** The sysfs file "enabled" says no: never, or madvise to a VMA that did not ask. */
const settingRefuses = (k: Kernel, q: Question): boolean => k.g.enabled === "never" || (k.g.enabled === "madvise" && (q.flags & VM.hugePage) === 0);

const STACK = VM.seqRead | VM.randRead;

/** vma_is_temporary_stack: the stack that execve fills before the program has it. */
export const isTemporaryStack = (flags: number): boolean => (flags & VM.growsDown) !== 0 && (flags & STACK) === STACK;

/** The orders whose block has no room in the VMA, or lies across the file's. */
function unsuitable(q: Question, orders: number): number {
  let out = 0;
  for (let order = 0; 1 << order <= orders; order++) if ((orders & (1 << order)) !== 0 && !fitsAtEnd(q.vma, order)) out |= 1 << order;
  return out;
}

const HOLDS: Readonly<Record<ConditionId, Holds>> = {
  // every mapping here belongs to an address space: the page of vsyscall, which does not, is not simulated
  noMm: whole(() => false),
  disabled: whole((k, q) => vmaThpDisabled(k, q.mm, q.flags, q.caller === "forcedCollapse")),
  unsupported: whole((k) => !k.geo.thp),
  dax: whole((k, q) => isDax(k, q.vma)),
  special: whole((_k, q) => (q.flags & VM_NO_KHUGEPAGED) !== 0),
  unsuitable: (_k, q, orders) => unsuitable(q, orders),
  misaligned: whole((k, q) => q.vma.file !== 0 && !liesAligned(q.vma, k.geo.pmdOrder)),
  shmem: whole((_k, q) => isShmemOps(q.vma.ops)),
  alwaysOn: whole((k) => k.g.enabled === "always"),
  settingRefuses: whole(settingRefuses),
  fileSettingRefuses: whole((k, q) => !isAnonymous(q) && settingRefuses(k, q)),
  sizeRefuses: (k, q, orders) => (isAnonymous(q) ? orders & ~ordersBySetting(k, q.flags) : 0),
  orderUnsupported: (k, q, orders) => orders & ~(isAnonymous(q) ? anonOrders(k.geo.pmdOrder) : fileOrderSet(k, q.vma)),
  hugeFault: whole((k, q) => !isAnonymous(q) && hasHugeFault(k, q.vma)),
  fileThp: whole(fileThpEnabled),
  notAnonymous: whole((_k, q) => !isAnonymous(q)),
  temporaryStack: whole((_k, q) => isTemporaryStack(q.flags)),
  noAnonVma: whole((_k, q) => q.vma.anonVma === 0),
  otherwise: (_k, _q, orders) => orders,
};

export const CONDITION_IDS = Object.keys(HOLDS) as readonly ConditionId[];

/** The orders, of those given, for which a condition holds. */
export const holds = (k: Kernel, q: Question, id: ConditionId, orders: number): number => HOLDS[id](k, q, orders);
