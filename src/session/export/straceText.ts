import { straceOf } from "../callText.ts";
import type { PathStep } from "./pathSteps.ts";

/**
 * What `strace -f -e trace=memory` would print, and fork, without which the lines of children mean nothing. Everything else is a comment. Each
 * line can be pasted back: addresses are those of the session, so that later lines fit.
 */
export function straceText(steps: readonly PathStep[], heading: readonly string[]): string {
  const pids = new Set(steps.filter((step) => step.kind === "call").map((step) => step.pid));
  const lines = steps.map((step): string => {
    if (step.kind !== "call") return `# ${step.command}`;
    const prefix = pids.size > 1 ? `[pid ${String(step.pid).padStart(5)}] ` : "";
    // sbrk(3) is a function of the C library over brk(2), with another argument and result
    if (step.call === "sbrk") return `# ${step.command}`;
    return prefix + straceOf(step.call, step, step);
  });
  return [...heading.map((line) => `# ${line}`), ...lines, ""].join("\n");
}
