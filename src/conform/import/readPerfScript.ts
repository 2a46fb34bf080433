import type { Program, ProgramEvent, RssMember } from "../program/readProgram.ts";
import { attemptImport, BadLine, checkedLines, shownPart, type Imported } from "./textLines.ts";

/**
 * What `perf script --show-mmap-events -F comm,pid,tid,time,event,trace` prints of a recording by record-program.sh: one event a line. Of the processes in it
 * the one with the most page faults is taken, from its last exec on.
 */

export interface PerfNames {
  readonly name: string;
  /** `6.18` */
  readonly kernel: string;
  readonly thpEnabled: string;
}

/** Events of one recording (as of a program that is read). */
const EVENTS_MAX = 1_000_000;

// comm may hold blanks; pid/tid, seconds and the event are set off by them
const LINE = /^\s*(\S.*?|)\s+(\d{1,10})\/(\d{1,10})\s+(\d{1,12}\.\d{1,9}):\s+(.*)$/;
const EVENT = /^([a-z_]+:[a-z0-9_]+):\s*(.*)$/;
const MMAP = /^PERF_RECORD_MMAP2? -?\d+\/-?\d+: \[(0x[0-9a-f]+)\((0x[0-9a-f]+)\) @ (0x[0-9a-f]+|0) .*\]: ([r-][w-][x-][ps]) (.*)$/;
const RECORD = /^PERF_RECORD_[A-Z0-9_]+/;
const FAULT = /^address=(0x[0-9a-f]+|\S+) .*error_code=(0x[0-9a-f]+|0)$/;
const RSS = /^mm_id=(\d+) curr=([01]) type=(MM_[A-Z]+) size=(-?\d+)B$/;
/** perf's own names for memory without a file */
const ANONYMOUS = /^(\/\/anon|\[.*\]|anon_inode:.*)$/;

const CALLS: ReadonlySet<string> = new Set(["mmap", "munmap", "brk", "mprotect", "mremap", "madvise"]);
const MEMBERS: ReadonlySet<string> = new Set<RssMember>(["MM_FILEPAGES", "MM_ANONPAGES", "MM_SWAPENTS", "MM_SHMEMPAGES"]);

interface Call {
  readonly name: string;
  readonly args: Readonly<Record<string, number>>;
}

interface Process {
  events: ProgramEvent[];
  faults: number;
  otherMm: number;
  mm: string | null;
  /** by thread, the call that has begun */
  readonly calls: Map<string, Call>;
}

export function readPerfScript(text: string, names: PerfNames): Imported<Program> {
  return attemptImport(() => {
    const processes = new Map<string, Process>();
    let lines = 0;
    let events = 0;
    for (const [number, line] of checkedLines(text)) {
      lines = number;
      if (line.trim() === "") continue;
      const parts = LINE.exec(line);
      if (parts === null) throw new BadLine(number, "notPerf", { text: shownPart(line) });
      const [, , pid, tid, , rest] = parts;
      const process = processes.get(pid) ?? { events: [], faults: 0, otherMm: 0, mm: null, calls: new Map<string, Call>() };
      processes.set(pid, process);
      note(process, tid, rest, number);
      if (++events > EVENTS_MAX) throw new BadLine(number, "tooManyEvents", { limit: EVENTS_MAX });
    }
    const found = [...processes.values()].reduce<Process | null>((most, p) => (most === null || p.faults > most.faults ? p : most), null);
    if (found === null || found.faults === 0) throw new BadLine(Math.max(1, lines), "noFaults");
    return { ...names, what: "", events: found.events, otherMm: found.otherMm };
  });
}

function note(process: Process, tid: string, rest: string, line: number): void {
  const event = EVENT.exec(rest);
  if (event === null) {
    const mmap = MMAP.exec(rest);
    if (mmap !== null) process.events.push(vmaOf(mmap, line));
    else if (!RECORD.test(rest)) throw new BadLine(line, "notPerf", { text: shownPart(rest) });
    return;
  }
  const [, name, trace] = event;
  if (name === "sched:sched_process_exec") {
    process.events = [];
    process.faults = 0;
    process.otherMm = 0;
    process.mm = null;
    process.calls.clear();
  } else if (name === "exceptions:page_fault_user" || name === "exceptions:page_fault_kernel") {
    const fault = FAULT.exec(trace);
    if (fault === null) throw new BadLine(line, "badEvent", { text: shownPart(trace) });
    const address = addressOf(fault[1], line);
    // faults of the kernel on its own memory are not the program's
    if (address >= 2 ** 47) return;
    process.events.push({ kind: "pf", mode: name.endsWith("user") ? "user" : "kernel", address, error: numberOf(fault[2], line) });
    process.faults++;
  } else if (name === "kmem:rss_stat") noteRss(process, trace, line);
  else noteCall(process, tid, name, trace, line);
}

function noteRss(process: Process, trace: string, line: number): void {
  const rss = RSS.exec(trace);
  if (rss === null) throw new BadLine(line, "badEvent", { text: shownPart(trace) });
  const [, mm, current, member, size] = rss;
  process.mm ??= mm;
  if (current !== "1" || mm !== process.mm) process.otherMm++;
  else if (MEMBERS.has(member)) process.events.push({ kind: "rss", member: member as RssMember, bytes: Math.max(0, Number(size)) });
}

/** A call stands where it ended: what it changed comes before it. */
function noteCall(process: Process, tid: string, event: string, trace: string, line: number): void {
  const m = /^syscalls:sys_(enter|exit)_(\w+)$/.exec(event);
  if (m === null || !CALLS.has(m[2])) return;
  if (m[1] === "enter") {
    process.calls.set(tid, { name: m[2], args: argumentsOf(trace, line) });
    return;
  }
  const call = process.calls.get(tid);
  process.calls.delete(tid);
  // it began before the recording did
  if (call === undefined || call.name !== m[2]) return;
  process.events.push({ kind: "sys", name: call.name, args: call.args, result: numberOf(trace.trim(), line) });
}

function argumentsOf(trace: string, line: number): Readonly<Record<string, number>> {
  const out: Record<string, number> = {};
  for (const part of trace.split(",")) {
    const m = /^\s*([a-z_]{1,16}):\s*(0x[0-9a-f]{1,16}|\d{1,20})\s*$/.exec(part);
    if (m === null) throw new BadLine(line, "badEvent", { text: shownPart(trace) });
    out[m[1]] = numberOf(m[2], line);
  }
  return out;
}

function vmaOf([, start, length, offset, prot, name]: RegExpExecArray, line: number): ProgramEvent {
  const file = ANONYMOUS.test(name) ? "" : name;
  return { kind: "vma", start: numberOf(start, line), bytes: numberOf(length, line), offset: numberOf(offset, line), prot, name: file };
}

function addressOf(text: string, line: number): number {
  return numberOf(text, line);
}

/** Hexadecimal or decimal; errnos come as numbers from 2^63 on. */
function numberOf(text: string, line: number): number {
  if (!/^(0x[0-9a-f]{1,16}|\d{1,19})$/.test(text)) throw new BadLine(line, "badNumber", { text: shownPart(text) });
  return Number(BigInt(text));
}
