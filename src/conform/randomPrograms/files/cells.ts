import { isWritable } from "../../../kernel/arch/geometry.ts";
import { fileIndex, inodeOf, sizePages } from "../../../kernel/mm/inode.ts";
import { filemapPage } from "../../../kernel/mm/pageCache.ts";
import type { Vma } from "../../../kernel/mm/records.ts";
import { vmaAt } from "../../../kernel/mm/vma.ts";
import { VM } from "../../../kernel/mm/vmFlags.ts";
import { NO_PFN } from "../../../kernel/units.ts";
import type { ResultFields } from "../../../session/execute.ts";
import type { Stage } from "../../../session/world.ts";
import { inodeOfName } from "../../../session/why/fileFacts.ts";
import type { Operation, OperationBody } from "../../../shell/operation.ts";
import { accessWrites, targetOf, type Target } from "../cells.ts";
import { leafAt, type Leaf } from "../memoryKind.ts";
import { kindOfVma, type FileKind } from "./kinds.ts";

/** Operations that access the page they name: they may fault. */
export const FILE_ACCESSES = ["touch r", "touch w", "kread", "kwrite", "gup r", "gup w", "mlock", "madvise populate_read", "madvise populate_write"] as const;

const ADVICE = [
  "dontneed",
  "free",
  "hugepage",
  "nohugepage",
  "collapse",
  "cold",
  "remove",
  "willneed",
  "random",
  "sequential",
  "normal",
  "dontfork",
  "guard_install",
] as const;

/** Operations on a range of addresses that access nothing. */
export const FILE_RANGES = [
  "mmap",
  "munmap",
  "mprotect",
  "mremap move",
  "mremap resize",
  "mlock onfault",
  "munlock",
  "mincore",
  "msync",
  ...ADVICE.map((a) => `madvise ${a}` as const),
] as const;

/** Calls on the file itself; they count for every kind of mapping that it has. */
export const FILE_CALLS = [
  "truncate",
  "falloc alloc",
  "falloc keep",
  "falloc punch",
  "falloc zero",
  "falloc collapse",
  "fwrite",
  "fread",
  "fsync",
  "fadvise dontneed",
  "fadvise willneed",
] as const;

/** Operations on a whole process or machine: they meet every kind of memory that is there. */
export const FILE_WHOLES = ["fork", "exit", "khugepaged", "prctl", "sys"] as const;

export const FILE_OPERATIONS = [...FILE_ACCESSES, ...FILE_RANGES, ...FILE_CALLS, ...FILE_WHOLES] as const;
export type FileOperation = (typeof FILE_OPERATIONS)[number];

/** How the first page of an access came to be accessed. */
export const FILE_FAULTS = [
  /** the entry allowed it, or the operation accesses nothing */
  "none",
  /** no entry, and the page cache had the page; or had it not, so that it was read or made */
  "readHit",
  "readMiss",
  /** a write without an entry: to the file's page, or to a private copy made at once */
  "sharedHit",
  "sharedMiss",
  "cowFault",
  /** a write to a read-only entry: of a shared mapping, of a private one that has the file's page, of a private copy that is kept, or copied again */
  "mkwrite",
  "cowFile",
  "cowReuse",
  "cowAnon",
  /** a page behind the end of the file */
  "beyondEof",
  /** the mapping does not allow it */
  "refused",
] as const;
export type FileFault = (typeof FILE_FAULTS)[number];

const known = (text: string): FileOperation | undefined => FILE_OPERATIONS.find((each) => each === text);

/** The row of the table that an operation belongs to; undefined for those without one. */
export function fileOperationName(body: OperationBody): FileOperation | undefined {
  switch (body.op) {
    case "touch":
      return known(`touch ${body.mode}`);
    case "gup":
      return body.write ? "gup w" : "gup r";
    case "madvise":
      return known(`madvise ${body.advice}`);
    case "mremap":
      return body.fixed !== null ? "mremap move" : "mremap resize";
    case "mlock2":
      return body.onfault ? "mlock onfault" : "mlock";
    case "falloc":
      return known(`falloc ${body.mode}`);
    case "fadvise":
      return known(`fadvise ${body.advice}`);
    case "khugepagedScan":
      return "khugepaged";
    case "sysSet":
      return "sys";
    default:
      return known(body.op);
  }
}

const isWhole = (op: FileOperation): boolean => (FILE_WHOLES as readonly string[]).includes(op);
const isAccess = (op: FileOperation): boolean => (FILE_ACCESSES as readonly string[]).includes(op);

/** What an operation is about to meet: looked at before it runs, and once more behind it. */
export class FileCellWatch {
  private readonly world: Stage;
  private readonly operation: Operation;
  private readonly name: FileOperation | undefined;
  private readonly target: Target | undefined;
  private readonly kinds: readonly FileKind[] = [];
  private readonly vma: Vma | undefined;
  private readonly before: Leaf | undefined;
  private readonly wasAnon: boolean = false;
  private readonly wasCached: boolean = false;

  /** `present`: the kinds of mappings that the processes have, for operations on all of them. */
  constructor(world: Stage, operation: Operation, present: readonly FileKind[]) {
    this.world = world;
    this.operation = operation;
    this.name = fileOperationName(operation.body);
    if (this.name === undefined) return;
    const k = world.machine.kernel;
    if (isWhole(this.name)) {
      this.kinds = present;
      return;
    }
    if ("file" in operation.body && operation.body.op !== "mmap") {
      this.kinds = kindsOfFile(world, operation.body.file);
      return;
    }
    this.target = targetOf(world, operation);
    if (this.target === undefined) return;
    const vpn = Math.floor(this.target.address / 4096);
    this.vma = vmaAt(k, this.target.mm, vpn);
    const kind = this.vma === undefined ? undefined : kindOfVma(k, this.vma);
    if (this.vma === undefined || kind === undefined) return;
    this.kinds = [kind];
    this.before = leafAt(k, this.target.mm, vpn);
    const inode = inodeOf(k, this.vma).slot;
    const page = filemapPage(k, inode, fileIndex(this.vma, vpn));
    this.wasCached = page !== NO_PFN;
    this.wasAnon = this.before !== undefined && this.before.pfn !== page;
  }

  /** The cells that the operation counts for. */
  cells(result: ResultFields): string[] {
    const { name } = this;
    if (name === undefined || "error" in result) return [];
    const fault = isAccess(name) ? this.fault(result) : "none";
    return fault === undefined ? [] : this.kinds.map((kind) => fileCellName(name, kind, fault));
  }

  private fault(result: ResultFields): FileFault | undefined {
    const { body } = this.operation;
    const { target, vma } = this;
    if (target === undefined || vma === undefined) return undefined;
    const vpn = Math.floor(target.address / 4096);
    let isFailed = false;
    if (body.op === "touch") {
      if (result.cnt === 0) return undefined;
      const first = (result.sig as readonly { at: string }[] | undefined)?.[0];
      isFailed = first?.at === this.world.slots.print(target.address);
    } else if (result.ret === -1) {
      // which page of several failed is not said
      if (target.isLong) return undefined;
      isFailed = true;
    }
    const k = this.world.machine.kernel;
    const isWrite = accessWrites(body, vma.flags & VM.shared ? 0 : vma.flags);
    const isShared = (vma.flags & VM.shared) !== 0;
    if (isFailed) {
      // a guard is none of the table's outcomes
      if (this.before !== undefined && this.before.pfn < 0) return undefined;
      const allowed = (vma.flags & (isWrite ? VM.write : VM.read | VM.write | VM.exec)) !== 0;
      return allowed && fileIndex(vma, vpn) >= sizePages(inodeOf(k, vma)) ? "beyondEof" : "refused";
    }
    if (this.before === undefined) {
      if (!isWrite) return this.wasCached ? "readHit" : "readMiss";
      return !isShared ? "cowFault" : this.wasCached ? "sharedHit" : "sharedMiss";
    }
    const now = leafAt(k, target.mm, vpn);
    if (now?.pfn !== this.before.pfn) return this.wasAnon ? "cowAnon" : "cowFile";
    if (!isWrite || isWritable(k.geo.encoding, this.before.lo)) return "none";
    return isShared ? "mkwrite" : "cowReuse";
  }
}

/** Kinds of mappings that a file has. */
function kindsOfFile(world: Stage, name: string): FileKind[] {
  const k = world.machine.kernel;
  const kinds = inodeOfName(world, name)?.vmas.map((slot) => kindOfVma(k, k.vmas.get(slot))) ?? [];
  return [...new Set(kinds.filter((kind) => kind !== undefined))];
}

export const fileCellName = (op: FileOperation, kind: FileKind, fault: FileFault): string => `${op} | ${kind} | ${fault}`;
