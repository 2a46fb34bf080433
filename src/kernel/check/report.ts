import type { Message } from "../message.ts";

/** A broken invariant, as a sentence for a person: key and arguments name what is wrong, and where. */
export type Violation = Message;

/** One mistake may break the same rule on thousands of pages; this many of a kind are kept. */
const MOST_OF_A_KIND = 8;

/** Collects violations, at most a few of each kind, in the order in which they are found. */
export class Report {
  readonly violations: Violation[] = [];
  private readonly counts = new Map<string, number>();

  add(key: string, args: Message["args"]): void {
    const n = this.counts.get(key) ?? 0;
    this.counts.set(key, n + 1);
    if (n < MOST_OF_A_KIND) this.violations.push({ key, args });
  }
}
