import { command, query, type ReadableDb, type WritableDb } from "./connection.ts";
import { type LearnerId, readLearner } from "./learners.ts";
import { checkInteger, checkRoom, checkSha256, checkText, checkUuid, LIMITS, toJson } from "./limits.ts";
import { findPack } from "./packs.ts";
import { deriveProgress, type LabKey, type LabProgress } from "./progress.ts";
import { StorageRefusal } from "./storageError.ts";

/** Whose attempt. Every call names both, so that nobody reaches another learner's attempt by its number. */
export interface AttemptKey {
  readonly learner: LearnerId;
  readonly attempt: number;
}

export interface NewAttempt {
  readonly learner: LearnerId;
  readonly packHash: string;
  /** the lab's UUID */
  readonly lab: string;
  readonly profile: string;
  readonly seed: number;
  /** version of the simulator's behaviour */
  readonly behaviour: string;
  readonly nowMs: number;
}

export interface AttemptRecord {
  readonly attempt: number;
  readonly learner: LearnerId;
  readonly packHash: string;
  readonly packId: string;
  readonly lab: string;
  readonly profile: string;
  readonly seed: number;
  readonly behaviour: string;
  readonly startedMs: number;
}

/** Kinds that progress is derived from are in progress.ts; others are kept for whoever asks. */
export interface NewEvent {
  readonly kind: string;
  /** any JSON value */
  readonly payload: unknown;
}

export interface EventRecord extends NewEvent {
  /** grows in the order in which events were saved, over all attempts */
  readonly id: number;
  readonly attempt: number;
  /** 1, 2, 3 ... in the attempt */
  readonly sequence: number;
  readonly timeMs: number;
}

interface EventRow extends Omit<EventRecord, "payload"> {
  readonly payload: string;
}

const attemptColumns = "a.id AS attempt, learner, packHash, packId, lab, profile, seed, behaviour, startedMs";
const attemptsOf = query<[LearnerId], AttemptRecord>(
  `SELECT ${attemptColumns} FROM attempts a JOIN packs p ON p.hash = a.packHash WHERE learner = ? ORDER BY a.id`,
);
const attemptByKey = query<[number, LearnerId], AttemptRecord>(
  `SELECT ${attemptColumns} FROM attempts a JOIN packs p ON p.hash = a.packHash WHERE a.id = ? AND learner = ?`,
);
const attemptCount = query<[LearnerId], { count: number }>("SELECT count(*) AS count FROM attempts WHERE learner = ?");
const insertAttempt = command<[LearnerId, string, string, string, number, string, number]>(
  "INSERT INTO attempts (learner, packHash, lab, profile, seed, behaviour, startedMs) VALUES (?, ?, ?, ?, ?, ?, ?)",
);

const eventColumns = "e.id, attempt, sequence, kind, payload, timeMs";
const eventsOfAttempt = query<[number, number, number], EventRow>(
  `SELECT ${eventColumns} FROM events e WHERE attempt = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
);
const eventsOfLearner = query<[LearnerId], EventRow>(
  `SELECT ${eventColumns} FROM events e JOIN attempts a ON a.id = e.attempt WHERE learner = ? ORDER BY e.id`,
);
const lastSequence = query<[number], { sequence: number | null }>("SELECT max(sequence) AS sequence FROM events WHERE attempt = ?");
const insertEvent = command<[number, number, string, string, number]>("INSERT INTO events (attempt, sequence, kind, payload, timeMs) VALUES (?, ?, ?, ?, ?)");

/** Begins an attempt; its first event says so. @throws StorageRefusal notFound (learner, pack), tooMany, malformed, tooLarge */
export function startAttempt(db: WritableDb, attempt: NewAttempt): AttemptKey {
  const { learner } = attempt;
  const packHash = checkSha256(attempt.packHash, "packHash");
  const lab = checkUuid(attempt.lab, "lab");
  const profile = checkText(attempt.profile, "profile", LIMITS.profileBytesMax);
  const behaviour = checkText(attempt.behaviour, "behaviour", LIMITS.behaviourBytesMax);
  const seed = checkInteger(attempt.seed, "seed");
  const startedMs = checkInteger(attempt.nowMs, "nowMs");
  return db.write(() => {
    readLearner(db, learner);
    if (findPack(db, packHash) === null) throw new StorageRefusal("notFound", { what: "pack" });
    checkRoom(db.first(attemptCount, learner)?.count ?? 0, "attempts", LIMITS.attemptsPerLearnerMax);
    const { rowId } = db.run(insertAttempt, learner, packHash, lab, profile, seed, behaviour, startedMs);
    const key = { learner, attempt: rowId };
    appendEvents(db, key, [{ kind: "started", payload: {} }], startedMs);
    return key;
  });
}

/** @throws StorageRefusal notFound, also for another learner's attempt */
export function readAttempt(db: ReadableDb, key: AttemptKey): AttemptRecord {
  const attempt = db.first(attemptByKey, key.attempt, key.learner);
  if (attempt === undefined) throw new StorageRefusal("notFound", { what: "attempt" });
  return attempt;
}

/** A learner's attempts, oldest first. */
export function listAttempts(db: ReadableDb, learner: LearnerId): readonly AttemptRecord[] {
  return db.all(attemptsOf, learner);
}

/** Saves events, all or none. @returns the sequence number of the last event of the attempt @throws StorageRefusal notFound, tooLarge, tooMany, malformed */
export function appendEvents(db: WritableDb, key: AttemptKey, events: readonly NewEvent[], nowMs: number): number {
  const timeMs = checkInteger(nowMs, "nowMs");
  return db.write(() => {
    readAttempt(db, key);
    let sequence = db.first(lastSequence, key.attempt)?.sequence ?? 0;
    for (const event of events) {
      checkRoom(sequence, "events", LIMITS.eventsPerAttemptMax);
      const kind = checkText(event.kind, "kind", LIMITS.eventKindBytesMax);
      const payload = toJson(event.payload, kind, LIMITS.eventBytesMax);
      db.run(insertEvent, key.attempt, ++sequence, kind, payload, timeMs);
    }
    return sequence;
  });
}

/** Events of an attempt behind `after`, at most `most` of them. @throws StorageRefusal notFound */
export function readEvents(
  db: ReadableDb,
  key: AttemptKey,
  { after = 0, most = LIMITS.eventsPerAttemptMax }: { readonly after?: number; readonly most?: number } = {},
): readonly EventRecord[] {
  readAttempt(db, key);
  return db.all(eventsOfAttempt, key.attempt, after, most).map((row) => ({ ...row, payload: db.json(row.payload) }));
}

/** How far a learner is in every lab that was ever tried. */
export function readProgress(db: ReadableDb, learner: LearnerId): ReadonlyMap<LabKey, LabProgress> {
  const events = db.all(eventsOfLearner, learner).map((row) => ({ ...row, payload: db.json(row.payload) }));
  return deriveProgress(listAttempts(db, learner), events);
}
