import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bugOn } from "../../kernel/assert.ts";
import { findProfile } from "../../kernel/profile/profile.ts";
import { smapsOf, vmFlagNames } from "../../kernel/proc/taskMmu.ts";
import { ScriptRun } from "../../session/runScript.ts";
import { parseScript } from "../../shell/command/parseScript.ts";
import { conformMessagesEn } from "../messages.en.ts";
import { importText, namesFromFile } from "./importText.ts";
import { mapsScript } from "./mapsScript.ts";
import { readMaps } from "./readMaps.ts";

const HEAP = 0x555555559000;
const BIG = 0x7ffff0000000;
const LIB = 0x7ffff7000000;

interface Vma {
  readonly start: number;
  readonly kb: number;
  readonly perm: string;
  readonly name?: string;
  readonly offset?: number;
  readonly rss?: number;
  readonly anonymous?: number;
  readonly huge?: number;
  readonly swap?: number;
  readonly flags: string;
}

const headOf = ({ start, kb, perm, name = "", offset = 0 }: Vma): string =>
  `${start.toString(16)}-${(start + kb * 1024).toString(16)} ${perm} ${offset.toString(16).padStart(8, "0")} ${name.startsWith("/") ? "fe:00 1234" : "00:00 0"}${name === "" ? "" : `                     ${name}`}`;

const smapsText = (vmas: readonly Vma[]): string =>
  vmas
    .map((v) => {
      const sizes = {
        Size: v.kb,
        KernelPageSize: 4,
        MMUPageSize: 4,
        Rss: v.rss ?? 0,
        Anonymous: v.anonymous ?? 0,
        AnonHugePages: v.huge ?? 0,
        Swap: v.swap ?? 0,
      };
      return `${headOf(v)}\n${Object.entries(sizes)
        .map(([name, kb]) => `${`${name}:`.padEnd(16)}${String(kb).padStart(8)} kB\n`)
        .join("")}THPeligible:           0\nVmFlags: ${v.flags} \n`;
    })
    .join("");

const VMAS: readonly Vma[] = [
  { start: 0x400000, kb: 16, perm: "r-xp", name: "/bin/a program", rss: 12, flags: "rd ex mr mw me" },
  { start: HEAP, kb: 132, perm: "rw-p", name: "[heap]", rss: 20, anonymous: 20, flags: "rd wr mr mw me ac" },
  { start: BIG + 0x1000, kb: 8192, perm: "rw-p", rss: 4096 + 40, anonymous: 4096 + 40, huge: 4096, flags: "rd wr mr mw me ac hg" },
  { start: LIB, kb: 64, perm: "r--p", name: "/lib/libx.so", rss: 64, flags: "rd mr mw me" },
  { start: LIB + 0x10000, kb: 16, perm: "r--p", name: "/lib/libx.so", offset: 0x10000, rss: 16, anonymous: 8, flags: "rd mr mw me ac" },
  { start: LIB + 0x20000, kb: 64, perm: "rw-s", name: "/dev/zero (deleted)", rss: 8, flags: "rd wr sh mr mw me ms" },
  { start: LIB + 0x40000, kb: 16, perm: "---p", flags: "mr mw me" },
  { start: 0x7ffffffde000, kb: 132, perm: "rw-p", name: "[stack]", rss: 12, anonymous: 12, flags: "rd wr mr mw me gd ac" },
];

function valueOf<T>(result: { readonly kind: "ok"; readonly value: T } | { readonly kind: "bad"; readonly problem: { readonly line: number } }): T {
  if (result.kind === "bad") throw new Error(`line ${result.problem.line}`);
  return result.value;
}

describe("smaps", () => {
  it("becomes a script whose machine has the same mappings with as much in them", () => {
    const { lines, unknown, leftOut } = mapsScript(valueOf(readMaps(smapsText(VMAS))));
    expect(leftOut).toBe(0);
    for (const { key } of unknown) expect(conformMessagesEn).toHaveProperty([key]);
    const profile = findProfile("vm-6.18.44");
    bugOn(profile === undefined, "no profile");
    const run = new ScriptRun(profile!);
    const parsed = parseScript(lines.join("\n"));
    if (!("operations" in parsed)) throw new Error(JSON.stringify(parsed));
    for (const operation of parsed.operations) {
      const { errno, error, sig } = run.step(operation) as { errno?: string; error?: string; sig?: unknown };
      expect([operation.text, errno, error, sig]).toEqual([operation.text, undefined, undefined, undefined]);
    }
    const { machine } = run.world;
    const made = new Map(machine.vmas(run.world.task(run.world.living()[0])).map((vma) => [vma.start * 4096, vma]));
    for (const v of VMAS) {
      const vma = made.get(v.start);
      bugOn(vma === undefined, v.name ?? "");
      const { Size, Rss, Anonymous, AnonHugePages } = smapsOf(machine.kernel, vma!);
      const wanted = [v.kb, v.rss ?? 0, v.perm.endsWith("s") ? 0 : (v.anonymous ?? 0), v.huge ?? 0];
      expect([v.name, Size, Rss, Anonymous, AnonHugePages]).toEqual([v.name, ...wanted]);
      expect([v.name, vmFlagNames(machine.kernel, vma!).join(" ")]).toEqual([v.name, v.flags]);
    }
    expect(machine.check()).toEqual([]);
  });

  it("says what is left out and not known", () => {
    const more: readonly Vma[] = [
      { start: 0x10000000, kb: 2048, perm: "rw-p", name: "/anon_hugepage (deleted)", flags: "rd wr mr mw me ht" },
      { start: 0x20000000, kb: 64, perm: "rw-p", rss: 4, anonymous: 4, swap: 32, flags: "rd wr mr mw me lo ac" },
      { start: 0x7ffff7fc9000, kb: 16, perm: "r--p", name: "[vvar]", flags: "rd mr pf io de dd" },
    ];
    const script = mapsScript(valueOf(readMaps(smapsText(more))));
    expect(script).toMatchObject({ mappings: 1, leftOut: 2 });
    expect(script.unknown.map(({ key }) => key.split(".").at(-1))).toEqual(expect.arrayContaining(["leftOut", "swap", "locked"]));
    const vsyscall = `${smapsText(VMAS.slice(0, 1))}ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\nSize: 4 kB\nRss: 0 kB\nVmFlags: ex\n`;
    expect(valueOf(readMaps(vsyscall)).vmas).toHaveLength(1);
  });
});

describe("maps", () => {
  it("becomes mappings with nothing in them", () => {
    const text = VMAS.map((v) => `${headOf(v)}\n`).join("");
    const maps = valueOf(readMaps(text));
    expect(maps).toMatchObject({ form: "maps", vmas: { length: VMAS.length } });
    expect(mapsScript(maps).lines.some((line) => line.startsWith("touch"))).toBe(false);
  });

  it("a name cannot add a command, or hide one", () => {
    const hostile: Vma = { ...VMAS[0], name: "/x\u001b[2Jexit" };
    expect(readMaps(`${headOf(hostile)}\n`)).toMatchObject({ kind: "bad", problem: { line: 1, what: { key: "conform.import.binary" } } });
    const { lines } = mapsScript(valueOf(readMaps(`${headOf({ ...VMAS[0], name: "/x # exit; munmap" })}\n`)));
    const parsed = parseScript(lines.join("\n"));
    expect("operations" in parsed ? parsed.operations.map(({ body }) => body.op) : parsed).toEqual(["file", "mmap"]);
  });
});

const good = smapsText(VMAS);
it.each([
  ["", 1, "notPerf"],
  ["hello\n", 1, "notPerf"],
  [`${headOf(VMAS[0])}\nnonsense\n`, 2, "badLine"],
  [`${headOf(VMAS[3])}\n${headOf(VMAS[0])}\n`, 2, "unordered"],
  ["1000-1000 r--p 00000000 00:00 0\n", 1, "badRange"],
  ["1000-2001 r--p 00000000 00:00 0\n", 1, "badRange"],
  ["1000-2000 r--p 00000001 00:00 0\n", 1, "badOffset"],
  [good.slice(0, good.lastIndexOf("VmFlags")), 79, "cutOff"],
  [good.replace("Size:                132 kB", "Size:                136 kB"), 11, "badSize"],
  [good.replace("Rss:                  20 kB", "Rss:                 400 kB"), 11, "badCount"],
  [`${headOf(VMAS[0])}\u0000\n`, 1, "binary"],
  [`${headOf(VMAS[0])}${"x".repeat(1 << 20)}\n`, 1, "longLine"],
  ['{"program":', 0, "json.notJson"],
  ["{}", 0, "json.notAProgram"],
])("refuses what is none of them, %#", (text, line, name) => {
  const result = importText(text);
  if (text === "") expect(result).toMatchObject({ kind: "bad", problem: { what: { key: "conform.import.noFaults" } } });
  else expect(result).toMatchObject({ kind: "bad", problem: { line, what: { key: `conform.import.${name}` } } });
});

// --- perf script

const perf = (rest: string, pid = 7, tid = pid): string => `     my program ${pid}/${tid} 100.000001: ${rest}\n`;
const pf = (address: number, error: number): string =>
  perf(`exceptions:page_fault_user: address=0x${address.toString(16)} ip=0x1 error_code=0x${error.toString(16)}`);
const rss = (pages: number, mm = 5, curr = 1): string => perf(`kmem:rss_stat: mm_id=${mm} curr=${curr} type=MM_ANONPAGES size=${pages * 4096}B`);

const RECORDED = [
  "         swapper 0/0 0.000000: PERF_RECORD_MMAP -1/0: [0xffffffff81000000(0x1209988) @ 0xffffffff81000000]: x [kernel.kallsyms]_text\n",
  perf("exceptions:page_fault_user: address=0x1000 ip=0x1 error_code=0x4"),
  perf("sched:sched_process_exec: filename=/bin/x pid=7 old_pid=7"),
  perf("syscalls:sys_enter_mmap: addr: 0x00000000, len: 0x00002000, prot: 0x00000003, flags: 0x00000022, fd: 0xffffffff, off: 0x00000000"),
  perf("PERF_RECORD_MMAP2 7/7: [0x7ffff0000000(0x2000) @ 0x7ffff0000000 00:00 0 0]: rw-p //anon"),
  perf("syscalls:sys_exit_mmap: 0x7ffff0000000"),
  pf(BIG, 6),
  rss(1),
  rss(9, 6),
  perf("exceptions:page_fault_kernel: address=0xffff888000001000 ip=elf_load error_code=0x2"),
  pf(BIG + 4096, 6),
  rss(2),
  perf("syscalls:sys_enter_munmap: addr: 0x00000001, len: 0x00001000"),
  perf("syscalls:sys_exit_munmap: 0xffffffffffffffea"),
  perf("sched:sched_process_exit: comm=x pid=7 prio=120"),
  perf("exceptions:page_fault_user: address=0x2000 ip=0x1 error_code=0x4", 8),
].join("");

describe("perf script", () => {
  it("becomes the recording of the process with the most faults, from its exec on", () => {
    const imported = valueOf(importText(RECORDED, namesFromFile("/tmp/my-program.always.txt")));
    if (imported.form !== "program") throw new Error("no program");
    const { name, thpEnabled, otherMm, events } = imported.program;
    expect([name, thpEnabled, otherMm]).toEqual(["my-program", "always", 1]);
    expect(events.map((e) => (e.kind === "pf" ? `pf ${e.address - BIG}` : e.kind === "sys" ? `${e.name} ${e.result}` : e.kind))).toEqual([
      "vma",
      `mmap ${BIG}`,
      "pf 0",
      "rss",
      "pf 4096",
      "rss",
      `munmap ${2 ** 64}`,
    ]);
    const again = valueOf(importText(imported.json));
    expect(again).toMatchObject({ form: "program", program: { name, events } });
  });

  it.each([
    ["page_fault_user: address=0x1000 ip=0x1 error_code=0x4", "page_fault_user: somewhere", "badEvent"],
    ["type=MM_ANONPAGES size=4096B", "pages=4", "badEvent"],
    ["len: 0x00002000", "len: many", "badEvent"],
    ["my program 7/7", "my program", "notPerf"],
    ["sys_exit_mmap: 0x7ffff0000000", "sys_exit_mmap: where", "badNumber"],
  ])("refuses %s as %s", (from, to, name) => {
    const result = importText(RECORDED.replace(from, to));
    expect(result).toMatchObject({ kind: "bad", problem: { what: { key: `conform.import.${name}` } } });
  });
});

describe("whatever somebody brings", () => {
  const whole = (text: string): void => {
    const result = importText(text);
    if (result.kind === "bad") {
      expect(conformMessagesEn).toHaveProperty([result.problem.what.key]);
      expect(result.problem.line).toBeLessThanOrEqual(text.split("\n").length);
    } else if (result.value.form === "maps") expect(parseScript(mapsScript(result.value.maps).lines.join("\n"))).toHaveProperty("operations");
  };

  it("is all of it or one sentence: noise", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: "binary" }),
          fc.uint8Array().map((bytes) => new TextDecoder().decode(bytes)),
        ),
        whole,
      ),
    );
  });

  it("is all of it or one sentence: a file with pieces cut out, doubled and changed", () => {
    const files = [good, RECORDED, VMAS.map((v) => `${headOf(v)}\n`).join("")];
    const piece = fc.tuple(
      fc.nat(),
      fc.nat(60),
      fc.oneof(fc.constant(""), fc.string({ maxLength: 20 }), fc.constantFrom("\n", "0", "ffffffffffffffff", " kB")),
    );
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.array(piece, { minLength: 1, maxLength: 4 }), (file, changes) => {
        let text = file;
        for (const [at, length, put] of changes) {
          const start = at % (text.length + 1);
          text = text.slice(0, start) + put + text.slice(start + length);
        }
        whole(text);
      }),
      { numRuns: 500 },
    );
  });
});
