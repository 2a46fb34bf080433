import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cpuMilliseconds } from "../../../tests/cpuTime.ts";
import { formatParseError } from "../formatParseError.ts";
import type { AddressExpr, OperationBody, RangeExpr } from "../operation.ts";
import { OPERATION_NAMES, parseLine } from "./parseLine.ts";
import { parseScript } from "./parseScript.ts";
import { printOperation } from "./printOperation.ts";
import { ADVICE_NAMES, FADVISE_NAMES, FALLOC_MODES, MMAP_FLAGS, SHMAT_FLAGS, UFFD_FEATURES, UFFD_MODES } from "./words.ts";

const bytes = fc.bigInt(0n, (1n << 64n) - 1n);
const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.]{0,14}$/);
const file = fc.oneof(name, fc.constantFrom("/mnt/dax/f1", "/tmp/x"));
const address: fc.Arbitrary<AddressExpr> = fc.oneof(
  fc.record({ name, offsetBytes: fc.bigInt(-(1n << 63n), (1n << 63n) - 1n) }),
  fc.record({ name: fc.constant(null), offsetBytes: bytes }),
);
const range: fc.Arbitrary<RangeExpr> = fc.record({ at: address, lengthBytes: fc.option(bytes) });
const flag = fc.boolean();
const byte = fc.nat(255);
const count = fc.nat(1_000_000);

const op = <Op extends OperationBody["op"], Rest extends Record<string, fc.Arbitrary<unknown>>>(opName: Op, rest: Rest): fc.Arbitrary<OperationBody> =>
  fc.record({ op: fc.constant(opName), ...rest }) as unknown as fc.Arbitrary<OperationBody>;

const body: fc.Arbitrary<OperationBody> = fc.oneof(
  op("mmap", {
    name,
    lengthBytes: bytes,
    prot: fc.nat(7),
    flags: fc.array(fc.constantFrom(...MMAP_FLAGS), { maxLength: 8 }),
    at: fc.option(address),
    file: fc.constant(null),
    readOnlyFile: fc.constant(false),
    offsetBytes: bytes,
  }),
  op("mmap", { name, lengthBytes: bytes, prot: fc.nat(7), flags: fc.constant([]), at: fc.constant(null), file, readOnlyFile: flag, offsetBytes: bytes }),
  fc.constantFrom("munmap", "mseal", "msync", "mincore", "mlock", "munlock").chain((opName) => op(opName as "munmap", { range })),
  op("mprotect", { range, prot: fc.nat(7) }),
  op("mlock2", { range, onfault: flag }),
  op("mremap", { at: address, oldBytes: bytes, newBytes: bytes, mayMove: fc.constant(true), fixed: fc.option(address), dontUnmap: flag }),
  op("mremap", { at: address, oldBytes: bytes, newBytes: bytes, mayMove: flag, fixed: fc.constant(null), dontUnmap: flag }),
  op("madvise", { range, advice: fc.constantFrom(...ADVICE_NAMES) }),
  op("madvise", { range: fc.record({ at: address, lengthBytes: bytes }), advice: fc.integer({ min: -999_999_999, max: 999_999_999 }) }),
  op("touch", { range, mode: fc.constantFrom("r", "w", "x"), stepBytes: fc.bigInt(1n, (1n << 64n) - 1n), value: byte, all: flag }),
  op("gup", { range, write: flag, fast: flag }),
  fc.constantFrom("kread", "kwrite").chain((opName) => op(opName as "kread", { at: address, lengthBytes: bytes })),
  op("mlockall", { current: flag, future: flag, onfault: flag }),
  fc.constantFrom("munlockall", "exit", "resume", "kill", "ksmUnmerge", "compact").chain((opName) => op(opName as "exit", {})),
  op("prctl", { what: fc.constant("thp_disable"), value: fc.oneof(fc.maxSafeNat(), fc.constant("except")) }),
  op("prctl", { what: fc.constant("get_thp_disable") }),
  op("prctl", { what: fc.constant("memory_merge"), value: fc.maxSafeNat() }),
  op("prctl", { what: fc.constant("other"), number: fc.nat(), value: fc.maxSafeNat() }),
  op("rlimit", { resource: fc.constantFrom("memlock", "as", "data"), bytes }),
  op("brk", { deltaBytes: fc.bigInt(-(1n << 64n) + 1n, (1n << 64n) - 1n) }),
  op("fork", { child: name }),
  op("shmget", { name, bytes, key: fc.nat(), create: flag, excl: flag, noReserve: flag }),
  op("shmat", { name, segment: name, flags: fc.array(fc.constantFrom(...SHMAT_FLAGS), { maxLength: 5 }), at: fc.option(address) }),
  op("shmdt", { at: address }),
  op("shmctl", { segment: name, call: fc.constantFrom("rmid", "stat") }),
  op("falloc", { file, mode: fc.constantFrom(...FALLOC_MODES), offsetBytes: bytes, lengthBytes: bytes }),
  op("truncate", { file, bytes }),
  op("fwrite", { file, offsetBytes: bytes, lengthBytes: bytes, value: byte }),
  op("fread", { file, offsetBytes: bytes, lengthBytes: bytes }),
  op("fadvise", { file, offsetBytes: bytes, lengthBytes: bytes, advice: fc.constantFrom(...FADVISE_NAMES) }),
  op("fsync", { file }),
  op("uffd", { call: fc.constant("open"), features: fc.array(fc.constantFrom(...UFFD_FEATURES), { maxLength: 8 }) }),
  op("uffd", { call: fc.constantFrom("close", "poll") }),
  op("uffd", { call: fc.constant("register"), range, modes: fc.array(fc.constantFrom(...UFFD_MODES), { minLength: 1, maxLength: 4 }) }),
  op("uffd", { call: fc.constantFrom("unregister", "wake"), range }),
  op("uffd", {
    call: fc.constantFrom("copy", "zeropage", "continue", "poison", "writeprotect", "move"),
    range,
    source: fc.option(address),
    wp: flag,
    dontWake: flag,
    allowHoles: flag,
    badMode: flag,
  }),
  op("sysSet", { path: fc.constantFrom("/sys/kernel/mm/ksm/run", "/proc/sys/vm/drop_caches"), value: name }),
  op("sysGet", { path: fc.constant("/sys/kernel/mm/ksm/run") }),
  op("mount", { name, fsType: fc.constantFrom("tmpfs", "hugetlbfs"), device: fc.constant(null), options: fc.oneof(fc.constant(""), name) }),
  op("mount", { name, fsType: fc.constantFrom("ext4", "xfs"), device: file, options: fc.oneof(fc.constant(""), name) }),
  op("umount", { name: file }),
  op("file", { name, directory: file, bytes: fc.option(bytes) }),
  op("unlink", { name: file }),
  op("memfd", { name, bytes, hugetlb: fc.constantFrom("2M", "1G", null) }),
  op("memfdClose", { name: file }),
  fc.constantFrom("khugepagedScan", "ksmScan").chain((opName) => op(opName as "ksmScan", { passes: count })),
  op("zram", { bytes: fc.option(bytes) }),
  op("memcg", { call: fc.constant("new"), bytes, process: name }),
  op("memcg", { call: fc.constant("limit"), bytes, process: fc.constant(null) }),
  op("dropCaches", { value: fc.nat() }),
  op("sleep", { milliseconds: count }),
);

it("parses what it prints into the same operation", () => {
  fc.assert(
    fc.property(body, fc.oneof(fc.constant("P"), name), (wanted, process) => {
      const text = printOperation({ process, body: wanted });
      const result = parseLine(text, 1);
      expect(result).toEqual({ kind: "operation", operation: { process, text, line: 1, body: wanted } });
    }),
    { numRuns: 20_000 },
  );
});

const junk = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  // words of the language in the wrong places come further than noise
  fc
    .array(
      fc.oneof(
        fc.constantFrom(...OPERATION_NAMES, "A", "A+4k", "2M", "rw", "private", "anon", "@C", "at=", "src=A", "v=", "=", "+", "0x", "missing,wp", "#", "quit"),
        fc.string({ maxLength: 6 }),
      ),
      { maxLength: 30 },
    )
    .map((words) => words.join(" ")),
);

it("never throws, and every error points into its line", () => {
  fc.assert(
    fc.property(junk, (line) => {
      const result = parseLine(line, 1);
      if (result.kind !== "error") return;
      expect(result.error.column).toBeGreaterThan(0);
      expect(result.error.column).toBeLessThanOrEqual(line.length + 2);
      expect(formatParseError(result.error, "f", line).split("\n")).toHaveLength(3);
    }),
    { numRuns: 20_000 },
  );
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 3000 }), (source) => void parseScript(source)));
});

it("takes time linear in its input", () => {
  const time = (source: string): number => cpuMilliseconds(() => void parseScript(source));
  // a hundred times what these take: only a wrong order of growth, which would take minutes, is meant to fail here
  for (const line of ["touch A+4k 8k w v=3\n", "# comment\n", "\n", "munmap A+1+1+1+1+1+1+1+1+1+1\n"]) expect(time(line.repeat(100_000))).toBeLessThan(20_000);
  for (const line of [
    "x".repeat(1 << 22),
    " ".repeat(1 << 22),
    `munmap A${"+1".repeat(1 << 20)}`,
    `munmap ${"9".repeat(1 << 22)}`,
    "#".repeat(1 << 22),
    "\0".repeat(1 << 22),
  ])
    expect(time(line)).toBeLessThan(5000);
});
