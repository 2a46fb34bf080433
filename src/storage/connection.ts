import type Database from "better-sqlite3";
import { asStorageError, StorageError } from "./storageError.ts";

export type SqlValue = string | number | null;

/** A statement that reads. The type parameters say what goes in and what a row looks like; STRICT tables make that true. */
export interface Query<Params extends readonly SqlValue[], Row> {
  readonly reads: true;
  readonly sql: string;
  readonly types?: (params: Params) => Row;
}

/** A statement that writes. */
export interface Command<Params extends readonly SqlValue[]> {
  readonly reads: false;
  readonly sql: string;
  readonly types?: (params: Params) => void;
}

export function query<Params extends readonly SqlValue[], Row>(sql: string): Query<Params, Row> {
  return { reads: true, sql };
}

export function command<Params extends readonly SqlValue[]>(sql: string): Command<Params> {
  return { reads: false, sql };
}

/** What a function that only reads takes. */
export interface ReadableDb {
  /** @throws StorageError */
  first<Params extends readonly SqlValue[], Row>(statement: Query<Params, Row>, ...params: Params): Row | undefined;
  /** @throws StorageError */
  all<Params extends readonly SqlValue[], Row>(statement: Query<Params, Row>, ...params: Params): Row[];
  /** A stored JSON text as a value. The tables accept valid JSON only, so a text that is not valid is damage. @throws StorageError damaged */
  json(text: string): unknown;
}

/** What a function that writes takes. Only `write` has one to give. */
export interface WritableDb extends ReadableDb {
  /** Only inside `write`. @returns the row number of an INSERT and how many rows changed @throws StorageError */
  run<Params extends readonly SqlValue[]>(statement: Command<Params>, ...params: Params): { readonly rowId: number; readonly changes: number };
  /** All of it or nothing; inside another `write` a part of that one. The work is synchronous: a promise is refused. @throws StorageError */
  write<T>(work: () => T): T;
}

/**
 * One open database: prepared statements kept by their text, errors translated at this boundary.
 * After damage was met every further call fails with the same error: nothing is written over what may be saved yet.
 */
export class Connection implements WritableDb {
  readonly file: string;
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Database.Statement<SqlValue[]>>();
  readonly #inTransaction: Database.Transaction<(work: () => unknown) => unknown>;
  #broken: StorageError | null = null;

  constructor(db: Database.Database, file: string) {
    this.#db = db;
    this.file = file;
    this.#inTransaction = db.transaction((work: () => unknown) => work());
  }

  /** The damage that was met, if any. */
  get broken(): StorageError | null {
    return this.#broken;
  }

  first<Params extends readonly SqlValue[], Row>(statement: Query<Params, Row>, ...params: Params): Row | undefined {
    return this.guarded(() => this.#prepared(statement).get(...params)) as Row | undefined;
  }

  all<Params extends readonly SqlValue[], Row>(statement: Query<Params, Row>, ...params: Params): Row[] {
    return this.guarded(() => this.#prepared(statement).all(...params)) as Row[];
  }

  run<Params extends readonly SqlValue[]>(statement: Command<Params>, ...params: Params): { readonly rowId: number; readonly changes: number } {
    if (!this.#db.inTransaction) throw new Error("storage: a write outside write()");
    return this.guarded(() => {
      const { lastInsertRowid, changes } = this.#prepared(statement).run(...params);
      return { rowId: Number(lastInsertRowid), changes };
    });
  }

  write<T>(work: () => T): T {
    return this.guarded(() => this.#inTransaction.immediate(work) as T);
  }

  /** Runs work on the file, with its errors translated and damage remembered. @throws StorageError */
  guarded<T>(work: () => T): T {
    if (this.#broken !== null) throw this.#broken;
    try {
      return work();
    } catch (error) {
      const translated = asStorageError(error, this.file);
      if (!(translated instanceof StorageError)) throw translated;
      // the file was one of ours when it was opened: if it is no database any more, it is damaged
      const found = translated.kind === "notADatabase" ? new StorageError("damaged", this.file, error) : translated;
      if (found.kind === "damaged") this.#broken = found;
      throw found;
    }
  }

  json(text: string): unknown {
    return this.guarded(() => {
      try {
        return JSON.parse(text) as unknown;
      } catch (error) {
        throw new StorageError("damaged", this.file, error);
      }
    });
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepared(statement: { readonly reads: boolean; readonly sql: string }): Database.Statement<SqlValue[]> {
    const kept = this.#statements.get(statement.sql);
    if (kept !== undefined) return kept;
    const prepared = this.#prepareNew(statement.sql);
    if (prepared.readonly !== statement.reads) throw new Error(`storage: query() is for reading, command() for writing: ${statement.sql}`);
    this.#statements.set(statement.sql, prepared);
    return prepared;
  }

  #prepareNew(sql: string): Database.Statement<SqlValue[]> {
    try {
      return this.#db.prepare<SqlValue[]>(sql);
    } catch (error) {
      // read-only means a newer version's tables, which may lack a column that we ask for
      const isOtherSchema = this.#db.readonly && error instanceof Error && "code" in error && error.code === "SQLITE_ERROR";
      throw isOtherSchema ? new StorageError("newer", this.file, error) : error;
    }
  }
}
