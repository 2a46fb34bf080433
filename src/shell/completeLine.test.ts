import * as fc from "fast-check";
import { expect, it } from "vitest";
import { completeLine, type CompletionContext } from "./completeLine.ts";
import { makeCommandTable } from "./table/baseTable.ts";

const TREE: Readonly<Record<string, readonly string[]>> = {
  "/": ["proc/", "sys/"],
  "/proc": ["meminfo", "self/"],
  "/sys/kernel/mm/transparent_hugepage": ["defrag", "enabled", "khugepaged/"],
};

const context: CompletionContext = {
  table: makeCommandTable(),
  memoryNames: ["A", "Abc", "B"],
  processes: ["P", "C"],
  fileNames: ["f1", "mf"],
  directory: "/",
  files: {
    read: () => ({ kind: "errno", errno: "ENOENT" }),
    write: () => "EACCES",
    list: (path) =>
      Object.hasOwn(TREE, path)
        ? { kind: "entries", entries: TREE[path].map((name) => ({ name: name.replace("/", ""), directory: name.endsWith("/") })) }
        : { kind: "errno", errno: "ENOENT" },
  },
};

function complete(line: string, cursor = line.length): string[] {
  return completeLine(line, cursor, context).candidates.map((candidate) => candidate.text);
}

it.each<[string, string[]]>([
  ["mun", ["munlock", "munlock(", "munlockall", "munlockall(", "munmap", "munmap("]],
  ["@", ["@C", "@P"]],
  ["@C mun", ["munlock", "munlockall", "munmap"]],
  ["touch A", ["A", "Abc"]],
  ["madvise A col", ["cold", "collapse"]],
  ["madvise A 2M col", ["cold", "collapse"]],
  ["mprotect A 4k r", ["r", "rw", "rwx", "rx"]],
  ["mmap X 4k rw private an", ["anon"]],
  ["mmap X 4k rw private file=", ["f1", "mf"]],
  ["mmap X 4k rw private at=A", ["A", "Abc"]],
  ["uffd re", ["register"]],
  ["uffd register A mis", ["missing", "missing,minor", "missing,wp"]],
  ["sys thp en", ["enabled"]],
  ["sys set thp/en", ["thp/enabled"]],
  ["sys set t", ["thp/"]],
  ["memcg new 4M ", ["C", "P"]],
  ["cat /pr", ["/proc/"]],
  ["cat /proc/", ["/proc/meminfo", "/proc/self/"]],
  ["cat x | gr", ["grep"]],
  ["echo 1 > /proc/m", ["/proc/meminfo"]],
  ["man mrem", ["mremap"]],
  ["mmap(NULL, 8M, PROT_R", ["PROT_READ"]],
  ["a = mmap(NULL, 8M, PROT_READ|PROT_W", ["PROT_WRITE"]],
  ["madvise(A", ["A", "Abc"]],
  ["madvise(A, 2M, MADV_COL", ["MADV_COLD", "MADV_COLLAPSE"]],
  ['fd = open("/proc/m', ["/proc/meminfo"]],
  ['open("/proc/meminfo", O_RDO', ["O_RDONLY"]],
  ["fallocate(A, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PU", ["FALLOC_FL_PUNCH_HOLE"]],
  ["ftruncate(A", ["A", "Abc"]],
  ["nothing here", []],
])("%j", (line, expected) => expect(complete(line)).toEqual(expected));

it("completes at the cursor and says what is replaced", () => {
  expect(completeLine("madvise A col 5", 13, context)).toEqual({
    start: 10,
    end: 13,
    candidates: [
      { text: "cold", whole: true },
      { text: "collapse", whole: true },
    ],
  });
  expect(completeLine("cat /pr", 7, context).candidates).toEqual([{ text: "/proc/", whole: false }]);
});

it("never throws", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.integer({ min: -5, max: 50 }), (line, cursor) => void completeLine(line, cursor, context)));
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("mmap", "(", ",", "uffd", "register", "sys", "set", "A", "@C", "|", ">", "thp/", "cat", "=", "at=", "4k"), { maxLength: 8 }),
      (words) => {
        const line = words.join(" ");
        const { start, end } = completeLine(line, line.length, context);
        expect(start).toBeLessThanOrEqual(end);
      },
    ),
  );
});
