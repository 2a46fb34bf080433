import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bundledTree, changed, packOf, treeOf, smallPack } from "../../tests/packSupport.ts";
import { sentence } from "../i18n/format.ts";
import { lintLab, lintPack, type LintOptions } from "../lab/lint/lintPack.ts";
import { mutationsOf } from "../lab/lint/mutations.ts";
import type { Lab } from "../lab/pack/pack.ts";
import { readPack } from "../lab/pack/readPack.ts";
import type { PackTree } from "../lab/pack/tree.ts";
import type { LabFile } from "../lab/schema.ts";
import { judgeRecording } from "./judgeRecording.ts";
import { BUNDLED_PACKS } from "./packFiles.ts";

/** The labs that ship, proved; and the proof proved: every small change of a lab must be noticed. */

const options = { render: sentence, judge: judgeRecording };

/** For a change that must be noticed: the first problem is enough, and a recording that was judged once is not judged again. */
const verdicts = new Map<string, ReturnType<typeof judgeRecording>>();
const noticing = {
  render: sentence,
  stopAtFirst: true,
  judge: (text: string): ReturnType<typeof judgeRecording> => {
    const verdict = verdicts.get(text) ?? judgeRecording(text);
    verdicts.set(text, verdict);
    return verdict;
  },
};
const packs = readdirSync(BUNDLED_PACKS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Labs about the devices that only Hugelab has. */
const NOT_RECORDED = new Set([
  "f2b0f1a0-6a0c-4b7d-9d8b-2a3c1de7a801", // the driver that lost its huge pages
  "b3f7c7d2-0f43-4c55-8a3e-7d5c22b0c902", // what smaps said wrongly
  "c64b8f0e-91d5-4a0b-b6b9-5a8e6f1d3a03", // a driver with huge pages
  "e8c2d6a7-5b19-4f3a-a7d4-1c6e8b9f7d05", // what would you have asked?
]);
const isRecorded = (lab: Lab): boolean => lab.definition.badge.kind === "recorded";

describe.each(packs)("pack %s", (name) => {
  const tree = bundledTree(name);
  const pack = packOf(tree);

  it("is right", () => {
    expect(lintPack(pack, options)).toEqual([]);
  });

  it("is recorded, every lab of it but those about what no kernel could be recorded with", () => {
    expect(pack.labs.filter((lab) => !isRecorded(lab)).map((lab) => [lab.folder, lab.definition.badge.kind])).toEqual(
      pack.labs.filter((lab) => NOT_RECORDED.has(lab.definition.id)).map((lab) => [lab.folder, "documents"]),
    );
  });

  it("has no badge that is believed without a judge", () => {
    for (const lab of pack.labs.filter(isRecorded))
      expect(lintLab(lab, { render: sentence, judge: null }).map((problem) => problem.name)).toContain("notProved");
  });

  describe.each(pack.labs.map((lab) => [lab.folder, lab] as const))("%s", (folder, lab) => {
    /** Names of what is found after a change of one file of this lab; none is a change that nobody noticed. */
    const found = (changedTree: PackTree, how: LintOptions = noticing): string[] => {
      const read = readPack(changedTree);
      if (read.kind === "bad") return read.problems.map((problem) => problem.name);
      const now = read.pack.labs.find((each) => each.folder === folder);
      return now === undefined ? ["gone"] : lintLab(now, how).map((problem) => problem.name);
    };
    const withDefinition = (change: (definition: LabFile) => LabFile): PackTree =>
      changed(tree, `${folder}/lab.json`, (text) => JSON.stringify(change(JSON.parse(text) as LabFile)));

    it("notices each line of the solution that is dropped", () => {
      const unnoticed = lab.solution.lineNumbers.filter(
        (number) =>
          found(
            changed(tree, lab.solution.file, (text) =>
              text
                .split("\n")
                .toSpliced(number - 1, 1)
                .join("\n"),
            ),
          ).length === 0,
      );
      expect(unnoticed).toEqual([]);
    });

    // without a recording nothing says in which order two lines come that do not need each other
    it.runIf(isRecorded(lab))("notices two lines of the solution that change places", () => {
      const lines = lab.solution.lines;
      const others = lines.flatMap((line, i) => (i + 1 < lines.length ? [lines.with(i, lines[i + 1]).with(i + 1, line)] : []));
      expect(others.filter((other) => found(changed(tree, lab.solution.file, () => other.join("\n"))).length === 0)).toEqual([]);
    });

    it("notices each check that is weaker, and each value that is another", () => {
      const mutations = lab.checks.flatMap((check) => mutationsOf(check));
      expect(mutations.length).toBeGreaterThan(lab.checks.length * 2);
      const unnoticed = mutations.filter(
        (mutation) =>
          found(withDefinition((d) => ({ ...d, checks: d.checks.map((check) => (check.id === mutation.check.id ? mutation.check : check)) }))).length === 0,
      );
      expect(unnoticed.map(({ check, place, from, to }) => `${check.id}.${place}: ${from} -> ${to}`)).toEqual([]);
    });

    it("notices each check that is left out", () => {
      const withoutCheck = lab.checks.map((check) => withDefinition((d) => ({ ...d, checks: d.checks.filter(({ id }) => id !== check.id) })));
      expect(withoutCheck.filter((other) => found(other).length === 0)).toEqual([]);
    });

    it("notices each value of a choice that is another", () => {
      const changes = lab.predictions.flatMap((prediction, i) => {
        const set = (change: Partial<(typeof lab.predictions)[number]>): PackTree =>
          withDefinition((d) => ({ ...d, predictions: d.predictions.with(i, { ...d.predictions[i], ...change }) }));
        const choices = prediction.choices ?? [];
        const swapped = choices.map((choice, j) => choices.with(j, { ...choice, is: choices[(j + 1) % choices.length].is }));
        const swappedBoth = choices.length < 2 ? [] : [choices.with(0, { ...choices[0], is: choices[1].is }).with(1, { ...choices[1], is: choices[0].is })];
        return [...swapped, ...swappedBoth].map((each) => set({ choices: each }));
      });
      expect(changes.filter((other) => found(other).length === 0)).toEqual([]);
    });

    it("notices a hint that tells too early", () => {
      const line = lab.solution.lines[0];
      const told = changed(tree, `${folder}/hints.md`, (text) => text.replace(/^1\. /m, `1. Type \`${line}\`. `));
      expect(found(told)).toContain("hintTellsSolution");
    });

    it("notices a recording that is not of these commands, or not what the simulator does", () => {
      for (const { file } of lab.recordings) {
        expect(found(changed(tree, file, (text) => text.replaceAll(lab.solution.lines.at(-1) ?? "", lab.solution.lines[0])))).toContain("otherCommands");
        const miscounted = found(changed(tree, file, (text) => text.replace(/"pf": ?(\d+)/, (_, n: string) => `"pf":${Number(n) + 1}`)));
        expect(miscounted).toContain("recordingDisagrees");
        if (file.includes(lab.definition.machine.profile)) expect(miscounted).toContain("learnerDisagrees");
        expect(found(changed(tree, file, () => "{}"))).toContain("notARecording");
      }
    });
  });
});

describe("the linter", () => {
  const tree = treeOf(smallPack());
  const problems = (change: (lab: Record<string, unknown>) => void, from: PackTree = tree): string[] => {
    const changedTree = changed(from, "labs/01-touch/lab.json", (text) => {
      const lab = JSON.parse(text) as Record<string, unknown>;
      change(lab);
      return JSON.stringify(lab);
    });
    return lintLab(packOf(changedTree).labs[0], options).map((problem) => problem.name);
  };
  const check = (i: number, change: Record<string, unknown>) => (lab: Record<string, unknown>) => {
    Object.assign((lab["checks"] as Record<string, unknown>[])[i], change);
  };

  const choice = (lab: Record<string, unknown>, i: number): Record<string, unknown> =>
    (lab["predictions"] as { choices: Record<string, unknown>[] }[])[0].choices[i];
  const names = (files: Readonly<Record<string, string>>): string[] => lintLab(packOf(treeOf(files)).labs[0], options).map((problem) => problem.name);

  it("wants decoys, and each check to be failed by something", () => {
    const files = smallPack();
    delete files["labs/01-touch/decoys/short.trace"];
    delete files["labs/01-touch/decoys/bigger.trace"];
    expect(names(files)).toEqual(expect.arrayContaining(["notEnoughDecoys", "mistakeNeverSeen"]));
    const lab = JSON.parse(smallPack()["labs/01-touch/lab.json"]) as { checks: Record<string, unknown>[] };
    lab.checks.push({ ...lab.checks[0], id: "any", wrong: [], require: { event: "command", where: { errno: "0" } } });
    const more: Record<string, string> = { ...smallPack(), "labs/01-touch/lab.json": JSON.stringify(lab) };
    more["labs/01-touch/hints.md"] += "\n## any\n\n1. a\n2. b\n";
    expect(names(more)).toContain("checkNeverFails");
  });

  it("proves a recorded badge on the lab's own machine, with its own settings", () => {
    const name = "labs/03-small-hole";
    const bundled = bundledTree();
    const lint = (change: (lab: LabFile) => LabFile): string[] => {
      const now = packOf(changed(bundled, `${name}/lab.json`, (text) => JSON.stringify(change(JSON.parse(text) as LabFile))));
      return lintLab(now.labs[2], options).map((problem) => problem.name);
    };
    expect(lint((lab) => ({ ...lab, machine: { profile: "debian-6.17.13" } }))).toContain("noProfileRecorded");
    expect(lint((lab) => ({ ...lab, machine: { ...lab.machine, patches: ["-mthp"] } }))).toContain("patchedMachine");
    expect(lint((lab) => ({ ...lab, machine: { ...lab.machine, config: { "/sys/kernel/mm/transparent_hugepage/enabled": "never" } } }))).toContain(
      "otherCommands",
    );
    expect(lint((lab) => ({ ...lab, badge: { ...lab.badge, kind: "documents", reason: "x" } }))).toContain("needlessRecording");
  });

  it("finds nothing in a small pack that is right", () => {
    expect(lintPack(packOf(tree), options)).toEqual([]);
  });

  it.each<[string, (lab: Record<string, unknown>) => void]>([
    ["noSuchProfile", (lab) => (lab["machine"] = { profile: "debian-99" })],
    ["noSuchPatch", (lab) => (lab["machine"] = { profile: "debian-6.18.15", patches: ["+nothing-of-the-kind"] })],
    ["configRefused", (lab) => (lab["machine"] = { profile: "debian-6.18.15", config: { "/sys/kernel/mm/transparent_hugepage/enabled": "perhaps" } })],
    ["setupDoesNothing", (lab) => (lab["setup"] = ["cat /proc/meminfo"])],
    ["startPasses", check(0, { require: { path: "meminfo.MemTotal", op: ">", value: 0 } })],
    ["startPasses", (lab) => (lab["setup"] = ["mmap A 4M rw private anon"])],
    ["badPath", check(0, { require: { path: "smaps[A]Size", op: "==", value: 4096 } })],
    ["badPath", check(0, { require: { path: "kernel.secret", op: "==", value: 4096 } })],
    ["resultInCheck", check(0, { require: { path: "result.faults", op: "==", value: 1 } })],
    ["badOperator", check(0, { require: { path: "smaps[A].Size", op: "contains", value: "4" } })],
    ["badValue", check(0, { require: { path: "smaps[A].Size", op: "==", value: "4096 kB" } })],
    ["badValue", check(0, { require: { path: "smaps[A].Size", op: "in", value: 4096 } })],
    ["badValue", check(0, { require: { path: "smaps[A].Size", op: "exists", value: 1 } })],
    ["sinceText", check(0, { require: { path: "setting[/sys/kernel/mm/transparent_hugepage/enabled]", op: "==", value: "x", since: "start" } })],
    ["badRange", check(0, { require: { event: "fault", where: { in: "A+" } } })],
    ["noBound", check(0, { require: { event: "fault", op: ">=" } })],
    ["noSuchPrediction", check(0, { require: { prediction: "none", is: "right" } })],
    [
      "neverRead",
      check(0, {
        require: {
          any: [
            { path: "smaps[A].Size", op: "==", value: 4096 },
            { path: "smaps[A].Sise", op: "==", value: 1 },
          ],
        },
      }),
    ],
    ["solutionFails", check(0, { require: { path: "smaps[A].Size", op: "==", value: 8192 } })],
    ["decoyPasses", check(1, { require: { path: "smaps[A].Rss", op: "==", value: 2048 } })],
    ["lineNotNeeded", check(1, { require: { path: "smaps[A].Rss", op: "==", value: 2048 } })],
    [
      "conditionNotNeeded",
      check(0, {
        require: {
          all: [
            { path: "smaps[A].Size", op: "==", value: 4096 },
            { path: "status.VmSize", op: ">", value: 1 },
          ],
        },
      }),
    ],
    [
      "valueNotNeeded",
      check(0, {
        require: {
          all: [
            { path: "smaps[A].Size", op: "==", value: 4096 },
            { path: "status.VmSize", op: ">", value: 1 },
          ],
        },
      }),
    ],
    ["mistakeNeverSeen", check(0, { wrong: [{ id: "x", when: { path: "smaps[A].Size", op: "==", value: 4 }, say: "x" }] })],
    ["mistakeOnSolution", check(1, { wrong: [{ id: "x", when: { path: "smaps[A].Rss", op: "==", value: 0 }, say: "x" }] })],
    ["notEnoughMistakes", check(0, { wrong: [] })],
    ["placeholder", check(0, { feedback: { pass: "{actual}", fail: "{value}" } })],
    ["textTooWordy", check(0, { objective: "word ".repeat(60) })],
    ["noopPasses", check(0, { require: { event: "command" } })],
    ["predictionTwoChoices", (lab) => (choice(lab, 0)["is"] = 512)],
    ["choiceText", (lab) => (choice(lab, 0)["text"] = "one fault")],
    ["predictionTwoChoices", (lab) => (choice(lab, 1)["is"] = 1)],
    ["noReason", (lab) => (lab["badge"] = { kind: "simplified" })],
    ["notRecorded", (lab) => (lab["badge"] = { kind: "recorded" })],
    ["predictionLine", (lab) => ((lab["predictions"] as Record<string, unknown>[])[0]["answer"] = { line: 9, read: "result.faults" })],
    ["predictionUnread", (lab) => ((lab["predictions"] as Record<string, unknown>[])[0]["answer"] = { line: 1, read: "page[B].size" })],
    ["predictionNoChoice", (lab) => ((lab["predictions"] as Record<string, unknown>[])[0]["answer"] = { line: 1, read: "result.faults" })],
    ["predictionNotANumber", (lab) => ((lab["predictions"] as Record<string, unknown>[])[1]["answer"] = { line: 1, read: "page[A].mapped" })],
    ["predictionUnit", (lab) => ((lab["predictions"] as Record<string, unknown>[])[1]["unit"] = "pages")],
  ])("says %s (%#)", (name, change) => {
    expect(problems(change)).toContain(name);
  });

  it.each<[string, string, (text: string) => string]>([
    ["lineNotUnderstood", "decoys/late.trace", (text) => text.replace("touch A", "tuoch A")],
    ["lineFailed", "alternatives/c.trace", (text) => text.replace("madvise(A, 4M", "madvise(A + 1, 4M")],
    ["routeFails", "alternatives/c.trace", (text) => text.replace("touch A 2M w", "touch A 4M w")],
    ["noOtherForm", "alternatives/c.trace", () => "mmap A 4M rw private anon\nmadvise A hugepage\ntouch A 2M w\n"],
    ["decoySolves", "decoys/late.trace", () => "# fails: touched\nmmap A 4M rw private anon\nmadvise A hugepage\ntouch A 2M w\n"],
    ["hintTellsSolution", "hints.md", (text) => text.replace("1. Write.", "1. Try  `touch A  2M w`.")],
    ["stepTooLong", "steps/10-map.md", (text) => `${text}\n${"A short one. ".repeat(120)}`],
    ["sentencesTooLong", "steps/10-map.md", (text) => `${text}\n${"on and ".repeat(60)}end.`],
    ["unknownTerminalLine", "steps/10-map.md", (text) => `${text}\n\`\`\`hugelab\nmmap A 4M rw privat anon\n\`\`\`\n`],
  ])("says %s of %s", (name, file, change) => {
    const lab = packOf(changed(tree, `labs/01-touch/${file}`, change)).labs[0];
    expect(lintLab(lab, options).map((problem) => problem.name)).toContain(name);
  });
});
