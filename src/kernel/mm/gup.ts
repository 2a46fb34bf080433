import { isWritable } from "../arch/geometry.ts";
import { isRawPfn } from "../drivers/card.ts";
import { localIrqRestore, localIrqSave } from "../sched/locks.ts";
import { pace } from "../sched/pace.ts";
import type { Op } from "../sched/points.ts";
import { isHugePmd, pmdOf, type PmdPlace } from "../thp/splitPmd.ts";
import { NO_PFN, type Pfn } from "../units.ts";
import type { Failure, Result } from "./errno.ts";
import { fail } from "./errno.ts";
import { faultAndAccount } from "./fault.ts";
import { FAULT, VMF } from "./faultFlags.ts";
import { folioMarkAccessed, folioPut, hasFlag } from "./folio.ts";
import { folioOf, MISC, type Kernel } from "./kernel.ts";
import { PG } from "./pageFlags.ts";
import { entryPfn, freeDeferredTables, hiAt, indexAt, loAt, pteLevel, tableBelow, walkTo } from "./pgtable.ts";
import type { Vma } from "./records.ts";
import { vmaAt } from "./vma.ts";
import { VM } from "./vmFlags.ts";
import { VMSTAT } from "./vmstat.ts";
import { refuseFlag, refuseHole } from "../why/refusal.ts";

/** get_user_pages: the kernel walks a process's tables itself (mm/gup.c, kernel-semantics.md section 9). */

/** What a walk without locks found at an address: a frame, and how many pages the leaf goes on for. */
interface Followed {
  readonly pfn: Pfn;
  /** pages from this one to the end of the leaf */
  readonly left: number;
  /** by a PMD leaf, which FOLL_TOUCH makes young instead of marking the folio */
  readonly huge: boolean;
}

/** follow_page_mask: the frame if the tables allow the access, else undefined (then a fault is needed). */
function followPage(k: Kernel, vma: Vma, vpn: number, write: boolean): Followed | undefined {
  const e = k.geo.encoding;
  const pmd = pmdOf(k, vma.mm, vpn);
  if (pmd !== undefined && isHugePmd(k, pmd.lo)) {
    if ((pmd.lo & e.present) === 0 || (write && !isWritable(e, pmd.lo))) return undefined;
    const n = 1 << k.geo.pmdOrder;
    const offset = vpn & (n - 1);
    return { pfn: (entryPfn(pmd.lo, pmd.hi) + offset) as Pfn, left: n - offset, huge: true };
  }
  const t = walkTo(k, k.mms.get(vma.mm).pgd, vpn, pteLevel(k));
  if (t === 0) return undefined;
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const lo = loAt(k, t, i);
  if ((lo & e.present) === 0 || (write && !isWritable(e, lo))) return undefined;
  return { pfn: entryPfn(lo, hiAt(k, t, i)), left: 1, huge: false };
}

/** The flag for want of which mayGup refuses. */
export const refuseAccess = (k: Kernel, vma: Vma, write: boolean, errno: "EFAULT" | "EINVAL", hint?: string): Failure =>
  vma.flags & (VM.io | VM.pfnmap)
    ? refuseFlag(k, vma, "check_vma_flags", errno, "refuse.special", "VM_SPECIAL", true, hint)
    : refuseFlag(k, vma, "check_vma_flags", errno, "refuse.permission", write ? "VM_WRITE" : "VM_READ", false, hint);

/** check_vma_flags for GUP without FOLL_FORCE. */
export function mayGup(vma: Vma, write: boolean): boolean {
  if (vma.flags & (VM.io | VM.pfnmap)) return false;
  return (vma.flags & (write ? VM.write : VM.read)) !== 0;
}

/**
 * Faults in every page of [start, end) of one VMA, as __get_user_pages does for populate and mlock: no exception
 * is taken. `tried`: FOLL_TRIED after a fault let the lock go, as __get_user_pages_locked does. Returns pages done, or the errno
 * of the first that fails.
 */
export function* faultIn(k: Kernel, vmaIn: Vma, start: number, end: number, write: boolean, tried: boolean): Op<Result> {
  let vpn = start;
  while (vpn < end) {
    // a fatal signal ends the loop; here it is whoever waits for the command
    if (!pace(k, 1)) return fail("EINTR", "hint.stopped");
    const vma = k.vmas.get(vmaIn.slot);
    const found = followPage(k, vma, vpn, write);
    if (found !== undefined) {
      if (!found.huge && !isRawPfn(k, found.pfn)) folioMarkAccessed(k, folioOf(k, found.pfn));
      vpn += found.left;
      continue;
    }
    const r = yield* faultAndAccount(k, vma, vpn, FAULT.remote | (tried ? FAULT.tried : 0) | (write ? FAULT.write : 0));
    // why the fault failed was traced in faultAndAccount
    if (r & VMF.oom) return fail("ENOMEM");
    if (r & (VMF.hwpoison | VMF.hwpoisonLarge)) return fail("EHWPOISON");
    if (r & (VMF.sigbus | VMF.sigsegv)) return fail("EFAULT");
  }
  return end - start;
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

/** unpin_user_page. The pin may be the last reference: whoever unmapped the page meanwhile left it to be freed here. */
export function unpin(k: Kernel, pfn: Pfn): void {
  const head = folioOf(k, pfn);
  k.pincount.add(head, -1);
  k.countVm(VMSTAT.nrFollPinReleased);
  folioPut(k, head);
}

/**
 * gup_must_unshare of a pin that will not be written through: an anonymous page that is not exclusive would be replaced by
 * the next write to it. Pins of other pages (the zero page) may become stale.
 */
function mustUnshare(k: Kernel, page: Pfn, write: boolean, byPmd: boolean): boolean {
  const head = folioOf(k, page);
  // a PMD-mapped THP is exclusive as a whole, and its first page says so
  return !write && hasFlag(k, head, PG.anon) && !hasFlag(k, byPmd ? head : page, PG.anonExclusive);
}

/**
 * gup_fast with FOLL_PIN, on one page: walks with interrupts off and without locks. NO_PFN: the slow path must decide. A fork
 * that write-protects pages meanwhile is noticed by write_protect_seq.
 */
export function* gupFast(k: Kernel, mm: number, vpn: number, write: boolean): Op<Pfn> {
  const seq = k.mms.get(mm).writeProtectSeq;
  if (k.era.gupFastForkSeq && seq % 2 === 1) return NO_PFN;
  localIrqSave(k);
  const page = yield* gupFastPmd(k, mm, vpn, write);
  localIrqRestore(k);
  if (k.misc.get(MISC.tableDeferred) !== 0) freeDeferredTables(k);
  if (page !== NO_PFN && k.era.gupFastForkSeq && k.mms.get(mm).writeProtectSeq !== seq) {
    unpin(k, page);
    return NO_PFN;
  }
  return page;
}

/** gup_fast_pmd_range: on a leaf a reference is taken and the entry read again. */
function* gupFastPmd(k: Kernel, mm: number, vpn: number, write: boolean): Op<Pfn> {
  const e = k.geo.encoding;
  const pmd = pmdOf(k, mm, vpn);
  if (pmd === undefined || (pmd.lo & e.present) === 0) return NO_PFN;
  if (k.preempt) yield "gupFast.readPmd";
  if (!isHugePmd(k, pmd.lo)) return yield* gupFastPte(k, mm, vpn, write, pmd);
  if (isRawPfn(k, entryPfn(pmd.lo, pmd.hi))) return NO_PFN;
  if (write && !isWritable(e, pmd.lo)) return NO_PFN;
  const page = (entryPfn(pmd.lo, pmd.hi) + (vpn & ((1 << k.geo.pmdOrder) - 1))) as Pfn;
  if (!tryGrab(k, page)) return NO_PFN;
  if (k.preempt) yield "gupFast.grabbed";
  if (pmdChanged(k, mm, vpn, pmd) || (!isWritable(e, pmd.lo) && mustUnshare(k, page, write, true))) {
    unpin(k, page);
    return NO_PFN;
  }
  return page;
}

/** The PMD entry is no longer what the walk read. */
function pmdChanged(k: Kernel, mm: number, vpn: number, was: PmdPlace): boolean {
  const now = pmdOf(k, mm, vpn);
  return now === undefined || now.lo !== was.lo || now.hi !== was.hi;
}

/**
 * gup_fast_pte_range: the entry is read, a reference taken, and the entry read again; since 6.1 the PMD is read again too,
 * because collapse replaces a table without touching its entries until the references were checked.
 */
function* gupFastPte(k: Kernel, mm: number, vpn: number, write: boolean, pmd: PmdPlace): Op<Pfn> {
  const e = k.geo.encoding;
  // disabled interrupts keep the table itself alive while it is walked, even when it was unhooked (pgtable.ts)
  const t = tableBelow(k, pmd.lo, pmd.hi);
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const lo = loAt(k, t, i);
  const hi = hiAt(k, t, i);
  if ((lo & e.present) === 0 || (write && !isWritable(e, lo)) || (lo & e.special) !== 0) return NO_PFN;
  if (k.preempt) yield "gupFast.readPte";
  const page = entryPfn(lo, hi);
  if (!tryGrab(k, page)) return NO_PFN;
  if (k.preempt) yield "gupFast.grabbed";
  const isStale =
    (k.era.gupFastRecheck && pmdChanged(k, mm, vpn, pmd)) ||
    (k.era.gupFastPteRecheck && (loAt(k, t, i) !== lo || hiAt(k, t, i) !== hi)) ||
    (!isWritable(e, lo) && mustUnshare(k, page, write, false));
  if (isStale) {
    unpin(k, page);
    return NO_PFN;
  }
  return page;
}

/** get_user_pages with FOLL_PIN and the mmap_lock held: faults until the page can be followed. */
export function* gupSlow(k: Kernel, mm: number, vpn: number, write: boolean): Op<Result<Pfn>> {
  for (;;) {
    const vma = vmaAt(k, mm, vpn);
    if (vma === undefined) return refuseHole(k, mm, "__get_user_pages", "EFAULT", vpn, vpn + 1);
    if (!mayGup(vma, write)) return refuseAccess(k, vma, write, "EFAULT");
    const found = followPage(k, vma, vpn, write);
    // follow_pfn_pte: there is no page to take a reference on
    if (found !== undefined && isRawPfn(k, found.pfn)) return refuseFlag(k, vma, "follow_pfn_pte", "EFAULT", "refuse.special", "VM_SPECIAL", true);
    const unshare = found !== undefined && mustUnshare(k, found.pfn, write, found.huge);
    if (found !== undefined && !unshare && tryGrab(k, found.pfn)) return found.pfn;
    const r = yield* faultAndAccount(k, vma, vpn, FAULT.remote | FAULT.tried | (write ? FAULT.write : unshare ? FAULT.unshare : 0));
    if (r & VMF.oom) return fail("ENOMEM");
    if (r & (VMF.sigbus | VMF.sigsegv | VMF.hwpoison)) return fail("EFAULT");
  }
}
