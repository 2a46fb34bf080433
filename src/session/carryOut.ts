import { MISC, MMC } from "../kernel/mm/kernel.ts";
import { noteHighWater } from "../kernel/proc/memoryStatus.ts";
import { runAlone, type Op } from "../kernel/sched/points.ts";
import type { ResultFields } from "./execute.ts";
import { FaultLog } from "./faultLog.ts";
import type { LearnerWorld } from "./learnerWorld.ts";
import { countersOf, mthpDelta, vmstatDelta } from "./observeState.ts";
import { rssKb, type Outcome } from "./outcome.ts";
import type { Pacer } from "./pacer.ts";

/** What an operation came to: what a learner is told, and what `perf stat` counts besides. */
export interface Measured {
  readonly outcome: Outcome;
  /** simulated nanoseconds that it took */
  readonly clockNs: number;
  /** minor and major faults of all processes that live on */
  readonly minor: number;
  readonly major: number;
}

/**
 * Runs one operation as the next step of a learner's machine and tells what it did. A run inside a run (a state that an explanation needs is
 * made again) leaves the outer one as it was.
 * @throws Stopped when it was stopped where it can only be done whole: the state must be put back
 */
export function carryOut(world: LearnerWorld, operation: () => Op<ResultFields>, pacer: Pacer): Measured {
  const { machine } = world;
  const k = machine.kernel;
  const outer = { hooks: k.hooks, watch: k.watch, work: k.work, stopped: k.stopped };
  machine.beginStep();
  world.faultLogs.clear();
  const before = countersOf(k);
  const clockNs = k.misc.get(MISC.clockNs);
  const start = new Map(
    world.living().map((p) => {
      const { mm } = world.task(p);
      return [p.name, { rss: rssKb(k, mm), min: k.mmCount(mm, MMC.minFlt), maj: k.mmCount(mm, MMC.majFlt) }];
    }),
  );
  k.hooks = { onFault: (mm, vpn, offset) => world.logOf(mm).add(vpn * 4096 + offset, true), onQuantum: () => pacer.look() };
  k.watch = world.watch;
  k.work = 0;
  k.stopped = false;
  let fields: ResultFields;
  try {
    fields = runAlone(operation());
  } finally {
    k.hooks = outer.hooks;
    k.watch = outer.watch;
    k.work = outer.work;
    k.stopped = outer.stopped;
  }
  // so that a line that only looks leaves the state as it was
  noteHighWater(k);
  const now = countersOf(k);
  const faults: { process: string; faults: NonNullable<ReturnType<FaultLog["print"]>> }[] = [];
  const rss: { process: string; beforeKb: number; afterKb: number }[] = [];
  let minor = 0;
  let major = 0;
  for (const p of world.living()) {
    const was = start.get(p.name);
    const { mm } = world.task(p);
    if (was === undefined) continue;
    const log = world.faultLogs.get(mm) ?? new FaultLog();
    const taken = log.print(k.mmCount(mm, MMC.minFlt) - was.min, k.mmCount(mm, MMC.majFlt) - was.maj, (a) => world.slots.print(a));
    if (taken !== undefined) {
      faults.push({ process: p.name, faults: taken });
      minor += taken.min;
      major += taken.maj;
    }
    const after = rssKb(k, mm);
    if (after !== was.rss) rss.push({ process: p.name, beforeKb: was.rss, afterKb: after });
  }
  const counters = { ...vmstatDelta(before, now), ...mthpDelta(k, before, now) };
  const hint = typeof fields.hint === "string" ? fields.hint : null;
  const outcome = { fields, hint, faults, rss, anonHugeKb: now.anonHugeKb - before.anonHugeKb, counters };
  return { outcome, clockNs: k.misc.get(MISC.clockNs) - clockNs, minor, major };
}
