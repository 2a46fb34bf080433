import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { boundsFrom, readBoundsFile, saveBounds, SMALLEST } from "./windowBounds.ts";

const SCREEN = { x: 0, y: 0, width: 1920, height: 1080 };
const USUAL = { width: 1440, height: 900, maximized: false };
const text = (x: number, y: number, width: number, height: number, maximized = false): string => JSON.stringify({ x, y, width, height, maximized });

it("takes what was saved", () => {
  expect(boundsFrom(text(10, 20, 1000, 700, true), [SCREEN])).toEqual({ x: 10, y: 20, width: 1000, height: 700, maximized: true });
});

it("takes the usual size when nothing usable is saved", () => {
  for (const bad of [
    null,
    "",
    "{",
    "[]",
    "null",
    "7",
    "{}",
    text(0, 0, -5, 700),
    text(0, 0, 1e9, 700),
    '{"x":"0","y":0,"width":900,"height":900,"maximized":false}',
    text(0.5, 0, 900, 900),
  ]) {
    expect([bad, boundsFrom(bad, [SCREEN])]).toEqual([bad, USUAL]);
  }
});

it("lets the window system choose a place when the saved one is on no screen", () => {
  expect(boundsFrom(text(5000, 0, 1000, 700), [SCREEN])).toEqual({ width: 1000, height: 700, maximized: false });
  expect(boundsFrom(text(1910, 0, 1000, 700), [SCREEN])).toEqual({ width: 1000, height: 700, maximized: false });
  expect(boundsFrom(text(5000, 10, 1000, 700), [SCREEN, { ...SCREEN, x: 4000 }])).toMatchObject({ x: 5000, y: 10 });
});

it("is never larger than its screen, nor smaller than it can be, and its title can be grasped", () => {
  const number = fc.integer({ min: -3000, max: 6000 });
  const size = fc.integer({ min: 1, max: 9000 });
  const screen = fc.record({ x: number, y: number, width: fc.integer({ min: 1024, max: 4000 }), height: fc.integer({ min: 600, max: 3000 }) });
  fc.assert(
    fc.property(number, number, size, size, fc.array(screen, { maxLength: 3 }), (x, y, width, height, screens) => {
      const bounds = boundsFrom(text(x, y, width, height), screens);
      expect(bounds.width).toBeGreaterThanOrEqual(SMALLEST.width);
      expect(bounds.height).toBeGreaterThanOrEqual(SMALLEST.height);
      const { x: left, y: top } = bounds;
      if (left === undefined || top === undefined) return;
      const home = screens.find((s) => bounds.width <= s.width && bounds.height <= s.height && top >= s.y && top < s.y + s.height && left < s.x + s.width);
      expect(home).toBeDefined();
    }),
  );
});

it("is saved whole, and not being able to is no error", () => {
  const folder = mkdtempSync(join(tmpdir(), "hugelab-bounds-"));
  try {
    const file = join(folder, "window.json");
    expect(readBoundsFile(file)).toBeNull();
    saveBounds(file, { x: 1, y: 2, width: 900, height: 600 }, true);
    expect(boundsFrom(readBoundsFile(file), [SCREEN])).toEqual({ x: 1, y: 2, width: 900, height: 600, maximized: true });
    expect(readdirSync(folder)).toEqual(["window.json"]);
    saveBounds(join(folder, "none", "window.json"), SCREEN, false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
