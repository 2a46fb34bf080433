import { importText, namesFromFile } from "../conform/import/importText.ts";
import { percent } from "../conform/judge.ts";
import { compareProgram, isWithinShare, type ProgramDifference, type ProgramVerdict, type RssChange } from "../conform/program/compareProgram.ts";
import { profileFor } from "../conform/program/programProfile.ts";
import type { Program } from "../conform/program/readProgram.ts";
import { replayProgram, SettingRefused, type Replay } from "../conform/program/replayProgram.ts";
import type { Profile } from "../kernel/profile/profile.ts";
import { Machine } from "../kernel/machine.ts";
import { parseCommandLine } from "./arguments.ts";
import { exitStatus } from "./exitStatus.ts";
import { problemText, readWhole } from "./import.ts";
import { tell } from "./judgeText.ts";
import { chooseMachine, configRefusal, MACHINE_OPTIONS } from "./machineOptions.ts";
import { shown } from "./shown.ts";
import { writeOut } from "./writeOut.ts";

/** Differences that are shown without -v. */
const SHOWN = 20;

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return exitStatus.usage;
}

/** The recording in a file (JSON, or what perf script printed), or the sentence that says what is wrong. */
export function loadProgram(command: string, path: string): Program | string {
  const file = readWhole(command, path);
  if (typeof file === "string") return file;
  const result = importText(file.text, namesFromFile(path));
  if (result.kind === "bad") return problemText(path, result.problem);
  return result.value.form === "program" ? result.value.program : tell("conform.program.mappings", { path, form: result.value.maps.form });
}

/** `hugelab program FILE`: replays a recorded program and compares it event by event. */
export async function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("program", args, { ...MACHINE_OPTIONS, verbose: { type: "boolean", short: "v" } });
  if (parsed === null) return exitStatus.usage;
  const { values, positionals } = parsed;
  if (positionals.length !== 1) return complain(tell("conform.program.usage"));
  const program = loadProgram("program", positionals[0]);
  if (typeof program === "string") return complain(program);
  const isChosen = values.profile !== undefined || values.release !== undefined;
  const machine = chooseMachine("program", isChosen ? values : { ...values, profile: profileFor(program.kernel) });
  if (typeof machine === "string") return complain(machine);
  let replay: Replay;
  try {
    replay = replayProgram(program, machine.profile, { patches: machine.patches, config: machine.config });
  } catch (error) {
    if (!(error instanceof SettingRefused)) throw error;
    const paths = new Machine({ profile: machine.profile, patches: machine.patches }).filePaths();
    return complain(configRefusal("program", error.path, error.value, error.errno, paths));
  }
  const verdict = compareProgram(program, replay);
  await writeOut(`${report(program, machine.profile, replay, verdict, values.verbose ?? false).join("\n")}\n`);
  return isWithinShare(program, verdict) ? 0 : 1;
}

function report(program: Program, profile: Profile, replay: Replay, verdict: ProgramVerdict, isVerbose: boolean): string[] {
  const { differences, faults, faultsAgree, rss, rssAgree, overlapping } = verdict;
  const { name, what, kernel, thpEnabled } = program;
  const most = isVerbose ? differences.length : SHOWN;
  const lines = [
    tell("conform.program.head", { name: shown(name), what: shown(what, 120), kernel: shown(kernel), thp: shown(thpEnabled), profile: profile.id }),
    tell("conform.program.inferred", { mappings: replay.layout.mappings.length, marks: replay.layout.marks.length }),
  ];
  if (program.otherMm > 0) lines.push(tell("conform.program.otherMm", { count: program.otherMm }));
  if (overlapping > 0) lines.push(tell("conform.program.overlapping", { count: overlapping }));
  lines.push(...differences.slice(0, most).map(differenceText));
  if (differences.length > most) lines.push(tell("conform.program.more", { count: differences.length - most }));
  lines.push(tell("conform.program.total", { agree: faultsAgree, faults, percent: percent(faultsAgree, faults), rssAgree, rss }));
  return lines;
}

function differenceText(d: ProgramDifference): string {
  if (d.kind === "call") return tell("conform.program.call", { event: d.at, name: shown(d.name), recorded: d.recorded, ours: d.ours });
  if (d.kind === "rss") {
    const reason = tell(`conform.program.reason.${d.reason}`);
    return tell("conform.program.rss", { event: d.at, place: d.place, recorded: changeText(d.recorded), ours: changeText(d.ours), reason });
  }
  const addresses = d.ours.map((a) => `0x${a.toString(16)}`).join(" ");
  const ours = d.trouble ?? (d.ours.length === 0 ? tell("conform.program.noFault") : tell("conform.program.otherFaults", { addresses }));
  return tell("conform.program.fault", { event: d.at, address: `0x${d.address.toString(16)}`, access: d.access, ours });
}

const changeText = (c: RssChange | null): string => (c === null ? tell("conform.program.nothing") : `${c.member} ${c.pages > 0 ? "+" : ""}${c.pages}`);
