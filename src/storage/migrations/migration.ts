/** One step of the tables from a version to the next. A released migration is never changed: a file somewhere has been through it. */
export interface Migration {
  /** the `user_version` after it; 1, 2, 3 ... without a gap */
  readonly version: number;
  readonly sql: string;
}

/**
 * Triggers that refuse UPDATE and DELETE. Part of released migrations: a change of what is refused is a new migration.
 * (REPLACE deletes without a DELETE trigger unless recursive_triggers is on, so each table also refuses an INSERT over a row.)
 */
export function appendOnly(table: string): string {
  return ["UPDATE", "DELETE"]
    .map(
      (verb) => `
        CREATE TRIGGER ${table}No${verb} BEFORE ${verb} ON ${table}
        BEGIN SELECT RAISE(ABORT, '${table} is append-only'); END;`,
    )
    .join("\n");
}

/** A trigger that lets `column` only go on from `first` in steps of 1 among the rows of the same `owner`. */
export function withoutGap(table: string, owner: string, column: string, first: number): string {
  return `
    CREATE TRIGGER ${table}WithoutGap BEFORE INSERT ON ${table}
    WHEN NEW.${column} IS NOT (SELECT coalesce(max(${column}), ${first - 1}) + 1 FROM ${table} WHERE ${owner} = NEW.${owner})
    BEGIN SELECT RAISE(ABORT, '${table} has no gaps'); END;`;
}

/** A trigger that refuses an INSERT with the number of a row that is there (tables whose `id` SQLite gives). */
export function withoutReplace(table: string): string {
  return `
    CREATE TRIGGER ${table}NoReplace BEFORE INSERT ON ${table} WHEN EXISTS (SELECT 1 FROM ${table} WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, '${table} is append-only'); END;`;
}
