import { failed } from "../../kernel/mm/errno.ts";
import type { Vma } from "../../kernel/mm/records.ts";
import { vmaAt, vmasIn } from "../../kernel/mm/vma.ts";
import { VM } from "../../kernel/mm/vmFlags.ts";
import type { Cause, VmaFlagName } from "../../kernel/why/tracer.ts";
import { parseLine } from "../../shell/command/parseLine.ts";
import { printBody } from "../../shell/command/printOperation.ts";
import type { OperationBody } from "../../shell/operation.ts";
import { fileCauseWays, remappedFile, sharedOtherwise } from "./fileChanges.ts";
import { togglesOfBehaviour } from "./explanation.ts";
import type { ScriptHistory } from "./history.ts";
import { stepsOfCauses, traceBack } from "./replay.ts";
import { readCause } from "./readState.ts";

/**
 * Given a cause that an explanation names, how a script is changed so that the cause is otherwise. This is what proves
 * explanations: the named cause is changed, and the outcome has to change. Each change is one that a person could make.
 */

/** A change of a script: its lines are counted from 0, line i being step i + 1. */
export type Edit =
  | { readonly kind: "insert"; readonly before: number; readonly lines: readonly string[] }
  | { readonly kind: "remove"; readonly line: number }
  | { readonly kind: "replace"; readonly line: number; readonly text: string }
  /** boots with a patch: "+id" or "-id"; with `step`: only that step is carried out with it */
  | { readonly kind: "patch"; readonly patch: string; readonly step?: number }
  | { readonly kind: "memory"; readonly factor: number }
  | { readonly kind: "config"; readonly name: string; readonly value: boolean | number }
  | { readonly kind: "capability"; readonly set: boolean };

/** One way to change a cause. */
export type Change = readonly Edit[];

/** The edited script. */
export function applyEdits(lines: readonly string[], edits: readonly Edit[]): string[] {
  const out: string[] = [];
  lines.forEach((line, i) => {
    for (const e of edits) if (e.kind === "insert" && e.before === i) out.push(...e.lines);
    if (edits.some((e) => e.kind === "remove" && e.line === i)) return;
    const replaced = edits.find((e) => e.kind === "replace" && e.line === i);
    out.push(replaced?.kind === "replace" ? replaced.text : line);
  });
  return out;
}

interface Place {
  readonly history: ScriptHistory;
  readonly lines: readonly string[];
  /** the step whose decision the cause belongs to */
  readonly step: number;
  /** the steps that made the cause so, or brought it from elsewhere, latest first */
  readonly makers: readonly number[];
}

const hex = (vpn: number): string => `0x${(vpn * 4096).toString(16)}`;
const bytes = (pages: number): string => `0x${(pages * 4096).toString(16)}`;

/** Ways to change a cause of a decision of a step; the first is the most direct. Empty: a script cannot change it. */
export function changesOf(history: ScriptHistory, lines: readonly string[], step: number, cause: Cause): Change[] {
  const makers = readCause(history.world.machine, cause) === null ? [] : traceBack(history, cause, stepsOfCauses(history, step, [cause])[0]);
  const place: Place = { history, lines, step, makers: makers.map((made) => made.step).filter((made) => made > 0) };
  history.goBefore(step);
  try {
    return waysTo(place, cause);
  } finally {
    history.goBefore(history.lastStep + 1);
  }
}

const before = (p: Place, ...text: string[]): Change => [{ kind: "insert", before: p.step - 1, lines: text }];
const removed = (p: Place): Change[] => p.makers.map((made): Change => [{ kind: "remove", line: made - 1 }]);

/** The line of the process with this address space. */
function by(p: Place, mm: number, text: string): string {
  const { world } = p.history;
  const process = world.living().find((candidate) => world.task(candidate).mm === mm);
  return process === undefined || process.name === "P" ? text : `@${process.name} ${text}`;
}

function waysTo(p: Place, cause: Cause): Change[] {
  switch (cause.kind) {
    case "setting":
      return otherValues(p.history, cause.path).map((value) => before(p, `sys set ${cause.path} ${value}`));
    case "vmaFlag":
      return flagWays(p, cause);
    case "vmaBounds":
      return boundsWays(p, cause);
    case "hole":
      return [before(p, ...fillGaps(p, cause.mm, cause.vpn, cause.end, 3))];
    case "occupied":
      return [before(p, by(p, cause.mm, `munmap ${hex(cause.vpn)} ${bytes(cause.end - cause.vpn)}`))];
    case "anonVma": {
      if (cause.set) return removed(p);
      const vma = vmaAt(p.history.world.machine.kernel, cause.mm, cause.vpn);
      return vma === undefined ? [] : [before(p, by(p, cause.mm, `touch ${hex(vma.end - 1)} w`))];
    }
    case "offset":
      return remapped(p, cause);
    case "prctl":
      return (cause.value === 0 ? ["1"] : ["0", "1"]).map((value) => before(p, by(p, cause.mm, `prctl thp_disable ${value}`)));
    case "entry":
      return entryWays(p, cause);
    case "folio":
      return folioWays(p, cause);
    case "access":
      return operationVariants(p, (body) => flipAccess(body));
    case "argument":
      return operationVariants(p, (body) => argumentVariants(p, body, cause.name));
    case "limit":
      // where it may not be raised again, the line that lowered it has to go
      return [...["0", "1024G"].map((value) => before(p, by(p, cause.mm, `rlimit ${cause.resource} ${value}`))), ...removed(p)];
    case "capability":
      return [[{ kind: "capability", set: !cause.set }]];
    case "era":
      return eraWays(p, cause.behaviour);
    case "config":
      return configWays(cause);
    case "memory":
      return [[{ kind: "memory", factor: 16 }]];
    case "file":
    case "cache":
    case "cacheFolio":
    case "readahead":
      return fileCauseWays(p, cause);
    case "operation":
      return [[{ kind: "remove", line: p.step - 1 }]];
  }
}

/** Options are switched; a number is taken far up and far down. */
const configWays = ({ name, value }: Extract<Cause, { kind: "config" }>): Change[] =>
  (typeof value === "boolean" ? [!value] : [value * 16, Math.max(4, Math.floor(value / 16))]).map((other): Change => [{ kind: "config", name, value: other }]);

/** Other releases as far as a behaviour goes: its toggles on up to each of them and off from there on, for the whole run or for the step alone. */
function eraWays(p: Place, behaviour: string): Change[] {
  const ids = togglesOfBehaviour(behaviour);
  const releases = [...ids, ""].map((_, on) => ids.map((id, i) => `${i < on ? "+" : "-"}${id}`));
  return [
    ...releases.map((all) => all.map((patch): Edit => ({ kind: "patch", patch }))),
    ...releases.map((all) => all.map((patch): Edit => ({ kind: "patch", patch, step: p.step }))),
  ];
}

/** What a kernel file could hold instead: its other words, or numbers at its ends. */
export function otherValues(history: ScriptHistory, path: string): string[] {
  const text = history.world.machine.readFile(path);
  if (failed(text)) return [];
  const words = text.trim().split(/\s+/);
  if (words.some((word) => word.startsWith("["))) return words.filter((word) => !word.startsWith("["));
  return ["0", "1", "511", "65530", "1000000"].filter((value) => value !== words[0]);
}

// --- mappings

const ADVICE: Partial<Record<VmaFlagName, readonly [set: string, clear: string]>> = {
  VM_HUGEPAGE: ["hugepage", "nohugepage"],
  VM_NOHUGEPAGE: ["nohugepage", "hugepage"],
  VM_DONTCOPY: ["dontfork", "dofork"],
  VM_WIPEONFORK: ["wipeonfork", "keeponfork"],
  VM_DONTDUMP: ["dontdump", "dodump"],
  VM_SEQ_READ: ["sequential", "normal"],
  VM_RAND_READ: ["random", "normal"],
};

const PROT_BITS: Partial<Record<VmaFlagName, number>> = { VM_READ: 1, VM_WRITE: 2, VM_EXEC: 4 };
const protText = (bits: number): string => (bits === 0 ? "none" : `${bits & 1 ? "r" : ""}${bits & 2 ? "w" : ""}${bits & 4 ? "x" : ""}`);

function flagWays(p: Place, cause: Extract<Cause, { kind: "vmaFlag" }>): Change[] {
  const vma = vmaAt(p.history.world.machine.kernel, cause.mm, cause.vpn);
  if (vma === undefined) return removed(p);
  const range = `${hex(vma.start)} ${bytes(vma.end - vma.start)}`;
  const inserted = (text: string): Change => before(p, by(p, cause.mm, text));
  const advice = ADVICE[cause.flag];
  // what set a flag is taken out first: its opposite may set another flag besides
  const undone = cause.set ? removed(p) : [];
  if (advice !== undefined) return [...undone, inserted(`madvise ${range} ${cause.set ? advice[1] : advice[0]}`)];
  if (cause.flag === "VM_SHARED") return sharedOtherwise(p);
  const bit = PROT_BITS[cause.flag];
  if (bit !== undefined) return [inserted(`mprotect ${range} ${protText((vma.flags & 7) ^ bit)}`), inserted(`mprotect ${range} rw`)];
  if (cause.flag === "VM_LOCKED" || cause.flag === "VM_LOCKONFAULT") return [inserted(cause.set ? `munlock ${range}` : `mlock ${range}`)];
  if (cause.flag === "VM_SEALED") return cause.set ? undone : [inserted(`mseal ${range}`)];
  return [...withoutWord(p, cause.flag), ...undone];
}

/** A mapping that was moved is made in its place instead, so that its offset is that of its place. */
function remapped(p: Place, cause: Extract<Cause, { kind: "offset" }>): Change[] {
  const vma = vmaAt(p.history.world.machine.kernel, cause.mm, cause.vpn);
  if (vma === undefined) return [];
  if (vma.file !== 0) return [...remappedFile(p, cause.mm, cause.vpn, true), ...remappedFile(p, cause.mm, cause.vpn, false)];
  const text = by(p, cause.mm, `mmap ${anyName(p)} ${bytes(vma.end - vma.start)} ${protText(vma.flags & 7)} private anon at=${hex(vma.start)}`);
  return p.makers.map((made): Change => [{ kind: "replace", line: made - 1, text }]);
}

/** A flag that only mmap sets: its word is left out. */
function withoutWord(p: Place, flag: VmaFlagName): Change[] {
  const words: Partial<Record<VmaFlagName, string>> = { VM_GROWSDOWN: "growsdown", VM_NORESERVE: "noreserve", VM_DROPPABLE: "droppable" };
  const word = words[flag];
  if (word === undefined) return [];
  return p.makers.map((made): Change => [{ kind: "replace", line: made - 1, text: p.lines[made - 1].replace(` ${word}`, "") }]);
}

/** A name that has a place already: a new one would move those that come later. */
const anyName = (p: Place): string => p.history.world.slots.all().at(0)?.name ?? "A";

/** mmap lines that fill what is not mapped of [start, end). */
function fillGaps(p: Place, mm: number, start: number, end: number, prot: number): string[] {
  const out: string[] = [];
  const gap = (from: number, to: number): void => {
    if (from < to) out.push(by(p, mm, `mmap ${anyName(p)} ${bytes(to - from)} ${protText(prot)} private anon at=${hex(from)}`));
  };
  let at = start;
  for (const vma of vmasIn(p.history.world.machine.kernel, mm, start, end)) {
    gap(at, vma.start);
    at = vma.end;
  }
  gap(at, end);
  return out;
}

function boundsWays(p: Place, cause: Extract<Cause, { kind: "vmaBounds" }>): Change[] {
  const k = p.history.world.machine.kernel;
  const vma = vmaAt(k, cause.mm, cause.vpn);
  if (vma === undefined) return removed(p);
  const n = 2 ** k.geo.pmdOrder;
  const any = cause.from === cause.to;
  const isInside = any ? Math.ceil(vma.start / n) * n + n <= vma.end : cause.from >= vma.start && cause.to <= vma.end;
  if (vma.file !== 0) return [...remappedFile(p, cause.mm, cause.vpn, !isInside), ...(isInside ? remappedFile(p, cause.mm, cause.vpn, true) : [])];
  if (!isInside) return [before(p, ...grown(p, vma, any ? vma.start : cause.from, any ? vma.end + 2 * n : cause.to))];
  // cut off what the block needs, but not the page itself
  const cut = any ? [vma.start + 1, vma.end] : cause.vpn === cause.to - 1 ? [cause.from, cause.from + 1] : [cause.to - 1, cause.to];
  return [before(p, by(p, cause.mm, `munmap ${hex(cut[0])} ${bytes(cut[1] - cut[0])}`))];
}

/** Lines that make a mapping reach over [start, end) too, with flags like its own, so that it merges. */
function grown(p: Place, vma: Vma, start: number, end: number): string[] {
  const gaps = fillGaps(p, vma.mm, start, end, vma.flags & 7);
  // all there, but not in one mapping
  if (gaps.length === 0) gaps.push(by(p, vma.mm, `mprotect ${hex(start)} ${bytes(end - start)} ${protText(vma.flags & 7)}`));
  if (vma.flags & VM.hugePage) gaps.push(by(p, vma.mm, `madvise ${hex(start)} ${bytes(end - start)} hugepage`));
  return gaps;
}

// --- pages

function entryWays(p: Place, cause: Extract<Cause, { kind: "entry" }>): Change[] {
  const range = `${hex(cause.vpn)} ${bytes(cause.pages)}`;
  const inserted = (text: string): Change => before(p, by(p, cause.mm, text));
  switch (cause.is) {
    case "none":
      return [inserted(`touch ${range} w`), inserted(`touch ${hex(cause.vpn)} w`), inserted(`touch ${range} r`), ...smallPage(p, cause)];
    case "present":
      return [...removed(p), inserted(`madvise ${range} dontneed`)];
    case "huge":
    case "zero":
      return [inserted(`madvise ${range} dontneed`), ...removed(p)];
    case "table":
      return removed(p);
    case "guard":
      return [inserted(`madvise ${range} guard_remove`), ...removed(p)];
    case "old":
      return [inserted(`touch ${range} r`), inserted(`touch ${range} w`)];
    case "readOnly":
      return [inserted(`mprotect ${range} rw`), ...removed(p)];
    case "private":
      return [inserted(`madvise ${range} dontneed`), ...removed(p)];
  }
}

/** A small page at the end of the range, where a touch alone would bring a huge one. */
function smallPage(p: Place, cause: Extract<Cause, { kind: "entry" }>): Change[] {
  const was = p.history.world.machine.kernel.mms.get(cause.mm).thpDisable;
  const last = hex(cause.vpn + cause.pages - 1);
  return ["w", "r"].map((access) => {
    const lines = ["prctl thp_disable 1", `touch ${last} ${access}`, `prctl thp_disable ${was === 3 ? "except" : was}`];
    return before(p, ...lines.map((line) => by(p, cause.mm, line)));
  });
}

/** Lines in which every process but one ends. */
function othersExit(p: Place, mm: number): string[] {
  const { world } = p.history;
  return world
    .living()
    .filter((candidate) => world.task(candidate).mm !== mm)
    .map((candidate) => (candidate.name === "P" ? "exit" : `@${candidate.name} exit`));
}

function folioWays(p: Place, cause: Extract<Cause, { kind: "folio" }>): Change[] {
  const shared = othersExit(p, cause.mm);
  const alone: Change[] = shared.length > 0 ? [before(p, ...shared)] : [];
  const forked = before(p, by(p, cause.mm, "fork Y"));
  switch (cause.property) {
    case "PageAnonExclusive":
      return cause.value === 1 ? [forked] : [...alone, ...removed(p)];
    case "folio_ref_count":
      return cause.value === 1 ? [forked] : [...alone, ...removed(p)];
    case "folio_maybe_mapped_shared":
    case "folio_entire_mapcount":
    case "folio_large_mapcount":
      return [...alone, ...removed(p)];
    case "extra_references":
      return cause.value === 0 ? [before(p, by(p, cause.mm, `gup ${hex(cause.vpn)} r`))] : removed(p);
    case "mapped_pages":
      return [...removed(p), ...alone, ...restUnmapped(p, cause)];
  }
}

/** The other pages of a large folio go first. */
function restUnmapped(p: Place, cause: Extract<Cause, { kind: "folio" }>): Change[] {
  const block = 2 ** p.history.world.machine.kernel.geo.pmdOrder;
  const start = cause.vpn - (cause.vpn % block);
  return [
    before(
      p,
      by(p, cause.mm, `madvise ${hex(start)} ${bytes(cause.vpn - start)} dontneed`),
      by(p, cause.mm, `madvise ${hex(cause.vpn + 1)} ${bytes(start + block - cause.vpn - 1)} dontneed`),
    ),
  ];
}

// --- the operation itself

function operationVariants(p: Place, variants: (body: OperationBody) => OperationBody[]): Change[] {
  const line = p.step - 1;
  const parsed = parseLine(p.lines[line], 1);
  if (parsed.kind !== "operation") return [];
  const { process, body } = parsed.operation;
  const prefix = process === "P" ? "" : `@${process} `;
  return variants(body).map((other): Change => [{ kind: "replace", line, text: prefix + printBody(other) }]);
}

function flipAccess(body: OperationBody): OperationBody[] {
  if (body.op === "touch") return [{ ...body, mode: body.mode === "w" ? "r" : "w" }];
  if (body.op === "gup") return [{ ...body, write: !body.write }];
  if (body.op === "kread" || body.op === "kwrite") return [{ ...body, op: body.op === "kread" ? "kwrite" : "kread" }];
  if (body.op === "madvise" && body.advice === "populate_read") return [{ ...body, advice: "populate_write" }];
  if (body.op === "madvise" && body.advice === "populate_write") return [{ ...body, advice: "populate_read" }];
  return [];
}

const BLOCK = 2n << 20n;
const down = (n: bigint, unit: bigint): bigint => (n / unit) * unit;

/** Other ranges: aligned to pages, aligned to blocks, short. */
function rangeVariants<T extends Extract<OperationBody, { readonly range: unknown }>>(p: Place, body: T): T[] {
  const { slots } = p.history.world;
  const at = slots.resolve(body.range.at);
  if (at === undefined) return [];
  const length = body.range.lengthBytes ?? slots.defaultLength(at.address, at.slot);
  const ranges: (readonly [bigint, bigint])[] = [];
  for (const unit of [4096n, BLOCK]) {
    const start = down(at.address, unit);
    ranges.push([start, length]);
    ranges.push([start, down(at.address + length + unit - 1n, unit) - start]);
    ranges.push([start, unit]);
  }
  return ranges.map(([start, bytesLong]) => ({ ...body, range: { at: { name: null, offsetBytes: start }, lengthBytes: bytesLong } }));
}

function argumentVariants(p: Place, body: OperationBody, name: Extract<Cause, { kind: "argument" }>["name"]): OperationBody[] {
  if (body.op === "sysSet") {
    const values = otherValues(p.history, body.path);
    if (values.length > 0) return values.map((value) => ({ ...body, value }));
    return [{ ...body, path: "/sys/kernel/mm/transparent_hugepage/enabled", value: "always" }];
  }
  // nearer to what lies above, as a stack is
  if (body.op === "touch")
    return [1n << 20n, 8n << 20n].map((more) => ({
      ...body,
      range: { ...body.range, at: { ...body.range.at, offsetBytes: body.range.at.offsetBytes + more } },
    }));
  if (body.op === "madvise" && name === "advice") return [{ ...body, advice: "normal" }];
  if (body.op === "mprotect" && name === "prot") return [{ ...body, prot: 1 }];
  if (body.op === "mlockall") return [{ ...body, current: true }];
  if (body.op === "prctl" && body.what === "thp_disable") return [{ ...body, value: 1 }];
  if (body.op === "mremap") {
    const fixed =
      body.fixed === null ? null : { name: null, offsetBytes: down((p.history.world.slots.resolve(body.fixed)?.address ?? 0n) + (1n << 32n), BLOCK) };
    return [
      { ...body, mayMove: true },
      { ...body, mayMove: true, newBytes: 4096n },
      { ...body, mayMove: true, newBytes: body.oldBytes },
      { ...body, mayMove: true, oldBytes: 4096n, newBytes: 4096n },
      { ...body, mayMove: true, at: { ...body.at, offsetBytes: down(body.at.offsetBytes, 4096n) } },
      { ...body, mayMove: true, fixed },
    ];
  }
  if (body.op === "mmap") {
    const pages = (n: bigint): OperationBody => ({ ...body, lengthBytes: n });
    const at = body.at === null ? null : { ...body.at, offsetBytes: down(body.at.offsetBytes, BLOCK) };
    const plain = body.flags.filter((flag) => !["shared", "shared_validate", "locked", "droppable"].includes(flag));
    return [
      pages(4096n),
      pages(BLOCK),
      pages(down(body.lengthBytes, BLOCK) + BLOCK),
      pages(BLOCK + 4096n),
      { ...body, at },
      { ...body, flags: ["private", ...plain.filter((f) => f !== "private")] },
    ];
  }
  if (body.op === "fwrite" || body.op === "falloc")
    return [4096n, BLOCK, 4n * BLOCK].flatMap((lengthBytes) => [
      { ...body, lengthBytes },
      { ...body, lengthBytes, offsetBytes: down(body.offsetBytes, BLOCK) },
    ]);
  return "range" in body && body.op !== "uffd" ? rangeVariants(p, body) : [];
}
