import type { Condition, EventCondition, Leaf, Pattern, StateCondition } from "../schema.ts";
import { parsePath, parseRange } from "./paths.ts";
import type { FaultRun, Happening, NodeRecord } from "./happenings.ts";
import type { ReadModel } from "./readModel.ts";
import type { LabFile } from "../schema.ts";

/** Conditions over what happened, counted along the path of the history: one immutable tally for each, at each node. */

export interface Tally {
  /** how often it happened, as far as `before` and `after` are met */
  readonly count: number;
  /** of a condition with `before`: what counts as soon as the other event comes */
  readonly pending: number;
  /** of a condition with `after`: the other event came */
  readonly open: boolean;
}

/** A number that must not go down again. */
export interface Trend {
  readonly last: number | null;
  readonly holds: boolean;
}

export interface Progression {
  readonly tallies: readonly Tally[];
  readonly trends: readonly Trend[];
}

/** Every leaf of a condition, in order. */
export function* leaves(condition: Condition): Generator<Leaf> {
  if ("all" in condition) for (const each of condition.all) yield* leaves(each);
  else if ("any" in condition) for (const each of condition.any) yield* leaves(each);
  else if ("not" in condition) yield* leaves(condition.not);
  else yield condition;
}

/** The leaves of all conditions of a lab. */
export function* leavesOf(lab: LabFile): Generator<Leaf> {
  for (const check of lab.checks) {
    yield* leaves(check.require);
    for (const each of check.forbid ?? []) yield* leaves(each);
    for (const { when } of check.wrong ?? []) yield* leaves(when);
  }
}

const FRESH: Tally = { count: 0, pending: 0, open: false };

type Range = { readonly from: number; readonly to: number };

/** How many faults of a run lie in a range of pages. */
function within(run: FaultRun, range: Range): number {
  // behind the limit of what is kept of one command no address is known
  if (run.first < 0) return 0;
  if (run.stride === 0) return run.first >= range.from && run.first < range.to ? run.count : 0;
  const low = run.stride > 0 ? run.first : run.first + (run.count - 1) * run.stride;
  const step = Math.abs(run.stride);
  const before = Math.min(run.count, Math.max(0, Math.ceil((range.from - low) / step)));
  const behind = Math.min(run.count, Math.max(0, Math.ceil((range.to - low) / step)));
  return behind - before;
}

/** Counts the events of patterns; addresses mean what they mean behind the command. */
class Counter {
  readonly #model: ReadModel;

  constructor(model: ReadModel) {
    this.#model = model;
  }

  /** How many events of this kind a happening holds. */
  count(happening: Happening, pattern: Pattern | EventCondition): number {
    if (happening.event !== pattern.event) return 0;
    switch (pattern.event) {
      case "fault":
        return happening.event === "fault" ? this.#faults(happening, pattern.where ?? {}) : 0;
      case "command":
        return happening.event === "command" && this.#isCommand(happening, pattern.where ?? {}) ? 1 : 0;
      case "write":
        return happening.event === "write" && isWrite(happening, pattern.where ?? {}) ? 1 : 0;
      case "split":
        return happening.event === "split" && (pattern.where?.what ?? happening.what) === happening.what ? happening.count : 0;
      case "collapse":
        return happening.event === "collapse" ? happening.count : 0;
    }
  }

  #faults(run: FaultRun, where: NonNullable<Extract<Pattern, { event: "fault" }>["where"]>): number {
    if (where.process !== undefined && where.process !== run.process) return 0;
    if (where.order !== undefined && where.order !== run.order) return 0;
    if (where.access !== undefined && (where.access === "write") !== run.write) return 0;
    if (where.by !== undefined && (where.by === "kernel") !== run.byKernel) return 0;
    if (where.in === undefined) return run.count;
    const range = this.#range(where.in);
    return range === null ? 0 : within(run, range);
  }

  #isCommand(command: Extract<Happening, { event: "command" }>, where: NonNullable<Extract<Pattern, { event: "command" }>["where"]>): boolean {
    if (where.process !== undefined && where.process !== command.process) return false;
    if (where.name !== undefined && where.name !== command.name) return false;
    if (where.advice !== undefined && where.advice !== command.advice) return false;
    if (where.errno !== undefined && where.errno !== (command.errno ?? "0")) return false;
    if (where.in === undefined) return true;
    const range = this.#range(where.in);
    return range !== null && command.range !== null && command.range.from < range.to && range.from < command.range.to;
  }

  #range(text: string): Range | null {
    const range = parseRange(text);
    return range === null ? null : this.#model.pages(range);
  }
}

function isWrite(write: Extract<Happening, { event: "write" }>, where: NonNullable<Extract<Pattern, { event: "write" }>["where"]>): boolean {
  if (where.path !== undefined && where.path !== write.path) return false;
  if (where.value !== undefined && where.value !== write.value) return false;
  return where.errno === undefined || where.errno === (write.errno ?? "0");
}

/** The reducer of a lab: which leaves it counts, and the step from the progression before a command to the one behind it. */
export class LabReducer {
  readonly #events: readonly EventCondition[];
  readonly #trends: readonly StateCondition[];

  constructor(lab: LabFile) {
    const all = [...leavesOf(lab)];
    this.#events = all.filter((leaf): leaf is EventCondition => "event" in leaf);
    this.#trends = all.filter((leaf): leaf is StateCondition => "path" in leaf && leaf.op === "monotonic");
  }

  start(): Progression {
    return { tallies: this.#events.map(() => FRESH), trends: this.#trends.map(() => ({ last: null, holds: true })) };
  }

  /** `model` reads the world behind the command. */
  next(before: Progression, record: NodeRecord, model: ReadModel, defaultProcess: string): Progression {
    const counter = new Counter(model);
    const tallies = this.#events.map((event, i) => record.happenings.reduce((tally, happening) => step(tally, event, happening, counter), before.tallies[i]));
    const trends = this.#trends.map((leaf, i) => {
      const path = parsePath(leaf.path);
      const read = path === null ? null : model.read(path, leaf.process ?? defaultProcess);
      const value = typeof read?.value === "number" ? read.value : null;
      const { last, holds } = before.trends[i];
      return { last: value ?? last, holds: holds && (value === null || last === null || value >= last) };
    });
    return { tallies, trends };
  }

  tally(progression: Progression, event: EventCondition): Tally {
    return progression.tallies[this.#events.indexOf(event)] ?? FRESH;
  }

  trend(progression: Progression, leaf: StateCondition): boolean {
    return progression.trends[this.#trends.indexOf(leaf)]?.holds ?? false;
  }
}

function step(tally: Tally, event: EventCondition, happening: Happening, counter: Counter): Tally {
  const found = counter.count(happening, event);
  let { count, pending, open } = tally;
  if (found > 0 && (event.after === undefined || open)) {
    if (event.before === undefined) count += found;
    else pending += found;
  }
  if (event.before !== undefined && pending > 0 && counter.count(happening, event.before) > 0) {
    count += pending;
    pending = 0;
  }
  if (event.after !== undefined && counter.count(happening, event.after) > 0) open = true;
  return count === tally.count && pending === tally.pending && open === tally.open ? tally : { count, pending, open };
}
