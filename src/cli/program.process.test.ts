import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { profileFor } from "../conform/program/programProfile.ts";

const main = join(import.meta.dirname, "main.ts");
const recording = join(import.meta.dirname, "../../conformance/programs/c-two-buffers.json");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hugelab-program-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function program(...args: string[]): { status: number | null; lines: string[]; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "program", ...args], { encoding: "utf8" });
  return { status, lines: stdout.trim().split("\n"), stderr };
}

it("replays a recorded program and says how much agrees", () => {
  const { status, lines } = program(recording);
  expect(lines.at(-1)).toBe("program: 67 of 67 faults agree (100.00%), 73 of 73 RSS events agree");
  expect(status).toBe(0);
});

it("shows what another setting changes: without THP the buffer faults page by page, so that faults stay and RSS differs", () => {
  const { status, lines } = program("--config", "thp/enabled=never", recording);
  expect(lines.at(-1)).toBe("program: 67 of 67 faults agree (100.00%), 57 of 73 RSS events agree");
  expect(lines.some((line) => line.includes("recorded MM_ANONPAGES +512 ours MM_ANONPAGES +1"))).toBe(true);
  expect(status).toBe(0);
});

it("fails where too few faults agree", () => {
  const content = JSON.parse(readFileSync(recording, "utf8")) as { events: unknown[][] };
  const fault = content.events.find((e) => e[0] === "pf");
  const path = join(folder, "twice.json");
  // the page is mapped the second time
  writeFileSync(path, JSON.stringify({ ...content, events: [...content.events, fault] }));
  const { status, lines } = program(path);
  expect(lines.at(-1)).toMatch(/^program: 67 of 68 faults agree/);
  expect(lines.some((line) => line.includes("does not fault"))).toBe(true);
  expect(status).toBe(1);
});

it("refuses what is no recording, and a line that makes no sense, in one sentence", () => {
  const path = join(folder, "a.json");
  writeFileSync(path, "{}");
  for (const args of [[path], [join(folder, "none.json")], [], [recording, recording], ["--config", "thp/enabled=perhaps", recording]]) {
    const { status, lines, stderr } = program(...args);
    expect([status, lines, stderr.trim().split("\n").length]).toEqual([2, [""], 1]);
  }
});

it("takes the profile of the recording's release", () => {
  expect(profileFor("6.18")).toBe("vm-6.18.44");
  expect(profileFor("6.12")).toBe("debian-6.12.107");
  expect(profileFor("6.1")).toBe("debian-6.1.176");
});
