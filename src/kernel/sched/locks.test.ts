import { expect, it } from "vitest";
import { KernelBug } from "../assert.ts";
import { findProfile } from "../profile/profile.ts";
import { Machine } from "../machine.ts";
import { MISC, type Kernel } from "../mm/kernel.ts";
import { canTake, lockRead, locksOf, lockWrite, mmapReadLock, mmapWriteLock, mmapWriteUnlock, tryLockRead, unlock, type LockKind } from "./locks.ts";
import { park, parkedThread, unpark, KHUGEPAGED } from "./parked.ts";
import type { Op } from "./points.ts";
import { Scheduler } from "./scheduler.ts";

function boot(cpus = 3): Kernel {
  return new Machine({ profile: findProfile("upstream-6.18")!, cpus }).kernel;
}

/** Threads that do nothing but what is given. */
const threads = (k: Kernel, ...bodies: ((k: Kernel) => Op<void>)[]): Scheduler<void> =>
  new Scheduler(
    k,
    bodies.map((body, i) => ({ name: `T${i}`, run: () => body(k) })),
  );

const runAll = (s: Scheduler<void>): void => {
  while (!s.ended) s.step(s.runnable()[0]);
};

function* idle(): Op<void> {
  yield "idle";
}

it("takes nothing and yields nothing while one thread is runnable", () => {
  const k = boot();
  expect([...mmapWriteLock(k, 1)]).toEqual([]);
  expect(k.locks.count).toBe(0);
});

it("keeps a writer out while readers are in, and readers while a writer is", () => {
  const k = boot();
  const s = threads(
    k,
    function* (k) {
      yield* mmapReadLock(k, 1);
      yield "reading";
      unlock(k, "mmap_lock", 1);
    },
    function* (k) {
      yield* mmapReadLock(k, 1);
      yield "reading";
      unlock(k, "mmap_lock", 1);
    },
    function* (k) {
      yield* mmapWriteLock(k, 1);
      yield "writing";
      mmapWriteUnlock(k, 1);
    },
  );
  s.replay([0, 0, 1, 1]);
  expect(s.states.slice(0, 2).map((t) => t.kind === "at" && t.point)).toEqual(["reading", "reading"]);
  s.replay([2, 2]);
  expect(s.runnable()).toEqual([0, 1]);
  s.replay([0]);
  expect(s.runnable()).toEqual([1]);
  s.replay([1, 2]);
  expect(s.states[2]).toEqual({ kind: "at", point: "writing" });
  s.step(2);
  expect(s.ended).toBe(true);
  expect(k.locks.count).toBe(0);
});

const ORDER: readonly (readonly [LockKind, LockKind])[] = [
  ["vm_lock", "mmap_lock"],
  ["i_mmap_rwsem", "mmap_lock"],
  ["anon_vma", "vm_lock"],
  ["anon_vma", "i_mmap_rwsem"],
  ["pmd_lock", "anon_vma"],
  ["pte_lock", "pmd_lock"],
];

it.each(ORDER)("notices that %s is held when %s is taken, and not the other way round", (first, second) => {
  const both = (a: LockKind, b: LockKind) =>
    function* (k: Kernel): Op<void> {
      yield* lockWrite(k, a, 1);
      yield* lockRead(k, b, 1);
      unlock(k, b, 1);
      unlock(k, a, 1);
    };
  expect(() => runAll(threads(boot(), both(first, second), idle))).toThrow(KernelBug);
  expect(() => runAll(threads(boot(), both(first, second), idle))).toThrow(`takes ${second} while it holds ${first}`);
  expect(() => runAll(threads(boot(), both(second, first), idle))).not.toThrow();
});

it("notices the wrong order of a lock that is only tried", () => {
  const s = threads(
    boot(),
    function* (k) {
      yield* lockWrite(k, "anon_vma", 1);
      tryLockRead(k, "vm_lock", 1);
    },
    idle,
  );
  expect(() => runAll(s)).toThrow("takes vm_lock while it holds anon_vma");
});

it("names who waits for whom in a deadlock", () => {
  const crossed = (a: number, b: number) =>
    function* (k: Kernel): Op<void> {
      yield* lockWrite(k, "mmap_lock", a);
      yield* lockWrite(k, "mmap_lock", b);
    };
  const s = threads(boot(), crossed(1, 2), crossed(2, 1), idle);
  s.replay([0, 0, 1, 1, 0, 1]);
  expect(s.deadlock()).toEqual([]);
  s.replay([2, 2]);
  expect(s.runnable()).toEqual([]);
  expect(s.deadlock()).toEqual([
    { thread: 0, wait: { kind: "mmap_lock", object: 2, write: true }, holders: [1] },
    { thread: 1, wait: { kind: "mmap_lock", object: 1, write: true }, holders: [0] },
  ]);
});

it("finds a thread that waits for itself", () => {
  const s = threads(
    boot(),
    function* (k) {
      yield* mmapReadLock(k, 1);
      yield* mmapWriteLock(k, 1);
    },
    idle,
  );
  s.replay([0, 0, 0, 1, 1]);
  expect(s.deadlock()).toEqual([{ thread: 0, wait: { kind: "mmap_lock", object: 1, write: true }, holders: [0] }]);
});

it("notices a thread that ends with a lock, and one that parks with one", () => {
  const take = function* (k: Kernel): Op<void> {
    yield* mmapReadLock(k, 1);
  };
  expect(() => runAll(threads(boot(), take, idle))).toThrow("ended and holds mmap_lock");
  const parks = function* (k: Kernel): Op<void> {
    yield* mmapReadLock(k, 1);
    park(k, { name: "x", operation: "read", point: "read.wait", args: {} });
  };
  expect(() => runAll(threads(boot(), parks, idle))).toThrow("parks at read.wait and holds mmap_lock");
});

it("drops the locks of VMAs with the mmap_lock", () => {
  const k = boot();
  const s = threads(
    k,
    function* (k) {
      yield* mmapWriteLock(k, 1);
      yield* lockWrite(k, "vm_lock", 5);
      yield* lockWrite(k, "vm_lock", 6);
      mmapWriteUnlock(k, 1);
      yield "after";
    },
    idle,
  );
  s.replay([0, 0, 0]);
  expect(locksOf(k, 1).map((l) => l.kind)).toEqual(["mmap_lock", "vm_lock"]);
  expect(canTake(k, "wait:vm_lock:5:r")).toBe(false);
  s.step(0);
  expect(locksOf(k, 1)).toEqual([]);
});

it("refuses more threads than CPUs, and a step of a thread that waits", () => {
  expect(() => threads(boot(1), idle, idle)).toThrow("2 threads on 1 CPUs");
  const s = threads(boot(), idle, idle);
  s.replay([0, 0]);
  expect(() => s.step(0)).toThrow(KernelBug);
});

it("keeps khugepaged in its sleep as data, and out of it while it works", () => {
  const machine = new Machine({ profile: findProfile("upstream-6.18")! });
  const k = machine.kernel;
  expect(parkedThread(k, KHUGEPAGED)).toMatchObject({ operation: "khugepagedDoScan", point: "khugepaged.waitWork" });
  const before = machine.snapshot();
  const slept = unpark(k, KHUGEPAGED);
  expect(slept).toBeDefined();
  const scans = k.misc.get(MISC.fullScans);
  machine.run(() => machine.wakeKhugepaged());
  expect(k.misc.get(MISC.fullScans)).toBe(scans);
  machine.restore(before);
  machine.run(() => machine.wakeKhugepaged());
  expect(parkedThread(k, KHUGEPAGED)).toBeDefined();
  machine.run(() => machine.writeFile("/sys/kernel/mm/transparent_hugepage/enabled", "never"));
  expect(parkedThread(k, KHUGEPAGED)).toBeUndefined();
});
