/** Reads the recording of a real program (GRAMMAR.md, "Program traces"). What is none is refused whole. Pure: the text comes from outside. */

/** An RSS counter of the trace. */
export type RssMember = "MM_FILEPAGES" | "MM_ANONPAGES" | "MM_SWAPENTS" | "MM_SHMEMPAGES";

/** What perf said of a mapping that came or changed. */
export interface VmaEvent {
  readonly kind: "vma";
  readonly start: number;
  readonly bytes: number;
  readonly offset: number;
  readonly prot: string;
  readonly name: string;
}

export interface CallEvent {
  readonly kind: "sys";
  readonly name: string;
  readonly args: Readonly<Record<string, number>>;
  /** a number from 2^63 on is a negative errno */
  readonly result: number;
}

export interface FaultEvent {
  readonly kind: "pf";
  readonly mode: "user" | "kernel";
  readonly address: number;
  /** x86: 1 present, 2 write, 4 user, 16 fetch */
  readonly error: number;
}

export interface RssEvent {
  readonly kind: "rss";
  readonly member: RssMember;
  readonly bytes: number;
}

export type ProgramEvent = VmaEvent | CallEvent | FaultEvent | RssEvent;

export interface Program {
  readonly name: string;
  readonly what: string;
  /** `6.18` */
  readonly kernel: string;
  readonly thpEnabled: string;
  readonly events: readonly ProgramEvent[];
  /** RSS events of another address space, which are left out */
  readonly otherMm: number;
}

export type ProgramProblem = "notJson" | "notAProgram" | "badEvent" | "pageSize";

export type ProgramResult =
  { readonly kind: "program"; readonly program: Program } | { readonly kind: "bad"; readonly problem: ProgramProblem; readonly event: number };

/** Most events of a recording that is read at all. */
export const MAX_PROGRAM_EVENTS = 1_000_000;

const MEMBERS: ReadonlySet<unknown> = new Set<RssMember>(["MM_FILEPAGES", "MM_ANONPAGES", "MM_SWAPENTS", "MM_SHMEMPAGES"]);
const bad = (problem: ProgramProblem, event = 0): ProgramResult => ({ kind: "bad", problem, event });
const isFields = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);
/** A user address or a length: numbers that a double holds exactly. */
const isBytes = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

export function readProgram(text: string): ProgramResult {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return bad("notJson");
  }
  if (!isFields(content) || !Array.isArray(content["events"]) || content["events"].length > MAX_PROGRAM_EVENTS) return bad("notAProgram");
  const { program, what = "", kernel, thp_enabled: thpEnabled } = content;
  if (typeof program !== "string" || typeof what !== "string" || typeof kernel !== "string" || typeof thpEnabled !== "string") return bad("notAProgram");
  if (content["page_size_bytes"] !== 4096) return bad("pageSize");
  const events: ProgramEvent[] = [];
  let mm: unknown;
  let otherMm = 0;
  for (const [n, row] of (content["events"] as unknown[]).entries()) {
    const event = eventOf(row);
    if (event === null) return bad("badEvent", n);
    if (event.kind === "rss") {
      const [, , , isCurrent, id] = row as unknown[];
      mm ??= id;
      if (isCurrent !== true || id !== mm) {
        otherMm++;
        continue;
      }
    }
    events.push(event);
  }
  return { kind: "program", program: { name: program, what, kernel, thpEnabled, events, otherMm } };
}

function eventOf(row: unknown): ProgramEvent | null {
  if (!Array.isArray(row)) return null;
  const [kind, a, b, c, d, e] = row as unknown[];
  switch (kind) {
    case "vma":
      if (!isBytes(a) || !isBytes(b) || !isNumber(c) || typeof d !== "string" || typeof e !== "string") return null;
      return { kind, start: a, bytes: b, offset: c, prot: d, name: e };
    case "sys":
      if (typeof a !== "string" || !isFields(b) || !isNumber(c) || !Object.values(b).every(isNumber)) return null;
      return { kind, name: a, args: b as Readonly<Record<string, number>>, result: c };
    case "pf":
      if ((a !== "user" && a !== "kernel") || !isBytes(b) || !isBytes(c)) return null;
      return { kind, mode: a, address: b, error: c };
    case "rss":
      return MEMBERS.has(a) && isNumber(b) ? { kind, member: a as RssMember, bytes: b } : null;
    default:
      return null;
  }
}

export type Access = "r" | "w" | "x";

/** What the program did that faulted. */
export const accessOf = (fault: FaultEvent): Access => ((fault.error & 2) !== 0 ? "w" : (fault.error & 16) !== 0 ? "x" : "r");
