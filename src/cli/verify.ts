import { readFileSync, statSync } from "node:fs";
import { compareTwice } from "../conform/fuzz.ts";
import type { FuzzResult, RecordedTwice } from "../conform/fuzz.ts";
import { percent } from "../conform/judge.ts";
import { sideBySide } from "../conform/sideBySide.ts";
import type { ScriptRunner } from "../conform/step.ts";
import { parseScript, sourceLine } from "../shell/command/parseScript.ts";
import { formatParseError } from "../shell/formatParseError.ts";
import { parseCommandLine } from "./arguments.ts";
import { loadSimulator } from "./conform.ts";
import { exitStatus } from "./exitStatus.ts";
import { errorCode, tell } from "./judgeText.ts";
import { openRecorder, profileOfThisMachine, RecorderFailure } from "./recorder.ts";
import type { Recorder } from "./recorder.ts";

const MAX_SCRIPT_BYTES = 1024 * 1024;

/** Where a script may reach on a machine that runs it as root: the settings of memory management, and nothing else by its own path. */
const ALLOWED = ["/sys/kernel/mm/", "/proc/sys/vm/", "/sys/kernel/debug/", "/nonexistent"];

/** The first word of a script that would reach beyond memory management, with its line from 1; null when there is none. */
export function unsafeWord(source: string): { readonly line: number; readonly word: string } | null {
  for (const [i, text] of source.split("\n").entries()) {
    for (const word of text.split("#")[0].split(/\s+/)) {
      const path = word.replace(/^[a-z]+=/, "");
      const isOutside = path.startsWith("/") && !ALLOWED.some((prefix) => path.startsWith(prefix));
      if (isOutside || word.split("/").includes("..")) return { line: i + 1, word };
    }
  }
  return null;
}

/** The script, or null after saying what is wrong with it. */
function readScript(path: string): string | null {
  let source: string;
  try {
    const bytes = path === "-" ? 0 : statSync(path).size;
    if (bytes > MAX_SCRIPT_BYTES) {
      console.error(tell("conform.verify.tooLarge", { path, bytes, limit: MAX_SCRIPT_BYTES }));
      return null;
    }
    source = readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (error) {
    console.error(tell("conform.verify.notRead", { path, code: errorCode(error) }));
    return null;
  }
  const { errors } = parseScript(source);
  for (const error of errors) console.error(formatParseError(error, path, sourceLine(source, error.line)));
  const unsafe = errors.length > 0 ? null : unsafeWord(source);
  if (unsafe) console.error(tell("conform.verify.unsafe", { path, line: unsafe.line, word: unsafe.word.slice(0, 80) }));
  return errors.length > 0 || unsafe ? null : source;
}

/** Two recordings, or null after saying why there are none. */
async function recordBoth(recorder: Pick<Recorder, "record">, source: string): Promise<RecordedTwice | null> {
  try {
    const { header, steps } = await recorder.record(source);
    return { header, first: steps, second: (await recorder.record(source)).steps };
  } catch (error) {
    if (!(error instanceof RecorderFailure)) throw error;
    console.error(tell("conform.recorder.failed", { command: "verify", detail: error.message }));
    return null;
  }
}

function report(recorded: RecordedTwice, result: FuzzResult, profile: string): number {
  for (const line of sideBySide(recorded.first, result.ours, result.differences, process.stdout.columns ?? 120)) console.log(line);
  const { agree, total } = result;
  console.log(tell("conform.verify.total", { agree, total, percent: percent(agree, total), kernel: recorded.header.kernel, profile }));
  return agree === total ? 0 : 1;
}

/** `hugelab verify FILE` */
export async function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("verify", args, {});
  if (parsed === null) return exitStatus.usage;
  if (parsed.positionals.length !== 1) {
    console.error(tell("conform.verify.usage"));
    return exitStatus.usage;
  }
  const source = readScript(parsed.positionals[0]);
  if (source === null) return exitStatus.usage;
  const { profile, exact, kernel } = profileOfThisMachine();
  const opened = openRecorder(profile);
  if (opened.kind === "cannot") {
    console.error(tell(`conform.recorder.${opened.problem}`, { command: "verify", detail: opened.detail }));
    return exitStatus.unavailable;
  }
  try {
    if (!exact) console.error(tell("conform.otherKernel", { command: "verify", kernel, profile }));
    const simulator: ScriptRunner = await loadSimulator();
    const recorded = await recordBoth(opened.recorder, source);
    if (recorded === null) return exitStatus.unavailable;
    const result = compareTwice(recorded, profile, source, simulator);
    if (result.crash !== null) console.error(tell("conform.verify.noSimulator", { text: result.crash }));
    return report(recorded, result, profile);
  } finally {
    opened.recorder.close();
  }
}
