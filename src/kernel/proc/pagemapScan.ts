import { procTextOf } from "../era/procText.ts";
import { fail, type Result } from "../mm/errno.ts";
import type { Kernel } from "../mm/kernel.ts";
import { pteLevel, walkTo } from "../mm/pgtable.ts";
import type { Vma } from "../mm/records.ts";
import { vmasIn } from "../mm/vma.ts";
import { VM } from "../mm/vmFlags.ts";
import { asVpn } from "../units.ts";
import { walkPages, type PageEntry } from "./taskMmu.ts";

/** The PAGEMAP_SCAN ioctl of /proc/PID/pagemap (do_pagemap_scan, 6.7; kernel-semantics.md 11.2). */

/** PAGE_IS_* of include/uapi/linux/fs.h. */
export const PAGE_IS = { wpAllowed: 1, written: 2, file: 4, present: 8, swapped: 16, pfnZero: 32, huge: 64, softDirty: 128, guard: 256 } as const;
/** PM_SCAN_* */
export const PM_SCAN = { wpMatching: 1, checkWpAsync: 2 } as const;

/** struct pm_scan_arg. Addresses in bytes. */
export interface ScanArguments {
  readonly start: bigint;
  readonly end: bigint;
  /** regions that fit into the buffer; 0: no buffer */
  readonly vecLength: number;
  /** 0: no limit */
  readonly maxPages: number;
  readonly categoryInverted: number;
  readonly categoryMask: number;
  readonly categoryAnyofMask: number;
  readonly returnMask: number;
  readonly flags: number;
}

/** struct page_region. */
export interface PageRegion {
  readonly start: bigint;
  end: bigint;
  readonly categories: number;
}

export interface ScanOutcome {
  readonly regions: readonly PageRegion[];
  readonly walkEnd: bigint;
}

const PAGE = 4096n;
/** regions that the kernel gathers before it copies them out (PAGEMAP_WALK_SIZE >> PAGE_SHIFT) */
const BUFFER_REGIONS = 512;

/**
 * Scans [start, end). Memory of a userfaultfd with WP_ASYNC is not simulated yet, so no VMA allows write protection:
 * PM_SCAN_CHECK_WPASYNC is refused with EPERM at the first VMA, and PM_SCAN_WP_MATCHING passes over every one.
 */
export function pagemapScan(k: Kernel, mm: number, args: ScanArguments): Result<ScanOutcome> {
  if (!k.era.pagemapScan) return fail("ENOTTY", "hint.pagemapScan");
  const known = k.era.pagemapGuard ? 511 : 255;
  if ((args.flags & ~3) !== 0) return fail("EINVAL");
  if (((args.categoryInverted | args.categoryMask | args.categoryAnyofMask | args.returnMask) & ~known) !== 0) return fail("EINVAL");
  if (args.start % PAGE !== 0n) return fail("EINVAL", "hint.alignAddress");
  const top = BigInt(k.geo.taskSizePages) * PAGE;
  if (args.end < args.start || args.end > top) return fail("EFAULT", "hint.taskSize");
  const scan = new Scan(k, args);
  return scan.run(mm);
}

/** Where the walk stopped because the buffer or the limit was full. */
class Full {
  readonly at: number;
  constructor(at: number) {
    this.at = at;
  }
}

class Scan {
  readonly #k: Kernel;
  readonly #args: ScanArguments;
  readonly #regions: PageRegion[] = [];
  /** regions of the kernel's buffer that were copied out already */
  #flushed = 0;
  #found = 0;
  #walkEnd = 0n;

  constructor(k: Kernel, args: ScanArguments) {
    this.#k = k;
    this.#args = args;
  }

  run(mm: number): Result<ScanOutcome> {
    const { start } = this.#args;
    const end = ((this.#args.end + PAGE - 1n) / PAGE) * PAGE;
    let from = asVpn(Number(start / PAGE));
    const to = asVpn(Number(end / PAGE));
    while (from < to) {
      const r = this.#walk(mm, from, to);
      if (r === "EPERM") return fail("EPERM", "hint.wpAsync");
      if (r === null) break;
      this.#walkEnd = BigInt(r.at) * PAGE;
      this.#flushed = this.#regions.length;
      if (this.#flushed >= this.#args.vecLength || this.#found === this.#args.maxPages) break;
      from = asVpn(r.at);
    }
    // once set, walk_end is not moved by the pass that reaches the end: a full kernel buffer leaves its mark
    return { regions: this.#regions, walkEnd: this.#walkEnd === 0n ? end : this.#walkEnd };
  }

  /** walk_page_range: null at the end of the range. */
  #walk(mm: number, from: number, to: number): Full | "EPERM" | null {
    const k = this.#k;
    for (const vma of vmasIn(k, mm, from, to)) {
      if (this.#args.flags & PM_SCAN.checkWpAsync) return "EPERM";
      if (this.#args.flags & PM_SCAN.wpMatching || vma.flags & VM.pfnmap) continue;
      const softDirty = k.profile.config.softDirty && procTextOf(k.profile.release).scanSoftDirty && (vma.flags & VM.softDirty) !== 0;
      const category = softDirty ? PAGE_IS.softDirty : 0;
      const required = this.#args.categoryMask & PAGE_IS.wpAllowed;
      if (((category ^ this.#args.categoryInverted) & required) !== required) continue;
      const full = this.#vma(vma, Math.max(vma.start, from), Math.min(vma.end, to), category);
      if (full !== null) return full;
    }
    return null;
  }

  #vma(vma: Vma, from: number, to: number, category: number): Full | null {
    const { categoryMask, categoryAnyofMask, categoryInverted, returnMask } = this.#args;
    const onlyWritten = categoryAnyofMask === 0 && categoryInverted === 0 && categoryMask === PAGE_IS.written && returnMask === PAGE_IS.written;
    for (const p of walkPages(this.#k, vma.mm, from, to)) {
      const full =
        p.state === "none"
          ? onlyWritten || this.#k.era.scanEmptyWritten
            ? this.#emptyEntries(vma, p, category)
            : this.#page(p.vpn, p.vpn + p.pages, category)
          : this.#page(p.vpn, p.vpn + p.pages, category | categoriesOf(this.#k, p));
      if (full !== null) return full;
    }
    return null;
  }

  /** Empty entries of a page table count as written here, a hole without a table does not. */
  #emptyEntries(vma: Vma, p: PageEntry, category: number): Full | null {
    const k = this.#k;
    const block = 1 << (k.geo.pmdLevel < 0 ? k.geo.levels[pteLevel(k)].bits : k.geo.pmdOrder);
    const end = p.vpn + p.pages;
    for (let vpn = p.vpn; vpn < end;) {
      const next = Math.min(end, Math.floor(vpn / block) * block + block);
      const table = walkTo(k, k.mms.get(vma.mm).pgd, vpn, pteLevel(k));
      const full = this.#page(vpn, next, table === 0 ? category : category | PAGE_IS.written);
      if (full !== null) return full;
      vpn = next;
    }
    return null;
  }

  #page(from: number, to: number, categories: number): Full | null {
    const { categoryMask, categoryAnyofMask, categoryInverted } = this.#args;
    const seen = categories ^ categoryInverted;
    if ((seen & categoryMask) !== categoryMask) return null;
    if (categoryAnyofMask !== 0 && (seen & categoryAnyofMask) === 0) return null;
    return this.#output(from, to, categories);
  }

  /** pagemap_scan_output: cut at max_pages, joined to the region before, or a new one while the buffer has room. */
  #output(from: number, to: number, categoriesIn: number): Full | null {
    if (this.#args.vecLength === 0) return null;
    const categories = categoriesIn & this.#args.returnMask;
    const limit = this.#args.maxPages === 0 ? Infinity : this.#args.maxPages;
    const cut = Math.min(to, from + limit - this.#found);
    const last = this.#regions.length > this.#flushed ? this.#regions[this.#regions.length - 1] : undefined;
    const start = BigInt(from) * PAGE;
    if (last !== undefined && last.end === start && last.categories === categories) last.end = BigInt(cut) * PAGE;
    else {
      const room = Math.min(BUFFER_REGIONS, this.#args.vecLength - this.#flushed);
      if (this.#regions.length - this.#flushed >= room) return new Full(from);
      if (cut > from) this.#regions.push({ start, end: BigInt(cut) * PAGE, categories });
    }
    this.#found += cut - from;
    return cut < to ? new Full(cut) : null;
  }
}

/** pagemap_page_category and pagemap_thp_category. */
function categoriesOf(k: Kernel, p: PageEntry): number {
  let c = p.huge ? PAGE_IS.huge : 0;
  if (!p.uffdWp) c |= PAGE_IS.written;
  if (p.state !== "present") return c | PAGE_IS.swapped | (p.state === "guard" && k.era.pagemapGuard ? PAGE_IS.guard : 0);
  c |= PAGE_IS.present;
  if (p.zero) c |= PAGE_IS.pfnZero;
  if (p.softDirty && k.profile.config.softDirty) c |= PAGE_IS.softDirty;
  return c;
}
