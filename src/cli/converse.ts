import { createInterface, type Interface } from "node:readline";
import type { StepResult } from "../session/model.ts";
import type { ShellSession } from "../session/shellSession.ts";
import { writeOut } from "./writeOut.ts";

/** characters of one line: more is pasted by mistake, and readline would keep it all */
const MOST_CHARACTERS = 1 << 16;

/** What is to be said after a line besides its own output: lines of text. */
export type AfterLine = (step: StepResult) => readonly string[];

async function show(session: ShellSession, line: string, after: AfterLine): Promise<boolean> {
  const step = session.submit(line.slice(0, MOST_CHARACTERS + 1));
  for (const { text } of step.output) await writeOut(text);
  for (const text of after(step)) await writeOut(`${text}\n`);
  return step.ended;
}

/** Candidates for readline, which replaces the end of the line that it is given back. */
function completer(session: ShellSession): (line: string) => [string[], string] {
  return (line) => {
    const { start, candidates } = session.complete(line, line.length);
    return [candidates.map(({ text, whole }) => (whole ? `${text} ` : text)), line.slice(start)];
  };
}

function openReadline(session: ShellSession, isTerminal: boolean): Interface {
  if (!isTerminal) return createInterface({ input: process.stdin, terminal: false });
  return createInterface({
    input: process.stdin,
    output: process.stdout,
    completer: completer(session),
    terminal: true,
    historySize: 1000,
    removeHistoryDuplicates: true,
  });
}

/** Lines one after the other, until the input ends or the learner leaves. */
export async function converse(session: ShellSession, isTerminal: boolean, after: AfterLine = () => []): Promise<void> {
  const lines = openReadline(session, isTerminal);
  const ask = (): void => {
    if (!isTerminal) return;
    lines.setPrompt(session.prompt());
    lines.prompt();
  };
  // Ctrl-C drops what was typed so far; Ctrl-D closes
  lines.on("SIGINT", () => {
    process.stdout.write("^C\n");
    lines.write(null, { ctrl: true, name: "e" });
    lines.write(null, { ctrl: true, name: "u" });
    ask();
  });
  ask();
  for await (const line of lines) {
    if (await show(session, line, after)) {
      lines.close();
      return;
    }
    ask();
  }
  if (isTerminal) process.stdout.write("\n");
}
