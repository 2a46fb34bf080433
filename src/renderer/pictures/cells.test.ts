import { describe, expect, it } from "vitest";
import { gridFor, runsOf, stepInGrid } from "./cells.ts";
import { drawCells, type DrawnCell } from "./draw.ts";
import { aboutKb, deltaText, shareText, sizeOfKb } from "./format.ts";

describe("sizes and shares", () => {
  it("are exact, or in the smaller unit", () => {
    expect([4, 8192, 2052, 1536, 1 << 20, 4100].map(sizeOfKb)).toEqual(["4 KiB", "8 MiB", "2052 KiB", "1.5 MiB", "1 GiB", "4100 KiB"]);
    expect([136_000_000_000, 2048, 4].map(aboutKb)).toEqual(["127 TiB", "2 MiB", "4 KiB"]);
  });

  it("never round what is not whole to whole", () => {
    expect(shareText(120_344, 120_345)).toBe("99.9 %");
    expect(shareText(5, 5)).toBe("100 %");
    expect(shareText(0, 0)).toBe("–");
    expect([3, -1200, 0].map(deltaText)).toEqual(["+3", "−1,200", ""]);
  });
});

describe("cells", () => {
  it("are put together where they look the same", () => {
    const cell = (state: "huge" | "none", share = 1) => ({ state, share }) as const;
    expect(runsOf([cell("huge"), cell("huge"), cell("none"), cell("huge", 0.5)])).toEqual([
      { state: "huge", share: 1, first: 0, count: 2 },
      { state: "none", share: 1, first: 2, count: 1 },
      { state: "huge", share: 0.5, first: 3, count: 1 },
    ]);
  });

  it("fit into any width", () => {
    for (const width of [1, 50, 321, 905, 4000]) {
      for (const count of [1, 3, 512, 4096]) {
        const { columns, size } = gridFor(count, width, 9, 32);
        expect(columns).toBeGreaterThanOrEqual(1);
        expect(columns).toBeLessThanOrEqual(count);
        if (width >= 4) expect(columns * size).toBeLessThanOrEqual(Math.max(width, 4));
      }
    }
    expect(gridFor(512, 905, 9, 32)).toEqual({ columns: 96, size: 9 });
  });

  it("are gone through with the arrow keys and never left", () => {
    for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]) {
      for (let at = 0; at < 10; at++) {
        const next = stepInGrid(key, at, 4, 10)!;
        expect(next >= 0 && next < 10).toBe(true);
      }
    }
    expect(stepInGrid("ArrowDown", 1, 4, 10)).toBe(5);
    expect(stepInGrid("ArrowDown", 7, 4, 10)).toBe(7);
    expect(stepInGrid("x", 1, 4, 10)).toBeNull();
  });

  it("are drawn in their place, with a frame where the last step changed them", () => {
    const rects: number[][] = [];
    const frames: number[][] = [];
    const pen = {
      fillRect: (...box: number[]) => rects.push(box),
      strokeRect: (...box: number[]) => frames.push(box),
      ...Object.fromEntries(["beginPath", "moveTo", "lineTo", "stroke", "arc", "fill"].map((name) => [name, () => undefined])),
    } as unknown as CanvasRenderingContext2D;
    const cells: DrawnCell[] = ["page", "none", "page"].map((state, at) => ({ state: state as "page", share: 1, changed: at === 2, begins: true }));
    drawCells(pen, cells, { columns: 2, size: 10, cursor: null, selected: null, token: () => "#000000" });
    expect(rects.map(([x, y]) => [Math.floor(x / 10), Math.floor(y / 10)])).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
    ]);
    expect(frames).toHaveLength(1);
    expect(frames[0][1]).toBeGreaterThanOrEqual(10);
  });
});
