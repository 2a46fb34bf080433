import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root, withFolder } from "../../../tests/support.ts";
import { precreate, readOwner, removeOwner, writeOwner } from "./dataFiles.ts";
import { dataFolder } from "./dataFolder.ts";
import { loadFidelity } from "./openService.ts";
import { keepReport, reportText, type Report } from "./reports.ts";

describe("the folder of data", () => {
  it("is the platform's usual place", () => {
    expect(dataFolder({}, "linux", "/home/kim")).toBe("/home/kim/.local/share/hugelab");
    expect(dataFolder({ XDG_DATA_HOME: "/data" }, "linux", "/home/kim")).toBe("/data/hugelab");
    expect(dataFolder({ XDG_DATA_HOME: "relative" }, "linux", "/home/kim")).toBe("/home/kim/.local/share/hugelab");
    expect(dataFolder({}, "darwin", "/Users/kim")).toBe("/Users/kim/Library/Application Support/Hugelab");
    expect(dataFolder({ LOCALAPPDATA: "C:\\Users\\kim\\AppData\\Local" }, "win32", "C:\\Users\\kim")).toBe("C:\\Users\\kim\\AppData\\Local\\Hugelab");
    expect(dataFolder({}, "win32", "C:\\Users\\kim")).toBe("C:\\Users\\kim\\AppData\\Local\\Hugelab");
  });

  it("is HUGELAB_DATA where that is an absolute path, and nowhere without a home", () => {
    for (const platform of ["linux", "darwin"] as const) expect(dataFolder({ HUGELAB_DATA: "/x" }, platform, "/home/kim")).toBe("/x");
    expect(dataFolder({ HUGELAB_DATA: "x" }, "linux", "/home/kim")).toBe("/home/kim/.local/share/hugelab");
    for (const platform of ["linux", "darwin", "win32"] as const) expect(dataFolder({}, platform, "")).toBeNull();
  });
});

describe("who has the database", () => {
  it("is told as long as that process lives", async () => {
    await withFolder({}, (folder) => {
      expect(readOwner(folder)).toBeNull();
      const owner = { pid: process.pid, host: "browser", startedMs: 5 };
      writeOwner(folder, owner);
      expect(readOwner(folder)).toEqual(owner);
      writeOwner(folder, { ...owner, pid: 2 ** 22 + 1 });
      expect(readOwner(folder)).toBeNull();
      for (const text of ["", "null", "[]", '{"pid": "1"}', '{"pid": -1}']) {
        writeFileSync(join(folder, "owner.json"), text);
        expect(readOwner(folder)).toBeNull();
      }
      removeOwner(folder);
      expect(existsSync(join(folder, "owner.json"))).toBe(false);
    });
  });

  it("a database that is there is never touched", async () => {
    await withFolder({ "progress.db": "content" }, (folder) => {
      precreate(join(folder, "progress.db"));
      expect(readFileSync(join(folder, "progress.db"), "utf8")).toBe("content");
    });
  });
});

describe("a report", () => {
  const report: Report = { version: "1", behaviour: "2", method: "submit", why: "broke", profile: "p", patches: [], config: [], commands: [] };

  it("says where in Hugelab, and nothing of the machine", () => {
    const why = [
      `Error: no page at /sys/kernel/mm/x`,
      `    at f (file://${root}src/kernel/a.ts:1:2)`,
      `    at g (${root}src/kernel/b.ts:3:4)`,
      "    at h (file:///home/kim/other/c.ts:5:6)",
      "    at i (/home/kim/other/d.ts:7:8)",
      "    at j (C:\\Users\\kim\\e.ts:9:1)",
    ].join("\n");
    const text = reportText({ ...report, why });
    expect(text).toContain("src/kernel/a.ts:1:2");
    expect(text).toContain("/sys/kernel/mm/x");
    for (const name of ["kim", root, "other"]) expect(text).not.toContain(name);
    for (const name of ["b.ts:3:4", "c.ts:5:6", "d.ts:7:8", "e.ts:9:1"]) expect(text).toContain(name);
  });

  it("has a limit, and keeps the commands before the failure first", () => {
    const commands = Array.from({ length: 10_000 }, (_, i) => `${i} ${"x".repeat(1000)}`);
    const text = reportText({ ...report, why: "w".repeat(1_000_000), commands });
    expect(text.length).toBeLessThanOrEqual(64 << 10);
    expect(text).toContain("9999 xxx");
  });

  it("is one of the last twenty, and none is worth an error", async () => {
    await withFolder({}, (folder) => {
      for (let i = 0; i < 25; i++) expect(keepReport(join(folder, "reports"), report, i)).not.toBeNull();
      const kept = readdirSync(join(folder, "reports")).sort();
      expect(kept).toHaveLength(20);
      expect(kept[0]).toBe("report-19700101T000000005Z.json");
      writeFileSync(join(folder, "file"), "");
      expect(keepReport(join(folder, "file"), report, 1)).toBeNull();
    });
  });
});

describe("the measurement of agreement", () => {
  it("is shown as it was committed, or said to be missing", async () => {
    const view = loadFidelity(root, "9.9.9");
    expect(view.rows.length).toBeGreaterThan(5);
    expect(view.twin.join("\n")).toContain("9.9.9");
    for (const { area } of view.rows) expect(area).not.toMatch(/^host\./);
    await withFolder({ "conformance/fidelity.json": "{" }, (folder) => {
      expect(loadFidelity(folder, "1")).toMatchObject({ rows: [], deviations: [] });
      expect(loadFidelity(join(folder, "none"), "1").measured).toMatch(/No measurement/);
    });
  });
});
