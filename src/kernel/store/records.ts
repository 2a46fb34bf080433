/**
 * A slot table of read-only records. A record is never changed: `set` replaces it. Slot 0 is never
 * used, so that 0 can mean "none". The slot freed last is reused first, which keeps numbering deterministic.
 */
const CHUNK_SHIFT = 6;
const CHUNK = 1 << CHUNK_SHIFT;
const CHUNK_MASK = CHUNK - 1;

type RecordChunk<R> = (R | undefined)[];

export interface RecordsSnapshot<R> {
  readonly chunks: readonly RecordChunk<R>[];
  readonly live: number;
  readonly end: number;
  readonly free: readonly number[];
}

export class Records<R extends object> {
  readonly name: string;
  private chunks: RecordChunk<R>[] = [];
  private owned: boolean[] = [];
  private live = 0;
  /** one past the highest slot ever used */
  private end = 1;
  private free: number[] = [];
  private freeShared = false;
  private last: RecordsSnapshot<R> | null = null;

  constructor(name: string) {
    this.name = name;
  }

  get count(): number {
    return this.live;
  }

  /** The record in a slot that is known to be in use. */
  get(slot: number): R {
    return this.chunks[slot >>> CHUNK_SHIFT][slot & CHUNK_MASK] as R;
  }

  find(slot: number): R | undefined {
    return this.chunks[slot >>> CHUNK_SHIFT]?.[slot & CHUNK_MASK];
  }

  /** Stores a new record and returns its slot; `make` is given the slot. */
  add(make: (slot: number) => R): number {
    let slot: number;
    if (this.free.length > 0) {
      this.ownFree();
      slot = this.free.pop() as number;
    } else slot = this.end++;
    this.own(slot)[slot & CHUNK_MASK] = make(slot);
    this.live++;
    this.last = null;
    return slot;
  }

  set(slot: number, record: R): void {
    this.own(slot)[slot & CHUNK_MASK] = record;
    this.last = null;
  }

  /** Replaces some fields of a record. */
  update(slot: number, change: Partial<R>): R {
    const next = { ...this.get(slot), ...change };
    this.set(slot, next);
    return next;
  }

  remove(slot: number): void {
    this.own(slot)[slot & CHUNK_MASK] = undefined;
    this.ownFree();
    this.free.push(slot);
    this.live--;
    this.last = null;
  }

  *entries(): Generator<[number, R]> {
    for (let slot = 1; slot < this.end; slot++) {
      const record = this.find(slot);
      if (record !== undefined) yield [slot, record];
    }
  }

  snapshot(): RecordsSnapshot<R> {
    if (this.last !== null) return this.last;
    this.owned = [];
    this.freeShared = true;
    this.last = { chunks: this.chunks, live: this.live, end: this.end, free: this.free };
    return this.last;
  }

  restore(to: RecordsSnapshot<R>): void {
    this.chunks = to.chunks as RecordChunk<R>[];
    this.live = to.live;
    this.end = to.end;
    this.free = to.free as number[];
    this.owned = [];
    this.freeShared = true;
    this.last = to;
  }

  private own(slot: number): RecordChunk<R> {
    const c = slot >>> CHUNK_SHIFT;
    if (this.owned[c] === true) return this.chunks[c];
    if (this.last !== null || this.owned.length === 0) this.chunks = this.chunks.slice();
    while (this.chunks.length <= c) this.chunks.push(new Array<R | undefined>(CHUNK).fill(undefined));
    this.chunks[c] = this.chunks[c].slice();
    this.owned[c] = true;
    return this.chunks[c];
  }

  private ownFree(): void {
    if (!this.freeShared) return;
    this.free = this.free.slice();
    this.freeShared = false;
  }
}
