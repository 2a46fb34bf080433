import { appendOnly, type Migration, withoutGap, withoutReplace } from "./migration.ts";

/** Sessions, saved as they happen: the history tree and the transcript; and what was handed in. */
export const sessions0003: Migration = {
  version: 3,
  sql: `
    CREATE TABLE sessions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      learner TEXT NOT NULL REFERENCES learners (id),
      -- none: a free session
      attempt INTEGER,
      profile TEXT NOT NULL CHECK (octet_length(profile) BETWEEN 1 AND 100),
      seed INTEGER NOT NULL CHECK (seed >= 0),
      -- what else the machines were booted with
      config TEXT NOT NULL CHECK (octet_length(config) <= 65536 AND json_valid(config)),
      startedMs INTEGER NOT NULL CHECK (startedMs >= 0),
      changedMs INTEGER NOT NULL CHECK (changedMs >= 0),
      -- where in the tree the learner is
      currentNode INTEGER NOT NULL CHECK (currentNode >= 0),
      transcriptBytes INTEGER NOT NULL CHECK (transcriptBytes >= 0),
      FOREIGN KEY (attempt, learner) REFERENCES attempts (id, learner),
      FOREIGN KEY (id, currentNode) REFERENCES nodes (session, node) DEFERRABLE INITIALLY DEFERRED
    ) STRICT;
    CREATE INDEX sessionsOfLearner ON sessions (learner, changedMs);

    CREATE TABLE nodes (
      session INTEGER NOT NULL REFERENCES sessions (id),
      -- 0 is the machine after boot
      node INTEGER NOT NULL,
      parent INTEGER CHECK ((node = 0 AND parent IS NULL) OR (parent >= 0 AND parent < node)),
      command TEXT NOT NULL CHECK (octet_length(command) <= 65536),
      -- how many operations of a cancelled command were done; none: it ran to its end
      operationsDone INTEGER CHECK (operationsDone >= 0),
      behaviour TEXT NOT NULL CHECK (octet_length(behaviour) BETWEEN 1 AND 100),
      stateHash TEXT NOT NULL CHECK (octet_length(stateHash) BETWEEN 1 AND 128),
      -- of what the learner saw
      digest TEXT NOT NULL CHECK (octet_length(digest) BETWEEN 1 AND 128),
      timeMs INTEGER NOT NULL CHECK (timeMs >= 0),
      PRIMARY KEY (session, node),
      FOREIGN KEY (session, parent) REFERENCES nodes (session, node),
      CHECK (node = 0 OR parent IS NOT NULL)
    ) STRICT, WITHOUT ROWID;
    ${withoutGap("nodes", "session", "node", 0)}
    ${appendOnly("nodes")}

    CREATE TABLE transcript (
      session INTEGER NOT NULL,
      line INTEGER NOT NULL CHECK (line >= 0),
      -- the node that the line belongs to
      node INTEGER NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('input', 'output', 'error', 'note')),
      text TEXT NOT NULL CHECK (octet_length(text) <= 262144),
      -- how much was left off at the end; replaying the node shows it again
      clippedBytes INTEGER NOT NULL CHECK (clippedBytes >= 0),
      PRIMARY KEY (session, line),
      FOREIGN KEY (session, node) REFERENCES nodes (session, node)
    ) STRICT, WITHOUT ROWID;
    ${withoutGap("transcript", "session", "line", 0)}
    ${appendOnly("transcript")}

    CREATE TABLE submissions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      attempt INTEGER NOT NULL REFERENCES attempts (id),
      hash TEXT NOT NULL CHECK (octet_length(hash) = 64),
      content TEXT NOT NULL CHECK (octet_length(content) <= 8388608 AND json_valid(content)),
      timeMs INTEGER NOT NULL CHECK (timeMs >= 0)
    ) STRICT;
    CREATE INDEX submissionsOfAttempt ON submissions (attempt);
    ${withoutReplace("submissions")}
    ${appendOnly("submissions")}
  `,
};
