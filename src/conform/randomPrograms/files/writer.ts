import { isWritable } from "../../../kernel/arch/geometry.ts";
import { inodeOf } from "../../../kernel/mm/inode.ts";
import { vmasIn } from "../../../kernel/mm/vma.ts";
import { VM, VM_ACCESS } from "../../../kernel/mm/vmFlags.ts";
import type { Profile } from "../../../kernel/profile/profile.ts";
import { LearnerWorld } from "../../../session/learnerWorld.ts";
import { nameOfInode } from "../../../session/why/fileFacts.ts";
import { AddressModel } from "../../generate/addressModel.ts";
import { Random } from "../../generate/random.ts";
import { leafAt } from "../memoryKind.ts";
import { operationOf, PROGRAM_MIB, type NextOperation, type Writer } from "../program.ts";
import { FILE_OPERATIONS, FileCellWatch, type FileFault, type FileOperation } from "./cells.ts";
import { FILE_KINDS, kindOfVma, type FileKind } from "./kinds.ts";
import { fileFaultsOf, isFileAccess, isFileRange } from "./reachable.ts";
import { fileRecipe, type MadeFile } from "./recipes.ts";

interface Aim {
  readonly operation: FileOperation;
  readonly kind: FileKind;
  readonly fault: FileFault;
}

/** Every cell that can be reached. */
const AIMS: readonly Aim[] = FILE_OPERATIONS.flatMap((operation) =>
  FILE_KINDS.flatMap((kind) => fileFaultsOf(operation, kind).map((fault) => ({ operation, kind, fault }))),
);
/** A prime above the number of aims of one kind of operation. */
const STEP = 223;
/** Aims that a program of 50 operations gets through, about. */
const AIMS_EACH = 17;

const LENGTHS = ["4k", "4k", "8k", "64k", "1M", "2M"] as const;
const PRELUDE = ["sys thp enabled madvise", "sys khp pages_to_scan 100000"] as const;

/** Accesses that need the mapping to be writable. */
const WRITES: ReadonlySet<FileOperation> = new Set(["touch w", "kread", "gup w", "madvise populate_write"]);

/** "A+0x1000" as an address. */
function addressOf(text: string): { readonly name: string; readonly offsetBytes: bigint } {
  const [name, offset = "0"] = text.split("+");
  return { name, offsetBytes: BigInt(offset) };
}

/** Writes a random program of files line by line while it runs: it aims at cells of the table one after the other. */
export class FileProgramWriter implements Writer {
  readonly lines: string[] = [];
  readonly world: LearnerWorld;
  private readonly random: Random;
  private readonly model = new AddressModel();
  private readonly queue: string[] = [];
  private next_: number;
  private files = 0;
  private mounts = 0;
  private forks = 0;

  constructor(profile: Profile, seed: number, index: number) {
    this.world = new LearnerWorld({ profile, memoryMiB: PROGRAM_MIB });
    this.random = new Random(seed, index);
    this.next_ = (index * AIMS_EACH * STEP) % AIMS.length;
    this.queue.push(...PRELUDE.filter(() => this.world.machine.kernel.geo.thp));
  }

  next(): NextOperation {
    if (this.queue.length === 0) this.aim();
    const line = this.queue.shift() ?? "";
    this.lines.push(line);
    const operation = operationOf(line);
    const watch = new FileCellWatch(this.world, operation, this.present());
    return { operation, cells: (result) => watch.cells(result) };
  }

  private *mappings(): Generator<{ readonly kind: FileKind; readonly vmaFlags: number; readonly made: MadeFile }> {
    const k = this.world.machine.kernel;
    for (const process of this.world.living()) {
      for (const vma of vmasIn(k, this.world.task(process).mm, 0, k.geo.taskSizePages)) {
        const kind = kindOfVma(k, vma);
        if (kind === undefined || !this.world.slots.inSlots(vma.start * 4096)) continue;
        const page = vma.start + this.random.pick([0, 0, 0, Math.floor((vma.end - vma.start) / 2), vma.end - vma.start - 1]);
        const slot = this.world.slots.print(page * 4096);
        yield { kind, vmaFlags: vma.flags, made: { slot, file: nameOfInode(this.world, inodeOf(k, vma).slot), process: process.name } };
      }
    }
  }

  /** The entry at a place is there, and writable if need be. */
  private allows({ slot, process }: MadeFile, write: boolean): boolean {
    const found = this.world.find(process);
    const address = this.world.slots.resolve(addressOf(slot))?.address;
    if (found === undefined || address === undefined) return false;
    const k = this.world.machine.kernel;
    const leaf = leafAt(k, this.world.task(found).mm, Number(address) / 4096);
    return leaf !== undefined && leaf.pfn >= 0 && (leaf.lo & k.geo.encoding.present) !== 0 && (!write || isWritable(k.geo.encoding, leaf.lo));
  }

  private present(): FileKind[] {
    return [...new Set([...this.mappings()].map(({ kind }) => kind))];
  }

  /** Lines for the next aim: what is there already is good enough where nothing hangs on how it came about. */
  private aim(): void {
    const { operation, kind, fault } = AIMS[this.next_];
    this.next_ = (this.next_ + STEP) % AIMS.length;
    const ofKind = [...this.mappings()].filter((each) => each.kind === kind);
    // what is mapped already is accessed without a fault, if the entry allows it
    const isReady = isFileAccess(operation) && fault === "none";
    const isForbidden = isFileAccess(operation) && fault === "refused";
    const writes = WRITES.has(operation);
    const there = isReady
      ? ofKind.filter((each) => this.allows(each.made, writes || operation === "mlock"))
      : isForbidden
        ? ofKind.filter((each) => (each.vmaFlags & (writes ? VM.write : VM_ACCESS)) === 0)
        : ofKind;
    const needsOwn = (isFileAccess(operation) && !isReady && !isForbidden) || there.length === 0 || (this.random.chance(6) && this.model.nameCount < 50);
    const made = needsOwn ? this.make(kind, fault, operation) : this.random.pick(there).made;
    this.queue.push(...this.text(operation, made));
  }

  private make(kind: FileKind, fault: FileFault, operation: FileOperation): MadeFile {
    const { random } = this;
    const processes = this.world.living().map((p) => p.name);
    const { lines, made } = fileRecipe(kind, fault, operation, {
      random,
      process: random.pick(processes),
      newSlot: () => this.model.newName(),
      newFile: () => `f${++this.files}`,
      tmpfs: () => this.tmpfs(),
      fork: (process) => this.fork(process),
      needsWrite: WRITES.has(operation),
    });
    this.queue.push(...lines);
    return made;
  }

  private tmpfs(): { readonly name: string; readonly lines: readonly string[] } {
    if (this.mounts > 0 && this.random.chance(85)) return { name: `T${this.random.between(1, this.mounts)}`, lines: [] };
    const name = `T${++this.mounts}`;
    return {
      name,
      lines: [`mount ${name} tmpfs huge=${this.random.pick(["always", "within_size", "advise", "never"])},size=${this.random.pick(["64M", "64M", "8M"])}`],
    };
  }

  private fork(process: string): { readonly lines: readonly string[]; readonly child: string } {
    const living = this.world.living().map((p) => p.name);
    const children = living.filter((name) => name !== "P" && name !== process);
    const ended = living.length >= 5 && children.length > 0 ? [`@${this.random.pick(children)} exit`] : [];
    const child = `D${++this.forks}`;
    return { lines: [...ended, `@${process} fork ${child}`], child };
  }

  private text(operation: FileOperation, made: MadeFile): string[] {
    const by = `@${made.process} `;
    if (isFileAccess(operation)) return [by + this.access(operation, made.slot)];
    if (isFileRange(operation)) return [by + this.range(operation, made)];
    return made.file !== null && !["fork", "exit", "khugepaged", "prctl", "sys"].includes(operation)
      ? [this.call(operation, made.file)]
      : this.whole(operation, made.process);
  }

  private access(operation: FileOperation, at: string): string {
    switch (operation) {
      case "kread":
      case "kwrite":
        return `${operation} ${at} 1`;
      case "gup r":
      case "gup w":
        return `gup ${at} ${operation.slice(-1)}`;
      case "mlock":
        return `mlock ${at} 4k`;
      case "madvise populate_read":
      case "madvise populate_write":
        return operation.replace("madvise ", `madvise ${at} 4k `);
      default:
        return `touch ${at} ${operation.slice(-1)}`;
    }
  }

  private range(operation: FileOperation, { slot, file }: MadeFile): string {
    const { random } = this;
    const length = random.pick(LENGTHS);
    switch (operation) {
      case "mmap":
        return `mmap ${this.model.newName()} ${length} ${random.pick(["rw", "r"])} ${random.pick(["shared", "private"])} ${file === null ? "anon" : `file=${file}`} fixed at=${slot}`;
      case "mprotect":
        return `mprotect ${slot} ${length} ${random.pick(["r", "rw", "rw", "none"])}`;
      case "mremap move":
        return `mremap ${slot} ${length} ${length} maymove fixed=${this.model.newName()}${random.pick(["", "+4k", "+2M"])}`;
      case "mremap resize":
        return `mremap ${slot} ${length} ${random.pick(LENGTHS)}`;
      case "mlock onfault":
        return `mlock2 ${slot} ${length} onfault`;
      case "madvise collapse":
        return `madvise ${slot} 2M collapse`;
      default: {
        const [call, advice = ""] = operation.split(" ");
        return `${call} ${slot} ${length} ${advice}`.trim();
      }
    }
  }

  private call(operation: FileOperation, file: string): string {
    const { random } = this;
    const offset = random.pick(["0", "0", "4k", "64k", "1M", "100"]);
    const length = random.pick(["4k", "64k", "1M", "2M", "5000"]);
    switch (operation) {
      case "truncate":
        return `truncate ${file} ${random.pick(["0", "4k", "5000", "64k", "1M", "2M", "3M"])}`;
      case "fsync":
        return `fsync ${file}`;
      case "fwrite":
        return `fwrite ${file} ${offset} ${length} ${random.between(1, 99)}`;
      case "fread":
        return `fread ${file} ${offset} ${length}`;
      case "falloc collapse":
        return `falloc ${file} collapse ${random.pick(["0", "4k", "64k"])} ${random.pick(["4k", "8k", "64k"])}`;
      default: {
        const [name, how] = operation.split(" ");
        return name === "falloc" ? `falloc ${file} ${how} ${offset} ${length}` : `fadvise ${file} ${random.pick([`${offset} ${length}`, "0 0"])} ${how}`;
      }
    }
  }

  private whole(operation: FileOperation, process: string): string[] {
    const { random } = this;
    switch (operation) {
      case "fork":
        return [...this.fork(process).lines];
      case "exit": {
        const children = this.world.living().filter((p) => p.name !== "P");
        return children.length > 0 ? [`@${random.pick(children).name} exit`] : [...this.fork(process).lines, `@D${this.forks} exit`];
      }
      case "khugepaged":
        return ["khugepaged scan 1"];
      case "prctl":
        return [`@${process} prctl thp_disable ${random.pick(["0", "0", "1"])}`];
      default:
        return [this.setting()];
    }
  }

  private setting(): string {
    const { random } = this;
    const sizes = this.world.machine.kernel.era.shmemSizes;
    if (sizes && random.chance(40))
      return `sys mthp ${random.pick(["64kB", "2048kB"])} shmem_enabled ${random.pick(["always", "inherit", "within_size", "advise", "never"])}`;
    return `sys thp shmem_enabled ${random.pick(["always", "within_size", "advise", "never", "deny"])}`;
  }
}
