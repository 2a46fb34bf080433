import { type AttemptKey, readAttempt } from "./attempts.ts";
import { command, query, type ReadableDb, type WritableDb } from "./connection.ts";
import { type LearnerId, readLearner } from "./learners.ts";
import { byteLength, checkHex, checkInteger, checkRoom, checkText, LIMITS, toJson } from "./limits.ts";
import { StorageRefusal } from "./storageError.ts";

/** Whose session; as with attempts, the number alone opens nothing. */
export interface SessionKey {
  readonly learner: LearnerId;
  readonly session: number;
}

/** What the state after a command is known by. */
export interface NodeState {
  /** version of the simulator's behaviour that made it */
  readonly behaviour: string;
  /** hex */
  readonly stateHash: string;
  /** of what the learner saw, hex */
  readonly digest: string;
}

export interface NewSession {
  readonly learner: LearnerId;
  /** null: a free session */
  readonly attempt: number | null;
  readonly profile: string;
  readonly seed: number;
  /** what else the machines were booted with: any JSON value */
  readonly config: unknown;
  /** after boot */
  readonly root: NodeState;
  readonly nowMs: number;
}

export interface SessionRecord {
  readonly session: number;
  readonly learner: LearnerId;
  readonly attempt: number | null;
  readonly profile: string;
  readonly seed: number;
  readonly config: unknown;
  readonly startedMs: number;
  readonly changedMs: number;
  readonly currentNode: number;
}

/** A node of the history tree. Number 0 is the machine after boot; each command adds the next number. */
export interface NodeRecord extends NodeState {
  readonly node: number;
  readonly parent: number | null;
  readonly command: string;
  /** how many operations of a cancelled command were done; null: it ran to its end */
  readonly operationsDone: number | null;
  readonly timeMs: number;
}

export type LineKind = "input" | "output" | "error" | "note";

export interface NewLine {
  readonly kind: LineKind;
  readonly text: string;
}

export interface TranscriptLine extends NewLine {
  readonly line: number;
  readonly node: number;
  /** how much was left off at the end (limits of a line and of a session); replaying the node shows it again */
  readonly clippedBytes: number;
}

interface SessionRow extends Omit<SessionRecord, "config"> {
  readonly config: string;
  readonly transcriptBytes: number;
}

const sessionColumns = "id AS session, learner, attempt, profile, seed, config, startedMs, changedMs, currentNode, transcriptBytes";
const sessionByKey = query<[number, LearnerId], SessionRow>(`SELECT ${sessionColumns} FROM sessions WHERE id = ? AND learner = ?`);
const sessionsOf = query<[LearnerId, number], SessionRow>(`SELECT ${sessionColumns} FROM sessions WHERE learner = ? ORDER BY changedMs DESC, id DESC LIMIT ?`);
const sessionCount = query<[LearnerId], { count: number }>("SELECT count(*) AS count FROM sessions WHERE learner = ?");
const sessionOfAttempt = query<[number, LearnerId], { session: number }>(
  "SELECT max(id) AS session FROM sessions WHERE attempt = ? AND learner = ? HAVING max(id) IS NOT NULL",
);
const insertSession = command<[LearnerId, number | null, string, number, string, number, number]>(
  `INSERT INTO sessions (learner, attempt, profile, seed, config, startedMs, changedMs, currentNode, transcriptBytes) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)`,
);
const setCurrent = command<[number, number, number, number]>("UPDATE sessions SET currentNode = ?, changedMs = ?, transcriptBytes = ? WHERE id = ?");

const nodeColumns = "node, parent, command, operationsDone, behaviour, stateHash, digest, timeMs";
const nodesOf = query<[number, number, number], NodeRecord>(`SELECT ${nodeColumns} FROM nodes WHERE session = ? AND node >= ? ORDER BY node LIMIT ?`);
const lastNode = query<[number], { node: number | null }>("SELECT max(node) AS node FROM nodes WHERE session = ?");
const insertNode = command<[number, number, number | null, string, number | null, string, string, string, number]>(
  `INSERT INTO nodes (session, ${nodeColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);

const lineColumns = "line, node, kind, text, clippedBytes";
const linesOf = query<[number, number, number], TranscriptLine>(
  `SELECT ${lineColumns} FROM transcript WHERE session = ? AND line < ? ORDER BY line DESC LIMIT ?`,
);
const typedIn = query<[number, number], { text: string }>("SELECT text FROM transcript WHERE session = ? AND kind = 'input' ORDER BY line DESC LIMIT ?");
const lastLine = query<[number], { line: number | null }>("SELECT max(line) AS line FROM transcript WHERE session = ?");
const insertLine = command<[number, number, number, LineKind, string, number]>(`INSERT INTO transcript (session, ${lineColumns}) VALUES (?, ?, ?, ?, ?, ?)`);

/** Begins a session with its node 0. @throws StorageRefusal notFound (learner, attempt), tooMany, tooLarge, malformed */
export function startSession(db: WritableDb, session: NewSession): SessionKey {
  const { learner, attempt } = session;
  const profile = checkText(session.profile, "profile", LIMITS.profileBytesMax);
  const seed = checkInteger(session.seed, "seed");
  const config = toJson(session.config, "config", LIMITS.sessionConfigBytesMax);
  const nowMs = checkInteger(session.nowMs, "nowMs");
  return db.write(() => {
    readLearner(db, learner);
    if (attempt !== null) readAttempt(db, { learner, attempt });
    checkRoom(db.first(sessionCount, learner)?.count ?? 0, "sessions", LIMITS.sessionsPerLearnerMax);
    const { rowId } = db.run(insertSession, learner, attempt, profile, seed, config, nowMs, nowMs);
    writeNode(db, rowId, { node: 0, parent: null, command: "", operationsDone: null, timeMs: nowMs, ...session.root });
    return { learner, session: rowId };
  });
}

/**
 * Saves what one line of the learner's did, all of it or nothing: the node that a command made, or the node that undo, redo
 * or goto went to, and the lines on the screen.
 * @param step.node the new node, whose number is the next one and whose parent is there; or the number of the node gone to
 * @throws StorageRefusal notFound (session, node, parent), tooMany, tooLarge (a command, never a line), malformed
 */
export function saveStep(
  db: WritableDb,
  key: SessionKey,
  step: { readonly node: Omit<NodeRecord, "timeMs"> | number; readonly lines: readonly NewLine[]; readonly nowMs: number },
): void {
  const nowMs = checkInteger(step.nowMs, "nowMs");
  db.write(() => {
    const session = readRow(db, key);
    const last = db.first(lastNode, key.session)?.node ?? -1;
    if (typeof step.node === "number") {
      if (checkInteger(step.node, "node") > last) throw new StorageRefusal("notFound", { what: "node" });
    } else {
      const { node, parent } = step.node;
      if (node !== last + 1 || parent === null || !Number.isInteger(parent)) throw new StorageRefusal("malformed", { what: "node" });
      if (parent < 0 || parent > last) throw new StorageRefusal("notFound", { what: "parent" });
      checkRoom(node, "nodes", LIMITS.nodesPerSessionMax);
      writeNode(db, key.session, { ...step.node, timeMs: nowMs });
    }
    const node = typeof step.node === "number" ? step.node : step.node.node;
    const transcriptBytes = writeLines(db, key.session, { node, lines: step.lines, transcriptBytes: session.transcriptBytes });
    db.run(setCurrent, node, nowMs, transcriptBytes, key.session);
  });
}

/** @throws StorageRefusal notFound, also for another learner's session */
export function readSession(db: ReadableDb, key: SessionKey): SessionRecord {
  return recordOf(db, readRow(db, key));
}

/** The sessions that were changed last, newest first. */
export function listSessions(db: ReadableDb, learner: LearnerId, most: number): readonly SessionRecord[] {
  return db.all(sessionsOf, learner, most).map((row) => recordOf(db, row));
}

/** The latest session of an attempt, to go on with, or null. */
export function findSessionOfAttempt(db: ReadableDb, key: AttemptKey): SessionRecord | null {
  const found = db.first(sessionOfAttempt, key.attempt, key.learner);
  return found === undefined ? null : readSession(db, { learner: key.learner, session: found.session });
}

/** Nodes from number `from` on, in order, at most `most`. Parents come before their children. @throws StorageRefusal notFound */
export function readNodes(
  db: ReadableDb,
  key: SessionKey,
  { from = 0, most = LIMITS.nodesPerSessionMax }: { readonly from?: number; readonly most?: number } = {},
): readonly NodeRecord[] {
  readRow(db, key);
  return db.all(nodesOf, key.session, from, most);
}

/** The last `most` lines before line `before` (all lines: Infinity), oldest first. @throws StorageRefusal notFound */
export function readTranscript(db: ReadableDb, key: SessionKey, window: { readonly before: number; readonly most: number }): readonly TranscriptLine[] {
  readRow(db, key);
  return db.all(linesOf, key.session, Math.min(window.before, Number.MAX_SAFE_INTEGER), window.most).reverse();
}

/** Nodes of a session, node 0 too. @throws StorageRefusal notFound */
export function countNodes(db: ReadableDb, key: SessionKey): number {
  readRow(db, key);
  return (db.first(lastNode, key.session)?.node ?? -1) + 1;
}

/** sessions that are looked through for lines that were typed */
const TYPED_SESSIONS = 20;

/** The last `most` lines that a learner typed, in the sessions that were changed last; oldest first. */
export function readTypedLines(db: ReadableDb, learner: LearnerId, most: number): readonly string[] {
  const newestFirst: string[] = [];
  for (const { session } of db.all(sessionsOf, learner, TYPED_SESSIONS)) {
    if (newestFirst.length >= most) break;
    newestFirst.push(...db.all(typedIn, session, most - newestFirst.length).map(({ text }) => text));
  }
  return newestFirst.reverse();
}

function readRow(db: ReadableDb, key: SessionKey): SessionRow {
  const row = db.first(sessionByKey, key.session, key.learner);
  if (row === undefined) throw new StorageRefusal("notFound", { what: "session" });
  return row;
}

function recordOf(db: ReadableDb, { transcriptBytes: _, ...row }: SessionRow): SessionRecord {
  return { ...row, config: db.json(row.config) };
}

function writeNode(db: WritableDb, session: number, node: NodeRecord): void {
  const text = checkText(node.command, "command", LIMITS.commandBytesMax, { empty: true });
  const behaviour = checkText(node.behaviour, "behaviour", LIMITS.behaviourBytesMax);
  const stateHash = checkHex(node.stateHash, "stateHash");
  const digest = checkHex(node.digest, "digest");
  const done = node.operationsDone === null ? null : checkInteger(node.operationsDone, "operationsDone");
  db.run(insertNode, session, node.node, node.parent, text, done, behaviour, stateHash, digest, node.timeMs);
}

/** @returns bytes of the session's transcript with these lines */
function writeLines(
  db: WritableDb,
  session: number,
  { node, lines, transcriptBytes }: { readonly node: number; readonly lines: readonly NewLine[]; readonly transcriptBytes: number },
): number {
  let line = (db.first(lastLine, session)?.line ?? -1) + 1;
  let bytes = transcriptBytes;
  for (const { kind, text } of lines) {
    checkRoom(line, "lines", LIMITS.linesPerSessionMax);
    const { kept, keptBytes, clippedBytes } = clip(text.toWellFormed(), Math.min(LIMITS.lineBytesMax, LIMITS.transcriptBytesMax - bytes));
    db.run(insertLine, session, line++, node, kind, kept, clippedBytes);
    bytes += keptBytes;
  }
  return bytes;
}

/** The longest beginning of a text that has at most that many bytes and cuts no character. */
function clip(text: string, bytesMax: number): { readonly kept: string; readonly keptBytes: number; readonly clippedBytes: number } {
  const whole = byteLength(text);
  if (whole <= bytesMax) return { kept: text, keptBytes: whole, clippedBytes: 0 };
  const bytes = Buffer.from(text, "utf8");
  let end = bytesMax;
  // 10xxxxxx: inside a character
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
  return { kept: bytes.toString("utf8", 0, end), keptBytes: end, clippedBytes: whole - end };
}
