import { Stopped } from "../../kernel/sched/pace.ts";
import { runAlone } from "../../kernel/sched/points.ts";
import { vmaAt, vmasIn } from "../../kernel/mm/vma.ts";
import type { Cause, Decision, Tracer } from "../../kernel/why/tracer.ts";
import type { History } from "./history.ts";
import { heldBefore, readCause } from "./readState.ts";

/** Steps done once more with a tracer, and steps found by comparing states. The world is always put back. */

/** Decisions of one kind, which a loop may have taken many times. */
export interface TracedDecision {
  /** the first of them */
  readonly decision: Decision;
  readonly times: number;
}

export interface TracedStep {
  readonly step: number;
  /** result fields of the operation */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly decisions: readonly TracedDecision[];
}

/** kinds of decisions that are kept of one step; a step that takes more is a loop over pages that differ in everything */
const MOST_KINDS = 200;
/** decisions with the same rule and outcome whose causes are looked for; those after them are counted with the last */
const MOST_ALIKE = 8;
/** decisions that are remembered while a counter is watched */
const WINDOW = 12;

/** What makes two decisions the same but for the page and for their causes. */
const saidOf = (d: Decision): string => [d.symbol, d.rule, d.outcome, d.mm].join("|");

/** Their causes, but for the page. */
function factsOf(d: Decision): string {
  const facts = (causes: readonly Cause[]): string =>
    causes
      .map((c) =>
        Object.entries(c)
          .filter(([key]) => !["vpn", "pfn", "from", "to", "end", "start"].includes(key))
          .join(","),
      )
      .join(";");
  return `|${facts(d.causes)}|${facts(d.also ?? [])}`;
}

class Recorder implements Tracer {
  private readonly kinds = new Map<string, { decision: Decision; times: number }>();
  private readonly alike = new Map<string, { seen: number; last: { times: number } | null }>();
  private readonly wanted: (d: Decision) => boolean;

  constructor(wanted: (d: Decision) => boolean) {
    this.wanted = wanted;
  }

  decide(decision: Decision): void {
    if (this.wanted(decision)) this.keep(decision);
  }

  keep(decision: Decision): void {
    const said = saidOf(decision);
    const alike = this.alike.get(said) ?? { seen: 0, last: null };
    this.alike.set(said, alike);
    // a loop says the same of each page: after some of them nobody looks for its causes again
    if (++alike.seen > MOST_ALIKE && alike.last !== null) {
      alike.last.times++;
      return;
    }
    const kind = said + factsOf(decision);
    alike.last = this.kinds.get(kind) ?? null;
    if (alike.last !== null) alike.last.times++;
    else if (this.kinds.size < MOST_KINDS) {
      // a copy, since its causes hold for the state as it is now
      const kept = { decision: { ...decision }, times: 1 };
      this.kinds.set(kind, kept);
      alike.last = kept;
    }
  }

  taken(): TracedDecision[] {
    return [...this.kinds.values()];
  }
}

/** Finds which decisions, by their place in the step, were about a page just before a number changed. Their causes are not looked for: by then the state has moved on. */
class Watcher implements Tracer {
  private readonly found = new Set<number>();
  private readonly read: () => number;
  private before: number;
  private place = 0;
  private window: { readonly decision: Decision; readonly place: number }[] = [];

  constructor(read: () => number) {
    this.read = read;
    this.before = read();
  }

  decide(decision: Decision): void {
    this.look();
    this.window.push({ decision, place: this.place++ });
    if (this.window.length > WINDOW) this.window.shift();
  }

  places(): ReadonlySet<number> {
    this.look();
    return this.found;
  }

  private look(): void {
    const now = this.read();
    if (now === this.before) return;
    this.before = now;
    const last = this.window.at(-1)?.decision;
    // the decisions about the same page, without what was decided about its mapping on the way
    if (last !== undefined)
      for (const { decision: d, place } of this.window)
        if (overlaps(d, last.mm, last.vpn, last.pages) && !/^(khugepaged|vma)\./.test(d.rule)) this.found.add(place);
    this.window = [];
  }
}

export const overlaps = (d: Decision, mm: number, vpn: number, pages: number): boolean =>
  d.mm === mm && d.vpn >= 0 && vpn >= 0 && d.vpn < vpn + Math.max(1, pages) && vpn < d.vpn + Math.max(1, d.pages);

/** As replayStep, keeping what was decided about a page just before a number changed. The step is done twice, since a replay is the same each time. */
export function replayWatching(history: History, step: number, read: () => number): TracedStep {
  history.goBefore(step);
  const watcher = new Watcher(read);
  traceStep(history, step, watcher);
  const places = watcher.places();
  let place = 0;
  return replayStep(history, step, () => places.has(place++));
}

/** Carries a step out once more from the state before it. `wanted`: which decisions to keep, asked once for each. */
export function replayStep(history: History, step: number, wanted: (d: Decision) => boolean): TracedStep {
  const recorder = new Recorder(wanted);
  const fields = traceStep(history, step, recorder);
  return { step, fields, decisions: recorder.taken() };
}

function traceStep(history: History, step: number, tracer: Tracer): TracedStep["fields"] {
  const { machine } = history.world;
  const k = machine.kernel;
  const outer = { hooks: k.hooks, work: k.work, stopped: k.stopped };
  const stopAt = history.stopAt?.(step) ?? null;
  let looks = 0;
  history.goBefore(step);
  try {
    machine.beginStep();
    k.work = 0;
    k.hooks = {
      onFault: null,
      onQuantum: () => {
        // whoever waits for the explanation stops all of it; what stopped the step stops it again, in the same place
        if (outer.hooks.onQuantum !== null && !outer.hooks.onQuantum()) throw new Stopped();
        return stopAt === null || ++looks < stopAt;
      },
    };
    k.tracer = tracer;
    return runAlone(history.operation(step));
  } finally {
    k.tracer = null;
    k.hooks = outer.hooks;
    k.work = outer.work;
    k.stopped = outer.stopped;
    history.goBefore(history.lastStep + 1);
  }
}

/**
 * For each reader the last step up to `upTo` that changed what it reads; 0 when none did. A reader is called on the world
 * as it was at some time.
 */
export function lastChanges(history: History, upTo: number, readers: readonly (() => string | null)[]): number[] {
  const found = readers.map(() => 0);
  const open = new Set(readers.keys());
  try {
    history.goBefore(upTo + 1);
    const later = readers.map((read) => read());
    for (let step = upTo; step > 0 && open.size > 0; step--) {
      history.goBefore(step);
      for (const i of open) {
        const value = readers[i]();
        if (value === later[i]) continue;
        found[i] = step;
        open.delete(i);
      }
    }
  } finally {
    history.goBefore(history.lastStep + 1);
  }
  return found;
}

/** The step that made the fact of a cause what it was when `step` decided: that one or an earlier one, 0 for none. Only for causes that a state has. */
export function stepsOfCauses(history: History, step: number, causes: readonly Cause[]): number[] {
  const { machine } = history.world;
  history.goBefore(step);
  const held = causes.map((cause) => heldBefore(machine, cause));
  const changes = lastChanges(
    history,
    step - 1,
    causes.map((cause) => () => readCause(machine, cause)),
  );
  return changes.map((change, i) => (held[i] ? change : step));
}

/** The same fact where fork or mremap brought it from in that step; null when the step made it itself. */
function broughtFrom(history: History, step: number, cause: Cause): Cause | null {
  if (!("mm" in cause)) return null;
  const k = history.world.machine.kernel;
  history.goBefore(step + 1);
  const task = [...k.tasks.entries()].map(([, each]) => each).find((each) => each.mm === cause.mm);
  const now = "vpn" in cause && k.mms.find(cause.mm) !== undefined ? vmaAt(k, cause.mm, cause.vpn) : undefined;
  history.goBefore(step);
  if (k.mms.find(cause.mm) === undefined) {
    const parent = task === undefined ? undefined : k.tasks.find(task.parent);
    return parent === undefined ? null : { ...cause, mm: parent.mm };
  }
  if (!("vpn" in cause) || now === undefined || now.anonVma === 0) return null;
  // pages that were written to keep their offset when they move
  const pgoff = now.pgoff + (cause.vpn - now.start);
  const was = vmasIn(k, cause.mm, 0, k.geo.taskSizePages).find(
    (vma) => vma.anonVma === now.anonVma && pgoff >= vma.pgoff && pgoff < vma.pgoff + vma.end - vma.start,
  );
  const vpn = was === undefined ? cause.vpn : was.start + (pgoff - was.pgoff);
  return vpn === cause.vpn ? null : { ...cause, vpn };
}

/** A fact at the place and time it came to be, or was brought from. `step` 0: it was so from the start. */
export interface Made {
  readonly cause: Cause;
  readonly step: number;
}

/** Where the fact of a cause comes from: the step that made it so, and when that one only brought it from elsewhere, on to where it was made. */
export function traceBack(history: History, cause: Cause, setBy: number): Made[] {
  const out: Made[] = [{ cause, step: setBy }];
  try {
    for (let last = out[0]; last.step > 0; last = out[out.length - 1]) {
      const from = broughtFrom(history, last.step, last.cause);
      if (from === null) break;
      const [made] = stepsOfCauses(history, last.step, [from]);
      if (made >= last.step) break;
      out.push({ cause: from, step: made });
    }
  } finally {
    history.goBefore(history.lastStep + 1);
  }
  return out;
}
