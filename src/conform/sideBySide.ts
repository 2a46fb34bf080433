/** Two runs of a script as text, operation by operation: what the kernel answered, what the simulator answered, what differs. */
import type { Difference } from "./compare.ts";
import type { TraceStep } from "./step.ts";

const RESULT = [
  "ret",
  "errno",
  "error",
  "cnt",
  "ok",
  "val",
  "sum",
  "sig",
  "blocked",
  "uffd",
  "copy",
  "zeropage",
  "mapped",
  "move",
  "updated",
  "incore",
  "died",
];
const NARROWEST = 40;

/** Lines of at most `width` columns: a header, one line for each operation, and one for each difference below it, marked with `!`. */
export function sideBySide(recorded: readonly TraceStep[], ours: readonly TraceStep[], differences: readonly Difference[], width: number): string[] {
  const usable = Math.max(NARROWEST * 2, width);
  const opWidth = Math.min(48, Math.max(12, ...recorded.map((step) => step.op.length + String(step.n).length + 1)));
  const half = Math.max(20, Math.floor((usable - opWidth - 6) / 2));
  const row = (mark: string, operation: string, left: string, right: string): string =>
    `${mark} ${fit(operation, opWidth)}  ${fit(left, half)}  ${right.length > half ? `${right.slice(0, half - 1)}~` : right}`.trimEnd();
  const lines = [row(" ", "operation", "kernel", "simulator")];
  for (const [i, step] of recorded.entries()) {
    const here = differences.filter((difference) => difference.operation === step.n);
    lines.push(row(here.length > 0 ? "!" : " ", `${step.n} ${step.op}`, answer(step), answer(ours[i])));
    for (const { field, recorded: kernel, ours: simulator } of here) lines.push(row("!", `    ${field}`, shown(kernel), shown(simulator)));
  }
  return lines;
}

/** the result of an operation and its faults, in short */
function answer(step: TraceStep | undefined): string {
  if (step === undefined) return "nothing";
  const parts = RESULT.filter((key) => step[key] !== undefined).map((key) => (key === "ret" ? shown(step[key]) : `${key}=${shown(step[key])}`));
  const faults = step["flt"] as { readonly pf?: number } | undefined;
  if (faults?.pf) parts.push(`faults=${faults.pf}`);
  return parts.join(" ");
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  return text.replace(/[^\x20-\x7e]/g, "?");
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}~` : text.padEnd(width);
}
