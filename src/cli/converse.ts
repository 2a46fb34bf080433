import { createInterface } from "node:readline";
import type { StepResult } from "../session/model.ts";
import type { ShellSession } from "../session/shellSession.ts";
import { converseOnTerminal, type TypedAhead } from "./lineTerminal.ts";
import { writeOut } from "./writeOut.ts";

/** characters of one line: more is pasted by mistake, and readline would keep it all */
const MOST_CHARACTERS = 1 << 16;

/** What is to be said after a line besides its own output: lines of text. */
export type AfterLine = (step: StepResult) => readonly string[];

/** Lines one after the other, until the input ends or the learner leaves. `ahead`: the probe of the session, so that Ctrl-C stops a line that runs. */
export async function converse(session: ShellSession, isTerminal: boolean, after: AfterLine = () => [], ahead: TypedAhead | null = null): Promise<void> {
  if (isTerminal) {
    await converseOnTerminal(session, { input: process.stdin, output: process.stdout }, after, ahead);
    return;
  }
  const lines = createInterface({ input: process.stdin, terminal: false });
  for await (const line of lines) {
    const step = session.submit(line.slice(0, MOST_CHARACTERS + 1));
    for (const { text } of step.output) await writeOut(text);
    for (const text of after(step)) await writeOut(`${text}\n`);
    if (!step.ended) continue;
    lines.close();
    return;
  }
}
