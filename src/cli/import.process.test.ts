import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const main = join(import.meta.dirname, "main.ts");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hugelab-import-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function hugelab(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const MAPS = "555555554000-555555556000 r-xp 00000000 fe:00 12   /bin/x\n7ffff0000000-7ffff0400000 rw-p 00000000 00:00 0\n";

it("prints a script that runs", () => {
  const { status, stdout } = hugelab("import", "maps", file("maps.txt", MAPS));
  expect(status).toBe(0);
  expect(stdout).toMatch(/^# 2 mappings of /);
  const script = file("script.txt", stdout);
  const run = hugelab("run", "--json", script);
  expect(run.status).toBe(0);
  expect(run.stdout).not.toContain("errno");
});

it("refuses in one sentence with file and line, and prints nothing else", () => {
  const bytes = Uint8Array.from({ length: 400 }, (_, i) => (i * 7) & 255);
  const cases: [form: string, path: string, says: string][] = [
    ["maps", file("binary", bytes), ":1: "],
    ["smaps", file("long", `${"a".repeat(1 << 20)}\n`), ":1: "],
    ["maps", file("cut", MAPS.slice(0, 80)), ":2: "],
    ["perf", file("maps2", MAPS), "maps2: "],
    ["perf", file("text", "hello\n"), ":1: "],
    ["maps", join(folder, "none"), "ENOENT"],
    ["pictures", file("maps3", MAPS), "maps"],
  ];
  for (const [form, path, says] of cases) {
    const { status, stdout, stderr } = hugelab("import", form, path);
    expect([path, status, stdout, stderr.trim().split("\n").length]).toEqual([path, 2, "", 1]);
    expect(stderr).toContain(says);
  }
  // the commands that replay a recording refuse the same in the same way
  const { status, stderr } = hugelab("program", join(folder, "maps2"));
  expect([status, stderr.trim().split("\n").length]).toEqual([2, 1]);
});
