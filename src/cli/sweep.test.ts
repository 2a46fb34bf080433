import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const main = join(import.meta.dirname, "main.ts");
const recording = join(import.meta.dirname, "../../conformance/programs/c-two-buffers.json");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hugelab-sweep-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function sweep(...args: string[]): { status: number | null; stdout: string; lines: string[]; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "sweep", ...args], { encoding: "utf8" });
  return { status, stdout, lines: stdout.trim().split("\n"), stderr };
}

it("shows a program under settings of a line and of a file, the baseline marked, and why", () => {
  const file = join(folder, "settings.txt");
  writeFileSync(file, "# two more\nenabled=never  # nothing huge\n\nenabled=always\n");
  const { status, lines } = sweep(recording, "--setting", "enabled=madvise,64k=always", "--settings", file, "--sort", "-faults");
  expect(status).toBe(0);
  const rows = lines.slice(3, 7).map((line) => line.slice(0, 30).trim().split("  ")[0]);
  expect(rows.sort()).toEqual(["* as recorded", "enabled=always", "enabled=madvise,64k=always", "enabled=never"]);
  expect(lines.some((line) => line.includes("huge pages are switched off"))).toBe(true);
});

it("compares with another row, says why of one row, and prints CSV and JSON", () => {
  const never = ["--setting", "enabled=never"];
  expect(sweep(recording, ...never, "--baseline", "enabled=never").lines.some((line) => line.startsWith("* enabled=never"))).toBe(true);
  expect(sweep(recording, ...never, "--why", "enabled=never").stdout).toContain("transparent_hugepage/enabled is never");
  const { lines } = sweep(recording, ...never, "--csv");
  expect(lines[0]).toMatch(/^setting,profile,baseline,hidden_pages,faults,/);
  const table = JSON.parse(sweep(recording, ...never, "--json").stdout) as { rows: { label: string; least: { faults: number } }[] };
  expect(table.rows.map(({ label, least }) => [label, least.faults > 60])).toEqual([
    ["as recorded", true],
    ["enabled=never", true],
  ]);
});

it("refuses what makes no sense in one sentence", () => {
  const cases = [
    [],
    [recording, recording],
    [join(folder, "none.json")],
    [recording, "--setting", "enabled"],
    [recording, "--settings", join(folder, "none.txt")],
    [recording, "--sort", "colour"],
    [recording, "--baseline", "nobody"],
    [recording, "--why", "nobody"],
    [recording, "--config", "thp/enabled=perhaps"],
    [recording, "--profile", "mine"],
  ];
  for (const args of cases) {
    const { status, stdout, stderr } = sweep(...args);
    expect([args.at(-1), status, stdout, stderr.trim().split("\n").length]).toEqual([args.at(-1), 2, "", 1]);
  }
});

it("names the line of a file that is no setting, and a row that the machine does not take", () => {
  const file = join(folder, "bad.txt");
  writeFileSync(file, "enabled=never\nenabled\n");
  expect(sweep(recording, "--settings", file)).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining(`${file}:2: `) as string });
  const refused = sweep(recording, "--setting", "enabled=perhaps", "--setting", "enabled=never");
  expect(refused.status).toBe(2);
  expect(refused.stdout).toContain("does not take perhaps (EINVAL)");
});
