import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { withDataFolder, withService, type Front } from "../../../tests/hostSupport.ts";
import { withRaw } from "../../../tests/storageSupport.ts";

const database = (folder: string): string => join(folder, "progress.db");

/** Nothing is saved, one error notice says why, and the lab works all the same. @returns the notice */
async function expectUnsaved(front: Front): Promise<string> {
  const { saving, notices } = await front.ok("hello", {});
  expect(saving).toBe(false);
  const errors = notices.filter(({ severity }) => severity === "error");
  expect(errors).toHaveLength(1);
  const { session } = await front.sandbox();
  await front.submit(session, "mmap A 8M rw private anon");
  const { step, notSaved } = await front.ok("submit", { session, line: "touch A w" });
  expect(step.current).toBe(2);
  expect(notSaved).not.toBeNull();
  return errors[0].text;
}

async function commandsSaved(folder: string): Promise<number> {
  return withService(folder, async (front) => {
    const { learners, saving } = await front.ok("hello", {});
    expect(saving).toBe(true);
    const { sessions } = await front.ok("useLearner", { learner: learners[0].id });
    const { session } = sessions[0];
    const view = await front.ok("resumeSession", { learner: learners[0].id, session });
    expect(view.differences).toEqual([]);
    return view.timeline.count - 1;
  });
}

describe("saved progress that", () => {
  it("another Hugelab has: says whose it is and what to do, and saves everything once that one is closed", async () => {
    await withDataFolder(async (folder) => {
      await withService(folder, async (second) => {
        await withService(folder, async (front) => {
          // `second` was first
          const text = await expectUnsaved(front);
          expect(text).toContain(`process ${process.pid}`);
          expect(text).toMatch(/close that one, then reload/i);
          await second.service.close();
          const { saving, notices } = await front.ok("hello", {});
          expect({ saving, notices }).toEqual({ saving: true, notices: [] });
          const { learners } = await front.ok("hello", {});
          const { session } = await front.ok("openSandbox", { learner: learners[0]?.id ?? 1, profile: "debian-6.18.15", patches: [], config: [] });
          expect((await front.ok("submit", { session, line: "mmap A 8M rw private anon" })).notSaved).toBeNull();
        });
      });
      expect(await commandsSaved(folder)).toBe(1);
    });
  });

  it("another Hugelab had: learners, settings and sessions of the meantime are saved as soon as it is free", async () => {
    await withDataFolder(async (folder) => {
      await withService(folder, async (first) => {
        await first.sandbox("Kim");
        await withService(folder, async (front) => {
          const { learner, session } = await front.sandbox("Grace");
          await front.ok("setSetting", { learner, name: "theme", value: "contrast" });
          await front.submit(session, "mmap A 8M rw private anon");
          await front.ok("createLearner", { name: "Lee" });
          await first.service.close();
          const { saving, learners } = await front.ok("hello", {});
          expect([saving, learners.map(({ name }) => name)]).toEqual([true, ["Grace", "Kim", "Lee"]]);
          expect(front.events("notice")).toMatchObject([{ severity: "info" }]);
          expect((await front.ok("useLearner", { learner })).sessions).toMatchObject([{ session, commands: 1 }]);
        });
      });
      await withService(folder, async (front) => {
        const { learners } = await front.ok("hello", {});
        expect(learners.map(({ name }) => name)).toEqual(["Grace", "Kim", "Lee"]);
        const grace = learners.find(({ name }) => name === "Grace")?.id ?? 0;
        expect(await front.ok("useLearner", { learner: grace })).toMatchObject({ settings: { theme: "contrast" }, sessions: [{ commands: 1 }] });
      });
    });
  });

  it("a session begun without it is saved whole as soon as it can be", async () => {
    await withDataFolder(async (folder) => {
      await withService(folder, async (first) => {
        await withService(folder, async (front) => {
          const { session } = await front.sandbox();
          await front.submit(session, "mmap A 8M rw private anon");
          await first.service.close();
          expect((await front.ok("hello", {})).saving).toBe(true);
          expect((await front.ok("submit", { session, line: "touch A w" })).notSaved).toBeNull();
        });
      });
      expect(await commandsSaved(folder)).toBe(2);
    });
  });

  it("a newer Hugelab wrote: is shown, and left as it is", async () => {
    await withDataFolder(async (folder) => {
      const { learner, session } = await withService(folder, async (front) => {
        const begun = await front.sandbox("Grace");
        await front.submit(begun.session, "mmap A 8M rw private anon");
        await front.ok("setSetting", { learner: begun.learner, name: "theme", value: "dark" });
        return begun;
      });
      withRaw(database(folder), (db) => db.exec("ALTER TABLE learners ADD COLUMN later TEXT; PRAGMA user_version = 999"));
      const before = readFileSync(database(folder));
      await withService(folder, async (front) => {
        expect((await front.ok("hello", {})).learners).toEqual([{ id: learner, name: "Grace" }]);
        expect(await front.ok("useLearner", { learner })).toMatchObject({ settings: { theme: "dark" }, sessions: [{ session, commands: 1 }] });
        const view = await front.ok("resumeSession", { learner, session });
        expect(view).toMatchObject({ differences: [], timeline: { current: 1, count: 2 } });
        expect((await front.ok("submit", { session, line: "touch A w" })).notSaved).not.toBeNull();
        // asked again: still newer, and nothing of what was done is gone
        expect((await front.ok("hello", {})).saving).toBe(false);
        expect((await front.ok("timeline", { session, first: 0, count: 9 })).count).toBe(3);
        expect(await expectUnsaved(front)).toMatch(/newer Hugelab.*updated/);
      });
      expect(readFileSync(database(folder)).equals(before)).toBe(true);
    });
  });

  it("a newer Hugelab wrote in tables that we do not know: is left as it is, and the lab works", async () => {
    await withDataFolder(async (folder) => {
      await withService(folder, (front) => front.sandbox());
      withRaw(database(folder), (db) => db.exec("ALTER TABLE learners RENAME COLUMN name TO called; PRAGMA user_version = 999"));
      await withService(folder, async (front) => {
        expect((await front.ok("hello", {})).learners).toEqual([]);
        expect(await expectUnsaved(front)).toMatch(/newer Hugelab/);
      });
    });
  });

  it("is damaged when it is opened: is set aside and told, and a new one is begun", async () => {
    await withDataFolder(async (folder) => {
      await withService(folder, (front) => front.sandbox());
      truncateSync(database(folder), statSync(database(folder)).size / 2);
      await withService(folder, async (front) => {
        const { saving, notices, learners } = await front.ok("hello", {});
        expect({ saving, learners }).toEqual({ saving: true, learners: [] });
        expect(notices).toMatchObject([{ severity: "warning" }]);
        const kept = readdirSync(folder).find((name) => name.includes(".damaged-"));
        expect(notices[0].text).toContain(kept);
      });
    });
  });

  it("is damaged while it is open: a new one gets all that is open, and nothing of it is lost", async () => {
    await withDataFolder(async (folder) => {
      await withService(folder, async (front) => {
        const { learner, session } = await front.sandbox();
        await front.ok("setSetting", { learner, name: "theme", value: "dark" });
        await front.submit(session, "mmap A 8M rw private anon");
        const writes = failWrites("SQLITE_CORRUPT", 1);
        const { step, notSaved } = await front.ok("submit", { session, line: "touch A w" });
        expect({ current: step.current, notSaved }).toEqual({ current: 2, notSaved: null });
        writes.lift();
        expect((await front.ok("hello", {})).notices.some(({ text }) => text.includes("damaged"))).toBe(true);
        // the same session is there under both of its numbers, and once in the list
        expect((await front.ok("useLearner", { learner })).sessions.map((each) => each.session)).toEqual([session]);
        expect((await front.ok("submit", { session, line: "touch A+4k w" })).notSaved).toBeNull();
      });
      expect(readdirSync(folder).some((name) => name.includes(".damaged-"))).toBe(true);
      expect(await commandsSaved(folder)).toBe(3);
    });
  });

  it("is some other file: is set aside too, since the folder is ours", async () => {
    await withDataFolder(async (folder) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(database(folder), "my diary\n".repeat(1000));
      await withService(folder, async (front) => {
        expect((await front.ok("hello", {})).saving).toBe(true);
      });
      const kept = readdirSync(folder).find((name) => name.includes(".damaged-"));
      expect(readFileSync(join(folder, kept ?? ""), "utf8")).toContain("my diary");
    });
  });
});

describe("a place that", () => {
  it("there is none of, or that is no folder: nothing is saved, and it is said", async () => {
    expect(await withService(null, expectUnsaved)).toContain("HUGELAB_DATA");
    await withDataFolder(async (folder) => {
      const file = join(folder, "file");
      writeFileSync(file, "");
      expect(await withService(join(file, "data"), expectUnsaved)).toContain(join(file, "data", "progress.db"));
    });
  });

  it("is full: what is done is kept and saved when there is room again, and what was saved before stays", async () => {
    await withDataFolder(async (folder) => {
      const small = { limits: { databaseBytesMax: 192 << 10 } };
      let done = 0;
      await withService(
        folder,
        async (front) => {
          const { session } = await front.sandbox();
          let notSaved: string | null = null;
          for (; notSaved === null && done < 500; done++) {
            await front.submit(session, `echo ${"x".repeat(4000)}`);
            ({ notSaved } = await front.ok("submit", { session, line: `mmap M${done} 2M rw private anon` }));
          }
          expect(notSaved).toMatch(/disk is full.*kept/);
          // the learner goes on, and sees all of it
          expect((await front.ok("timeline", { session, first: 0, count: 9 })).count).toBe(done + 1);
          expect(await front.submit(session, "ps")).toContain("P");
          expect((await front.ok("hello", {})).saving).toBe(true);
        },
        small,
      );
      expect(done).toBeGreaterThan(3);
      const saved = await commandsSaved(folder);
      expect(saved).toBeGreaterThan(0);
      expect(saved).toBeLessThan(done);
    });
  });

  it("gets room again: the steps that were not saved are saved with the next one", async () => {
    await withDataFolder(async (folder) => {
      await withService(folder, async (front) => {
        const { session } = await front.sandbox();
        await front.submit(session, "mmap A 8M rw private anon");
        const writes = failWrites("SQLITE_FULL");
        expect((await front.ok("submit", { session, line: "touch A w" })).notSaved).toMatch(/disk is full/);
        expect((await front.ok("submit", { session, line: "touch A+4k w" })).notSaved).toMatch(/disk is full/);
        writes.lift();
        expect((await front.ok("submit", { session, line: "touch A+8k w" })).notSaved).toBeNull();
      });
      expect(await commandsSaved(folder)).toBe(4);
    });
  });
});

/** Makes so many writes of SQLite fail, as they would; it is better-sqlite3's own method that throws. */
function failWrites(code: string, count = Infinity): { lift(): void } {
  const db = new Database(":memory:");
  const statement = Object.getPrototypeOf(db.prepare("SELECT 1")) as { run: (...args: unknown[]) => unknown };
  db.close();
  const { run } = statement;
  let left = count;
  statement.run = function (this: unknown, ...args: unknown[]): unknown {
    if (left-- > 0) throw new Database.SqliteError(code, code);
    return run.apply(this, args);
  };
  return {
    lift: () => {
      statement.run = run;
    },
  };
}
