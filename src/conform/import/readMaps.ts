import { attemptImport, BadLine, checkedLines, shownPart, type Imported } from "./textLines.ts";

/** /proc/PID/maps and /proc/PID/smaps, read as the kernel prints them (show_map_vma, show_smap). */

export interface ImportedVma {
  /** of the file it was read from */
  readonly line: number;
  /** bytes, below 2^47 */
  readonly start: number;
  readonly end: number;
  /** `rw-p` */
  readonly perm: string;
  /** bytes */
  readonly offset: number;
  readonly inode: number;
  /** path, `[heap]`, or "" */
  readonly name: string;
  /** smaps only: its lines in kB, by name */
  readonly sizes: ReadonlyMap<string, number>;
  /** smaps only: two letters each */
  readonly flags: readonly string[];
}

export interface ImportedMaps {
  readonly form: "maps" | "smaps";
  readonly vmas: readonly ImportedVma[];
}

/** Mappings that a process can have (vm.max_map_count's default). */
const VMAS_MAX = 65_530;
/** End of user addresses with four levels of page tables. */
const USER_END = 2 ** 47;

const HEAD = /^([0-9a-f]{4,16})-([0-9a-f]{4,16}) ([r-][w-][x-][ps]) ([0-9a-f]{1,16}) ([0-9a-f]{2,4}:[0-9a-f]{2,5}) (\d{1,20})(?: +(.*))?$/;
const SIZE = /^(\w{1,40}): +(\d{1,16}) kB$/;
const COUNT = /^(THPeligible|ProtectionKey): +(\d{1,10})$/;
const FLAGS = /^VmFlags:((?: [a-z0-9?]{2})*) ?$/;

interface Growing {
  readonly vma: Omit<ImportedVma, "sizes" | "flags">;
  readonly sizes: Map<string, number>;
  flags: string[] | null;
}

/** All mappings, in order of address; or what is wrong. */
export function readMaps(text: string): Imported<ImportedMaps> {
  return attemptImport(() => collect(text));
}

function collect(text: string): ImportedMaps {
  const all: Growing[] = [];
  let lines = 0;
  for (const [number, line] of checkedLines(text)) {
    lines = number;
    if (line === "") continue;
    const head = HEAD.exec(line);
    const last = all.at(-1);
    if (head !== null) {
      if (last !== undefined) checkWhole(last, number, all[0]);
      if (all.length >= VMAS_MAX) throw new BadLine(number, "tooManyVmas", { limit: VMAS_MAX });
      all.push({ vma: vmaOf(head, number, last), sizes: new Map(), flags: null });
    } else if (last === undefined) throw new BadLine(number, "notMaps", { text: shownPart(line) });
    else noteLine(last, line, number);
  }
  if (all.length === 0) throw new BadLine(Math.max(1, lines), "empty");
  const last = all[all.length - 1];
  checkWhole(last, lines, all[0]);
  const form = all[0].sizes.size > 0 ? "smaps" : "maps";
  return { form, vmas: all.filter(({ vma }) => vma.start < USER_END).map(({ vma, sizes, flags }) => ({ ...vma, sizes, flags: flags ?? [] })) };
}

function vmaOf(head: RegExpExecArray, line: number, before: Growing | undefined): Growing["vma"] {
  const [, from, to, perm, offset, , inode, name = ""] = head;
  const start = Number.parseInt(from, 16);
  const end = Number.parseInt(to, 16);
  // the page of vsyscall lies in the kernel's half: beyond what a double holds exactly
  if (start < USER_END && (start >= end || end > USER_END || start % 4096 !== 0 || end % 4096 !== 0))
    throw new BadLine(line, "badRange", { range: `${from}-${to}` });
  if (before !== undefined && start < before.vma.end) throw new BadLine(line, "unordered", { range: `${from}-${to}` });
  const bytes = Number.parseInt(offset, 16);
  if (!Number.isSafeInteger(bytes) || bytes % 4096 !== 0) throw new BadLine(line, "badOffset", { offset });
  return { line, start, end, perm, offset: bytes, inode: Number(inode), name };
}

function noteLine(growing: Growing, line: string, number: number): void {
  const size = SIZE.exec(line) ?? COUNT.exec(line);
  const flags = FLAGS.exec(line);
  if (flags !== null && growing.flags === null) growing.flags = flags[1].trim() === "" ? [] : flags[1].trim().split(" ");
  else if (size !== null && growing.flags === null && !growing.sizes.has(size[1])) growing.sizes.set(size[1], Number(size[2]));
  else throw new BadLine(number, "badLine", { text: shownPart(line) });
}

/** A mapping of smaps has its size, and flags where the first one has; one of maps has neither. `line`: where the next one begins, or the end. */
function checkWhole({ vma, sizes, flags }: Growing, line: number, first: Growing): void {
  const isSmaps = first.sizes.size > 0;
  const isWhole = isSmaps ? sizes.has("Size") && sizes.has("Rss") && (first.flags === null) === (flags === null) : sizes.size === 0 && flags === null;
  if (!isWhole) throw new BadLine(line, "cutOff", { line: vma.line });
  if (!isSmaps) return;
  const pages = (vma.end - vma.start) / 1024;
  if (vma.start < USER_END && sizes.get("Size") !== pages) throw new BadLine(vma.line, "badSize", { size: sizes.get("Size") ?? 0, range: pages });
  for (const name of ["Rss", "Anonymous", "AnonHugePages", "Swap"]) {
    if ((sizes.get(name) ?? 0) > pages || (sizes.get(name) ?? 0) % 4 !== 0) throw new BadLine(vma.line, "badCount", { name, value: sizes.get(name) ?? 0 });
  }
}
