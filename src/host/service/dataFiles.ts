/** The files beside the database in the folder of data: for this user's eyes only. */
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What it says of the process that has the database. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly startedMs: number;
}

export function databaseFile(folder: string): string {
  return join(folder, "progress.db");
}

/** Makes the folder if it is not there, and closes it to other users. @throws as node:fs */
export function makeDataFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    chmodSync(folder, 0o700);
  } catch {
    // somebody else's folder that we may write to: the files in it are closed all the same
  }
}

/** So that SQLite, which takes over the mode of what is there, makes no file that others can read. Never touches a file that is there. */
export function precreate(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

const ownerFile = (folder: string): string => join(folder, "owner.json");

/** Says who has the database. Only for the sentence that a second process shows: the lock itself is SQLite's. */
export function writeOwner(folder: string, owner: Owner): void {
  try {
    writeFileSync(ownerFile(folder), JSON.stringify(owner), { mode: 0o600 });
  } catch {
    // a full disk: the second process then cannot say whose it is
  }
}

export function removeOwner(folder: string): void {
  rmSync(ownerFile(folder), { force: true });
}

/** Who has the database, or null where that is not known or the process has gone. */
export function readOwner(folder: string): Owner | null {
  try {
    const found = JSON.parse(readFileSync(ownerFile(folder), "utf8")) as Partial<Owner> | null;
    const { pid, host, startedMs } = found ?? {};
    if (!Number.isSafeInteger(pid) || !Number.isSafeInteger(startedMs) || typeof host !== "string") return null;
    process.kill(Number(pid), 0);
    return { pid: Number(pid), host, startedMs: Number(startedMs) };
  } catch {
    return null;
  }
}
