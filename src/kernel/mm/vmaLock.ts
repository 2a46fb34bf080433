import { lockWriteGroup, tryLockRead } from "../sched/locks.ts";
import type { Op } from "../sched/points.ts";
import type { Kernel } from "./kernel.ts";
import type { Vma } from "./records.ts";
import { vmaAt, vmasIn } from "./vma.ts";

/** Locks of single VMAs (6.4): faults take them instead of the mmap_lock, and who changes a VMA keeps faults out of it. */

/**
 * vma_start_write for every VMA that [start, end) touches or lies next to: the neighbours may be merged away. With the
 * mmap_lock held for writing. Linux locks each VMA where it changes it; here they are locked together, before anything changes.
 */
export function* vmaStartWrite(k: Kernel, mm: number, start: number, end: number): Op<void> {
  if (!k.preempt || k.era.perVmaLock === "none") return;
  const slots = vmasIn(k, mm, start - 1, end + 1).map((vma) => vma.slot);
  yield* lockWriteGroup(k, "vm_lock", slots);
}

/**
 * lock_vma_under_rcu: the VMA, read-locked, for a fault that does without the mmap_lock; undefined where Linux takes that one.
 * A VMA without an anon_vma always does here (its neighbours must not change); since 6.10 Linux only does when a writer contends.
 */
export function lockVmaUnderRcu(k: Kernel, mm: number, vpn: number): Vma | undefined {
  if (k.era.perVmaLock === "none") return undefined;
  const vma = vmaAt(k, mm, vpn);
  if (vma === undefined || vma.anonVma === 0) return undefined;
  return tryLockRead(k, "vm_lock", vma.slot) ? vma : undefined;
}
