import { userAccessAlone } from "../alone.ts";
import { mmapReadLock, mmapReadUnlock, unlock } from "../sched/locks.ts";
import type { Op } from "../sched/points.ts";
import { faultAndAccount } from "./fault.ts";
import { otherExceptions, type FaultBatch } from "./faultBatch.ts";
import { faultFlagsOf, isSignal, signalOf, vmaForFault, type Signal } from "./faultSignal.ts";
import type { Kernel } from "./kernel.ts";
import { translate, walkOthers, walkTables, type AccessKind } from "./translate.ts";
import { lockVmaUnderRcu } from "./vmaLock.ts";

/** Accesses of a program, and the exception handler for those that the hardware cannot do. */

/**
 * One access by a program (or by the kernel on its behalf): translates, faults and tries again until it is
 * done or a signal is due. The result is the frame, or the signal.
 */
export function* userAccess(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind): Op<number | Signal> {
  if (!k.preempt) return userAccessAlone(k, mm, vpn, offsetBytes, kind);
  const pfn = translate(k, mm, vpn, kind);
  return pfn >= 0 ? pfn : yield* accessByFault(k, mm, vpn, offsetBytes, kind, null);
}

/**
 * An access whose translation failed: the rest of userAccess. do_user_addr_fault, 5.19 to 6.18. With a batch, the accesses that come next
 * may be done with it.
 */
export function* accessByFault(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind, batch: FaultBatch | null): Op<number | Signal> {
  for (;;) {
    const signal = yield* pageFault(k, mm, vpn, offsetBytes, kind, batch);
    if (signal !== null) return signal;
    // nothing but an access fills a TLB, so that there is nothing to find in it
    const pfn = walkTables(k, mm, vpn, kind);
    if (pfn < 0) continue;
    if (batch !== null && batch.done > 1) walkOthers(k, mm, vpn, kind, batch);
    return pfn;
  }
}

/** do_user_addr_fault while other threads are runnable: under the VMA's lock, or else under the mmap_lock. Locks are dropped on every exit. */
function* lockedFault(k: Kernel, mm: number, vpn: number, kind: AccessKind): Op<Signal | null> {
  yield "fault.entry";
  const alone = lockVmaUnderRcu(k, mm, vpn);
  if (alone === undefined) yield* mmapReadLock(k, mm);
  const vma = vmaForFault(k, mm, vpn, kind);
  const signal = isSignal(vma) ? vma : signalOf(k, yield* faultAndAccount(k, vma, vpn, faultFlagsOf(kind)));
  if (alone === undefined) mmapReadUnlock(k, mm);
  else unlock(k, "vm_lock", alone.slot);
  return signal;
}

/** The exception handler: null when the access can be tried again. */
export function* pageFault(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind, batch: FaultBatch | null): Op<Signal | null> {
  if (k.hooks.onFault !== null) k.hooks.onFault(mm, vpn, offsetBytes, kind === "w" ? 2 : 0);
  k.charge(k.costs.faultEntryNs);
  if (k.preempt) return yield* lockedFault(k, mm, vpn, kind);
  const vma = vmaForFault(k, mm, vpn, kind);
  if (isSignal(vma)) return vma;
  const r = yield* faultAndAccount(k, vma, vpn, faultFlagsOf(kind), batch);
  if (batch !== null && batch.done > 1) otherExceptions(k, mm, vpn, offsetBytes, kind, batch);
  return signalOf(k, r);
}
