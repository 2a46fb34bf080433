import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { execute, root } from "../../tests/support.ts";
import { beginAttempt, NOON_MS, options, problem, refusal, uuid, withPath, withRaw, withStorage } from "../../tests/storageSupport.ts";
import { appendEvents, readEvents, readProgress } from "./attempts.ts";
import { command, query } from "./connection.ts";
import { createLearner, listLearners } from "./learners.ts";
import { storageMessagesEn } from "./messages.en.ts";
import { APPLICATION_ID, SCHEMA_VERSION } from "./migrate.ts";
import { openMemoryStorage, openStorage, replaceDamaged } from "./openStorage.ts";
import { readSettings, writeSetting } from "./settings.ts";
import { problemOf, StorageError, StorageRefusal } from "./storageError.ts";

const child = join(root, "tests", "storageChild.ts");
const stamp = "20261121T120000000Z";

/** A file with enough in it for many pages. @returns its bytes */
function fill(file: string, events = 200): Buffer {
  withStorage(file, ({ write }) => {
    const key = beginAttempt(write);
    for (let count = 0; count < events; count++) appendEvents(write, key, [{ kind: "note", payload: { text: `${count} ${"y".repeat(400)}` } }], NOON_MS);
  });
  return readFileSync(file);
}

function files(file: string): string[] {
  return readdirSync(dirname(file)).sort();
}

/** A database with something in its log that is not in the file yet, as a killed program leaves it; `change` may use SQLite freely. */
function leaveLog(file: string, change: (db: Database.Database) => void, before: Buffer = Buffer.alloc(0)): void {
  const source = `${file}.source`;
  writeFileSync(source, before);
  const db = new Database(source);
  db.pragma("journal_mode = WAL");
  change(db);
  for (const ending of ["", "-wal"]) copyFileSync(source + ending, file + ending);
  db.close();
  rmSync(source);
}

/** Overwrites bytes of a file in place. */
function overwrite(file: string, at: number, bytes: Buffer): void {
  const all = readFileSync(file);
  bytes.copy(all, at);
  writeFileSync(file, all);
}

describe("a file that is all right", () => {
  it("is made with its folder, and has every setting that keeps it safe", async () => {
    await withPath((file) => {
      const deep = join(dirname(file), "a", "b", "progress.db");
      withStorage(deep, (storage) => {
        expect(storage).toMatchObject({ file: deep, isReadOnly: false, notices: [] });
        const read = (name: string) => storage.read.first(query<[], Record<string, unknown>>(`SELECT * FROM pragma_${name}`));
        expect(read("journal_mode")).toEqual({ journal_mode: "wal" });
        expect(read("synchronous")).toEqual({ synchronous: 2 });
        expect(read("foreign_keys")).toEqual({ foreign_keys: 1 });
        expect(read("locking_mode")).toEqual({ locking_mode: "exclusive" });
        expect(read("recursive_triggers")).toEqual({ recursive_triggers: 1 });
        expect(read("busy_timeout")).toEqual({ timeout: 50 });
        expect(read("application_id")).toEqual({ application_id: APPLICATION_ID });
        expect(read("user_version")).toEqual({ user_version: SCHEMA_VERSION });
        const loose = query<[], { name: string }>("SELECT name FROM pragma_table_list WHERE strict = 0 AND name NOT LIKE 'sqlite_%'");
        expect(storage.read.all(loose)).toEqual([]);
      });
      expect(files(deep)).toEqual(["progress.db"]);
    });
  });

  it("keeps what was written, and a kept statement is prepared once", async () => {
    await withPath((file) => {
      fill(file, 3);
      withStorage(file, ({ read, notices }) => {
        expect(notices).toEqual([]);
        expect(listLearners(read)).toHaveLength(1);
        expect(readEvents(read, { learner: listLearners(read)[0].id, attempt: 1 })).toHaveLength(4);
      });
    });
  });

  it("may have a name that SQLite would take for a URI or for memory", async () => {
    await withPath((file) => {
      const strange = join(dirname(file), "file:a?mode=memory");
      withStorage(strange, ({ write }) => beginAttempt(write));
      expect(existsSync(strange)).toBe(true);
    });
  });

  it("can be in memory alone", () => {
    const storage = openMemoryStorage();
    beginAttempt(storage.write);
    expect(listLearners(storage.read)).toHaveLength(1);
    storage.close();
  });

  it("takes writes only inside write(), reads only by query(), and no work that goes on later", () => {
    const { write } = openMemoryStorage();
    expect(() => write.run(command<[]>("DELETE FROM machineSettings"))).toThrow("outside write()");
    expect(() => write.all(query<[], unknown>("DELETE FROM machineSettings"))).toThrow("query() is for reading");
    expect(() => write.write(() => write.run(command<[]>("SELECT 1")))).toThrow("command() for writing");
    expect(() => write.write(() => Promise.resolve())).toThrow("cannot return a promise");
  });

  it("undoes the whole of a write that fails in the middle", () => {
    const { write } = openMemoryStorage();
    const fail = () =>
      write.write(() => {
        beginAttempt(write);
        throw new Error("in the middle");
      });
    expect(fail).toThrow("in the middle");
    expect(listLearners(write)).toEqual([]);
  });
});

describe("damaged", () => {
  /** Opens the damaged file twice: set aside with every byte, a new one that works, and then no more notice. */
  function expectSetAside(file: string, damaged: Buffer): void {
    const kept = `${file}.damaged-${stamp}`;
    withStorage(file, (storage) => {
      expect(storage.notices).toEqual([{ key: "storage.notice.setAside", args: { file, kept } }]);
      expect(listLearners(storage.read)).toEqual([]);
      beginAttempt(storage.write);
    });
    expect(readFileSync(kept).equals(damaged)).toBe(true);
    withStorage(file, (storage) => {
      expect(storage.notices).toEqual([]);
      expect(listLearners(storage.read)).toHaveLength(1);
    });
  }

  it.each([0.3, 0.5, 0.9, 0.999])("a file cut off at %d of its length is set aside", async (share) => {
    await withPath((file) => {
      const whole = fill(file);
      truncateSync(file, Math.floor(whole.length * share));
      expectSetAside(file, readFileSync(file));
    });
  });

  it("a last page that is not whole is found where SQLite would read zeros and go on", async () => {
    await withPath((file) => {
      fill(file, 3);
      // free pages at the end, whose content nobody checks
      withRaw(file, (db) => db.exec("CREATE TABLE a (b); INSERT INTO a VALUES (zeroblob(20000)); DROP TABLE a"));
      truncateSync(file, readFileSync(file).length - 100);
      expect(withRaw(file, (db) => db.pragma("integrity_check", { simple: true }))).toBe("ok");
      expectSetAside(file, readFileSync(file));
    });
  });

  it("flipped bytes are found in the header of every page", async () => {
    await withPath((file) => {
      const whole = fill(file, 40);
      const pages = whole.length / 4096;
      expect(pages).toBeGreaterThan(20);
      for (let page = 1; page < pages; page++) {
        writeFileSync(file, whole);
        overwrite(file, page * 4096, Buffer.from(whole.subarray(page * 4096, page * 4096 + 8).map((byte) => byte ^ 0xff)));
        const notices = withStorage(file, (storage) => storage.notices, { nowMs: NOON_MS + page });
        expect([page, notices.map(({ key }) => key)]).toEqual([page, ["storage.notice.setAside"]]);
      }
      expect(files(file).filter((name) => /\.damaged-\w+Z$/.test(name))).toHaveLength(pages - 1);
    });
  });

  it("a row that breaks a rule of its table is found", async () => {
    await withPath((file) => {
      const whole = fill(file, 3);
      // pages keep what was in them before, so the text is there more than once
      for (let at = whole.indexOf('{"text":'); at !== -1; at = whole.indexOf('{"text":', at + 1)) overwrite(file, at, Buffer.from("["));
      expectSetAside(file, readFileSync(file));
    });
  });

  it.each([
    ["a page of zeros", Buffer.alloc(8192)],
    ["text", Buffer.from("Dear diary,\n".repeat(1000))],
    ["two bytes", Buffer.from("xy")],
  ])("%s in place of our file is set aside", async (_what, bytes) => {
    await withPath((file) => {
      writeFileSync(file, bytes);
      expectSetAside(file, bytes);
    });
  });

  it("a damaged file is set aside with its log, every byte of both", async () => {
    await withPath((file) => {
      const whole = fill(file, 40);
      // the log has another page than the one that is damaged
      leaveLog(file, (db) => db.exec("INSERT INTO machineSettings VALUES ('theme', '1', 1)"), whole);
      overwrite(file, whole.length - 4096, Buffer.alloc(8, 0xff));
      const [damaged, log] = [readFileSync(file), readFileSync(`${file}-wal`)];
      withStorage(file, ({ notices }) => expect(notices.map(({ key }) => key)).toEqual(["storage.notice.setAside"]));
      expect(readFileSync(`${file}.damaged-${stamp}`).equals(damaged)).toBe(true);
      expect(readFileSync(`${file}.damaged-${stamp}-wal`).equals(log)).toBe(true);
    });
  });

  it("a log without its database is set aside with its name, not deleted", async () => {
    await withPath((file) => {
      writeFileSync(`${file}-wal`, "what is left");
      withStorage(file, (storage) => {
        expect(storage.notices.map(({ key }) => key)).toEqual(["storage.notice.setAside"]);
        beginAttempt(storage.write);
      });
      expect(readFileSync(`${file}.damaged-${stamp}-wal`, "utf8")).toBe("what is left");
    });
  });

  it("the second at the same time gets a name of its own", async () => {
    await withPath((file) => {
      for (const text of ["first", "second", "third"]) {
        writeFileSync(file, text);
        withStorage(file, () => undefined);
      }
      const kept = ["", "-2", "-3"].map((ending) => readFileSync(`${file}.damaged-${stamp}${ending}`, "utf8"));
      expect(kept).toEqual(["first", "second", "third"]);
    });
  });

  it("two processes that meet the same damage agree: one new file, one set aside, nothing lost", async () => {
    for (let round = 0; round < 4; round++) {
      await withPath(async (file) => {
        const damaged = Buffer.from("damaged".repeat(1000));
        writeFileSync(file, damaged);
        const ended = await Promise.all([0, 1].map(() => execute(process.execPath, [child, "open", file])));
        // the second one may find the new file in use by the first
        const said = ended.map(({ stdout }) => stdout);
        expect(said).toContain("opened\n");
        expect(["opened\n", "locked\n"]).toEqual(expect.arrayContaining(said));
        const kept = files(file).filter((name) => /\.damaged-\w+Z(-\d)?$/.test(name));
        expect(kept).toHaveLength(1);
        expect(readFileSync(join(dirname(file), kept[0])).equals(damaged)).toBe(true);
        withStorage(file, ({ notices }) => expect(notices).toEqual([]));
      });
    }
  });

  it("is not seen in a file that two processes open and close in turn", async () => {
    await withPath(async (file) => {
      fill(file, 5);
      const ended = await Promise.all([0, 1].map(() => execute(process.execPath, [child, "again", file])));
      expect(ended).toEqual([0, 1].map(() => ({ status: 0, stdout: "", stderr: "" })));
      withStorage(file, ({ read }) => expect(readSettings(read, "machine").size).toBeGreaterThan(9));
    });
  });

  it("damage met later stops every call, and the file is set aside then", async () => {
    await withPath((file) => {
      const key = withStorage(file, ({ write }) => {
        const begun = beginAttempt(write);
        const big = Array.from({ length: 400 }, () => ({ kind: "note", payload: "z".repeat(60_000) }));
        appendEvents(write, begun, big, NOON_MS);
        return begun;
      });
      const storage = openStorage(file, options);
      // behind SQLite's back, after the check; the file is larger than what SQLite keeps of it in memory
      const bytes = readFileSync(file).length;
      expect(bytes).toBeGreaterThan(20 * 1024 ** 2);
      overwrite(file, 8192, Buffer.alloc(bytes - 8192, 0x5a));
      expect(problem(() => readEvents(storage.read, key))).toEqual({ kind: "damaged", file });
      expect(problem(() => createLearner(storage.write, { id: uuid(9), name: "n", nowMs: 0 }))).toEqual({ kind: "damaged", file });

      // a statement that reads no page at all
      expect(problem(() => storage.read.first(query<[], unknown>("SELECT 1")))).toEqual({ kind: "damaged", file });

      const fresh = replaceDamaged(storage, options);
      expect(fresh.notices.map(({ key }) => key)).toEqual(["storage.notice.setAside"]);
      beginAttempt(fresh.write);
      fresh.close();
      expect(existsSync(`${file}.damaged-${stamp}`)).toBe(true);
      withStorage(file, ({ read, notices }) => expect([listLearners(read).length, notices]).toEqual([1, []]));
    });
  });
});

describe("not a database of ours", () => {
  it("is refused where a person chose the file, and not a byte changes", async () => {
    await withPath((file) => {
      const text = Buffer.from("My thesis\n".repeat(500));
      writeFileSync(file, text);
      expect(problem(() => openStorage(file, { ...options, place: "chosen" }))).toEqual({ kind: "notADatabase", file });
      expect(readFileSync(file).equals(text)).toBe(true);
      expect(files(file)).toEqual([basename(file)]);
    });
  });

  it("another program's database is refused, and not a byte changes, not even in its log", async () => {
    await withPath((file) => {
      leaveLog(file, (db) => db.exec("CREATE TABLE mails (text TEXT)"));
      const before = readFileSync(file);
      const log = readFileSync(`${file}-wal`);
      expect(log.length).toBeGreaterThan(0);
      expect(problem(() => openStorage(file, { ...options, place: "chosen" }))).toEqual({ kind: "notADatabase", file });
      expect(readFileSync(file).equals(before)).toBe(true);
      expect(readFileSync(`${file}-wal`).equals(log)).toBe(true);
    });
  });
});

describe("newer", () => {
  it("is opened for reading, says so, and not a byte changes", async () => {
    await withPath((file) => {
      fill(file, 5);
      withRaw(file, (db) => db.pragma(`user_version = ${SCHEMA_VERSION + 1}`));
      const before = readFileSync(file);
      withStorage(file, (storage) => {
        expect(storage.isReadOnly).toBe(true);
        expect(storage.notices).toEqual([{ key: "storage.notice.newer", args: { file } }]);
        expect(readProgress(storage.read, listLearners(storage.read)[0].id).size).toBe(1);
        expect(problem(() => storage.write)).toEqual({ kind: "newer", file });
      });
      expect(readFileSync(file).equals(before)).toBe(true);
    });
  });

  it("is newer, and no bug, when a table has another shape", async () => {
    await withPath((file) => {
      fill(file, 5);
      withRaw(file, (db) => {
        db.exec("ALTER TABLE learners RENAME COLUMN hiddenMs TO archivedMs");
        db.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
      });
      withStorage(file, ({ read }) => {
        expect(problem(() => listLearners(read))).toEqual({ kind: "newer", file });
      });
    });
  });
});

describe("locked", () => {
  async function holding(file: string): Promise<ChildProcess> {
    const holder = spawn(process.execPath, [child, "hold", file], { stdio: ["ignore", "pipe", "inherit"] });
    await once(holder.stdout, "data");
    return holder;
  }

  it("by a second process: said after the wait; and free the moment that process is killed", async () => {
    await withPath(async (file) => {
      fill(file, 3);
      const holder = await holding(file);
      try {
        const start = performance.now();
        expect(problem(() => openStorage(file, { ...options, lockedWaitMs: 200 }))).toEqual({ kind: "locked", file });
        expect(performance.now() - start).toBeGreaterThan(150);
      } finally {
        holder.kill("SIGKILL");
        await once(holder, "close");
      }
      withStorage(file, ({ read, notices }) => expect([listLearners(read).length, notices]).toEqual([1, []]));
    });
  });

  it("by this process, seen from a second one", async () => {
    await withPath(async (file) => {
      const storage = openStorage(file, options);
      expect((await execute(process.execPath, [child, "open", file])).stdout).toBe("locked\n");
      storage.close();
      expect((await execute(process.execPath, [child, "open", file])).stdout).toBe("opened\n");
    });
  });

  it("twice in one process", async () => {
    await withPath((file) => {
      withStorage(file, () => {
        expect(problem(() => openStorage(file, options))).toEqual({ kind: "locked", file });
      });
    });
  });

  it("before the first start has written anything, and by another program", async () => {
    await withPath((file) => {
      withRaw(file, (db) => {
        db.exec("BEGIN EXCLUSIVE");
        expect(problem(() => openStorage(file, options))).toEqual({ kind: "locked", file });
      });
    });
  });
});

// A small disk is played by max_page_count: SQLite then reports SQLITE_FULL exactly as it does for ENOSPC of write(2).
describe("full", () => {
  it("when a step is saved: nothing before is lost, nothing half is kept, and with room it goes on", async () => {
    await withPath((file) => {
      fill(file, 10);
      const sizeBytesMax = readFileSync(file).length + 4 * 4096;
      const key = { learner: uuid(1), attempt: 1 };
      const big = { kind: "note", payload: "z".repeat(60_000) };
      withStorage(
        file,
        ({ write }) => {
          expect(problem(() => appendEvents(write, key, [{ kind: "small", payload: 1 }, big, big], NOON_MS))).toEqual({ kind: "full", file });
          expect(readEvents(write, key)).toHaveLength(11);
          expect(appendEvents(write, key, [{ kind: "small", payload: 1 }], NOON_MS)).toBe(12);
        },
        { sizeBytesMax },
      );
      withStorage(file, ({ write }) => expect(appendEvents(write, key, [big, big], NOON_MS)).toBe(14));
    });
  });

  it("at the first start", async () => {
    await withPath((file) => {
      expect(problem(() => openStorage(file, { ...options, sizeBytesMax: 5 * 4096 }))).toEqual({ kind: "full", file });
      withStorage(file, (storage) => {
        expect(storage.notices.filter(({ key }) => key === "storage.notice.setAside")).toEqual([]);
        beginAttempt(storage.write);
      });
    });
  });

  it.runIf(existsSync("/dev/full"))("is told from the errno, too", () => {
    try {
      writeFileSync("/dev/full", "x");
      expect.unreachable();
    } catch (error) {
      expect(problemOf(error)).toBe("full");
    }
  });
});

describe("unwritable", () => {
  it("below a file, or where there is a folder", async () => {
    await withPath((file) => {
      writeFileSync(file, "");
      const below = join(file, "progress.db");
      expect(problem(() => openStorage(below, options))).toEqual({ kind: "unwritable", file: below });
      const folder = join(dirname(file), "folder");
      mkdirSync(folder);
      expect(problem(() => openStorage(folder, options))).toEqual({ kind: "unwritable", file: folder });
    });
  });

  it.runIf(process.platform === "linux")("where nobody may make a file, not even root", () => {
    expect(problem(() => openStorage("/proc/hugelab-progress.db", options))).toMatchObject({ kind: "unwritable" });
  });

  it.runIf(process.platform !== "win32")("without permission to write", async () => {
    await withPath((file) => {
      fill(file, 3);
      const folder = dirname(file);
      const before = readFileSync(file);
      chmodSync(file, 0o444);
      chmodSync(folder, 0o555);
      asNobody(() => {
        expect(problem(() => openStorage(file, options))).toEqual({ kind: "unwritable", file });
        expect(problem(() => openStorage(join(folder, "other.db"), options))).toMatchObject({ kind: "unwritable" });
      });
      chmodSync(folder, 0o777);
      asNobody(() => {
        expect(problem(() => openStorage(file, options))).toEqual({ kind: "unwritable", file });
      });
      expect(readFileSync(file).equals(before)).toBe(true);
    });
  });

  it("a damaged file that cannot be set aside stays where it is", async () => {
    await withPath((file) => {
      const text = Buffer.from("damaged".repeat(1000));
      writeFileSync(file, text);
      chmodSync(file, 0o444);
      chmodSync(dirname(file), 0o555);
      asNobody(() => {
        expect(problem(() => openStorage(file, options))).toEqual({ kind: "unwritable", file });
      });
      chmodSync(dirname(file), 0o755);
      expect(readFileSync(file).equals(text)).toBe(true);
    });
  });

  /** Permissions do not stop root; the effective user of this process does not matter to the others of the test run. */
  function asNobody(use: () => void): void {
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65534);
    try {
      use();
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  }
});

describe("every error", () => {
  it("and every notice has a sentence of one line that uses its arguments alone", () => {
    const sentences: Readonly<Record<string, string>> = storageMessagesEn;
    const said = [
      ...(["damaged", "newer", "locked", "full", "unwritable", "notADatabase"] as const).map((kind) => new StorageError(kind, "progress.db")),
      ...(["tooLarge", "tooMany", "malformed", "notFound", "nameTaken"] as const).map(
        (reason) => new StorageRefusal(reason, { what: "x", actual: 2, most: 1 }),
      ),
      { key: "storage.notice.setAside", args: { file: "f", kept: "k" } },
      { key: "storage.notice.newer", args: { file: "f" } },
      { key: "storage.notice.migrated", args: { from: 1, to: 2, kept: "k" } },
    ];
    expect(said.map(({ key }) => key).sort()).toEqual(Object.keys(sentences).sort());
    for (const { key, args } of said) {
      const names = [...sentences[key].matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(Object.keys(args)).toEqual(expect.arrayContaining(names));
      expect(names.length).toBeGreaterThan(0);
      expect(sentences[key]).toMatch(/^[A-Z{][^\n]*\.$/);
    }
  });

  it("of a bug of ours stays what it is", () => {
    const { write } = openMemoryStorage();
    expect(() => write.all(query<[], unknown>("SELECT nothing FROM nowhere"))).toThrow(Database.SqliteError);
    expect(refusal(() => writeSetting(write, "machine", { name: "", value: 1, nowMs: 0 }))).toBe("malformed");
  });
});
