import type { Message } from "../../kernel/message.ts";
import { waitOf } from "../../kernel/sched/locks.ts";
import type { ResultFields } from "../execute.ts";
import type { ScheduleStep } from "../explore.ts";

/** What a step of a schedule did, as a message: its thread stands at a point now, or has ended an operation. */
export function stepMessage(step: ScheduleStep): Message {
  if (step.result !== null) return { key: "session.point.done", args: { result: resultText(step.result) } };
  const { point } = step;
  // neither at a point nor at the end of an operation: an assertion stopped it
  if (point === null) return { key: "session.point.stopped", args: {} };
  const wait = waitOf(point);
  if (wait !== undefined) return { key: "session.point.wait", args: { lock: wait.kind } };
  if (point.startsWith("lock:")) return { key: "session.point.lock", args: { lock: point.slice("lock:".length) } };
  return { key: `session.point.${point}`, args: {} };
}

/** Result fields as a short line: `ret=0 pinned=4711`. */
export function resultText(result: ResultFields): string {
  return Object.entries(result)
    .filter(([name]) => name !== "hint")
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}
