import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { minimalSet, switches } from "./search.ts";

const isSame = (a: unknown, b: unknown): boolean => a === b;

describe("switches", () => {
  it("finds the places of a value that only grows, and asks for few", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.uniqueArray(fc.integer({ min: 0, max: 199 }), { maxLength: 4 }), (count, marks) => {
        const places = marks.filter((mark) => mark < count).sort((a, b) => a - b);
        const asked = new Set<number>();
        const valueWith = (changes: number): number => {
          asked.add(changes);
          return places.filter((place) => place < changes).length;
        };
        expect(switches(count, valueWith, isSame)).toEqual(places.map((at, i) => ({ at, before: i, after: i + 1 })));
        expect(asked.size).toBeLessThanOrEqual(2 + places.length * Math.ceil(Math.log2(count)) + places.length);
      }),
    );
  });

  it("has nothing to find between equal ends, or among no changes", () => {
    expect(switches(50, () => "x", isSame)).toEqual([]);
    expect(switches(0, () => 1, isSame)).toEqual([]);
  });
});

describe("minimalSet", () => {
  it("leaves exactly what is needed together", () => {
    const sets = fc.uniqueArray(fc.integer({ min: 0, max: 63 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sets, (needed) => {
        const all = Array.from({ length: 64 }, (_, i) => i);
        const found = minimalSet(all, (chosen) => needed.every((each) => chosen.includes(each)));
        expect(found).toEqual([...needed].sort((a, b) => a - b));
      }),
    );
  });

  it("leaves a set of which none can be left out, where several would do", () => {
    const does = (chosen: readonly number[]): boolean => (chosen.includes(3) && chosen.includes(9)) || chosen.filter((each) => each > 20).length >= 3;
    const found = minimalSet(
      Array.from({ length: 40 }, (_, i) => i),
      does,
    );
    expect(does(found)).toBe(true);
    for (const each of found) expect(does(found.filter((other) => other !== each))).toBe(false);
  });

  it("gives back a single change as it is", () => {
    expect(minimalSet([7], () => true)).toEqual([7]);
  });
});
