import { say, sentence } from "../i18n/format.ts";
import { bisectScript, differences, fieldNames, type BisectedScript } from "../conform/bisectScript.ts";
import { ABSENT, type Difference } from "../conform/compare.ts";
import { readObservation, type Observation } from "../conform/observation.ts";
import type { Bisected } from "../session/bisect/bisect.ts";
import { bisectProfile } from "../session/bisect/bisectSession.ts";
import { bisectLines, nameOf } from "../session/bisect/bisectText.ts";
import type { BisectedMachine } from "../session/bisect/changes.ts";
import { ConfigRefused } from "../session/runScript.ts";
import { parseScript, sourceLine } from "../shell/command/parseScript.ts";
import { closest } from "../shell/editDistance.ts";
import { formatParseError } from "../shell/formatParseError.ts";
import { parseCommandLine } from "./arguments.ts";
import { exitStatus } from "./exitStatus.ts";
import { shortValue } from "./judgeText.ts";
import { chooseMachine } from "./machineOptions.ts";
import { readScript } from "./readScript.ts";
import { shown } from "./shown.ts";

/** other observations that differ, shown when none was asked for */
const OTHERS = 8;
const LONGEST_FIELD = 80;

const OPTIONS = {
  good: { type: "string" },
  bad: { type: "string" },
  from: { type: "string" },
  to: { type: "string" },
  observe: { type: "string" },
  observation: { type: "string" },
  config: { type: "string", multiple: true },
  json: { type: "boolean" },
} as const;

interface Job extends BisectedScript {
  readonly file: string;
}

class Refusal extends Error {}

function machineOf(word: string, config: readonly string[] | undefined): { readonly machine: BisectedMachine; readonly config: Job["config"] } {
  const profile = bisectProfile(word);
  if ("key" in profile) throw new Refusal(sentence(profile));
  const choice = chooseMachine("bisect", { profile: profile.id, config });
  if (typeof choice === "string") throw new Refusal(choice);
  return { machine: choice, config: choice.config };
}

/** The observation that was asked for, if there is such an operation, and such a field on one of the two machines. */
function askedObservation(job: Job, text: string): Observation {
  const asked = readObservation(text);
  if (asked === null) throw new Refusal(say("cli.bisect.observeForm", { word: shown(text, LONGEST_FIELD) }));
  const { operation, field } = asked;
  if (operation >= job.operations.length) {
    throw new Refusal(say("cli.bisect.noOperation", { operation, most: job.operations.length - 1 }));
  }
  const names = fieldNames(job, operation);
  if (names.includes(field)) return asked;
  const near = closest(field, names);
  const known = names.join(" ");
  const args = { operation, field: shown(field, LONGEST_FIELD) };
  throw new Refusal(near === null ? say("cli.bisect.noField", { ...args, known }) : say("cli.bisect.noFieldNear", { ...args, suggestion: near, known }));
}

const valueText = (value: unknown): string => (value === ABSENT ? say("cli.bisect.absent") : shortValue(value));

function printFound(job: Job, seen: Observation, found: Bisected<unknown>, all: readonly Difference[]): void {
  const { operation, field } = seen;
  console.log(say("cli.bisect.observed", { file: job.file, operation, text: job.operations[operation].text, field }));
  for (const line of bisectLines(found, (value) => [valueText(value)], sentence)) console.log(line);
  const others = all.filter((each) => each.operation !== operation || each.field !== field);
  if (others.length === 0) return;
  console.log(`\n${say("cli.bisect.others", { count: others.length })}`);
  for (const other of others.slice(0, OTHERS)) console.log(`  --observe ${other.operation}:${other.field}`);
}

/** A JSON object with the names of changes, and values as recorded. */
function printJson(job: Job, seen: Observation | null, found: Bisected<unknown> | null): void {
  const cause = found?.cause ?? null;
  const machine = ({ profile }: BisectedMachine): string => profile.id;
  console.log(
    JSON.stringify({
      file: job.file,
      from: machine(found?.from ?? job.good),
      to: machine(found?.to ?? job.bad),
      observation: seen === null ? null : `${seen.operation}:${seen.field}`,
      before: found?.before,
      after: found?.after,
      change: cause === null ? null : nameOf(cause.change),
      minimal: cause?.minimal.map(nameOf) ?? [],
      without: cause?.without,
      earlier: found?.earlier.map(({ change, after }) => ({ change: nameOf(change), after })) ?? [],
      runs: found?.runs ?? 0,
    }),
  );
}

/** `hugelab bisect FILE [--good R --bad R] [--observe OP:FIELD]`; --from, --to and --observation are other names of these. */
export function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("bisect", args, OPTIONS);
  if (parsed === null) return Promise.resolve(exitStatus.usage);
  try {
    return Promise.resolve(bisectFile(parsed.values, parsed.positionals));
  } catch (error) {
    const refusal = refusalText(error);
    if (refusal === null) throw error;
    console.error(refusal);
    return Promise.resolve(exitStatus.usage);
  }
}

function refusalText(error: unknown): string | null {
  if (error instanceof Refusal) return error.message;
  if (!(error instanceof ConfigRefused)) return null;
  return say("cli.machine.configRefused", { command: "bisect", path: shown(error.path, 200), value: shown(error.value), errno: error.errno });
}

type Values = Readonly<Partial<Record<"good" | "bad" | "from" | "to" | "observe" | "observation", string>>> & {
  readonly config?: readonly string[] | undefined;
  readonly json?: boolean | undefined;
};

function readJob(values: Values, positionals: readonly string[]): Job {
  if (positionals.length !== 1) throw new Refusal(say("cli.bisect.oneFile"));
  const [file] = positionals;
  const read = readScript("bisect", file);
  if (typeof read === "string") throw new Refusal(read);
  const { operations, errors } = parseScript(read.source);
  if (errors.length > 0) {
    const name = file === "-" ? "stdin" : file;
    throw new Refusal(errors.map((error) => formatParseError(error, name, sourceLine(read.source, error.line), sentence)).join("\n"));
  }
  const good = machineOf(values.good ?? values.from ?? "5.19", values.config);
  const bad = machineOf(values.bad ?? values.to ?? "6.18", values.config);
  return { file: shown(file, 200), operations, config: good.config, good: good.machine, bad: bad.machine };
}

function bisectFile(values: Values, positionals: readonly string[]): number {
  const job = readJob(values, positionals);
  const text = values.observe ?? values.observation;
  const all = text === undefined ? differences(job) : [];
  const seen = text === undefined ? (all.at(0) ?? null) : askedObservation(job, text);
  const found = seen === null ? null : bisectScript(job, seen);
  if (values.json === true) printJson(job, seen, found);
  else if (seen === null || found === null)
    console.log(say("cli.bisect.nothingDiffers", { file: job.file, good: job.good.profile.id, bad: job.bad.profile.id }));
  else printFound(job, seen, found, all);
  return found === null || found.cause === null ? 1 : 0;
}
