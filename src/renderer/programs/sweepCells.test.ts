import { expect, it } from "vitest";
import { sweepView } from "../fixture/programs.ts";
import { changeText, rangeText, sorted } from "./sweepCells.ts";

const MIB = 1 << 20;

it("a range says a unit once, and a value that is both ends once", () => {
  expect(rangeText("bytes", [27.7 * MIB, 93.6 * MIB])).toBe("27.7 – 93.6 MiB");
  expect(rangeText("bytes", [4096, 2 * MIB])).toBe("4 KiB – 2 MiB");
  expect(rangeText("bytes", [MIB, MIB])).toBe("1 MiB");
  expect(rangeText("count", [6158, 23021])).toBe("6,158 – 23,021");
  expect(rangeText("share", [6, 760])).toBe("0.6 – 76.0 %");
  expect(rangeText("ns", [4_490_000, 16_460_000])).toBe("4.49 – 16.46 ms");
  expect(rangeText("count", null)).toBe("–");
});

it("a change is told for both ends, and nothing where there is none", () => {
  expect(changeText([6158, 23021], [6158, 6158])).toBe("0 … +274 %");
  expect(changeText([50, 50], [100, 100])).toBe("−50 %");
  expect(changeText([1, 2], [1, 2])).toBe("");
  expect(changeText([1, 2], [0, 0])).toBe("");
  expect(changeText(null, [1, 1])).toBe("");
});

it("rows are sorted by a column, refused ones last, equal ones as they were", () => {
  const { rows } = sweepView();
  const refused = { ...rows[0], label: "no", refused: "no", values: [] };
  expect(sorted([...rows, refused], 0, false).map(({ label }) => label)).toEqual(["as recorded", "enabled=always", "enabled=never", "no"]);
  expect(sorted([refused, ...rows], 0, true).map(({ label }) => label)).toEqual(["enabled=never", "as recorded", "enabled=always", "no"]);
  expect(sorted(rows, -1, false)).toBe(rows);
});
