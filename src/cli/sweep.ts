import { readFileSync, statSync } from "node:fs";
import { columnOf, COLUMNS } from "../conform/sweep/columns.ts";
import { defaultSettings } from "../conform/sweep/defaultSettings.ts";
import { parseSettings, type SweepSetting } from "../conform/sweep/setting.ts";
import { sweepJson } from "../conform/sweep/sweepJson.ts";
import { Sweep, type JobResult, type SweepJob } from "../conform/sweep/sweepProgram.ts";
import { fallbackLines, sweepCsv, sweepLines, type SweepTextOptions } from "../conform/sweep/sweepText.ts";
import type { SweepTable } from "../conform/model.ts";
import { profileFor } from "../conform/program/programProfile.ts";
import type { Program } from "../conform/program/readProgram.ts";
import { SettingRefused } from "../conform/program/replayProgram.ts";
import { sentence } from "../i18n/format.ts";
import { Machine } from "../kernel/machine.ts";
import { parseCommandLine } from "./arguments.ts";
import { exitStatus } from "./exitStatus.ts";
import { errorCode, tell } from "./judgeText.ts";
import { chooseMachine, configRefusal, MACHINE_OPTIONS, type MachineChoice } from "./machineOptions.ts";
import { loadProgram } from "./program.ts";
import { shown } from "./shown.ts";
import { writeOut } from "./writeOut.ts";

/** A file of settings is short; a bigger one is none. */
const MAX_SETTINGS_BYTES = 1 << 20;
/** Settings of one sweep: more would take minutes. */
const MAX_SETTINGS = 500;

const OPTIONS = {
  ...MACHINE_OPTIONS,
  setting: { type: "string", multiple: true },
  settings: { type: "string" },
  sort: { type: "string" },
  baseline: { type: "string" },
  why: { type: "string" },
  json: { type: "boolean" },
  csv: { type: "boolean" },
} as const;

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return exitStatus.usage;
}

/** Settings of a file, one in a line; what is behind `#` is a remark. Or the sentence that says what is wrong. */
function settingsOfFile(path: string): readonly SweepSetting[] | string {
  let text: string;
  try {
    if (statSync(path).size > MAX_SETTINGS_BYTES) return tell("conform.sweep.settingsTooLarge", { path, limit: MAX_SETTINGS_BYTES });
    text = readFileSync(path, "utf8");
  } catch (error) {
    return tell("conform.sweep.settingsNotRead", { path, code: errorCode(error) });
  }
  const out: SweepSetting[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const words = line.replace(/#.*/, "").trim();
    if (words === "") continue;
    const settings = parseSettings([words]);
    if ("key" in settings) return `${path}:${at + 1}: ${sentence(settings)}`;
    out.push(...settings);
  }
  return out;
}

/** The settings of the line, of the file, or those that are worth a look. */
function chooseSettings(values: { setting?: string[]; settings?: string }, machine: MachineChoice, program: Program): readonly SweepSetting[] | string {
  const named = parseSettings(values.setting ?? []);
  if ("key" in named) return sentence(named);
  const listed = values.settings === undefined ? [] : settingsOfFile(values.settings);
  if (typeof listed === "string") return listed;
  const all = [...named, ...listed];
  if (all.length > MAX_SETTINGS) return tell("conform.sweep.tooMany", { count: all.length, limit: MAX_SETTINGS });
  return all.length > 0 ? all : defaultSettings(machine.profile, program);
}

/** `faults`, or `-faults` for the largest first. */
function chooseSort(word: string | undefined): SweepTextOptions["sort"] | string {
  if (word === undefined || word === "setting") return null;
  const column = columnOf(word.replace(/^-/, ""));
  if (column === undefined) return tell("conform.sweep.unknownColumn", { word: shown(word), known: COLUMNS.map(({ id }) => id).join(", ") });
  return { column, descending: word.startsWith("-") };
}

/** `hugelab sweep FILE`: a recorded program under many settings, as one table. */
export async function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("sweep", args, OPTIONS);
  if (parsed === null) return exitStatus.usage;
  const { values, positionals } = parsed;
  if (positionals.length !== 1) return complain(tell("conform.sweep.usage"));
  const sort = chooseSort(values.sort);
  if (typeof sort === "string") return complain(sort);
  const program = loadProgram("sweep", positionals[0]);
  if (typeof program === "string") return complain(program);
  const isChosen = values.profile !== undefined || values.release !== undefined;
  const machine = chooseMachine("sweep", isChosen ? values : { ...values, profile: profileFor(program.kernel) });
  if (typeof machine === "string") return complain(machine);
  const settings = chooseSettings(values, machine, program);
  if (typeof settings === "string") return complain(settings);
  const labels = ["as recorded", ...settings.map(({ label }) => label)];
  for (const wanted of [values.baseline, values.why]) {
    if (wanted !== undefined && !labels.includes(wanted)) return complain(tell("conform.sweep.noRow", { label: shown(wanted, 80) }));
  }
  let table: SweepTable;
  try {
    table = carryOut(new Sweep(program, { ...machine, settings }));
  } catch (error) {
    if (!(error instanceof SettingRefused)) throw error;
    const paths = new Machine({ profile: machine.profile, patches: machine.patches }).filePaths();
    return complain(configRefusal("sweep", error.path, error.value, error.errno, paths));
  }
  await writeOut(`${report(table, values, sort).join("\n")}\n`);
  return table.rows.some((row) => row.refused !== null) ? exitStatus.usage : 0;
}

function carryOut(sweep: Sweep): SweepTable {
  const results = new Map<SweepJob, JobResult>();
  for (const job of sweep.jobs()) results.set(job, sweep.run(job));
  return sweep.table(results);
}

function report(
  table: SweepTable,
  values: { readonly json?: boolean; readonly csv?: boolean; readonly why?: string; readonly baseline?: string },
  sort: SweepTextOptions["sort"],
): string[] {
  if (values.json === true) return [JSON.stringify(sweepJson(table, sentence))];
  if (values.csv === true) return sweepCsv(table);
  const row = table.rows.find(({ label }) => label === values.why);
  if (row !== undefined) return fallbackLines(row, sentence);
  return sweepLines(table, { sort, baseline: values.baseline ?? null, render: sentence });
}
