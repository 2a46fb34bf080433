import Database from "better-sqlite3";

/** What can be wrong with the file, its folder or its disk. Each has a sentence in the catalogue and a way on. */
export type StorageProblem = "damaged" | "newer" | "locked" | "full" | "unwritable" | "notADatabase";

/** The one error that leaves this layer when the file cannot be used. `key` and `args` form a message of the catalogue. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly kind: StorageProblem;
  readonly file: string;
  readonly key: string;
  readonly args: Readonly<Record<string, string>>;

  constructor(kind: StorageProblem, file: string, cause?: unknown) {
    super(`storage: ${file}: ${kind}${cause === undefined ? "" : ` (${textOf(cause)})`}`, { cause });
    this.kind = kind;
    this.file = file;
    this.key = `storage.error.${kind}`;
    this.args = { file };
  }
}

/** Why a single read or write was refused; the file is all right, and nothing was changed. */
export type RefusalReason = "tooLarge" | "tooMany" | "malformed" | "notFound" | "nameTaken";

export class StorageRefusal extends Error {
  override readonly name = "StorageRefusal";
  readonly reason: RefusalReason;
  readonly key: string;
  readonly args: Readonly<Record<string, string | number>>;

  constructor(reason: RefusalReason, args: Readonly<Record<string, string | number>> & { readonly what: string }) {
    super(`storage: ${reason}: ${JSON.stringify(args)}`);
    this.reason = reason;
    this.key = `storage.refused.${reason}`;
    this.args = args;
  }
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Result codes of SQLite (https://sqlite.org/rescode.html) by beginning: an extended code begins with its primary one. */
const sqliteKinds: readonly (readonly [beginning: string, kind: StorageProblem])[] = [
  ["SQLITE_CORRUPT", "damaged"],
  ["SQLITE_IOERR_CORRUPTFS", "damaged"],
  ["SQLITE_IOERR_SHORT_READ", "damaged"],
  ["SQLITE_NOTADB", "notADatabase"],
  ["SQLITE_FULL", "full"],
  ["SQLITE_BUSY", "locked"],
  ["SQLITE_LOCKED", "locked"],
  ["SQLITE_PROTOCOL", "locked"],
  ["SQLITE_READONLY", "unwritable"],
  ["SQLITE_CANTOPEN", "unwritable"],
  ["SQLITE_IOERR", "unwritable"],
  ["SQLITE_PERM", "unwritable"],
  ["SQLITE_AUTH", "unwritable"],
  ["SQLITE_NOLFS", "unwritable"],
];

/** errno names of node:fs. EBUSY: Windows refuses to rename a file that is open. */
const errnoKinds: Readonly<Record<string, StorageProblem>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EBUSY: "locked",
  EACCES: "unwritable",
  EPERM: "unwritable",
  EROFS: "unwritable",
  ENOTDIR: "unwritable",
  EISDIR: "unwritable",
  EEXIST: "unwritable",
  ENOENT: "unwritable",
  ENAMETOOLONG: "unwritable",
  ELOOP: "unwritable",
  EIO: "unwritable",
};

/** What an error of SQLite or the file system means for the file, or null when it is none of the six (a bug of ours, a refused write). */
export function problemOf(error: unknown): StorageProblem | null {
  if (error instanceof StorageError) return error.kind;
  if (error instanceof Database.SqliteError) {
    const { code } = error;
    return sqliteKinds.find(([beginning]) => code.startsWith(beginning))?.[1] ?? null;
  }
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return Object.hasOwn(errnoKinds, error.code) ? errnoKinds[error.code] : null;
  }
  return null;
}

/** The error to throw on: a StorageError where it is one of the six, else the error itself. */
export function asStorageError(error: unknown, file: string): unknown {
  if (error instanceof StorageError) return error;
  const kind = problemOf(error);
  return kind === null ? error : new StorageError(kind, file, error);
}
