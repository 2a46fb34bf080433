import * as fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findProfile, type Profile } from "../kernel/profile/profile.ts";
import { manEn } from "../shell/man/man.en.ts";
import { shellMessagesEn } from "../shell/messages.en.ts";
import { renderer } from "../shell/renderMessage.ts";
import { makeCommandTable } from "../shell/table/baseTable.ts";
import { sessionManEn } from "./man.en.ts";
import { sessionMessagesEn } from "./messages.en.ts";
import { terminalMessagesEn } from "./messages.enTerminal.ts";
import { SESSION_ROWS } from "./rows.ts";
import { VIEW_ROWS } from "./viewTools.ts";
import { WHY_ROWS } from "./why/whyTool.ts";
import { ShellSession } from "./shellSession.ts";

const render = renderer({ ...shellMessagesEn, ...sessionMessagesEn, ...terminalMessagesEn });
const open = (profile = "debian-6.18.15"): ShellSession => new ShellSession({ boot: { profile: findProfile(profile) as Profile, memoryMiB: 1024 }, render });

/** What the lines print, without their last newlines. */
function type(session: ShellSession, ...lines: string[]): string {
  return lines
    .flatMap((line) => session.submit(line).output.map((part) => part.text))
    .join("")
    .trimEnd();
}

const hashOf = (session: ShellSession): string => session.world.machine.hash();

describe("the three forms", () => {
  it("carries out operations and says what they did", () => {
    const s = open();
    expect(type(s, "mmap A 8M rw private anon")).toBe("= A");
    expect(type(s, "touch A w")).toBe("done\n1 page fault: A+0x0\nVmRSS +4 kB (4 kB)");
    expect(type(s, "madvise A 8M hugepage")).toBe("= 0");
    expect(type(s, "touch A+2M w")).toBe(
      "done\n1 page fault: A+0x200000\nVmRSS +2048 kB (2052 kB)  AnonHugePages +2048 kB  thp_fault_alloc +1  2048kB.anon_fault_alloc +1  2048kB.nr_anon +1",
    );
    expect(type(s, "touch A+4M 12k r")).toBe("3 accesses done, read 0x00\n1 page fault: A+0x400000\nthp_zero_page_alloc +1");
    expect(type(s, "munmap A+1 4k")).toBe("= -1 EINVAL (Invalid argument)\nThe address must be a multiple of the page size, 4096.");
    expect(type(s, "touch B r")).toBe("not done\nSIGSEGV (SEGV_MAPERR) at B+0x0: nothing is mapped there, or a guard region is\n1 page fault: B+0x0");
    expect(type(s, "mlockall current")).toContain("pages faulted in by the kernel");
    expect(type(s, "file F /dev 4k")).toContain("not simulated yet");
  });

  it("makes calls as strace prints them, where Linux puts them", () => {
    const s = open();
    const [line] = type(s, "a = mmap(NULL, 8M, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)").split("\n");
    const address = /^mmap\(NULL, 8388608, PROT_READ\|PROT_WRITE, MAP_PRIVATE\|MAP_ANONYMOUS, -1, 0\) = (0x[0-9a-f]+)$/.exec(line)?.[1] ?? "";
    // 6.18 aligns what is a multiple of 2 MiB
    expect(Number(address) % (2 << 20)).toBe(0);
    expect(type(s, "madvise(a + 2M, 4096, MADV_HUGEPAGE)")).toBe(`madvise(0x${(Number(address) + (2 << 20)).toString(16)}, 4096, MADV_HUGEPAGE) = 0`);
    expect(type(s, "touch a+4k w")).toContain("1 page fault: a+0x1000");
    expect(type(s, "mincore(a, 12K, vec)")).toContain("= 0\nvec: 0x1,1x1,0x1");
    expect(type(s, "munmap(a, 0)")).toContain("= -1 EINVAL (Invalid argument)\nThe length must not be 0.");
    expect(type(s, "mprotect(a, 4096, PROT_NONE)", "touch a r")).toContain("SIGSEGV (SEGV_ACCERR) at a+0x0");
    expect(type(s, "b = mremap(a + 4M, 4M, 8M, MREMAP_MAYMOVE)")).toMatch(/, MREMAP_MAYMOVE\) = 0x[0-9a-f]+$/);
    expect(type(s, "touch b+7M w")).toContain("b+0x700000");
    expect(type(s, "mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0)")).toContain("= -1 EBADF (Bad file descriptor)");
    expect(type(s, "mmap(NULL, 4096, PROT_READ, MAP_SHARED|MAP_ANONYMOUS, -1, 0)")).toContain("= 0x7fff");
    expect(type(s, "mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 1)")).toContain("EINVAL");
  });

  it("knows the calls that are not about a range", () => {
    const s = open();
    expect(type(s, "brk(NULL)")).toBe("brk(NULL) = 0x600000");
    expect(type(s, "h = sbrk(64K)", "touch h w")).toContain("sbrk(65536) = 0x600000\ndone");
    expect(type(s, "brk(NULL)")).toBe("brk(NULL) = 0x610000");
    expect(type(s, "grep heap /proc/self/maps")).toMatch(/^00600000-00610000 rw-p .*\[heap\]$/);
    expect(type(s, "prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)", "prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0)")).toMatch(/, 0, 0, 0, 0\) = 1$/);
    expect(type(s, "prctl(PR_SET_THP_DISABLE, 1, 0, 0, 9)")).toContain("EINVAL");
    expect(type(s, "setrlimit(RLIMIT_AS, {1M, 1M})", "mmap(NULL, 8M, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)")).toContain(
      "= -1 ENOMEM (Cannot allocate memory)\nRLIMIT_AS",
    );
    expect(type(s, "setrlimit(RLIMIT_AS, {2M, 1M})")).toContain("EINVAL");
    expect(type(s, "setrlimit(RLIMIT_AS, 5)")).toContain("EFAULT");
    expect(type(s, "mlockall(8)")).toContain("EINVAL");
    expect(type(s, "munlockall()")).toBe("munlockall() = 0");
    expect(type(s, "mseal(h, 4096)")).toBe("mseal(0x600000, 4096) = 0");
    expect(type(s, "munmap(h, 4096)")).toContain("EPERM (Operation not permitted)\nA mapping in the range is sealed");
  });

  it("places pasted lines of strace where they were", () => {
    const s = open();
    const lines = [
      "mmap(NULL, 8392704, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f8ae2a00000",
      "[pid 7] munmap(0x7f8ae2a00000, 4096) = -1 EINVAL (Invalid argument)",
    ];
    expect(type(s, lines[0])).toMatch(/= 0x7f8ae2a00000$/);
    expect(type(s, lines[1])).toBe("munmap(0x7f8ae2a00000, 4096) = 0\n(the recording had EINVAL here)");
  });

  it("uses the shell, with kernel files that refuse", () => {
    const s = open();
    expect(type(s, "cat /sys/kernel/mm/transparent_hugepage/enabled")).toBe("always [madvise] never");
    expect(type(s, "echo never > /sys/kernel/mm/transparent_hugepage/enabled", "cat /sys/kernel/mm/transparent_hugepage/enabled")).toBe(
      "always madvise [never]",
    );
    expect(type(s, "echo often > /sys/kernel/mm/transparent_hugepage/enabled")).toMatch(/EINVAL\ncat the file/);
    expect(type(s, "mmap A 8M rw private anon", "touch A 2M w", "grep Rss /proc/self/smaps | wc -l")).toMatch(/\n1$/);
    expect(type(s, "x=/proc", "cd $x/sys/vm", "cat max_map_count")).toBe("65530");
    expect(s.prompt()).toMatch(/^\[\d+\] P \/proc\/sys\/vm> $/);
    expect(type(s, "man 2 madvise")).toContain("MADVISE(2)");
    expect(type(s, "help undo")).toContain("undo");
    expect(type(s, "nothing")).toContain("there is no such command");
  });

  it("shows a mistake where it is", () => {
    const s = open();
    expect(type(s, "mmap A 8M rw privat")).toBe('line:1:14: FLAG cannot be "privat"\n 1 | mmap A 8M rw privat\n   |              ^^^^^^ did you mean private?');
    expect(type(s, "madvise(a, 4096, MADV_HUGEPAGE)")).toContain('no line so far has given "a" a value');
    expect(type(s, "echo 'x")).toContain("line:3:6");
    expect(type(s, "@C touch A")).toBe("There is no process C; there are: P.");
    expect(type(s, "", "# nothing", "   ")).toBe("");
    expect(s.history.all()).toHaveLength(1);
  });
});

describe("processes", () => {
  it("forks, names a process for a line or from now on, and leaves one that ended", () => {
    const s = open();
    type(s, "mmap A 4M rw private anon", "touch A w v=7", "fork C");
    expect(type(s, "@C touch A w")).toBe("done\n@C: 1 page fault: A+0x0");
    expect(type(s, "@C grep Name /proc/self/status")).toBe("Name:\tC");
    expect(type(s, "grep Name /proc/self/status")).toBe("Name:\tP");
    expect(type(s, "@C munmap(A, 4M)", "@C wc -l /proc/self/maps", "wc -l /proc/self/maps")).toMatch(/= 0\n(.*\n)*0 .*\n1 /);
    type(s, "@C");
    expect(s.prompt()).toContain(" C> ");
    expect(type(s, "ps")).toMatch(/NAME\n {6}1 .* P\n\* {5}2 .* C$/);
    expect(type(s, "exit")).toContain("C has ended; the current process is P now.");
    expect(type(s, "c = fork()")).toContain("process C1");
    expect(type(s, "exit", "exit")).toContain("no process is left");
    expect(type(s, "touch A w")).toBe("There is no such process, or it has ended.");
    expect(type(s, "munmap(A, 4k)")).toContain("There is no such process");
    expect(type(s, "cat /proc/self/maps")).toContain("ENOENT");
    expect(type(s, "undo", "undo", "grep Name /proc/self/status")).toContain("Name:\tP");
  });
});

describe("history", () => {
  it("takes back and does again, by hash", () => {
    const s = open();
    const hashes = [hashOf(s)];
    const lines = [
      "mmap A 8M rw private anon",
      "touch A w",
      "madvise A hugepage",
      "touch A+2M w",
      "b = mmap(NULL, 4k, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)",
    ];
    for (const line of lines) {
      type(s, line);
      hashes.push(hashOf(s));
    }
    expect(new Set(hashes).size).toBe(hashes.length);
    for (let i = lines.length - 1; i >= 0; i--) {
      type(s, "undo");
      expect(hashOf(s)).toBe(hashes[i]);
    }
    expect(type(s, "undo")).toBe("This is the beginning: there is nothing to take back.");
    expect(type(s, "madvise(b, 4k, MADV_NORMAL)")).toContain('no line so far has given "b"');
    for (let i = 1; i <= lines.length; i++) {
      type(s, "redo");
      expect(hashOf(s)).toBe(hashes[i]);
    }
    expect(type(s, "redo")).toBe("There is nothing to do again.");
    expect(type(s, "madvise(b, 4k, MADV_NORMAL)")).toContain("= 0");
  });

  it("keeps branches", () => {
    const s = open();
    type(s, "mmap A 8M rw private anon", "touch A w", "undo", "touch A+1M w", "x=5");
    expect(type(s, "history")).toBe(
      ["    0  (boot)", "    1  mmap A 8M rw private anon", "    2  touch A w", "    3    touch A+1M w  (after 1)", "*   4    x=5"].join("\n"),
    );
    expect(type(s, "goto 2", "touch A r")).toMatch(/^Back at state 2, after: touch A w\ndone, read 0x41$/);
    expect(type(s, "goto 4", "echo $x")).toMatch(/\n5$/);
    expect(type(s, "goto 77")).toBe("There is no state 77; they are numbered 0 to 5, and history lists them.");
    expect(type(s, "goto x")).toContain("no state x");
    type(s, "goto 1");
    // redo leads to where one was last
    expect(type(s, "redo")).toContain("touch A+1M w");
    expect(type(s, "goto 0")).toBe("Back at the beginning: the machine as it was booted.");
  });

  it("makes no state of a line that only looks", () => {
    const s = open();
    type(s, "mmap A 8M rw private anon", "touch A w");
    const nodes = s.history.all().length;
    type(s, "cat /proc/self/smaps", "describe", "pgtable A", "pagemap A 8k", "ps", "era", "dmesg", "history", "cat /proc/vmstat | head", "true", "goto 2");
    expect(s.history.all()).toHaveLength(nodes);
    type(s, "cd /proc");
    expect(s.history.all()).toHaveLength(nodes + 1);
    type(s, "undo");
    expect(s.prompt()).toBe("[2] P> ");
  });

  it("throws the work of a line away in which the simulator fails, and says so", () => {
    const s = open();
    type(s, "mmap A 8M rw private anon", "touch A 64k w");
    const before = hashOf(s);
    // an operation that finds a corrupt count of its own: a page whose references are gone
    const { machine } = s.world;
    const task = machine.tasks()[0];
    const [vma] = machine.vmas(task);
    const leaf = /page 0x([0-9a-f]+):/.exec(type(s, `pagemap A`))?.[1] ?? "";
    machine.kernel.refcount.set(Number.parseInt(leaf, 16), 0);
    expect(vma.start).toBeGreaterThan(0);
    expect(type(s, "munmap A")).toMatch(/^The simulator itself failed here \(.*reference count below zero\); the state before this line is back/);
    expect(hashOf(s)).toBe(before);
    expect(type(s, "history")).toMatch(/\n\* {3}3 {2}munmap A$/);
    expect(type(s, "munmap A")).toContain("= 0");
    expect(type(s, "undo", "history")).toMatch(/\n! {3}3|\n\* {3}3/);
  });
});

describe("khugepaged", () => {
  it("makes full passes when told to, with the settings as they are", () => {
    const s = open();
    expect(type(s, "khugepaged scan 1")).toContain("No process has memory that khugepaged may look at");
    type(s, "mmap A 8M rw private anon", "touch A 4M w", "madvise A hugepage", "touch A+4M w");
    const scan = "/sys/kernel/mm/transparent_hugepage/khugepaged";
    const before = type(s, `cat ${scan}/scan_sleep_millisecs`);
    expect(type(s, "khugepaged scan 2")).toMatch(/^2 full passes\n.*thp_collapse_alloc \+2/s);
    expect(type(s, `cat ${scan}/scan_sleep_millisecs`)).toBe(before);
    expect(type(s, `cat ${scan}/full_scans`)).toBe("2");
    type(s, "echo never > /sys/kernel/mm/transparent_hugepage/enabled");
    expect(type(s, "khugepaged scan 1")).toContain("khugepaged does not run");
  });

  it("runs when its file is written, and the line says what it did", () => {
    const s = open();
    type(s, "mmap A 4M rw private anon", "madvise A hugepage", "touch A w", "undo", "undo", "touch A 2M w", "madvise A hugepage", "touch A+2M w");
    expect(type(s, "echo 10000 > /sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs")).toContain("thp_collapse_alloc +1");
  });
});

describe("views", () => {
  it("describes the address space and walks its tables", () => {
    const s = open();
    expect(type(s, "describe")).toBe("Nothing is mapped.");
    type(s, "mmap A 8M rw private anon", "touch A w", "madvise A hugepage", "touch A+2M w", "touch A+4M r", "madvise A+6M 8k guard_install", "fork C");
    expect(type(s, "describe")).toBe(
      [
        "A+0x0  1000000000-1000800000 rw-p  8M  Rss 2052 kB  THPeligible 1  VmFlags hg",
        "  +0x0  1 page  order 0, mapped 2 times",
        "  +0x200000  512 pages  one folio of order 9, mapped by a PMD, mapped 2 times",
        "  +0x400000  512 pages  the huge zero folio, mapped by a PMD",
        "  +0x600000  2 pages  guard",
      ].join("\n"),
    );
    const walk = type(s, "pgtable A+2M").split("\n");
    expect(walk.map((line) => line.slice(0, 3))).toEqual(["pgd", "pud", "pmd"]);
    expect(walk[2]).toMatch(/^pmd \[ {2}1\] {2}0x8[0-9a-f]{15} {2}huge page 0x[0-9a-f]+, 2048 kB: present read-only user accessed dirty soft-dirty nx$/);
    expect(type(s, "pgtable A+6M")).toMatch(/marker: guard$/);
    expect(type(s, "pgtable 0x7fff00000000")).toMatch(/^pgd \[255\] {2}0x0000000000000000 {2}none$/);
    expect(type(s, "pagemap A+6M 12k")).toMatch(/swap guard soft-dirty\n.*guard soft-dirty\n.*none$/);
    expect(type(s, "pgtable nothing")).toContain('"nothing" is no address');
    expect(type(s, "pagemap A 1G")).toContain("at most 4096 pages");
    expect(type(s, "pgtable 0xffff800000000000")).toContain("outside");
  });

  it("lists what changed between releases", () => {
    const [on, off] = [open(), open("upstream-6.1")];
    expect(type(on, "era")).toMatch(/^\+ 6\.8 +mthp /m);
    expect(type(off, "era")).toMatch(/^- 6\.8 +mthp /m);
    expect(type(off, "era mthp")).toMatch(/This machine does not have it\.\nIn Linux since 6\.8\.\nLook for alloc_anon_folio/);
    expect(type(off, "era mtph")).toContain("did you mean mthp?");
    expect(type(off, "dmesg")).toContain("Linux version 6.1.0");
  });

  it("walks other page tables too", () => {
    const five = new ShellSession({ boot: { profile: { ...(findProfile("debian-6.18.15") as Profile), geometry: "x86-64-la57" } }, render });
    type(five, "mmap A 4k rw private anon", "touch A w");
    expect(type(five, "pgtable A").split("\n")).toHaveLength(5);
    const board = new ShellSession({ boot: { profile: findProfile("ppc-8xx-6.12") as Profile }, render });
    expect(type(board, "mmap A 64k rw private anon", "touch A w")).toContain("VmRSS +4 kB");
    expect(type(board, "pgtable A")).toMatch(/^pgd \[ *\d+\] {2}0x[0-9a-f]{8} .*\npte \[ *\d+\] {2}0x[0-9a-f]{8} .*write/);
  });
});

it("ends a line that would run for hours", () => {
  const s = open();
  expect(type(s, "touch 0 0x7fffffffffff r")).toMatch(/8388607 times.*Stopped after 8 million accesses/s);
});

it("has a page, a row and a sentence for everything", () => {
  const table = makeCommandTable(SESSION_ROWS, VIEW_ROWS, WHY_ROWS);
  const texts = { ...manEn, ...sessionManEn };
  for (const spec of SESSION_ROWS) expect(texts[spec.page].description, spec.name).not.toBe("");
  for (const other of SESSION_ROWS.flatMap((spec) => spec.seeAlso)) expect(table.all(other), other).not.toEqual([]);
  const sources = ["kernel", "session"].flatMap((layer) => {
    const folder = join(import.meta.dirname, "..", layer);
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).flatMap((name) =>
      name.endsWith(".ts") && !name.includes("test") ? [readFileSync(join(folder, name), "utf8")] : [],
    );
  });
  const hints = new Set(sources.flatMap((source) => [...source.matchAll(/"hint\.([A-Za-z]+)"/g)].map(([, name]) => name)));
  expect(hints.size).toBeGreaterThan(30);
  expect([...hints].filter((name) => !Object.hasOwn(terminalMessagesEn, `session.hint.${name}`))).toEqual([]);
  const known = Object.keys(terminalMessagesEn).filter((key) => key.startsWith("session.hint."));
  expect(known.filter((key) => !hints.has(key.slice("session.hint.".length)))).toEqual([]);
});

it("never throws, whatever is typed", () => {
  const words = fc.constantFrom(
    ...["mmap", "A", "a =", "mmap(", "NULL", "8M", "rw", "private", "anon", "touch", "w", "@P", "@C", "fork C", "exit", "undo", "redo", "goto", "1", "0"],
    ...["|", ">", "/proc/self/smaps", "cat", "describe", "pgtable", "pagemap", "0xffffffffffffffff", "madvise", "collapse", "(", ")", "-1", "history", "$x"],
    ...["munmap(A, 4096)", "era", "echo", "always", "/sys/kernel/mm/transparent_hugepage/enabled", "khugepaged scan 1", "ps", "'", "\u0000", "quit"],
  );
  const line = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.array(words, { maxLength: 7 }).map((all) => all.join(" ")),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const s = open();
      for (const each of lines) {
        for (const part of s.submit(each).output) expect(part.text).not.toContain("The simulator itself failed");
        expect(s.prompt()).toMatch(/^\[\d+\] /);
      }
    }),
    { numRuns: 300 },
  );
});

describe("why", () => {
  it("explains the last command, a page and a counter, and leaves the session as it was", () => {
    const s = open();
    type(s, "echo always > /sys/kernel/mm/transparent_hugepage/enabled", "mmap A 8M rw private anon", "touch A w", "munmap A+4k 4k");
    const before = hashOf(s);
    const nodes = s.history.all().length;
    expect(type(s, "why thp_split_pmd")).toContain("step 4: munmap A+4k 4k");
    expect(type(s, "why A+2M")).toContain("A+0x200000");
    expect(type(s, "madvise A+1 4k hugepage", "why")).toContain("EINVAL");
    type(s, "undo");
    expect(hashOf(s)).toBe(before);
    expect(s.history.all().length).toBe(nodes + 1);
  });

  it("names a setting that a line of tools wrote", () => {
    const s = open();
    type(s, "echo always > /sys/kernel/mm/transparent_hugepage/enabled", "mmap A 4M rw private anon", "touch A w");
    expect(type(s, "why A")).toContain("step 1: echo always");
  });
});
