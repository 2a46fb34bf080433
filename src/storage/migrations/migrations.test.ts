import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { root } from "../../../tests/support.ts";
import { NOON_MS, options, problem, sha, uuid, withPath, withRaw, withStorage } from "../../../tests/storageSupport.ts";
import { readEvents } from "../attempts.ts";
import { BACKUPS_MAX } from "../files.ts";
import { listLearners } from "../learners.ts";
import { APPLICATION_ID, SCHEMA_VERSION } from "../migrate.ts";
import { openStorage } from "../openStorage.ts";
import { readSetting } from "../settings.ts";
import { migrations } from "./all.ts";

const kim = uuid(1);

/** What a Hugelab of that version would have had in its file, by version: rows of the tables that version brought. */
const rowsOf: Readonly<Record<number, string>> = {
  1: `INSERT INTO learners (id, name, nameKey, createdMs) VALUES ('${kim}', 'Kim', 'kim', 1);
      INSERT INTO machineSettings VALUES ('theme', '"dark"', 2);
      INSERT INTO learnerSettings VALUES ('${kim}', 'panes', '[1,2]', 3);`,
  2: `INSERT INTO packs VALUES ('${sha(1)}', '${uuid(5)}', '1.2.3', 'shipped', 4, NULL);
      INSERT INTO attempts VALUES (1, '${kim}', '${sha(1)}', '${uuid(6)}', 'debian-6.18.15', 7, '1', 5);
      INSERT INTO events VALUES (1, 1, 1, 'started', '{}', 5), (2, 1, 2, 'stepEntered', '{"step":"a"}', 6);`,
  3: `INSERT INTO sessions VALUES (1, '${kim}', 1, 'debian-6.18.15', 7, '{}', 8, 9, 0, 2);
      INSERT INTO nodes VALUES (1, 0, NULL, '', NULL, '1', 'aa', 'bb', 8);
      INSERT INTO transcript VALUES (1, 0, 0, 'input', 'hi', 0);`,
};

/** A file as that version left it. */
function makeOld(file: string, version: number): void {
  withRaw(file, (db) => {
    db.pragma("journal_mode = WAL");
    for (const migration of migrations.slice(0, version)) {
      db.transaction(() => {
        db.exec(migration.sql);
        db.exec(rowsOf[migration.version]);
        db.pragma(`application_id = ${APPLICATION_ID}`);
        db.pragma(`user_version = ${migration.version}`);
      })();
    }
  });
}

/** Every row of every table that a version had, as text. */
function contents(db: Database.Database, version: number): string {
  const names = [...migrations.slice(0, version).map(({ sql }) => sql)].join("").matchAll(/CREATE TABLE (\w+)/g);
  return JSON.stringify([...names].map(([, name]) => [name, db.prepare(`SELECT * FROM ${name}`).all()]));
}

const backups = (file: string) => readdirSync(dirname(file)).filter((name) => name.endsWith(".backup"));

describe("migrations", () => {
  it("are numbered 1, 2, 3 ..., one file for each, and this test knows rows for each", () => {
    const numbers = migrations.map(({ version }) => version);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    const files = readdirSync(join(root, "src", "storage", "migrations")).filter((name) => /^\d/.test(name));
    expect(files.map((name) => Number(name.slice(0, 4))).sort()).toEqual(numbers);
    expect(Object.keys(rowsOf).map(Number)).toEqual(numbers);
  });

  it.each(migrations.map(({ version }) => version))("from version %d keep every row, with a backup before each step", async (version) => {
    await withPath((file) => {
      makeOld(file, version);
      const before = withRaw(file, (db) => contents(db, version));
      withStorage(file, ({ read, notices }) => {
        expect(listLearners(read)).toEqual([{ id: kim, name: "Kim", createdMs: 1, hiddenMs: null }]);
        expect(readSetting(read, { learner: kim }, "panes")).toEqual([1, 2]);
        if (version >= 2) expect(readEvents(read, { learner: kim, attempt: 1 })).toHaveLength(2);
        const kept = `${file}.v${version}-20261121T120000000Z.backup`;
        const told = [{ key: "storage.notice.migrated", args: { from: version, to: SCHEMA_VERSION, kept } }];
        expect(notices).toEqual(version === SCHEMA_VERSION ? [] : told);
      });
      withRaw(file, (db) => {
        expect(contents(db, version)).toBe(before);
        expect(db.pragma("user_version", { simple: true })).toBe(SCHEMA_VERSION);
        expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
      });
      const steps = migrations.map((migration) => migration.version).filter((number) => number >= version && number < SCHEMA_VERSION);
      expect(backups(file)).toEqual(steps.map((number) => `${basename(file)}.v${number}-20261121T120000000Z.backup`));
      for (const [index, name] of backups(file).entries()) {
        withRaw(join(dirname(file), name), (db) => {
          expect(contents(db, version)).toBe(before);
          expect(db.pragma("user_version", { simple: true })).toBe(steps[index]);
          expect(db.pragma("application_id", { simple: true })).toBe(APPLICATION_ID);
        });
      }
    });
  });

  it("make the same tables whether in one go or from any version", async () => {
    const schemas = new Set<string>();
    for (const version of [0, ...migrations.map((migration) => migration.version)]) {
      await withPath((file) => {
        if (version > 0) makeOld(file, version);
        withStorage(file, () => undefined);
        schemas.add(withRaw(file, (db) => JSON.stringify(db.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name").all())));
      });
    }
    expect(schemas.size).toBe(1);
  });

  it("never overwrite a backup: one of the same name and time gets a number", async () => {
    await withPath((file) => {
      makeOld(file, 2);
      const taken = `${file}.v2-20261121T120000000Z.backup`;
      writeFileSync(taken, "somebody's");
      withStorage(file, () => undefined);
      expect(readFileSync(taken, "utf8")).toBe("somebody's");
      expect(withRaw(`${taken}-2`, (db) => db.pragma("user_version", { simple: true }))).toBe(2);
    });
  });

  it("keep a limited number of backups, and always those just made", async () => {
    await withPath((file) => {
      makeOld(file, 1);
      const old = Array.from({ length: BACKUPS_MAX + 3 }, (_, number) => `${file}.v1-2020${number}.backup`);
      for (const path of old) writeFileSync(path, "");
      writeFileSync(`${file}.backup.txt`, "");
      withStorage(file, () => undefined);
      const kept = backups(file);
      expect(kept).toHaveLength(BACKUPS_MAX);
      expect(kept.filter((name) => name.includes("20261121"))).toHaveLength(2);
      expect(readdirSync(dirname(file))).toContain(`${basename(file)}.backup.txt`);
    });
  });

  it("on a full disk leave the version before, whole, to be tried again", async () => {
    await withPath((file) => {
      makeOld(file, 1);
      const before = withRaw(file, (db) => contents(db, 1));
      const sizeBytesMax = readFileSync(file).length + 2 * 4096;
      expect(problem(() => openStorage(file, { ...options, sizeBytesMax }))).toEqual({ kind: "full", file });
      withRaw(file, (db) => {
        expect(db.pragma("user_version", { simple: true })).toBe(1);
        expect(contents(db, 1)).toBe(before);
      });
      withStorage(file, ({ read }) => expect(listLearners(read)).toHaveLength(1), { nowMs: NOON_MS + 1 });
    });
  });

  it("undo a step after which a row refers to nothing, and set the file aside with its backup", async () => {
    await withPath((file) => {
      makeOld(file, 1);
      withRaw(file, (db) => {
        db.pragma("foreign_keys = OFF");
        db.exec(`INSERT INTO learnerSettings VALUES ('${uuid(99)}', 'panes', '1', 1)`);
      });
      const notices = withStorage(file, (storage) => storage.notices);
      expect(notices.map(({ key }) => key)).toEqual(["storage.notice.setAside"]);
      withRaw(String(notices[0].args["kept"]), (db) => {
        expect(db.pragma("user_version", { simple: true })).toBe(1);
        expect(db.prepare("SELECT count(*) FROM learners").pluck().get()).toBe(1);
      });
    });
  });
});
