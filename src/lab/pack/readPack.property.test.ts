import fc from "fast-check";
import { expect, it } from "vitest";
import { cpuMilliseconds } from "../../../tests/cpuTime.ts";
import { bundledTree, sentence, smallPack, treeOf } from "../../../tests/packSupport.ts";
import { MOST_PROBLEMS } from "./limits.ts";
import { problemMessages } from "./problem.ts";
import { readPack } from "./readPack.ts";

const runs = process.env["HUGELAB_LONG"] === "1" ? 5000 : 400;
/** of CPU: far above what any of these takes; a loop that grows with the square of the input would be behind it */
const MOST_MS = 4000;

function isOrderly(tree: ReadonlyMap<string, Uint8Array>): void {
  let read = readPack(new Map());
  const spent = cpuMilliseconds(() => (read = readPack(tree)));
  expect(spent).toBeLessThan(MOST_MS);
  if (read.kind === "pack") return;
  expect(read.problems.length).toBeGreaterThan(0);
  expect(read.problems.length).toBeLessThanOrEqual(MOST_PROBLEMS + 1);
  for (const problem of read.problems) {
    const { what, fix } = problemMessages(problem);
    for (const text of [problem.file, problem.place, sentence(what), sentence(fix)]) {
      expect(text.length).toBeLessThan(600);
      // eslint-disable-next-line no-control-regex -- that is what is looked for
      expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }
  }
}

const small = treeOf(smallPack());
const paths = [...small.keys()];

it("answers to any bytes under any names", () => {
  const name = fc.oneof(
    fc.constantFrom(...paths),
    fc.string({ maxLength: 300, unit: "binary" }),
    fc.string({ maxLength: 40 }).map((s) => `labs/01-touch/${s}`),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.uint8Array({ maxLength: 3000 })), { maxLength: 30 }), (entries) => {
      isOrderly(new Map(entries));
    }),
    { numRuns: runs },
  );
});

/** One change of the bytes of a file. */
const edit = fc.oneof(
  fc.record({ at: fc.nat(), insert: fc.uint8Array({ maxLength: 20 }), remove: fc.nat({ max: 40 }) }),
  fc.record({
    at: fc.nat(),
    insert: fc
      .constantFrom("[", "{", '"', "<", "![", "](", "---\n", "&a", "*a", "\u001b[", "1.", "## ", "|", "`", "```", "\\u0000", "null", "1e999")
      .map((s) => new TextEncoder().encode(s)),
    remove: fc.nat({ max: 3 }),
  }),
);

it("answers to packs with damaged files", () => {
  const bundled = bundledTree();
  const all = [...small, ...bundled];
  fc.assert(
    fc.property(fc.nat({ max: all.length - 1 }), fc.array(edit, { minLength: 1, maxLength: 5 }), (which, edits) => {
      const [path, before] = all[which];
      let bytes = before;
      for (const { at, insert, remove } of edits) {
        const from = at % (bytes.length + 1);
        bytes = new Uint8Array([...bytes.subarray(0, from), ...insert, ...bytes.subarray(from + remove)]);
      }
      isOrderly(new Map(which < small.size ? small : bundled).set(path, bytes));
    }),
    { numRuns: runs },
  );
});

it("answers to any JSON in the place of the files", () => {
  const json = fc.json({ maxDepth: 6 });
  fc.assert(
    fc.property(json, json, (manifest, lab) => {
      isOrderly(new Map(small).set("pack.json", new TextEncoder().encode(manifest)));
      isOrderly(new Map(small).set("labs/01-touch/lab.json", new TextEncoder().encode(lab)));
    }),
    { numRuns: runs / 4 },
  );
});

it.each(["[", "{", "*", "_", "`", "![", "[a](", "<", ">", "1. ", "- ", "|a", "&amp;", "\\", "## ", "---\n", "a: &b ", "\u0000", "![[]("])(
  "takes a bounded time for %j over and over",
  (piece) => {
    for (const path of paths) {
      const bytes = new TextEncoder().encode(piece.repeat(Math.floor(65_000 / piece.length)));
      isOrderly(new Map(small).set(path, bytes));
      isOrderly(new Map(small).set(path, new TextEncoder().encode(`---\nid: map\ntitle: Map\n---\n${piece.repeat(Math.floor(60_000 / piece.length))}`)));
    }
  },
);
