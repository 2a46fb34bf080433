import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FAULTY_ENGINE, withDataFolder, withService, type Front } from "../../../tests/hostSupport.ts";
import { root } from "../../../tests/support.ts";

// Each of these ends the engine's thread, or makes it useless, in the middle of a command (tests/faultyEngineWorker.ts).

// No bar of time: a busy machine must not fail a test. So an engine that is to stay alive, or to die of something else, may be silent for long.
const LOOK_MS = 100;
const patient = { engineUrl: FAULTY_ENGINE, limits: { heapMiB: 200, silentLooks: 600, startingLooks: 1200, lookMs: LOOK_MS } };
/** ends an engine that is silent for three seconds, which a working one is not, on a machine with ten times as much to do either */
const SILENT_LOOKS = 30;
const watchful = { ...patient, limits: { ...patient.limits, silentLooks: SILENT_LOOKS } };

/**
 * Takes minutes: more accesses than one call makes, into memory that is used up before it is through.
 */
const LONG = {
  before: ["echo 1 > /proc/sys/vm/overcommit_memory", "echo never > /sys/kernel/mm/transparent_hugepage/enabled", "mmap A 64G rw private anon"],
  line: "touch A 3G w step=64",
} as const;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What must hold after the engine died in a line: the learner stands where they were, the line is marked, nothing else is lost. */
async function expectAlive(front: Front, session: number, line: string): Promise<void> {
  const [told] = front.events("restarted");
  expect(told.session).toBe(session);
  expect(told.answer).toMatchObject({ step: { made: 3, current: 3, mark: "bug" }, notSaved: null });
  expect(told.answer.step.output).toEqual([{ stream: "error", text: `${told.sentence}\n` }]);
  const { nodes, current } = await front.ok("timeline", { session, first: 0, count: 10 });
  expect(current).toBe(3);
  expect(nodes.map(({ command, mark }) => [command, mark])).toEqual([
    ["", "done"],
    ["mmap A 8M rw private anon", "done"],
    ["touch A w", "done"],
    [line, "bug"],
  ]);
  expect(await front.submit(session, "touch A+4k w")).toContain("1 page fault");
}

/** how it dies, the line that does it, how it is watched, and what the report gives as the reason */
const deaths = [
  ["ends", "\u0000exit", patient, /^exit 9$/],
  ["throws outside of everything", "\u0000throw", patient, /bugOn/],
  ["goes round for ever", "\u0000spin", watchful, /^silent for 30 looks/],
  // V8's own limit is twice ours, and may be quicker than a look on a machine that is very busy
  ["runs out of memory", "\u0000memory", patient, /MiB of heap$|^ERR_WORKER_OUT_OF_MEMORY/],
] as const;

describe("an engine that", () => {
  it.each(deaths)("%s is started anew; only the line that did it is lost, and marked", async (_, line, watched, reason) => {
    await withDataFolder(async (folder) => {
      await withService(
        folder,
        async (front) => {
          const { session } = await front.sandbox();
          await front.submit(session, "mmap A 8M rw private anon");
          await front.submit(session, "touch A w");
          // calls behind the fatal one wait, and are answered by the next engine
          const [error, picture, ps] = await Promise.all([
            front.refused("submit", { session, line }),
            front.ok("picture", { session, request: { kind: "addressSpace", process: null, first: 0, count: 5, cells: 8 } }),
            front.submit(session, "ps"),
          ]);
          expect(error).toEqual({ code: "engine", sentence: front.events("restarted")[0].sentence });
          expect(picture).toMatchObject({ kind: "addressSpace", areaCount: 1 });
          expect(ps).toContain("P");
          await expectAlive(front, session, line);
          expect(front.events("restarted")).toHaveLength(1);
        },
        watched,
      );
      const [report] = readdirSync(join(folder, "reports"));
      expect((JSON.parse(readFileSync(join(folder, "reports", report), "utf8")) as { why: string }).why).toMatch(reason);
      // what was saved is the same
      await withService(folder, async (front) => {
        await front.ok("hello", {});
        const { sessions } = await front.ok("useLearner", { learner: 1 });
        const view = await front.ok("resumeSession", { learner: 1, session: sessions[0].session });
        expect(view).toMatchObject({ differences: [], timeline: { current: 4, count: 5 } });
        expect(view.timeline.nodes[3]).toMatchObject({ command: line, mark: "bug" });
      });
    });
  });

  it("dies leaves a report that names no place of this machine and no person", async () => {
    await withDataFolder(async (folder) => {
      await withService(
        folder,
        async (front) => {
          const { session } = await front.sandbox("Kim Secret");
          await front.submit(session, "mmap A 8M rw private anon");
          await front.refused("submit", { session, line: "\u0000throw" });
        },
        patient,
      );
      const reports = readdirSync(join(folder, "reports"));
      expect(reports).toHaveLength(1);
      const text = readFileSync(join(folder, "reports", reports[0]), "utf8");
      expect(JSON.parse(text)).toMatchObject({
        method: "submit",
        profile: "debian-6.18.15",
        commands: ["mmap A 8M rw private anon"],
        behaviour: expect.any(String) as string,
      });
      expect(text).toContain("bugOn");
      for (const secret of ["Kim Secret", "/home/kim", "secret/place", root, folder]) expect(text).not.toContain(secret);
    });
  });

  it("fails in one call, without dying, answers with a sentence and goes on", async () => {
    await withService(
      null,
      async (front) => {
        const { session } = await front.sandbox();
        await front.submit(session, "mmap A 8M rw private anon");
        expect(await front.refused("submit", { session, line: "\u0000assert" })).toMatchObject({ code: "engine" });
        expect(await front.submit(session, "touch A w")).toContain("1 page fault");
        expect((await front.ok("timeline", { session, first: 0, count: 9 })).count).toBe(3);
        expect(front.events("restarted")).toEqual([]);
      },
      patient,
    );
  });

  it("works long is left alone, and stopped at once when it is told to", async () => {
    await withService(
      null,
      async (front) => {
        const { session } = await front.sandbox();
        for (const line of LONG.before) await front.submit(session, line);
        let over = false;
        const running = front.ok("submit", { session, line: LONG.line }).finally(() => (over = true));
        // longer than a silent engine would live
        await pause((SILENT_LOOKS + 10) * LOOK_MS);
        while (front.events("progress").length < 2 && !over) await pause(20);
        expect([over, front.events("restarted")]).toEqual([false, []]);
        await front.ok("cancel", { session });
        const { step } = await running;
        // it would not be that, had it come to its end
        expect(step.mark).toBe("cancelled");
        expect(front.events("restarted")).toEqual([]);
        expect(front.events("progress").every((each) => each.session === session)).toBe(true);
        // a stop that comes when nothing runs stops nothing later
        await front.ok("cancel", { session });
        expect((await front.ok("submit", { session, line: "touch A w" })).step.mark).toBe("done");
      },
      watchful,
    );
  });
});

describe("a service", () => {
  it("that is closed in the middle of a command answers it and ends", async () => {
    await withService(null, async (front) => {
      const { session } = await front.sandbox();
      for (const line of LONG.before) await front.submit(session, line);
      const running = front.refused("submit", { session, line: LONG.line });
      while (front.events("progress").length === 0) await pause(20);
      await front.service.close();
      expect(await running).toMatchObject({ code: "gone" });
      expect(await front.refused("submit", { session, line: "ps" })).toMatchObject({ code: "gone" });
    });
  });
});
