import { MachineCheck } from "./check/checkMachine.ts";
import type { Violation } from "./check/report.ts";
import { bootKernel, newProcess, type BootOptions, type ProcessOptions } from "./boot.ts";
import { byteAt, writePage } from "./mm/content.ts";
import { userAccess } from "./mm/access.ts";
import type { Signal } from "./mm/faultSignal.ts";
import type { AccessKind } from "./mm/translate.ts";
import type { Result } from "./mm/errno.ts";
import { fail, failed } from "./mm/errno.ts";
import { MISC, type Hooks, type Kernel, type Watch } from "./mm/kernel.ts";
import { vmstatIndex } from "./mm/vmstat.ts";
import type { Task, Vma } from "./mm/records.ts";
import { noteHighWater } from "./proc/memoryStatus.ts";
import { tunablesOf, type Tunable } from "./proc/tunables.ts";
import { runAlone, type Op } from "./sched/points.ts";
import type { StoreSnapshot } from "./store/store.ts";
import { wakeKhugepaged } from "./thp/khugepaged.ts";
import type { Pfn } from "./units.ts";
import { refuseArgument } from "./why/refusal.ts";
import type { Tracer } from "./why/tracer.ts";

/** The whole state of a machine after a command. */
export interface MachineSnapshot {
  readonly store: StoreSnapshot;
  readonly step: number;
}

/**
 * One simulated computer: the only public face of kernel/. System calls live in syscalls.ts and are run through
 * `run`; what /proc and /sys say comes from `readFile` and from the functions of proc/ given `kernel`.
 */
export class Machine {
  readonly kernel: Kernel;
  private readonly files: ReadonlyMap<string, Tunable>;
  private readonly checker: MachineCheck;

  constructor(options: BootOptions) {
    this.kernel = bootKernel(options);
    this.files = new Map(tunablesOf(this.kernel).map((t) => [t.path, t]));
    this.checker = new MachineCheck(this.kernel);
  }

  spawn(options: ProcessOptions): number {
    return newProcess(this.kernel, options);
  }

  task(slot: number): Task | undefined {
    return this.kernel.tasks.find(slot);
  }

  tasks(): Task[] {
    return [...this.kernel.tasks.entries()].map(([, t]) => t);
  }

  /** VMAs of a process in order of address. */
  vmas(task: Task): Vma[] {
    return this.kernel.mms.get(task.mm).vmas.map((s) => this.kernel.vmas.get(s));
  }

  /** Runs one operation to its end; nothing else is runnable meanwhile. */
  run<T>(op: (k: Kernel) => Op<T>): T {
    return runAlone(op(this.kernel));
  }

  /** Starts the next step: what changes from now on is said to come from it. */
  beginStep(): number {
    noteHighWater(this.kernel);
    return ++this.kernel.step;
  }

  set hooks(hooks: Hooks) {
    this.kernel.hooks = hooks;
  }

  set watch(watch: Watch | null) {
    this.kernel.watch = watch;
  }

  set tracer(tracer: Tracer | null) {
    this.kernel.tracer = tracer;
  }

  /** One byte read or written by a program (or by the kernel for it). Returns the byte read, or the signal. */
  *access(task: Task, vpn: number, offsetBytes: number, kind: AccessKind, value: number): Op<number | Signal> {
    const r = yield* userAccess(this.kernel, task.mm, vpn, offsetBytes, kind);
    if (typeof r !== "number") return r;
    if (kind === "w") {
      writePage(this.kernel, r as Pfn, offsetBytes, 1, value);
      return value;
    }
    return byteAt(this.kernel, this.kernel.stamp.get(r), offsetBytes);
  }

  /** A kernel file as text, or an errno. */
  readFile(path: string): Result<string> {
    const file = this.files.get(path);
    return file === undefined ? fail("ENOENT") : file.show(this.kernel);
  }

  *writeFile(path: string, text: string): Op<Result> {
    const result = yield* this.store(path, text);
    if (this.kernel.watch !== null) this.kernel.watch.onFileWrite(path, text, failed(result) ? result.errno : null);
    return result;
  }

  private *store(path: string, text: string): Op<Result> {
    const file = this.files.get(path);
    if (file === undefined) return refuseArgument(this.kernel, 0, "kernfs_iop_lookup", "ENOENT", "refuse.file", "value", path);
    if (file.store === undefined) return refuseArgument(this.kernel, 0, "kernfs_fop_open", "EACCES", "refuse.file", "value", path, "hint.readOnlyFile");
    return yield* file.store(this.kernel, text);
  }

  /** Paths of the kernel files this release has. */
  filePaths(): string[] {
    return [...this.files.keys()].sort();
  }

  /** One pass of khugepaged, as when its sleep ends. */
  wakeKhugepaged(): Op<void> {
    return wakeKhugepaged(this.kernel);
  }

  vmstat(name: string): number {
    const i = vmstatIndex(name);
    return i < 0 ? 0 : this.kernel.vmstat.get(i);
  }

  get clockNs(): number {
    return this.kernel.misc.get(MISC.clockNs);
  }

  snapshot(): MachineSnapshot {
    return { store: this.kernel.store.snapshot(), step: this.kernel.step };
  }

  restore(to: MachineSnapshot): void {
    this.kernel.store.restore(to.store);
    this.kernel.step = to.step;
  }

  hash(): string {
    return this.kernel.store.hash();
  }

  /** Every invariant of the machine between two operations: what is broken, or nothing. */
  check(): readonly Violation[] {
    return this.checker.run();
  }
}
