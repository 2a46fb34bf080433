import { readConfigureGlobal } from "fast-check";
import { expect, it } from "vitest";
import { seedOf } from "../tools/seed.mjs";

it("every test file has the seed of its run", () => {
  expect(readConfigureGlobal()).toMatchObject({ seed: seedOf(process.env), includeErrorInReport: true });
});

it("is always the same, but in a long run, and can be named", () => {
  expect(seedOf({})).toBe(seedOf({}));
  expect(seedOf({ HUGELAB_LONG: "1" }, () => 0.5)).toBe(2 ** 30);
  expect(seedOf({ HUGELAB_LONG: "1" })).not.toBe(seedOf({}));
  expect(seedOf({ HUGELAB_LONG: "1", HUGELAB_SEED: "-7" })).toBe(-7);
  expect(seedOf({ HUGELAB_SEED: "" })).toBe(seedOf({}));
  for (const bad of ["x", "1.5", "4294967296", "1e3"]) expect(() => seedOf({ HUGELAB_SEED: bad })).toThrow(/HUGELAB_SEED/);
});
