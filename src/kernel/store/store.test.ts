import { describe, expect, it } from "vitest";
import { Machine } from "../machine.ts";
import { findProfile, type Profile } from "../profile/profile.ts";
import { Records } from "./records.ts";
import { Store } from "./store.ts";

describe("columns", () => {
  it("read zero where nothing was written, and take no memory there", () => {
    const store = new Store();
    const c = store.int32("c");
    expect([c.get(0), c.get(2 ** 30)]).toEqual([0, 0]);
    const untouched = store.bytes();
    c.fill(0, 100_000, 0);
    expect(store.bytes()).toBe(untouched);
    c.set(5_000_000, 1);
    expect(store.bytes() - untouched).toBeLessThan(64 * 1024);
  });

  it("fill and add across the ends of chunks", () => {
    const store = new Store();
    const c = store.int32("c", 2);
    c.fill(2, 7, 9);
    c.add(3, -4);
    expect(Array.from({ length: 12 }, (_, i) => c.get(i))).toEqual([0, 0, 9, 5, 9, 9, 9, 9, 9, 0, 0, 0]);
    c.fill(0, 8, 0);
    expect(Array.from({ length: 12 }, (_, i) => c.get(i))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0]);
  });

  it("keep integers beyond 2^31 where they are wide", () => {
    const c = new Store().wide("w");
    c.set(1, 2 ** 45 + 1);
    c.add(1, -2);
    expect(c.get(1)).toBe(2 ** 45 - 1);
  });

  it("share what did not change between snapshots, and copy what is written after one", () => {
    const store = new Store();
    const c = store.int32("c", 4);
    c.set(0, 1);
    c.set(100, 1);
    const first = c.snapshot();
    expect(c.snapshot()).toBe(first);
    c.set(100, 2);
    const second = c.snapshot();
    const chunkOf = (snapshot: typeof first, i: number) => snapshot[(i >>> 4) >>> 6][(i >>> 4) & 63];
    expect(chunkOf(second, 0)).toBe(chunkOf(first, 0));
    expect(chunkOf(second, 100)).not.toBe(chunkOf(first, 100));
    expect(chunkOf(first, 100)?.[100 & 15]).toBe(1);
  });

  it("go back and forward, also past chunks that one side does not have", () => {
    const store = new Store();
    const c = store.int32("c", 3);
    const empty = c.snapshot();
    c.set(7, 7);
    c.set(9000, 9);
    const full = c.snapshot();
    c.set(7, 8);
    c.restore(empty);
    expect([c.get(7), c.get(9000)]).toEqual([0, 0]);
    c.set(9000, 4);
    c.restore(full);
    expect([c.get(7), c.get(9000)]).toEqual([7, 9]);
    c.restore(empty);
    expect(c.get(9000)).toBe(0);
  });
});

describe("records", () => {
  it("never use slot 0 and use the slot again that was freed last", () => {
    const r = new Records<{ readonly slot: number }>("r");
    const slots = [1, 2, 3].map(() => r.add((slot) => ({ slot })));
    expect(slots).toEqual([1, 2, 3]);
    r.remove(1);
    r.remove(2);
    expect(r.count).toBe(1);
    expect(r.find(2)).toBeUndefined();
    expect(r.find(1000)).toBeUndefined();
    expect([r.add((slot) => ({ slot })), r.add((slot) => ({ slot })), r.add((slot) => ({ slot }))]).toEqual([2, 1, 4]);
    expect([...r.entries()].map(([slot]) => slot)).toEqual([1, 2, 3, 4]);
  });

  it("are replaced, and a snapshot keeps the old ones", () => {
    const r = new Records<{ readonly n: number }>("r");
    for (let n = 0; n < 200; n++) r.add(() => ({ n }));
    const before = r.snapshot();
    const old = r.get(150);
    expect(r.update(150, { n: -1 })).toEqual({ n: -1 });
    r.remove(3);
    expect(old).toEqual({ n: 149 });
    const after = r.snapshot();
    // the chunk of slots 64 to 127 was not written
    expect(after.chunks[1]).toBe(before.chunks[1]);
    expect(after.chunks[2]).not.toBe(before.chunks[2]);
    r.restore(before);
    expect([r.get(150), r.get(3), r.count]).toEqual([{ n: 149 }, { n: 2 }, 200]);
    expect(r.add(() => ({ n: 0 }))).toBe(201);
    r.restore(after);
    expect([r.get(150).n, r.find(3), r.count]).toEqual([-1, undefined, 199]);
    expect(r.add(() => ({ n: 0 }))).toBe(3);
  });
});

describe("the hash of a store", () => {
  const fill = (store: Store, order: readonly number[]): string => {
    const c = store.int32("c", 3);
    const w = store.wide("w", 3);
    const r = store.records<object>("r");
    for (let n = 0; n < 20; n++) r.add(() => ({}));
    for (const i of order) {
      c.set(i * 5, i + 1);
      w.set(i * 7, i + 2 ** 40);
      r.set(i + 1, i % 2 === 0 ? { a: i, b: [i] } : { b: [i], a: i });
    }
    return store.hash();
  };
  const up = Array.from({ length: 20 }, (_, i) => i);

  it("depends on the state and not on the way to it", () => {
    expect(fill(new Store(), up)).toBe(fill(new Store(), [...up].reverse()));
    expect(fill(new Store(), up)).toMatch(/^[0-9a-f]{16}$/);
  });

  it("does not see chunks of zeros, snapshots, or values that were put back", () => {
    const store = new Store();
    const c = store.int32("c", 3);
    const empty = store.hash();
    c.set(50, 3);
    expect(store.hash()).not.toBe(empty);
    store.snapshot();
    c.set(50, 0);
    expect(store.hash()).toBe(empty);
  });

  it("sees which column, place and slot a value stands in", () => {
    const hashes = new Set<string>();
    for (const at of [0, 1, 8, 9, 800]) {
      for (const which of [0, 1]) {
        const store = new Store();
        const columns = [store.int32("a", 3), store.int32("b", 3)];
        columns[which].set(at, 1);
        hashes.add(store.hash());
      }
    }
    for (const slot of [1, 2]) {
      const store = new Store();
      const r = store.records<object>("r");
      for (let n = 0; n < 2; n++) r.add((s) => (s === slot ? { x: 1 } : {}));
      hashes.add(store.hash());
    }
    expect(hashes.size).toBe(12);
  });

  it("is the same after going back, and after going forward again", () => {
    const store = new Store();
    const c = store.int32("c", 3);
    const r = store.records<object>("r");
    c.set(1, 1);
    r.add(() => ({ x: 1 }));
    const first = { at: store.snapshot(), hash: store.hash() };
    c.set(900, 2);
    r.remove(1);
    const second = { at: store.snapshot(), hash: store.hash() };
    for (const { at, hash } of [first, second, first, second]) {
      store.restore(at);
      expect(store.hash()).toBe(hash);
    }
  });
});

it("holds a machine of 1 TiB that nobody touched in less than 10 MB, and checks it", () => {
  const machine = new Machine({ profile: findProfile("debian-6.18.15") as Profile, memoryMiB: 1024 * 1024 });
  machine.spawn({ comm: "P" });
  expect(machine.kernel.store.bytes()).toBeLessThan(10_000_000);
  expect(machine.check()).toEqual([]);
});
