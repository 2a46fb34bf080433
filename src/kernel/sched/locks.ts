import { bugOn } from "../assert.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { Op } from "./points.ts";

/**
 * Locks between the threads of one machine. While one thread is runnable nothing can contend, and a thread that
 * is parked holds nothing, so the records are kept only while threads are interleaved. The order
 * checker knows the real order: mmap_lock, then i_mmap_rwsem, then anon_vma, then page-table locks (mm/rmap.c).
 */
export const LOCK_ORDER = ["mmap_lock", "vm_lock", "i_mmap_rwsem", "anon_vma", "pmd_lock", "pte_lock"] as const;
export type LockKind = (typeof LOCK_ORDER)[number];

function slotOf(k: Kernel, kind: LockKind, object: number): number {
  for (const [slot, lock] of k.locks.entries()) if (lock.kind === kind && lock.object === object) return slot;
  return k.locks.add((slot) => ({ slot, kind, object, writer: 0, readers: [] }));
}

function checkOrder(k: Kernel, kind: LockKind): void {
  const rank = LOCK_ORDER.indexOf(kind);
  for (const [, lock] of k.locks.entries()) {
    const mine = lock.writer === k.thread || lock.readers.includes(k.thread);
    bugOn(mine && LOCK_ORDER.indexOf(lock.kind as LockKind) > rank, `thread ${k.thread} takes ${kind} while it holds ${lock.kind}`);
  }
}

/** What a thread waits for while it cannot take a lock: the scheduler does not run it until that changes. */
export const waitPoint = (kind: LockKind, object: number, write: boolean): string => `wait:${kind}:${object}:${write ? "w" : "r"}`;

/** Whether a waiting thread could take its lock now. */
export function canTake(k: Kernel, point: string): boolean {
  const [, kind, object, mode] = point.split(":");
  for (const [, lock] of k.locks.entries()) {
    if (lock.kind !== kind || lock.object !== Number(object)) continue;
    return lock.writer === 0 && (mode === "r" || lock.readers.length === 0);
  }
  return true;
}

export function* lockRead(k: Kernel, kind: LockKind, object: number): Op<void> {
  if (!k.preempt) return;
  checkOrder(k, kind);
  yield `lock:${kind}`;
  while (!canTake(k, waitPoint(kind, object, false))) yield waitPoint(kind, object, false);
  const slot = slotOf(k, kind, object);
  k.locks.update(slot, { readers: [...k.locks.get(slot).readers, k.thread] });
}

export function* lockWrite(k: Kernel, kind: LockKind, object: number): Op<void> {
  if (!k.preempt) return;
  checkOrder(k, kind);
  yield `lock:${kind}`;
  while (!canTake(k, waitPoint(kind, object, true))) yield waitPoint(kind, object, true);
  k.locks.update(slotOf(k, kind, object), { writer: k.thread });
}

export function unlock(k: Kernel, kind: LockKind, object: number): void {
  if (!k.preempt && k.locks.count === 0) return;
  for (const [slot, lock] of k.locks.entries()) {
    if (lock.kind !== kind || lock.object !== object) continue;
    if (lock.writer === k.thread) k.locks.update(slot, { writer: 0 });
    else {
      const at = lock.readers.indexOf(k.thread);
      if (at < 0) continue;
      k.locks.update(slot, { readers: lock.readers.filter((_, i) => i !== at) });
    }
    const now = k.locks.get(slot);
    if (now.writer === 0 && now.readers.length === 0) k.locks.remove(slot);
    return;
  }
}

export const mmapReadLock = (k: Kernel, mm: number): Op<void> => lockRead(k, "mmap_lock", mm);
export const mmapWriteLock = (k: Kernel, mm: number): Op<void> => lockWrite(k, "mmap_lock", mm);
export const mmapReadUnlock = (k: Kernel, mm: number): void => unlock(k, "mmap_lock", mm);
export const mmapWriteUnlock = (k: Kernel, mm: number): void => unlock(k, "mmap_lock", mm);
