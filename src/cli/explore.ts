import { say, sentence } from "../i18n/format.ts";
import { explore, type Breach, type ExploreResult } from "../session/explore.ts";
import { resultText, stepMessage } from "../session/threads/scheduleText.ts";
import { sourceLine } from "../shell/command/parseScript.ts";
import { formatParseError } from "../shell/formatParseError.ts";
import { MOST_BOUND, parseThreadedScript, type ThreadedScript } from "../shell/threadedScript.ts";
import { parseCommandLine } from "./arguments.ts";
import { exitStatus } from "./exitStatus.ts";
import { chooseMachine, MACHINE_OPTIONS, type MachineValues } from "./machineOptions.ts";
import { readScript } from "./readScript.ts";
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

/** The script of a file, or what is wrong with it. */
function readThreaded(file: string): ThreadedScript | string {
  const read = readScript("explore", file);
  if (typeof read === "string") return read;
  const { script, errors } = parseThreadedScript(read.source);
  return errors.length === 0
    ? script
    : errors.map((e) => formatParseError(e, file === "-" ? "stdin" : file, sourceLine(read.source, e.line), sentence)).join("\n");
}

const { profile, release, patch, arch } = MACHINE_OPTIONS;
const OPTIONS = { profile, release, patch, arch, bound: { type: "string" }, json: { type: "boolean" } } as const;

/** `hugelab explore FILE`: what the command line says wins over the script's options. */
export function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("explore", args, OPTIONS);
  const said = parsed === null ? null : exploreFile(parsed.values, parsed.positionals);
  if (typeof said === "string") console.error(said);
  return Promise.resolve(typeof said === "number" ? said : exitStatus.usage);
}

interface Values extends MachineValues {
  readonly bound?: string | undefined;
  readonly json?: boolean | undefined;
}

/** The exit status, or the sentence that says why nothing could be explored. */
function exploreFile(values: Values, positionals: readonly string[]): number | string {
  if (positionals.length !== 1) return say("cli.explore.oneFile");
  if (values.bound !== undefined && !(/^\d{1,3}$/.test(values.bound) && Number(values.bound) <= MOST_BOUND)) {
    return say("cli.explore.bound", { most: MOST_BOUND, value: shown(values.bound) });
  }
  const [file] = positionals;
  const script = readThreaded(file);
  if (typeof script === "string") return script;
  const patches = [...script.patches.map((p) => `${p.on ? "+" : "-"}${p.id}`), ...(values.patch ?? [])];
  const release = values.release ?? (values.profile === undefined ? (script.release ?? undefined) : undefined);
  const choice = chooseMachine("explore", { ...values, release, patch: patches });
  if (typeof choice === "string") return choice;
  const bound = values.bound === undefined ? script.bound : Number(values.bound);
  const result = explore(script, { profile: choice.profile, patches: choice.patches, bound });
  const machine = [choice.profile.id, ...(values.arch === undefined ? [] : [values.arch]), ...choice.patches].join(" ");
  if (values.json === true) console.log(JSON.stringify({ file, machine, bound, ...result }));
  else print(result, shown(file, 200), machine);
  return result.breach === null ? 0 : 1;
}
