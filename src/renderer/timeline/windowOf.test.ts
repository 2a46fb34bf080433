import { describe, expect, it } from "vitest";
import type { NodeView } from "../../session/model.ts";
import { besides, visibleRange, windowOf } from "./windowOf.ts";

/** 0 - 1 - 2 - 3, and 4 - 5 as a branch of 1 */
const NODES: readonly NodeView[] = [
  { id: 0, parent: null, command: "", mark: "done", lane: 0 },
  { id: 1, parent: 0, command: "a", mark: "done", lane: 0 },
  { id: 2, parent: 1, command: "b", mark: "done", lane: 0 },
  { id: 3, parent: 2, command: "c", mark: "done", lane: 0 },
  { id: 4, parent: 1, command: "d", mark: "done", lane: 1 },
  { id: 5, parent: 4, command: "e", mark: "done", lane: 1 },
];
const all = (id: number): NodeView | undefined => NODES[id];

describe("the window of the timeline", () => {
  it("has what is seen and a little more, whatever the length", () => {
    expect(visibleRange(0, 800, 100, 10_000)).toEqual({ first: 0, end: 12 });
    expect(visibleRange(500_000, 800, 100, 10_000)).toEqual({ first: 4996, end: 5012 });
    expect(visibleRange(999_900, 800, 100, 10_000).end).toBe(10_000);
    expect(visibleRange(999_900, 800, 100, 3)).toEqual({ first: 3, end: 3 });
  });

  it("draws nodes and the lines to their parents", () => {
    expect(windowOf({ first: 0, end: 6 }, all)).toMatchObject({
      lanes: 2,
      missing: null,
      edges: [{ node: 1 }, { node: 2 }, { node: 3 }, { node: 4, fromX: 1, fromLane: 0, toLane: 1 }, { node: 5 }],
    });
  });

  it("says what it does not know", () => {
    expect(windowOf({ first: 0, end: 6 }, (id) => (id < 3 ? NODES[id] : undefined)).missing).toBe(3);
    expect(windowOf({ first: 4, end: 6 }, (id) => (id === 4 || id === 5 ? NODES[id] : undefined)).edges[0]).toEqual({
      node: 4,
      fromX: 1,
      fromLane: 1,
      toLane: 1,
    });
  });

  it("goes to the nearest node of the next branch", () => {
    const range = { first: 0, end: 6 };
    expect(besides(3, 1, range, all)).toBe(4);
    expect(besides(5, -1, range, all)).toBe(3);
    expect(besides(3, -1, range, all)).toBeNull();
    expect(besides(99, 1, range, all)).toBeNull();
  });
});
