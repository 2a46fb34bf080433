import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

// The database file itself is never opened here: closing any descriptor of it drops the locks that SQLite holds in this
// process (https://sqlite.org/howtocorrupt.html, section 2.2). stat and rename are safe.

/** What SQLite keeps beside a database. They belong together: a log without its database, or the reverse, is a loss. */
const companions = ["-wal", "-journal", "-shm"];

/** Backups that are kept, newest first. */
export const BACKUPS_MAX = 12;

/** A time for file names: 2026-11-21T12:30:00.123Z becomes 20261121T123000123Z. */
function stampOf(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[-:.]/g, "");
}

/** `wanted`, or the first of `wanted-2`, `wanted-3` ... that neither exists nor has companions. */
function freePath(wanted: string): string {
  for (let count = 1; ; count++) {
    const path = count === 1 ? wanted : `${wanted}-${count}`;
    if (["", ...companions].every((ending) => !existsSync(path + ending))) return path;
  }
}

/** 0 where there is no file. */
export function sizeBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** What tells a file from another of the same name, or null where there is none. */
export function fileIdentity(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
}

/** Renames a database and what belongs to it. Nothing is overwritten. @returns the new path */
export function setAside(file: string, nowMs: number): string {
  const kept = freePath(`${file}.damaged-${stampOf(nowMs)}`);
  for (const ending of ["", ...companions]) if (existsSync(file + ending)) renameSync(file + ending, kept + ending);
  syncFolder(dirname(file));
  return kept;
}

/** The path for a backup of the file at that version. */
export function backupPath(file: string, version: number, nowMs: number): string {
  return freePath(`${file}.v${version}-${stampOf(nowMs)}.backup`);
}

/** Makes a written file survive a power cut under its name. `path` is nobody's open database. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  syncFolder(dirname(path));
}

/** Windows has no fsync of a folder, and some network file systems refuse it: the rename is then as safe as the system makes it. */
function syncFolder(folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, "r");
    fsyncSync(descriptor);
  } catch {
    // nothing more can be done
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Removes the oldest backups of the file beyond `BACKUPS_MAX`; never one of `spared`. A backup that cannot be removed stays. */
export function pruneBackups(file: string, spared: readonly string[]): void {
  const folder = dirname(file);
  const backups = readdirSync(folder)
    .filter((name) => name.startsWith(`${basename(file)}.v`) && name.endsWith(".backup"))
    .map((name) => join(folder, name))
    .filter((path) => !spared.includes(path))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of backups.slice(Math.max(0, BACKUPS_MAX - spared.length))) rmSync(path, { force: true });
}

export function makeFolderOf(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
}
