import type { Message } from "../../kernel/message.ts";
import type { Profile } from "../../kernel/profile/profile.ts";
import type { FaultKind, ProgramReport, RssPoint } from "../model.ts";
import { compareProgram, type ProgramDifference, type RssChange } from "./compareProgram.ts";
import type { Program, RssMember } from "./readProgram.ts";
import { prepareProgram, ProgramReplay, type Replayed, type Replay, type ReplayOptions } from "./replayProgram.ts";

/** Points of a plot: more than a screen has columns help nobody. */
const POINTS_MAX = 600;
const DIFFERENCES_MAX = 200;
const LOOK_EVENTS = 128;

const PAGE = 4096;

/** Replays a program and says what it came to; null: `look` stopped it. @throws SettingRefused */
export function reportProgram(program: Program, profile: Profile, options: ReplayOptions, look: (eventsDone: number) => boolean): ProgramReport | null {
  const replay = new ProgramReplay(prepareProgram(program), profile, options);
  const steps: Replayed[] = [];
  for (const step of replay.steps()) {
    steps.push(step);
    if (steps.length % LOOK_EVENTS === 0 && !look(LOOK_EVENTS)) return null;
  }
  const done: Replay = { steps, layout: replay.layout };
  const { faults, faultsAgree, rss, rssAgree, overlapping, differences } = compareProgram(program, done);
  const { name, what, kernel, thpEnabled, events } = program;
  const shown = differences.slice(0, DIFFERENCES_MAX);
  return {
    ...{ name, what, kernel, thpEnabled, profile: profile.id, events: events.length },
    ...{ faults, faultsAgree, rss, rssAgree, overlapping },
    points: pointsOf(program, done),
    kinds: kindsOf(steps),
    differences: shown.map((d) => ({ event: d.at, what: differenceMessage(d), reason: reasonMessage(d) })),
    more: differences.length - shown.length,
  };
}

/** RSS after each event that changed it, thinned out: of each stretch the moment where most was mapped. */
function pointsOf(program: Program, replay: Replay): RssPoint[] {
  const all: RssPoint[] = [];
  const start = replay.layout.written * PAGE;
  const recorded: Partial<Record<RssMember, number>> = { MM_ANONPAGES: start };
  const ours: Partial<Record<RssMember, number>> = { MM_ANONPAGES: start };
  let next = 0;
  for (const [event, e] of program.events.entries()) {
    if (e.kind === "rss") recorded[e.member] = e.bytes;
    else if (e.kind === "pf" || e.kind === "sys") for (const { member, bytes } of replay.steps[next++]?.rss ?? []) ours[member] = bytes;
    all.push({
      event,
      anonBytes: ours.MM_ANONPAGES ?? 0,
      fileBytes: ours.MM_FILEPAGES ?? 0,
      recordedAnonBytes: recorded.MM_ANONPAGES ?? 0,
      recordedFileBytes: recorded.MM_FILEPAGES ?? 0,
    });
  }
  const stretch = Math.max(1, Math.ceil(all.length / POINTS_MAX));
  const out: RssPoint[] = [];
  for (let at = 0; at < all.length; at += stretch) {
    out.push(all.slice(at, at + stretch).reduce((most, p) => (p.anonBytes + p.fileBytes > most.anonBytes + most.fileBytes ? p : most)));
  }
  return out;
}

function kindsOf(steps: readonly Replayed[]): FaultKind[] {
  const kinds = new Map<string, { kind: Omit<FaultKind, "count">; count: number }>();
  const now = new Map<RssMember, number>();
  for (const { at, event, faults, rss } of steps) {
    let anon = 0;
    let file = 0;
    for (const { member, bytes } of rss) {
      const pages = (bytes - (now.get(member) ?? 0)) / PAGE;
      now.set(member, bytes);
      if (member === "MM_ANONPAGES") anon += pages;
      else file += pages;
    }
    if (event.kind !== "pf") continue;
    const id = kindOf(faults.length > 0, anon, file);
    const order = id === "folio" ? Math.floor(Math.log2(anon)) : 0;
    const entry = kinds.get(`${id} ${order}`) ?? { kind: { id, order, firstAddress: event.address, firstEvent: at }, count: 0 };
    entry.count++;
    kinds.set(`${id} ${order}`, entry);
  }
  return [...kinds.values()].map(({ kind, count }) => ({ ...kind, count })).sort((a, b) => b.count - a.count);
}

function kindOf(faulted: boolean, anonPages: number, filePages: number): FaultKind["id"] {
  if (!faulted) return "hit";
  if (anonPages > 1) return "folio";
  if (anonPages === 1) return filePages < 0 ? "copy" : "anon";
  return filePages > 0 ? "file" : "none";
}

// --- differences as messages

const hex = (address: number): string => `0x${address.toString(16)}`;
const changeText = (c: RssChange | null): string => (c === null ? "-" : `${c.member} ${c.pages > 0 ? "+" : ""}${c.pages}`);

/** What differs. */
export function differenceMessage(d: ProgramDifference): Message {
  if (d.kind === "call") return { key: "conform.program.difference.call", args: { name: d.name.slice(0, 20), recorded: d.recorded, ours: d.ours } };
  if (d.kind === "rss") return { key: "conform.program.difference.rss", args: { place: d.place, recorded: changeText(d.recorded), ours: changeText(d.ours) } };
  if (d.trouble !== null) return { key: "conform.program.difference.trouble", args: { address: hex(d.address), access: d.access, ours: d.trouble } };
  const args = { address: hex(d.address), access: d.access, ours: d.ours.map(hex).join(" ") };
  return { key: d.ours.length === 0 ? "conform.program.difference.noFault" : "conform.program.difference.otherFaults", args };
}

/** Why it differs, as far as it is known. */
export const reasonMessage = (d: ProgramDifference): Message => ({
  key: `conform.program.reason.${d.kind === "rss" ? d.reason : "unknown"}`,
  args: {},
});
