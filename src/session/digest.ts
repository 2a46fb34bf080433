import { canonical, hashText } from "../kernel/store/hash.ts";
import type { LineRun } from "./lineRunner.ts";

const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, "0");

/** Hash of a value by its content, 16 hexadecimal digits, the same on every platform. */
export function contentHash(value: unknown): string {
  const { a, b } = hashText(canonical(value));
  return hex(a) + hex(b);
}

/**
 * Digest of what a line showed the learner: results, faults and counts of its operation and what its tools printed, but not the wording of
 * the session's own sentences, so that a better sentence or another language is no other behaviour.
 */
export function digestOf(run: Pick<LineRun, "outcome" | "output" | "operationsDone">): string {
  const printed = run.output.filter((part) => part.stream === "out").map((part) => part.text);
  return contentHash([run.outcome, printed, run.operationsDone]);
}
