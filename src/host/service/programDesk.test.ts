import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withDataFolder, withService, type Front } from "../../../tests/hostSupport.ts";
import type { ImportView, Methods } from "../api/labApi.ts";

const text = readFileSync(join(import.meta.dirname, "../../../conformance/programs/c-two-buffers.json"), "utf8");

async function importText(front: Front, content: string, size = 5000): Promise<ImportView | null> {
  const upload = randomUUID();
  const parts = Math.ceil(content.length / size);
  let last: ImportView | null = null;
  for (let part = 0; part < parts; part++) {
    last = await front.ok("importPart", { upload, name: "a.json", text: content.slice(part * size, (part + 1) * size), part, isLast: part === parts - 1 });
    if (part < parts - 1) expect(last).toBeNull();
  }
  return last;
}

describe("recorded programs", () => {
  it("those that came with Hugelab are there; an imported one comes in parts, is kept in a file of this user's, and can be removed", async () => {
    await withDataFolder(async (folder) => {
      const id = await withService(folder, async (front) => {
        const shipped = await front.ok("listPrograms", {});
        expect(shipped.map(({ id: each, source }) => [each, source])).toEqual([
          ["c-two-buffers", "shipped"],
          ["compiler", "shipped"],
          ["javascript-runtime", "shipped"],
          ["scripting-language", "shipped"],
        ]);
        const view = await importText(front, text);
        expect(view).toMatchObject({ kind: "program", kept: null, program: { source: "imported", faults: 67 } });
        return view?.kind === "program" ? view.program.id : "";
      });
      const file = join(folder, "programs", `${id}.json`);
      expect(readFileSync(file, "utf8")).toBe(text);
      expect(statSync(file).mode & 0o077).toBe(0);
      writeFileSync(join(folder, "programs", "mine-9.json"), "not a recording");
      await withService(folder, async (front) => {
        // what is no recording is not shown
        expect((await front.ok("listPrograms", {})).map((each) => each.id)).toHaveLength(5);
        expect(await front.ok("replayProgram", { program: id, profile: null, settings: "" })).toMatchObject({ faultsAgree: 67 });
        expect(await front.refused("forgetProgram", { program: "compiler" })).toMatchObject({ code: "notFound" });
        expect(await front.ok("forgetProgram", { program: id })).toHaveLength(4);
        expect(await front.refused("replayProgram", { program: id, profile: null, settings: "" })).toMatchObject({ code: "notFound" });
      });
      expect(readdirSync(join(folder, "programs"))).toEqual(["mine-9.json"]);
    });
  });

  it("without a place an imported one is there until the end, and says so", async () => {
    await withService(null, async (front) => {
      const view = await importText(front, text);
      expect(view).toMatchObject({ kind: "program", kept: expect.stringContaining("until Hugelab ends") as string });
      expect(await front.ok("listPrograms", {})).toHaveLength(5);
    });
  });

  it("what is no recording, or came in the wrong order, is one sentence and nothing is kept", async () => {
    await withService(null, async (front) => {
      const upload = randomUUID();
      const part = (at: number, content: string, isLast: boolean): Methods["importPart"]["params"] => ({ upload, name: "x", text: content, part: at, isLast });
      expect(await front.refused("importPart", part(0, "hello\n", true))).toMatchObject({
        code: "refused",
        sentence: expect.stringMatching(/^x, line 1: /) as string,
      });
      expect(await front.refused("importPart", part(1, "x", false))).toMatchObject({ code: "refused" });
      expect(await front.ok("listPrograms", {})).toHaveLength(4);
      const maps = await importText(front, "7ffff0000000-7ffff0400000 rw-p 00000000 00:00 0\n");
      expect(maps).toMatchObject({ kind: "script", mappings: 1 });
    });
  });

  it("a sweep goes on while a learner types, one at a time, and is stopped with the rows that were done", async () => {
    await withService(null, async (front) => {
      const { session } = await front.sandbox();
      const sweep = front.service.call("sweepProgram", { program: "scripting-language", profile: null, settings: [] });
      const second = await front.refused("replayProgram", { program: "compiler", profile: null, settings: "" });
      expect(second).toMatchObject({ code: "busy" });
      const answer = await front.ok("submit", { session, line: "mmap A 8M rw private anon" });
      expect(answer.step.made).toBe(1);
      await front.ok("stopWork", {});
      const reply = await sweep;
      // stopped in its first replay, or after some
      if (reply.ok) expect((reply.result as { missing: number }).missing).toBeGreaterThan(0);
      else expect(reply.error.code).toBe("refused");
      expect(await front.ok("replayProgram", { program: "c-two-buffers", profile: null, settings: "" })).toMatchObject({ faults: 67 });
      await front.ok("stopWork", {});
    });
  });
});
