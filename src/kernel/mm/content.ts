import type { Pfn } from "../units.ts";
import type { Kernel } from "./kernel.ts";
import type { PageContent } from "./records.ts";

/**
 * What a page holds, exactly, as one 32-bit stamp. 0: all zero. Bit 30 set: one byte `value` at `offset`, the rest
 * zero (the usual case: a touch). Otherwise the slot of a content record, of which equal ones are one.
 */
export const INLINE = 1 << 30;
/** Bits that an inline stamp may have: the mark, the offset and the value. */
export const INLINE_BITS = INLINE | 0xfffff;

type Run = readonly [offset: number, length: number, value: number];

const inlineStamp = (offset: number, value: number): number => (value === 0 ? 0 : INLINE | (offset << 8) | value);

function runsOf(k: Kernel, stamp: number): readonly Run[] {
  if (stamp === 0) return [];
  if ((stamp & INLINE) !== 0) return [[(stamp >>> 8) & 0xfff, 1, stamp & 0xff]];
  return k.contents.get(stamp).runs;
}

function stampOf(k: Kernel, runs: readonly Run[]): number {
  if (runs.length === 0) return 0;
  if (runs.length === 1 && runs[0][1] === 1) return inlineStamp(runs[0][0], runs[0][2]);
  const key = runs.map((r) => r.join(":")).join(",");
  const known = k.contentSlots.get(key);
  if (known !== undefined && k.contents.find(known)?.key === key) return known;
  const slot = findContent(k, key) ?? k.contents.add((): PageContent => ({ key, runs }));
  k.contentSlots.set(key, slot);
  return slot;
}

/** The record that holds this content, looked for from the start: the index may be that of another branch of history. */
function findContent(k: Kernel, key: string): number | undefined {
  for (const [slot, content] of k.contents.entries()) if (content.key === key) return slot;
  return undefined;
}

/** The byte at an offset of a page with this stamp. */
export function byteAt(k: Kernel, stamp: number, offset: number): number {
  if (stamp === 0) return 0;
  if ((stamp & INLINE) !== 0) return ((stamp >>> 8) & 0xfff) === offset ? stamp & 0xff : 0;
  for (const [at, length, value] of k.contents.get(stamp).runs) if (offset >= at && offset < at + length) return value;
  return 0;
}

/** The stamp after `length` bytes of `value` were written at `offset` (0 <= offset, offset + length <= 4096). */
export function stampAfterWrite(k: Kernel, stamp: number, offset: number, length: number, value: number): number {
  if (length === 1) {
    if (stamp === 0 || ((stamp & INLINE) !== 0 && ((stamp >>> 8) & 0xfff) === offset)) return inlineStamp(offset, value);
  }
  const end = offset + length;
  const out: Run[] = [];
  for (const [at, n, v] of runsOf(k, stamp)) {
    if (at < offset) out.push([at, Math.min(n, offset - at), v]);
    if (at + n > end) out.push([Math.max(at, end), at + n - Math.max(at, end), v]);
  }
  if (value !== 0) out.push([offset, length, value]);
  out.sort((x, y) => x[0] - y[0]);
  const merged: Run[] = [];
  for (const run of out) {
    const last = merged[merged.length - 1];
    if (last !== undefined && last[0] + last[1] === run[0] && last[2] === run[2]) merged[merged.length - 1] = [last[0], last[1] + run[1], run[2]];
    else merged.push(run);
  }
  return stampOf(k, merged);
}

export const writePage = (k: Kernel, pfn: Pfn, offset: number, length: number, value: number): void =>
  k.stamp.set(pfn, stampAfterWrite(k, k.stamp.get(pfn), offset, length, value));

/** Sum of the bytes of a range of a page, for checks that copy. */
export const pageIsZero = (k: Kernel, pfn: number): boolean => k.stamp.get(pfn) === 0;
