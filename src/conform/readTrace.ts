/** Reads a trace file's text. What is not a trace is refused whole, with what is wrong. */
import type { Trace, TraceStep } from "./step.ts";

export type TraceProblem = "notJson" | "notATrace" | "noSteps" | "badStep" | "noProfile";

export type TraceResult = { readonly kind: "trace"; readonly trace: Trace } | { readonly kind: "bad"; readonly problem: TraceProblem };

/** No recorded trace comes near this; a bigger file is not read at all. */
export const MAX_TRACE_BYTES = 32 * 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

/** Parses and checks everything that comparing relies on. */
export function readTrace(text: string): TraceResult {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return { kind: "bad", problem: "notJson" };
  }
  if (!isFields(content)) return { kind: "bad", problem: "notATrace" };
  const { script, source, header, steps } = content;
  if (!Array.isArray(steps) || steps.length === 0) return { kind: "bad", problem: "noSteps" };
  if (typeof script !== "string" || typeof source !== "string") return { kind: "bad", problem: "notATrace" };
  if (!isFields(header) || typeof header["profile"] !== "string" || typeof header["kernel"] !== "string") return { kind: "bad", problem: "noProfile" };
  if (!steps.every(isStep)) return { kind: "bad", problem: "badStep" };
  return { kind: "trace", trace: content as unknown as Trace };
}

/** Whether a value has the shape of a step as far as comparing looks into it. */
export function isStep(step: unknown): step is TraceStep {
  if (!isFields(step) || typeof step["op"] !== "string" || !Number.isInteger(step["n"])) return false;
  const groups = ["mi", "dv", "dm", "pool", "procs"].every((key) => step[key] === undefined || isFields(step[key]));
  return groups && Object.values((step["procs"] ?? {}) as Fields).every(isProcess);
}

function isProcess(process: unknown): boolean {
  if (!isFields(process)) return false;
  const vmas = process["vmas"] ?? [];
  return Array.isArray(vmas) && vmas.every(isVma);
}

function isVma(vma: unknown): boolean {
  if (!isFields(vma) || typeof vma["at"] !== "string" || !Array.isArray(vma["pm"] ?? [])) return false;
  return isText(vma["VmFlags"]) && ((vma["pm"] ?? []) as unknown[]).every((run) => isFields(run) && isText(run["f"]) && isText(run["k"]));
}

function isText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
