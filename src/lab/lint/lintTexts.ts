import { classifyLine } from "../../shell/classifyLine.ts";
import { parseCall } from "../../shell/call/parseCall.ts";
import { parseLine } from "../../shell/command/parseLine.ts";
import type { ParseError } from "../../shell/parseError.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { CommandTable } from "../../shell/table/commandTable.ts";
import { parseShell } from "../../shell/tools/parseShell.ts";
import { MOST_SENTENCE_WORDS, MOST_SHORT_WORDS, MOST_STEP_WORDS } from "../pack/limits.ts";
import { proseOf, terminalLines } from "../pack/markdown.ts";
import type { Lab } from "../pack/pack.ts";
import type { ProblemList } from "../pack/problem.ts";

const wordsOf = (text: string): number => text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
const sentencesOf = (text: string): number => Math.max(1, (text.match(/[.!?](?=\s|$)/g) ?? []).length);

/** Lengths of texts, lines for the terminal in them, and hints that tell too much. */
export function lintTexts(lab: Lab, table: CommandTable, render: RenderMessage, problems: ProblemList): void {
  const closing = lab.closing === null ? [] : [{ file: `${lab.folder}/closing.md`, text: lab.closing }];
  for (const { file, text } of [...lab.steps, ...closing]) {
    const prose = proseOf(text);
    const words = wordsOf(prose);
    if (words > MOST_STEP_WORDS) problems.add(file, "", "stepTooLong", { words, most: MOST_STEP_WORDS });
    const average = Math.round(words / sentencesOf(prose));
    if (average > MOST_SENTENCE_WORDS) problems.add(file, "", "sentencesTooLong", { words: average, most: MOST_SENTENCE_WORDS });
    for (const line of terminalLines(text)) {
      const error = mistakeIn(line, table);
      if (error !== null) problems.add(file, "", "unknownTerminalLine", { line, why: render(error.message) });
    }
  }
  lintShort(lab, problems);
  lintHints(lab, problems);
}

function lintShort(lab: Lab, problems: ProblemList): void {
  const file = `${lab.folder}/lab.json`;
  const look = (place: string, text: string): void => {
    const words = wordsOf(text);
    if (words > MOST_SHORT_WORDS) problems.add(file, place, "textTooWordy", { words, most: MOST_SHORT_WORDS });
  };
  look("summary", lab.definition.summary);
  lab.checks.forEach((check, i) => {
    look(`checks[${i}].objective`, check.objective);
    look(`checks[${i}].feedback.pass`, check.feedback.pass);
    look(`checks[${i}].feedback.fail`, check.feedback.fail);
    (check.wrong ?? []).forEach(({ say }, j) => {
      look(`checks[${i}].wrong[${j}].say`, say);
    });
  });
  lab.predictions.forEach((prediction, i) => {
    look(`predictions[${i}].question`, prediction.question);
  });
}

const squeezed = (text: string): string => text.replace(/\s+/g, " ").trim();

/** No line of a way to the solution stands in a hint before the last. Lines of one word stand for nothing. */
function lintHints(lab: Lab, problems: ProblemList): void {
  const lines = [lab.solution, ...lab.alternatives].flatMap((route) => route.lines.map(squeezed)).filter((line) => line.includes(" "));
  for (const [check, rungs] of lab.hints) {
    rungs.slice(0, -1).forEach((rung, i) => {
      const told = lines.find((line) => squeezed(rung).includes(line));
      if (told !== undefined) problems.add(`${lab.folder}/hints.md`, `## ${check}`, "hintTellsSolution", { rung: i + 1, check, line: told });
    });
  }
}

/** What is wrong with a line as a line, or null. Names need not be bound. */
function mistakeIn(line: string, table: CommandTable): ParseError | null {
  const addressed = /^@[A-Za-z_][\w.]*\s+(\S.*)$/.exec(line);
  const text = addressed === null ? line : addressed[1];
  const found = classifyLine(text, table);
  if (found.form === "empty") return null;
  const parsed = found.form === "command" ? parseLine(text, 1) : found.form === "call" ? parseCall(text, 1, table) : parseShell(text, 1);
  return parsed.kind === "error" ? parsed.error : null;
}

/** Whether there is a call in C form among some lines. */
export const hasCalls = (lines: readonly string[], table: CommandTable): boolean => lines.some((line) => classifyLine(line, table).form === "call");
