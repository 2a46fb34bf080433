import { describe, expect, it } from "vitest";
import { bugOn } from "../../kernel/assert.ts";
import { findProfile } from "../../kernel/profile/profile.ts";
import { sessionMessagesEn } from "../../session/messages.en.ts";
import { renderer } from "../../shell/renderMessage.ts";
import { conformMessagesEn } from "../messages.en.ts";
import type { SweepTable } from "../model.ts";
import { readProgram, type Program } from "../program/readProgram.ts";
import { columnOf, sortRows } from "./columns.ts";
import { defaultSettings } from "./defaultSettings.ts";
import { SweepStopped } from "./measure.ts";
import { parseSettings } from "./setting.ts";
import { sweepJson } from "./sweepJson.ts";
import { Sweep, type JobResult, type SweepJob } from "./sweepProgram.ts";
import { fallbackLines, sweepCsv, sweepLines } from "./sweepText.ts";

const MIB = 1 << 20;
const ANON = 0x7fffe0000000;
const LIB = 0x7ffff7000000;
const profileOf = (id: string): NonNullable<ReturnType<typeof findProfile>> => {
  const profile = findProfile(id);
  bugOn(profile === undefined, id);
  return profile!;
};
const VM = profileOf("vm-6.18.44");
const render = renderer({ ...sessionMessagesEn, ...conformMessagesEn });

function programOf(events: readonly unknown[], thp: string): Program {
  const text = JSON.stringify({ program: "t", what: "a test", kernel: "6.18", thp_enabled: thp, page_size_bytes: 4096, events });
  const result = readProgram(text);
  if (result.kind === "bad") throw new Error(result.problem);
  return result.program;
}

const mapAnon = (at: number, len: number): unknown[] => ["sys", "mmap", { addr: 0, len, prot: 3, flags: 0x22, fd: 4294967295, off: 0 }, at];
const write = (address: number): unknown[] => ["pf", "user", address, 6];
const read = (address: number): unknown[] => ["pf", "user", address, 4];

/** Two huge pages, one of them unmapped at the end. */
const HUGE = programOf([mapAnon(ANON, 4 * MIB), write(ANON), write(ANON + 2 * MIB + 8), ["sys", "munmap", { addr: ANON, len: 2 * MIB }, 0]], "always");

function sweepOf(program: Program, texts: readonly string[], look = (): boolean => true): SweepTable {
  const settings = parseSettings(texts);
  if ("key" in settings) throw new Error(render(settings));
  const sweep = new Sweep(program, { profile: VM, patches: [], config: [], settings }, look);
  const results = new Map<SweepJob, JobResult>();
  for (const job of sweep.jobs()) results.set(job, sweep.run(job, look));
  return sweep.table(results);
}

describe("a recording with huge pages", () => {
  const table = sweepOf(HUGE, ["enabled=never", "enabled=never,64k=always", "enabled=always,prctl=disable"]);
  const [base, never, sixtyFour, prctl] = table.rows;

  it("is the first row, as it was: two faults, and memory of which one page each is known to be used", () => {
    expect(table.hiddenPages).toBe(1022);
    expect(base).toMatchObject({ isBaseline: true, refused: null, profile: "vm-6.18.44" });
    expect(base.least).toMatchObject({
      faults: 2,
      anonymous: [{ order: 9, value: 2 }],
      rssPeakBytes: 4 * MIB,
      rssEndBytes: 2 * MIB,
      bloatPeakBytes: 4 * MIB - 8192,
    });
    expect(base.most).toMatchObject({ faults: 2, bloatPeakBytes: 0, pmdMappedBytes: 4 * MIB, zeroedBytes: 4 * MIB });
    expect(base.most?.reach).toEqual([{ order: 9, value: 4 * MIB }]);
    expect(base.least?.fallbacks).toEqual([]);
  });

  it("without them has as many faults as pages: at least those recorded, at most all of the huge pages", () => {
    expect(never.least).toMatchObject({ faults: 2, rssPeakBytes: 8192, bloatPeakBytes: 0, zeroedBytes: 8192 });
    expect(never.most).toMatchObject({ faults: 1024, anonymous: [{ order: 0, value: 1024 }], rssPeakBytes: 4 * MIB, pmdMappedBytes: 0 });
    const [fallback] = never.most?.fallbacks ?? [];
    expect(fallback).toMatchObject({ order: 9, rule: "thp.settingNever", faults: 1024, blocks: 2, address: ANON });
    expect(fallback.why.map(render)).toEqual(expect.arrayContaining(["/sys/kernel/mm/transparent_hugepage/enabled is never"]));
  });

  it("with 64 KiB has a fault for each of these", () => {
    expect(sixtyFour.least).toMatchObject({ faults: 2, rssPeakBytes: 2 * 65536, bloatPeakBytes: 2 * 61440 });
    expect(sixtyFour.most).toMatchObject({ faults: 64, anonymous: [{ order: 4, value: 64 }], bloatPeakBytes: 0 });
  });

  it("with the process's own refusal says so", () => {
    expect(prctl.most?.fallbacks).toEqual([expect.objectContaining({ rule: "thp.prctl", faults: 1024 })]);
  });

  it("costs less time with larger folios, in faults; and table, CSV and JSON say the same", () => {
    expect(never.most!.clockNs).toBeGreaterThan(sixtyFour.most!.clockNs);
    const lines = sweepLines(table, { sort: null, baseline: null, render });
    expect(lines.find((line) => line.startsWith("* as recorded"))).toContain("4096k");
    expect(lines.find((line) => line.startsWith("  enabled=never "))).toMatch(/ 2\.\.1024 /);
    expect(lines.join("\n")).not.toContain("conform.");
    expect(fallbackLines(never, render).join("\n")).toContain("enabled is never");
    const csv = sweepCsv(table).map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/));
    expect(new Set(csv.map((cells) => cells.length)).size).toBe(1);
    expect(csv).toHaveLength(1 + 2 * 4);
    expect(csv.find((cells) => cells[0] === "enabled=never" && cells[3] === "touched")?.[4]).toBe("1024");
    expect(JSON.stringify(sweepJson(table, render))).toContain('"faults":1024');
  });

  it("is sorted by a column, either way, and the order of equal rows stays", () => {
    const faults = columnOf("faults")!;
    expect(sortRows(table.rows, faults, false).map((row) => row.label)).toEqual([
      "as recorded",
      "enabled=never,64k=always",
      "enabled=never",
      "enabled=always,prctl=disable",
    ]);
    expect(sortRows(table.rows, faults, true)[0].label).toBe("enabled=never");
  });
});

describe("a recording without huge pages", () => {
  it("has one value for each setting, and counts a copy of a file's page as a copy", () => {
    const table = sweepOf(
      programOf(
        [
          ["vma", LIB, 0x4000, 0, "rw-p", "/usr/lib/libx.so"],
          ["sys", "mmap", { addr: LIB, len: 0x4000, prot: 3, flags: 0x12, fd: 3, off: 0 }, LIB],
          write(LIB),
          read(LIB + 4096),
          write(LIB + 4096),
        ],
        "never",
      ),
      ["enabled=always"],
    );
    expect(table.hiddenPages).toBe(0);
    expect(table.rows.map((row) => row.most)).toEqual([null, null]);
    expect(table.rows[0].least).toMatchObject({ faults: 3, copiedBytes: 8192, zeroedBytes: 0, otherFaults: 1 });
  });

  it("shows what the setting would have made of it", () => {
    const table = sweepOf(programOf([mapAnon(ANON, 2 * MIB), write(ANON), write(ANON + 4096)], "never"), ["enabled=always"]);
    expect(table.rows[1].least).toMatchObject({ faults: 1, rssPeakBytes: 2 * MIB, bloatPeakBytes: 2 * MIB - 8192, pmdMappedBytes: 8192 });
  });
});

it("a setting that the machine does not take is a row with the reason, and the others go on", () => {
  const table = sweepOf(HUGE, ["release=6.1,enabled=always,64k=always", "enabled=sometimes", "enabled=never"]);
  expect(table.rows.map((row) => [row.refused === null, row.least === null])).toEqual([
    [true, false],
    [false, true],
    [false, true],
    [true, false],
  ]);
  const lines = sweepLines(table, { sort: null, baseline: null, render });
  expect(lines.filter((line) => line.includes("cannot be set so"))).toHaveLength(2);
});

it("stops where it is asked to", () => {
  let looks = 0;
  const many = programOf([mapAnon(ANON, 4 * MIB), ...Array.from({ length: 600 }, (_, i) => write(ANON + i * 4096))], "never");
  expect(() => sweepOf(many, ["enabled=always"], () => ++looks < 6)).toThrow(SweepStopped);
  expect(looks).toBe(6);
});

it("the usual settings are 40 where there are sizes below 2 MiB, and all of them are taken", () => {
  expect(defaultSettings(VM, HUGE)).toHaveLength(40);
  const old = defaultSettings(profileOf("upstream-5.19"), HUGE);
  expect(old.length).toBeGreaterThan(8);
  expect(old.some((s) => s.files.some(([path]) => path.includes("hugepages-")) && s.profile === null)).toBe(false);
  const shared = programOf([["sys", "mmap", { addr: 0, len: 4096, prot: 3, flags: 0x21, fd: 4294967295, off: 0 }, ANON]], "never");
  expect(defaultSettings(VM, shared).filter((s) => s.label.includes("shmem_enabled"))).toHaveLength(4);
  const table = sweepOf(
    programOf([mapAnon(ANON, 2 * MIB), write(ANON)], "madvise"),
    defaultSettings(VM, HUGE).map((s) => s.label),
  );
  expect(table.rows.filter((row) => row.refused !== null)).toEqual([]);
});
