import { isRawPfn } from "../drivers/card.ts";
import { paceWhole } from "../sched/pace.ts";
import { allowableOrders } from "../thp/eligibility/eligibility.ts";
import { allOrders } from "../thp/eligibility/orders.ts";
import { isHugeZero } from "../thp/hugeZero.ts";
import { isHugePmd, pmdOf } from "../thp/splitPmd.ts";
import type { Pfn } from "../units.ts";
import { folioOrder, folioPages, hasFlag, pageMapcount } from "../mm/folio.ts";
import { folioOf, type Kernel } from "../mm/kernel.ts";
import { PG } from "../mm/pageFlags.ts";
import { entryPfn, hiAt, holeEnd, indexAt, isMarker, loAt, MARKER, present, pteLevel, walkTo } from "../mm/pgtable.ts";
import type { Vma } from "../mm/records.ts";
import { VM, VMH } from "../mm/vmFlags.ts";

/** What fs/proc/task_mmu.c and fs/proc/page.c walk and count. Formats are observe/'s business. */

/** One page of an address space as /proc/PID/pagemap tells it. */
export interface PageEntry {
  readonly vpn: number;
  /** consecutive pages this entry stands for (a PMD leaf: up to 512; an empty stretch: any number) */
  readonly pages: number;
  readonly state: "none" | "present" | "swap" | "guard" | "migration";
  /** frame of the first page; -1 when not present */
  readonly pfn: number;
  /** mapped by a PMD leaf (PAGE_IS_HUGE) */
  readonly huge: boolean;
  readonly zero: boolean;
  /** memory of a device, that no page stands behind */
  readonly raw: boolean;
  readonly uffdWp: boolean;
  readonly softDirty: boolean;
  readonly young: boolean;
  readonly dirty: boolean;
  readonly writable: boolean;
}

/** walk_page_test: walks that ask nothing themselves pass over VM_PFNMAP, as over memory that nothing is mapped in. */
export const isWalked = (vma: Vma): boolean => (vma.flags & VM.pfnmap) === 0;

const EMPTY = {
  state: "none",
  pfn: -1,
  huge: false,
  zero: false,
  raw: false,
  uffdWp: false,
  softDirty: false,
  young: false,
  dirty: false,
  writable: false,
} as const;

/** Walks the pages of [start, end) of an mm, leaf by leaf; stretches without tables come as one entry. */
export function* walkPages(k: Kernel, mm: number, start: number, end: number): Generator<PageEntry> {
  const e = k.geo.encoding;
  const block = 1 << (k.geo.pmdLevel < 0 ? k.geo.levels[pteLevel(k)].bits : k.geo.pmdOrder);
  const pgd = k.mms.get(mm).pgd;
  let emptyFrom = -1;
  const flush = function* (to: number): Generator<PageEntry> {
    if (emptyFrom >= 0 && to > emptyFrom) yield { ...EMPTY, vpn: emptyFrom, pages: to - emptyFrom };
    emptyFrom = -1;
  };
  for (let vpn = start; vpn < end;) {
    const hole = holeEnd(k, pgd, vpn);
    if (hole > vpn) {
      if (emptyFrom < 0) emptyFrom = vpn;
      vpn = Math.min(end, hole);
      continue;
    }
    const next = Math.min(end, Math.floor(vpn / block) * block + block);
    // who reads changes nothing, so that stopping is giving up
    paceWhole(k, next - vpn);
    const pmd = pmdOf(k, mm, vpn);
    if (pmd !== undefined && isHugePmd(k, pmd.lo)) {
      yield* flush(vpn);
      const pfn = entryPfn(pmd.lo, pmd.hi);
      const bits = (mask: number): boolean => (pmd.lo & mask) !== 0;
      yield {
        vpn,
        pages: next - vpn,
        state: "present",
        pfn: pfn + (vpn % block),
        huge: true,
        zero: isHugeZero(k, pfn),
        raw: isRawPfn(k, pfn),
        uffdWp: bits(e.uffdWp),
        softDirty: bits(e.softDirty),
        young: bits(e.accessed),
        dirty: bits(e.dirty),
        writable: (pmd.lo & e.write.mask) === e.write.value,
      };
      vpn = next;
      continue;
    }
    const t = walkTo(k, pgd, vpn, pteLevel(k));
    if (t === 0 || k.tableUsed.get(t) === 0) {
      if (emptyFrom < 0) emptyFrom = vpn;
      vpn = next;
      continue;
    }
    const first = indexAt(k.geo, pteLevel(k), vpn);
    for (let j = 0; j < next - vpn; j++) {
      const lo = loAt(k, t, first + j);
      const hi = hiAt(k, t, first + j);
      if (lo === 0 && hi === 0) {
        if (emptyFrom < 0) emptyFrom = vpn + j;
        continue;
      }
      yield* flush(vpn + j);
      if (!present(k, lo)) {
        yield { ...EMPTY, vpn: vpn + j, pages: 1, state: isMarker(k, lo, hi, MARKER.guard) ? "guard" : "swap", uffdWp: isMarker(k, lo, hi, MARKER.uffdWp) };
        continue;
      }
      const bits = (mask: number): boolean => (lo & mask) !== 0;
      const pfn = entryPfn(lo, hi);
      const raw = isRawPfn(k, pfn);
      yield {
        vpn: vpn + j,
        pages: 1,
        state: "present",
        pfn,
        huge: false,
        zero: bits(e.special) && !raw,
        raw,
        uffdWp: bits(e.uffdWp),
        softDirty: bits(e.softDirty),
        young: bits(e.accessed),
        dirty: bits(e.dirty),
        writable: (lo & e.write.mask) === e.write.value,
      };
    }
    vpn = next;
  }
  yield* flush(end);
}

/** smaps of one VMA, in kB (mem_size_stats). */
export interface Smaps {
  Size: number;
  KernelPageSize: number;
  MMUPageSize: number;
  Rss: number;
  Pss: number;
  Pss_Dirty: number;
  Shared_Clean: number;
  Shared_Dirty: number;
  Private_Clean: number;
  Private_Dirty: number;
  Referenced: number;
  Anonymous: number;
  KSM: number;
  LazyFree: number;
  AnonHugePages: number;
  ShmemPmdMapped: number;
  FilePmdMapped: number;
  Shared_Hugetlb: number;
  Private_Hugetlb: number;
  Swap: number;
  SwapPss: number;
  Locked: number;
  THPeligible: number;
}

/** smaps_rollup of an mm: sums over its VMAs, in kB. */
export interface SmapsRollup extends Omit<Smaps, "Size" | "KernelPageSize" | "MMUPageSize" | "THPeligible"> {
  Pss_Anon: number;
  Pss_File: number;
  Pss_Shmem: number;
}

type SizeStats = Omit<SmapsRollup, "Pss_Anon" | "Pss_File" | "Pss_Shmem">;

/** Pss by kind of page, in fixed point. */
interface PssKinds {
  anon: number;
  file: number;
  shmem: number;
}

/** Fixed point of Pss: PSS_SHIFT. */
const PSS_ONE = 4096 * 4096;
const PSS_KB = 1024 * 4096;

const noSizes = (): SizeStats => ({
  Rss: 0,
  Pss: 0,
  Pss_Dirty: 0,
  Shared_Clean: 0,
  Shared_Dirty: 0,
  Private_Clean: 0,
  Private_Dirty: 0,
  Referenced: 0,
  Anonymous: 0,
  KSM: 0,
  LazyFree: 0,
  AnonHugePages: 0,
  ShmemPmdMapped: 0,
  FilePmdMapped: 0,
  Shared_Hugetlb: 0,
  Private_Hugetlb: 0,
  Swap: 0,
  SwapPss: 0,
  Locked: 0,
});

/** smap_gather_stats: adds a VMA's pages to `s`. Sizes in kB; Pss, Pss_Dirty and Locked in PSS_SHIFT fixed point until `pssToKb`. */
function gather(k: Kernel, vma: Vma, s: SizeStats, kinds: PssKinds | null = null): void {
  const locked = (vma.flags & VM.locked) !== 0;
  if (!isWalked(vma)) return;
  for (const p of walkPages(k, vma.mm, vma.start, vma.end)) {
    if (p.state !== "present" || p.zero || p.raw) continue;
    if (p.huge && !k.era.smapsProtnonePmd && (vma.flags & (VM.read | VM.write | VM.exec)) === 0) continue;
    const head = folioOf(k, p.pfn as Pfn);
    const flags = k.pageFlags.get(head);
    if (p.huge) s[flags & PG.anon ? "AnonHugePages" : flags & PG.swapbacked ? "ShmemPmdMapped" : "FilePmdMapped"] += p.pages * 4;
    s.Rss += p.pages * 4;
    if (flags & PG.anon) {
      s.Anonymous += p.pages * 4;
      if ((flags & PG.swapbacked) === 0 && !p.dirty && (flags & PG.dirty) === 0) s.LazyFree += p.pages * 4;
    }
    if (p.young || flags & PG.referenced) s.Referenced += p.pages * 4;
    const dirty = p.dirty || (flags & PG.dirty) !== 0;
    const whole = p.huge && k.refcount.get(head) === 1;
    for (let i = 0; i < (whole ? 1 : p.pages); i++) {
      const n = whole ? p.pages : 1;
      const mapcount = whole ? 1 : pageMapcount(k, (p.pfn + i) as Pfn);
      const share = mapcount >= 2 ? Math.floor(PSS_ONE / mapcount) : PSS_ONE * n;
      s.Pss += share;
      if (kinds !== null) kinds[flags & PG.anon ? "anon" : flags & PG.swapbacked ? "shmem" : "file"] += share;
      if (dirty) s.Pss_Dirty += share;
      if (locked) s.Locked += share;
      if (mapcount >= 2) s[dirty ? "Shared_Dirty" : "Shared_Clean"] += n * 4;
      else s[dirty ? "Private_Dirty" : "Private_Clean"] += n * 4;
    }
  }
}

/** Rounds the proportional sizes down to kB, as the kernel does when it prints. */
function pssToKb(s: SizeStats): void {
  s.Pss = Math.floor(s.Pss / PSS_KB);
  s.Pss_Dirty = Math.floor(s.Pss_Dirty / PSS_KB);
  s.Locked = Math.floor(s.Locked / PSS_KB);
}

/** smap_gather_stats and show_smap. Sizes in kB, rounded down as the kernel rounds. */
export function smapsOf(k: Kernel, vma: Vma): Smaps {
  const s = noSizes();
  gather(k, vma, s);
  pssToKb(s);
  const THPeligible = allowableOrders(k, vma, "smaps", allOrders(k)) === 0 ? 0 : 1;
  return { Size: (vma.end - vma.start) * 4, KernelPageSize: 4, MMUPageSize: 4, ...s, THPeligible };
}

/** show_smaps_rollup: the sums are rounded once, not VMA by VMA. */
export function smapsRollupOf(k: Kernel, mm: number): SmapsRollup {
  const s = noSizes();
  const shares: PssKinds = { anon: 0, file: 0, shmem: 0 };
  for (const slot of k.mms.get(mm).vmas) gather(k, k.vmas.get(slot), s, shares);
  pssToKb(s);
  const kb = (share: number): number => Math.floor(share / PSS_KB);
  return { ...s, Pss_Anon: kb(shares.anon), Pss_File: kb(shares.file), Pss_Shmem: kb(shares.shmem) };
}

/** Bits of /proc/kpageflags (include/uapi/linux/kernel-page-flags.h). */
export const KPF = {
  locked: 0,
  referenced: 2,
  uptodate: 3,
  dirty: 4,
  lru: 5,
  active: 6,
  buddy: 10,
  mmap: 11,
  anon: 12,
  swapbacked: 14,
  compoundHead: 15,
  compoundTail: 16,
  huge: 17,
  unevictable: 18,
  hwpoison: 19,
  ksm: 21,
  thp: 22,
  zeroPage: 24,
  pgtable: 26,
  mlocked: 33,
} as const;

/** stable_page_flags: the set bits. */
export function kpageflagBits(k: Kernel, pfn: Pfn): number[] {
  const flags = k.pageFlags.get(pfn);
  const head = folioOf(k, pfn);
  const f = k.era.kpageflagsTails ? k.pageFlags.get(head) : flags;
  const out: number[] = [];
  const large = (flags & (PG.head | PG.tail)) !== 0;
  if (pageMapcount(k, pfn) > 0) out.push(KPF.mmap);
  if (k.pageFlags.get(head) & PG.anon) {
    out.push(KPF.anon);
    if (k.era.kpageflagsKsmBug) out.push(KPF.ksm);
  }
  if (flags & PG.head) out.push(KPF.compoundHead);
  if (flags & PG.tail) out.push(KPF.compoundTail);
  if (large && (k.pageFlags.get(head) & (PG.anon | PG.lru)) !== 0 && (k.pageFlags.get(head) & PG.zero) === 0) out.push(KPF.thp);
  if (pfn === k.g.zeroPfn || isHugeZero(k, head)) {
    out.push(KPF.zeroPage);
    if (large && isHugeZero(k, head)) out.push(KPF.thp);
  }
  if (flags & PG.buddy) out.push(KPF.buddy);
  if (flags & PG.table) out.push(KPF.pgtable);
  const bit = (mask: number, n: number): void => {
    if (f & mask) out.push(n);
  };
  bit(PG.locked, KPF.locked);
  bit(PG.dirty, KPF.dirty);
  bit(PG.uptodate, KPF.uptodate);
  bit(PG.lru, KPF.lru);
  bit(PG.referenced, KPF.referenced);
  bit(PG.active, KPF.active);
  bit(PG.swapbacked, KPF.swapbacked);
  bit(PG.unevictable, KPF.unevictable);
  bit(PG.mlocked, KPF.mlocked);
  return out.sort((a, b) => a - b);
}

/** /proc/kpagecount */
export const kpagecount = (k: Kernel, pfn: Pfn): number => pageMapcount(k, pfn);

/** VmFlags of smaps, in the order in which the kernel prints them. */
export function vmFlagNames(k: Kernel, vma: Vma): string[] {
  const names: readonly (readonly [number, string])[] = [
    [VM.read, "rd"],
    [VM.write, "wr"],
    [VM.exec, "ex"],
    [VM.shared, "sh"],
    [VM.mayRead, "mr"],
    [VM.mayWrite, "mw"],
    [VM.mayExec, "me"],
    [VM.mayShare, "ms"],
    [VM.growsDown, "gd"],
    [VM.uffdMissing, "um"],
    [VM.pfnmap, "pf"],
    [VM.uffdWp, "uw"],
    [VM.locked, "lo"],
    [VM.io, "io"],
    [VM.seqRead, "sr"],
    [VM.randRead, "rr"],
    [VM.dontCopy, "dc"],
    [VM.dontExpand, "de"],
    [VM.lockOnFault, k.era.smapsLockOnFault ? "lf" : "??"],
    [VM.account, "ac"],
    [VM.noReserve, "nr"],
    [VM.hugetlb, "ht"],
    [VM.sync, "sf"],
    [VM.wipeOnFork, "wf"],
    [VM.dontDump, "dd"],
    [k.profile.config.softDirty ? VM.softDirty : 0, "sd"],
    [VM.mixedMap, "mm"],
    [VM.hugePage, "hg"],
    [VM.noHugePage, "nh"],
    [VM.mergeable, "mg"],
  ];
  const out = names.filter(([bit]) => (vma.flags & bit) !== 0).map(([, name]) => name);
  if (vma.flagsHi & VMH.uffdMinor) out.push("ui");
  if (vma.flagsHi & VMH.droppable) out.push("dp");
  if (vma.flagsHi & VMH.sealed) out.push("sl");
  if (vma.flagsHi & VMH.maybeGuard) out.push("gu");
  return out;
}

/** Folio a frame belongs to: head, order, position. */
export function folioPlace(k: Kernel, pfn: Pfn): { head: Pfn; order: number; index: number; pages: number } {
  const head = folioOf(k, pfn);
  return { head, order: hasFlag(k, head, PG.head) ? folioOrder(k, head) : 0, index: pfn - head, pages: folioPages(k, head) };
}
