/** Operations that use mappings: accesses by the process and by the kernel, madvise, locking, asking, fork and exit. */
import { HUGE, KB, MB, PAGE } from "./addressModel.ts";
import type { Mapping } from "./addressModel.ts";
import { addressText, numberText, roundUp } from "./writer.ts";
import type { ScriptWriter, WrittenRange } from "./writer.ts";

/** one touch, of one byte to a whole mapping */
export function touch(w: ScriptWriter, process: string = w.process(), wanted: Mapping | null = null, wantedMode: "r" | "w" | null = null): void {
  const { random } = w;
  const mapping = wanted ?? w.mapping(process);
  if (mapping === null) return;
  const mode = wantedMode ?? random.weighted([["w", 6], ["r", 4]] as const); // prettier-ignore
  const value = mode === "w" && random.chance(50) ? ` v=${random.below(256)}` : "";
  // prettier-ignore
  const kind = random.weighted([["byte", 100], ["range", 80], ["step", 40], ["whole", 40], ["execute", 4], ["outside", 6], ["below", mapping.growsDown ? 150 : 2], ["all", 5], ["many", 12]] as const);
  const at = addressText(mapping.name, mapping.start);
  switch (kind) {
    case "byte":
      return w.emit(`touch ${addressText(mapping.name, someByte(w, mapping))} ${mode}${value}`, process);
    case "range": {
      const { start, length } = w.span(mapping, 0);
      return w.emit(`touch ${addressText(mapping.name, start)} ${numberText(length)} ${mode}${value}`, process);
    }
    case "step":
      return w.emit(`touch ${w.all(mapping)} ${mode} step=${random.pick(["8k", "64k", "128k", "1M", "2M", "12k", "100k"])}${value}`, process);
    case "whole":
      return w.emit(`touch ${w.all(mapping)} ${mode}${value}`, process);
    case "execute":
      // only where what is executed is known: nothing, or a page of zeros that cannot be written
      if (!mapping.prot.includes("x") || (mapping.prot === "rx" && mapping.pristine)) w.emit(`touch ${at} x`, process);
      else w.emit(`touch ${at} r`, process);
      return;
    case "outside":
      return w.emit(`touch ${addressText(mapping.name, mapping.end)} ${mode}`, process);
    case "below":
      return touchBelow(w, process, mapping, mode);
    case "all":
      return w.emit(`touch ${at} all ${mode}${value}`, process);
    case "many": {
      const first = someByte(w, mapping);
      for (let i = random.between(2, 4); i > 0; i--) w.emit(`touch ${addressText(mapping.name, i === 1 ? first : w.pageOf(mapping))} ${mode}${value}`, process);
    }
  }
}

function someByte(w: ScriptWriter, mapping: Mapping): number {
  if (w.random.chance(60)) return w.pageOf(mapping);
  const huge = w.random.below(Math.floor((mapping.end - mapping.start) / HUGE)) * HUGE;
  return mapping.start + huge + w.random.pick([0, 0, 4 * KB, 64 * KB, MB, 0x123]);
}

/** grows a mapping made with MAP_GROWSDOWN; elsewhere an access to what is not mapped */
function touchBelow(w: ScriptWriter, process: string, mapping: Mapping, mode: string): void {
  const pages = w.random.pick([1, 1, 2, 16, 255, 256, 257, 600, 2500]);
  const start = mapping.start - pages * PAGE;
  if (start < 0) return w.emit(`touch ${addressText(mapping.name, mapping.start)} ${mode}`, process);
  w.emit(`touch ${addressText(mapping.name, start)} ${mode}`, process);
  if (mapping.growsDown && pages < 2048 && w.model.isFree(process, mapping.name, Math.max(0, start - MB), mapping.start)) mapping.start = start;
}

/** the kernel writes to (kread) or reads from (kwrite) user memory */
export function kernelAccess(w: ScriptWriter): void {
  const process = w.process();
  const mapping = w.mapping(process);
  if (mapping === null) return;
  const call = w.random.pick(["kread", "kwrite"]);
  const start = w.pageOf(mapping) + w.random.weighted([[0, 5], [0xf80, 1]]); // prettier-ignore
  w.emit(`${call} ${addressText(mapping.name, start)} ${w.random.pick(["1", "4k", "8k", "100", "64k"])}`, process);
}

// prettier-ignore
const ADVICE = [
  ["collapse", 110], ["dontneed", 80], ["hugepage", 70], ["free", 50], ["populate_write", 50], ["nohugepage", 30], ["populate_read", 30],
  ["guard_install", 22], ["guard_remove", 14], ["dontneed_locked", 12], ["cold", 10], ["dontfork", 8], ["wipeonfork", 8], ["remove", 5], ["dofork", 5],
  ["bogus", 4], ["keeponfork", 4], ["willneed", 3], ["normal", 3], ["random", 3], ["sequential", 2], ["dontdump", 2], ["dodump", 2], ["7", 1], ["99", 1],
] as const;

export function madvise(w: ScriptWriter): void {
  const process = w.process();
  const { random } = w;
  if (random.chance(2)) {
    w.emit(`madvise U ${random.pick(["4k", "2M"])} ${random.pick(["collapse", "dontneed", "populate_read", "hugepage", "guard_install", "free"])}`, process);
    return;
  }
  const advice = random.weighted(ADVICE);
  // collapse needs a whole huge page: mostly aim at mappings that have room for one
  const wanted = advice === "collapse" && random.chance(75) ? w.mapping(process, holdsHugePage) : null;
  const mapping = wanted ?? w.mapping(process);
  if (mapping === null) return;
  const isNumber = /^\d/.test(advice);
  const { text, start, length } = wanted !== null && random.chance(75) ? hugePages(w, wanted) : w.range(mapping, 8, !isNumber);
  // what has never been touched cannot be collapsed
  if (wanted !== null && random.chance(60))
    w.emit(`touch ${addressText(mapping.name, start - (start % PAGE))} ${numberText(random.pick([PAGE, 64 * KB, length]))} w`, process);
  const isLongGuard = advice === "guard_install" && length > 256 * KB && random.chance(80);
  const range = isLongGuard ? `${addressText(mapping.name, start - (start % PAGE))} ${random.pick(["4k", "64k"])}` : text;
  w.emit(`madvise ${range} ${advice}`, process);
}

function holdsHugePage(mapping: Mapping): boolean {
  return roundUp(mapping.start, HUGE) + HUGE <= mapping.end && mapping.prot !== "none";
}

/** one or more of the huge pages that have room in a mapping */
function hugePages(w: ScriptWriter, mapping: Mapping): WrittenRange {
  const first = roundUp(mapping.start, HUGE);
  const count = Math.floor((mapping.end - first) / HUGE);
  const index = w.random.below(count);
  const start = first + index * HUGE;
  const length = w.random.between(1, count - index) * HUGE;
  return { text: `${addressText(mapping.name, start)} ${numberText(length)}`, start, length };
}

export function lock(w: ScriptWriter): void {
  const process = w.process();
  const mapping = w.mapping(process);
  if (mapping === null) return;
  const { text } = w.range(mapping);
  const kind = w.random.weighted([["mlock", 50], ["munlock", 30], ["mlock2", 10], ["onfault", 20], ["munlockall", 8], ["rlimit", 4], ["bad", 3]] as const); // prettier-ignore
  if (kind === "mlock" || kind === "munlock" || kind === "mlock2") w.emit(`${kind} ${text}`, process);
  else if (kind === "onfault") w.emit(`mlock2 ${text} onfault`, process);
  else if (kind === "munlockall") w.emit("munlockall", process);
  else if (kind === "rlimit") w.emit(`rlimit memlock ${w.random.pick(["0", "64k", "1M", "8M"])}`, process);
  else w.emit(w.random.pick(["mlockall onfault", "mlock U 4k", "munlock U 2M", "mlock2 U 4k onfault"]), process);
}

/** calls that ask or seal, and calls on what is not mapped */
export function ask(w: ScriptWriter): void {
  const process = w.process();
  const { random } = w;
  const kind = random.weighted([["mincore", 30], ["msync", 10], ["mseal", 8], ["thpDisable", 15], ["getThpDisable", 6], ["unmapped", 7], ["dead", 2]] as const); // prettier-ignore
  if (kind === "thpDisable") return w.emit(`prctl thp_disable ${random.weighted([["1", 40], ["0", 50], ["except", 20], ["2", 2]])}`, process); // prettier-ignore
  if (kind === "getThpDisable") return w.emit("prctl get_thp_disable 0", process);
  if (kind === "unmapped") {
    // prettier-ignore
    const calls = ["munmap U 2M", "mprotect U 4k r", "touch U r", "touch U w", "mincore U 4k", "msync U 4k", "mseal U 4k", "kread U 4k", "kwrite U 1"];
    return w.emit(random.pick(calls), process);
  }
  if (kind === "dead" && w.model.dead.length > 0) return w.emit("munlockall", random.pick(w.model.dead));
  const mapping = w.mapping(process);
  if (mapping === null) return;
  // the recorder has room for 32 MiB of mincore's answer: the length is always said
  w.emit(`${kind === "dead" ? "mincore" : kind} ${w.range(mapping, 8, false).text}`, process);
}

export function fork(w: ScriptWriter): void {
  const process = w.process();
  const child = w.model.fork(process);
  if (child === null) return exit(w);
  w.emit(`fork ${child}`, process);
  for (let i = w.random.between(1, 3); i > 0; i--) touch(w, w.random.pick([child, child, process]));
}

export function exit(w: ScriptWriter): void {
  const { children } = w.model;
  if (children.length === 0) return touch(w);
  const child = w.random.pick(children);
  w.emit("exit", child);
  w.model.exit(child);
  if (w.random.chance(50)) touch(w, "P");
}
