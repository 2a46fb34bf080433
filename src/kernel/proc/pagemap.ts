import { pageMapcount } from "../mm/folio.ts";
import { folioOf, type Kernel } from "../mm/kernel.ts";
import { PG } from "../mm/pageFlags.ts";
import { MARKER } from "../mm/pgtable.ts";
import type { Vma } from "../mm/records.ts";
import { findVma } from "../mm/vma.ts";
import { VM } from "../mm/vmFlags.ts";
import type { Pfn } from "../units.ts";
import { isWalked, kpageflagBits, walkPages, type PageEntry } from "./taskMmu.ts";

/** Words of /proc/PID/pagemap, /proc/kpageflags and /proc/kpagecount, 64 bits each. */

/** Bits of a pagemap word (fs/proc/task_mmu.c). Bits 0 to 54 are the frame, or for a swap entry type (5 bits) and offset. */
export const PM = {
  softDirty: 1n << 55n,
  mmapExclusive: 1n << 56n,
  uffdWp: 1n << 57n,
  guard: 1n << 58n,
  file: 1n << 61n,
  swap: 1n << 62n,
  present: 1n << 63n,
} as const;
export const PM_PFN_MASK = (1n << 55n) - 1n;

/** A marker is a swap entry of the last type. */
const SWP_PTE_MARKER = 31n;
const MAX_SWAPFILES_SHIFT = 5n;

const vmaSoftDirty = (k: Kernel, vma: Vma | undefined): bigint =>
  vma !== undefined && k.profile.config.softDirty && (vma.flags & VM.softDirty) !== 0 ? PM.softDirty : 0n;

/** pte_to_pagemap_entry and its PMD counterpart, for page `i` of a leaf. As root reads it: with frame numbers. */
function wordOf(k: Kernel, vma: Vma | undefined, p: PageEntry, i: number): bigint {
  let word = vmaSoftDirty(k, vma);
  if (p.state === "none") return word;
  if (p.uffdWp) word |= PM.uffdWp;
  if (p.state !== "present") {
    const marker = BigInt((p.state === "guard" ? MARKER.guard : 0) | (p.uffdWp ? MARKER.uffdWp : 0));
    if (p.state === "guard" && k.era.pagemapGuard) word |= PM.guard;
    return word | PM.swap | SWP_PTE_MARKER | (marker << MAX_SWAPFILES_SHIFT);
  }
  if (p.softDirty && k.profile.config.softDirty) word |= PM.softDirty;
  word |= PM.present | BigInt(p.pfn + i);
  // the zero page is no normal page; the huge zero folio is looked at like any page, and is not anonymous
  if (p.raw) return word;
  if (p.zero) return p.huge ? word | PM.file : word;
  if ((k.pageFlags.get(folioOf(k, p.pfn as Pfn)) & PG.anon) === 0) word |= PM.file;
  const counted = p.huge && k.era.pagemapPmdExclusive === "firstPage" ? p.pfn : p.pfn + i;
  return pageMapcount(k, counted as Pfn) === 1 ? word | PM.mmapExclusive : word;
}

/** Words of the pages [start, end) of an mm, runs of equal empty pages as one item. */
export function* pagemapRuns(
  k: Kernel,
  mm: number,
  start: number,
  end: number,
): Generator<{ readonly vpn: number; readonly pages: number; readonly word: bigint }> {
  for (let at = start; at < end;) {
    const vma = findVma(k, mm, at);
    if (vma === undefined || vma.start > at) {
      const next = Math.min(end, vma?.start ?? end);
      yield { vpn: at, pages: next - at, word: 0n };
      at = next;
      continue;
    }
    const stop = Math.min(end, vma.end);
    if (!isWalked(vma)) {
      yield { vpn: at, pages: stop - at, word: vmaSoftDirty(k, vma) };
      at = stop;
      continue;
    }
    for (const p of walkPages(k, mm, at, stop)) {
      if (p.state === "none") yield { vpn: p.vpn, pages: p.pages, word: wordOf(k, vma, p, 0) };
      else for (let i = 0; i < p.pages; i++) yield { vpn: p.vpn + i, pages: 1, word: wordOf(k, vma, p, i) };
    }
    at = stop;
  }
}

/** What read(2) of /proc/PID/pagemap returns for the pages [start, end): little-endian words. */
export function pagemapBytes(k: Kernel, mm: number, start: number, end: number): Uint8Array {
  const words = new BigUint64Array(end - start);
  for (const run of pagemapRuns(k, mm, start, end)) words.fill(run.word, run.vpn - start, run.vpn - start + run.pages);
  return new Uint8Array(words.buffer);
}

/** One past the last frame of memory. */
export function maxPfn(k: Kernel): number {
  let max = 0;
  for (let slot = 1; slot <= k.zones.count; slot++) max = Math.max(max, k.zones.get(slot).end);
  return max;
}

/** Word of /proc/kpageflags; a frame outside memory reads as 0. */
export function kpageflagsWord(k: Kernel, pfn: number): bigint {
  if (pfn < 0 || pfn >= maxPfn(k)) return 0n;
  return kpageflagBits(k, pfn as Pfn).reduce((word, bit) => word | (1n << BigInt(bit)), 0n);
}

/** Word of /proc/kpagecount: how often the frame is mapped. */
export function kpagecountWord(k: Kernel, pfn: number): bigint {
  return pfn < 0 || pfn >= maxPfn(k) ? 0n : BigInt(pageMapcount(k, pfn as Pfn));
}
