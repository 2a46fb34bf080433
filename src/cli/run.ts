import { say, sentence } from "../i18n/format.ts";
import { Machine } from "../kernel/machine.ts";
import { describeOutcome, rssKb, type Outcome } from "../session/outcome.ts";
import { ConfigRefused, ScriptRun } from "../session/runScript.ts";
import type { Faults, TraceStep } from "../session/traceStep.ts";
import { parseScript, sourceLine } from "../shell/command/parseScript.ts";
import { FIRST_PROCESS } from "../shell/command/parseLine.ts";
import { formatParseError } from "../shell/formatParseError.ts";
import type { Operation } from "../shell/operation.ts";
import { parseCommandLine } from "./arguments.ts";
import { exitStatus } from "./exitStatus.ts";
import { chooseMachine, configRefusal, MACHINE_OPTIONS, type MachineChoice } from "./machineOptions.ts";
import { readScript } from "./readScript.ts";
import { writeOut } from "./writeOut.ts";

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return exitStatus.usage;
}

/** Resident memory of every living process, kB, without the `ownKb` that the program of a script has from the start. */
function residentOf(script: ScriptRun, ownKb = 0): Map<string, number> {
  const { world } = script;
  return new Map(world.living().map((p) => [p.name, rssKb(world.machine.kernel, world.task(p).mm) - ownKb]));
}

/** What a step of a trace says, in the form that is told to a person. */
function outcomeOf(
  step: TraceStep,
  hint: string | null,
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  anonHugeBefore: number,
): Outcome {
  const faults = Object.entries(step)
    .filter(([key]) => key === "flt" || key.startsWith("flt@"))
    .map(([key, value]) => ({ process: key === "flt" ? FIRST_PROCESS : key.slice(4), faults: value as Faults }));
  const rss = [...after].flatMap(([process, afterKb]) => {
    const beforeKb = before.get(process);
    return beforeKb === undefined || beforeKb === afterKb ? [] : [{ process, beforeKb, afterKb }];
  });
  return { fields: step, hint, faults, rss, anonHugeKb: (step.mi?.AnonHugePages ?? 0) - anonHugeBefore, counters: { ...step.dv, ...step.dm } };
}

async function printReadable(script: ScriptRun, operations: readonly Operation[]): Promise<void> {
  let anonHuge = 0;
  const ownKb = residentOf(script).get(FIRST_PROCESS) ?? 0;
  for (const operation of operations) {
    const before = residentOf(script, ownKb);
    const step = script.step(operation);
    const outcome = outcomeOf(step, script.hint, before, residentOf(script, ownKb), anonHuge);
    const lines = describeOutcome(outcome, operation.process, sentence);
    anonHuge = step.mi?.AnonHugePages ?? 0;
    await writeOut(`${operation.text}\n${lines.map((line) => `    ${line}\n`).join("")}`);
  }
}

async function printJson(script: ScriptRun, operations: readonly Operation[]): Promise<void> {
  await writeOut(`${JSON.stringify(script.header)}\n`);
  for (const operation of operations) await writeOut(`${JSON.stringify(script.step(operation))}\n`);
}

function startScript(choice: MachineChoice): ScriptRun | string {
  try {
    return new ScriptRun(choice.profile, { patches: choice.patches, config: choice.config });
  } catch (error) {
    if (!(error instanceof ConfigRefused)) throw error;
    return configRefusal("run", error.path, error.value, error.errno, new Machine({ profile: choice.profile, patches: choice.patches }).filePaths());
  }
}

/** `hugelab run [--profile P] [--release R] [--patch +ID] [--config K=V] [--arch A] [--json] FILE or -` */
export async function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("run", args, { ...MACHINE_OPTIONS, json: { type: "boolean" } });
  if (parsed === null) return exitStatus.usage;
  const { values, positionals } = parsed;
  if (positionals.length !== 1) return complain(say("cli.run.oneFile"));
  const choice = chooseMachine("run", values);
  if (typeof choice === "string") return complain(choice);
  const [path] = positionals;
  const read = readScript("run", path);
  if (typeof read === "string") return complain(read);
  const { operations, errors } = parseScript(read.source);
  if (errors.length > 0) {
    return complain(errors.map((error) => formatParseError(error, path === "-" ? "stdin" : path, sourceLine(read.source, error.line), sentence)).join("\n"));
  }
  const script = startScript(choice);
  if (typeof script === "string") return complain(script);
  await (values.json === true ? printJson(script, operations) : printReadable(script, operations));
  return 0;
}
