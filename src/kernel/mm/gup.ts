import { isWritable } from "../arch/geometry.ts";
import type { Op } from "../sched/points.ts";
import { isHugePmd, pmdOf } from "../thp/splitPmd.ts";
import { NO_PFN, type Pfn } from "../units.ts";
import type { Result } from "./errno.ts";
import { fail } from "./errno.ts";
import { faultAndAccount } from "./fault.ts";
import { FAULT, VMF } from "./faultFlags.ts";
import { hasFlag } from "./folio.ts";
import { folioOf, type Kernel } from "./kernel.ts";
import { PG } from "./pageFlags.ts";
import { entryPfn, hiAt, indexAt, loAt, pteLevel, tableBelow, walkTo } from "./pgtable.ts";
import type { Vma } from "./records.ts";
import { vmaAt } from "./vma.ts";
import { VM } from "./vmFlags.ts";
import { VMSTAT } from "./vmstat.ts";

/** get_user_pages: the kernel walks a process's tables itself (mm/gup.c, kernel-semantics.md section 9). */

/** What a walk without locks found at an address: a frame, and how many pages the leaf goes on for. */
interface Followed {
  readonly pfn: Pfn;
  /** pages from this one to the end of the leaf */
  readonly left: number;
}

/** follow_page_mask: the frame if the tables allow the access, else undefined (then a fault is needed). */
function followPage(k: Kernel, vma: Vma, vpn: number, write: boolean): Followed | undefined {
  const e = k.geo.encoding;
  const pmd = pmdOf(k, vma.mm, vpn);
  if (pmd !== undefined && isHugePmd(k, pmd.lo)) {
    if ((pmd.lo & e.present) === 0 || (write && !isWritable(e, pmd.lo))) return undefined;
    const n = 1 << k.geo.pmdOrder;
    const offset = vpn & (n - 1);
    return { pfn: (entryPfn(pmd.lo, pmd.hi) + offset) as Pfn, left: n - offset };
  }
  const t = walkTo(k, k.mms.get(vma.mm).pgd, vpn, pteLevel(k));
  if (t === 0) return undefined;
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const lo = loAt(k, t, i);
  if ((lo & e.present) === 0 || (write && !isWritable(e, lo))) return undefined;
  return { pfn: entryPfn(lo, hiAt(k, t, i)), left: 1 };
}

/** check_vma_flags for GUP without FOLL_FORCE. */
export function mayGup(vma: Vma, write: boolean): boolean {
  if (vma.flags & (VM.io | VM.pfnmap)) return false;
  return (vma.flags & (write ? VM.write : VM.read)) !== 0;
}

/**
 * Faults in every page of [start, end) of one VMA, as __get_user_pages does for populate and mlock: no exception
 * is taken, but each fault is counted as minor. Returns pages done, or the errno of the first that fails.
 */
export function* faultIn(k: Kernel, vmaIn: Vma, start: number, end: number, write: boolean): Op<Result> {
  let vpn = start;
  while (vpn < end) {
    const vma = k.vmas.get(vmaIn.slot);
    const found = followPage(k, vma, vpn, write);
    if (found !== undefined) {
      vpn += found.left;
      continue;
    }
    const r = yield* faultAndAccount(k, vma, vpn, FAULT.remote | (write ? FAULT.write : 0));
    if (r & VMF.oom) return fail("ENOMEM");
    if (r & (VMF.hwpoison | VMF.hwpoisonLarge)) return fail("EHWPOISON");
    if (r & (VMF.sigbus | VMF.sigsegv)) return fail("EFAULT");
  }
  return end - start;
}

/** A reference taken by GUP with FOLL_PIN. */
export interface Pin {
  readonly pfn: Pfn;
  readonly mm: number;
  readonly vpn: number;
}

/** try_grab_folio: a reference, unless the folio is being freed. */
function tryGrab(k: Kernel, pfn: Pfn): boolean {
  const head = folioOf(k, pfn);
  if (k.refcount.get(head) === 0 || hasFlag(k, head, PG.buddy)) return false;
  k.refcount.add(head, 1);
  k.pincount.add(head, 1);
  k.countVm(VMSTAT.nrFollPinAcquired);
  return true;
}

export function unpin(k: Kernel, pfn: Pfn): void {
  const head = folioOf(k, pfn);
  k.refcount.add(head, -1);
  k.pincount.add(head, -1);
  k.countVm(VMSTAT.nrFollPinReleased);
}

/**
 * gup_fast: walks with interrupts off and no lock. The entry is read, a reference taken, and the entry read
 * again; since 6.1 the PMD is read again too, because collapse replaces a table without touching its entries
 * until the references were checked. NO_PFN: the slow path must decide.
 */
export function* gupFastPte(k: Kernel, mm: number, vpn: number, write: boolean): Op<Pfn> {
  const e = k.geo.encoding;
  const pmd = pmdOf(k, mm, vpn);
  if (pmd === undefined || (pmd.lo & e.present) === 0) return NO_PFN;
  const huge = isHugePmd(k, pmd.lo);
  if (k.preempt) yield "gupFast.readPmd";
  if (huge) {
    if (write && !isWritable(e, pmd.lo)) return NO_PFN;
    const page = (entryPfn(pmd.lo, pmd.hi) + (vpn & ((1 << k.geo.pmdOrder) - 1))) as Pfn;
    if (!tryGrab(k, page)) return NO_PFN;
    if (k.preempt) yield "gupFast.grabbed";
    const now = pmdOf(k, mm, vpn);
    if (now === undefined || now.lo !== pmd.lo || now.hi !== pmd.hi) {
      unpin(k, page);
      return NO_PFN;
    }
    return page;
  }
  // RCU and disabled interrupts keep the table itself alive while it is walked, even when it was unhooked
  const t = tableBelow(k, pmd.lo, pmd.hi);
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const lo = loAt(k, t, i);
  const hi = hiAt(k, t, i);
  if ((lo & e.present) === 0 || (write && !isWritable(e, lo)) || (lo & e.special) !== 0) return NO_PFN;
  if (k.preempt) yield "gupFast.readPte";
  const page = entryPfn(lo, hi);
  if (!tryGrab(k, page)) return NO_PFN;
  if (k.preempt) yield "gupFast.grabbed";
  let pmdChanged = false;
  if (k.era.gupFastRecheck) {
    const now = pmdOf(k, mm, vpn);
    pmdChanged = now === undefined || now.lo !== pmd.lo || now.hi !== pmd.hi;
  }
  if (pmdChanged || loAt(k, t, i) !== lo || hiAt(k, t, i) !== hi) {
    unpin(k, page);
    return NO_PFN;
  }
  return page;
}

/** get_user_pages with the mmap_lock held: faults until the page can be followed. */
export function* gupSlow(k: Kernel, mm: number, vpn: number, write: boolean): Op<Result<Pfn>> {
  for (;;) {
    const vma = vmaAt(k, mm, vpn);
    if (vma === undefined || !mayGup(vma, write)) return fail("EFAULT");
    const found = followPage(k, vma, vpn, write);
    if (found !== undefined) {
      if (tryGrab(k, found.pfn)) return found.pfn;
    }
    const r = yield* faultAndAccount(k, vma, vpn, FAULT.remote | (write ? FAULT.write : 0));
    if (r & VMF.oom) return fail("ENOMEM");
    if (r & (VMF.sigbus | VMF.sigsegv | VMF.hwpoison)) return fail("EFAULT");
  }
}
