import { command, query, type ReadableDb, type WritableDb } from "./connection.ts";
import { checkInteger, checkRoom, checkText, checkUuid, LIMITS } from "./limits.ts";
import { StorageRefusal } from "./storageError.ts";

/** A learner's UUID, made by the caller. */
export type LearnerId = string & { readonly brand?: "LearnerId" };

export interface Learner {
  readonly id: LearnerId;
  readonly name: string;
  readonly createdMs: number;
  /** null: shown in the list to choose from */
  readonly hiddenMs: number | null;
}

const columns = "id, name, createdMs, hiddenMs";
const all = query<[], Learner>(`SELECT ${columns} FROM learners ORDER BY nameKey`);
const byId = query<[LearnerId], Learner>(`SELECT ${columns} FROM learners WHERE id = ?`);
const byNameKey = query<[string], Learner>(`SELECT ${columns} FROM learners WHERE nameKey = ?`);
const count = query<[], { count: number }>("SELECT count(*) AS count FROM learners");
const insert = command<[LearnerId, string, string, number]>("INSERT INTO learners (id, name, nameKey, createdMs) VALUES (?, ?, ?, ?)");
const setName = command<[string, string, LearnerId]>("UPDATE learners SET name = ?, nameKey = ? WHERE id = ?");
const setHidden = command<[number | null, LearnerId]>("UPDATE learners SET hiddenMs = ? WHERE id = ?");

/** All learners of this machine, hidden ones too, by name. */
export function listLearners(db: ReadableDb): readonly Learner[] {
  return db.all(all);
}

/** @throws StorageRefusal notFound */
export function readLearner(db: ReadableDb, id: LearnerId): Learner {
  const learner = db.first(byId, id);
  if (learner === undefined) throw new StorageRefusal("notFound", { what: "learner" });
  return learner;
}

/** @throws StorageRefusal nameTaken (also by a hidden learner, and by a name that only looks the same), tooLarge, tooMany, malformed */
export function createLearner(db: WritableDb, learner: { readonly id: LearnerId; readonly name: string; readonly nowMs: number }): Learner {
  const id = checkUuid(learner.id, "id");
  const createdMs = checkInteger(learner.nowMs, "nowMs");
  const name = checkName(learner.name);
  return db.write(() => {
    checkRoom(db.first(count)?.count ?? 0, "learners", LIMITS.learnersMax);
    checkFree(db, name, null);
    if (db.first(byId, id) !== undefined) throw new StorageRefusal("malformed", { what: "id" });
    db.run(insert, id, name, nameKeyOf(name), createdMs);
    return { id, name, createdMs, hiddenMs: null };
  });
}

/** @throws StorageRefusal as `createLearner`, notFound */
export function renameLearner(db: WritableDb, id: LearnerId, newName: string): void {
  const name = checkName(newName);
  db.write(() => {
    readLearner(db, id);
    checkFree(db, name, id);
    db.run(setName, name, nameKeyOf(name), id);
  });
}

/** Takes a learner from the list to choose from, or puts one back (`hiddenMs` null). Nothing is deleted. @throws StorageRefusal notFound */
export function hideLearner(db: WritableDb, id: LearnerId, hiddenMs: number | null): void {
  if (hiddenMs !== null) checkInteger(hiddenMs, "hiddenMs");
  db.write(() => {
    readLearner(db, id);
    db.run(setHidden, hiddenMs, id);
  });
}

function checkName(name: string): string {
  return checkText(name.trim().normalize("NFC"), "name", LIMITS.nameBytesMax);
}

/** Names are the same when they look the same: case, width and compatibility forms, and runs of blanks do not count. */
function nameKeyOf(name: string): string {
  return name.normalize("NFKC").toLowerCase().normalize("NFKC").replace(/\s+/gu, " ");
}

function checkFree(db: ReadableDb, name: string, except: LearnerId | null): void {
  const taken = db.first(byNameKey, nameKeyOf(name));
  if (taken !== undefined && taken.id !== except) throw new StorageRefusal("nameTaken", { what: taken.name });
}
