import { MMC } from "../kernel/mm/kernel.ts";
import { noteHighWater } from "../kernel/proc/memoryStatus.ts";
import { runAlone, type Op } from "../kernel/sched/points.ts";
import type { ResultFields } from "./execute.ts";
import { FaultLog } from "./faultLog.ts";
import type { LearnerWorld } from "./learnerWorld.ts";
import { countersOf, mthpDelta, vmstatDelta } from "./observeState.ts";
import { rssKb, type Outcome } from "./outcome.ts";

/** Quanta of touch (4096 accesses each) that one command may take: a line that would run for hours ends with a sentence. */
const MOST_QUANTA = 2048;

export interface Carried {
  readonly outcome: Outcome;
  /** the limit on accesses was reached: the command was not finished */
  readonly stopped: boolean;
}

/** Runs one operation as the next step of a learner's machine and tells what it did. */
export function carryOut(world: LearnerWorld, operation: () => Op<ResultFields>): Carried {
  const { machine } = world;
  const k = machine.kernel;
  let quanta = 0;
  machine.hooks = {
    onFault: (mm, vpn, offset) => world.logOf(mm).add(vpn * 4096 + offset, true),
    onQuantum: () => ++quanta < MOST_QUANTA,
  };
  machine.beginStep();
  world.faultLogs.clear();
  const before = countersOf(k);
  const start = new Map(
    world.living().map((p) => {
      const { mm } = world.task(p);
      return [p.name, { rss: rssKb(k, mm), min: k.mmCount(mm, MMC.minFlt), maj: k.mmCount(mm, MMC.majFlt) }];
    }),
  );
  const fields = runAlone(operation());
  // so that a line that only looks leaves the state as it was
  noteHighWater(k);
  const now = countersOf(k);
  const faults: { process: string; faults: NonNullable<ReturnType<FaultLog["print"]>> }[] = [];
  const rss: { process: string; beforeKb: number; afterKb: number }[] = [];
  for (const p of world.living()) {
    const was = start.get(p.name);
    const { mm } = world.task(p);
    if (was === undefined) continue;
    const log = world.faultLogs.get(mm) ?? new FaultLog();
    const taken = log.print(k.mmCount(mm, MMC.minFlt) - was.min, k.mmCount(mm, MMC.majFlt) - was.maj, (a) => world.slots.print(a));
    if (taken !== undefined) faults.push({ process: p.name, faults: taken });
    const after = rssKb(k, mm);
    if (after !== was.rss) rss.push({ process: p.name, beforeKb: was.rss, afterKb: after });
  }
  const counters = { ...vmstatDelta(before, now), ...mthpDelta(k, before, now) };
  const hint = typeof fields.hint === "string" ? fields.hint : null;
  return { outcome: { fields, hint, faults, rss, anonHugeKb: now.anonHugeKb - before.anonHugeKb, counters }, stopped: quanta >= MOST_QUANTA };
}
