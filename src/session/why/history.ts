import type { Op } from "../../kernel/sched/points.ts";
import { runAlone } from "../../kernel/sched/points.ts";
import type { MachineSnapshot } from "../../kernel/machine.ts";
import type { Operation } from "../../shell/operation.ts";
import { execute } from "../execute.ts";
import type { SlotTable } from "../slots.ts";
import type { ScriptProcess, Stage, World } from "../world.ts";

/**
 * What an explanation needs of a session: the world, and the steps that led to it, along the branch it stands on. Steps are
 * numbered from 1 as the machine numbers them (Machine.beginStep); a number may be missing.
 */
export interface History {
  readonly world: Stage & { living(): readonly ScriptProcess[] };
  /** the step that ran last; 0 when none has */
  readonly lastStep: number;
  /** Puts the world as it was before the step ran; `lastStep + 1`: as it is now. */
  goBefore(step: number): void;
  /** What was typed. */
  commandOf(step: number): string;
  /** The step's operation, to be carried out once more on the world as it stands. */
  operation(step: number): Op<Readonly<Record<string, unknown>>>;
}

interface ScriptNode {
  readonly machine: MachineSnapshot;
  readonly slots: SlotTable;
  readonly processes: readonly (ScriptProcess | undefined)[];
  readonly laterFiles: ReadonlySet<string>;
}

/** The history of a script: runs operations one by one and keeps the state before each. */
export class ScriptHistory implements History {
  readonly world: World;
  private readonly operations: Operation[] = [];
  private readonly nodes: ScriptNode[];
  private readonly firstStep: number;

  constructor(world: World) {
    this.world = world;
    this.firstStep = world.machine.kernel.step + 1;
    this.nodes = [this.capture()];
  }

  get lastStep(): number {
    return this.firstStep + this.operations.length - 1;
  }

  /** Runs an operation as the next step; returns its result fields. */
  run(operation: Operation): Readonly<Record<string, unknown>> {
    this.world.machine.beginStep();
    this.world.faultLogs.clear();
    const fields = runAlone(execute(this.world, operation));
    this.operations.push(operation);
    this.nodes.push(this.capture());
    return fields;
  }

  goBefore(step: number): void {
    const node = this.nodes[step - this.firstStep];
    this.world.machine.restore(node.machine);
    this.world.slots = node.slots.copy();
    this.world.processes = [...node.processes];
    this.world.laterFiles = new Set(node.laterFiles);
  }

  commandOf(step: number): string {
    return this.operations[step - this.firstStep].text;
  }

  operation(step: number): Op<Readonly<Record<string, unknown>>> {
    return execute(this.world, this.operations[step - this.firstStep]);
  }

  private capture(): ScriptNode {
    const { machine, slots, processes, laterFiles } = this.world;
    return { machine: machine.snapshot(), slots: slots.copy(), processes: [...processes], laterFiles: new Set(laterFiles) };
  }
}
