import type { ScriptFiles } from "./fileOperations.ts";
import { Machine } from "../kernel/machine.ts";
import type { Kernel } from "../kernel/mm/kernel.ts";
import { MAP } from "../kernel/mm/mmap.ts";
import type { Task } from "../kernel/mm/records.ts";
import { insertVma } from "../kernel/mm/vma.ts";
import { VM } from "../kernel/mm/vmFlags.ts";
import type { Profile } from "../kernel/profile/profile.ts";
import { runAlone } from "../kernel/sched/points.ts";
import { setKhugepaged } from "../kernel/thp/khugepaged.ts";
import { statusOf, sysMadvise, sysMmap } from "../kernel/syscalls.ts";
import { touchRange } from "../kernel/touch.ts";
import { statAccount } from "../kernel/mm/mmap.ts";
import { FaultLog } from "./faultLog.ts";
import { slotLayout, SlotTable } from "./slots.ts";

/** Most processes a script may have alive at once, as the recorder. */
export const MAX_PROCESSES = 8;

/** What an operation is carried out on: the world of a script, or that of a learner. */
export type Stage = Pick<World, "machine" | "slots" | "processes" | "faultLogs" | "files" | "find" | "task">;

export interface ScriptProcess {
  readonly name: string;
  readonly task: number;
}

/** Mappings of the recorder's own: [first page, pages]. 1987 pages in all, 6 of them (vvar and vdso) special. */
const OWN_MAPPINGS: readonly (readonly [number, number])[] = [
  [0x400, 248],
  [0x500, 34],
  [0x7ffff7a00, 1024],
  [0x7ffff7f00, 64],
  [0x7ffff7e00, 240],
  [0x7fffff6a0, 338],
  [0x7ffffffde, 33],
];
const SPECIAL: readonly [number, number] = [0x7ffff7ff0, 6];

/**
 * What a script runs in: a machine, processes by name, address names, and the baseline that the recorder sets before
 * the first operation (conformance/GRAMMAR.md, "Profiles and baseline").
 */
export class World {
  readonly machine: Machine;
  slots: SlotTable;
  /** in the recorder's order: P first, a child in the first free place */
  processes: (ScriptProcess | undefined)[] = [];
  /** what names of files and mounts stand for */
  files: ScriptFiles = new Map();
  readonly faultLogs = new Map<number, FaultLog>();
  /** VmPTE and VmSize of P when the script starts, kB */
  readonly base: { pte: number; size: number };

  constructor(profile: Profile, options: { readonly patches?: readonly string[]; readonly memoryMiB?: number; readonly cpus?: number } = {}) {
    this.machine = new Machine({ profile, ...options });
    this.slots = new SlotTable(slotLayout(this.machine.kernel.geo.taskSizePages));
    const m = this.machine;
    m.run((k) => baseline(k));
    if (m.kernel.geo.thp) this.startAnchor();
    const p = m.spawn({ comm: "P" });
    this.processes[0] = { name: "P", task: p };
    ownMappings(m.kernel, m.kernel.tasks.get(p));
    const status = statusOf(m.kernel, m.kernel.tasks.get(p).mm);
    this.base = { pte: status.VmPTE, size: status.VmSize };
    m.hooks = {
      onFault: (mm, vpn, offset) => {
        const address = vpn * 4096 + offset;
        this.logOf(mm).add(address, this.slots.inSlots(address));
      },
      onQuantum: null,
    };
  }

  /** The process that keeps khugepaged's list from being empty: one faulted THP (GRAMMAR.md). */
  private startAnchor(): void {
    const m = this.machine;
    const task = m.kernel.tasks.get(m.spawn({ comm: "anchor" }));
    m.run((k) => sysMmap(k, task, { address: 0x700000000n, length: 2n << 20n, prot: 3, flags: MAP.private | MAP.anonymous | MAP.fixedNoReplace }));
    m.run((k) => sysMadvise(k, task, 0x700000000n, 2n << 20n, 14));
    m.run((k) => touchRange(k, task, 0x700000000, 0x700000001, 4096, "w", 1));
  }

  find(name: string): ScriptProcess | undefined {
    return this.processes.find((p) => p?.name === name);
  }

  task(p: ScriptProcess): Task {
    return this.machine.kernel.tasks.get(p.task);
  }

  logOf(mm: number): FaultLog {
    let log = this.faultLogs.get(mm);
    if (log === undefined) {
      log = new FaultLog();
      this.faultLogs.set(mm, log);
    }
    return log;
  }

  living(): ScriptProcess[] {
    return this.processes.filter((p) => p !== undefined);
  }
}

function* baseline(k: Kernel): Generator<string, void, void> {
  const g = k.g;
  k.setGlobals({
    enabled: k.geo.thp ? "madvise" : "never",
    khugepaged: { ...g.khugepaged, scanSleepMillisecs: 3600000, allocSleepMillisecs: 10, pagesToScan: 100000 },
  });
  setKhugepaged(k, k.geo.thp);
}

function ownMappings(k: Kernel, task: Task): void {
  if (!k.geo.thp) return;
  for (const [start, pages] of OWN_MAPPINGS) {
    runAlone(sysMmap(k, task, { address: BigInt(start) * 4096n, length: BigInt(pages) * 4096n, prot: 3, flags: MAP.private | MAP.anonymous | MAP.fixed }));
    runAlone(sysMadvise(k, task, BigInt(start) * 4096n, BigInt(pages) * 4096n, 15));
    runAlone(touchRange(k, task, start * 4096, (start + pages) * 4096, 4096, "w", 1));
  }
  const [start, pages] = SPECIAL;
  const flags = VM.read | VM.exec | VM.mayRead | VM.mayExec | VM.dontExpand | VM.io | VM.pfnmap | VM.dontDump;
  insertVma(k, { mm: task.mm, start, end: start + pages, flags, flagsHi: 0, pgoff: 0, file: 0, ops: "none", anonVma: 0, chain: [], name: "[vdso]" });
  statAccount(k, task.mm, flags, pages);
}
