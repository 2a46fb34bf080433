import { describe, expect, it } from "vitest";
import { labOf, sentence, smallLab, smallPack } from "../../../tests/packSupport.ts";
import { ShellSession } from "../../session/shellSession.ts";
import type { LabEvent } from "../model.ts";
import { labManEn } from "../man.en.ts";
import type { Lab } from "../pack/pack.ts";
import { bootOf } from "./boot.ts";
import { labInfo } from "./info.ts";
import { LabRun } from "./labRun.ts";
import { LAB_ROWS, LabShell } from "./labShell.ts";
import { Progress } from "./progress.ts";
import { plainLines } from "./view.ts";

const lab = labOf(smallPack());

function open(
  saved: readonly LabEvent[] = [],
  of: Lab = lab,
): { session: ShellSession; run: LabRun; type: (...lines: string[]) => LabEvent[]; text: (line: string) => string } {
  const machine = bootOf(of);
  if (machine === null) throw new Error("machine");
  const shell = new LabShell();
  const session = new ShellSession({ ...machine, render: sentence, extra: shell.extra });
  const run = new LabRun({ lab: of, session, shell, render: sentence, saved });
  const type = (...lines: string[]): LabEvent[] => lines.flatMap((line) => run.after(session.submit(line)));
  const text = (line: string): string => {
    const step = session.submit(line);
    run.after(step);
    return step.output.map((part) => part.text).join("");
  };
  return { session, run, type, text };
}

const HUGE = ["mmap A 4M rw private anon", "madvise A hugepage", "touch A 2M w"];

describe("LabRun", () => {
  it("tells what progress must remember, once", () => {
    const { run, type } = open();
    expect(run.takeEvents()).toEqual([{ kind: "stepEntered", step: "map" }]);
    expect(type(HUGE[0])).toEqual([{ kind: "checkPassed", check: "mapped", node: 1 }]);
    expect(type(HUGE[1], "cat /proc/self/smaps", "why A")).toEqual([]);
    expect(type(HUGE[2])).toEqual([{ kind: "checkPassed", check: "touched", node: 3 }]);
    expect(run.predict("faults", "one") && run.predict("grows", "2048")).toBe(true);
    expect(run.takeEvents()).toEqual([
      { kind: "predicted", prediction: "faults", answer: "one", right: true },
      { kind: "predicted", prediction: "grows", answer: "2048", right: true },
      { kind: "labSolved", node: 3 },
    ]);
    expect(type("touch A w", "undo", "undo")).toEqual([]);
    expect(run.view()).toMatchObject({ solved: true, closing: "Well done." });
  });

  it("keeps checks in step with undo and branches, and progress where it was", () => {
    const { run, type } = open();
    const passes = (): readonly (readonly [boolean, boolean])[] =>
      run.view().steps.flatMap((step) => step.checks.map((check) => [check.passes, check.passed] as const));
    type(...HUGE);
    expect(passes()).toEqual([
      [true, true],
      [true, true],
    ]);
    type("undo");
    expect(passes()).toEqual([
      [true, true],
      [false, true],
    ]);
    type("goto 0", "mmap A 1M rw private anon");
    expect(passes()).toEqual([
      [false, true],
      [false, true],
    ]);
    type("goto 3");
    expect(passes()).toEqual([
      [true, true],
      [true, true],
    ]);
  });

  it("says what was found, and recognises mistakes where they are made", () => {
    const { run, type } = open();
    const check = (id: string) =>
      run
        .view()
        .steps.flatMap((step) => step.checks)
        .find((each) => each.id === id);
    expect(check("mapped")).toMatchObject({ passes: false, feedback: null, mistake: null });
    type("mmap A 1M rw private anon");
    expect(check("mapped")).toMatchObject({ actual: "1024 kB", feedback: "Now 1024 kB, wanted 4096 kB.", mistake: "Too short." });
    expect(check("touched")).toMatchObject({ feedback: "Now 0 kB, wanted 2048 kB.", mistake: null });
    type("goto 0", "mmap A 4M rw private anon", "touch A w");
    expect(check("mapped")).toMatchObject({ feedback: "It is 4096 kB.", mistake: null });
    expect(check("touched")?.mistake).toBe(null);
    type("madvise A hugepage");
    expect(check("touched")?.mistake).toBe("Too late.");
    type("undo");
    expect(check("touched")?.mistake).toBe(null);
  });

  it("reads the right answers off the solution, and reveals them behind an answer only", () => {
    const { run } = open();
    expect(run.rightAnswers()).toEqual(
      new Map<string, unknown>([
        ["faults", 1],
        ["grows", 2048],
      ]),
    );
    const shown = () => run.view().steps[1].predictions;
    expect(JSON.stringify(run.view())).not.toContain("One.");
    expect(shown()).toMatchObject([
      { answer: null, right: null, explanation: null },
      { choices: null, unit: "kB" },
    ]);
    expect([run.predict("faults", "neither"), run.predict("nothing", "1"), run.predict("grows", "much")]).toEqual([false, false, false]);
    expect(run.predict("faults", "many")).toBe(true);
    // the first answer counts
    expect(run.predict("faults", "one")).toBe(true);
    expect(run.predict("grows", " 2,048 kB ")).toBe(true);
    expect(shown()).toMatchObject([
      { answer: "many", right: false, explanation: "One." },
      { answer: "2,048 kB", right: true },
    ]);
  });

  it("gives hints in order, and marks the last", () => {
    const { run } = open();
    const hints = () => run.view().steps[1].checks[0];
    expect(hints()).toMatchObject({ hints: [], hintCount: 3 });
    expect([run.hint("touched"), run.hint("touched")]).toEqual([true, true]);
    expect(hints().hints).toEqual(["Write.", "All of the first half."]);
    expect([run.hint("touched"), run.hint("touched"), run.hint("nothing")]).toEqual([true, false, false]);
    expect(hints().hints.at(-1)).toBe("Last hint: Type `touch A 2M w`.");
    expect(run.takeEvents().filter((event) => event.kind === "hintShown")).toEqual([0, 1, 2].map((rung) => ({ kind: "hintShown", check: "touched", rung })));
  });

  it("shows the solution only when it is asked for", () => {
    const { run } = open();
    expect(run.view().solution).toBe(null);
    run.showSolution();
    run.showSolution();
    expect(run.view().solution).toEqual(HUGE);
    expect(run.takeEvents().filter((event) => event.kind === "solutionShown")).toHaveLength(1);
  });

  it("goes on where it was left", () => {
    const first = open();
    const events: LabEvent[] = [...first.run.takeEvents(), ...first.type(HUGE[0], HUGE[1]), ...first.type("hint")];
    first.run.predict("faults", "one");
    events.push(...first.run.takeEvents(), ...first.type("touch A w", "undo"));
    const { session } = first;
    const nodes = Array.from({ length: 4 }, (_, id) => session.savedNode(id));
    const second = open(events);
    second.session.restore(nodes, session.history.current.id);
    expect(second.run.view()).toEqual(first.run.view());
    // nothing that was saved is told again
    expect(second.run.takeEvents()).toEqual([]);
    expect(second.type(HUGE[2])).toEqual(first.type(HUGE[2]));
    // a branch that the restore did not replay
    expect(second.type("goto 3")).toEqual(first.type("goto 3"));
    expect(second.run.view()).toEqual(first.run.view());
  });

  it("begins behind the lines of the setup", () => {
    const files = smallPack();
    const definition = smallLab();
    files["labs/01-touch/lab.json"] = JSON.stringify({ ...definition, setup: ["mmap A 4M rw private anon", "madvise A hugepage"] });
    const { run, type } = open([], labOf(files));
    run.takeEvents();
    // the second line is behind the first one's node, which is no place to be judged
    expect(type("mmap A 4M rw private anon")).toEqual([]);
    expect(type("madvise A hugepage")).toEqual([{ kind: "checkPassed", check: "mapped", node: 2 }]);
  });

  it("says where the learner is", () => {
    const { run, type } = open();
    expect(run.view().currentStep).toBe("map");
    type(HUGE[0]);
    expect(run.view()).toMatchObject({ currentStep: "touch", steps: [{ done: true }, { done: false }] });
    expect([run.enterStep("touch"), run.enterStep("touch"), run.enterStep("nowhere")]).toEqual([true, true, false]);
    expect(run.takeEvents()).toEqual([{ kind: "stepEntered", step: "touch" }]);
  });

  it("refuses a session in which something has happened", () => {
    const { session } = open();
    session.submit("mmap A 4M rw private anon");
    expect(() => new LabRun({ lab, session, render: sentence })).toThrow("fresh");
  });

  it("has a text twin", () => {
    const { run, type } = open();
    type(HUGE[0]);
    const twin = run.view().twin.join("\n");
    for (const part of [
      "Touch",
      "[x] 1. Map",
      "> [ ] 2. Touch",
      "Write to A.",
      "How many faults?",
      "one: 1 fault",
      "[ ] The first half of A is one huge page.",
    ])
      expect(twin).toContain(part);
  });

  it("has a badge with its reason", () => {
    expect(labInfo(lab, sentence)).toMatchObject({ badge: "documents", badgeReason: "A test.", profile: "debian-6.18.15", minutes: 5 });
  });
});

it("shows Markdown as plain lines", () => {
  const long = "word ".repeat(30).trim();
  const lines = plainLines(`One.\n\n\`\`\`hugelab\nmmap A 4M rw private anon\n\`\`\`\n\n- ${long}\n| a | b |`);
  expect(lines.slice(0, 4)).toEqual(["One.", "", "    mmap A 4M rw private anon", ""]);
  expect(lines.at(-1)).toBe("| a | b |");
  expect(lines.every((line) => line.length <= 78)).toBe(true);
  expect(lines.join(" ").match(/word/g)).toHaveLength(30);
});

describe("commands of a lab", () => {
  it("have a page each", () => {
    expect(Object.keys(labManEn).sort()).toEqual(LAB_ROWS.map((row) => row.page).sort());
    const { text } = open();
    for (const row of LAB_ROWS) expect(text(`man ${row.page}`)).toContain(labManEn[row.page].summary);
    for (const row of LAB_ROWS) for (const other of row.seeAlso) expect(LAB_ROWS.map(({ name }) => name)).toContain(other);
    expect(text("help")).toContain("predict");
  });

  it("are completed", () => {
    const { session } = open();
    expect(session.complete("sol", 3).candidates.map((candidate) => candidate.text)).toEqual(["solution"]);
    expect(session.complete("solution s", 10).candidates.map((candidate) => candidate.text)).toEqual(["show"]);
  });

  it("make no state of the machine", () => {
    const { session, text } = open();
    for (const line of ["lab", "lab next", "lab 1", "lab map", "check", "hint", "predict", "predict faults one", "solution", "solution show"]) text(line);
    expect(session.history.current.id).toBe(0);
  });

  it("do what their buttons do", () => {
    const { run, text } = open();
    expect(text("check")).toContain("[ ] A is 4 MiB long.");
    expect(text("check")).toContain("2 questions are open");
    expect(text("hint")).toContain("Hint 1 of 2: Think of a mapping.");
    expect(text("hint touched")).toContain("Hint 1 of 3: Write.");
    expect(text("hint")).toContain("Last hint:");
    expect(text("hint")).toContain("That was the last hint");
    expect(text("hint nothing")).toContain("mapped touched");
    expect(text("predict")).toContain("predict faults one");
    expect(text("predict faults three")).toContain("one of one many");
    expect(text("predict many")).toContain("Not this time");
    expect(text("predict faults one")).toContain("answered already");
    expect(text("predict 2048 kB")).toContain("Right: 2048 kB.");
    expect(text("predict 1")).toContain("No question is open");
    expect(text("solution")).toContain("counts as solved with help");
    expect(run.view().solution).toBe(null);
    expect(text("solution shwo")).toContain('not "shwo"');
    expect(text("solution show")).toContain("touch A 2M w");
    expect(run.view().solution).toEqual(HUGE);
    expect(text("lab")).toContain("Step 1 of 2: Map");
    expect(text("lab next")).toContain("Step 2 of 2: Touch");
    expect(text("lab next")).toContain("This is the last step");
    expect(text("lab 9")).toContain("numbered 1 to 2");
    for (const line of HUGE) text(line);
    expect(text("check")).toContain("You have solved");
    expect(text("hint")).toContain("Everything is reached");
    expect(text("lab")).toContain("Well done.");
  });

  it("say so without a lab", () => {
    const machine = bootOf(lab);
    const session = new ShellSession({ ...(machine ?? { boot: { profile: undefined as never } }), render: sentence, extra: new LabShell().extra });
    expect(session.submit("hint").output).toEqual([{ stream: "error", text: "No lab is open here.\n" }]);
  });
});

describe("Progress", () => {
  it("counts steps that are done", () => {
    const shape = { steps: [{ id: "a" }, { id: "b" }, { id: "c" }], checks: [{ id: "x", step: "b" }], predictions: [], hints: new Map() };
    const done = (...events: LabEvent[]): number => new Progress(shape, events).stepsDone();
    expect(done()).toBe(0);
    expect(done({ kind: "stepEntered", step: "a" })).toBe(0);
    expect(done({ kind: "stepEntered", step: "b" })).toBe(1);
    expect(done({ kind: "stepEntered", step: "b" }, { kind: "checkPassed", check: "x", node: 1 })).toBe(2);
    expect(done({ kind: "stepEntered", step: "c" }, { kind: "checkPassed", check: "x", node: 1 })).toBe(3);
    expect(done({ kind: "checkPassed", check: "gone", node: 1 }, { kind: "hintShown", check: "gone", rung: 3 })).toBe(0);
  });
});
