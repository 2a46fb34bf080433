import { fail, type Errno, type Result } from "../mm/errno.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { Vma } from "../mm/records.ts";
import { mmapReadLock } from "../sched/locks.ts";
import type { Op } from "../sched/points.ts";
import { revalidate, scanPmd } from "./collapse.ts";
import { pmdAllowed } from "./eligibility/eligibility.ts";
import { SOFT_FAILURES, type ScanResult } from "./scanResult.ts";

/** madvise_collapse_errno, by release (kernel-semantics.md 3.6). */
function errnoOf(k: Kernel, r: ScanResult): Errno {
  const late = k.era.collapseErrno === "v65";
  switch (r) {
    case "ALLOC_HUGE_PAGE_FAIL":
      return "ENOMEM";
    case "CGROUP_CHARGE_FAIL":
      return "EBUSY";
    case "EXCEED_NONE_PTE":
      return late ? "EBUSY" : "EINVAL";
    case "PAGE_COUNT":
      return late ? "EAGAIN" : "EINVAL";
    case "PAGE_LOCK":
    case "PAGE_LRU":
    case "DEL_PAGE_LRU":
      return "EAGAIN";
    default:
      return "EINVAL";
  }
}

/** madvise_collapse on the part of one VMA. Blocks that were collapsed stay so even when a later one fails. */
export function* madviseCollapse(k: Kernel, vmaIn: Vma, start: number, end: number): Op<Result> {
  const n = 1 << k.geo.pmdOrder;
  if (!pmdAllowed(k, vmaIn, "forcedCollapse")) return fail("EINVAL", "hint.collapseNotAllowed");
  const first = Math.ceil(start / n) * n;
  let last = Math.floor(end / n) * n;
  let vma = vmaIn;
  let done = 0;
  let lastFail: ScanResult = "FAIL";
  let locked = true;
  for (let at = first; at < last; at += n) {
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
    const { result, lockDropped }: { result: ScanResult; lockDropped: boolean } = yield* scanPmd(k, vma, at, false);
    if (lockDropped) locked = false;
    if (result === "SUCCEED" || result === "PMD_MAPPED") {
      done++;
      continue;
    }
    lastFail = result;
    if (!SOFT_FAILURES.has(result)) break;
  }
  if (!locked) yield* mmapReadLock(k, vmaIn.mm);
  // a range inside one block rounds to a negative number of blocks, which nothing done never equals: EINVAL
  const wanted = (last - first) / n;
  return done === wanted ? 0 : fail(errnoOf(k, lastFail), "hint.collapse");
}
