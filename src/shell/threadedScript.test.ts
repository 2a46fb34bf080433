import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { formatParseError } from "./formatParseError.ts";
import { parseThreadedScript } from "./threadedScript.ts";

function mistakes(source: string): string[] {
  return parseThreadedScript(source).errors.map((error) => formatParseError(error, "t", source.split("\n")[error.line - 1] ?? ""));
}

it("parses options, set-up and threads", () => {
  const { script, errors } = parseThreadedScript(
    "# x\noption release 6.1\noption patch -a-b # why\noption patch +c\noption bound 3\nsetup:\n mmap A 2M rw private anon\nthread T1:\n gup A+4k w fast\nthread T2:\n\n madvise A 2M collapse\n touch A w\ncheck:\n invariants\n",
  );
  expect(errors).toEqual([]);
  expect(script).toMatchObject({
    release: "6.1",
    patches: [
      { id: "a-b", on: false },
      { id: "c", on: true },
    ],
    bound: 3,
    setup: [{ text: "mmap A 2M rw private anon", line: 7 }],
    threads: [
      { name: "T1", operations: [{ body: { op: "gup", write: true, fast: true } }] },
      { name: "T2", operations: [{ body: { op: "madvise" } }, { body: { op: "touch" } }] },
    ],
  });
});

it("parses the races that ship", () => {
  const source = readFileSync(join(import.meta.dirname, "../../conformance/races/gup-fast-vs-collapse.txt"), "utf8");
  const { script, errors } = parseThreadedScript(source);
  expect(errors).toEqual([]);
  expect(script.setup.map((operation) => operation.text)).toEqual(["mmap A 2M rw private anon", "touch A 2M w", "madvise A 2M hugepage"]);
  expect(script.threads.map((thread) => thread.operations.map((operation) => operation.text))).toEqual([["gup A+4k w fast"], ["madvise A 2M collapse"]]);
});

it.each([
  ["", "at least one section"],
  ["touch A", "stands in no section"],
  ["setup\nthread T:\n", "did you mean setup:?"],
  ["setup:\nthred T1:\n", "did you mean thread?"],
  ["thread T1\n", "did you mean T1:?"],
  ["thread T1:\nthread T1:\n", "already"],
  ["thread T1:\n@C exit", "names no process"],
  ["thread T1:\n exit", "cannot end the process"],
  ["thread T1:\noption bound 3", "before the first section"],
  ["thread T1:\nsetup:", "before all threads"],
  ["option bound x\nthread T:", "number from 0"],
  ["option patch a\nthread T:", "+ID"],
  ["option patch\nthread T:", "VALUE is missing"],
  ["option relase 6.1\nthread T:", "did you mean release?"],
  ["thread T:\n tuch A w", "did you mean touch?"],
  ["thread T:\ncheck:\nfoo", "invariants"],
])("%j: %s", (source, sentence) => expect(mistakes(source).join("\n")).toContain(sentence));

it("never throws and stays short on garbage", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 500 }), (source) => void mistakes(source)));
  fc.assert(
    fc.property(
      fc
        .array(fc.constantFrom("setup:", "thread", "T1:", "option", "patch", "+a", "\n", "check:", "gup A", "@C", "quit"), { maxLength: 40 })
        .map((words) => words.join(" ")),
      (source) => void mistakes(source),
    ),
  );
  expect(mistakes("foo\n".repeat(1_000_000)).length).toBeLessThan(30);
});
