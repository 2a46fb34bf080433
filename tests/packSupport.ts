import { readPackFolder, BUNDLED_PACKS } from "../src/cli/packFiles.ts";
import type { Lab, Pack } from "../src/lab/pack/pack.ts";
import { readPack } from "../src/lab/pack/readPack.ts";
import type { PackTree } from "../src/lab/pack/tree.ts";
import { fileURLToPath } from "node:url";

/** for tests of layers that may not import the catalogue themselves */
export { sentence } from "../src/i18n/format.ts";

/** A small pack for tests, as texts by path. */
export function smallPack(): Record<string, string> {
  return {
    "pack.json": JSON.stringify({
      formatVersion: 1,
      id: "0b1d3e5f-0000-4000-8000-000000000001",
      title: "Small",
      version: "1.0.0",
      language: "en",
      authors: ["A"],
      license: "GPL-2.0-only",
      labs: ["01-touch"],
    }),
    "labs/01-touch/lab.json": JSON.stringify(smallLab()),
    "labs/01-touch/steps/10-map.md": "---\nid: map\ntitle: Map\n---\nMap A.\n",
    "labs/01-touch/steps/20-touch.md": "---\nid: touch\ntitle: Touch\n---\nWrite to A.\n",
    "labs/01-touch/hints.md":
      "# Hints\n\n## mapped\n\n1. Think of a mapping.\n2. Type `mmap A 4M rw private anon`.\n\n## touched\n\n1. Write.\n2. All of the first half.\n3. Type `touch A 2M w`.\n",
    "labs/01-touch/closing.md": "Well done.\n",
    "labs/01-touch/solution.trace": "# the way\nmmap A 4M rw private anon\nmadvise A hugepage\ntouch A 2M w\n",
    "labs/01-touch/alternatives/c.trace":
      "A = mmap(NULL, 4M, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)\nmadvise(A, 4M, MADV_HUGEPAGE)\ntouch A 2M w\n",
    "labs/01-touch/decoys/late.trace": "# fails: touched\nmmap A 4M rw private anon\ntouch A 2M w\nmadvise A hugepage\n",
    "labs/01-touch/decoys/short.trace": "# fails: mapped touched\nmmap A 1M rw private anon\nmadvise A hugepage\ntouch A 1M w\n",
    "labs/01-touch/decoys/bigger.trace": "# fails: mapped touched\nmmap A 6M rw private anon\nmadvise A hugepage\ntouch A 6M w\n",
    "labs/01-touch/decoys/reads.trace": "# fails: touched\nmmap A 4M rw private anon\nmadvise A hugepage\ntouch A 2M r\n",
  };
}

export function smallLab(): Record<string, unknown> {
  return {
    id: "0b1d3e5f-0000-4000-8000-000000000002",
    title: "Touch",
    summary: "Map and touch.",
    minutes: 5,
    difficulty: "first",
    concepts: ["fault"],
    prerequisites: [],
    machine: { profile: "debian-6.18.15" },
    checks: [
      {
        id: "mapped",
        step: "map",
        objective: "A is 4 MiB long.",
        require: { path: "smaps[A].Size", op: "==", value: 4096 },
        wrong: [{ id: "length", when: { path: "smaps[A].Size", op: "<", value: 4096 }, say: "Too short." }],
        feedback: { pass: "It is {actual}.", fail: "Now {actual}, wanted {wanted}." },
      },
      {
        id: "touched",
        step: "touch",
        objective: "The first half of A is one huge page.",
        require: { path: "smaps[A].AnonHugePages", op: "==", value: 2048 },
        wrong: [
          {
            id: "late",
            when: { event: "fault", where: { in: "A", order: 0 }, before: { event: "command", where: { name: "madvise", advice: "hugepage" } } },
            say: "Too late.",
          },
        ],
        feedback: { pass: "Yes.", fail: "Now {actual}, wanted {wanted}." },
      },
    ],
    predictions: [
      {
        id: "faults",
        step: "touch",
        question: "How many faults?",
        choices: [
          { id: "one", text: "1 fault", is: 1 },
          { id: "many", text: "512 faults", is: 512 },
        ],
        unit: null,
        answer: { line: 3, read: "result.faults" },
        explanation: "One.",
      },
      {
        id: "grows",
        step: "touch",
        question: "VmRSS grows by?",
        choices: null,
        unit: "kB",
        answer: { line: 3, read: "status.VmRSS", change: true },
        explanation: "2 MiB.",
      },
    ],
    badge: { kind: "documents", reason: "A test." },
  };
}

export const treeOf = (files: Readonly<Record<string, string | Uint8Array>>): PackTree =>
  new Map(Object.entries(files).map(([path, content]) => [path, typeof content === "string" ? new TextEncoder().encode(content) : content]));

/** A lab of a pack that must be right. */
export function labOf(files: Readonly<Record<string, string | Uint8Array>>): Lab {
  return packOf(treeOf(files)).labs[0];
}

export function packOf(tree: PackTree): Pack {
  const read = readPack(tree);
  if (read.kind === "bad") throw new Error(JSON.stringify(read.problems, null, 1));
  return read.pack;
}

/** The bundled pack as it is on the disk. */
export function bundledTree(name = "thp-basics"): PackTree {
  const read = readPackFolder(fileURLToPath(new URL(`${name}/`, BUNDLED_PACKS)));
  if (read.kind === "link") throw new Error(read.path);
  return read.tree;
}

/** A tree with one text file changed. */
export function changed(tree: PackTree, path: string, change: (text: string) => string): PackTree {
  const bytes = tree.get(path);
  if (bytes === undefined) throw new Error(`no ${path}`);
  return new Map(tree).set(path, new TextEncoder().encode(change(new TextDecoder().decode(bytes))));
}
