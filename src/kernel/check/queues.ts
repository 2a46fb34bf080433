import { MISC } from "../mm/kernel.ts";
import { PG } from "../mm/pageFlags.ts";
import { KHUGEPAGED, parkedThread } from "../sched/parked.ts";
import type { Survey } from "./survey.ts";

/** The deferred split queue: links both ways, and the flag of each folio on it. That no other folio has the flag is seen by count. */
export function checkDeferredQueue(s: Survey): void {
  const { k, report } = s;
  const seen = new Set<number>();
  let prev = 0;
  for (let head = k.misc.get(MISC.deferredHead); head !== 0; head = k.deferredNext.get(head)) {
    if (seen.has(head) || k.deferredPrev.get(head) !== prev) {
      report.add("kernel.check.deferredLink", { pfn: head });
      if (seen.has(head)) return;
    }
    seen.add(head);
    const flags = k.pageFlags.get(head);
    if ((flags & PG.deferred) === 0 || (flags & PG.head) === 0 || (flags & PG.anon) === 0) report.add("kernel.check.deferredLink", { pfn: head });
    prev = head;
  }
  if (k.misc.get(MISC.deferredTail) !== prev) report.add("kernel.check.deferredLink", { pfn: k.misc.get(MISC.deferredTail) });
  const is = k.misc.get(MISC.deferredCount);
  if (is !== seen.size) report.add("kernel.check.deferredCount", { is, should: seen.size });
}

/** khugepaged's list has each registered mm once, and its cursor stands at one of them or at the start. */
export function checkKhugepaged(s: Survey): void {
  const { k, report } = s;
  const { khugepagedMms: list, khugepagedCursorMm: mm, khugepagedCursorVpn: vpn } = k.g;
  const listed = new Set(list);
  if (listed.size !== list.length) report.add("kernel.check.khugepagedList", { mm: list.find((m, i) => list.indexOf(m) !== i) ?? 0 });
  for (const m of list) if (k.mms.find(m) === undefined) report.add("kernel.check.khugepagedList", { mm: m });
  for (const [slot, record] of k.mms.entries()) if (record.khugepaged !== listed.has(slot)) report.add("kernel.check.khugepagedList", { mm: slot });
  const isRight = mm === 0 ? vpn === 0 : listed.has(mm) && Number.isInteger(vpn) && vpn >= 0 && vpn <= k.geo.taskSizePages + 1;
  if (!isRight) report.add("kernel.check.khugepagedCursor", { mm, vpn });
  if ((parkedThread(k, KHUGEPAGED) !== undefined) !== k.g.khugepagedRunning) report.add("kernel.check.parked", { name: KHUGEPAGED });
}

/** Between commands nobody holds a lock. */
export function checkLocks(s: Survey): void {
  for (const [, lock] of s.k.locks.entries()) s.report.add("kernel.check.lock", { kind: lock.kind, object: lock.object });
}
