import type { Message } from "../../kernel/message.ts";
import type { ImportedMaps, ImportedVma } from "./readMaps.ts";

/** A dump of mappings as a script of the command form, that makes a machine with them; and what of it is not known. */
export interface MapsScript {
  readonly lines: readonly string[];
  /** what the dump does not say, or the simulator cannot make */
  readonly unknown: readonly Message[];
  readonly mappings: number;
  /** mappings that were left out */
  readonly leftOut: number;
}

/** Memory that is populated at most: the smallest machine has 4 GiB. */
const POPULATE_KB_MAX = 3 * 1024 * 1024;
const BLOCK_KB = 2048;
/** one name for all mappings: they stand at addresses of their own */
const NAME = "V";
const PROT: Readonly<Record<string, string>> = { "---": "none", "r--": "r", "rw-": "rw", "r-x": "rx", rwx: "rwx" };
/** what exec or the kernel itself maps, or a device: there is nothing to make it from */
const SPECIAL = /^(\[v(var|dso|syscall)[\w]*\]|anon_inode:.*|\/dev\/(?!shm\/|zero\b).*|\/SYSV[0-9a-f]+.*)$/;
const SHARED_ANON = /^(\/dev\/zero( \(deleted\))?|\[anon_shmem:.*\])$/;

/** Advice that a flag of smaps shows, but for those of huge pages, which have to come first. */
const ADVICE: readonly (readonly [flag: string, advice: string])[] = [
  ["sr", "sequential"],
  ["rr", "random"],
  ["dc", "dontfork"],
  ["dd", "dontdump"],
  ["wf", "wipeonfork"],
  ["mg", "mergeable"],
];

const kb = (vma: ImportedVma, name: string): number => vma.sizes.get(name) ?? 0;
const hex = (bytes: number): string => `0x${bytes.toString(16)}`;
const lengthKb = (vma: ImportedVma): number => (vma.end - vma.start) / 1024;
const note = (name: string, args: Message["args"] = {}): Message => ({ key: `conform.import.${name}`, args });

class Writer {
  readonly lines: string[] = [];
  readonly files = new Map<string, { readonly name: string; bytes: number }>();
  /** small pages first: while huge pages are off */
  readonly small: string[] = [];
  readonly huge: string[] = [];
  readonly last: string[] = [];
  populatedKb = 0;
  leftOut = 0;
  unpopulatedKb = 0;
  swapKb = 0;
  swapped = 0;
  lockedVmas = 0;
  heaps = 0;

  add(vma: ImportedVma, isSmaps: boolean): void {
    if (vma.flags.includes("ht") || SPECIAL.test(vma.name) || vma.flags.includes("pf") || vma.flags.includes("io")) {
      this.leftOut++;
      return;
    }
    this.map(vma);
    if (isSmaps) this.populate(vma);
  }

  private map(vma: ImportedVma): void {
    const isShared = vma.perm[3] === "s";
    const prot = this.firstProt(vma);
    const words = ["mmap", NAME, `${lengthKb(vma)}k`, prot, isShared ? "shared" : "private"];
    if (isFile(vma)) words.push(`file=${this.fileOf(vma)}`, ...(vma.offset === 0 ? [] : [`off=${hex(vma.offset)}`]));
    else words.push("anon");
    if (vma.flags.includes("gd") || vma.name === "[stack]") words.push("growsdown");
    if (vma.flags.includes("nr")) words.push("noreserve");
    if (vma.name === "[heap]") this.heaps++;
    // the process that a script runs in may have something of its own there
    words.push("fixed", `at=${hex(vma.start)}`);
    this.lines.push(`${words.join(" ")}${vma.name === "" ? "" : `  # ${commentOf(vma.name)}`}`);
    for (const [flag, advice] of [["hg", "hugepage"], ...ADVICE] as const)
      if (vma.flags.includes(flag)) this.lines.push(`madvise ${hex(vma.start)} ${lengthKb(vma)}k ${advice}`);
    const wanted = PROT[vma.perm.slice(0, 3)];
    if (wanted !== prot) this.last.push(`mprotect ${hex(vma.start)} ${lengthKb(vma)}k ${wanted ?? "rw"}`);
    // huge pages may have come before the advice against them
    if (vma.flags.includes("nh")) this.last.push(`madvise ${hex(vma.start)} ${lengthKb(vma)}k nohugepage`);
    if (vma.flags.includes("sl")) this.last.push(`mseal ${hex(vma.start)} ${lengthKb(vma)}k`);
    if (vma.flags.includes("lo")) this.lockedVmas++;
  }

  /** Memory that was written has to be writable while it is populated. */
  private firstProt(vma: ImportedVma): string {
    const wanted = PROT[vma.perm.slice(0, 3)] ?? "rw";
    if (kb(vma, "Rss") === 0) return wanted;
    const needsWrite = kb(vma, "Anonymous") > 0 || !isFile(vma);
    if (needsWrite) return vma.perm[2] === "x" ? "rwx" : "rw";
    return wanted === "none" ? "r" : wanted;
  }

  private fileOf(vma: ImportedVma): string {
    const known = this.files.get(vma.name);
    const end = vma.offset + (vma.end - vma.start);
    if (known !== undefined) {
      known.bytes = Math.max(known.bytes, end);
      return known.name;
    }
    const name = `F${this.files.size + 1}`;
    this.files.set(vma.name, { name, bytes: end });
    return name;
  }

  /** How much is there is known, where it lies is not: the huge pages first, then written memory, then what was only read. */
  private populate(vma: ImportedVma): void {
    const rss = kb(vma, "Rss");
    const swap = kb(vma, "Swap");
    if (swap > 0) {
      this.swapKb += swap;
      this.swapped++;
    }
    if (rss === 0) return;
    if (this.populatedKb + rss > POPULATE_KB_MAX) {
      this.unpopulatedKb += rss;
      return;
    }
    this.populatedKb += rss;
    const isShared = vma.perm[3] === "s";
    const written = isFile(vma) ? (isShared ? kb(vma, "Private_Dirty") + kb(vma, "Shared_Dirty") : kb(vma, "Anonymous")) : rss;
    const blocks = isFile(vma) || isShared ? [] : wholeBlocks(vma).slice(0, kb(vma, "AnonHugePages") / BLOCK_KB);
    for (const block of blocks) this.huge.push(`touch ${hex(block)} w`);
    const free = rangesWithout(vma, blocks);
    const rest = this.touch(free, Math.min(written, rss) - blocks.length * BLOCK_KB, "w");
    this.touch(rest, rss - Math.max(written, blocks.length * BLOCK_KB), isFile(vma) ? "r" : "w");
  }

  /** Touches the first `wantedKb` of the ranges. Returns what is left of them. */
  private touch(ranges: readonly Range[], wantedKb: number, mode: "r" | "w"): readonly Range[] {
    let left = wantedKb;
    const rest: Range[] = [];
    for (const { start, end } of ranges) {
      const take = Math.max(0, Math.min(left, (end - start) / 1024));
      if (take > 0) this.small.push(`touch ${hex(start)} ${take}k ${mode}`);
      left -= take;
      if (start + take * 1024 < end) rest.push({ start: start + take * 1024, end });
    }
    return rest;
  }
}

interface Range {
  readonly start: number;
  readonly end: number;
}

const isFile = (vma: ImportedVma): boolean => vma.name.startsWith("/") && !SHARED_ANON.test(vma.name);

/** A name as a comment can hold it: one line of printable characters. */
const commentOf = (name: string): string => name.replace(/[^\x20-\x7e]/g, "?").slice(0, 120);

/** Aligned blocks of 2 MiB that lie whole in a mapping. */
function wholeBlocks({ start, end }: Range): number[] {
  const size = BLOCK_KB * 1024;
  const out: number[] = [];
  for (let at = Math.ceil(start / size) * size; at + size <= end; at += size) out.push(at);
  return out;
}

/** What of a mapping lies outside blocks that are in order. */
function rangesWithout({ start, end }: Range, blocks: readonly number[]): Range[] {
  const out: Range[] = [];
  let from = start;
  for (const block of blocks) {
    if (block > from) out.push({ start: from, end: block });
    from = block + BLOCK_KB * 1024;
  }
  if (from < end) out.push({ start: from, end });
  return out;
}

/** The script: files, mappings, pages of 4 KiB while huge pages are off, huge pages, and the protection that they have now. */
export function mapsScript(maps: ImportedMaps): MapsScript {
  const writer = new Writer();
  for (const vma of maps.vmas) writer.add(vma, maps.form === "smaps");
  const files = [...writer.files].flatMap(([path, { name, bytes }]) => [`file ${name} /mnt/ext4 ${Math.ceil(bytes / 4096) * 4}k  # ${commentOf(path)}`]);
  const populate =
    writer.small.length + writer.huge.length === 0
      ? []
      : [
          "sys set debug/fault_around_bytes 4096",
          "sys thp enabled never",
          ...writer.small,
          "sys set debug/fault_around_bytes 65536",
          "sys thp enabled always",
          ...writer.huge,
          "sys thp enabled madvise",
        ];
  return {
    lines: [...files, ...writer.lines, ...populate, ...writer.last],
    unknown: notesOf(maps, writer),
    mappings: maps.vmas.length - writer.leftOut,
    leftOut: writer.leftOut,
  };
}

function notesOf(maps: ImportedMaps, writer: Writer): Message[] {
  const out: Message[] = [];
  if (maps.form === "maps") out.push(note("unknown.maps"));
  else out.push(note("unknown.places"), note("unknown.sizes"));
  out.push(note("unknown.settings"));
  if (writer.files.size > 0) out.push(note("unknown.files", { count: writer.files.size }));
  if (writer.leftOut > 0) out.push(note("unknown.leftOut", { count: writer.leftOut }));
  if (writer.heaps > 0) out.push(note("unknown.heap"));
  if (writer.swapped > 0) out.push(note("unknown.swap", { count: writer.swapped, kb: writer.swapKb }));
  if (writer.lockedVmas > 0) out.push(note("unknown.locked", { count: writer.lockedVmas }));
  if (writer.unpopulatedKb > 0) out.push(note("unknown.tooMuch", { kb: writer.unpopulatedKb, limit: POPULATE_KB_MAX }));
  return out;
}
