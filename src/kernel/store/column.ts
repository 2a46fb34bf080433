/**
 * A column: one number for each page, entry or slot, kept in chunks that are shared between
 * snapshots and copied when first written after one. A chunk that was never written reads as zero
 * and costs nothing, so a column of a 1 TiB machine is as large as what was touched.
 */
export type Lane = Int32Array | Float64Array;

/** Chunks in a section: a snapshot shares whole unchanged sections. */
const SECTION_SHIFT = 6;
const SECTION = 1 << SECTION_SHIFT;

export type ColumnSnapshot<T extends Lane> = readonly (readonly (T | undefined)[])[];

export abstract class Column<T extends Lane> {
  readonly name: string;
  readonly shift: number;
  readonly mask: number;
  chunks: (T | undefined)[] = [];
  /** the chunks that belong to the state being written alone; undefined where a snapshot shares the chunk or there is none */
  protected owned: (T | undefined)[] = [];
  private dirtyList: number[] = [];
  private last: ColumnSnapshot<T> = [];

  constructor(name: string, shift: number) {
    this.name = name;
    this.shift = shift;
    this.mask = (1 << shift) - 1;
  }

  protected abstract make(): T;

  abstract get(i: number): number;
  abstract set(i: number, value: number): void;
  abstract add(i: number, delta: number): void;

  /** Sets `count` entries from `start`. */
  fill(start: number, count: number, value: number): void {
    let i = start;
    const end = start + count;
    while (i < end) {
      const c = i >>> this.shift;
      const stop = Math.min(end, (c + 1) << this.shift);
      if (value !== 0 || this.chunks[c] !== undefined) this.own(c).fill(value, i & this.mask, ((stop - 1) & this.mask) + 1);
      i = stop;
    }
  }

  /** The chunk, for writing: copied if a snapshot shares it. */
  own(c: number): T {
    const owned = c < this.owned.length ? this.owned[c] : undefined;
    if (owned !== undefined) return owned;
    const old = c < this.chunks.length ? this.chunks[c] : undefined;
    const fresh = old === undefined ? this.make() : (old.slice() as T);
    while (this.chunks.length <= c) this.chunks.push(undefined);
    while (this.owned.length <= c) this.owned.push(undefined);
    this.chunks[c] = fresh;
    this.owned[c] = fresh;
    this.dirtyList.push(c);
    return fresh;
  }

  /** Everything written so far becomes shared. O(chunks written since the last snapshot). */
  snapshot(): ColumnSnapshot<T> {
    if (this.dirtyList.length === 0) return this.last;
    const top = this.last.slice();
    const sections = new Set<number>();
    for (const c of this.dirtyList) {
      this.owned[c] = undefined;
      sections.add(c >>> SECTION_SHIFT);
    }
    for (const s of sections) {
      while (top.length <= s) top.push([]);
      top[s] = this.chunks.slice(s << SECTION_SHIFT, (s + 1) << SECTION_SHIFT);
    }
    this.dirtyList = [];
    this.last = top;
    return top;
  }

  /** Goes back (or forward) to a snapshot of this column. O(sections that differ). */
  restore(to: ColumnSnapshot<T>): void {
    this.snapshot();
    const from = this.last;
    const n = Math.max(from.length, to.length);
    for (let s = 0; s < n; s++) {
      if (from[s] === to[s]) continue;
      const section = to[s] ?? [];
      for (let k = 0; k < SECTION; k++) {
        const c = (s << SECTION_SHIFT) + k;
        if (c < this.chunks.length || section[k] !== undefined) {
          while (this.chunks.length < c) this.chunks.push(undefined);
          this.chunks[c] = section[k];
        }
      }
    }
    this.last = to;
  }
}

/*
 * The two kinds of column have accessors of their own, word for word the same: the engine specialises a function by the
 * arrays it has seen, and one that has seen both kinds is several times slower in each.
 */

export class Int32Column extends Column<Int32Array> {
  constructor(name: string, shift = 12) {
    super(name, shift);
  }

  protected override make(): Int32Array {
    return new Int32Array(1 << this.shift);
  }

  override get(i: number): number {
    const c = i >>> this.shift;
    const chunk = c < this.chunks.length ? this.chunks[c] : undefined;
    return chunk === undefined ? 0 : chunk[i & this.mask];
  }

  override set(i: number, value: number): void {
    const c = i >>> this.shift;
    const chunk = c < this.owned.length ? this.owned[c] : undefined;
    if (chunk !== undefined) chunk[i & this.mask] = value;
    else this.own(c)[i & this.mask] = value;
  }

  override add(i: number, delta: number): void {
    const c = i >>> this.shift;
    const chunk = c < this.owned.length ? this.owned[c] : undefined;
    if (chunk !== undefined) chunk[i & this.mask] += delta;
    else this.own(c)[i & this.mask] += delta;
  }
}

/** For integers that may pass 2^31 (bytes, page offsets, nanoseconds). Only integers are stored. */
export class WideColumn extends Column<Float64Array> {
  constructor(name: string, shift = 11) {
    super(name, shift);
  }

  protected override make(): Float64Array {
    return new Float64Array(1 << this.shift);
  }

  override get(i: number): number {
    const c = i >>> this.shift;
    const chunk = c < this.chunks.length ? this.chunks[c] : undefined;
    return chunk === undefined ? 0 : chunk[i & this.mask];
  }

  override set(i: number, value: number): void {
    const c = i >>> this.shift;
    const chunk = c < this.owned.length ? this.owned[c] : undefined;
    if (chunk !== undefined) chunk[i & this.mask] = value;
    else this.own(c)[i & this.mask] = value;
  }

  override add(i: number, delta: number): void {
    const c = i >>> this.shift;
    const chunk = c < this.owned.length ? this.owned[c] : undefined;
    if (chunk !== undefined) chunk[i & this.mask] += delta;
    else this.own(c)[i & this.mask] += delta;
  }
}
