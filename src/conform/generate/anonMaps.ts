/** Operations that make, change and remove private anonymous mappings. */
import { HUGE, KB, MB, PAGE } from "./addressModel.ts";
import type { Mapping } from "./addressModel.ts";
import { touch } from "./anonAccess.ts";
import { addressText, numberText, roundDown, roundUp } from "./writer.ts";
import type { ScriptWriter } from "./writer.ts";

interface Place {
  readonly name: string;
  readonly start: number;
  readonly size: number;
  readonly fixed: boolean;
}

/** Where the next mapping goes: mostly a slot of its own, else beside, between or over mappings that are there. */
function place(w: ScriptWriter, process: string, size: number): Place {
  const { random, model } = w;
  const names = model.namesOf(process);
  if (names.length === 0 || !(random.chance(25) || model.nameCount >= 9)) {
    // prettier-ignore
    const start = random.weighted([[0, 70], [4 * KB, 8], [64 * KB, 5], [MB, 7], [2044 * KB, 3], [HUGE + 8 * KB, 3], [HUGE, 10], [16 * MB, 4]]);
    return { name: model.newName(), start, size, fixed: false };
  }
  const name = random.pick(names);
  const there = model.named(process, name);
  const last = there[there.length - 1].end;
  const kind = random.weighted([
    ["after", 50],
    ["hole", 30],
    ["over", 12],
    ["fixed", 20],
    ["gap", 10],
    ["before", 8],
  ] as const);
  if (kind === "after") return { name, start: last, size, fixed: false };
  if (kind === "gap") return { name, start: last + random.pick([PAGE, 64 * KB, MB, HUGE]), size, fixed: false };
  if (kind === "before") return { name, start: Math.max(0, there[0].start - size), size: Math.min(size, there[0].start) || size, fixed: false };
  if (kind === "hole") return inHole(w, name, there, size) ?? { name, start: last, size, fixed: false };
  return { name, start: w.pageOf(random.pick(there)), size, fixed: kind === "fixed" };
}

function inHole(w: ScriptWriter, name: string, there: readonly Mapping[], size: number): Place | null {
  const holes = there.slice(1).flatMap((mapping, i) => (mapping.start > there[i].end ? [[there[i].end, mapping.start] as const] : []));
  if (holes.length === 0) return null;
  const [low, high] = w.random.pick(holes);
  const fitting = w.random.chance(80) ? Math.min(size, high - low) : size;
  const start = w.random.chance(50) || high - low < fitting ? low : high - fitting;
  return { name, start, size: Math.max(fitting, PAGE), fixed: false };
}

/** mmap, with the madvise and the first touch that usually follow */
export function mmap(w: ScriptWriter, process: string = w.process(), wantedProt: string | null = null): void {
  const { random, model } = w;
  const prot = wantedProt ?? random.weighted([["rw", 170], ["r", 12], ["none", 10], ["rwx", 4], ["rx", 4]]); // prettier-ignore
  const growsDown = random.chance(4);
  let flags = "private anon";
  if (growsDown) flags += random.chance(30) ? " growsdown stack" : " growsdown";
  else if (random.chance(25)) {
    // prettier-ignore
    flags += ` ${random.weighted([["noreserve", 4], ["populate", 8], ["locked", 4], ["stack", 4], ["nonblock", 1], ["populate nonblock", 1], ["locked nonblock", 1], ["populate locked", 1], ["off=4k", 1]])}`;
  }
  const { name, start: placed, size, fixed } = place(w, process, w.size());
  // one that grows down needs something below to grow into
  const start = growsDown && placed < 16 * MB && !fixed ? placed + 16 * MB : placed;
  const at = addressText(name, start);
  w.emit(`mmap ${name} ${numberText(size)} ${prot} ${flags}${fixed ? ` fixed at=${at}` : start === 0 ? "" : ` at=${at}`}`, process);
  const end = start + roundUp(size, PAGE);
  if (fixed) model.remove(process, name, start, end);
  else if (!model.isFree(process, name, start, end)) return;
  const mapping: Mapping = { name, start, end, prot, growsDown, pristine: !prot.includes("w") };
  model.add(process, mapping);
  if (prot === "rw" && random.chance(50)) w.emit(`madvise ${w.all(mapping)} hugepage`, process);
  if (prot === "rw" && random.chance(50)) touch(w, process, mapping, "w");
}

/** what is mapped from now on is locked; mostly taken back after the next mapping */
export function lockFuture(w: ScriptWriter): void {
  const process = w.process();
  w.emit(w.random.pick(["mlockall future", "mlockall future", "mlockall future onfault"]), process);
  mmap(w, process);
  if (w.random.chance(70)) w.emit("munlockall", process);
}

/** mmap calls that Linux refuses */
export function badMmap(w: ScriptWriter): void {
  const name = w.model.newName();
  const process = w.process();
  const there = w.mapping(process);
  const choices = [
    `mmap ${name} 0 rw private anon`,
    `mmap ${name} 2M rw anon`,
    `mmap ${name} 2M rw private anon at=${name}+0x800`,
    `mmap ${name} 2M rw private anon fixed at=${name}+1`,
    `mmap ${name} 4M rw shared_validate sync anon`,
    `mmap ${name} 4k rw private anon off=100`,
    `mmap ${name} 204800G rw private anon`,
    `mmap ${name} 2M rw private file=/nonexistent`,
  ];
  if (there) choices.push(`mmap ${there.name} 4M rw private anon at=${addressText(there.name, there.start)}`);
  w.emit(w.random.pick(choices), process);
}

export function munmap(w: ScriptWriter): void {
  const process = w.process();
  const mapping = w.mapping(process);
  if (mapping === null || w.model.mappings(process).length < 2) return mmap(w, process);
  const { text, start, length } = w.range(mapping);
  w.emit(`munmap ${text}`, process);
  if (start % PAGE === 0) w.model.remove(process, mapping.name, start, start + roundUp(length, PAGE));
}

export function mprotect(w: ScriptWriter): void {
  const process = w.process();
  const mapping = w.mapping(process);
  if (mapping === null) return mmap(w, process);
  const { text, start, length } = w.range(mapping);
  const prot = w.random.weighted([["r", 60], ["rw", 80], ["none", 25], ["rx", 4], ["rwx", 2]]); // prettier-ignore
  w.emit(`mprotect ${text} ${prot}`, process);
  const end = start + roundUp(length, PAGE);
  // whatever the call reached, it may have been made writable
  if (prot.includes("w")) for (const other of w.model.named(process, mapping.name)) if (other.start < end && other.end > start) other.pristine = false;
  if (start % PAGE === 0) for (const part of w.model.inside(process, mapping.name, start, end)) part.prot = prot;
}

export function mremap(w: ScriptWriter): void {
  const process = w.process();
  const mapping = w.mapping(process);
  if (mapping === null) return mmap(w, process);
  // prettier-ignore
  const kind = w.random.weighted([["move", 60], ["part", 40], ["misplaced", 8], ["multi", 10], ["shrink", 30], ["grow", 30], ["dontunmap", 20], ["over", 5], ["bad", 8]] as const);
  const length = mapping.end - mapping.start;
  const at = addressText(mapping.name, mapping.start);
  if (kind === "move") move(w, process, mapping, mapping.start, length);
  else if (kind === "part" || kind === "misplaced") {
    const span = w.span(mapping, 0);
    move(w, process, mapping, span.start, span.length, kind === "misplaced");
  } else if (kind === "multi") {
    const all = w.model.named(process, mapping.name);
    move(w, process, mapping, all[0].start, all[all.length - 1].end - all[0].start);
  } else if (kind === "shrink") {
    const shorter = w.random.between(1, Math.max(1, Math.floor(length / PAGE))) * PAGE;
    w.emit(`mremap ${at} ${numberText(length)} ${numberText(shorter)}`, process);
    w.model.remove(process, mapping.name, mapping.start + shorter, mapping.end);
  } else if (kind === "grow") grow(w, process, mapping);
  else if (kind === "dontunmap") dontUnmap(w, process, mapping);
  else if (kind === "over") w.emit(`mremap ${at} ${numberText(length + HUGE)} ${numberText(length + 2 * HUGE)} maymove fixed=${w.model.newName()}`, process);
  else badMremap(w, process, at, length);
}

function move(w: ScriptWriter, process: string, mapping: Mapping, start: number, length: number, misplaced = false): void {
  const { random, model } = w;
  const target = model.nameCount < 12 ? model.newName() : random.pick(model.namesOf(process));
  // prettier-ignore
  const to = misplaced ? 0x800 : random.weighted([[0, 50], [start % HUGE, 40], [4 * KB, 8], [64 * KB, 6], [MB, 10], [HUGE, 10]]);
  if (model.named(process, target).length > 0 && random.chance(40)) return mremap(w);
  const longer = random.chance(80) ? length : random.pick([length + PAGE, Math.max(PAGE, roundDown(length / 2, PAGE)), length + HUGE]);
  w.emit(`mremap ${addressText(mapping.name, start)} ${numberText(length)} ${numberText(longer)} maymove fixed=${addressText(target, to)}`, process);
  if (misplaced || length === 0 || (target === mapping.name && start < to + longer && to < start + length)) return;
  const moved = model.remove(process, mapping.name, start, start + length);
  model.remove(process, target, to, to + longer);
  if (moved.length > 0) model.add(process, { ...moved[0], name: target, start: to, end: to + longer, pristine: false });
}

function grow(w: ScriptWriter, process: string, mapping: Mapping): void {
  const length = mapping.end - mapping.start;
  const longer = length + w.random.pick([PAGE, 64 * KB, MB, HUGE, 2 * HUGE]);
  const end = mapping.start + longer;
  const isLast = w.model.named(process, mapping.name).every((other) => other.end <= mapping.end);
  // with something in the way maymove would go to a place that has no name here
  const mayMove = isLast && w.random.chance(40) ? " maymove" : "";
  w.emit(`mremap ${addressText(mapping.name, mapping.start)} ${numberText(length)} ${numberText(longer)}${mayMove}`, process);
  if (!w.model.isFree(process, mapping.name, mapping.end, end)) return;
  mapping.end = end;
  w.model.grew(mapping.name, end);
}

function dontUnmap(w: ScriptWriter, process: string, mapping: Mapping): void {
  const target = w.model.newName();
  const { start, length } = w.random.chance(60) ? { start: mapping.start, length: mapping.end - mapping.start } : w.span(mapping, 0);
  const longer = w.random.chance(95) ? length : length + PAGE;
  w.emit(`mremap ${addressText(mapping.name, start)} ${numberText(length)} ${numberText(longer)} maymove dontunmap fixed=${target}`, process);
  if (longer === length && start >= mapping.start && start + length <= mapping.end && length > 0) {
    w.model.add(process, { ...mapping, name: target, start: 0, end: length, pristine: false });
  }
}

function badMremap(w: ScriptWriter, process: string, at: string, length: number): void {
  const same = `${at} ${numberText(length)} ${numberText(length)}`;
  const choices = [
    `mremap ${at} ${numberText(length)} 0`,
    `mremap ${at} 0 ${numberText(length)} maymove`,
    "mremap U 4k 8k maymove",
    `mremap ${same} dontunmap`,
    `mremap ${same} maymove fixed=${at}`,
    `mremap ${same} maymove fixed=${at}+4k`,
    `mremap ${at}+1 4k 8k`,
    `mremap ${at} ${numberText(length)} ${numberText(length + PAGE)} maymove fixed=${at}`,
  ];
  w.emit(w.random.pick(choices), process);
}
