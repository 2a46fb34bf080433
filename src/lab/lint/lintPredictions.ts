import type { RenderMessage } from "../../shell/renderMessage.ts";
import { FIRST_PROCESS } from "../../shell/command/parseLine.ts";
import { parsePath } from "../check/paths.ts";
import type { Lab } from "../pack/pack.ts";
import type { ProblemList } from "../pack/problem.ts";
import { rightAnswers, type Answer } from "../run/answers.ts";
import type { PredictionDefinition } from "../schema.ts";
import { runRoute } from "./routeRun.ts";

/** Whether a text has a value in it, as a word of its own. */
function contains(text: string, value: number | string): boolean {
  const words = text.replace(/(\d)[\u00a0 ,](?=\d{3}\b)/g, "$1").match(/[+-]?[\p{L}\p{N}_.]+(?:-[\p{L}\p{N}_.]+)*/gu) ?? [];
  return words.some((word) => word.replace(/\.$/, "") === String(value)) || (typeof value === "string" && text.includes(value));
}

/** Questions: each has a right answer that is read off the solution, and it is one of the choices. */
export function lintPredictions(lab: Lab, render: RenderMessage, problems: ProblemList): void {
  if (lab.predictions.length === 0) return;
  const file = `${lab.folder}/lab.json`;
  const answers = rightAnswers(lab, render);
  const units = unitsOf(lab, render);
  lab.predictions.forEach((prediction, i) => {
    const place = `predictions[${i}]`;
    if (prediction.answer.line > lab.solution.lines.length) problems.add(file, `${place}.answer.line`, "predictionLine", { line: prediction.answer.line });
    else if (parsePath(prediction.answer.read) === null) problems.add(file, `${place}.answer.read`, "badPath", { path: prediction.answer.read });
    else lintAnswer(file, place, prediction, answers.get(prediction.id) ?? null, units, problems);
  });
}

/** Units of what the questions read, by "PROCESS PATH". */
function unitsOf(lab: Lab, render: RenderMessage): ReadonlyMap<string, string> {
  const asking = lab.predictions.map(({ id, step, answer }) => ({
    id,
    step,
    objective: "",
    require: { path: answer.read, op: "exists" as const, ...(answer.process === undefined ? {} : { process: answer.process }) },
    feedback: { pass: "", fail: "" },
  }));
  return runRoute(lab, lab.solution.lines, asking, render).units;
}

function lintAnswer(
  file: string,
  place: string,
  prediction: PredictionDefinition,
  answer: Answer,
  units: ReadonlyMap<string, string>,
  problems: ProblemList,
): void {
  const { choices, unit } = prediction;
  if (answer === null) {
    problems.add(file, `${place}.answer`, "predictionUnread", { line: prediction.answer.line, path: prediction.answer.read });
    return;
  }
  const read = units.get(`${prediction.answer.process ?? FIRST_PROCESS} ${prediction.answer.read}`) ?? "";
  if (read !== "" && choices === null && unit !== read) problems.add(file, `${place}.unit`, "predictionUnit", { unit: read });
  if (choices === null) {
    if (typeof answer !== "number") problems.add(file, place, "predictionNotANumber", { answer });
    return;
  }
  const right = choices.filter((choice) => choice.is === answer);
  if (right.length === 0) problems.add(file, `${place}.choices`, "predictionNoChoice", { answer });
  if (new Set(choices.map(({ is }) => is)).size < choices.length) problems.add(file, `${place}.choices`, "predictionTwoChoices", { answer });
  choices.forEach((choice, j) => {
    if (!contains(choice.text, choice.is)) problems.add(file, `${place}.choices[${j}].text`, "choiceText", { text: choice.text, value: choice.is });
  });
}
