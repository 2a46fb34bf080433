import { createInterface, type Interface } from "node:readline";
import { say, sentence } from "../i18n/format.ts";
import { runAlone } from "../kernel/sched/points.ts";
import { failed } from "../kernel/mm/errno.ts";
import { Machine } from "../kernel/machine.ts";
import { ShellSession } from "../session/shellSession.ts";
import { completeLine } from "../shell/completeLine.ts";
import { parseCommandLine } from "./arguments.ts";
import { exitStatus } from "./exitStatus.ts";
import { chooseMachine, configRefusal, MACHINE_OPTIONS } from "./machineOptions.ts";
import { writeOut } from "./writeOut.ts";

/** characters of one line: more is pasted by mistake, and readline would keep it all */
const MOST_CHARACTERS = 1 << 16;

async function show(session: ShellSession, line: string): Promise<boolean> {
  const { output, ended } = session.submit(line.slice(0, MOST_CHARACTERS + 1));
  for (const { text } of output) await writeOut(text);
  return ended;
}

/** Candidates for readline, which replaces the end of the line that it is given back. */
function completer(session: ShellSession): (line: string) => [string[], string] {
  return (line) => {
    const { start, candidates } = completeLine(line, line.length, session.completionContext());
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
async function converse(session: ShellSession, isTerminal: boolean): Promise<void> {
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
    if (await show(session, line)) {
      lines.close();
      return;
    }
    ask();
  }
  if (isTerminal) process.stdout.write("\n");
}

/** `hugelab shell [--profile P] [--release R] [--patch +ID] [--config K=V] [--arch A]` */
export async function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("shell", args, MACHINE_OPTIONS);
  if (parsed === null) return exitStatus.usage;
  if (parsed.positionals.length > 0) {
    process.stderr.write(`${say("cli.shell.noWords", { word: parsed.positionals[0].slice(0, 40) })}\n`);
    return exitStatus.usage;
  }
  const choice = chooseMachine("shell", parsed.values);
  if (typeof choice === "string") {
    process.stderr.write(`${choice}\n`);
    return exitStatus.usage;
  }
  // settings are tried on a machine of their own, so that a refused one is said before anything starts
  const { profile, patches, config } = choice;
  const machine = config.length > 0 ? new Machine({ profile, patches }) : null;
  for (const [path, value] of config) {
    const r = machine === null ? 0 : runAlone(machine.writeFile(path, value));
    if (machine === null || !failed(r)) continue;
    process.stderr.write(`${configRefusal("shell", path, value, r.errno, machine.filePaths())}\n`);
    return exitStatus.usage;
  }
  const session = new ShellSession({ profile, patches }, sentence, config);
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  if (isTerminal) await writeOut(`${say("cli.shell.welcome", { title: profile.title, memory: profile.memoryMiB })}\n`);
  await converse(session, isTerminal);
  return 0;
}
