import { Int32Column, SmallInt32Column, SmallWideColumn, WideColumn, type Chunks, type Column, type ColumnSnapshot, type Lane } from "./column.ts";
import { canonical, hashLanes, hashText, mixInto, type HashPair } from "./hash.ts";
import { Records, type RecordsSnapshot } from "./records.ts";
import { Field, RowChunks, WideField } from "./rows.ts";

/** The whole state after a command. Unchanged chunks and records are shared with the state before. */
export interface StoreSnapshot {
  readonly columns: readonly ColumnSnapshot<Lane>[];
  readonly records: readonly RecordsSnapshot<object>[];
}

/**
 * All state of a machine: columns and records, nothing else (DESIGN.md section 3). Everything
 * that is not registered here is derived and may be thrown away at any time.
 */
export class Store {
  private readonly chunks: Chunks<Lane>[] = [];
  private readonly columns: Column[] = [];
  private readonly tables: Records<object>[] = [];
  /** how often a state was restored: what is derived from the state must be forgotten then */
  restores = 0;
  /** hash of a chunk or record that can no longer change */
  private readonly hashes = new WeakMap<object, HashPair>();

  /** A column of 32-bit integers; `shift` is log2 of the entries in a chunk (4096 entries: 16 KiB). */
  int32(name: string, shift = 12): Int32Column {
    return this.plain(new Int32Column(name, shift));
  }

  wide(name: string, shift = 11): WideColumn {
    return this.plain(new WideColumn(name, shift));
  }

  /** As int32, for a few entries that are used all the time: up to 2^shift of them are quick to reach. */
  smallInt32(name: string, shift: number): Int32Column {
    return this.plain(new SmallInt32Column(name, shift));
  }

  smallWide(name: string, shift: number): WideColumn {
    return this.plain(new SmallWideColumn(name, shift));
  }

  /** Columns side by side: `width` numbers for each index, 2^shift indices in a chunk. */
  rows(name: string, shift: number, width: number): RowChunks {
    const rows = new RowChunks(name, shift, width);
    this.chunks.push(rows);
    return rows;
  }

  field(rows: RowChunks, name: string, offset: number): Field {
    const field = new Field(rows, name, offset);
    this.columns.push(field);
    return field;
  }

  wideField(rows: RowChunks, name: string, offset: number): WideField {
    const field = new WideField(rows, name, offset);
    this.columns.push(field);
    return field;
  }

  records<R extends object>(name: string): Records<R> {
    const table = new Records<R>(name);
    this.tables.push(table);
    return table;
  }

  /** Columns and tables in the order they were made, for what looks at all of them. */
  parts(): { readonly columns: readonly Column[]; readonly tables: readonly Records<object>[] } {
    return { columns: this.columns, tables: this.tables };
  }

  /** Hash of a record by its content. */
  recordHash(record: object): HashPair {
    return this.hashOf(record, () => hashText(canonical(record)));
  }

  snapshot(): StoreSnapshot {
    return { columns: this.chunks.map((c) => c.snapshot()), records: this.tables.map((t) => t.snapshot()) };
  }

  restore(to: StoreSnapshot): void {
    this.restores++;
    this.chunks.forEach((c, i) => c.restore(to.columns[i]));
    this.tables.forEach((t, i) => t.restore(to.records[i]));
  }

  /** Hash of the state as 16 hexadecimal digits. Same configuration and commands: same hash, on every platform. */
  hash(): string {
    let a = 0;
    let b = 0;
    const fold = (where: number, h: HashPair): void => {
      a = (a + mixInto(h.a, where)) | 0;
      b = (b + mixInto(h.b ^ 0x5bd1e995, where)) | 0;
    };
    this.chunks.forEach((column, n) => {
      column.snapshot();
      column.chunks.forEach((chunk, c) => {
        if (chunk === undefined) return;
        const h = this.hashOf(chunk, () => hashLanes(new Int32Array(chunk.buffer, chunk.byteOffset, chunk.byteLength >>> 2)));
        if (h.a !== 0 || h.b !== 0) fold(mixInto(n + 1, c), h);
      });
    });
    this.tables.forEach((table, n) => {
      for (const [slot, record] of table.entries()) {
        fold(mixInto(n + 1001, slot), this.recordHash(record));
      }
    });
    return (a >>> 0).toString(16).padStart(8, "0") + (b >>> 0).toString(16).padStart(8, "0");
  }

  /** Bytes held by chunks that this state can reach (for the bars on memory). */
  bytes(): number {
    let total = 0;
    for (const column of this.chunks) {
      for (const chunk of column.chunks) total += chunk?.byteLength ?? 0;
      total += column.chunks.length * 8;
    }
    return total;
  }

  private plain<C extends Chunks<Lane> & Column>(column: C): C {
    this.chunks.push(column);
    this.columns.push(column);
    return column;
  }

  private hashOf(key: object, compute: () => HashPair): HashPair {
    let h = this.hashes.get(key);
    if (h === undefined) {
      h = compute();
      this.hashes.set(key, h);
    }
    return h;
  }
}
