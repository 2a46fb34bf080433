import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { check } from "../../tools/syncConformance.mjs";
import { findTraces, loadDeviations, loadTrace } from "./conform.ts";

const main = join(import.meta.dirname, "main.ts");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hugelab-conform-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function conform(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, "conform", ...args], { encoding: "utf8" });
}

it("has every trace and the recorder as the manifest says", () => {
  expect(check()).toEqual([]);
});

it("says in one sentence which file is no trace, and fails", () => {
  const { status, stdout, stderr } = conform(file("a.json", "{"), file("b.json", "{}"));
  expect(stderr.trim().split("\n")).toEqual([expect.stringContaining("a.json: not a trace"), expect.stringContaining("b.json: not a trace")]);
  expect(stdout.trim().split("\n").at(-1)).toBe("conform: 0 of 0 observations agree (0.00%), 0 listed, 0 unlisted");
  expect(status).toBe(1);
});

it("does not read a file of 100 MB", () => {
  const path = file("huge.json", "");
  truncateSync(path, 100 * 1024 * 1024);
  expect(() => loadTrace(path)).toThrow(/huge\.json: not a trace: 104857600 bytes/);
});

it.each([[["nowhere.json"]], [[]], [["--tier", "7", "."]], [["--tiers", "7", "."]]])("refuses a line that makes no sense: %s", (args) => {
  const { status, stdout, stderr } = conform(...args);
  expect([status, stdout, stderr.trim().split("\n").length]).toEqual([2, "", 1]);
});

it("searches folders to the bottom, in order", () => {
  const deep = join(folder, "deep", "er");
  mkdirSync(deep, { recursive: true });
  for (const name of ["b.json", "a.json", "c.txt"]) writeFileSync(join(deep, name), "");
  expect(findTraces([join(folder, "deep")]).map((found) => found.path)).toEqual([join(deep, "a.json"), join(deep, "b.json")]);
});

it("reads deviations of a profile, and none by a name that leads elsewhere", () => {
  const row = { trace: "t", operation: 0, field: "ret", recorded: 0, ours: 1, symbol: "s", reason: "r" };
  file("some-profile.json", JSON.stringify([row]));
  file("bad-profile.json", JSON.stringify([{ ...row, reason: "" }]));
  expect(loadDeviations("some-profile", folder)).toEqual([row]);
  expect(loadDeviations("no-profile", folder)).toEqual([]);
  expect(loadDeviations("../some-profile", join(folder, "deep"))).toEqual([]);
  expect(() => loadDeviations("bad-profile", folder)).toThrow(/row 0 has no symbol/);
});
