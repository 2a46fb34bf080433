import { bugOn } from "../assert.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { LockRecord } from "../mm/records.ts";
import type { Op } from "./points.ts";

/**
 * Locks between the threads of one machine. While one thread is runnable nothing can contend, and a thread that
 * is parked holds nothing, so the records are kept only while threads are interleaved. The order
 * checker knows the real order: mmap_lock, vma_start_write, the lock of a folio, i_mmap_rwsem, anon_vma, then page-table locks (mm/rmap.c;
 * the one simplification: a VMA's lock stands before a folio's for readers and writers alike).
 *
 * Page-table locks have a rank but are never held at a preemption point: what Linux does under one is done between
 * two points here, and the point in front of it ("beforePteLock") is where others can get in between.
 */
export const LOCK_ORDER = ["mmap_lock", "vm_lock", "folio_lock", "i_mmap_rwsem", "anon_vma", "pmd_lock", "pte_lock", "irqs_off"] as const;
export type LockKind = (typeof LOCK_ORDER)[number];

const recordOf = (k: Kernel, kind: LockKind, object: number): LockRecord | undefined => {
  for (const [, lock] of k.locks.entries()) if (lock.kind === kind && lock.object === object) return lock;
  return undefined;
};

const slotOf = (k: Kernel, kind: LockKind, object: number): number =>
  recordOf(k, kind, object)?.slot ?? k.locks.add((slot) => ({ slot, kind, object, writer: 0, readers: [] }));

const holds = (lock: LockRecord, thread: number): boolean => lock.writer === thread || lock.readers.includes(thread);

/** Locks that a thread (numbered from 1) holds. */
export function locksOf(k: Kernel, thread: number): LockRecord[] {
  return thread === 0 ? [] : [...k.locks.entries()].map(([, lock]) => lock).filter((lock) => holds(lock, thread));
}

function checkOrder(k: Kernel, kind: LockKind): void {
  const rank = LOCK_ORDER.indexOf(kind);
  for (const lock of locksOf(k, k.thread)) {
    bugOn(LOCK_ORDER.indexOf(lock.kind as LockKind) > rank, `thread ${k.thread} takes ${kind} while it holds ${lock.kind}`);
  }
}

/** What a thread waits for while it cannot take a lock: the scheduler does not run it until that changes. */
export const waitPoint = (kind: LockKind, object: number, write: boolean): string => `wait:${kind}:${object}:${write ? "w" : "r"}`;

export interface Wait {
  readonly kind: LockKind;
  readonly object: number;
  readonly write: boolean;
}

/** The lock a point waits for; undefined for a point that is not a wait. */
export function waitOf(point: string): Wait | undefined {
  if (!point.startsWith("wait:")) return undefined;
  const [, kind, object, mode] = point.split(":");
  return { kind: kind as LockKind, object: Number(object), write: mode === "w" };
}

const free = (lock: LockRecord | undefined, write: boolean): boolean => lock === undefined || (lock.writer === 0 && (!write || lock.readers.length === 0));

/** Whether a thread that stands at `point` could go on: true unless it waits for a lock that it cannot have now. */
export function canTake(k: Kernel, point: string): boolean {
  const wait = waitOf(point);
  return wait === undefined || free(recordOf(k, wait.kind, wait.object), wait.write);
}

/** Threads that keep a lock from being taken. */
export function holdersOf(k: Kernel, wait: Wait): number[] {
  const lock = recordOf(k, wait.kind, wait.object);
  if (lock === undefined) return [];
  return lock.writer !== 0 ? [lock.writer] : [...lock.readers];
}

function* waitFor(k: Kernel, kind: LockKind, object: number, write: boolean): Op<void> {
  const point = waitPoint(kind, object, write);
  while (!canTake(k, point)) yield point;
}

function addReader(k: Kernel, kind: LockKind, object: number): void {
  const slot = slotOf(k, kind, object);
  k.locks.update(slot, { readers: [...k.locks.get(slot).readers, k.thread] });
}

export function* lockRead(k: Kernel, kind: LockKind, object: number): Op<void> {
  if (!k.preempt) return;
  checkOrder(k, kind);
  yield `lock:${kind}`;
  yield* waitFor(k, kind, object, false);
  addReader(k, kind, object);
}

/** Takes a lock for reading if that needs no waiting. Nothing is taken, and true returned, while one thread is runnable. */
export function tryLockRead(k: Kernel, kind: LockKind, object: number): boolean {
  if (!k.preempt) return true;
  checkOrder(k, kind);
  if (!free(recordOf(k, kind, object), false)) return false;
  addReader(k, kind, object);
  return true;
}

/** Takes a lock for writing if that needs no waiting; in any order, since who does not wait cannot be in a circle. */
export function tryLockWrite(k: Kernel, kind: LockKind, object: number): boolean {
  if (!k.preempt) return true;
  if (!free(recordOf(k, kind, object), true)) return false;
  k.locks.update(slotOf(k, kind, object), { writer: k.thread });
  return true;
}

/** Whether a thread, perhaps this one, has the lock. */
export const isLocked = (k: Kernel, kind: LockKind, object: number): boolean => k.locks.count > 0 && recordOf(k, kind, object) !== undefined;

export const lockWrite = (k: Kernel, kind: LockKind, object: number): Op<void> => lockWriteGroup(k, kind, [object]);

/** Takes several locks of one kind for writing, in the order given, behind one point. */
export function* lockWriteGroup(k: Kernel, kind: LockKind, objects: readonly number[]): Op<void> {
  if (!k.preempt) return;
  checkOrder(k, kind);
  yield `lock:${kind}`;
  for (const object of objects) {
    yield* waitFor(k, kind, object, true);
    k.locks.update(slotOf(k, kind, object), { writer: k.thread });
  }
}

export function unlock(k: Kernel, kind: LockKind, object: number): void {
  if (!k.preempt && k.locks.count === 0) return;
  const lock = recordOf(k, kind, object);
  if (lock === undefined || !holds(lock, k.thread)) return;
  const at = lock.readers.indexOf(k.thread);
  const now = lock.writer === k.thread ? { ...lock, writer: 0 } : { ...lock, readers: lock.readers.filter((_, i) => i !== at) };
  if (now.writer === 0 && now.readers.length === 0) k.locks.remove(lock.slot);
  else k.locks.set(lock.slot, now);
}

export const mmapReadLock = (k: Kernel, mm: number): Op<void> => lockRead(k, "mmap_lock", mm);
export const mmapWriteLock = (k: Kernel, mm: number): Op<void> => lockWrite(k, "mmap_lock", mm);
export const mmapReadUnlock = (k: Kernel, mm: number): void => unlock(k, "mmap_lock", mm);

/** mmap_write_unlock: ends the write locks of VMAs with it (vma_end_write_all). */
export function mmapWriteUnlock(k: Kernel, mm: number): void {
  if (!k.preempt && k.locks.count === 0) return;
  for (const lock of locksOf(k, k.thread)) if (lock.kind === "vm_lock" && lock.writer === k.thread) k.locks.remove(lock.slot);
  unlock(k, "mmap_lock", mm);
}

/**
 * GUP-fast runs with interrupts off: it takes no lock, but whoever sends an interrupt to every CPU waits for it to end,
 * and page tables that were unhooked meanwhile are freed only then.
 */
export function localIrqSave(k: Kernel): void {
  if (k.preempt) addReader(k, "irqs_off", 0);
}

/** Whether some thread is between localIrqSave and localIrqRestore. */
export const irqsOffSomewhere = (k: Kernel): boolean => k.locks.count > 0 && recordOf(k, "irqs_off", 0) !== undefined;

export const localIrqRestore = (k: Kernel): void => unlock(k, "irqs_off", 0);

/** tlb_remove_table_sync_one: interrupts every CPU, and so waits until no walk without locks that began before is under way. */
export function* tlbRemoveTableSyncOne(k: Kernel): Op<void> {
  if (k.preempt) yield* waitFor(k, "irqs_off", 0, true);
}
