import { expect, it } from "vitest";
import { formatParseError } from "../formatParseError.ts";
import { parseLine } from "./parseLine.ts";
import { MOST_ERRORS, parseScript } from "./parseScript.ts";

function body(line: string): unknown {
  const result = parseLine(line, 1);
  return result.kind === "operation" ? result.operation.body : result;
}

function mistake(line: string): string {
  const result = parseLine(line, 7);
  return result.kind === "error" ? formatParseError(result.error, "a.txt", line) : `no error: ${result.kind}`;
}

it("splits, cuts comments and outer blanks, and keeps the text as the recorder prints it", () => {
  const result = parseLine(" \t@C touch\tA+2M-4k 0x10p  w v=9 # why\r", 3);
  expect(result).toEqual({
    kind: "operation",
    operation: {
      process: "C",
      text: "@C touch\tA+2M-4k 0x10p  w v=9",
      line: 3,
      body: {
        op: "touch",
        range: { at: { name: "A", offsetBytes: (2n << 20n) - 4096n }, lengthBytes: 65536n },
        mode: "w",
        stepBytes: 4096n,
        value: 9,
        all: false,
      },
    },
  });
  expect(parseLine("  # nothing", 1)).toEqual({ kind: "blank" });
  expect(parseLine("quit \r", 1)).toEqual({ kind: "quit" });
});

it("reads numbers as strtoull with base 0 does", () => {
  const lengths = ["0x10", "010", "10", "1k", "1K", "1M", "1G", "2p", "0", "18446744073709551615", "2M+0"].map(
    (number) => (body(`truncate f ${number}`) as { bytes: bigint }).bytes,
  );
  expect(lengths).toEqual([16n, 8n, 10n, 1024n, 1024n, 1n << 20n, 1n << 30n, 8192n, 0n, (1n << 64n) - 1n, 2n << 20n]);
  for (const bad of ["18446744073709551616", "17179869184G", "08", "0x", "-1", "1m", "4kB", "2M+4k", `${"9".repeat(3000)}`])
    expect(mistake(`truncate f ${bad}`)).toContain("a.txt:7:");
});

it("expands aliases of kernel files", () => {
  expect(body("sys mthp 64kB enabled always")).toEqual({ op: "sysSet", path: "/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled", value: "always" });
  expect(body("sys set hugetlb/2048kB/nr_hugepages 4")).toEqual({ op: "sysSet", path: "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", value: "4" });
  expect(body("sys get vm/drop_caches")).toEqual({ op: "sysGet", path: "/proc/sys/vm/drop_caches" });
});

it("shows where the mistake is and what was meant", () => {
  expect(mistake("mmap A 8M rw privat anon")).toBe(
    'a.txt:7:14: FLAG cannot be "privat"\n 7 | mmap A 8M rw privat anon\n   |              ^^^^^^ did you mean private?',
  );
  expect(mistake("uffd register A missing,wpp")).toContain("\n   |                         ^^^ did you mean wp?");
  expect(mistake("munmap")).toBe("a.txt:7:8: ADDRESS is missing: munmap ADDRESS [LEN]\n 7 | munmap\n   |        ^");
  expect(mistake("touch A+2m w")).toContain("did you mean A+2M?");
  expect(mistake("frok C")).toContain("did you mean fork?");
  expect(mistake("sys mthp 64k enabled always")).toContain("did you mean 64kB?");
});

it.each([
  "mmap",
  "mmap A",
  "mmap A 4k",
  "mmap A 4k rw",
  "mmap A 4k rw private x",
  "mmap 1A 4k r private",
  "mmap ABCDEFGHIJKLMNOP 4k r private",
  "mmap A 4k rq private",
  "mmap A 4k r file=",
  "touch A 4k w step=0",
  "touch A v=256",
  "touch A z",
  "touch A+",
  "touch A+4k-",
  "touch A*2",
  "madvise A",
  "madvise A 5",
  "madvise A 4k bogu",
  "mlock A 4k 4k",
  "mlock2 A onfaul",
  "@",
  "@C",
  "@C+ exit",
  "@ABCDEFGHIJKLMNOPQ exit",
  "fork",
  "fork A B",
  "exit now",
  "prctl",
  "prctl foo 1",
  "prctl thp_disable x",
  "rlimit stack 1",
  "brk",
  "brk +",
  "brk x",
  "falloc f foo 0 1",
  "fadvise f 0 1 maybe",
  "mount T ntfs",
  "file a/b T1 4k",
  "memfd f 4k hugetlb4M",
  "sys",
  "sys foo",
  "sys get foo",
  "sys mthp 64 enabled always",
  "uffd",
  "uffd foo",
  "uffd open foo",
  "uffd register A",
  "uffd copy A 4k foo",
  "khugepaged",
  "khugepaged run",
  "ksm foo",
  "zram on",
  "memcg new 1M",
  "memcg limit x",
  "sleep",
  "sleep x",
  "nothing",
  "mmap A 8M rw pri\u00e9",
  "mmap \0",
])("refuses %j with a sentence, a line and a caret", (line) => {
  const text = mistake(line);
  expect(text).toMatch(/^a\.txt:7:\d+: .+\n 7 \| .*\n {3}\| *\^+/);
});

it("takes one sentence for absurd input", () => {
  const long = "x".repeat(1 << 20);
  expect(mistake(long).length).toBeLessThan(600);
  expect(mistake(`touch A ${"w ".repeat(40)}`)).toContain("at most 24 words");
  const binary = parseScript("\u0000\u00ff\u001b[2J".repeat(1 << 20));
  expect(binary.errors).toHaveLength(1);
  const many = parseScript("foo\n".repeat(1_000_000));
  expect(many.errors).toHaveLength(MOST_ERRORS + 1);
  expect(many.errors[MOST_ERRORS].message.key).toBe("shell.tooManyErrors");
});

it("takes what the grammar allows and the recorder ignores", () => {
  expect(body("mlock A 4k onfault")).toEqual({ op: "mlock", range: { at: { name: "A", offsetBytes: 0n }, lengthBytes: 4096n } });
});

it("stops at quit", () => {
  expect(parseScript("exit\nquit\nfoo\n")).toMatchObject({ operations: [{ text: "exit" }], errors: [] });
});

it("shows no control characters of the input", () => {
  const text = mistake("mmap\u001b[31m A");
  // eslint-disable-next-line no-control-regex -- that there is none is what is tested
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
});
