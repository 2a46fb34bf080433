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

/** The chunks of a column or of several: what is shared, copied, kept and hashed. */
export abstract class Chunks<T extends Lane> {
  readonly name: string;
  /** log2 of the indices in a chunk */
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

  /** The chunk, for writing: copied if a snapshot shares it. It stays in place until the next snapshot or restore. */
  own(c: number): T {
    const owned = this.owned[c];
    if (owned !== undefined) return owned;
    const old = this.chunks[c];
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

/** What kernel code sees of a column. */
export interface Column {
  readonly name: string;
  get(i: number): number;
  set(i: number, value: number): void;
  add(i: number, delta: number): void;
  /** Sets `count` entries from `start`. */
  fill(start: number, count: number, value: number): void;
}

/** A column with chunks of its own. */
abstract class PlainColumn<T extends Lane> extends Chunks<T> implements Column {
  abstract get(i: number): number;
  abstract set(i: number, value: number): void;
  abstract add(i: number, delta: number): void;

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
}

/*
 * The kinds of column have accessors of their own, though word for word the same: the engine specialises a function by the
 * arrays it has seen, and one that has seen several kinds is several times slower for each.
 */

export class Int32Column extends PlainColumn<Int32Array> {
  constructor(name: string, shift = 12) {
    super(name, shift);
  }

  protected override make(): Int32Array {
    return new Int32Array(1 << this.shift);
  }

  override get(i: number): number {
    const chunk = this.chunks[i >>> this.shift];
    return chunk === undefined ? 0 : chunk[i & this.mask];
  }

  override set(i: number, value: number): void {
    const chunk = this.owned[i >>> this.shift] ?? this.own(i >>> this.shift);
    chunk[i & this.mask] = value;
  }

  override add(i: number, delta: number): void {
    const chunk = this.owned[i >>> this.shift] ?? this.own(i >>> this.shift);
    chunk[i & this.mask] += delta;
  }
}

/** For integers that may pass 2^31 (bytes, page offsets, nanoseconds). Only integers are stored. */
export class WideColumn extends PlainColumn<Float64Array> {
  constructor(name: string, shift = 11) {
    super(name, shift);
  }

  protected override make(): Float64Array {
    return new Float64Array(1 << this.shift);
  }

  override get(i: number): number {
    const chunk = this.chunks[i >>> this.shift];
    return chunk === undefined ? 0 : chunk[i & this.mask];
  }

  override set(i: number, value: number): void {
    const chunk = this.owned[i >>> this.shift] ?? this.own(i >>> this.shift);
    chunk[i & this.mask] = value;
  }

  override add(i: number, delta: number): void {
    const chunk = this.owned[i >>> this.shift] ?? this.own(i >>> this.shift);
    chunk[i & this.mask] += delta;
  }
}

/** A column that mostly uses its first chunk, at hand without a look at the list of chunks: counters, heads of lists, TLBs. */
export class SmallInt32Column extends Int32Column {
  private first: Int32Array = this.make();
  private firstOwned: Int32Array | null = null;

  override get(i: number): number {
    return i <= this.mask ? this.first[i] : super.get(i);
  }

  override set(i: number, value: number): void {
    if (i > this.mask) super.set(i, value);
    else (this.firstOwned ?? this.own(0))[i] = value;
  }

  override add(i: number, delta: number): void {
    if (i > this.mask) super.add(i, delta);
    else (this.firstOwned ?? this.own(0))[i] += delta;
  }

  override own(c: number): Int32Array {
    const chunk = super.own(c);
    if (c === 0) {
      this.first = chunk;
      this.firstOwned = chunk;
    }
    return chunk;
  }

  override snapshot(): ColumnSnapshot<Int32Array> {
    this.firstOwned = null;
    return super.snapshot();
  }

  override restore(to: ColumnSnapshot<Int32Array>): void {
    super.restore(to);
    this.first = this.chunks[0] ?? this.make();
  }
}

/** As SmallInt32Column. */
export class SmallWideColumn extends WideColumn {
  private first: Float64Array = this.make();
  private firstOwned: Float64Array | null = null;

  override get(i: number): number {
    return i <= this.mask ? this.first[i] : super.get(i);
  }

  override set(i: number, value: number): void {
    if (i > this.mask) super.set(i, value);
    else (this.firstOwned ?? this.own(0))[i] = value;
  }

  override add(i: number, delta: number): void {
    if (i > this.mask) super.add(i, delta);
    else (this.firstOwned ?? this.own(0))[i] += delta;
  }

  override own(c: number): Float64Array {
    const chunk = super.own(c);
    if (c === 0) {
      this.first = chunk;
      this.firstOwned = chunk;
    }
    return chunk;
  }

  override snapshot(): ColumnSnapshot<Float64Array> {
    this.firstOwned = null;
    return super.snapshot();
  }

  override restore(to: ColumnSnapshot<Float64Array>): void {
    super.restore(to);
    this.first = this.chunks[0] ?? this.make();
  }
}
