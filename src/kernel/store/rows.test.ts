import { describe, expect, test } from "vitest";
import { Store } from "./store.ts";

/** A store with rows of four numbers, 2^shift to a chunk. */
function rowsOf(shift = 3) {
  const store = new Store();
  const rows = store.rows("row", shift, 4);
  return { store, rows, a: store.field(rows, "a", 0), wide: store.wideField(rows, "wide", 1), b: store.field(rows, "b", 3) };
}

describe("rows", () => {
  test("what was never written is zero", () => {
    const { a, wide } = rowsOf();
    expect([a.get(0), a.get(1_000_000), wide.get(5)]).toEqual([0, 0, 0]);
    expect(a.firstNotZero(0, 1_000_000)).toBe(-1);
  });

  test("fields of a row do not touch each other", () => {
    const { a, b, wide } = rowsOf();
    a.set(9, -5);
    wide.set(9, 2 ** 44 + 3);
    b.add(9, 7);
    b.add(9, -1);
    expect([a.get(9), wide.get(9), b.get(9), a.get(8), wide.get(10), b.get(10)]).toEqual([-5, 2 ** 44 + 3, 6, 0, 0, 0]);
  });

  test("fill crosses chunks and leaves the rest alone", () => {
    const { a, b, wide } = rowsOf();
    a.fill(6, 13, 4);
    wide.fill(7, 2, 2 ** 33 + 1);
    expect(Array.from({ length: 21 }, (_, i) => a.get(i))).toEqual([...Array<number>(6).fill(0), ...Array<number>(13).fill(4), 0, 0]);
    expect([6, 7, 8, 9].map((i) => wide.get(i))).toEqual([0, 2 ** 33 + 1, 2 ** 33 + 1, 0]);
    expect(b.get(7)).toBe(0);
    expect(a.firstNotZero(0, 40)).toBe(6);
    expect(a.firstNotZero(19, 40)).toBe(-1);
  });

  test("fillRows sets every number of its rows and no other, across chunks", () => {
    for (const [shift, start, count] of [
      [3, 3, 1],
      [3, 0, 8],
      [3, 5, 22],
      [7, 0, 128],
      [7, 1, 127],
      [7, 100, 300],
      [9, 7, 33],
    ]) {
      const { rows, a, b } = rowsOf(shift);
      a.fill(0, 1024, 9);
      b.fill(0, 1024, 9);
      rows.fillRows(start, count, [1, 2, 3, 4]);
      const wanted = Array.from({ length: 1024 }, (_, i) => (i >= start && i < start + count ? [1, 4] : [9, 9]));
      expect(Array.from({ length: 1024 }, (_, i) => [a.get(i), b.get(i)])).toEqual(wanted);
    }
  });

  test("filling with zero makes no chunk", () => {
    const { store, a } = rowsOf();
    const before = store.bytes();
    a.fill(0, 64, 0);
    expect(store.bytes()).toBe(before);
  });

  test("a row handed out before a snapshot is not the one after it", () => {
    const { store, rows, a } = rowsOf();
    rows.ownRow(2)[2 * 4] = 1;
    const before = store.snapshot();
    rows.ownRow(2)[2 * 4] = 2;
    expect(a.get(2)).toBe(2);
    store.restore(before);
    expect(a.get(2)).toBe(1);
    rows.ownRow(2)[2 * 4] = 3;
    store.restore(before);
    expect(a.get(2)).toBe(1);
  });

  test("the hash sees every field", () => {
    const { store, a, b } = rowsOf();
    const empty = store.hash();
    a.set(3, 1);
    const withA = store.hash();
    a.set(3, 0);
    b.set(3, 1);
    expect(new Set([empty, withA, store.hash()]).size).toBe(3);
    b.set(3, 0);
    expect(store.hash()).toBe(empty);
  });
});

test("a small column keeps what lies behind its first chunk too, through snapshots", () => {
  const store = new Store();
  const small = store.smallInt32("small", 2);
  const wide = store.smallWide("wide", 2);
  small.add(1, 5);
  small.set(6, 8);
  wide.add(2, 2 ** 40);
  const before = store.snapshot();
  small.add(1, 1);
  small.add(6, 1);
  wide.set(2, 1);
  expect([small.get(1), small.get(6), wide.get(2), small.get(100)]).toEqual([6, 9, 1, 0]);
  store.restore(before);
  expect([small.get(1), small.get(6), wide.get(2)]).toEqual([5, 8, 2 ** 40]);
  small.add(1, 1);
  store.restore(before);
  expect(small.get(1)).toBe(5);
});
