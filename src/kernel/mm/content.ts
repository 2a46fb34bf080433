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

/** Bytes that a call carries: as many, and those that are not zero as runs in order. Offsets count from the first. */
export interface ByteRuns {
  readonly lengthBytes: number;
  readonly runs: readonly Run[];
}

/** `lengthBytes` times the same byte. */
export const uniformBytes = (lengthBytes: number, value: number): ByteRuns => ({
  lengthBytes,
  runs: value === 0 || lengthBytes === 0 ? [] : [[0, lengthBytes, value]],
});

/** The bytes of a page with this stamp from `offset` on, as runs that count from there. */
export function runsIn(k: Kernel, stamp: number, offset: number, length: number): Run[] {
  const out: Run[] = [];
  for (const [at, n, value] of runsOf(k, stamp)) {
    const from = Math.max(at, offset);
    const to = Math.min(at + n, offset + length);
    if (from < to) out.push([from - offset, to - from, value]);
  }
  return out;
}

/** The stamp after `length` of the bytes, from the one numbered `from` on, were written at `offset` of the page. */
export function stampAfterPut(k: Kernel, stamp: number, offset: number, bytes: ByteRuns, from: number, length: number): number {
  const { runs } = bytes;
  // the first run that ends behind `from`
  let low = 0;
  for (let high = runs.length; low < high;) {
    const middle = (low + high) >> 1;
    if (runs[middle][0] + runs[middle][1] <= from) low = middle + 1;
    else high = middle;
  }
  const first = runs[low];
  if (first !== undefined && first[0] <= from && first[0] + first[1] >= from + length) return stampAfterWrite(k, stamp, offset, length, first[2]);
  let out = stampAfterWrite(k, stamp, offset, length, 0);
  for (let i = low; i < runs.length && runs[i][0] < from + length; i++) {
    const start = Math.max(runs[i][0], from);
    out = stampAfterWrite(k, out, offset + start - from, Math.min(runs[i][0] + runs[i][1], from + length) - start, runs[i][2]);
  }
  return out;
}

export const writePage = (k: Kernel, pfn: Pfn, offset: number, length: number, value: number): void =>
  k.stamp.set(pfn, stampAfterWrite(k, k.stamp.get(pfn), offset, length, value));

/** Sum of the bytes of a range of a page, for checks that copy. */
export const pageIsZero = (k: Kernel, pfn: number): boolean => k.stamp.get(pfn) === 0;
