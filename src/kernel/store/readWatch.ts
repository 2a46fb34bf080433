import type { Column } from "./column.ts";
import { mixInto, type HashPair } from "./hash.ts";
import type { Records } from "./records.ts";
import type { Store } from "./store.ts";

const HIGH = 0x100000000;

/**
 * What kernel code read from a store, as a hash. Kernel code is a function of what it was called with and what it
 * reads, so two runs of one generator up to one point that read the same values are in the same state there, although
 * nobody can look into a generator. The explorer uses this to tell positions apart.
 *
 * Works by replacing the reading methods of this store's columns and tables: it makes that store slower and no other.
 * Adding to a column does not count as reading, since the sum does not come back.
 */
export class ReadWatch {
  private a = 0;
  private b = 0;

  /** `ignored`: names of tables whose content decides nothing but which point comes next. */
  constructor(store: Store, ignored: ReadonlySet<string> = new Set()) {
    const { columns, tables } = store.parts();
    columns.forEach((column, n) => this.watchColumn(column, n));
    tables.forEach((table, n) => {
      if (!ignored.has(table.name)) this.watchTable(store, table, 1000 + n);
    });
  }

  /** Hash of what was read since the last call, and starts anew. */
  take(): HashPair {
    const taken = { a: this.a, b: this.b };
    this.a = 0;
    this.b = 0;
    return taken;
  }

  /** Mixes in one value read: any integers below 2^53. */
  private note(where: number, at: number, value: number): void {
    const low = value | 0;
    const high = Math.floor(value / HIGH) | 0;
    this.a = mixInto(mixInto(this.a ^ where, at | 0) ^ high, low);
    this.b = mixInto(mixInto(this.b + low, at | 0) + high, where ^ 0x5bd1e995);
  }

  private watchColumn(column: Column, n: number): void {
    const read = column.get.bind(column);
    column.get = (i) => {
      const value = read(i);
      this.note(n, i, value);
      return value;
    };
  }

  private watchTable(store: Store, table: Records<object>, n: number): void {
    const find = table.find.bind(table);
    const add = table.add.bind(table);
    const noteRecord = (slot: number, record: object | undefined): void => {
      const h = record === undefined ? { a: -1, b: -1 } : store.recordHash(record);
      this.note(n, slot, h.a);
      this.note(n, slot, h.b);
    };
    table.find = (slot) => {
      const record = find(slot);
      noteRecord(slot, record);
      return record;
    };
    table.get = (slot) => table.find(slot) as object;
    table.add = (make) => {
      const slot = add(make);
      this.note(n, -1, slot);
      return slot;
    };
  }
}
