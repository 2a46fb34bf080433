import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { type AttemptKey, startAttempt } from "../src/storage/attempts.ts";
import type { WritableDb } from "../src/storage/connection.ts";
import { createLearner, type LearnerId } from "../src/storage/learners.ts";
import { openStorage, type Storage, type StorageOptions } from "../src/storage/openStorage.ts";
import { putPack } from "../src/storage/packs.ts";
import { StorageError, StorageRefusal } from "../src/storage/storageError.ts";

/** 2026-11-21T12:00:00Z */
export const NOON_MS = Date.UTC(2026, 10, 21, 12);

/** A UUID out of a small number. */
export function uuid(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}

/** A sha256 out of a small number. */
export function sha(number: number): string {
  return number.toString(16).padStart(64, "0");
}

export const options: StorageOptions = { nowMs: NOON_MS, place: "own", lockedWaitMs: 50 };

/** A path for a database in a new folder, which is removed after `use`. */
export async function withPath<T>(use: (file: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "hugelab-storage-"));
  try {
    return await use(join(folder, "progress.db"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Opens, uses, closes. */
export function withStorage<T>(file: string, use: (storage: Storage) => T, more: Partial<StorageOptions> = {}): T {
  const storage = openStorage(file, { ...options, ...more });
  try {
    return use(storage);
  } finally {
    storage.close();
  }
}

/** The database as any program sees it, without our layer. */
export function withRaw<T>(file: string, use: (db: Database.Database) => T): T {
  const db = new Database(file);
  try {
    return use(db);
  } finally {
    db.close();
  }
}

/** A learner and an attempt at a lab, with a pack for it. Learner, pack and lab are out of small numbers. */
export function beginAttempt(db: WritableDb, { learner = 1, pack = 1, lab = 1 } = {}): AttemptKey {
  const id = addLearner(db, learner);
  putPack(db, { hash: sha(pack), packId: uuid(1000 + pack), version: "1.0.0", place: "shipped", nowMs: NOON_MS });
  return startAttempt(db, {
    learner: id,
    packHash: sha(pack),
    lab: uuid(2000 + lab),
    profile: "debian-6.18.15",
    seed: 7,
    behaviour: "1",
    nowMs: NOON_MS,
  });
}

/** The learner of that number, made if not there. */
export function addLearner(db: WritableDb, number: number): LearnerId {
  try {
    return createLearner(db, { id: uuid(number), name: `learner ${number}`, nowMs: NOON_MS }).id;
  } catch (error) {
    if (error instanceof StorageRefusal && error.reason === "nameTaken") return uuid(number);
    throw error;
  }
}

/** What a call throws as a StorageError: kind and file. */
export function problem(call: () => unknown): { readonly kind: string; readonly file: string } | "none" {
  try {
    call();
  } catch (error) {
    if (error instanceof StorageError) return { kind: error.kind, file: error.file };
    throw error;
  }
  return "none";
}

/** What a call throws as a StorageRefusal: its reason. */
export function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof StorageRefusal) return error.reason;
    throw error;
  }
  return "none";
}
