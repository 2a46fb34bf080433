import { describe, expect, it } from "vitest";
import { orderPacks } from "./order.ts";

const pack = (id: string, ...after: readonly string[]): { id: string; after: readonly string[] } => ({ id, after });
const order = (...packs: readonly ReturnType<typeof pack>[]): string =>
  orderPacks(packs)
    .map(({ id }) => id)
    .join("");

describe("the order of packs", () => {
  it("is the one given where no pack says anything", () => {
    expect(order(pack("c"), pack("a"), pack("b"))).toBe("cab");
  });

  it("puts each pack behind those that it names, and moves no other", () => {
    expect(order(pack("a", "c"), pack("b"), pack("c"))).toBe("bca");
    expect(order(pack("a", "b"), pack("b", "c"), pack("c"))).toBe("cba");
  });

  it("waits for no pack that is not there, and not for itself", () => {
    expect(order(pack("a", "z"), pack("b", "b"))).toBe("ab");
  });

  it("shows packs that wait for each other all the same, the first one first", () => {
    expect(order(pack("a", "b"), pack("c", "a"), pack("b", "a"))).toBe("acb");
  });
});
