import { expect, it } from "vitest";
import { ReadWatch } from "./readWatch.ts";
import { Store } from "./store.ts";

interface Row {
  readonly n: number;
}

function make(): { store: Store; small: ReturnType<Store["int32"]>; wide: ReturnType<Store["wide"]>; rows: ReturnType<typeof rowsOf>; watch: ReadWatch } {
  const store = new Store();
  const small = store.int32("small");
  const wide = store.wide("wide");
  const rows = rowsOf(store);
  store.records<Row>("lock").add(() => ({ n: 1 }));
  return { store, small, wide, rows, watch: new ReadWatch(store, new Set(["lock"])) };
}

const rowsOf = (store: Store) => store.records<Row>("row");

it("tells apart what was read, where and what, and nothing else", () => {
  const { small, wide, rows, watch } = make();
  const read = (f: () => void): string => {
    watch.take();
    f();
    return JSON.stringify(watch.take());
  };
  const nothing = read(() => undefined);
  small.set(1, 5);
  small.set(2, 5);
  wide.set(1, 2 ** 40);
  const slot = rows.add(() => ({ n: 1 }));
  const seen = [
    nothing,
    read(() => small.get(1)),
    read(() => small.get(2)),
    read(() => wide.get(1)),
    read(() => rows.get(slot)),
    read(() => (small.get(1), small.get(2))),
    read(() => (small.get(2), small.get(1))),
    read(() => rows.find(99)),
  ];
  expect(new Set(seen).size).toBe(seen.length);
  expect(read(() => small.get(1))).toBe(seen[1]);
  expect(read(() => small.add(1, 7))).toBe(nothing);
  expect(read(() => small.set(1, 6))).toBe(nothing);
  expect(read(() => small.get(1))).not.toBe(seen[1]);
  wide.set(1, 2 ** 41);
  expect(read(() => wide.get(1))).not.toBe(seen[3]);
  rows.set(slot, { n: 2 });
  expect(read(() => rows.get(slot))).not.toBe(seen[4]);
  rows.set(slot, { n: 1 });
  expect(read(() => rows.get(slot))).toBe(seen[4]);
});

it("leaves what it watches as it is", () => {
  const { store, small, rows, watch } = make();
  small.set(3, 9);
  const slot = rows.add((s) => ({ n: s }));
  expect([small.get(3), rows.get(slot).n, [...rows.entries()].length]).toEqual([9, slot, 1]);
  const before = store.snapshot();
  const hash = store.hash();
  rows.update(slot, { n: 7 });
  expect(rows.get(slot)).toEqual({ n: 7 });
  store.restore(before);
  expect([store.hash(), rows.get(slot).n]).toEqual([hash, slot]);
  watch.take();
});
