import { folioOrder } from "../mm/folio.ts";
import type { Kernel } from "../mm/kernel.ts";
import { asyncWindow, mmapWindow, raPages, syncWindow, windowOrder } from "../mm/readaheadWindow.ts";
import type { Readahead, Vma } from "../mm/records.ts";
import { VM } from "../mm/vmFlags.ts";
import type { Pfn } from "../units.ts";
import { cacheCause, fileOf, largeFolios, mmapMiss, readAheadKb, vmaFlag } from "./fileVariations.ts";
import type { Cause, Decision, FileRule } from "./tracer.ts";
import { causesOf, type Situation, type Variation } from "./whatIf.ts";

/** Whether a fault found its page in the page cache, and what was read where it did not. Only called with a tracer. */

interface Said {
  readonly symbol: string;
  readonly rule: FileRule;
  readonly outcome: string;
  readonly causes: readonly Cause[];
  readonly also?: readonly Cause[];
}

/** A decision of a fault at `vpn`, about pages of the file. */
function decide(k: Kernel, vma: Vma, vpn: number, index: number, pages: number, said: Said): void {
  const first = Math.max(vma.start, vma.start + (index - vma.pgoff));
  const end = Math.min(vma.end, vma.start + (index + pages - vma.pgoff));
  const at = first < end ? { vpn: first, pages: end - first } : { vpn, pages: 1 };
  const file: Decision["file"] = { inode: fileOf(k, vma).slot, index, pages };
  k.tracer?.decide({ ...said, mm: vma.mm, ...at, file });
}

/** filemap_get_folio: there, or not. */
export function traceCacheLookup(k: Kernel, vma: Vma, vpn: number, inode: number, index: number, there: boolean): void {
  const cause = cacheCause(inode, index, 1, there ? "cached" : "empty");
  decide(k, vma, vpn, index, 1, {
    symbol: "filemap_get_folio",
    rule: there ? "file.hit" : "file.miss",
    outcome: there ? "in the page cache" : "read it",
    causes: [cause],
  });
}

/** The window that a missing fault reads, of either kind; null: the page alone. */
function windowOf({ k, vma }: Situation, index: number): { readonly start: number; readonly ra: Readahead } | null {
  if (vma === null) return null;
  const { kind, window } = mmapWindow(k, vma, index);
  if (window !== null || kind !== "sequential") return window;
  const ra = syncWindow(k, vma.file, index, raPages(k)) ?? { ...k.files.get(vma.file).ra, start: index, size: raPages(k), order: 0 };
  return { start: ra.start, ra };
}

const orderOf = (s: Situation, index: number): number => {
  const w = windowOf(s, index);
  return s.vma === null || w === null ? 0 : Math.max(0, windowOrder(s.k, fileOf(s.k, s.vma).slot, w.ra));
};

function variationsOf(k: Kernel, vma: Vma, vpn: number): Variation[] {
  const flags = (["VM_HUGEPAGE", "VM_SEQ_READ", "VM_RAND_READ", "VM_EXEC"] as const).map((flag) => vmaFlag(vma, vpn, flag));
  return [...flags, readAheadKb(k), mmapMiss(k, vma)];
}

/** do_sync_mmap_readahead: how much is read, and in folios of what order. */
export function traceMmapReadahead(k: Kernel, vma: Vma, vpn: number, index: number): void {
  const s: Situation = { k, vma };
  const { kind } = mmapWindow(k, vma, index);
  const text = (x: Situation): string => {
    const w = windowOf(x, index);
    return w === null ? "alone" : `${w.start}+${w.ra.size}`;
  };
  const variations = variationsOf(k, vma, vpn);
  const w = windowOf(s, index);
  const start = w?.start ?? index;
  const pages = w?.ra.size ?? 1;
  const found = causesOf(text, s, variations);
  decide(k, vma, vpn, start, pages, { symbol: "do_sync_mmap_readahead", rule: `readahead.${kind}`, outcome: `${pages} pages`, ...found });
  if (w === null) return;
  const orders = causesOf((x) => orderOf(x, index), s, [...variations, largeFolios(fileOf(k, vma))]);
  decide(k, vma, vpn, start, pages, { symbol: "page_cache_ra_order", rule: "readahead.order", outcome: `order ${orderOf(s, index)}`, ...orders });
}

/** do_async_mmap_readahead: the fault came to the mark of the last window, and reads the next. */
export function traceAsyncReadahead(k: Kernel, vma: Vma, vpn: number, head: Pfn, index: number): void {
  const marked: Cause = cacheCause(fileOf(k, vma).slot, index, 1, "marked");
  const asked = (x: Situation): string => {
    if (x.vma === null || (x.vma.flags & VM.randRead) !== 0) return "nothing";
    const w = asyncWindow(x.k, x.vma.file, head, index, raPages(x.k));
    return w === null ? "nothing" : `${w.start}+${w.size}`;
  };
  const found = causesOf(asked, { k, vma }, [vmaFlag(vma, vpn, "VM_RAND_READ"), readAheadKb(k)]);
  const next = asyncWindow(k, vma.file, head, index, raPages(k));
  decide(k, vma, vpn, index, 2 ** folioOrder(k, head), {
    symbol: "do_async_mmap_readahead",
    rule: "readahead.async",
    outcome: next === null ? "nothing" : `${next.size} pages from ${next.start}`,
    causes: [marked, ...found.causes],
  });
  if (next !== null)
    decide(k, vma, vpn, next.start, next.size, { symbol: "page_cache_async_ra", rule: "readahead.async", outcome: `${next.size} pages`, causes: [marked] });
}
