import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Store, type StoreSnapshot } from "./store.ts";

/** The store against a naive one that copies everything at every snapshot. */

const SLOTS = 200;
const INDICES = 700;

interface Naive {
  readonly int32: Map<number, number>;
  readonly wide: Map<number, number>;
  readonly records: Map<number, { readonly v: number }>;
}

const copyOf = (n: Naive): Naive => ({ int32: new Map(n.int32), wide: new Map(n.wide), records: new Map(n.records) });

type Step =
  | { readonly kind: "set" | "add"; readonly column: "int32" | "wide"; readonly at: number; readonly value: number }
  | { readonly kind: "fill"; readonly column: "int32" | "wide"; readonly at: number; readonly count: number; readonly value: number }
  | { readonly kind: "put" | "replace"; readonly pick: number; readonly value: number }
  | { readonly kind: "remove" | "restore"; readonly pick: number }
  | { readonly kind: "snapshot" };

const column = fc.constantFrom("int32" as const, "wide" as const);
const at = fc.nat(INDICES - 1);
const small = fc.integer({ min: -5, max: 5 });
const pick = fc.nat(1000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("set" as const, "add" as const), column, at, value: small }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("fill" as const), column, at, count: fc.nat(100), value: small }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("put" as const, "replace" as const), pick, value: small }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("restore" as const), pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("snapshot" as const) }) },
);

class Both {
  readonly store = new Store();
  private readonly int32 = this.store.int32("i", 3);
  private readonly wide = this.store.wide("w", 2);
  private readonly records = this.store.records<{ readonly v: number }>("r");
  private naive: Naive = { int32: new Map(), wide: new Map(), records: new Map() };
  private readonly kept: { at: StoreSnapshot; naive: Naive; hash: string }[] = [];

  run(s: Step): void {
    switch (s.kind) {
      case "set":
        this[s.column].set(s.at, s.value);
        this.naive[s.column].set(s.at, s.value);
        return;
      case "add":
        this[s.column].add(s.at, s.value);
        this.naive[s.column].set(s.at, (this.naive[s.column].get(s.at) ?? 0) + s.value);
        return;
      case "fill": {
        const count = Math.min(s.count, INDICES - s.at);
        this[s.column].fill(s.at, count, s.value);
        for (let i = 0; i < count; i++) this.naive[s.column].set(s.at + i, s.value);
        return;
      }
      case "put":
        if (this.naive.records.size < SLOTS) {
          const slot = this.records.add(() => ({ v: s.value }));
          expect(this.naive.records.has(slot)).toBe(false);
          this.naive.records.set(slot, { v: s.value });
        }
        return;
      case "replace":
      case "remove": {
        const slots = [...this.naive.records.keys()];
        if (slots.length === 0) return;
        const slot = slots[s.pick % slots.length];
        if (s.kind === "replace") {
          this.records.update(slot, { v: s.value });
          this.naive.records.set(slot, { v: s.value });
        } else {
          this.records.remove(slot);
          this.naive.records.delete(slot);
        }
        return;
      }
      case "snapshot":
        this.kept.push({ at: this.store.snapshot(), naive: copyOf(this.naive), hash: this.store.hash() });
        return;
      case "restore": {
        if (this.kept.length === 0) return;
        const to = this.kept[s.pick % this.kept.length];
        this.store.restore(to.at);
        this.naive = copyOf(to.naive);
        expect(this.store.hash()).toBe(to.hash);
      }
    }
  }

  compare(): void {
    for (let i = 0; i < INDICES; i++) {
      if (this.int32.get(i) !== (this.naive.int32.get(i) ?? 0) || this.wide.get(i) !== (this.naive.wide.get(i) ?? 0)) expect.fail(`index ${i} differs`);
    }
    const sorted = [...this.naive.records].sort((a, b) => a[0] - b[0]);
    expect([...this.records.entries()]).toEqual(sorted);
    expect(this.records.count).toBe(sorted.length);
  }
}

const numRuns = process.env.HUGELAB_LONG === "1" ? 10_000 : 500;

it("is what a store that copies everything would be, whatever is written, kept and gone back to", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150, size: "max" }), (steps) => {
      const both = new Both();
      for (const s of steps) both.run(s);
      both.compare();
    }),
    { seed: 11, numRuns },
  );
});
