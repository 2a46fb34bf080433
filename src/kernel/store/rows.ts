import { Chunks, type Column, type ColumnSnapshot } from "./column.ts";

/** Rows that fillRows writes one by one: below that many a call of the engine costs more. */
const SEED_ROWS = 32;

/**
 * Columns whose numbers for one index lie side by side, because they change together: a row for each page, for each entry.
 * Code that changes one number goes through the field, which is a column like any other. Code that changes many of one
 * row takes the row: `ownRow(i)` is the array, and the numbers of `i` start at `(i & mask) * width` in it.
 */
export class RowChunks extends Chunks<Int32Array> {
  /** numbers in a row */
  readonly width: number;
  /** the chunk last handed out for writing, while it may be written */
  private hot: Int32Array = new Int32Array(0);
  private hotAt = -1;

  constructor(name: string, shift: number, width: number) {
    super(name, shift);
    this.width = width;
  }

  protected override make(): Int32Array {
    return new Int32Array(this.width << this.shift);
  }

  /** The chunk that holds the row of `i`, for writing. It holds until the next snapshot or restore. A ReadWatch sees nothing read from it. */
  ownRow(i: number): Int32Array {
    return i >>> this.shift === this.hotAt ? this.hot : this.heat(i >>> this.shift);
  }

  /** Sets whole rows, `count` from `start` on, to the same numbers (`row` has `width`). */
  fillRows(start: number, count: number, row: readonly number[]): void {
    const { width, mask } = this;
    for (let i = start; i < start + count;) {
      const chunk = this.ownRow(i);
      const first = (i & mask) * width;
      const stop = Math.min(start + count, i - (i & mask) + mask + 1);
      const end = first + (stop - i) * width;
      const seed = Math.min(end, first + SEED_ROWS * width);
      for (let at = first; at < seed; at += width) for (let n = 0; n < width; n++) chunk[at + n] = row[n];
      // what is filled already is copied behind itself, twice as much each time
      for (let done = seed - first; first + done < end; done *= 2) chunk.copyWithin(first + done, first, Math.min(first + done, end - done));
      i = stop;
    }
  }

  override snapshot(): ColumnSnapshot<Int32Array> {
    this.hotAt = -1;
    return super.snapshot();
  }

  private heat(c: number): Int32Array {
    this.hot = this.own(c);
    this.hotAt = c;
    return this.hot;
  }
}

/** One number of each row. */
export class Field implements Column {
  readonly name: string;
  private readonly rows: RowChunks;
  private readonly shift: number;
  private readonly mask: number;
  private readonly width: number;
  private readonly offset: number;

  constructor(rows: RowChunks, name: string, offset: number) {
    this.rows = rows;
    this.name = name;
    this.shift = rows.shift;
    this.mask = rows.mask;
    this.width = rows.width;
    this.offset = offset;
  }

  get(i: number): number {
    const chunk = this.rows.chunks[i >>> this.shift];
    return chunk === undefined ? 0 : chunk[(i & this.mask) * this.width + this.offset];
  }

  set(i: number, value: number): void {
    this.rows.ownRow(i)[(i & this.mask) * this.width + this.offset] = value;
  }

  add(i: number, delta: number): void {
    this.rows.ownRow(i)[(i & this.mask) * this.width + this.offset] += delta;
  }

  /** The first index of [start, end) that is not zero, or -1. What no chunk exists for is zero, and costs nothing. */
  firstNotZero(start: number, end: number): number {
    for (let i = start; i < end;) {
      const stop = this.chunkEnd(i, end);
      const chunk = this.rows.chunks[i >>> this.shift];
      if (chunk !== undefined) {
        for (let j = i; j < stop; j++) if (chunk[(j & this.mask) * this.width + this.offset] !== 0) return j;
      }
      i = stop;
    }
    return -1;
  }

  fill(start: number, count: number, value: number): void {
    for (let i = start; i < start + count;) {
      const stop = this.chunkEnd(i, start + count);
      if (value !== 0 || this.rows.chunks[i >>> this.shift] !== undefined) {
        const chunk = this.rows.ownRow(i);
        const end = (i & this.mask) * this.width + this.offset + (stop - i) * this.width;
        for (let at = (i & this.mask) * this.width + this.offset; at < end; at += this.width) chunk[at] = value;
      }
      i = stop;
    }
  }

  /** Where the chunk of `i` ends, or `end` if that is before. */
  private chunkEnd(i: number, end: number): number {
    return Math.min(end, i - (i & this.mask) + this.mask + 1);
  }
}

/** Two numbers of each row as one integer below 2^53: low 32 bits at `offset`, the rest behind it. */
export class WideField implements Column {
  readonly name: string;
  private readonly low: Field;
  private readonly high: Field;

  constructor(rows: RowChunks, name: string, offset: number) {
    this.name = name;
    this.low = new Field(rows, name, offset);
    this.high = new Field(rows, name, offset + 1);
  }

  get(i: number): number {
    return this.high.get(i) * 0x100000000 + (this.low.get(i) >>> 0);
  }

  set(i: number, value: number): void {
    this.low.set(i, value | 0);
    this.high.set(i, Math.floor(value / 0x100000000));
  }

  add(i: number, delta: number): void {
    this.set(i, this.get(i) + delta);
  }

  fill(start: number, count: number, value: number): void {
    this.low.fill(start, count, value | 0);
    this.high.fill(start, count, Math.floor(value / 0x100000000));
  }
}
