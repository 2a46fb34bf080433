import { ABSENT, advance, START } from "./compare.ts";
import { nameOf, type KernelLimits } from "./projection.ts";
import type { TraceStep } from "./step.ts";

/** One thing that can be seen of a run: a field, as compare.py names it (`ret`, `flt.pf`, `P:A+0x0.pm`), at an operation, counted from 0. */
export interface Observation {
  readonly operation: number;
  readonly field: string;
}

/** `3:flt.pf`; null when it is not written so. */
export function readObservation(text: string): Observation | null {
  const match = /^(\d{1,6}):(.+)$/s.exec(text);
  return match === null ? null : { operation: Number(match[1]), field: match[2] };
}

/** All fields after an operation and what they are: what it answered, and the state it left. Empty for an operation that was not run. */
export function fieldsAt(steps: readonly TraceStep[], operation: number, limits: KernelLimits): ReadonlyMap<string, unknown> {
  if (operation >= steps.length) return new Map();
  let side = START;
  for (const step of steps.slice(0, operation + 1)) side = advance(side, step, limits);
  const fields = new Map([...side.meminfo, ...side.state, ...side.result].map(([key, value]) => [nameOf(key), value]));
  // what compare.py does not compare: how far an address is aligned, passes of a daemon
  for (const [name, value] of Object.entries(steps[operation])) if (typeof value !== "object" && name !== "n" && name !== "op") fields.set(name, value);
  return fields;
}

/** The value of a field at an operation. */
export function observe(steps: readonly TraceStep[], { operation, field }: Observation, limits: KernelLimits): unknown {
  const fields = fieldsAt(steps, operation, limits);
  return fields.has(field) ? fields.get(field) : ABSENT;
}
