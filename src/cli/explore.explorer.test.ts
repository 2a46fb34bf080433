import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { execute, root, withFolder } from "../../tests/support.ts";

const explore = (...args: string[]) => execute(process.execPath, [join(root, "src/cli/main.ts"), "explore", ...args]);
const race = join(root, "conformance/races/gup-fast-vs-collapse.txt");

it("ends with 0 and says that nothing was left out", async () => {
  const { status, stdout, stderr } = await explore(race, "--release", "6.18");
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/on upstream-6\.18: no invariant broke\. Every interleaving was covered: \d+ schedules, \d+ positions\.\n$/);
});

it("ends with 1 and prints the schedule: thread, point, what it did", async () => {
  const { status, stdout } = await explore("--patch", "-gup-fast-recheck", race);
  expect(status).toBe(1);
  expect(stdout).toContain("debian-6.18.15 -gup-fast-recheck: an invariant broke.");
  expect(stdout).toContain("the pin of A+0x1000 is on frame");
  expect(stdout).toMatch(/^T1, \d+: gup A\+4k w fast$/m);
  expect(stdout).toMatch(/^ +\d+ {2}T1 {2}gupFast\.readPmd +has read the PMD entry, without a lock \(gup_fast_pmd_range\)$/m);
  expect(stdout).toMatch(/^ +\d+ {2}T2 {2}collapse\.isolated +has found every page/m);
  expect(stdout).toMatch(/^ +\d+ {2}T1 {2}- +ends: ret=0 pinned=\d+$/m);
});

it("prints the same as one JSON object", async () => {
  const { status, stdout } = await explore(race, "--patch=-gup-fast-recheck", "--json");
  expect(status).toBe(1);
  const result = JSON.parse(stdout) as { breach: { what: { key: string }; steps: { thread: string; point: string | null }[] }; machine: string };
  expect(result).toMatchObject({
    machine: "debian-6.18.15 -gup-fast-recheck",
    bound: null,
    breach: { what: { key: "session.broken.pinStale" }, preemptions: 2 },
  });
  expect(result.breach.steps[0]).toMatchObject({ thread: "T1", line: 18, operation: "gup A+4k w fast", point: "gupFast.readPmd" });
});

it("says that a bound left something out, and what was refused", async () => {
  const bounded = await explore(race, "--patch", "-gup-fast-recheck", "--bound", "1");
  expect([bounded.status, bounded.stdout]).toEqual([0, expect.stringContaining("no invariant broke within 1 preemptions") as string]);
  const refused = await explore(race, "--release", "5.19");
  expect(refused.stderr).toContain("line 21, madvise A 2M collapse, was refused every time: ret=-1 errno=EINVAL");
});

it("takes options of the script, and lets the command line win", () =>
  withFolder(
    { "a.txt": "option release 5.19\noption patch +gup-fast-recheck\nsetup:\n mmap A 4k rw private anon\nthread T1:\n touch A w\n" },
    async (folder) => {
      const file = join(folder, "a.txt");
      expect((await explore(file)).stdout).toContain("on upstream-5.19 +gup-fast-recheck: no");
      expect((await explore(file, "--release", "6.1")).stdout).toContain("on upstream-6.1 +gup-fast-recheck: no");
      expect((await explore(file, "--profile", "debian-6.12.107")).stdout).toContain("on debian-6.12.107 +gup-fast-recheck: no");
    },
  ));

it("ends with 2 where something does not parse: file, line, caret; or one sentence", () =>
  withFolder({ "bad.txt": "thread T1:\n tuch A w\n" }, async (folder) => {
    const file = join(folder, "bad.txt");
    const parse = await explore(file);
    expect([parse.status, parse.stdout]).toEqual([2, ""]);
    expect(parse.stderr).toContain("bad.txt:2:2:");
    expect(parse.stderr).toContain("did you mean touch?");
    for (const args of [
      [],
      [race, race],
      [race, "--bound", "x"],
      [race, "--release", "7.7"],
      [race, "--patch", "-gup-fast-rechek"],
      [join(folder, "none")],
      [folder],
    ]) {
      const { status, stdout, stderr } = await explore(...args);
      expect([args, status, stdout, stderr.trim().split("\n").length]).toEqual([args, 2, "", 1]);
    }
    writeFileSync(file, Buffer.from([0, 255, 254, 10, 1, 2]));
    expect((await explore(file)).status).toBe(2);
  }));
