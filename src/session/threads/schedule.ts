import type { MachineSnapshot } from "../../kernel/machine.ts";
import type { Op } from "../../kernel/sched/points.ts";
import { Scheduler, type ThreadProgram, type Waiter } from "../../kernel/sched/scheduler.ts";
import { mixInto, type HashPair } from "../../kernel/store/hash.ts";
import { ReadWatch } from "../../kernel/store/readWatch.ts";
import type { Operation } from "../../shell/operation.ts";
import type { Carried, ResultFields } from "../execute.ts";
import type { ScriptProcess, World } from "../world.ts";

/** The threads of a script on one machine, at one position: carried out step by step, put back and replayed. */

/** One operation of a thread in one schedule. Times are numbers of steps taken before. */
export interface ThreadOperation {
  readonly thread: number;
  readonly operation: Operation;
  readonly startedAt: number;
  /** Infinity while it runs */
  endedAt: number;
  result: ResultFields;
}

/** Makes the generator that carries an operation out on a world. */
export type CarryOut = (world: World, operation: Operation) => Carried;

/** Locks decide nothing but which point comes next, and the point is part of a position's name. */
const IGNORED: ReadonlySet<string> = new Set(["lock"]);

export class ScheduleRun {
  readonly world: World;
  private readonly threads: readonly (readonly Operation[])[];
  private readonly carryOut: CarryOut;
  private readonly machine: MachineSnapshot;
  private readonly slotBytes: readonly bigint[];
  private readonly processes: readonly (ScriptProcess | undefined)[];
  private readonly watch: ReadWatch;
  private scheduler: Scheduler<void>;
  /** for each thread, what it has read so far and where: names the state of its generator */
  private local: HashPair[] = [];
  /** operations begun, in order */
  operations: ThreadOperation[] = [];

  /** The world as it stands is where every schedule begins. Names that the threads use get their places now, in the order of the script. */
  constructor(world: World, threads: readonly (readonly Operation[])[], carryOut: CarryOut) {
    this.world = world;
    this.threads = threads;
    this.carryOut = carryOut;
    for (const name of threads.flat().flatMap((o) => namesIn(o.body))) world.slots.get(name);
    world.machine.hooks = { onFault: null, onQuantum: null };
    world.machine.beginStep();
    this.machine = world.machine.snapshot();
    this.slotBytes = world.slots.all().map((s) => s.lengthBytes);
    this.processes = [...world.processes];
    this.watch = new ReadWatch(world.machine.kernel.store, IGNORED);
    this.scheduler = this.start();
  }

  /** Back to the beginning of all threads. */
  reset(): void {
    const { world } = this;
    world.machine.restore(this.machine);
    world.slots.all().forEach((slot, i) => (slot.lengthBytes = this.slotBytes[i]));
    world.processes.splice(0, Infinity, ...this.processes);
    this.scheduler = this.start();
  }

  get choices(): readonly number[] {
    return this.scheduler.choices;
  }

  get ended(): boolean {
    return this.scheduler.ended;
  }

  runnable(): number[] {
    return this.scheduler.runnable();
  }

  deadlock(): Waiter[] {
    return this.scheduler.deadlock();
  }

  /** The point a thread stands at; null when it has ended. */
  pointOf(thread: number): string | null {
    const state = this.scheduler.states[thread];
    return state.kind === "at" ? state.point : null;
  }

  /** A thread's next step. Throws a KernelBug when an assertion of the kernel fires in it. */
  step(thread: number): void {
    this.watch.take();
    const state = this.scheduler.step(thread);
    const read = this.watch.take();
    const before = this.local[thread];
    const point = textHash(state.kind === "at" ? state.point : "");
    this.local[thread] = { a: mixInto(mixInto(before.a, read.a), point), b: mixInto(mixInto(before.b ^ point, read.b), read.a) };
  }

  /**
   * Names a position: two schedules that arrive at the same name go on in the same way from there. It says what the machine
   * and the world hold, where each thread stands and what its generator knows, and, since the checks at the end ask,
   * which operations had ended before each pin was begun.
   */
  position(): string {
    const { world, scheduler } = this;
    const where = scheduler.states.map((s, i) => `${s.kind === "at" ? s.point : "-"}/${this.local[i].a}/${this.local[i].b}`);
    const slots = world.slots.all().map((s) => s.lengthBytes);
    const processes = world.processes.map((p) => p?.task ?? 0);
    const pins = this.operations
      .filter((o) => o.operation.body.op === "gup")
      .map((pin) => `${pin.thread}:${this.threads.map((_, t) => this.operations.filter((o) => o.thread === t && o.endedAt <= pin.startedAt).length).join(".")}`)
      .sort();
    return [world.machine.hash(), ...where, slots, processes, ...pins].join("|");
  }

  private start(): Scheduler<void> {
    this.operations = [];
    this.local = this.threads.map(() => ({ a: 0, b: 0 }));
    const programs = this.threads.map((operations, thread): ThreadProgram<void> => ({ name: `${thread}`, run: () => this.program(thread, operations) }));
    return new Scheduler(this.world.machine.kernel, programs);
  }

  private *program(thread: number, operations: readonly Operation[]): Op<void> {
    const k = this.world.machine.kernel;
    for (const [i, operation] of operations.entries()) {
      if (i > 0 && k.preempt) yield "syscall.return";
      const entry: ThreadOperation = { thread, operation, startedAt: this.scheduler.choices.length - 1, endedAt: Infinity, result: {} };
      this.operations.push(entry);
      entry.result = yield* this.carryOut(this.world, operation);
      entry.endedAt = this.scheduler.choices.length;
    }
  }
}

function textHash(text: string): number {
  let h = 0;
  for (let i = 0; i < text.length; i++) h = mixInto(h, text.charCodeAt(i));
  return h;
}

/** Names of slots in an operation: of a mapping that is made, and of addresses. */
function namesIn(value: unknown): string[] {
  if (value === null || typeof value !== "object") return [];
  if (Array.isArray(value)) return value.flatMap(namesIn);
  const fields = value as Readonly<Record<string, unknown>>;
  const isAddress = "offsetBytes" in fields && "name" in fields;
  const own = (isAddress || fields.op === "mmap") && typeof fields.name === "string" ? [fields.name] : [];
  return [...own, ...Object.values(fields).flatMap(namesIn)];
}
