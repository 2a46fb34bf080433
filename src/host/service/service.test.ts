import { chmodSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withDataFolder, withService } from "../../../tests/hostSupport.ts";

describe("sessions", () => {
  it("are saved as they happen and come back at the same node, with the screen and the lines typed", async () => {
    await withDataFolder(async (folder) => {
      const before = await withService(folder, async (front) => {
        const { session } = await front.sandbox();
        for (const line of ["mmap A 8M rw private anon", "touch A w", "touch A+4k w", "ps"]) await front.submit(session, line);
        const { step } = await front.ok("move", { session, to: "back" });
        return step;
      });
      await withService(folder, async (front) => {
        const { learners, lastLearner, saving, notices } = await front.ok("hello", {});
        expect({ learners, saving, notices }).toEqual({ learners: [{ id: 1, name: "Kim" }], saving: true, notices: [] });
        // nobody said who uses the lab: a front end does that by useLearner
        expect(lastLearner).toBeNull();
        const { sessions } = await front.ok("useLearner", { learner: 1 });
        expect(sessions).toMatchObject([{ profile: "debian-6.18.15", lab: null, commands: 3 }]);
        const view = await front.ok("resumeSession", { learner: 1, session: sessions[0].session });
        expect(view).toMatchObject({ prompt: before.prompt, resumed: true, differences: [], timeline: { current: before.current, count: 4 } });
        expect(view.typed).toEqual(["mmap A 8M rw private anon", "touch A w", "touch A+4k w", "ps"]);
        expect(view.transcript.filter(({ kind }) => kind === "input").map(({ text }) => text)).toEqual(view.typed);
        expect(view.transcript.some(({ kind, text }) => kind === "output" && text.includes("VmRSS"))).toBe(false);
        const again = await front.ok("submit", { session: view.session, line: "touch A+4k w" });
        expect(again.step.made).toBe(4);
        expect((await front.ok("hello", {})).lastLearner).toBe(1);
      });
    });
  });

  it("of one learner are nothing to another", async () => {
    await withDataFolder(async (folder) => {
      await withService(folder, async (front) => {
        const kim = await front.sandbox("Kim");
        const lee = await front.sandbox("Lee");
        expect(lee.learner).not.toBe(kim.learner);
        expect(await front.refused("resumeSession", { learner: lee.learner, session: kim.session })).toMatchObject({ code: "notFound" });
        expect((await front.ok("useLearner", { learner: lee.learner })).sessions.map(({ session }) => session)).toEqual([lee.session]);
        expect(await front.refused("createLearner", { name: " KIM " })).toMatchObject({ code: "refused" });
        expect(await front.refused("useLearner", { learner: 99 })).toMatchObject({ code: "notFound" });
      });
      await withService(folder, async (front) => {
        // not opened in this process, and still nobody else's
        const { sessions } = await front.ok("useLearner", { learner: 1 });
        expect(await front.refused("resumeSession", { learner: 2, session: sessions[0].session })).toMatchObject({ code: "notFound" });
      });
    });
  });

  it("that are closed, or pushed out by others, are made again when they are needed", async () => {
    await withService(null, async (front) => {
      const { learner, session } = await front.sandbox();
      await front.submit(session, "mmap A 8M rw private anon");
      const before = await front.ok("submit", { session, line: "touch A w" });
      await front.ok("closeSession", { session });
      expect((await front.ok("timeline", { session, first: 0, count: 10 })).count).toBe(3);
      for (let i = 0; i < 5; i++) await front.ok("openSandbox", { learner, profile: "debian-6.1.176", patches: [], config: [] });
      const now = await front.ok("submit", { session, line: "undo" });
      expect(now.step.current).toBe(1);
      const redone = await front.ok("submit", { session, line: "redo" });
      expect(redone.step.stateHash).toBe(before.step.stateHash);
    });
  });

  it("answer calls that are sent at once in their order", async () => {
    await withService(null, async (front) => {
      const { session } = await front.sandbox();
      const lines = Array.from({ length: 30 }, (_, i) => `mmap M${i} 2M rw private anon`);
      const answers = await Promise.all(lines.map((line) => front.ok("submit", { session, line })));
      expect(answers.map(({ step }) => step.made)).toEqual(lines.map((_, i) => i + 1));
    });
  });
});

describe("settings", () => {
  it("are kept for each learner, and what was saved in another shape is left out", async () => {
    await withDataFolder(async (folder) => {
      await withService(folder, async (front) => {
        const { learner } = await front.sandbox();
        await front.ok("setSetting", { learner, name: "theme", value: "dark" });
        await front.ok("setSetting", { learner, name: "panes", value: { lab: 30.5 } });
        expect(await front.refused("setSetting", { learner, name: "theme", value: "pink" })).toMatchObject({ code: "badCall" });
        expect(await front.refused("setSetting", { learner: 7, name: "theme", value: "dark" })).toMatchObject({ code: "notFound" });
      });
      await withService(folder, async (front) => {
        await front.ok("hello", {});
        expect((await front.ok("useLearner", { learner: 1 })).settings).toEqual({ theme: "dark", panes: { lab: 30.5 } });
      });
    });
  });
});

describe("a lab", () => {
  it("is begun, solved with help, and resumed where it was", async () => {
    await withDataFolder(async (folder) => {
      const lab = await withService(folder, async (front) => {
        const { learner } = await front.sandbox();
        const [first, second] = await front.ok("listLabs", { learner });
        expect(first).toMatchObject({ solved: null, started: false, stepsDone: 0, missing: [] });
        expect(second.missing).toEqual([first.title]);
        const { packId, labId } = first;
        const view = await front.ok("openLab", { learner, packId, labId, anew: false });
        expect(view).toMatchObject({ resumed: false, lab: { solved: false, info: { labId } } });
        const { session } = view;
        for (const { id, predictions } of view.lab?.steps ?? []) {
          await front.ok("enterStep", { session, step: id });
          for (const prediction of predictions) {
            const answer = prediction.choices?.[0].id ?? "1";
            await front.ok("predict", { session, prediction: prediction.id, answer });
          }
        }
        const solution = (await front.ok("showSolution", { session })).solution ?? [];
        expect(solution.length).toBeGreaterThan(0);
        let solvedNow = 0;
        for (const line of solution) if ((await front.ok("submit", { session, line })).solvedNow) solvedNow++;
        expect(solvedNow).toBe(1);
        expect(await front.refused("hint", { session, check: "nothing" })).toMatchObject({ code: "refused" });
        const [row] = await front.ok("listLabs", { learner });
        expect(row).toMatchObject({ solved: "assisted", started: true, stepsDone: row.stepCount });
        return { packId, labId, session };
      });
      await withService(folder, async (front) => {
        await front.ok("hello", {});
        const { labs, sessions } = await front.ok("useLearner", { learner: 1 });
        expect(labs[0]).toMatchObject({ solved: "assisted", started: true });
        expect(sessions.find((each) => each.lab?.labId === lab.labId)?.lab?.title).toBe(labs[0].title);
        const resumed = await front.ok("openLab", { learner: 1, packId: lab.packId, labId: lab.labId, anew: false });
        expect(resumed).toMatchObject({ resumed: true, differences: [], lab: { solved: true } });
        const anew = await front.ok("openLab", { learner: 1, packId: lab.packId, labId: lab.labId, anew: true });
        expect(anew).toMatchObject({ resumed: false, lab: { solved: false } });
        expect(anew.session).not.toBe(resumed.session);
      });
    });
  });

  it("that is not there is refused in a sentence", async () => {
    await withService(null, async (front) => {
      const { learner } = await front.sandbox();
      const uuid = "00000000-0000-4000-8000-000000000001";
      expect(await front.refused("openLab", { learner, packId: uuid, labId: uuid, anew: false })).toMatchObject({ code: "notFound" });
      expect(await front.refused("openSandbox", { learner, profile: "none", patches: [], config: [] })).toMatchObject({ code: "notFound" });
      expect(await front.refused("openSandbox", { learner, profile: "debian-6.18.15", patches: ["+none"], config: [] })).toMatchObject({ code: "notFound" });
    });
  });
});

describe("files", () => {
  it.skipIf(process.platform === "win32")("are for this user's eyes only, whatever the umask and the folder said", async () => {
    await withDataFolder(async (folder) => {
      chmodSync(folder, 0o755);
      const umask = process.umask(0o000);
      try {
        await withService(folder, async (front) => {
          await front.sandbox();
          expect(statSync(folder).mode & 0o777).toBe(0o700);
          for (const name of ["progress.db", "progress.db-wal", "owner.json"]) expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600]);
        });
      } finally {
        process.umask(umask);
      }
    });
  });
});
