import { vmaAt } from "../../kernel/mm/vma.ts";
import { parseLine } from "../../shell/command/parseLine.ts";
import { printBody } from "../../shell/command/printOperation.ts";
import type { OperationBody } from "../../shell/operation.ts";
import type { Change } from "./changeCause.ts";
import { nameOfInode, type FileCause } from "./fileFacts.ts";
import type { ScriptHistory } from "./history.ts";
import type { Cause } from "../../kernel/why/tracer.ts";

/** How a script is changed so that a fact about a file is otherwise; the counterpart of changeCause.ts for files. */

export interface FilePlace {
  readonly history: ScriptHistory;
  readonly lines: readonly string[];
  /** the step whose decision the cause belongs to */
  readonly step: number;
  readonly makers: readonly number[];
}

type MmapBody = Extract<OperationBody, { readonly op: "mmap" }>;

const before = (p: FilePlace, ...text: string[]): Change => [{ kind: "insert", before: p.step - 1, lines: text }];
const removed = (p: FilePlace): Change[] => p.makers.map((made): Change => [{ kind: "remove", line: made - 1 }]);
const HUGE = 2n << 20n;
const up = (n: bigint, unit: bigint): bigint => ((n + unit - 1n) / unit) * unit;

/** Lines whose operation is of a kind that `pick` gives other texts for. */
function rewritten(p: FilePlace, pick: (body: OperationBody) => readonly OperationBody[]): Change[] {
  return p.lines.slice(0, p.step).flatMap((text, line) => {
    const parsed = parseLine(text, 1);
    if (parsed.kind !== "operation") return [];
    const prefix = parsed.operation.process === "P" ? "" : `@${parsed.operation.process} `;
    return pick(parsed.operation.body).map((body): Change => [{ kind: "replace", line, text: prefix + printBody(body) }]);
  });
}

/** The mmap lines of a file, or of shared anonymous memory (name null), made otherwise. */
const mmapLines = (p: FilePlace, name: string | null, others: (body: MmapBody) => readonly MmapBody[]): Change[] =>
  rewritten(p, (body) => (body.op === "mmap" && body.file === name && (name !== null || body.flags.includes("shared")) ? others(body) : []));

/** A mapping of a file with other bounds or another offset: mmap made it, so mmap makes it otherwise. `fits`: it should hold whole blocks now. */
export function remappedFile(p: FilePlace, mm: number, vpn: number, fits: boolean): Change[] {
  const k = p.history.world.machine.kernel;
  const vma = vmaAt(k, mm, vpn);
  if (vma === undefined || vma.file === 0) return [];
  const name = nameOfInode(p.history.world, k.files.get(vma.file).inode);
  return mmapLines(p, name, (body) => {
    const offsetBytes = body.offsetBytes;
    const length = body.lengthBytes;
    if (!fits)
      return [
        { ...body, lengthBytes: 4096n },
        { ...body, offsetBytes: offsetBytes + 4096n },
        { ...body, lengthBytes: up(length / 2n, 4096n) },
      ];
    const aligned = body.at === null ? null : { ...body.at, offsetBytes: (body.at.offsetBytes / HUGE) * HUGE };
    return [
      { ...body, lengthBytes: up(length, HUGE) },
      { ...body, lengthBytes: up(length, HUGE), at: aligned, offsetBytes: (offsetBytes / HUGE) * HUGE },
      { ...body, lengthBytes: up(length, HUGE) + HUGE },
      { ...body, lengthBytes: up(length, HUGE) + HUGE, at: aligned, offsetBytes: (offsetBytes / HUGE) * HUGE },
    ];
  });
}

/** Shared made private, and the other way round. */
export const sharedOtherwise = (p: FilePlace): Change[] =>
  rewritten(p, (body) => {
    if (body.op !== "mmap" || body.file === null) return [];
    const isShared = body.flags.includes("shared");
    const flags = body.flags.map((flag) => (flag === "shared" ? "private" : flag === "private" ? "shared" : flag));
    return [{ ...body, flags: isShared === flags.includes("shared") ? body.flags : flags }];
  });

/** Other sizes: the ends of every block that matters. */
function sizeWays(p: FilePlace, name: string | null, bytes: number): Change[] {
  const sizes = [0, 4096, 16384, 65536, 1 << 20, 2 << 20, 4 << 20, 8 << 20].filter((size) => size !== bytes);
  if (name !== null) return sizes.reverse().map((size) => before(p, `truncate ${name} ${size}`));
  // shared anonymous memory is as long as its first mapping
  return mmapLines(p, null, (body) => sizes.filter((size) => size > 0).map((size) => ({ ...body, lengthBytes: BigInt(size) })));
}

function mountWays(p: FilePlace, cause: Extract<Cause, { kind: "file" }>): Change[] {
  const values = cause.property === "huge=" ? ["always", "within_size", "advise", "never"] : ["4M", "64M", "4k"];
  return p.lines.slice(0, p.step).flatMap((text, line) => {
    if (!/^mount /.test(text)) return [];
    const pattern = cause.property === "huge=" ? /huge=\w+/ : /size=\w+/;
    const texts = pattern.test(text)
      ? values.map((value) => text.replace(pattern, `${cause.property}${value}`))
      : values.map((value) => `${text},${cause.property}${value}`);
    return texts.filter((each) => each !== text).map((each): Change => [{ kind: "replace", line, text: each }]);
  });
}

function fileWays(p: FilePlace, cause: Extract<Cause, { kind: "file" }>, name: string | null): Change[] {
  switch (cause.property) {
    case "i_size":
      return sizeWays(p, name, Number(cause.value));
    case "i_writecount": {
      if (name === null) return [];
      const writable = mmapLines(p, name, (body) => [{ ...body, readOnlyFile: !body.readOnlyFile }]);
      return [...writable, ...(cause.value === 0 ? [before(p, `mmap B 4k rw shared file=${name} at=B+1G`)] : [])];
    }
    case "large_folios":
      return p.lines.slice(0, p.step).flatMap((text, line): Change[] => {
        const other = text.includes("/mnt/xfs") ? text.replace("/mnt/xfs", "/mnt/ext4") : text.replace("/mnt/ext4", "/mnt/xfs");
        return other === text ? [] : [[{ kind: "replace", line, text: other }]];
      });
    case "huge=":
    case "size=":
      return mountWays(p, cause);
  }
}

/** Where a process of the session maps a page of a file, as text. */
function mappedAt(p: FilePlace, inode: number, index: number): string | null {
  const k = p.history.world.machine.kernel;
  for (const slot of k.inodes.find(inode)?.vmas ?? []) {
    const vma = k.vmas.get(slot);
    const vpn = vma.start + (index - vma.pgoff);
    if (vpn >= vma.start && vpn < vma.end) return `0x${(vpn * 4096).toString(16)}`;
  }
  return null;
}

function cacheWays(p: FilePlace, cause: Extract<Cause, { kind: "cache" }>, name: string | null): Change[] {
  const range = `${cause.index * 4096} ${cause.pages * 4096}`;
  const at = mappedAt(p, cause.inode, cause.index);
  const last = `${(cause.index + cause.pages - 1) * 4096} 4096`;
  if (cause.is === "empty" || cause.is === "holes") {
    // a single page, where tmpfs would take a large folio: denied for as long as it is written
    const was = p.history.world.machine.kernel.g.shmemEnabled;
    const denied = (line: string): string[] => ["sys thp shmem_enabled deny", line, `sys thp shmem_enabled ${was}`];
    const whole =
      name === null
        ? []
        : [
            before(p, `fread ${name} ${range}`),
            before(p, `fwrite ${name} ${range} 1`),
            before(p, ...denied(`fwrite ${name} ${last} 1`)),
            before(p, `fwrite ${name} ${last} 1`),
          ];
    return at === null
      ? whole
      : [...whole, before(p, `touch ${at} ${cause.pages * 4096} w`), before(p, "prctl thp_disable 1", `touch ${at} w`, "prctl thp_disable 0")];
  }
  const dropped =
    name === null
      ? []
      : [before(p, `falloc ${name} punch ${range}`), before(p, `fadvise ${name} ${range} dontneed`), before(p, `fadvise ${name} 0 0 dontneed`)];
  const removedByAddress = at === null ? [] : [before(p, `madvise ${at} ${cause.pages * 4096} remove`)];
  return [...dropped, ...removedByAddress, ...removed(p)];
}

/** Ways to have a fact about a file otherwise. */
export function fileCauseWays(p: FilePlace, cause: FileCause): Change[] {
  const name = cause.kind === "readahead" ? null : nameOfInode(p.history.world, cause.inode);
  switch (cause.kind) {
    case "file":
      return fileWays(p, cause, name);
    case "cache":
      return cacheWays(p, cause, name);
    case "cacheFolio":
      return [...(cause.property === "PG_dirty" && cause.value === 1 && name !== null ? [before(p, `fsync ${name}`)] : []), ...folioWays(p, cause, name)];
    case "readahead":
      return removed(p);
  }
}

function folioWays(p: FilePlace, cause: Extract<Cause, { kind: "cacheFolio" }>, name: string | null): Change[] {
  const at = mappedAt(p, cause.inode, cause.index);
  if (cause.property === "extra_references" && cause.value === 0) return at === null ? [] : [before(p, `gup ${at} r`)];
  if (cause.property === "PG_dirty" && cause.value === 0) return name === null ? [] : [before(p, `fwrite ${name} ${cause.index * 4096} 4096 1`)];
  const dropped = name === null || cause.property !== "folio_order" ? [] : [before(p, `falloc ${name} punch ${cause.index * 4096} 4096`)];
  return [...dropped, ...removed(p)];
}
