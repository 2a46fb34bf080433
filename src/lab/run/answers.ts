import { ShellSession } from "../../session/shellSession.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import { parsePath } from "../check/paths.ts";
import type { Lab } from "../pack/pack.ts";
import type { PredictionDefinition } from "../schema.ts";
import { bootOf } from "./boot.ts";
import { LabTrack } from "./track.ts";

/** The right answer of a question as it was read; null: nothing was there to be read. */
export type Answer = number | string | null;

/** Reads the right answers off a run of the solution: they are written nowhere. */
export function rightAnswers(lab: Lab, render: RenderMessage): ReadonlyMap<string, Answer> {
  const answers = new Map<string, Answer>();
  const machine = bootOf(lab);
  if (machine === null) return answers;
  const session = new ShellSession({ boot: machine.boot, render, config: machine.config });
  const track = new LabTrack(lab, session, () => undefined);
  const read = ({ answer }: PredictionDefinition): Answer => {
    if (parsePath(answer.read) === null) return null;
    const found = track.read(answer.read, session.history.current.id, answer.process)?.value;
    return typeof found === "number" || typeof found === "string" ? found : null;
  };
  for (const line of lab.definition.setup ?? []) session.submit(line);
  lab.solution.lines.forEach((line, i) => {
    const asked = lab.predictions.filter((prediction) => prediction.answer.line === i + 1);
    const before = asked.map((prediction) => (prediction.answer.change === undefined ? null : read(prediction)));
    session.submit(line);
    asked.forEach((prediction, n) => {
      const now = read(prediction);
      const was = before[n];
      const change = typeof now === "number" && typeof was === "number" ? now - was : null;
      answers.set(prediction.id, prediction.answer.change === undefined ? now : change);
    });
  });
  return answers;
}

/** Whether a learner's answer is right; null: it is no answer to this question. `answer`: the id of a choice, or a number. */
export function judge(prediction: PredictionDefinition, answer: string, right: Answer): boolean | null {
  if (prediction.choices !== null) {
    const chosen = prediction.choices.find((choice) => choice.id === answer);
    return chosen === undefined ? null : chosen.is === right;
  }
  const number = readNumber(answer, prediction.unit);
  return number === null ? null : number === right;
}

/** "512", "1 024", "-2048 kB": a whole number, with the unit that was asked for or without. */
function readNumber(answer: string, unit: string | null): number | null {
  const text = answer.trim();
  const bare = unit !== null && text.toLowerCase().endsWith(unit.toLowerCase()) ? text.slice(0, -unit.length) : text;
  const digits = bare.replace(/[\s,_']/g, "");
  return /^[+-]?\d{1,12}$/.test(digits) ? Number(digits) : null;
}
