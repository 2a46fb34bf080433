import { expect, it } from "vitest";
import { areaPath, PLOT, pointAt, scaleOf, stepPath, type Point } from "./plot.ts";

const MIB = 1 << 20;
const point = (event: number, anon: number, file: number): Point => ({
  event,
  anonBytes: anon * MIB,
  fileBytes: file * MIB,
  recordedAnonBytes: anon * MIB,
  recordedFileBytes: file * MIB,
});

it("the scale is round, holds everything, and has at most five steps", () => {
  for (const most of [0.2, 1, 3, 7, 24, 72, 99, 430, 1001, 5000]) {
    const { bytes, ticks } = scaleOf([point(0, most, 0)], 10);
    expect(bytes).toBeGreaterThanOrEqual(most * MIB);
    expect(ticks.length).toBeLessThanOrEqual(6);
    expect(ticks.at(-1)).toBe(bytes);
    expect(`${ticks[1] / MIB}`).toMatch(/^[125]0*$/);
  }
});

it("a line goes in steps from the first event to the last", () => {
  const points = [point(0, 0, 0), point(50, 5, 0), point(100, 10, 0)];
  const scale = scaleOf(points, 100);
  expect(stepPath(points, scale, (p) => p.anonBytes)).toBe(`M0 ${PLOT.height}H${PLOT.width / 2}V${PLOT.height / 2}H${PLOT.width}V0`);
  expect(areaPath(points, scale, (p) => p.anonBytes)).toMatch(new RegExp(`V${PLOT.height}H0Z$`));
  expect(areaPath([], scale, (p) => p.anonBytes)).toBe("");
});

it("finds the nearest point", () => {
  const points = [point(0, 0, 0), point(50, 5, 0), point(100, 10, 0)];
  expect([-3, 20, 30, 80, 400].map((event) => pointAt(points, event))).toEqual([0, 0, 1, 2, 2]);
});
