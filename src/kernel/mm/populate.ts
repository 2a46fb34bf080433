import type { Op } from "../sched/points.ts";
import { failed, type Result } from "./errno.ts";
import { faultIn, mayGup, refuseAccess } from "./gup.ts";
import type { Kernel } from "./kernel.ts";
import type { Vma } from "./records.ts";
import { findVma } from "./vma.ts";
import { VM, VM_ACCESS } from "./vmFlags.ts";
import { refuseFlag, refuseHole } from "../why/refusal.ts";

/** populate_vma_page_range: what mlock and MAP_POPULATE fault in. Writes where that breaks copy-on-write ahead of time. */
function* populateVma(k: Kernel, vma: Vma, start: number, end: number): Op<Result> {
  if (vma.flags & VM.lockOnFault) return end - start;
  const write = (vma.flags & (VM.write | VM.shared)) === VM.write;
  // FOLL_FORCE holds for accessible mappings only
  if ((vma.flags & VM_ACCESS) === 0) return refuseFlag(k, vma, "check_vma_flags", "EFAULT", "refuse.permission", "VM_READ", false);
  return yield* faultIn(k, vma, start, end, write, false);
}

/** __mm_populate over mapped parts of [start, end). Stops at the first hole or, unless errors are ignored, at the first failure. */
export function* mmPopulate(k: Kernel, mm: number, start: number, end: number, ignoreErrors: boolean): Op<Result> {
  let at = start;
  while (at < end) {
    const vma = findVma(k, mm, at);
    if (vma === undefined || vma.start >= end) break;
    const from = Math.max(at, vma.start);
    const to = Math.min(end, vma.end);
    at = to;
    if (vma.flags & (VM.io | VM.pfnmap)) continue;
    const r = yield* populateVma(k, vma, from, to);
    if (failed(r) && !ignoreErrors) return r;
  }
  return 0;
}

/** madvise_populate: MADV_POPULATE_READ and _WRITE. */
export function* madvisePopulate(k: Kernel, mm: number, start: number, end: number, write: boolean): Op<Result> {
  let at = start;
  while (at < end) {
    const vma = findVma(k, mm, at);
    if (vma === undefined || vma.start > at) return refuseHole(k, mm, "madvise_populate", "ENOMEM", at, Math.min(end, vma?.start ?? end));
    if (!mayGup(vma, write)) return refuseAccess(k, vma, write, "EINVAL", write ? "hint.needsWrite" : "hint.needsRead");
    const to = Math.min(end, vma.end);
    const r = yield* faultIn(k, vma, at, to, write, k.era.populateWalk === "straight");
    if (failed(r)) return r;
    at = to;
  }
  return 0;
}
