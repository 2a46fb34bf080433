import { type AttemptKey, readAttempt } from "./attempts.ts";
import { command, query, type ReadableDb, type WritableDb } from "./connection.ts";
import { checkInteger, checkRoom, checkSha256, LIMITS, toJson } from "./limits.ts";

export interface SubmissionRecord {
  readonly submission: number;
  readonly attempt: number;
  /** sha256 of the file that was handed in */
  readonly hash: string;
  readonly content: unknown;
  readonly timeMs: number;
}

interface SubmissionRow extends Omit<SubmissionRecord, "content"> {
  readonly content: string;
}

const ofAttempt = query<[number], SubmissionRow>("SELECT id AS submission, attempt, hash, content, timeMs FROM submissions WHERE attempt = ? ORDER BY id");
const count = query<[number], { count: number }>("SELECT count(*) AS count FROM submissions WHERE attempt = ?");
const insert = command<[number, string, string, number]>("INSERT INTO submissions (attempt, hash, content, timeMs) VALUES (?, ?, ?, ?)");

/** Keeps a copy of what was handed in. @returns its number @throws StorageRefusal notFound, tooMany, tooLarge, malformed */
export function saveSubmission(
  db: WritableDb,
  key: AttemptKey,
  submission: { readonly hash: string; readonly content: unknown; readonly nowMs: number },
): number {
  const hash = checkSha256(submission.hash, "hash");
  const content = toJson(submission.content, "submission", LIMITS.submissionBytesMax);
  const timeMs = checkInteger(submission.nowMs, "nowMs");
  return db.write(() => {
    readAttempt(db, key);
    checkRoom(db.first(count, key.attempt)?.count ?? 0, "submissions", LIMITS.submissionsPerAttemptMax);
    return db.run(insert, key.attempt, hash, content, timeMs).rowId;
  });
}

/** What was handed in of an attempt, oldest first. @throws StorageRefusal notFound */
export function listSubmissions(db: ReadableDb, key: AttemptKey): readonly SubmissionRecord[] {
  readAttempt(db, key);
  return db.all(ofAttempt, key.attempt).map((row) => ({ ...row, content: db.json(row.content) }));
}
