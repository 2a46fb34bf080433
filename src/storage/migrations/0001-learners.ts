import type { Migration } from "./migration.ts";

/** Learners of one machine, and settings: of each learner and of the machine. */
export const learners0001: Migration = {
  version: 1,
  sql: `
    CREATE TABLE learners (
      id TEXT NOT NULL PRIMARY KEY CHECK (octet_length(id) = 36),
      name TEXT NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 256),
      -- the name as it is compared: two learners whose names look the same could not be told apart
      nameKey TEXT NOT NULL UNIQUE CHECK (octet_length(nameKey) BETWEEN 1 AND 4096),
      createdMs INTEGER NOT NULL CHECK (createdMs >= 0),
      -- a learner who is hidden keeps everything
      hiddenMs INTEGER CHECK (hiddenMs >= 0)
    ) STRICT;

    CREATE TABLE machineSettings (
      name TEXT NOT NULL PRIMARY KEY CHECK (octet_length(name) BETWEEN 1 AND 100),
      value TEXT NOT NULL CHECK (octet_length(value) <= 65536 AND json_valid(value)),
      changedMs INTEGER NOT NULL CHECK (changedMs >= 0)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE learnerSettings (
      learner TEXT NOT NULL REFERENCES learners (id),
      name TEXT NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 100),
      value TEXT NOT NULL CHECK (octet_length(value) <= 65536 AND json_valid(value)),
      changedMs INTEGER NOT NULL CHECK (changedMs >= 0),
      PRIMARY KEY (learner, name)
    ) STRICT, WITHOUT ROWID;
  `,
};
