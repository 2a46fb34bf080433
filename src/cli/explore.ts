import { say, sentence } from "../i18n/format.ts";
import { explore, type Breach, type ExploreResult } from "../session/explore.ts";
import { resultText, stepMessage } from "../session/threads/scheduleText.ts";
import { sourceLine } from "../shell/command/parseScript.ts";
import { formatParseError } from "../shell/formatParseError.ts";
import { MOST_BOUND, parseThreadedScript, type ThreadedScript } from "../shell/threadedScript.ts";
import { parseCommandLine } from "./arguments.ts";
import { commands } from "./commands.ts";
import { exitStatus } from "./exitStatus.ts";
import { chooseMachine } from "./machineChoice.ts";
import { readScriptFile } from "./readScript.ts";
import { shown } from "./shown.ts";

/** A schedule as lines: a heading for each operation, below it what each step did. */
function scheduleLines(breach: Breach): string[] {
  const lines: string[] = [];
  const threadWidth = Math.max(...breach.steps.map((s) => s.thread.length));
  const pointWidth = Math.max(...breach.steps.map((s) => (s.point ?? "-").length));
  breach.steps.forEach((step, i) => {
    const previous = breach.steps[i - 1];
    if (previous?.thread !== step.thread || previous.line !== step.line) lines.push(`${step.thread}, ${step.line}: ${step.operation}`);
    lines.push(`  ${String(i + 1).padStart(3)}  ${step.thread.padEnd(threadWidth)}  ${(step.point ?? "-").padEnd(pointWidth)}  ${sentence(stepMessage(step))}`);
  });
  return lines;
}

function verdict(result: ExploreResult, file: string, machine: string): string {
  const { schedules, positions, preemptions: bound } = result;
  if (result.breach !== null) return say("cli.explore.broke", { file, machine });
  switch (result.coverage) {
    case "exhausted":
      return say("cli.explore.exhausted", { file, machine, schedules, positions });
    case "bounded":
      return say("cli.explore.bounded", { file, machine, schedules, positions, bound });
    case "stopped":
      return say("cli.explore.stopped", { file, machine, schedules, positions, bound });
  }
}

function print(result: ExploreResult, file: string, machine: string): void {
  for (const r of result.refused) console.error(say("cli.explore.refused", { line: r.line, operation: r.operation, result: resultText(r.result) }));
  console.log(verdict(result, file, machine));
  if (result.breach === null) return;
  console.log(sentence(result.breach.what));
  console.log(say("cli.explore.schedule", { preemptions: result.breach.preemptions, steps: result.breach.steps.length }));
  for (const line of scheduleLines(result.breach)) console.log(line);
}

/** The script of a file; null after saying where it does not parse. */
function readThreaded(file: string): ThreadedScript | null {
  const source = readScriptFile("explore", file);
  if (source === null) return null;
  const { script, errors } = parseThreadedScript(source);
  for (const error of errors) console.error(formatParseError(error, file, sourceLine(source, error.line)));
  return errors.length > 0 ? null : script;
}

/** `hugelab explore FILE`: what the command line says wins over the script's options. */
export function run(args: string[]): Promise<number> {
  const options = {
    profile: { type: "string" },
    release: { type: "string" },
    patch: { type: "string", multiple: true },
    bound: { type: "string" },
    json: { type: "boolean" },
  } as const;
  const parsed = parseCommandLine("explore", args, options);
  if (parsed === null) return Promise.resolve(exitStatus.usage);
  return Promise.resolve(exploreFile(parsed.values, parsed.positionals));
}

interface Values {
  readonly profile?: string;
  readonly release?: string;
  readonly patch?: readonly string[];
  readonly bound?: string;
  readonly json?: boolean;
}

function exploreFile(values: Values, positionals: readonly string[]): number {
  const [file] = positionals;
  if (positionals.length !== 1) {
    console.error(say("cli.explore.oneFile", { usage: commands.find((c) => c.name === "explore")?.usage ?? "" }));
    return exitStatus.usage;
  }
  if (values.bound !== undefined && !(/^\d{1,3}$/.test(values.bound) && Number(values.bound) <= MOST_BOUND)) {
    console.error(say("cli.explore.bound", { most: MOST_BOUND, value: shown(values.bound) }));
    return exitStatus.usage;
  }
  const script = readThreaded(file);
  if (script === null) return exitStatus.usage;
  const patches = [...script.patches.map((p) => `${p.on ? "+" : "-"}${p.id}`), ...(values.patch ?? [])];
  const machine = chooseMachine("explore", { profile: values.profile ?? null, release: values.release ?? script.release, patches });
  if (typeof machine === "string") {
    console.error(machine);
    return exitStatus.usage;
  }
  const bound = values.bound === undefined ? script.bound : Number(values.bound);
  const result = explore(script, { profile: machine.profile, patches: machine.patches, bound });
  if (values.json === true) console.log(JSON.stringify({ file, machine: machine.title, bound, ...result }));
  else print(result, shown(file, 200), machine.title);
  return result.breach === null ? 0 : 1;
}
