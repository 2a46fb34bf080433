import { runAlone } from "../../kernel/sched/points.ts";
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
/** decisions that are remembered while a counter is watched */
const WINDOW = 12;

/** What makes two decisions the same but for the page. */
function kindOf(d: Decision): string {
  const facts = (causes: readonly Cause[]): string =>
    causes
      .map((c) =>
        Object.entries(c)
          .filter(([key]) => !["vpn", "pfn", "from", "to", "end", "start"].includes(key))
          .join(","),
      )
      .join(";");
  return [d.symbol, d.rule, d.outcome, d.mm, facts(d.causes), facts(d.also ?? [])].join("|");
}

class Recorder implements Tracer {
  private readonly kinds = new Map<string, { decision: Decision; times: number }>();
  private readonly wanted: (d: Decision) => boolean;

  constructor(wanted: (d: Decision) => boolean) {
    this.wanted = wanted;
  }

  decide(decision: Decision): void {
    if (this.wanted(decision)) this.keep(decision);
  }

  keep(decision: Decision): void {
    const kind = kindOf(decision);
    const known = this.kinds.get(kind);
    if (known !== undefined) known.times++;
    else if (this.kinds.size < MOST_KINDS) this.kinds.set(kind, { decision, times: 1 });
  }

  taken(): TracedDecision[] {
    return [...this.kinds.values()];
  }
}

/** Keeps what was decided about a page just before a number changed. */
class Watcher implements Tracer {
  private readonly recorder = new Recorder(() => true);
  private readonly read: () => number;
  private before: number;
  private window: Decision[] = [];

  constructor(read: () => number) {
    this.read = read;
    this.before = read();
  }

  decide(decision: Decision): void {
    this.look();
    this.window.push(decision);
    if (this.window.length > WINDOW) this.window.shift();
  }

  taken(): TracedDecision[] {
    this.look();
    return this.recorder.taken();
  }

  private look(): void {
    const now = this.read();
    if (now === this.before) return;
    this.before = now;
    const last = this.window.at(-1);
    // the decisions about the same page, without what was decided about its mapping on the way
    if (last !== undefined)
      for (const d of this.window) if (overlaps(d, last.mm, last.vpn, last.pages) && !/^(khugepaged|vma)\./.test(d.rule)) this.recorder.keep(d);
    this.window = [];
  }
}

export const overlaps = (d: Decision, mm: number, vpn: number, pages: number): boolean =>
  d.mm === mm && d.vpn >= 0 && vpn >= 0 && d.vpn < vpn + Math.max(1, pages) && vpn < d.vpn + Math.max(1, d.pages);

/** Carries a step out once more from the state before it. `wanted`: which decisions to keep; or the number whose changes are to be explained. */
export function replayStep(history: History, step: number, wanted: ((d: Decision) => boolean) | { readonly watch: () => number }): TracedStep {
  const { machine } = history.world;
  const k = machine.kernel;
  const hooks = k.hooks;
  history.goBefore(step);
  const tracer = typeof wanted === "function" ? new Recorder(wanted) : new Watcher(wanted.watch);
  try {
    machine.beginStep();
    k.hooks = { onFault: null, onQuantum: hooks.onQuantum };
    k.tracer = tracer;
    const fields = runAlone(history.operation(step));
    return { step, fields, decisions: tracer.taken() };
  } finally {
    k.tracer = null;
    k.hooks = hooks;
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
