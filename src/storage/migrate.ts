import type Database from "better-sqlite3";
import { backupPath, pruneBackups, syncFile } from "./files.ts";
import { migrations } from "./migrations/all.ts";
import type { Migration } from "./migrations/migration.ts";
import { StorageError } from "./storageError.ts";

/** `application_id` of the database header: "HLab". */
export const APPLICATION_ID = 0x484c6162;

/** The version that this Hugelab reads and writes. */
export const SCHEMA_VERSION = migrations[migrations.length - 1].version;

/**
 * Brings a database from its version to `SCHEMA_VERSION`, one transaction for each step, a backup before each; a step that fails
 * leaves the version before it, whole. A new database (version 0) has nothing to keep and is made in one transaction.
 * @param file its path, or null for one in memory
 * @returns the backups' paths, oldest first
 */
export function migrate(db: Database.Database, file: string | null, options: { readonly from: number; readonly nowMs: number }): string[] {
  const backups: string[] = [];
  const name = file ?? db.name;
  const pending = migrations.filter(({ version }) => version > options.from);
  // a step may build a table anew, which foreign keys would forbid; each is checked as a whole instead
  db.pragma("foreign_keys = OFF");
  if (options.from === 0) {
    const applyAll = () => {
      for (const migration of pending) apply(db, migration, name);
    };
    db.transaction(applyAll).immediate();
  } else {
    for (const migration of pending) {
      backups.push(backUp(db, name, migration.version - 1, options.nowMs));
      db.transaction(apply).immediate(db, migration, name);
    }
    pruneBackups(name, backups);
  }
  db.pragma("foreign_keys = ON");
  return backups;
}

/** One step, inside a transaction. */
function apply(db: Database.Database, migration: Migration, file: string): void {
  db.exec(migration.sql);
  const orphans = db.pragma("foreign_key_check") as unknown[];
  if (orphans.length > 0) throw new StorageError("damaged", file, `${orphans.length} rows refer to rows that are not there`);
  db.pragma(`application_id = ${APPLICATION_ID}`);
  db.pragma(`user_version = ${migration.version}`);
}

/** A copy of the whole database, written and synced under its final name. @returns its path */
function backUp(db: Database.Database, file: string, version: number, nowMs: number): string {
  const path = backupPath(file, version, nowMs);
  // VACUUM INTO reads every page, so a backup is also a proof that the file can be read
  db.prepare("VACUUM INTO ?").run(path);
  syncFile(path);
  return path;
}
