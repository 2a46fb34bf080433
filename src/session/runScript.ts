import { findProfile, type Profile } from "../kernel/profile/profile.ts";
import { failed } from "../kernel/mm/errno.ts";
import { MMC } from "../kernel/mm/kernel.ts";
import type { Operation } from "../shell/operation.ts";
import { parseScript } from "../shell/command/parseScript.ts";
import { runAlone } from "../kernel/sched/points.ts";
import { execute } from "./execute.ts";
import { FaultLog } from "./faultLog.ts";
import { countersOf, mthpDelta, processStates, vmstatDelta, type Counters } from "./observeState.ts";
import type { TraceHeader, TraceStep } from "./traceStep.ts";
import { World } from "./world.ts";

export interface RunOptions {
  readonly patches?: readonly string[];
  /** kernel files to set before the first operation */
  readonly config?: readonly (readonly [path: string, value: string])[];
}

/** A kernel file of RunOptions.config that refused its value (or is not there). */
export class ConfigRefused extends Error {
  readonly path: string;
  readonly value: string;
  readonly errno: string;

  constructor(path: string, value: string, errno: string) {
    super(`${path}: ${errno}`);
    this.path = path;
    this.value = value;
    this.errno = errno;
  }
}

/** A script that runs step by step: each call of `step` carries out one operation and prints what the recorder would. */
export class ScriptRun {
  readonly world: World;
  readonly header: TraceHeader;
  private counters: Counters;
  private readonly startAnonHugeKb: number;
  private lastState: string;
  private n = 0;
  /** key of the sentence that says what would have worked, when the last step failed and one is known */
  hint: string | null = null;

  constructor(profile: Profile, options: RunOptions = {}) {
    this.world = new World(profile, options.patches === undefined ? {} : { patches: options.patches });
    for (const [path, value] of options.config ?? []) {
      const r = runAlone(this.world.machine.writeFile(path, value));
      if (failed(r)) throw new ConfigRefused(path, value, r.errno);
    }
    this.header = {
      hdr: 1,
      profile: profile.id,
      kernel: profile.kernelRelease,
      slot_base: `0x${this.world.slots.layout.base.toString(16)}`,
      slot_size: `0x${this.world.slots.layout.bytes.toString(16)}`,
      perf: true,
      kpageflags: true,
      thp: this.world.machine.kernel.g.enabled,
    };
    this.counters = countersOf(this.world.machine.kernel);
    this.startAnonHugeKb = this.counters.anonHugeKb;
    this.lastState = JSON.stringify(processStates(this.world));
  }

  step(operation: Operation): TraceStep {
    const { world } = this;
    const k = world.machine.kernel;
    world.machine.beginStep();
    world.faultLogs.clear();
    const before = new Map(world.living().map((p) => [p.name, { min: k.mmCount(world.task(p).mm, MMC.minFlt), maj: k.mmCount(world.task(p).mm, MMC.majFlt) }]));
    const result = runAlone(execute(world, operation));
    const step: Record<string, unknown> = { n: this.n++, op: operation.text, ...result };
    this.hint = typeof step.hint === "string" ? step.hint : null;
    delete step.hint;
    for (const p of world.living()) {
      const was = before.get(p.name);
      if (was === undefined) continue;
      const mm = world.task(p).mm;
      const log = world.faultLogs.get(mm) ?? new FaultLog();
      const flt = log.print(k.mmCount(mm, MMC.minFlt) - was.min, k.mmCount(mm, MMC.majFlt) - was.maj, (a) => world.slots.print(a));
      if (flt !== undefined) step[p.name === "P" ? "flt" : `flt@${p.name}`] = flt;
    }
    const now = countersOf(k);
    const anon = now.anonHugeKb - this.startAnonHugeKb;
    step.mi = { ...(anon === 0 ? {} : { AnonHugePages: anon }), ...Object.fromEntries(Object.entries(now.fileHugeKb).filter(([, kb]) => kb !== 0)) };
    step.dv = vmstatDelta(this.counters, now);
    step.dm = mthpDelta(k, this.counters, now);
    step.pool = {};
    this.counters = now;
    const states = processStates(world);
    const text = JSON.stringify(states);
    if (text !== this.lastState) step.procs = states;
    this.lastState = text;
    return step as unknown as TraceStep;
  }
}

/** Runs a whole script on a fresh machine. Throws a RangeError for a profile that is not known and a SyntaxError for a script that does not parse. */
export function runScript(profileId: string, source: string, options: RunOptions = {}): { header: TraceHeader; steps: TraceStep[] } {
  const profile = findProfile(profileId);
  if (profile === undefined) throw new RangeError(`no profile ${profileId}`);
  const { operations, errors } = parseScript(source);
  if (errors.length > 0) throw new SyntaxError(`line ${errors[0].line}: ${errors[0].message.key}`);
  const run = new ScriptRun(profile, options);
  return { header: run.header, steps: operations.map((o) => run.step(o)) };
}
