import { describe, expect, it } from "vitest";
import { findProfile } from "../../kernel/profile/profile.ts";
import { bugOn } from "../../kernel/assert.ts";
import { compareProgram, isWithinShare, type ProgramVerdict } from "./compareProgram.ts";
import { layoutOf } from "./layout.ts";
import { readProgram, type Program } from "./readProgram.ts";
import { replayProgram } from "./replayProgram.ts";

const PROFILE = findProfile("vm-6.18.44");
const LIB = 0x7ffff7000000;
const HEAP = 0x555555559000;
const ANON = 0x7fffe0000000;
const MADV_HUGEPAGE = 14;

const rss = (member: "FILE" | "ANON", pages: number, mm = "1"): unknown[] => ["rss", `MM_${member}PAGES`, pages * 4096, true, mm];
const user = (address: number, error: number): unknown[] => ["pf", "user", address, error];
const mapAnon = (at: number, len: number): unknown[] => ["sys", "mmap", { addr: 0, len, prot: 3, flags: 0x22, fd: 4294967295, off: 0 }, at];
const mapLib = (len: number, off: number, at: number, prot: number): unknown[][] => [
  ["vma", at, len, off, "r--p", "/usr/lib/libx.so"],
  ["sys", "mmap", { addr: at, len, prot, flags: 0x12, fd: 3, off }, at],
];

function programOf(events: readonly unknown[], thp = "madvise"): Program {
  const text = JSON.stringify({ program: "t", what: "a test", kernel: "6.18", thp_enabled: thp, page_size_bytes: 4096, events });
  const result = readProgram(text);
  if (result.kind === "bad") throw new Error(`${result.problem} at ${result.event}`);
  return result.program;
}

function judge(program: Program): ProgramVerdict {
  bugOn(PROFILE === undefined, "no profile");
  return compareProgram(program, replayProgram(program, PROFILE!));
}

describe("readProgram", () => {
  const file = (fields: object): string => JSON.stringify({ program: "t", kernel: "6.18", thp_enabled: "never", page_size_bytes: 4096, events: [], ...fields });
  it.each([
    ["{", "notJson"],
    ["[]", "notAProgram"],
    [file({ events: 3 }), "notAProgram"],
    [file({ page_size_bytes: 65536 }), "pageSize"],
    [file({ events: [["pf", "user", -1, 4]] }), "badEvent"],
    [file({ events: [["sys", "mmap", { addr: "0" }, 0]] }), "badEvent"],
    [file({ events: [["rss", "MM_OTHER", 0, true, "1"]] }), "badEvent"],
  ])("refuses %s", (text, problem) => {
    expect(readProgram(text)).toMatchObject({ kind: "bad", problem });
  });

  it("leaves out RSS changes of other address spaces and counts them", () => {
    const program = programOf([rss("ANON", 1), rss("ANON", 9, "2"), ["rss", "MM_ANONPAGES", 4096, false, "1"]]);
    expect(program.otherMm).toBe(2);
    expect(program.events).toHaveLength(1);
  });
});

describe("replay", () => {
  it("agrees on anonymous memory: a huge page where it was asked for, single pages elsewhere, and their end", () => {
    const events = [
      mapAnon(ANON, 4 << 20),
      ["sys", "madvise", { start: ANON, len_in: 4 << 20, behavior: MADV_HUGEPAGE }, 0],
      user(ANON + 8, 6),
      rss("ANON", 512),
      mapAnon(ANON - 8192, 8192),
      user(ANON - 4096, 4),
      user(ANON - 4096, 7),
      rss("ANON", 513),
      rss("ANON", 512),
      rss("ANON", 0),
      ["sys", "munmap", { addr: ANON - 8192, len: (4 << 20) + 8192 }, 0],
    ];
    const verdict = judge(programOf(events));
    expect(verdict).toMatchObject({ faults: 3, faultsAgree: 3, differences: [] });
  });

  it("agrees on a private file mapping: what is mapped around a read, the copy of a write, brk", () => {
    const program = programOf([
      ["sys", "brk", { brk: 0 }, HEAP],
      ...mapLib(0x30000, 0, LIB, 1),
      ...mapLib(0x5000, 0x20000, LIB + 0x20000, 3),
      user(LIB + 0x1000, 4),
      rss("FILE", 16),
      user(LIB + 0x20010, 4),
      rss("FILE", 21),
      user(LIB + 0x20010, 7),
      rss("FILE", 20),
      rss("ANON", 1),
      ["sys", "brk", { brk: HEAP + 0x21000 }, HEAP + 0x21000],
      user(HEAP + 8, 6),
      rss("ANON", 2),
    ]);
    const verdict = judge(program);
    expect(verdict).toMatchObject({ faults: 4, faultsAgree: 4, rss: 5, rssAgree: 5, differences: [] });
    expect(isWithinShare(program, verdict)).toBe(true);
  });

  it("says where a fault is missing, and why RSS differs", () => {
    const program = programOf([...mapLib(0x10000, 0, LIB, 1), user(LIB, 4), rss("FILE", 15), user(LIB + 0xf000, 4), rss("FILE", 16)]);
    const verdict = judge(program);
    expect(verdict).toMatchObject({ faults: 2, faultsAgree: 1, rss: 2, rssAgree: 0 });
    expect(verdict.differences).toEqual([
      expect.objectContaining({ kind: "rss", at: 2, ours: { member: "MM_FILEPAGES", pages: 16 }, reason: "notReady" }),
      expect.objectContaining({ kind: "fault", at: 4, address: LIB + 0xf000, ours: [] }),
      expect.objectContaining({ kind: "rss", at: 4, ours: null, reason: "earlier" }),
    ]);
    expect(isWithinShare(program, verdict)).toBe(false);
  });

  it("keeps a marked folio from being mapped around, until a fault comes to it", () => {
    const program = programOf([...mapLib(0x10000, 0, LIB, 1), user(LIB, 4), rss("FILE", 12), user(LIB + 0xd000, 4), rss("FILE", 12), rss("FILE", 16)]);
    expect(judge(program)).toMatchObject({ faults: 2, faultsAgree: 2, rss: 3, rssAgree: 3, differences: [] });
  });

  it("takes a munmap that gave way to the scheduler for what it is, and goes on with the next change", () => {
    const events = [mapAnon(ANON, 4 << 20), user(ANON, 6), rss("ANON", 1), user(ANON + 4096, 6), rss("ANON", 2), user(ANON + (2 << 20), 6), rss("ANON", 3)];
    const end = [rss("ANON", 2), rss("ANON", 1), rss("ANON", 0), ["sys", "munmap", { addr: ANON, len: 4 << 20 }, 0]];
    const { differences, rss: count, rssAgree } = judge(programOf([...events, ...end], "never"));
    expect([count, rssAgree]).toEqual([6, 4]);
    expect(differences).toEqual([
      expect.objectContaining({ recorded: { member: "MM_ANONPAGES", pages: -1 }, ours: { member: "MM_ANONPAGES", pages: -2 }, reason: "resched" }),
      expect.objectContaining({ recorded: { member: "MM_ANONPAGES", pages: -1 }, ours: null, reason: "resched" }),
    ]);
  });

  it("says which call answers something else", () => {
    const program = programOf([["sys", "munmap", { addr: 1, len: 4096 }, 0]]);
    expect(judge(program).differences).toEqual([{ kind: "call", at: 0, name: "munmap", recorded: "0", ours: "EINVAL" }]);
  });

  it.each([
    [
      "a file of 64 TiB",
      [["vma", LIB, 2 ** 46, 0, "r--p", "/x"], ["sys", "mmap", { addr: 0, len: 2 ** 46, prot: 1, flags: 2, fd: 3, off: 0 }, 0x10000], user(0x20000, 4)],
    ],
    ["addresses that are none", [["sys", "brk", { brk: 0 }, 2 ** 52], user(2 ** 52, 4), user(2 ** 47 - 4096, 6)]],
    ["a counter that leaps", [user(0x400000, 4), rss("FILE", 2 ** 38), rss("FILE", 2 ** 39), ["sys", "brk", { brk: 0 }, 2 ** 46]]],
  ])("ends soon with %s", (_, events) => {
    expect(judge(programOf(events)).differences.length).toBeGreaterThan(0);
  });

  it("compares two faults in each other together", () => {
    const program = programOf([mapAnon(ANON, 8192), ...mapLib(0x10000, 0, LIB, 1), user(ANON, 6), user(LIB, 4), rss("FILE", 16), rss("ANON", 1)]);
    expect(judge(program)).toMatchObject({ faultsAgree: 2, rss: 2, rssAgree: 2, overlapping: 2, differences: [] });
  });
});

describe("layoutOf", () => {
  it("finds where what exec mapped ends, from how much a read mapped", () => {
    const base = 0x555555554000;
    const program = programOf([
      user(base + 0x40, 4),
      rss("FILE", 1),
      user(base + 0x1060, 20),
      rss("FILE", 3),
      user(base + 0x3010, 6),
      rss("ANON", 4),
      ["sys", "brk", { brk: 0 }, base + 0x5000],
    ]);
    const layout = layoutOf(program);
    expect(layout.mappings.map((m) => [m.start - base / 4096, m.end - base / 4096, m.isFile, m.prot])).toEqual([
      [0, 1, true, 1],
      [1, 3, true, 5],
      [3, 5, false, 3],
    ]);
    expect(layout.written).toBe(3);
  });
});
