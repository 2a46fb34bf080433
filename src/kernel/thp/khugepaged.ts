import { mmapReadLock, mmapReadUnlock } from "../sched/locks.ts";
import type { Op } from "../sched/points.ts";
import { MISC, type Kernel } from "../mm/kernel.ts";
import type { Vma } from "../mm/records.ts";
import { findVma } from "../mm/vma.ts";
import { scanPmd } from "./collapse.ts";
import { pmdAllowed } from "./eligibility/eligibility.ts";
import { khugepagedWanted } from "./khugepagedList.ts";
import type { ScanResult } from "./scanResult.ts";

/** The daemon (mm/khugepaged.c, kernel-semantics.md 3.2). */

/** khugepaged_do_scan: one wake-up. Goes round the list of mms at most once, or until pages_to_scan is used up. */
export function* khugepagedDoScan(k: Kernel): Op<void> {
  const budget = k.g.khugepaged.pagesToScan;
  let progress = 0;
  let heads = 0;
  while (progress < budget) {
    if (k.g.khugepagedCursorMm === 0) heads++;
    if (k.g.khugepagedMms.length === 0 || heads >= 2) return;
    const step = yield* scanMmSlot(k, budget - progress);
    progress += step.progress;
    if (step.result === "ALLOC_HUGE_PAGE_FAIL") return;
  }
}

/** khugepaged_scan_mm_slot: goes on where the cursor stands, until one block was worked on without the lock or the mm ends. */
function* scanMmSlot(k: Kernel, pages: number): Op<{ progress: number; result: ScanResult }> {
  const list = k.g.khugepagedMms;
  if (k.g.khugepagedCursorMm === 0) k.setGlobals({ khugepagedCursorMm: list[0], khugepagedCursorVpn: 0 });
  const mm = k.g.khugepagedCursorMm;
  let progress = 1;
  let result: ScanResult = "FAIL";
  const n = 1 << k.geo.pmdOrder;
  yield* mmapReadLock(k, mm);
  let vma: Vma | undefined = k.mms.get(mm).thpDisable === 1 ? undefined : findVma(k, mm, k.g.khugepagedCursorVpn);
  for (; vma !== undefined; vma = findVma(k, mm, vma.end)) {
    if (!pmdAllowed(k, vma, "khugepaged")) {
      progress++;
      continue;
    }
    const first = Math.ceil(vma.start / n) * n;
    const last = Math.floor(vma.end / n) * n;
    if (k.g.khugepagedCursorVpn > last || first >= last) {
      progress++;
      continue;
    }
    if (k.g.khugepagedCursorVpn < first) k.setGlobals({ khugepagedCursorVpn: first });
    while (k.g.khugepagedCursorVpn < last) {
      const at = k.g.khugepagedCursorVpn;
      const done: { result: ScanResult; lockDropped: boolean } = yield* scanPmd(k, vma, at, true);
      result = done.result;
      if (result === "SUCCEED") k.misc.add(MISC.pagesCollapsed, 1);
      k.setGlobals({ khugepagedCursorVpn: at + n });
      progress += n;
      if (done.lockDropped) return { progress, result };
      if (progress >= pages) {
        mmapReadUnlock(k, mm);
        return { progress, result };
      }
    }
  }
  mmapReadUnlock(k, mm);
  nextMm(k, mm);
  return { progress, result };
}

/** Moves the cursor to the next mm; at the end of the list a full scan is counted. */
function nextMm(k: Kernel, mm: number): void {
  const list = k.g.khugepagedMms;
  const next = list[list.indexOf(mm) + 1];
  k.setGlobals({ khugepagedCursorMm: next ?? 0, khugepagedCursorVpn: 0 });
  if (next === undefined) k.misc.add(MISC.fullScans, 1);
}

/**
 * start_stop_khugepaged: after a setting was written. A thread that starts scans at once; one that runs
 * already goes on sleeping.
 */
export function* startStopKhugepaged(k: Kernel): Op<void> {
  const wanted = khugepagedWanted(k);
  if (wanted === k.g.khugepagedRunning) return;
  k.setGlobals({ khugepagedRunning: wanted });
  if (wanted) yield* khugepagedDoScan(k);
  else k.setGlobals({ khugepagedCursorMm: 0, khugepagedCursorVpn: 0 });
}
