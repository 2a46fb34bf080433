import type { SessionExtension } from "../../session/shellSession.ts";
import type { CommandSpec } from "../../shell/table/commandSpec.ts";
import { arg, optional, repeated, row, words } from "../../shell/table/rowHelpers.ts";
import { failure, success, textOfLines, type Tool, type ToolResult } from "../../shell/tools/tool.ts";
import { labManEn } from "../man.en.ts";
import type { LabRun } from "./labRun.ts";
import { checkLines, labText, predictionLines, stepLines } from "./view.ts";

/** Rows of the commands that a lab adds to the terminal. */
export const LAB_ROWS: readonly CommandSpec[] = [
  row("tool", "lab", [optional(words("next|STEP", ["next"]))], { seeAlso: ["check", "hint", "predict", "solution"] }),
  row("tool", "check", [], { seeAlso: ["lab", "hint"] }),
  row("tool", "hint", [optional(arg("CHECK", "text"))], { seeAlso: ["check", "solution"] }),
  row("tool", "predict", [optional(arg("QUESTION", "text")), optional(repeated(arg("ANSWER", "text")))], { seeAlso: ["lab", "check"] }),
  row("tool", "solution", [optional(words("show", ["show"]))], { seeAlso: ["hint", "lab"] }),
];

/** Commands of the terminal over a lab: made before the session, which is given them, and bound to the run that is made on it. */
export class LabShell {
  readonly extra: readonly SessionExtension[];
  #run: LabRun | null = null;

  constructor() {
    const on =
      (tool: (run: LabRun, args: readonly string[]) => ToolResult): Tool =>
      (args) =>
        this.#run === null ? failure("lab.tool.none", {}) : tool(this.#run, args);
    const tools = { lab: on(lab), check: on(check), hint: on(hint), predict: on(predict), solution: on(solution) };
    this.extra = [{ rows: LAB_ROWS, tools, man: labManEn }];
  }

  bind(run: LabRun): void {
    this.#run = run;
  }
}

const lines = (text: readonly string[]): ToolResult => success(textOfLines(text));

/** `lab`: where the learner is; `lab next`, `lab 3`, `lab ID`: opens a step. */
function lab(run: LabRun, [word]: readonly string[]): ToolResult {
  const view = run.view();
  if (word === undefined) return lines(labText(view, run.render));
  const at = view.steps.findIndex((step) => step.id === view.currentStep);
  const opened = run.lab.steps.findLastIndex((step) => run.progress.entered.has(step.id));
  const wanted = word === "next" ? Math.max(at, opened) + 1 : /^\d{1,2}$/.test(word) ? Number(word) - 1 : view.steps.findIndex((step) => step.id === word);
  if (word === "next" && wanted >= view.steps.length) return failure("lab.tool.noNext", {});
  const step = view.steps[wanted];
  if (step === undefined) return failure("lab.tool.noStep", { word: word.slice(0, 40), count: view.steps.length });
  run.enterStep(step.id);
  return lines(stepLines(run.view().steps[wanted], wanted + 1, view.steps.length, run.render));
}

function check(run: LabRun): ToolResult {
  const view = run.view();
  const open = view.steps.flatMap((step) => step.predictions).filter((each) => each.answer === null).length;
  const rest = view.solved
    ? [run.render({ key: "lab.solved", args: { title: view.info.title } })]
    : open > 0
      ? [run.render({ key: open === 1 ? "lab.check.openQuestion" : "lab.check.openQuestions", args: { count: open } })]
      : [];
  return lines([
    ...checkLines(
      view.steps.flatMap((step) => step.checks),
      run.render,
    ),
    ...rest,
  ]);
}

/** The next rung for a check: the one that is named, else the first that has not passed, of the current step if there is one. */
function hint(run: LabRun, [word]: readonly string[]): ToolResult {
  const view = run.view();
  const checks = view.steps.flatMap((step) => step.checks);
  const open = checks.filter((each) => !each.passed);
  const chosen = word === undefined ? (open.find((each) => each.step === view.currentStep) ?? open[0]) : checks.find((each) => each.id === word);
  if (chosen === undefined)
    return word === undefined
      ? failure("lab.tool.nothingOpen", {})
      : failure("lab.tool.noCheck", { word: word.slice(0, 40), checks: checks.map((each) => each.id).join(" ") });
  const isNew = run.hint(chosen.id);
  const now =
    run
      .view()
      .steps.flatMap((step) => step.checks)
      .find((each) => each.id === chosen.id) ?? chosen;
  const text = [now.objective, run.render({ key: "lab.hint.count", args: { shown: now.hints.length, count: now.hintCount, text: now.hints.at(-1) ?? "" } })];
  const mistake = now.mistake === null ? [] : [run.render({ key: "lab.check.mistake", args: { text: now.mistake } })];
  return lines([...text, ...mistake, ...(isNew ? [] : [run.render({ key: "lab.hint.noMore", args: {} })])]);
}

/** `predict`: the open questions; `predict ANSWER`: of the only open one of the step; `predict QUESTION ANSWER`. */
function predict(run: LabRun, args: readonly string[]): ToolResult {
  const view = run.view();
  const all = view.steps.flatMap((step) => step.predictions);
  const open = all.filter((each) => each.answer === null);
  if (args.length === 0) return lines(open.length === 0 ? [run.render({ key: "lab.predict.none", args: {} })] : predictionLines(open, run.render));
  const named = all.find((each) => each.id === args[0]);
  const question = named ?? open.find((each) => each.step === view.currentStep) ?? open[0];
  if (question === undefined) return failure("lab.tool.nothingAsked", {});
  const answer = (named === undefined ? args : args.slice(1)).join(" ");
  if (question.answer !== null) return failure("lab.tool.answered", { question: question.id });
  if (answer === "" || !run.predict(question.id, answer)) {
    const how = question.choices === null ? "lab.tool.numberWanted" : "lab.tool.choiceWanted";
    return failure(how, { question: question.id, choices: (question.choices ?? []).map(({ id }) => id).join(" ") });
  }
  const now = run
    .view()
    .steps.flatMap((step) => step.predictions)
    .filter((each) => each.id === question.id);
  return lines(predictionLines(now, run.render));
}

/** The solution is asked for twice, since a lab that was solved with it counts as assisted. */
function solution(run: LabRun, [word]: readonly string[]): ToolResult {
  if (word !== undefined && word !== "show") return failure("lab.tool.solutionWord", { word: word.slice(0, 40) });
  if (word === undefined && !run.progress.solutionShown) return lines([run.render({ key: "lab.solution.confirm", args: {} })]);
  run.showSolution();
  return lines([run.render({ key: "lab.solution.head", args: {} }), ...run.lab.solution.lines.map((line) => `    ${line}`)]);
}
