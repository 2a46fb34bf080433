import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ScriptRunner, TraceHeader } from "../conform/step.ts";
import { fuzz, run } from "./fuzzKernel.ts";
import { RecorderFailure } from "./recorder.ts";
import type { Recording } from "./recorder.ts";
import { unsafeWord } from "./verify.ts";

const header: TraceHeader = { hdr: 1, profile: "p", kernel: "6.18.44", slot_base: "", slot_size: "" };
const options = { seed: 5, count: 30, areas: ["anon" as const], keepGoing: false, maxShrink: 1 };
let folder = "";
let output: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hugelab-fuzz-"));
  output = [];
  for (const stream of ["log", "error"] as const) vi.spyOn(console, stream).mockImplementation((line: string) => void output.push(line));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.restoreAllMocks();
});

/** a kernel that answers 0 to everything, and one that refuses collapse */
function answers(source: string, refusesCollapse: boolean): Recording {
  const lines = source.trimEnd().split("\n");
  const steps = lines.map((op, n) => ({ n, op, ret: refusesCollapse && op.endsWith("collapse") ? -1 : 0, passes: Number(op.split(" ")[2] ?? 1) }));
  return { header, steps };
}

const recorder = { record: (source: string): Promise<Recording> => Promise.resolve(answers(source, false)) };
const same: ScriptRunner = (_profile, source) => answers(source, false);
const different: ScriptRunner = (_profile, source) => answers(source, true);

it("ends with 0 and the totals where nothing differs", async () => {
  expect(await fuzz({ recorder, run: same, profile: "p", folder }, options)).toBe(0);
  expect(output.at(-1)).toMatch(/^fuzz-kernel: (\d+) of \1 observations agree \(100\.00%\) over 30 scripts, seed 5$/);
});

it("stops at the first difference, shrinks it to the line that shows it, and keeps it once", async () => {
  const bench = { recorder, run: different, profile: "p", folder };
  expect(await fuzz(bench, options)).toBe(1);
  expect(await fuzz(bench, { ...options, seed: 6 })).toBe(1);
  const kept = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as { source: string; ours: unknown[]; steps: unknown[] });
  for (const { source, ours, steps } of kept) {
    expect(source).toMatch(/^(@C\d )?madvise \S+( \d+k)? collapse\n$/);
    expect([ours.length, steps.length]).toEqual([1, 1]);
  }
  const before = readdirSync(folder).length;
  await fuzz(bench, options);
  expect(readdirSync(folder).length).toBe(before);
  expect(output.some((line) => line.includes("kept already"))).toBe(true);
});

it("goes on where it is told to, and shrinks no more than asked for", async () => {
  expect(await fuzz({ recorder, run: different, profile: "p", folder }, { ...options, keepGoing: true, maxShrink: 2 })).toBe(1);
  expect(output.at(-1)).toMatch(/\(\d\d\.\d\d%\) over 30 scripts, seed 5$/);
  expect(output.filter((line) => line.includes("shrinking")).length).toBe(2);
});

it("takes a simulator that breaks as a difference", async () => {
  const broken: ScriptRunner = () => {
    throw new TypeError("no such thing");
  };
  expect(await fuzz({ recorder, run: broken, profile: "p", folder }, options)).toBe(1);
  expect(output[0]).toContain("TypeError: no such thing");
  const [name] = readdirSync(folder);
  expect(JSON.parse(readFileSync(join(folder, name), "utf8"))).toMatchObject({ crash: "TypeError: no such thing", seed: 5, index: 0 });
});

it("cannot run where the recorder fails at once", async () => {
  const failing = { record: (): Promise<Recording> => Promise.reject(new RecorderFailure("75: another recorder is running")) };
  expect(await fuzz({ recorder: failing, run: same, profile: "p", folder }, options)).toBe(3);
});

it.each([[["--area", "swap"]], [["--area", "anom"]], [["--seed", "-1"]], [["--count", "0"]], [["--seed", "0x10"]], [["--sed", "1"]]])(
  "refuses %s",
  async (args) => {
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    expect(await run(args)).toBe(2);
  },
);

it("finds what a script must not reach when it runs as root", () => {
  expect(unsafeWord("sys set /etc/passwd x")).toEqual({ line: 1, word: "/etc/passwd" });
  expect(unsafeWord("munlockall\nmmap A 4k rw shared file=/dev/sda")).toEqual({ line: 2, word: "file=/dev/sda" });
  expect(unsafeWord("sys set thp/../../../../etc/passwd x")).not.toBeNull();
  expect(unsafeWord("mount X ext4 /dev/sda1")).not.toBeNull();
  expect(unsafeWord("sys set /sys/kernel/mm/ksm/run 0\nsys thp enabled always # /etc\nmmap A 4M rw private file=/nonexistent")).toBeNull();
});
