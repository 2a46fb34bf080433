import { failed } from "../../kernel/mm/errno.ts";
import { sysFtruncate, sysOpen } from "../../kernel/fileCalls.ts";
import { Machine } from "../../kernel/machine.ts";
import { MMC, type Kernel } from "../../kernel/mm/kernel.ts";
import { fileIndex, inodeOf } from "../../kernel/mm/inode.ts";
import { MAP } from "../../kernel/mm/mmap.ts";
import { forcePageCacheRa, readMarkedFolio } from "../../kernel/mm/readahead.ts";
import type { OpenFile, Task } from "../../kernel/mm/records.ts";
import { vmaAt } from "../../kernel/mm/vma.ts";
import { isHugePmd, pmdOf } from "../../kernel/thp/splitPmd.ts";
import type { Profile } from "../../kernel/profile/profile.ts";
import { sysBrk, sysMadvise, sysMmap, sysMprotect, sysMremap, sysMunmap, sysSetThpDisable } from "../../kernel/syscalls.ts";
import { faultPages, FileRanges, layoutOf, STACK_TOP, type ExecMapping, type Layout, type Mark } from "./layout.ts";
import { accessOf, type Access, type CallEvent, type FaultEvent, type Program, type RssMember } from "./readProgram.ts";

/** Replays a recording on a machine: its calls, and the accesses that faulted, in the recorded order. */

export interface OurRss {
  readonly member: RssMember;
  readonly bytes: number;
}

/** What the simulator did with one fault or call of the recording, and the RSS changes of it. */
export interface Replayed {
  /** index of the event in the recording */
  readonly at: number;
  readonly event: FaultEvent | CallEvent;
  /** addresses that faulted */
  readonly faults: readonly number[];
  /** a signal, or the result or errno of a call where it is not the recorded one */
  readonly trouble: string | null;
  readonly rss: readonly OurRss[];
}

export interface Replay {
  readonly steps: readonly Replayed[];
  readonly layout: Layout;
}

export interface ReplayOptions {
  readonly patches?: readonly string[];
  readonly config?: readonly (readonly [path: string, value: string])[];
  /** PR_SET_THP_DISABLE of the program: 1 with no flags, 3 with PR_THP_DISABLE_EXCEPT_ADVISED */
  readonly thpDisable?: 0 | 1 | 3;
}

/** What of a recording is the same for each replay of it. */
export interface PreparedProgram {
  readonly program: Program;
  readonly layout: Layout;
  /** pages that each file has at least */
  readonly sizes: ReadonlyMap<string, number>;
  /** pages that a fault of the recording is at */
  readonly faulting: ReadonlySet<number>;
}

export const prepareProgram = (program: Program): PreparedProgram => ({
  program,
  layout: layoutOf(program),
  sizes: fileSizes(program),
  faulting: faultPages(program),
});

/** A kernel file that the replay has to write refused its value. */
export class SettingRefused extends Error {
  readonly path: string;
  readonly value: string;
  readonly errno: string;

  constructor(path: string, value: string, errno: string) {
    super(`${path}: ${errno}`);
    this.path = path;
    this.value = value;
    this.errno = errno;
  }
}

const MEMBERS: readonly (readonly [number, RssMember])[] = [
  [MMC.filePages, "MM_FILEPAGES"],
  [MMC.anonPages, "MM_ANONPAGES"],
  [MMC.swapEntries, "MM_SWAPENTS"],
  [MMC.shmemPages, "MM_SHMEMPAGES"],
];
const MEMBER_OF: ReadonlyMap<number, RssMember> = new Map(MEMBERS);

const THP_ENABLED = "/sys/kernel/mm/transparent_hugepage/enabled";
/** where files of recordings are kept */
const DISK = "/mnt/ext4";
/** pages that the stack has below its top when a program starts: 128 KiB (setup_arg_pages), and those of its arguments */
const STACK_START_PAGES = 34;
/** Files are put into the page cache whole up to this many pages in sum: 1 GiB. */
const MAX_WARM_PAGES = 1 << 18;
const ERRNO_START = 2 ** 63;

/** @throws SettingRefused where the machine does not take a setting */
export function replayProgram(program: Program, profile: Profile, options: ReplayOptions = {}): Replay {
  const replay = new ProgramReplay(prepareProgram(program), profile, options);
  return { steps: [...replay.steps()], layout: replay.layout };
}

/** A machine on which a recorded program runs: exec is done, the events are carried out one by one. */
export class ProgramReplay {
  readonly layout: Layout;
  readonly machine: Machine;
  readonly task: Task;
  private readonly program: Program;
  private readonly faulting: ReadonlySet<number>;
  private readonly k: Kernel;
  private readonly files = new Map<string, OpenFile>();
  private readonly sizes: ReadonlyMap<string, number>;
  /** pages that may still be read into the cache as whole files */
  private warmPages = MAX_WARM_PAGES;
  private rss: OurRss[] = [];
  private faults: number[] = [];

  /** @throws SettingRefused where the machine does not take a setting */
  constructor({ program, layout, sizes, faulting }: PreparedProgram, profile: Profile, options: ReplayOptions) {
    this.program = program;
    this.layout = layout;
    this.sizes = sizes;
    this.faulting = faulting;
    this.machine = new Machine({ profile, patches: options.patches ?? [] });
    this.k = this.machine.kernel;
    for (const [path, value] of [[THP_ENABLED, program.thpEnabled] as const, ...(options.config ?? [])]) {
      const r = this.machine.run(() => this.machine.writeFile(path, value));
      if (failed(r)) throw new SettingRefused(path, value, r.errno);
    }
    this.task = this.k.tasks.get(this.machine.spawn({ comm: program.name }));
    this.disableThp(options.thpDisable ?? 0);
    this.exec();
  }

  /** Carries out the events of the recording, one each time the next step is asked for. */
  *steps(): Generator<Replayed, void> {
    const { k, task } = this;
    this.machine.hooks = { onFault: (mm, vpn, offset) => void (mm === task.mm && this.faults.push(vpn * 4096 + offset)), onQuantum: null };
    k.onCount = (mm, counter) => {
      const member = MEMBER_OF.get(counter);
      if (mm === task.mm && member !== undefined) this.rss.push({ member, bytes: k.mmCount(mm, counter) * 4096 });
    };
    const names = new FileRanges();
    for (const [at, event] of this.program.events.entries()) {
      if (event.kind === "pf" || event.kind === "sys") {
        this.rss = [];
        this.faults = [];
        this.machine.beginStep();
        const trouble = event.kind === "pf" ? this.fault(event) : this.call(event, names.nameOf(event));
        yield { at, event, faults: this.faults, trouble, rss: this.rss };
      }
      names.note(event);
    }
    k.onCount = null;
  }

  /** One more access of the program, which is not in the recording. */
  touch(page: number, access: Access): Pick<Replayed, "faults" | "rss"> {
    this.rss = [];
    this.faults = [];
    this.machine.run(() => this.machine.access(this.task, page, 0, access, 1));
    return { faults: this.faults, rss: this.rss };
  }

  /** The pages that a PMD maps around a page; null: no PMD maps it. */
  hugeBlock(page: number): { readonly start: number; readonly end: number } | null {
    const { k } = this;
    const pmd = pmdOf(k, this.task.mm, page);
    if (pmd === undefined || !isHugePmd(k, pmd.lo)) return null;
    const start = page - (page % 2 ** k.geo.pmdOrder);
    return { start, end: start + 2 ** k.geo.pmdOrder };
  }

  /** Is the page in a mapping of a file? */
  isOfFile(page: number): boolean {
    const vma = vmaAt(this.k, this.task.mm, page);
    return vma !== undefined && vma.ops !== "none";
  }

  /** Mappings get it from the process that called exec. */
  private disableThp(value: 0 | 1 | 3): void {
    if (value === 0) return;
    const r = sysSetThpDisable(this.k, this.task, 1n, value === 3 ? 2 : 0);
    if (failed(r)) throw new SettingRefused("PR_SET_THP_DISABLE", String(value), r.errno);
  }

  // --- what exec left behind

  private exec(): void {
    const { k, task, layout } = this;
    for (const m of layout.mappings) {
      const file = m.isFile ? this.file(execFile(m)) : null;
      const what = file === null ? { flags: MAP.anonymous } : { flags: 0, file, offset: BigInt(m.start - execBase(m)) * 4096n };
      this.map(m.start, m.end - m.start, m.prot, what);
    }
    this.map(STACK_TOP - STACK_START_PAGES, STACK_START_PAGES, 3, { flags: MAP.anonymous | MAP.growsDown });
    if (layout.brk !== null) k.mms.update(task.mm, { startBrk: Math.ceil(layout.brk / 4096), brkBytes: layout.brk });
    for (const page of this.writtenByExec()) this.machine.run(() => this.machine.access(task, page, 0, "w", 1));
  }

  /** Pages that exec wrote fault no more. Which they are is not recorded: those at the top of the stack that never fault stand for them. */
  private writtenByExec(): number[] {
    const { faulting } = this;
    const out: number[] = [];
    for (let page = STACK_TOP - 1; page >= STACK_TOP - STACK_START_PAGES && out.length < this.layout.written; page--) if (!faulting.has(page)) out.push(page);
    return out;
  }

  private map(start: number, pages: number, prot: number, what: { readonly flags: number; readonly file?: OpenFile; readonly offset?: bigint }): void {
    const flags = what.flags | MAP.private | MAP.fixed;
    this.machine.run((k) => sysMmap(k, this.task, { ...what, address: BigInt(start) * 4096n, length: BigInt(pages) * 4096n, prot, flags }));
  }

  /** A file of the recording, as long as its mappings reach. */
  private file(name: string): OpenFile {
    const open = this.files.get(name);
    if (open !== undefined) return open;
    const { k } = this;
    const file = sysOpen(k, `${DISK}/${name.replace(/\//g, "!")}`, true, true);
    if (failed(file)) throw new Error(`no file for ${name}: ${file.errno}`);
    this.files.set(name, file);
    const exec = this.layout.mappings.find((m) => m.isFile && name === execFile(m));
    const pages = exec === undefined ? (this.sizes.get(name) ?? 1) : exec.end - execBase(exec);
    sysFtruncate(k, file, BigInt(pages) * 4096n);
    const marks = exec === undefined ? this.layout.marks.filter((m) => m.file === name) : this.execMarks(exec);
    for (const mark of marks) readMarkedFolio(k, k.inodes.get(file.inode), mark.page - (mark.page % mark.pages), Math.log2(mark.pages));
    // the recordings were made warm
    const ready = Math.min(pages, this.warmPages);
    this.warmPages -= ready;
    forcePageCacheRa(k, k.inodes.get(file.inode), 0, ready);
    return file;
  }

  private execMarks(exec: ExecMapping): Mark[] {
    const own = this.layout.marks.filter((m) => m.file === exec.what && m.page >= exec.start && m.page < exec.end);
    return own.map((m) => ({ ...m, page: m.page - execBase(exec) }));
  }

  /** What a fault at the page can reach of a file is in the cache, also of files too large to be there whole. */
  private warm(page: number): void {
    const { k } = this;
    const vma = vmaAt(k, this.task.mm, page);
    if (vma === undefined || vma.ops !== "disk") return;
    const first = Math.max(0, fileIndex(vma, page) - k.g.faultAroundPages);
    forcePageCacheRa(k, inodeOf(k, vma), first, 2 * k.g.faultAroundPages + 1);
  }

  // --- events

  private fault(event: FaultEvent): string | null {
    const page = Math.floor(event.address / 4096);
    if (page >= this.k.geo.taskSizePages) return "not a user address";
    this.warm(page);
    const r = this.machine.run(() => this.machine.access(this.task, page, event.address % 4096, accessOf(event), 1));
    return typeof r === "number" ? null : `${r.signal} ${r.code}`;
  }

  private call(event: CallEvent, file: string | null): string | null {
    const { task } = this;
    const arg = (name: string): bigint => BigInt(event.args[name] ?? 0);
    const number = (name: string): number => event.args[name] ?? 0;
    const run = this.machine.run.bind(this.machine);
    switch (event.name) {
      case "mmap":
        return this.mmap(event, file);
      case "munmap":
        return told(
          event,
          run((k) => sysMunmap(k, task, arg("addr"), arg("len"))),
        );
      case "mprotect":
        return told(
          event,
          run((k) => sysMprotect(k, task, arg("start"), arg("len"), number("prot"))),
        );
      case "madvise":
        return told(
          event,
          run((k) => sysMadvise(k, task, arg("start"), arg("len_in"), number("behavior"))),
        );
      case "brk":
        return told(
          event,
          run((k) => sysBrk(k, task, arg("brk"))),
        );
      case "mremap": {
        const isFixed = event.result < ERRNO_START && event.result !== number("addr");
        const fixed = isFixed ? BigInt(event.result) : null;
        const flags = number("flags");
        const sizes = { address: arg("addr"), oldLength: arg("old_len"), newLength: arg("new_len") };
        return told(
          event,
          run((k) => sysMremap(k, task, { ...sizes, mayMove: (flags & 1) !== 0, dontUnmap: (flags & 4) !== 0, fixed })),
        );
      }
      default:
        return `${event.name} is not replayed`;
    }
  }

  /** Where the kernel chose the place, the mapping goes where it was recorded. */
  private mmap(event: CallEvent, name: string | null): string | null {
    const given = event.args["flags"] ?? 0;
    const isPlaced = event.result < ERRNO_START;
    const flags = isPlaced && (given & (MAP.fixed | MAP.fixedNoReplace)) === 0 ? given | MAP.fixedNoReplace : given;
    const what = name === null ? {} : { file: this.file(name), offset: BigInt(event.args["off"] ?? 0) };
    const address = BigInt(isPlaced ? event.result : (event.args["addr"] ?? 0));
    const length = BigInt(event.args["len"] ?? 0);
    return told(
      event,
      this.machine.run((k) => sysMmap(k, this.task, { address, length, prot: event.args["prot"] ?? 0, flags, ...what })),
    );
  }
}

/** Each mapping of exec's has a file of its own, so that neighbours stay apart as the segments of a program do. */
const execFile = (m: ExecMapping): string => `exec ${m.what} ${m.start}`;
/** The page of address space where the file would begin: folios lie in it as they do in the address space. */
const execBase = (m: ExecMapping): number => m.start - (m.start % 512);

/** What a call answered, where it is not what was recorded. */
function told(event: CallEvent, ours: number | bigint | { readonly errno: string }): string | null {
  const recordedFailure = event.result >= ERRNO_START;
  if (typeof ours === "object") return recordedFailure ? null : ours.errno;
  return !recordedFailure && Number(ours) === event.result ? null : String(ours);
}

/** Pages that each file has at least: as far as its mappings reach. */
function fileSizes(program: Program): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  const names = new FileRanges();
  for (const e of program.events) {
    const name = e.kind === "sys" ? names.nameOf(e) : null;
    if (e.kind === "sys" && name !== null) {
      const end = Math.ceil(((e.args["off"] ?? 0) + (e.args["len"] ?? 0)) / 4096);
      sizes.set(name, Math.max(sizes.get(name) ?? 0, end));
    }
    names.note(e);
  }
  return sizes;
}
