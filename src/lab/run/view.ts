import { wrap } from "../../shell/man/manPage.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { CheckOutcome } from "../check/evaluate.ts";
import type { CheckView, LabStepView, LabView, PredictionView } from "../model.ts";
import type { Lab } from "../pack/pack.ts";
import type { CheckDefinition, PredictionDefinition } from "../schema.ts";
import { labInfo } from "./info.ts";
import type { Progress } from "./progress.ts";

export interface ViewInput {
  readonly lab: Lab;
  readonly progress: Progress;
  readonly outcomes: ReadonlyMap<string, CheckOutcome>;
  /** the learner has done something that changed the machine */
  readonly begun: boolean;
  readonly render: RenderMessage;
}

/** What the front ends show of a lab that is being done. */
export function viewOf(input: ViewInput): LabView {
  const { lab, progress, render } = input;
  const steps = lab.steps.map((step, i): LabStepView => ({
    id: step.id,
    title: step.title,
    text: step.text,
    checks: lab.checks.filter((check) => check.step === step.id).map((check) => checkView(check, input)),
    predictions: lab.predictions.filter((prediction) => prediction.step === step.id).map((prediction) => predictionView(prediction, progress)),
    done: progress.isStepDone(i),
  }));
  const current = steps.find((step) => !step.done) ?? steps[steps.length - 1];
  const view = {
    info: labInfo(lab, render),
    steps,
    currentStep: current.id,
    solved: progress.solved,
    solution: progress.solutionShown ? lab.solution.lines : null,
    closing: progress.solved ? lab.closing : null,
  };
  return { ...view, twin: labText(view, render) };
}

/** Hints that were shown; the last rung of a ladder says that it is the last. */
function hintsOf(check: string, { lab, progress, render }: ViewInput): string[] {
  const rungs = lab.hints.get(check) ?? [];
  return rungs.slice(0, progress.hintsShown(check)).map((text, i) => (i === rungs.length - 1 ? render({ key: "lab.hint.last", args: { text } }) : text));
}

function checkView(check: CheckDefinition, input: ViewInput): CheckView {
  const { lab, progress, outcomes, begun, render } = input;
  const outcome = outcomes.get(check.id) ?? { holds: false, actual: null, wanted: null, mistake: null };
  const passed = progress.passed.has(check.id);
  const fill = (template: string): string =>
    template.replace(/\{(actual|wanted)\}/g, (_, name: "actual" | "wanted") => outcome[name] ?? render({ key: "lab.check.nothing", args: {} }));
  const mistake = passed || outcome.holds ? undefined : (check.wrong ?? []).find((each) => each.id === outcome.mistake);
  return {
    id: check.id,
    step: check.step,
    objective: check.objective,
    passes: outcome.holds,
    passed,
    actual: outcome.actual,
    feedback: outcome.holds ? fill(check.feedback.pass) : passed || !begun ? null : fill(check.feedback.fail),
    mistake: mistake?.say ?? null,
    hints: hintsOf(check.id, input),
    hintCount: lab.hints.get(check.id)?.length ?? 0,
  };
}

function predictionView(prediction: PredictionDefinition, progress: Progress): PredictionView {
  const given = progress.predicted.get(prediction.id) ?? null;
  return {
    id: prediction.id,
    step: prediction.step,
    question: prediction.question,
    choices: prediction.choices?.map(({ id, text }) => ({ id, text })) ?? null,
    unit: prediction.unit,
    answer: given?.answer ?? null,
    right: given?.right ?? null,
    explanation: given === null ? null : prediction.explanation,
  };
}

// --- as text

/** Markdown as plain lines: code is set in, the rest is broken at blanks; tables stay as they are. */
export function plainLines(markdown: string): string[] {
  let inCode = false;
  return markdown.split("\n").flatMap((line) => {
    if (line.startsWith("```")) {
      inCode = !inCode;
      return [];
    }
    if (inCode) return [`    ${line}`];
    return line === "" || line.startsWith("|") ? [line] : wrap(line, "", /^(- |\d+\. )/.test(line) ? "  " : "");
  });
}

const mark = (done: boolean): string => (done ? "[x]" : "[ ]");

/** Objectives, with what was found: a line for each, and what belongs to it below. */
export function checkLines(checks: readonly CheckView[], render: RenderMessage): string[] {
  return checks.flatMap((check) => [
    `${mark(check.passed)} ${check.objective}`,
    ...(check.passed && !check.passes ? [`    ${render({ key: "lab.check.passedBefore", args: {} })}`] : []),
    ...(check.feedback === null ? [] : [`    ${check.feedback}`]),
    ...(check.mistake === null ? [] : [`    ${render({ key: "lab.check.mistake", args: { text: check.mistake } })}`]),
    ...check.hints.map((hint, i) => `    ${render({ key: "lab.hint.numbered", args: { n: i + 1, text: hint } })}`),
  ]);
}

/** Questions, with how they are answered in the terminal. */
export function predictionLines(predictions: readonly PredictionView[], render: RenderMessage): string[] {
  return predictions.flatMap((each) => {
    const head = `${mark(each.answer !== null)} ${each.question}`;
    const choices = (each.choices ?? []).map(({ id, text }) => `      ${id}: ${text}`);
    if (each.answer === null) {
      const key = each.choices === null ? (each.unit === null ? "lab.predict.howNumber" : "lab.predict.howUnit") : "lab.predict.howChoice";
      return [head, ...choices, `    ${render({ key, args: { id: each.id, unit: each.unit ?? "", example: each.choices?.[0].id ?? "" } })}`];
    }
    const said = each.choices?.find(({ id }) => id === each.answer)?.text ?? each.answer;
    return [
      head,
      `    ${render({ key: each.right === true ? "lab.predict.right" : "lab.predict.wrong", args: { answer: said } })}`,
      `    ${each.explanation ?? ""}`,
    ];
  });
}

/** A step: its text, its questions and its objectives. */
export function stepLines(step: LabStepView, number: number, count: number, render: RenderMessage): string[] {
  return [
    render({ key: "lab.step.head", args: { number, count, title: step.title } }),
    "",
    ...plainLines(step.text),
    "",
    ...predictionLines(step.predictions, render),
    ...checkLines(step.checks, render),
  ];
}

/** The whole lab as it is shown: title, where the learner is, that step, and at the end the closing words. */
export function labText(view: Omit<LabView, "twin">, render: RenderMessage): string[] {
  const at = view.steps.findIndex((step) => step.id === view.currentStep);
  const list = view.steps.map((step, i) => `${i === at && !view.solved ? ">" : " "} ${mark(step.done)} ${i + 1}. ${step.title}`);
  const head = [view.info.title, view.info.badgeReason, "", ...list, ""];
  const solution = view.solution === null ? [] : ["", render({ key: "lab.solution.head", args: {} }), ...view.solution.map((line) => `    ${line}`)];
  if (view.solved) return [...head, render({ key: "lab.solved", args: { title: view.info.title } }), "", ...plainLines(view.closing ?? ""), ...solution];
  return [...head, ...stepLines(view.steps[at], at + 1, view.steps.length, render), ...solution];
}
