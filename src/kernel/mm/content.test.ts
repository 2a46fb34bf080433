import { expect, it } from "vitest";
import { checkMachine } from "../check/checkMachine.ts";
import { Machine } from "../machine.ts";
import { findProfile, type Profile } from "../profile/profile.ts";
import type { Kernel } from "./kernel.ts";
import { byteAt, INLINE, stampAfterWrite } from "./content.ts";

const boot = (): Kernel => new Machine({ profile: findProfile("upstream-6.18") as Profile, memoryMiB: 64 }).kernel;

it("says zeros with 0 and one byte without a record", () => {
  const k = boot();
  expect(stampAfterWrite(k, 0, 17, 1, 0)).toBe(0);
  const one = stampAfterWrite(k, 0, 4095, 1, 255);
  expect(one & INLINE).not.toBe(0);
  expect([byteAt(k, one, 4095), byteAt(k, one, 4094), byteAt(k, 0, 4095)]).toEqual([255, 0, 0]);
  expect(stampAfterWrite(k, one, 4095, 1, 0)).toBe(0);
  expect(stampAfterWrite(k, one, 4095, 1, 7)).toBe(stampAfterWrite(k, 0, 4095, 1, 7));
  expect(k.contents.count).toBe(0);
});

it("gives equal contents equal stamps, however they were written", () => {
  const k = boot();
  const write = (...writes: [offset: number, length: number, value: number][]): number => writes.reduce((s, w) => stampAfterWrite(k, s, ...w), 0);
  const a = write([0, 1, 1], [10, 1, 2]);
  expect(write([10, 1, 2], [0, 1, 1])).toBe(a);
  expect(write([0, 20, 9], [0, 1, 1], [1, 9, 0], [10, 1, 2], [11, 9, 0])).toBe(a);
  // neighbours of one value become one run
  expect(write([0, 4, 5], [4, 4, 5])).toBe(write([0, 8, 5]));
  expect(write([0, 4096, 3], [0, 4096, 0])).toBe(0);
  expect(write([0, 4096, 3], [1, 4095, 0])).toBe(write([0, 1, 3]));
  expect(k.contents.count).toBeGreaterThan(0);
  expect(checkMachine(k)).toEqual([]);
});

it("is a page of bytes", () => {
  const k = boot();
  const page = new Uint8Array(4096);
  let stamp = 0;
  let seed = 5;
  const next = (below: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % below;
  for (let n = 0; n < 400; n++) {
    const offset = next(4096);
    const length = next(3) === 0 ? 1 : 1 + next(4096 - offset);
    const value = next(2) === 0 ? 0 : next(256);
    page.fill(value, offset, offset + length);
    stamp = stampAfterWrite(k, stamp, offset, length, value);
    for (let i = 0; i < 4096; i += 13) if (byteAt(k, stamp, i) !== page[i]) expect.fail(`byte ${i} after write ${n}`);
  }
  expect(checkMachine(k)).toEqual([]);
});
