import { isWritable } from "../kernel/arch/geometry.ts";
import type { Kernel } from "../kernel/mm/kernel.ts";
import { entryPfn, hiAt, indexAt, isMarker, loAt, MARKER, present, tableBelow } from "../kernel/mm/pgtable.ts";
import type { Task } from "../kernel/mm/records.ts";
import { kpagecountWord, kpageflagsWord, pagemapRuns, PM, PM_PFN_MASK } from "../kernel/proc/pagemap.ts";
import { KPF } from "../kernel/proc/taskMmu.ts";

/** A walk of the page tables and the words of pagemap, as text: raw bits beside what they mean. Terms are those of the kernel. */

/** All bits of an entry, hexadecimal. */
export const rawText = (lo: number, hi: number, bytes: number): string =>
  bytes === 8 ? `0x${(hi >>> 0).toString(16).padStart(8, "0")}${(lo >>> 0).toString(16).padStart(8, "0")}` : `0x${(lo >>> 0).toString(16).padStart(8, "0")}`;

/** Names of the bits of a present entry. */
function bitNames(k: Kernel, lo: number, hi: number, isLeafEntry: boolean): string[] {
  const e = k.geo.encoding;
  const names: string[] = [];
  const bit = (mask: number, name: string): void => {
    if ((lo & mask) !== 0) names.push(name);
  };
  bit(e.present, "present");
  if ((lo & e.present) === 0) bit(e.protNone, "protnone");
  names.push(isWritable(e, lo) ? "write" : "read-only");
  bit(e.user, "user");
  bit(e.accessed, "accessed");
  if (isLeafEntry) {
    bit(e.dirty, "dirty");
    bit(e.special, "special");
    bit(e.uffdWp, "uffd-wp");
    bit(e.softDirty, "soft-dirty");
  }
  const noExec = e.noExecHi !== 0 ? (hi & e.noExecHi) !== 0 : e.execLo !== 0 && (lo & e.execLo) === 0;
  if (noExec) names.push("nx");
  return names;
}

function emptyOr(k: Kernel, lo: number, hi: number): string {
  if (lo === 0 && hi === 0) return "none";
  return isMarker(k, lo, hi, MARKER.guard) ? "marker: guard" : isMarker(k, lo, hi, MARKER.uffdWp) ? "marker: uffd-wp" : "not present";
}

/** The entries that translate a page, top level first, one line each. */
export function pageTableWalk(k: Kernel, task: Task, vpn: number): string[] {
  const { levels } = k.geo;
  const lines: string[] = [];
  let table = k.mms.get(task.mm).pgd;
  for (const [l, level] of levels.entries()) {
    const i = indexAt(k.geo, l, vpn);
    const lo = loAt(k, table, i);
    const hi = hiAt(k, table, i);
    const head = `${level.name.padEnd(3)} [${String(i).padStart(3)}]  ${rawText(lo, hi, k.geo.bytesPerEntry)}`;
    if (!present(k, lo)) {
      lines.push(`${head}  ${emptyOr(k, lo, hi)}`);
      return lines;
    }
    const isLeafEntry = l === levels.length - 1 || (lo & k.geo.encoding.leaf) !== 0;
    const frame = `0x${entryPfn(lo, hi).toString(16)}`;
    const what = isLeafEntry ? (l === levels.length - 1 ? `page ${frame}` : `huge page ${frame}, ${4 << level.shift} kB`) : `table in page ${frame}`;
    lines.push(`${head}  ${what}: ${bitNames(k, lo, hi, isLeafEntry).join(" ")}`);
    if (isLeafEntry) return lines;
    table = tableBelow(k, lo, hi);
  }
  return lines;
}

const FLAG_NAMES: readonly (readonly [bit: bigint, name: string])[] = Object.entries(KPF).map(([name, bit]) => [1n << BigInt(bit), name]);

/** The flags of a word of /proc/kpageflags, in order of their bits. */
export function kpageflagNames(word: bigint): string[] {
  return FLAG_NAMES.filter(([bit]) => (word & bit) !== 0n).map(([, name]) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

/** The text twin of /proc/PID/pagemap, with /proc/kpageflags and kpagecount of each frame: a line for each page, one for a stretch without pages. */
export function pagemapText(k: Kernel, task: Task, start: number, end: number, print: (address: number) => string): string[] {
  const lines: string[] = [];
  for (const { vpn, pages, word } of pagemapRuns(k, task.mm, start, end)) {
    const head = `${print(vpn * 4096)}  0x${word.toString(16).padStart(16, "0")}`;
    if ((word & (PM.present | PM.swap)) === 0n) {
      lines.push(`${head}  ${pages === 1 ? "none" : `none, ${pages} pages`}`);
      continue;
    }
    const bits = [
      [PM.present, "present"],
      [PM.swap, "swap"],
      [PM.file, "file"],
      [PM.guard, "guard"],
      [PM.uffdWp, "uffd-wp"],
      [PM.mmapExclusive, "exclusive"],
      [PM.softDirty, "soft-dirty"],
    ] as const;
    const names = bits.filter(([bit]) => (word & bit) !== 0n).map(([, name]) => name);
    const pfn = Number(word & PM_PFN_MASK);
    const frame =
      (word & PM.present) === 0n ? "" : `  page 0x${pfn.toString(16)}: ${kpageflagNames(kpageflagsWord(k, pfn)).join(" ")}, mapcount ${kpagecountWord(k, pfn)}`;
    lines.push(`${head}  ${names.join(" ")}${frame}`);
  }
  return lines;
}
