import { isWritable } from "../../kernel/arch/geometry.ts";
import { vmaAt } from "../../kernel/mm/vma.ts";
import { VM } from "../../kernel/mm/vmFlags.ts";
import type { ResultFields } from "../../session/execute.ts";
import type { Stage } from "../../session/world.ts";
import type { AddressExpr, Operation, OperationBody } from "../../shell/operation.ts";
import { leafAt, memoryKind, type Leaf, type MemoryKind } from "./memoryKind.ts";

/** Advice that has a column of its own; the rest is "madvise other". */
const ADVICE = [
  "dontneed",
  "dontneed_locked",
  "free",
  "hugepage",
  "nohugepage",
  "collapse",
  "cold",
  "guard_install",
  "guard_remove",
  "dontfork",
  "wipeonfork",
  "populate_read",
  "populate_write",
] as const;

/** Operations that access the page they name: they may fault. */
export const ACCESSES = [
  "touch r",
  "touch w",
  "touch x",
  "kread",
  "kwrite",
  "gup r",
  "gup w",
  "mlock",
  "madvise populate_read",
  "madvise populate_write",
] as const;

/** Operations on a range of addresses that access nothing. */
export const RANGE_OPERATIONS = [
  "mmap",
  "munmap",
  "mprotect",
  "mremap move",
  "mremap dontunmap",
  "mremap resize",
  "mlock onfault",
  "munlock",
  "mincore",
  "msync",
  "mseal",
  ...ADVICE.filter((a) => !a.startsWith("populate")).map((a) => `madvise ${a}` as const),
  "madvise other",
] as const;

/** Operations on a whole process or machine: they meet every kind of memory that is there. */
export const WHOLE_OPERATIONS = ["fork", "exit", "mlockall", "prctl", "brk", "khugepaged", "sys"] as const;

export const OPERATIONS = [...ACCESSES, ...RANGE_OPERATIONS, ...WHOLE_OPERATIONS] as const;
export type OperationName = (typeof OPERATIONS)[number];

/** How the first page of an access came to be accessed. */
export const FAULT_KINDS = [
  /** the entry allowed it, or the operation accesses nothing */
  "none",
  /** there was no entry */
  "read",
  "write",
  "exec",
  /** a write (or a pin) to a page that had to be copied first, the shared zeros among them */
  "cowCopy",
  /** a write to a page that was mapped read-only and could be kept */
  "cowReuse",
  /** the process got a signal */
  "signal",
  /** the kernel's access failed: EFAULT, ENOMEM, EINVAL */
  "refused",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

const name = (op: string): OperationName | undefined => OPERATIONS.find((known) => known === op);

/** The row of the table that an operation belongs to; undefined for those without one. */
export function operationName(body: OperationBody): OperationName | undefined {
  switch (body.op) {
    case "touch":
      return name(`touch ${body.mode}`);
    case "gup":
      return body.write ? "gup w" : "gup r";
    case "madvise":
      return name(`madvise ${body.advice}`) ?? "madvise other";
    case "mremap":
      return body.dontUnmap ? "mremap dontunmap" : body.fixed !== null ? "mremap move" : "mremap resize";
    case "mlock2":
      return body.onfault ? "mlock onfault" : "mlock";
    case "mlockall":
    case "munlockall":
      return "mlockall";
    case "khugepagedScan":
      return "khugepaged";
    case "sysSet":
      return "sys";
    default:
      return name(body.op);
  }
}

/** What an operation accesses first. */
export interface Target {
  readonly mm: number;
  /** byte address of the first access */
  readonly address: number;
  /** the operation is about more than the page of that address */
  readonly isLong: boolean;
}

export function targetOf(world: Stage, operation: Operation): Target | undefined {
  const { body } = operation;
  const process = world.find(operation.process);
  if (process === undefined) return undefined;
  let at: AddressExpr | null = null;
  let length = 0n;
  if ("range" in body) {
    at = body.range.at;
    const isByte = (body.op === "touch" && !body.all) || body.op === "gup";
    const start = world.slots.resolve(at);
    length = body.range.lengthBytes ?? (isByte || start === undefined ? 1n : world.slots.defaultLength(start.address, start.slot));
  } else if (body.op === "mremap" || body.op === "kread" || body.op === "kwrite") {
    at = body.at;
    length = body.op === "mremap" ? body.oldBytes : body.lengthBytes;
  } else if (body.op === "mmap") {
    at = body.at ?? { name: body.name, offsetBytes: 0n };
    length = body.lengthBytes;
  }
  if (at === null || length === 0n) return undefined;
  const where = world.slots.resolve(at);
  if (where === undefined || where.address >= 1n << 47n) return undefined;
  return { mm: world.task(process).mm, address: Number(where.address), isLong: Number(where.address % 4096n) + Number(length) > 4096 };
}

/** What an operation is about to meet: looked at before it runs, and once more behind it. */
export class CellWatch {
  private readonly world: Stage;
  private readonly operation: Operation;
  private readonly operationName: OperationName | undefined;
  private readonly target: Target | undefined;
  private readonly kinds: readonly MemoryKind[] = [];
  private readonly before: Leaf | undefined;
  private readonly vmaFlags: number = 0;

  /** `present`: the kinds of memory that the processes have, for operations on all of it. */
  constructor(world: Stage, operation: Operation, present: readonly MemoryKind[]) {
    this.world = world;
    this.operation = operation;
    this.operationName = operationName(operation.body);
    if ((WHOLE_OPERATIONS as readonly string[]).includes(this.operationName ?? "")) {
      this.kinds = present;
      return;
    }
    this.target = targetOf(world, operation);
    if (this.target === undefined) return;
    const k = world.machine.kernel;
    const { mm, address } = this.target;
    const vpn = Math.floor(address / 4096);
    this.kinds = [memoryKind(k, mm, vpn)];
    this.before = leafAt(k, mm, vpn);
    this.vmaFlags = vmaAt(k, mm, vpn)?.flags ?? 0;
  }

  /** The cells that the operation counts for: `operation | kind | fault`. */
  cells(result: ResultFields): string[] {
    const { operationName: op } = this;
    if (op === undefined || "error" in result) return [];
    const fault = (ACCESSES as readonly string[]).includes(op) ? this.fault(result) : "none";
    return fault === undefined ? [] : this.kinds.map((kind) => cellName(op, kind, fault));
  }

  private fault(result: ResultFields): FaultKind | undefined {
    const { body } = this.operation;
    const { target } = this;
    if (target === undefined) return undefined;
    if (body.op === "touch" && body.mode === "x") {
      // what is executed ends with a signal sooner or later; what counts is how the first fetch came about
      if ((this.vmaFlags & VM.exec) === 0 || this.kinds[0] === "guard") return "signal";
      return this.before === undefined ? "exec" : "none";
    }
    if (body.op === "touch") {
      if (result.cnt === 0) return undefined;
      const first = (result.sig as readonly { at: string }[] | undefined)?.[0];
      if (first?.at === this.world.slots.print(target.address)) return "signal";
    } else if (result.ret === -1) {
      // which page of several failed is not said
      return target.isLong ? undefined : "refused";
    }
    return this.success(target);
  }

  private success(target: Target): FaultKind {
    const k = this.world.machine.kernel;
    const now = leafAt(k, target.mm, Math.floor(target.address / 4096));
    const isWrite = accessWrites(this.operation.body, this.vmaFlags);
    if (this.before === undefined) return isWrite ? "write" : "read";
    // a split of the huge zero folio changes the frame and copies nothing
    if (now?.pfn !== this.before.pfn) return isWrite || this.operation.body.op === "gup" ? "cowCopy" : "none";
    return isWrite && !isWritable(k.geo.encoding, this.before.lo) ? "cowReuse" : "none";
  }
}

/** Whether an operation writes to the page it accesses. `vmaFlags`: of the mapping; mlock writes where they allow it. */
export function accessWrites(body: OperationBody, vmaFlags: number): boolean {
  switch (body.op) {
    case "touch":
      return body.mode === "w";
    case "gup":
      return body.write;
    case "madvise":
      return body.advice === "populate_write";
    case "kread":
      return true;
    case "mlock":
    case "mlock2":
      return (vmaFlags & VM.write) !== 0;
    default:
      return false;
  }
}

export const cellName = (op: OperationName, kind: MemoryKind, fault: FaultKind): string => `${op} | ${kind} | ${fault}`;
