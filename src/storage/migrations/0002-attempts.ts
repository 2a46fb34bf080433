import { appendOnly, type Migration, withoutGap, withoutReplace } from "./migration.ts";

/** Packs that were ever used, attempts at their labs, and what happened in each attempt. Progress is derived from these and kept nowhere. */
export const attempts0002: Migration = {
  version: 2,
  sql: `
    -- one row for each content ever seen; a pack's identity is its UUID, its content the hash
    CREATE TABLE packs (
      hash TEXT NOT NULL PRIMARY KEY CHECK (octet_length(hash) = 64),
      packId TEXT NOT NULL CHECK (octet_length(packId) = 36),
      version TEXT NOT NULL CHECK (octet_length(version) BETWEEN 1 AND 64),
      -- a path, or how the app names a pack that it ships
      place TEXT NOT NULL CHECK (octet_length(place) BETWEEN 1 AND 4096),
      addedMs INTEGER NOT NULL CHECK (addedMs >= 0),
      removedMs INTEGER CHECK (removedMs >= 0)
    ) STRICT;

    CREATE TABLE attempts (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      learner TEXT NOT NULL REFERENCES learners (id),
      packHash TEXT NOT NULL REFERENCES packs (hash),
      lab TEXT NOT NULL CHECK (octet_length(lab) = 36),
      profile TEXT NOT NULL CHECK (octet_length(profile) BETWEEN 1 AND 100),
      seed INTEGER NOT NULL CHECK (seed >= 0),
      behaviour TEXT NOT NULL CHECK (octet_length(behaviour) BETWEEN 1 AND 100),
      startedMs INTEGER NOT NULL CHECK (startedMs >= 0),
      -- for references that must not cross from one learner to another
      UNIQUE (id, learner)
    ) STRICT;
    CREATE INDEX attemptsOfLearner ON attempts (learner, lab);
    ${withoutReplace("attempts")}
    ${appendOnly("attempts")}

    CREATE TABLE events (
      -- the order in which events were saved, over all attempts: clocks go back, this does not
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      attempt INTEGER NOT NULL REFERENCES attempts (id),
      sequence INTEGER NOT NULL CHECK (sequence >= 1),
      kind TEXT NOT NULL CHECK (octet_length(kind) BETWEEN 1 AND 64),
      payload TEXT NOT NULL CHECK (octet_length(payload) <= 65536 AND json_valid(payload)),
      timeMs INTEGER NOT NULL CHECK (timeMs >= 0),
      UNIQUE (attempt, sequence)
    ) STRICT;
    ${withoutReplace("events")}
    ${withoutGap("events", "attempt", "sequence", 1)}
    ${appendOnly("events")}
  `,
};
