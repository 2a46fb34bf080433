import type { ScriptFile, ScriptFiles } from "./fileOperations.ts";
import { Machine } from "../kernel/machine.ts";
import type { BootOptions } from "../kernel/boot.ts";
import type { MachineSnapshot } from "../kernel/machine.ts";
import type { Watch } from "../kernel/mm/kernel.ts";
import type { Task } from "../kernel/mm/records.ts";
import type { AddressExpr } from "../shell/operation.ts";
import { FIRST_PROCESS } from "../shell/command/parseLine.ts";
import { FaultLog } from "./faultLog.ts";
import { slotLayout, SlotTable, type Slot, type SlotLayout } from "./slots.ts";
import type { ScriptProcess, Stage } from "./world.ts";

/** Names of both forms: slots of the command form, and results of calls that lines of the C form bound. A name means what was said last. */
export class LearnerNames extends SlotTable {
  readonly #bound: Map<string, Slot>;

  constructor(layout: SlotLayout, slots: readonly Slot[] = [], bound: readonly Slot[] = []) {
    super(layout, slots);
    this.#bound = new Map(bound.map((slot) => [slot.name, { ...slot }]));
  }

  override copy(): LearnerNames {
    return new LearnerNames(this.layout, this.all(), [...this.#bound.values()]);
  }

  /** Gives a name the result of a call. `lengthBytes`: of the mapping that it made, 0 for none. */
  bind(name: string, base: bigint, lengthBytes: bigint): void {
    this.#bound.set(name, { name, base, lengthBytes });
  }

  /** Every name that stands for an address or a number. */
  names(): string[] {
    return [...new Set([...this.all().map((slot) => slot.name), ...this.#bound.keys()])];
  }

  /** All that the names stand for, to be hashed. */
  content(): unknown {
    return [this.all(), [...this.#bound.values()]];
  }

  /** `mmap NAME` of the command form takes a name back from the C form. */
  override get(name: string): Slot | undefined {
    this.#bound.delete(name);
    return super.get(name);
  }

  override resolve(e: AddressExpr): { address: bigint; slot: Slot | undefined } | undefined {
    const bound = e.name === null ? undefined : this.#bound.get(e.name);
    return bound === undefined ? super.resolve(e) : { address: BigInt.asUintN(64, bound.base + e.offsetBytes), slot: bound };
  }

  /** NAME+0x..., or the address in hexadecimal where no name covers it. */
  override print(address: number): string {
    const slot = super.print(address);
    if (slot !== "other" && slot !== "0") return slot;
    for (const { name, base, lengthBytes } of this.#bound.values()) {
      if (address >= Number(base) && address < Number(base + lengthBytes)) return `${name}+0x${(address - Number(base)).toString(16)}`;
    }
    return `0x${address.toString(16)}`;
  }
}

/** Everything that undo takes back: the machine, and what the session knows about it. */
export interface WorldSnapshot {
  readonly machine: MachineSnapshot;
  readonly names: LearnerNames;
  readonly processes: readonly (ScriptProcess | undefined)[];
  readonly files: ReadonlyMap<string, ScriptFile>;
  readonly current: string;
}

/**
 * A learner's machine: it starts with the settings of its kernel and one process with an empty address space, and nothing else runs.
 * Unlike the world of a script it has no anchor process, no mappings of a recorder and no baseline of settings.
 */
export class LearnerWorld implements Stage {
  readonly machine: Machine;
  slots: LearnerNames;
  processes: (ScriptProcess | undefined)[];
  files: ScriptFiles = new Map();
  readonly faultLogs = new Map<number, FaultLog>();
  /** name of the process that a line without @NAME belongs to */
  current = FIRST_PROCESS;
  /** who looks on while a line runs; no state */
  watch: Watch | null = null;

  constructor(options: BootOptions) {
    this.machine = new Machine(options);
    this.slots = new LearnerNames(slotLayout(this.machine.kernel.geo.taskSizePages));
    this.processes = [{ name: FIRST_PROCESS, task: this.machine.spawn({ comm: FIRST_PROCESS }) }];
  }

  find(name: string): ScriptProcess | undefined {
    return this.processes.find((p) => p?.name === name);
  }

  task(p: ScriptProcess): Task {
    return this.machine.kernel.tasks.get(p.task);
  }

  living(): ScriptProcess[] {
    return this.processes.filter((p) => p !== undefined);
  }

  logOf(mm: number): FaultLog {
    let log = this.faultLogs.get(mm);
    if (log === undefined) {
      log = new FaultLog();
      this.faultLogs.set(mm, log);
    }
    return log;
  }

  capture(): WorldSnapshot {
    return {
      machine: this.machine.snapshot(),
      names: this.slots.copy(),
      processes: [...this.processes],
      files: new Map(this.files),
      current: this.current,
    };
  }

  restore(to: WorldSnapshot): void {
    this.machine.restore(to.machine);
    this.slots = to.names.copy();
    this.processes = [...to.processes];
    this.files = new Map(to.files);
    this.current = to.current;
  }
}
