import type { Lane } from "./column.ts";
import type { StoreSnapshot } from "./store.ts";

/** bytes of a place in a list of chunks or records */
const POINTER = 8;
/** bytes that an object costs besides its fields */
const OBJECT = 56;

interface Held {
  /** how many lists or snapshots have it */
  holders: number;
  readonly bytes: number;
}

/**
 * What a set of snapshots holds in memory, each shared chunk counted once: bytes of chunks of columns, of lists of chunks, and of records
 * (estimated by their fields). Holding and releasing look only at what the snapshots do not share as whole lists.
 */
export class HeldBytes {
  bytes = 0;
  readonly #held = new Map<object, Held>();

  hold(snapshot: StoreSnapshot): void {
    for (const column of snapshot.columns)
      this.#hold(column, column.length * POINTER, () => {
        for (const section of column) this.#hold(section, section.length * POINTER, () => this.#holdChunks(section));
      });
    for (const table of snapshot.records)
      this.#hold(table.chunks, table.chunks.length * POINTER + table.free.length * POINTER, () => {
        for (const chunk of table.chunks) this.#hold(chunk, chunk.length * POINTER, () => this.#holdRecords(chunk));
      });
  }

  release(snapshot: StoreSnapshot): void {
    for (const column of snapshot.columns)
      this.#release(column, () => {
        for (const section of column)
          this.#release(section, () => {
            for (const chunk of section) if (chunk !== undefined) this.#release(chunk, () => undefined);
          });
      });
    for (const table of snapshot.records)
      this.#release(table.chunks, () => {
        for (const chunk of table.chunks)
          this.#release(chunk, () => {
            for (const record of chunk) if (record !== undefined) this.#release(record, () => undefined);
          });
      });
  }

  #holdChunks(section: readonly (Lane | undefined)[]): void {
    for (const chunk of section) if (chunk !== undefined) this.#hold(chunk, chunk.byteLength + OBJECT, () => undefined);
  }

  #holdRecords(chunk: readonly (object | undefined)[]): void {
    for (const record of chunk) if (record !== undefined) this.#hold(record, recordBytes(record), () => undefined);
  }

  /** `inside` holds what the object refers to; called when it is held for the first time. */
  #hold(object: object, bytes: number, inside: () => void): void {
    const known = this.#held.get(object);
    if (known !== undefined) {
      known.holders++;
      return;
    }
    this.#held.set(object, { holders: 1, bytes });
    this.bytes += bytes;
    inside();
  }

  #release(object: object, inside: () => void): void {
    const known = this.#held.get(object);
    if (known === undefined) return;
    if (--known.holders > 0) return;
    this.#held.delete(object);
    this.bytes -= known.bytes;
    inside();
  }
}

/** Lists of numbers (the mappings of an address space) count by their length; a list that two records share counts twice. */
function recordBytes(record: object): number {
  let bytes = OBJECT;
  for (const value of Object.values(record) as unknown[]) {
    bytes += POINTER;
    if (Array.isArray(value)) bytes += value.length * POINTER;
    else if (typeof value === "string") bytes += value.length;
    else if (typeof value === "object" && value !== null) bytes += OBJECT;
  }
  return bytes;
}
