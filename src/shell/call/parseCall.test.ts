import * as fc from "fast-check";
import { expect, it } from "vitest";
import { formatParseError } from "../formatParseError.ts";
import { makeCommandTable } from "../table/baseTable.ts";
import { CONSTANT_FAMILIES, familyNames, printConstant, printFlags } from "./constants.ts";
import { describeErrno, errnoName, ERRNOS } from "./errnos.ts";
import { parseCall } from "./parseCall.ts";

const table = makeCommandTable();
const bound = new Set(["a", "buffer"]);

function parsed(line: string): unknown {
  const result = parseCall(line, 1, table, bound);
  return result.kind === "call" ? result.operation : result;
}

function mistake(line: string): string {
  const result = parseCall(line, 2, table, bound);
  return result.kind === "error" ? formatParseError(result.error, "c", line) : `no error: ${result.kind}`;
}

const value = (offset: bigint, ...constants: string[]): unknown => ({ kind: "value", name: null, offset, constants });

it("reads a call as a man page writes it", () => {
  expect(parsed("a = mmap(NULL, 8M, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)")).toEqual({
    call: "mmap",
    target: "a",
    recorded: null,
    text: "a = mmap(NULL, 8M, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)",
    line: 1,
    args: [value(0n, "NULL"), value(8n << 20n), value(3n, "PROT_READ", "PROT_WRITE"), value(0x22n, "MAP_PRIVATE", "MAP_ANONYMOUS"), value(-1n), value(0n)],
  });
  expect(parsed("munmap(a + 4096 * 2 - 1, (2 << 20) | 0x10) // tail")).toMatchObject({
    target: null,
    text: "munmap(a + 4096 * 2 - 1, (2 << 20) | 0x10)",
    args: [{ kind: "value", name: "a", offset: 8191n, constants: [] }, value((2n << 20n) | 16n)],
  });
  expect(parsed("void *p = (char *)mmap(0, 2UL<<20, PROT_READ, MAP_PRIVATE|MAP_HUGETLB|(21<<MAP_HUGE_SHIFT), -1, 0);")).toMatchObject({
    target: "p",
    args: [value(0n), value(2n << 20n), {}, { offset: 0x40002n | (21n << 26n) }, {}, {}],
  });
  expect(parsed("setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){64K, RLIM_INFINITY})")).toMatchObject({
    args: [value(8n, "RLIMIT_MEMLOCK"), { kind: "struct", members: [{ offset: 65536n }, { offset: (1n << 64n) - 1n }] }],
  });
  expect(parsed("mincore(a, 8M, vec)")).toMatchObject({ args: [{}, {}, { kind: "value", name: "vec" }] });
  expect(parsed("pid = fork()")).toMatchObject({ call: "fork", target: "pid", args: [] });
  expect(parseCall("  // nothing", 1, table)).toEqual({ kind: "blank" });
});

it("reads lines of strace", () => {
  expect(parsed("mmap(NULL, 8392704, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f8ae2a00000")).toMatchObject({
    recorded: { value: 0x7f8ae2a00000n, errno: null },
  });
  expect(parsed("[pid  12] munmap(0x7f, 4096) = -1 EINVAL (Invalid argument)")).toMatchObject({ recorded: { value: -1n, errno: "EINVAL" } });
  expect(parsed("1234  brk(NULL) = 0x5555555 <0.000010>")).toMatchObject({ call: "brk" });
  expect(parsed("mincore(0x7f000, 4096, [1, 0...]) = 0")).toMatchObject({ args: [{}, {}, { kind: "output" }] });
  expect(parsed("munmap(0x7f000, 4096) = ?")).toMatchObject({ recorded: { value: null, errno: null } });
});

it("makes the errors of a C reader", () => {
  expect(mistake("madvise(a, 2M, MADV_HUGPAGE)")).toBe(
    'c:2:16: there is no constant "MADV_HUGPAGE"\n 2 | madvise(a, 2M, MADV_HUGPAGE)\n   |                ^^^^^^^^^^^^ did you mean MADV_HUGEPAGE?',
  );
  expect(mistake("muunmap(a, 4k)")).toContain("did you mean munmap?");
  expect(mistake("munmap(bufer, 4k)")).toContain("did you mean buffer?");
  expect(mistake("munmap(a)")).toContain("munmap takes 2 arguments, not 1: munmap(addr, length)");
  expect(mistake("munmap(a, 1, 2)")).toContain("at most 2");
  expect(mistake("munmap(a * 2, 4k)")).toContain("a + 4096");
  expect(mistake("munmap(a, 4kB)")).toContain("did you mean 4k?");
  for (const line of [
    "munmap(a, 4k",
    "munmap a",
    "a = 5",
    "munmap(a, )",
    'munmap(a, "x)',
    "munmap(a, 1/0)",
    "munmap(a, 1 << 99)",
    "munmap(a, 0xfffffffffffffffff)",
    "munmap(a, -0x8000000000000001)",
    "munmap(a, 4k) foo",
    "munmap(a, \u00a7)",
    `munmap(${"(".repeat(500)}`,
    "munmap(a, 1) = -1 EFOO",
  ]) {
    expect(mistake(line)).toMatch(/^c:2:\d+: .+\n 2 \| .*\n {3}\| *\^+/);
  }
});

it("never throws", () => {
  const words = fc.constantFrom(
    "mmap",
    "munmap",
    "(",
    ")",
    "a",
    "=",
    ",",
    "|",
    "PROT_READ",
    "MADV_",
    "-",
    "~",
    "*",
    "&",
    "{",
    "}",
    "1",
    "0x",
    "4k",
    '"',
    "...",
    "[",
    "]",
    "void",
    ";",
    "<<",
    "NULL",
    "/*",
    "pid",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary", maxLength: 100 }),
        fc.array(words, { maxLength: 40 }).map((all) => all.join(" ")),
      ),
      (line) => {
        const result = parseCall(line, 1, table, null);
        if (result.kind === "error") formatParseError(result.error, "c", line);
      },
    ),
    { numRuns: 5000 },
  );
});

it("prints flags that parse back", () => {
  for (const family of ["PROT", "MAP", "MREMAP", "MCL", "MS", "MLOCK"] as const) {
    for (const number of [0n, 1n, 2n, 3n, 0x22n, 0x8022n, 0x40022n | (21n << 26n), 0x100022n, 0x80003n, 0x8000_0000n]) {
      const text = printFlags(family, number);
      const result = parseCall(`mlockall(${text})`, 1, table);
      expect(result, text).toMatchObject({ kind: "call", operation: { args: [{ offset: number }] } });
    }
  }
  expect(printFlags("PROT", 3n)).toBe("PROT_READ|PROT_WRITE");
  expect(printConstant("MADV", 14n)).toBe("MADV_HUGEPAGE");
  expect(familyNames("MCL")).toEqual(["MCL_CURRENT", "MCL_FUTURE", "MCL_ONFAULT"]);
  const names = Object.values(CONSTANT_FAMILIES).flatMap((family) => Object.keys(family));
  expect(new Set(names).size).toBe(names.length);
});

it("knows errnos by name and number", () => {
  expect(describeErrno("ENOMEM")).toBe("ENOMEM (Cannot allocate memory)");
  expect(errnoName(22)).toBe("EINVAL");
  const numbers = Object.values(ERRNOS).map((info) => info.number);
  expect(new Set(numbers).size).toBe(numbers.length);
});
