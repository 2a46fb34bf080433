import { togglesWith } from "../kernel/boot.ts";
import { resolveEra } from "../kernel/era/resolve.ts";
import { bisect, type Bisected } from "../session/bisect/bisect.ts";
import type { BisectedMachine } from "../session/bisect/changes.ts";
import { ScriptRun } from "../session/runScript.ts";
import type { Operation } from "../shell/operation.ts";
import { compare, type Difference } from "./compare.ts";
import { fieldsAt, observe, type Observation } from "./observation.ts";
import { kernelLimits, type KernelLimits } from "./projection.ts";
import { pythonEqual } from "./pythonValue.ts";
import type { TraceStep } from "./step.ts";

/** A script whose answer changed between two machines. */
export interface BisectedScript {
  readonly operations: readonly Operation[];
  /** kernel files set before the first operation */
  readonly config: readonly (readonly [path: string, value: string])[];
  readonly good: BisectedMachine;
  readonly bad: BisectedMachine;
}

/** The script's first operations on a machine. @throws ConfigRefused */
function stepsOn({ operations, config }: BisectedScript, { profile, patches }: BisectedMachine, count: number): TraceStep[] {
  const run = new ScriptRun(profile, { patches, config });
  return operations.slice(0, count).map((operation) => run.step(operation));
}

/** What can be compared of two machines: without PAGEMAP_SCAN less is seen of each page. */
function limitsOf({ good, bad }: BisectedScript): KernelLimits {
  const noScan = [good, bad].some(({ profile, patches }) => !resolveEra(togglesWith(profile, patches), profile.fixes).pagemapScan);
  return { ...kernelLimits(""), noScan };
}

/** All observations that differ between the two machines, in order of operation. */
export function differences(script: BisectedScript): readonly Difference[] {
  const count = script.operations.length;
  return compare(stepsOn(script, script.good, count), stepsOn(script, script.bad, count), limitsOf(script).noScan ? "6.1.0" : "").differences;
}

/** Names of the fields that an operation has on either machine. */
export function fieldNames(script: BisectedScript, operation: number): string[] {
  const names = [script.good, script.bad].flatMap((machine) => [...fieldsAt(stepsOn(script, machine, operation + 1), operation, limitsOf(script)).keys()]);
  return [...new Set(names)].sort();
}

/** Which change of the kernel changed this observation. */
export function bisectScript(script: BisectedScript, seen: Observation): Bisected<unknown> {
  const limits = limitsOf(script);
  return bisect<unknown>({
    good: script.good,
    bad: script.bad,
    observe: (machine) => observe(stepsOn(script, machine, seen.operation + 1), seen, limits),
    same: pythonEqual,
  });
}
