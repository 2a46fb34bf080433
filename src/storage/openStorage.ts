import { resolve } from "node:path";
import Database from "better-sqlite3";
import { command, Connection, query, type ReadableDb, type SqlValue, type WritableDb } from "./connection.ts";
import { fileIdentity, makeFolderOf, setAside, sizeBytes } from "./files.ts";
import { APPLICATION_ID, migrate, SCHEMA_VERSION } from "./migrate.ts";
import { asStorageError, problemOf, StorageError } from "./storageError.ts";

const GIB = 1024 ** 3;

/** Pause before a damaged file is looked at again. */
const SECOND_LOOK_MS = 50;

/** Looks at a file before giving up: two for each of two damaged files, and one more. */
const ATTEMPTS_MAX = 5;

export interface StorageOptions {
  /** wall clock, ms since 1970; for the names of backups and of what is set aside */
  readonly nowMs: number;
  /**
   * own: the folder is Hugelab's, so whatever has this name was written by us, and one that is no database is a damaged one.
   * chosen: a person named the file, so what is no file of ours is refused and left as it is.
   */
  readonly place: "own" | "chosen";
  /** how long to wait for another process that has it, ms; default 1000 */
  readonly lockedWaitMs?: number;
  /** the file never becomes larger; default 4 GiB */
  readonly sizeBytesMax?: number;
}

/** Something that a person should be told once: a message of the catalogue. */
export interface StorageNotice {
  readonly key: string;
  readonly args: Readonly<Record<string, string | number>>;
}

/** An open file with saved progress. Other processes cannot open it until `close`. */
export class Storage {
  readonly file: string;
  readonly notices: readonly StorageNotice[];
  readonly isReadOnly: boolean;
  readonly #connection: Connection;

  constructor(connection: Connection, isReadOnly: boolean, notices: readonly StorageNotice[]) {
    this.file = connection.file;
    this.#connection = connection;
    this.isReadOnly = isReadOnly;
    this.notices = notices;
  }

  get read(): ReadableDb {
    return this.#connection;
  }

  /** @throws StorageError newer when it is open for reading only */
  get write(): WritableDb {
    if (this.isReadOnly) throw new StorageError("newer", this.file);
    return this.#connection;
  }

  close(): void {
    this.#connection.close();
  }
}

/**
 * Opens a file with saved progress, or makes one.
 * A damaged file is set aside and a new one begun; a newer one is opened for reading: `notices` says so.
 * @throws StorageError locked, full, unwritable, notADatabase (the file is as it was)
 */
export function openStorage(path: string, options: StorageOptions): Storage {
  return openWithNotices(resolve(path), options, []);
}

/** For when a storage that is open meets damage: closes it, sets its file aside and begins a new one. @throws StorageError as `openStorage` */
export function replaceDamaged(storage: Storage, options: StorageOptions): Storage {
  const { file } = storage;
  const identity = fileIdentity(file);
  storage.close();
  const notices: StorageNotice[] = [];
  const notice = setAsideIfStill(file, identity, options.nowMs);
  if (notice !== null) notices.push(notice);
  return openWithNotices(file, options, notices);
}

/** A storage that ends with the process: for a machine where no place can be written to, and for tests. */
export function openMemoryStorage(): Storage {
  const db = new Database(":memory:");
  configure(db, ":memory:", {});
  migrate(db, null, { from: 0, nowMs: 0 });
  return new Storage(new Connection(db, ":memory:"), false, []);
}

/** a larger file is not copied into memory */
const COPY_BYTES_MAX = 256 * 1024 ** 2;

const tableNames = query<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid");
const columnNames = query<[string], { name: string }>("SELECT name FROM pragma_table_info(?)");

/**
 * What a storage that can only be read holds, in one that ends with the process: what is there can be shown and worked with. Of a newer
 * version's file as much as our tables have; an empty one where it does not fit them, or is too large.
 */
export function openMemoryCopy(of: Storage): Storage {
  const copy = openMemoryStorage();
  try {
    if (sizeBytes(of.file) <= COPY_BYTES_MAX) copyRows(of.read, copy.write);
    return copy;
  } catch (error) {
    copy.close();
    if (problemOf(error) === null && !(error instanceof Database.SqliteError)) throw error;
    return openMemoryStorage();
  }
}

/** All tables in the order in which they were made, so that what a row refers to is there; rows in their order, so that no number is left out. */
function copyRows(from: ReadableDb, to: WritableDb): void {
  to.write(() => {
    for (const { name: table } of to.all(tableNames)) {
      const columns = to.all(columnNames, table).map(({ name }) => name);
      const insert = command<SqlValue[]>(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`);
      const rows = from.all(query<[], Readonly<Record<string, SqlValue>>>(`SELECT ${columns.join(", ")} FROM ${table}`));
      for (const row of rows) to.run(insert, ...columns.map((column) => row[column]));
    }
  });
}

/**
 * A second process may be setting the same damaged file aside, or closing one that is all right, and show states that look like
 * damage and pass. So what is found counts only if the same file is still there, and damage only when it is seen twice.
 * @param notices are added to
 */
function openWithNotices(file: string, options: StorageOptions, notices: StorageNotice[]): Storage {
  const suspects: (string | null)[] = [];
  for (let attempt = 1; ; attempt++) {
    let identity: string | null = null;
    try {
      makeFolderOf(file);
      identity = fileIdentity(file);
      return openOnce(file, options, notices);
    } catch (error) {
      const kind = problemOf(error);
      const isDamaged = kind === "damaged" || (kind === "notADatabase" && options.place === "own");
      if (attempt === ATTEMPTS_MAX) throw asStorageError(error, file);
      if (isDamaged && suspects.includes(identity)) {
        const notice = setAsideIfStill(file, identity, options.nowMs);
        if (notice !== null) notices.push(notice);
      } else if (isDamaged) {
        suspects.push(identity);
        pause(SECOND_LOOK_MS);
      } else if (kind !== "unwritable" || identityOrNull(file) === identity) {
        throw asStorageError(error, file);
      }
    }
  }
}

/** @returns what to tell, or null where the file is another one by now @throws StorageError unwritable */
function setAsideIfStill(file: string, identity: string | null, nowMs: number): StorageNotice | null {
  if (fileIdentity(file) !== identity) return null;
  try {
    return { key: "storage.notice.setAside", args: { file, kept: setAside(file, nowMs) } };
  } catch (error) {
    if (identityOrNull(file) !== identity) return null;
    throw asStorageError(error, file);
  }
}

/** As `fileIdentity`, null also where nothing can be asked about the place. */
function identityOrNull(file: string): string | null {
  try {
    return fileIdentity(file);
  } catch {
    return null;
  }
}

/** Stops this thread: opening is synchronous, and nothing else can be done before it. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function openOnce(file: string, options: StorageOptions, notices: readonly StorageNotice[]): Storage {
  const waitMs = options.lockedWaitMs ?? 1000;
  const found = look(file, waitMs);
  if (found === "newer") {
    const db = new Database(file, { readonly: true, fileMustExist: true, timeout: waitMs });
    return new Storage(new Connection(db, file), true, [...notices, { key: "storage.notice.newer", args: { file } }]);
  }
  const db = new Database(file, { timeout: waitMs });
  try {
    const migrated = prepareForWriting(db, file, options);
    return new Storage(new Connection(db, file), false, [...notices, ...migrated]);
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * What is in the file, found by a connection that changes nothing in it: closing a writable one would move the log into a file
 * that is damaged, newer or not ours.
 */
function look(file: string, waitMs: number): "new" | "ours" | "newer" {
  // the log first: a process that is just making the file writes that before the log
  const logBytes = sizeBytes(`${file}-wal`);
  if (sizeBytes(file) <= 1) {
    // SQLite takes a file of one byte for an empty one, and deletes the log of an empty one with all that it has
    if (logBytes > 0) throw new StorageError("damaged", file, "a log without its database");
    return "new";
  }
  const db = new Database(file, { readonly: true, fileMustExist: true, timeout: waitMs });
  try {
    const found = identify(db, file);
    if (found === "ours") {
      checkWhole(db, file);
      checkLength(db, file);
    }
    return found;
  } catch (error) {
    // a first start was killed: only a writable connection can undo what it had begun
    if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_READONLY")) return "ours";
    throw error;
  } finally {
    db.close();
  }
}

/** @throws StorageError notADatabase, damaged */
function identify(db: Database.Database, file: string): "new" | "ours" | "newer" {
  const id = db.pragma("application_id", { simple: true }) as number;
  const version = db.pragma("user_version", { simple: true }) as number;
  if (id === APPLICATION_ID) {
    if (version < 1) throw new StorageError("damaged", file, `version ${version}`);
    return version > SCHEMA_VERSION ? "newer" : "ours";
  }
  const tables = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() as number;
  if (id !== 0 || version !== 0 || tables !== 0) throw new StorageError("notADatabase", file, `application_id ${id}`);
  return "new";
}

/** Structure of every page, NOT NULL and types of every row, and with a writable connection (SQLite leaves them out otherwise) CHECKs. @throws StorageError damaged */
function checkWhole(db: Database.Database, file: string): void {
  const found = db.pragma("quick_check(1)", { simple: true }) as string;
  if (found !== "ok") throw new StorageError("damaged", file, found);
}

/** SQLite reads what is missing at the end of the last page as zeros. Only without a log: one may hold what the file lacks. @throws StorageError damaged */
function checkLength(db: Database.Database, file: string): void {
  // inside a transaction, whose lock keeps others from changing the file between the two figures
  const [bytes, wanted] = db.transaction(() => {
    const pages = db.pragma("page_count", { simple: true }) as number;
    const pageBytes = db.pragma("page_size", { simple: true }) as number;
    return [sizeBytes(`${file}-wal`) > 0 ? Infinity : sizeBytes(file), pages * pageBytes];
  })();
  if (bytes < wanted) throw new StorageError("damaged", file, `${bytes} of ${wanted} bytes`);
}

/** Locks the file for this process, brings it to our version, and proves by writing that it can be written. @returns what to tell */
function prepareForWriting(db: Database.Database, file: string, options: StorageOptions): StorageNotice[] {
  // Exclusive: one process at a time, told in one sentence; and no shared memory beside the file, which network file systems lack.
  db.pragma("locking_mode = EXCLUSIVE");
  const found = identify(db, file);
  if (found === "newer") throw new StorageError("locked", file, "a newer Hugelab took it just now");
  if (found === "ours") checkWhole(db, file);
  configure(db, file, options);
  const from = db.pragma("user_version", { simple: true }) as number;
  const backups = migrate(db, file, { from, nowMs: options.nowMs });
  db.transaction(() => db.pragma(`user_version = ${SCHEMA_VERSION}`)).immediate();
  if (backups.length === 0) return [];
  return [{ key: "storage.notice.migrated", args: { from, to: SCHEMA_VERSION, kept: backups[0] } }];
}

function configure(db: Database.Database, file: string, { sizeBytesMax = 4 * GIB }: { readonly sizeBytesMax?: number }): void {
  const mode = db.pragma("journal_mode = WAL", { simple: true }) as string;
  if (mode !== "wal" && !db.memory) throw new StorageError("unwritable", file, `journal_mode ${mode}`);
  // better-sqlite3 is built so that WAL means NORMAL, which may lose the last steps in a power cut
  db.pragma("synchronous = FULL");
  db.pragma("checkpoint_fullfsync = ON");
  db.pragma("foreign_keys = ON");
  db.pragma("recursive_triggers = ON");
  db.pragma("trusted_schema = OFF");
  db.pragma("cell_size_check = ON");
  db.pragma(`journal_size_limit = ${16 * 1024 ** 2}`);
  const pageBytes = db.pragma("page_size", { simple: true }) as number;
  db.pragma(`max_page_count = ${Math.floor(sizeBytesMax / pageBytes)}`);
}
