import { mmapReadLock, mmapReadUnlock, mmapWriteUnlock, tryLockWrite } from "../sched/locks.ts";
import { KHUGEPAGED, park, parkedThread, unpark } from "../sched/parked.ts";
import { pace } from "../sched/pace.ts";
import type { Op } from "../sched/points.ts";
import { MISC, type Kernel } from "../mm/kernel.ts";
import type { Vma } from "../mm/records.ts";
import { findVma } from "../mm/vma.ts";
import { scanPmd } from "./collapse.ts";
import { scanFile } from "./collapseFile.ts";
import { pmdAllowed } from "./eligibility/eligibility.ts";
import { khugepagedAddPteMappedThp, khugepagedWanted } from "./khugepagedList.ts";
import { pmdState } from "./pmdState.ts";
import { collapsePteMappedThp } from "./pteMappedThp.ts";
import { scansFile } from "./scanDispatch.ts";
import { traceDaemon } from "../why/scan.ts";
import { traceEligibility } from "../why/thp.ts";
import type { ScanResult } from "./scanResult.ts";

/** The daemon (mm/khugepaged.c, kernel-semantics.md 3.2). */

/** khugepaged_do_scan: one wake-up. Goes round the list of mms at most once, or until pages_to_scan is used up. */
function* khugepagedDoScan(k: Kernel): Op<void> {
  const budget = k.g.khugepaged.pagesToScan;
  let progress = 0;
  let heads = 0;
  while (progress < budget) {
    if (k.g.khugepagedCursorMm === 0) heads++;
    if (k.g.khugepagedMms.length === 0 || heads >= 2) return;
    if (!pace(k, 16)) return;
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
  yield* collapseNotedThps(k, mm);
  yield* mmapReadLock(k, mm);
  const disabled = k.mms.get(mm).thpDisable === 1;
  if (k.tracer !== null && disabled) traceDaemon(k, mm, "khugepaged.mmDisabled", -1);
  let vma: Vma | undefined = disabled ? undefined : findVma(k, mm, k.g.khugepagedCursorVpn);
  for (; vma !== undefined; vma = findVma(k, mm, vma.end)) {
    const allowed: boolean = pmdAllowed(k, vma, "khugepaged");
    if (k.tracer !== null) traceEligibility(k, vma, "khugepaged", allowed);
    if (!allowed) {
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
      // the cursor stands behind what was done; the next wake-up goes on there
      if (!pace(k, n)) {
        mmapReadUnlock(k, mm);
        return { progress: pages, result };
      }
      const done: { result: ScanResult; lockDropped: boolean } = scansFile(k, vma)
        ? { result: yield* scanFileBlock(k, vma, at), lockDropped: true }
        : yield* scanPmd(k, vma, at, true);
      result = done.result;
      if (result === "SUCCEED") k.misc.add(MISC.pagesCollapsed, 1);
      k.setGlobals({ khugepagedCursorVpn: at + n });
      progress += n;
      if (done.lockDropped) return { progress, result };
      if (progress >= pages) {
        if (k.tracer !== null) traceDaemon(k, mm, "khugepaged.budget", at + n);
        mmapReadUnlock(k, mm);
        return { progress, result };
      }
    }
  }
  mmapReadUnlock(k, mm);
  nextMm(k, mm);
  return { progress, result };
}

/** khugepaged_collapse_pte_mapped_thps (until 6.5): blocks noted since the last visit, if the mmap_lock can be had at once. */
function* collapseNotedThps(k: Kernel, mm: number): Op<void> {
  const noted = k.mms.get(mm).pteMappedThps;
  if (noted.length === 0 || !tryLockWrite(k, "mmap_lock", mm)) return;
  for (const start of noted) yield* collapsePteMappedThp(k, mm, start, false);
  k.mms.update(mm, { pteMappedThps: [] });
  mmapWriteUnlock(k, mm);
}

/**
 * The part of khugepaged_scan_mm_slot for a file: the mmap_lock is dropped first. A folio that is there already only loses the table over it: since 6.6
 * at once, before that at the next visit.
 */
function* scanFileBlock(k: Kernel, vma: Vma, at: number): Op<ScanResult> {
  const { mm } = vma;
  mmapReadUnlock(k, mm);
  const result: ScanResult = yield* scanFile(k, vma, at, true);
  if (result !== "PTE_MAPPED_HUGEPAGE") return result;
  if (k.era.collapseLocking !== "pageTables") {
    const state = pmdState(k, mm, at);
    return state === "SUCCEED" && !khugepagedAddPteMappedThp(k, mm, at) ? "PTE_MAPPED_HUGEPAGE" : state;
  }
  yield* mmapReadLock(k, mm);
  const inPlace: ScanResult = k.mms.find(mm) === undefined ? "ANY_PROCESS" : yield* collapsePteMappedThp(k, mm, at, false);
  mmapReadUnlock(k, mm);
  return inPlace === "PMD_MAPPED" ? "SUCCEED" : inPlace;
}

/** Moves the cursor to the next mm; at the end of the list a full scan is counted. */
function nextMm(k: Kernel, mm: number): void {
  const list = k.g.khugepagedMms;
  const next = list[list.indexOf(mm) + 1];
  k.setGlobals({ khugepagedCursorMm: next ?? 0, khugepagedCursorVpn: 0 });
  if (next === undefined) k.misc.add(MISC.fullScans, 1);
}

/** khugepaged_wait_work: the daemon sleeps until its time is over or a write to scan_sleep_millisecs wakes it. */
function sleep(k: Kernel): void {
  // stopped and started again while a pass was under way: there is one daemon
  if (parkedThread(k, KHUGEPAGED) !== undefined) return;
  park(k, { name: KHUGEPAGED, operation: "khugepagedDoScan", point: "khugepaged.waitWork", args: {} });
}

/** Starts or stops the daemon without a scan, as at boot. One that runs already goes on sleeping. */
export function setKhugepaged(k: Kernel, running: boolean): void {
  if (running === k.g.khugepagedRunning) return;
  k.setGlobals({ khugepagedRunning: running });
  if (running) sleep(k);
  else unpark(k, KHUGEPAGED);
}

/** Ends the daemon's sleep: one pass, then it sleeps again. Nothing happens where it does not run, or is at work already. */
export function* wakeKhugepaged(k: Kernel): Op<void> {
  if (unpark(k, KHUGEPAGED) === undefined) return;
  yield* khugepagedDoScan(k);
  if (k.g.khugepagedRunning) sleep(k);
}

/**
 * start_stop_khugepaged: after a setting was written. A thread that starts scans at once; one that runs
 * already goes on sleeping.
 */
export function* startStopKhugepaged(k: Kernel): Op<void> {
  const wanted = khugepagedWanted(k);
  if (wanted === k.g.khugepagedRunning) return;
  setKhugepaged(k, wanted);
  if (wanted) yield* wakeKhugepaged(k);
  else k.setGlobals({ khugepagedCursorMm: 0, khugepagedCursorVpn: 0 });
}
