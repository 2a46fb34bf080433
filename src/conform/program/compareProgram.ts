import { accessOf, type Access, type Program } from "./readProgram.ts";
import type { Replay, Replayed } from "./replayProgram.ts";

/** Compares a recording with its replay, event by event. */

export interface FaultDifference {
  readonly kind: "fault";
  /** index of the event in the recording */
  readonly at: number;
  readonly address: number;
  readonly access: Access;
  /** addresses that faulted in the simulator */
  readonly ours: readonly number[];
  readonly trouble: string | null;
}

/** A change of an RSS counter. */
export interface RssChange {
  readonly member: string;
  readonly pages: number;
}

/**
 * Why RSS differs. `notReady`: a fault mapped fewer pages around it than a warm page cache gives, because some were locked or being read then; the recording does not say which.
 * `earlier`: the other half of such a difference, a fault for pages that were not ready, or pages that were.
 * `threads`: changes of several threads in another order than their faults and calls; in sum they are the same.
 * `resched`: zap_pte_range gave way to the scheduler within a page table and counted twice what ours counts once.
 */
export type RssReason = "notReady" | "earlier" | "threads" | "resched" | "unknown";

export interface RssDifference {
  readonly kind: "rss";
  readonly at: number;
  /** the address of the fault, or the name of the call, that the change came with */
  readonly place: string;
  /** null where there was no such event */
  readonly recorded: RssChange | null;
  readonly ours: RssChange | null;
  readonly reason: RssReason;
}

export interface CallDifference {
  readonly kind: "call";
  readonly at: number;
  readonly name: string;
  readonly recorded: string;
  readonly ours: string;
}

export type ProgramDifference = FaultDifference | RssDifference | CallDifference;

export interface ProgramVerdict {
  readonly faults: number;
  readonly faultsAgree: number;
  readonly rss: number;
  readonly rssAgree: number;
  /** faults whose RSS changes came after the next fault had begun: threads in each other */
  readonly overlapping: number;
  readonly differences: readonly ProgramDifference[];
}

/** Share of the faults that has to agree, in thousandths, by program (issue 4). */
const SHARES: Readonly<Record<string, number>> = { compiler: 990 };
const SHARE = 999;

/** Whether enough faults agree, and every call answered as recorded. */
export function isWithinShare(program: Program, verdict: ProgramVerdict): boolean {
  const enough = verdict.faultsAgree * 1000 >= verdict.faults * (SHARES[program.name] ?? SHARE);
  return enough && verdict.faults > 0 && !verdict.differences.some((d) => d.kind === "call");
}

/** A stretch of events without a fault in it but its first, and the RSS changes of both sides. */
interface Stretch {
  readonly at: number;
  readonly place: string;
  readonly recorded: RssChange[];
  readonly ours: RssChange[];
  readonly write: boolean;
}

export function compareProgram(program: Program, replay: Replay): ProgramVerdict {
  const differences: ProgramDifference[] = [];
  let faults = 0;
  let faultsAgree = 0;
  for (const step of replay.steps) {
    if (step.event.kind === "pf") {
      faults++;
      const difference = faultDifference(step);
      if (difference === null) faultsAgree++;
      else differences.push(difference);
    } else if (step.trouble !== null) {
      differences.push({ kind: "call", at: step.at, name: step.event.name, recorded: resultText(step.event.result), ours: step.trouble });
    }
  }
  const stretches = stretchesOf(program, replay);
  let rss = 0;
  let rssAgree = 0;
  let overlapping = 0;
  for (let i = 0; i < stretches.length;) {
    const n = overlapAt(stretches, i);
    for (const { recorded } of stretches.slice(i, i + n)) rss += recorded.length;
    if (n > 1) {
      overlapping += n;
      rssAgree += stretches.slice(i, i + n).reduce((sum, s) => sum + s.recorded.length, 0);
    } else rssAgree += compareStretch(stretches[i], differences);
    i += n;
  }
  differences.sort((a, b) => a.at - b.at);
  return { faults, faultsAgree, rss, rssAgree, overlapping, differences: withThreads(differences) };
}

const resultText = (result: number): string => (result >= 2 ** 63 ? "an errno" : String(result));

function faultDifference(step: Replayed): FaultDifference | null {
  if (step.event.kind !== "pf") return null;
  const { address } = step.event;
  if (step.trouble === null && step.faults.length === 1 && step.faults[0] === address) return null;
  return { kind: "fault", at: step.at, address, access: accessOf(step.event), ours: step.faults, trouble: step.trouble };
}

/** Both sides cut at the faults. Changes of a call come before its event in the recording, and stand with the fault before it. */
function stretchesOf(program: Program, replay: Replay): Stretch[] {
  const out: Stretch[] = [];
  let stretch: Stretch = { at: 0, place: "", recorded: [], ours: [], write: false };
  const recorded = new Map<string, number>([["MM_ANONPAGES", replay.layout.written * 4096]]);
  const ours = new Map(recorded);
  const change = (counters: Map<string, number>, member: string, bytes: number): RssChange => {
    const pages = (bytes - (counters.get(member) ?? 0)) / 4096;
    counters.set(member, bytes);
    return { member, pages };
  };
  let next = 0;
  for (const [at, event] of program.events.entries()) {
    if (event.kind === "pf") {
      out.push(stretch);
      stretch = { at, place: `0x${event.address.toString(16)}`, recorded: [], ours: [], write: accessOf(event) === "w" };
    }
    if (event.kind === "rss") stretch.recorded.push(change(recorded, event.member, event.bytes));
    if (event.kind !== "pf" && event.kind !== "sys") continue;
    for (const r of replay.steps[next++]?.rss ?? []) stretch.ours.push(change(ours, r.member, r.bytes));
  }
  return [...out, stretch].filter((s) => s.recorded.length + s.ours.length > 0);
}

const isSame = (a: RssChange | undefined, b: RssChange | undefined): boolean => a?.member === b?.member && a?.pages === b?.pages;
const keyOf = (c: RssChange): string => `${c.member} ${c.pages}`;

/** Stretches that faults in each other are looked for in. */
const MAX_OVERLAP = 4;

/**
 * Faults of several threads in each other: a fault has fewer changes than ours before the next one begins, and some stretches later both sides
 * have the same, in whatever order. Returns how many stretches belong together; 1 where that is not so.
 */
function overlapAt(stretches: readonly Stretch[], at: number): number {
  const { recorded: first, ours: own } = stretches[at];
  if (first.length >= own.length || !first.every((change) => own.some((o) => isSame(o, change)))) return 1;
  for (let n = 2; n <= MAX_OVERLAP && at + n <= stretches.length; n++) {
    const group = stretches.slice(at, at + n);
    const recorded = group.flatMap((s) => s.recorded.map(keyOf)).sort();
    const ours = group.flatMap((s) => s.ours.map(keyOf)).sort();
    if (recorded.length === ours.length && recorded.every((key, i) => key === ours[i])) return n;
  }
  return 1;
}

/** How many recorded changes from `at` on come to one of ours: what a munmap counted in parts. 0: they do not. */
function partsOf(recorded: readonly RssChange[], at: number, whole: RssChange): number {
  let sum = 0;
  for (let n = 0; whole.pages < 0 && at + n < recorded.length; n++) {
    const { member, pages } = recorded[at + n];
    if (member !== whole.member || pages >= 0) return 0;
    sum += pages;
    if (sum <= whole.pages) return sum === whole.pages && n > 0 ? n + 1 : 0;
  }
  return 0;
}

/** Position by position. Returns how many recorded changes agree. */
function compareStretch(s: Stretch, differences: ProgramDifference[]): number {
  let agree = 0;
  const differs = (recorded: RssChange | undefined, ours: RssChange | undefined, reason: RssReason): void => {
    differences.push({ kind: "rss", at: s.at, place: s.place, recorded: recorded ?? null, ours: ours ?? null, reason });
  };
  for (let i = 0, j = 0; i < s.recorded.length || j < s.ours.length;) {
    const recorded = s.recorded.at(i);
    const ours = s.ours.at(j);
    const parts = ours === undefined || isSame(recorded, ours) ? 0 : partsOf(s.recorded, i, ours);
    if (isSame(recorded, ours)) agree++;
    else if (parts === 0) differs(recorded, ours, reasonOf(recorded, ours, s));
    for (let part = 0; part < parts; part++) differs(s.recorded[i + part], part === 0 ? ours : undefined, "resched");
    i += Math.max(1, parts);
    j++;
  }
  return agree;
}

/** Events between differences that are looked at together. */
const THREADS_APART = 32;

/** Differences near each other that come to nothing in sum, counter by counter, are threads in each other. */
function withThreads(differences: readonly ProgramDifference[]): ProgramDifference[] {
  const groups: RssDifference[][] = [];
  for (const d of differences) {
    if (d.kind !== "rss" || d.reason !== "unknown") continue;
    const last = groups.at(-1);
    if (last !== undefined && d.at - last[last.length - 1].at <= THREADS_APART) last.push(d);
    else groups.push([d]);
  }
  const threads = new Set<ProgramDifference>(groups.filter(isBalanced).flat());
  return differences.map((d) => (d.kind === "rss" && threads.has(d) ? { ...d, reason: "threads" } : d));
}

function isBalanced(group: readonly RssDifference[]): boolean {
  const sums = new Map<string, number>();
  for (const { recorded, ours } of group) {
    if (recorded !== null) sums.set(recorded.member, (sums.get(recorded.member) ?? 0) + recorded.pages);
    if (ours !== null) sums.set(ours.member, (sums.get(ours.member) ?? 0) - ours.pages);
  }
  return [...sums.values()].every((sum) => sum === 0);
}

function reasonOf(recorded: RssChange | undefined, ours: RssChange | undefined, s: Stretch): RssReason {
  if (recorded?.member !== "MM_FILEPAGES" || recorded.pages < 0) return "unknown";
  // behind a write it is the read's of another thread
  if (s.write) return ours === undefined ? "earlier" : "unknown";
  if (ours === undefined || (ours.member === "MM_FILEPAGES" && ours.pages < recorded.pages)) return "earlier";
  return ours.member === "MM_FILEPAGES" ? "notReady" : "unknown";
}
