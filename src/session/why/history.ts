import type { ScriptFile } from "../fileOperations.ts";
import type { Op } from "../../kernel/sched/points.ts";
import { runAlone } from "../../kernel/sched/points.ts";
import type { MachineSnapshot } from "../../kernel/machine.ts";
import type { Operation } from "../../shell/operation.ts";
import { execute } from "../execute.ts";
import type { LearnerWorld, WorldSnapshot } from "../learnerWorld.ts";
import type { SlotTable } from "../slots.ts";
import type { ScriptProcess, Stage, World } from "../world.ts";

/** What an explanation needs of a session: the world, and the steps that led to it along the branch it stands on, counted from 1. */
export interface History {
  readonly world: Stage & { living(): readonly ScriptProcess[] };
  /** the step that ran last; 0 when none has */
  readonly lastStep: number;
  /** Puts the world as it was before the step ran; `lastStep + 1`: as it is now. */
  goBefore(step: number): void;
  /** What was typed. */
  commandOf(step: number): string;
  /** The number of the step as a person knows it. */
  numberOf(step: number): number;
  /** The look at which a cancelled step was stopped (hooks.onQuantum); null or absent: it ran to its end. */
  stopAt?(step: number): number | null;
  /** The step's operation, to be carried out once more on the world as it stands. */
  operation(step: number): Op<Readonly<Record<string, unknown>>>;
}

interface ScriptNode {
  readonly machine: MachineSnapshot;
  readonly slots: SlotTable;
  readonly processes: readonly (ScriptProcess | undefined)[];
  readonly files: ReadonlyMap<string, ScriptFile>;
}

/** The history of a script: runs operations one by one and keeps the state before each. */
export class ScriptHistory implements History {
  readonly world: World;
  private readonly operations: Operation[] = [];
  private readonly nodes: ScriptNode[];

  constructor(world: World) {
    this.world = world;
    this.nodes = [this.capture()];
  }

  get lastStep(): number {
    return this.operations.length;
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
    const node = this.nodes[step - 1];
    this.world.machine.restore(node.machine);
    this.world.slots = node.slots.copy();
    this.world.processes = [...node.processes];
    this.world.files = new Map(node.files);
  }

  commandOf(step: number): string {
    return this.operations[step - 1].text;
  }

  numberOf(step: number): number {
    return step;
  }

  operation(step: number): Op<Readonly<Record<string, unknown>>> {
    return execute(this.world, this.operations[step - 1]);
  }

  private capture(): ScriptNode {
    const { machine, slots, processes, files } = this.world;
    return { machine: machine.snapshot(), slots: slots.copy(), processes: [...processes], files: new Map(files) };
  }
}

/** A node of a learner's history on the way to where they stand. */
export interface PathNode {
  /** the number the prompt shows */
  readonly id: number;
  readonly command: string;
  /** the look at which it was stopped; null: it ran to its end */
  readonly stopAt: number | null;
  /** the world after the command, made again where it was dropped */
  readonly snapshot: () => WorldSnapshot;
  /** the command's operation, made anew for the world as it stands; null for the node of the booted machine */
  readonly again: (() => Op<Readonly<Record<string, unknown>>>) | null;
}

/** The branch of a learner's history that they stand on. */
export class PathHistory implements History {
  readonly world: LearnerWorld;
  /** node 0 (the booted machine) first */
  private readonly path: readonly PathNode[];
  private readonly onVisit: () => void;

  /** `onVisit`: told before each state that is gone to; it may throw to end the explanation. */
  constructor(world: LearnerWorld, path: readonly PathNode[], onVisit: () => void = () => undefined) {
    this.world = world;
    this.path = path;
    this.onVisit = onVisit;
  }

  get lastStep(): number {
    return this.path.length - 1;
  }

  goBefore(step: number): void {
    this.onVisit();
    this.world.restore(this.path[step - 1].snapshot());
  }

  commandOf(step: number): string {
    return this.path[step].command;
  }

  numberOf(step: number): number {
    return this.path[step].id;
  }

  stopAt(step: number): number | null {
    return this.path[step].stopAt;
  }

  operation(step: number): Op<Readonly<Record<string, unknown>>> {
    const { again } = this.path[step];
    return again === null ? nothing() : again();
  }
}

function* nothing(): Op<Readonly<Record<string, unknown>>> {
  return {};
}
