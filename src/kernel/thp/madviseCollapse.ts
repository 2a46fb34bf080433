import type { Era } from "../era/era.ts";
import { fail, type Errno, type Result } from "../mm/errno.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { Vma } from "../mm/records.ts";
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from "../sched/locks.ts";
import { pace } from "../sched/pace.ts";
import type { Op } from "../sched/points.ts";
import { revalidate, scanPmd } from "./collapse.ts";
import { scanFile } from "./collapseFile.ts";
import { pmdAllowed } from "./eligibility/eligibility.ts";
import { collapsePteMappedThp } from "./pteMappedThp.ts";
import { scansFile } from "./scanDispatch.ts";
import { SOFT_FAILURES, type ScanResult } from "./scanResult.ts";
import { refuseArgument, refuseRelease } from "../why/refusal.ts";
import { traceEligibility } from "../why/thp.ts";

/** madvise_collapse_errno, by release (kernel-semantics.md 3.6). */
function errnoOf(behaviour: Era["collapseErrno"], r: ScanResult): Errno {
  const late = behaviour === "v65";
  switch (r) {
    case "ALLOC_HUGE_PAGE_FAIL":
      return "ENOMEM";
    case "CGROUP_CHARGE_FAIL":
      return "EBUSY";
    case "EXCEED_NONE_PTE":
      return late ? "EBUSY" : "EINVAL";
    case "PAGE_COUNT":
    case "PAGE_FILLED":
      return late ? "EAGAIN" : "EINVAL";
    case "PAGE_LOCK":
    case "PAGE_LRU":
    case "DEL_PAGE_LRU":
      return "EAGAIN";
    default:
      return "EINVAL";
  }
}

/** The file has the folio: its page table goes and the PMD maps it, under the mmap_lock, which before 6.6 is taken for writing. */
function* mapBlock(k: Kernel, mm: number, at: number): Op<ScanResult> {
  const isRead = k.era.collapseLocking === "pageTables";
  yield* isRead ? mmapReadLock(k, mm) : mmapWriteLock(k, mm);
  const result: ScanResult = yield* collapsePteMappedThp(k, mm, at, true);
  if (isRead) mmapReadUnlock(k, mm);
  else mmapWriteUnlock(k, mm);
  return result;
}

/** madvise_collapse on the part of one VMA. Blocks that were collapsed stay so even when a later one fails. */
export function* madviseCollapse(k: Kernel, vmaIn: Vma, start: number, end: number): Op<Result> {
  const n = 1 << k.geo.pmdOrder;
  const allowed = pmdAllowed(k, vmaIn, "forcedCollapse");
  if (k.tracer !== null) traceEligibility(k, vmaIn, "forcedCollapse", allowed);
  if (!allowed) return fail("EINVAL", "hint.collapseNotAllowed");
  const first = Math.ceil(start / n) * n;
  let last = Math.floor(end / n) * n;
  let vma = vmaIn;
  let done = 0;
  let lastFail: ScanResult = "FAIL";
  let locked = true;
  let isStopped = false;
  for (let at = first; at < last; at += n) {
    isStopped = !pace(k, n);
    if (isStopped) break;
    if (!locked) {
      yield* mmapReadLock(k, vmaIn.mm);
      locked = true;
      const again = revalidate(k, vmaIn.mm, at, false, false);
      if (typeof again === "string") {
        lastFail = again;
        break;
      }
      vma = again;
      last = Math.min(last, Math.floor(vma.end / n) * n);
    }
    let result: ScanResult;
    if (scansFile(k, vma)) {
      mmapReadUnlock(k, vma.mm);
      locked = false;
      result = yield* scanFile(k, vma, at, false);
      if (k.preempt) yield "collapse.file";
      if (result === "PTE_MAPPED_HUGEPAGE") result = yield* mapBlock(k, vma.mm, at);
    } else {
      const scanned: { result: ScanResult; lockDropped: boolean } = yield* scanPmd(k, vma, at, false);
      result = scanned.result;
      if (scanned.lockDropped) locked = false;
    }
    if (result === "SUCCEED" || result === "PMD_MAPPED") {
      done++;
      continue;
    }
    lastFail = result;
    if (!SOFT_FAILURES.has(result)) break;
  }
  if (!locked) yield* mmapReadLock(k, vmaIn.mm);
  if (isStopped) return fail("EINTR", "hint.stopped");
  // a range inside one block rounds to a negative number of blocks, which nothing done never equals: EINVAL
  const wanted = (last - first) / n;
  if (wanted < 0)
    return refuseArgument(k, vmaIn.mm, "madvise_collapse", errnoOf(k.era.collapseErrno, lastFail), "refuse.collapse", "range", end - start, "hint.collapse");
  if (done === wanted) return 0;
  const errno = errnoOf(k.era.collapseErrno, lastFail);
  if (k.tracer !== null) {
    // without MADV_COLLAPSE the answer would be EINVAL anyway
    if (errno !== "EINVAL") refuseRelease(k, vmaIn.mm, "madvise_behavior_valid", errno, "madvCollapse");
    if (errno !== errnoOf(k.era.collapseErrno === "v65" ? "v61" : "v65", lastFail))
      refuseRelease(k, vmaIn.mm, "madvise_collapse_errno", errno, "collapseErrno");
  }
  return fail(errno, "hint.collapse");
}
