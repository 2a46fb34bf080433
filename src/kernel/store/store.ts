import type { Column } from "./column.ts";
import { Int32Column, WideColumn, type ColumnSnapshot, type Lane } from "./column.ts";
import { canonical, hashLanes, hashText, mixInto, type HashPair } from "./hash.ts";
import { Records, type RecordsSnapshot } from "./records.ts";

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
  private readonly columns: Column<Lane>[] = [];
  private readonly tables: Records<object>[] = [];
  /** hash of a chunk or record that can no longer change */
  private readonly hashes = new WeakMap<object, HashPair>();

  /** A column of 32-bit integers; `shift` is log2 of the entries in a chunk (4096 entries: 16 KiB). */
  int32(name: string, shift = 12): Int32Column {
    const column = new Int32Column(name, shift);
    this.columns.push(column);
    return column;
  }

  wide(name: string, shift = 11): WideColumn {
    const column = new WideColumn(name, shift);
    this.columns.push(column);
    return column;
  }

  records<R extends object>(name: string): Records<R> {
    const table = new Records<R>(name);
    this.tables.push(table);
    return table;
  }

  /** Columns and tables in the order they were made, for what looks at all of them. */
  parts(): { readonly columns: readonly Column<Lane>[]; readonly tables: readonly Records<object>[] } {
    return { columns: this.columns, tables: this.tables };
  }

  /** Hash of a record by its content. */
  recordHash(record: object): HashPair {
    return this.hashOf(record, () => hashText(canonical(record)));
  }

  snapshot(): StoreSnapshot {
    return { columns: this.columns.map((c) => c.snapshot()), records: this.tables.map((t) => t.snapshot()) };
  }

  restore(to: StoreSnapshot): void {
    this.columns.forEach((c, i) => c.restore(to.columns[i]));
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
    this.columns.forEach((column, n) => {
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
    for (const column of this.columns) {
      for (const chunk of column.chunks) total += chunk?.byteLength ?? 0;
      total += column.chunks.length * 8;
    }
    return total;
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
