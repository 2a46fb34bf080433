import { accessOf, type Access, type CallEvent, type FaultEvent, type Program, type ProgramEvent } from "./readProgram.ts";

/**
 * What a recording does not say, read off its faults. It begins after exec, so the mappings of the program's own file, of its
 * interpreter and of the stack are not in it. A fault at an address that no recorded call mapped is in one of them; a read maps the 16 pages
 * around it as far as its mapping goes, so that the number of pages it brought tells where mappings end.
 */

export interface ExecMapping {
  /** page numbers */
  readonly start: number;
  readonly end: number;
  readonly what: "program" | "interpreter";
  /** false: anonymous memory (bss), or what exec maps without a file */
  readonly isFile: boolean;
  /** PROT_* bits */
  readonly prot: number;
}

export interface Layout {
  readonly mappings: readonly ExecMapping[];
  /** start of the heap in bytes, as the first brk said; null when there was none */
  readonly brk: number | null;
  /** pages that exec itself wrote */
  readonly written: number;
  /** folios that the recording shows to be marked for readahead */
  readonly marks: readonly Mark[];
}

export interface Mark {
  /** path of a file that a recorded call mapped, or a part of what exec mapped */
  readonly file: string;
  /** a page of the folio: of the file, or (exec) of the address space */
  readonly page: number;
  /** pages of the folio */
  readonly pages: number;
}

/** Pages of fault_around_bytes. */
const AROUND = 16;
/** Pages of a page table. */
const TABLE = 512;
/** RLIMIT_STACK of 8 MiB, and the end of user space: the stack is below */
const STACK_PAGES = 2048;
export const STACK_TOP = 0x7ffffffff;

/** Ends of mappings that are looked for: no program has near as many segments. */
const MAX_BOUNDS = 64;

/** A fault in a mapping of exec's. */
interface Seen {
  readonly page: number;
  readonly access: Access;
  /** the fault found the page present: a write to a read-only one */
  readonly present: boolean;
  /** file pages that it mapped */
  readonly filePages: number;
  readonly anonPages: number;
  /** bounds that calls before it made */
  readonly cuts: readonly number[];
}

const pageOf = (bytes: number): number => Math.floor(bytes / 4096);
const pageUp = (bytes: number): number => Math.ceil(bytes / 4096);

/** Ranges that recorded calls mapped; later ones come before earlier ones. */
class KnownRanges {
  private readonly ranges: { readonly start: number; readonly end: number; readonly mapped: boolean }[] = [];
  private heapStart = Infinity;
  private heapEnd = 0;

  has(page: number): boolean {
    if (page >= this.heapStart && page < this.heapEnd) return true;
    for (let i = this.ranges.length - 1; i >= 0; i--) {
      const r = this.ranges[i];
      if (page >= r.start && page < r.end) return r.mapped;
    }
    return false;
  }

  note(call: CallEvent): void {
    const { args, result } = call;
    if (result >= 2 ** 63) return;
    const add = (start: number, bytes: number, mapped: boolean): void => void this.ranges.push({ start: pageOf(start), end: pageUp(start + bytes), mapped });
    if (call.name === "mmap") add(result, args["len"] ?? 0, true);
    else if (call.name === "munmap") add(args["addr"] ?? 0, args["len"] ?? 0, false);
    else if (call.name === "mremap") {
      add(args["addr"] ?? 0, args["old_len"] ?? 0, false);
      add(result, args["new_len"] ?? 0, true);
    } else if (call.name === "brk") {
      if (this.heapStart === Infinity) this.heapStart = pageUp(result);
      this.heapEnd = pageUp(result);
    }
  }
}

/** Which file a recorded call mapped where: the event of the mapping comes before that of its call. */
export class FileRanges {
  private readonly ranges: { readonly name: string; readonly start: number; readonly end: number; readonly first: number }[] = [];
  private last: { readonly name: string; readonly start: number } | null = null;

  note(e: ProgramEvent): void {
    if (e.kind === "vma") this.last = { name: e.name, start: e.start };
    if (e.kind !== "sys") return;
    const name = this.nameOf(e);
    this.last = null;
    if (name === null) return;
    this.ranges.push({ name, start: pageOf(e.result), end: pageUp(e.result + (e.args["len"] ?? 0)), first: pageOf(e.args["off"] ?? 0) });
  }

  /** The file that a call maps, by the mapping that came just before it. Ask before the call is noted. */
  nameOf(call: CallEvent): string | null {
    if (call.name !== "mmap" || ((call.args["flags"] ?? 0) & 0x20) !== 0 || call.result >= 2 ** 63) return null;
    return this.last !== null && this.last.name !== "" ? this.last.name : `file of mmap at ${call.result}`;
  }

  find(page: number): { readonly file: string; readonly page: number } {
    const r = this.ranges.findLast((one) => page >= one.start && page < one.end);
    return r === undefined ? { file: "", page: 0 } : { file: r.name, page: r.first + page - r.start };
  }
}

/** File pages of a read that another thread's write came into: a write maps none, so what comes behind it is the read's. 0 where it is not so. */
function lateFilePages(program: Program, at: number, before: ReadonlyMap<string, number>): number {
  const [own, next, ...behind] = program.events.slice(at, at + 4);
  if (own.kind !== "pf" || accessOf(own) === "w" || next?.kind !== "pf" || accessOf(next) !== "w") return 0;
  const change = behind.find((e) => e.kind === "rss" && e.member === "MM_FILEPAGES");
  return change?.kind === "rss" ? Math.max(0, (change.bytes - (before.get("MM_FILEPAGES") ?? 0)) / 4096) : 0;
}

/** Changes of RSS counters that a fault made, as far as they can be told from those of the call behind it: its first ones. */
function changesBehind(program: Program, at: number, before: ReadonlyMap<string, number>): { file: number[]; anon: number } {
  const late = lateFilePages(program, at, before);
  if (late > 0) return { file: [late], anon: 0 };
  const now = new Map(before);
  const file: number[] = [];
  let anon = 0;
  for (let i = at + 1; i < program.events.length && i <= at + 2; i++) {
    const e = program.events[i];
    if (e.kind !== "rss") break;
    const change = (e.bytes - (now.get(e.member) ?? 0)) / 4096;
    now.set(e.member, e.bytes);
    if (e.member === "MM_FILEPAGES" && anon === 0) file.push(change);
    else if (e.member === "MM_ANONPAGES") anon += change;
  }
  return { file, anon };
}

/** Reads the layout off a recording. */
export function layoutOf(program: Program): Layout {
  const known = new KnownRanges();
  const counters = new Map<string, number>();
  const seen: Seen[] = [];
  const execMarks = new Map<number, number>();
  const marks: Mark[] = [];
  const files = new FileRanges();
  let cuts: readonly number[] = [];
  const starts: number[] = [];
  let brk: number | null = null;
  let firstAnon: number | null = null;
  for (const [at, e] of program.events.entries()) {
    files.note(e);
    if (e.kind === "rss") counters.set(e.member, e.bytes);
    else if (e.kind === "sys") {
      if (e.name === "brk" && e.result < STACK_TOP * 4096) brk ??= e.result;
      const start = pageOf(e.args["start"] ?? 0);
      const isOwn = e.name === "mprotect" && !known.has(start);
      if (isOwn) cuts = [...cuts, start, pageUp((e.args["start"] ?? 0) + (e.args["len"] ?? 0))];
      // the part that becomes read-only after relocation (RELRO) is where the writable segment begins
      if (isOwn) starts.push(start);
      known.note(e);
    } else if (e.kind === "pf") {
      const { file, anon } = changesBehind(program, at, counters);
      const page = pageOf(e.address);
      const isKnown = known.has(page);
      // a fault in what exec mapped brings one page: what is more was there before
      if (firstAnon === null && anon > 0) firstAnon = isKnown ? 1 : anon;
      // first what is around, then a folio: its mark kept fault-around away from it, until the fault itself came
      const isMarked = accessOf(e) !== "w" && file.length > 1 && file[0] >= 0 && file[1] <= TABLE && Number.isInteger(Math.log2(file[1]));
      const filePages = isMarked ? file[0] + file[1] : (file[0] ?? 0);
      if (isMarked && isKnown) marks.push({ ...files.find(page), pages: file[1] });
      else if (isMarked) execMarks.set(page - (page % file[1]), file[1]);
      if (!isKnown) seen.push({ page, access: accessOf(e), present: (e.error & 1) !== 0, filePages, anonPages: anon, cuts });
    }
  }
  const ends = heapPage(brk);
  const isStack = (s: Seen): boolean => s.page >= STACK_TOP - STACK_PAGES;
  const own = seen.filter((s) => s.page < ends);
  const others = seen.filter((s) => s.page >= ends && !isStack(s));
  return {
    mappings: [...mappingsOf("program", own, execMarks, starts, ends), ...mappingsOf("interpreter", others, execMarks, starts, Infinity)],
    brk,
    written: Math.max(0, (firstAnon ?? 1) - 1),
    marks: [...marks, ...[...execMarks].map(([page, pages]) => ({ file: page < ends ? "program" : "interpreter", page, pages }))],
  };
}

const heapPage = (brk: number | null): number => (brk === null ? 0 : pageUp(brk));

/** The pieces that a part of the image falls into. */
function mappingsOf(
  what: ExecMapping["what"],
  seen: readonly Seen[],
  marks: ReadonlyMap<number, number>,
  starts: readonly number[],
  heap: number,
): ExecMapping[] {
  if (seen.length === 0) return [];
  const bounds = findBounds(seen, marks, starts);
  const start = seen.reduce((low, s) => Math.min(low, s.page), Infinity);
  const last = seen.reduce((high, s) => Math.max(high, s.page + 1, ...s.cuts.filter((c) => c > s.page && c - s.page < AROUND)), 0);
  const end = heap === Infinity ? last : heap;
  const split = (more: readonly number[]): number[] => [...new Set([start, ...more.filter((b) => b > start && b < end), end])].sort((x, y) => x - y);
  const edges = split([...bounds, ...bareStarts(seen, split(bounds))]);
  return edges.slice(0, -1).map((from, i) => piece(what, from, edges[i + 1], seen));
}

/** Where memory without a file begins within a piece: at the first page that a read found to be so, behind the last one with a file. */
function bareStarts(seen: readonly Seen[], edges: readonly number[]): number[] {
  return edges.slice(0, -1).flatMap((from, i) => {
    const within = seen.filter((s) => s.page >= from && s.page < edges[i + 1]);
    const lastFile = within.reduce((high, s) => (hasFile(s) ? Math.max(high, s.page) : high), -1);
    const bare = within.reduce((low, s) => (isBare(s) && s.page > lastFile ? Math.min(low, s.page) : low), Infinity);
    return lastFile >= 0 && bare < Infinity ? [bare] : [];
  });
}

/** A read that changed no counter: the zero page. */
const isBare = (s: Seen): boolean => s.access !== "w" && s.filePages === 0 && s.anonPages === 0;
const hasFile = (s: Seen): boolean => s.filePages !== 0 || s.access === "x";

function piece(what: ExecMapping["what"], start: number, end: number, seen: readonly Seen[]): ExecMapping {
  const within = seen.filter((s) => s.page >= start && s.page < end);
  const prot = 1 | (within.some((s) => s.access === "w") ? 2 : 0) | (within.some((s) => s.access === "x") ? 4 : 0);
  return { what, start, end, isFile: within.length === 0 || within.some(hasFile), prot };
}

/** Where mappings have to end so that each read maps as many pages as it did: as few bounds as do, found in the order of the faults. */
function findBounds(seen: readonly Seen[], marks: ReadonlyMap<number, number>, starts: readonly number[]): number[] {
  const bounds: number[] = [...starts];
  const kinds = kindsOf(seen);
  const mapped = new Set<number>();
  /** by page, the fault that mapped it: a mapping does not end between pages that one fault mapped */
  const mappedBy = new Map<number, Seen>();
  const cuts = (page: number): boolean => mappedBy.has(page) && mappedBy.get(page) === mappedBy.get(page - 1);
  const marked = new Set([...marks].flatMap(([first, n]) => Array.from({ length: n }, (_, i) => first + i)));
  for (const s of seen) {
    // mapped by now, had every page been ready before
    if (mapped.has(s.page)) continue;
    if (s.access === "w" || s.filePages <= 0) {
      mapped.add(s.page);
      continue;
    }
    const first = s.page - (s.page % AROUND);
    const all = [...bounds, ...s.cuts];
    const low = Math.max(first, ...all.filter((b) => b <= s.page));
    const bound = Math.min(first - (first % TABLE) + TABLE, ...all.filter((b) => b > s.page));
    // the window is as long where the mapping begins in it (do_fault_around)
    const endFrom = (from: number): number => Math.min(from + AROUND, bound);
    const high = endFrom(low);
    const free = (from: number, to: number): number[] => {
      const out: number[] = [];
      for (let p = from; p < to; p++) if (!mapped.has(p) && (!marked.has(p) || marked.has(s.page))) out.push(p);
      return out;
    };
    let best: { readonly from: number; readonly to: number; readonly cost: number } | null = null;
    for (let from = low; from <= s.page; from++) {
      for (let to = endFrom(from); to > s.page; to--) {
        if (free(from, to).length !== s.filePages) continue;
        if ((from !== low && cuts(from)) || (to !== endFrom(from) && cuts(to))) continue;
        const cost = (from === low ? 0 : boundCost(kinds, s, -1)) + (to === endFrom(from) ? 0 : boundCost(kinds, s, 1));
        if (best === null || cost < best.cost) best = { from, to, cost };
      }
    }
    // pages that were not ready then explain it with less; a page that came alone is at an end, or of the vDSO, which maps nothing around
    const missing = free(low, high).length - s.filePages;
    if (best === null || (s.filePages > 1 && best.cost > NOT_READY + missing)) best = { from: low, to: high, cost: 0 };
    if (bounds.length > MAX_BOUNDS) best = { from: low, to: high, cost: 0 };
    if (best.from !== low) bounds.push(best.from);
    if (best.to !== endFrom(best.from)) bounds.push(best.to);
    for (const p of free(best.from, best.to)) {
      mapped.add(p);
      mappedBy.set(p, s);
    }
  }
  return bounds;
}

/** The kind of the first access to each page, and the pages in order. */
interface Kinds {
  readonly pages: readonly number[];
  readonly at: ReadonlyMap<number, { readonly access: Access; readonly index: number }>;
}

function kindsOf(seen: readonly Seen[]): Kinds {
  const first = new Map<number, Access>();
  for (const s of seen) if (!first.has(s.page)) first.set(s.page, s.access);
  const pages = [...first.keys()].sort((a, b) => a - b);
  return { pages, at: new Map(pages.map((page, index) => [page, { access: first.get(page) ?? "r", index }])) };
}

/** What a bound on one side costs: less where the next fault on that side made another kind of access, as data beside code does. */
function boundCost(kinds: Kinds, s: Seen, side: -1 | 1): number {
  const index = kinds.at.get(s.page)?.index ?? 0;
  const nearest = kinds.at.get(kinds.pages[index + side]);
  return nearest?.access === s.access ? 6 : 2;
}

/** What it costs to take pages for not ready, besides one for each of them. */
const NOT_READY = 3;

/** Pages that faults of the recording are at. */
export const faultPages = (program: Program): ReadonlySet<number> =>
  new Set(program.events.filter((e): e is FaultEvent => e.kind === "pf").map((e) => pageOf(e.address)));
