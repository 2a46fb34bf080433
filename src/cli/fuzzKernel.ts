import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { DISK } from "../conform/generate/files.ts";
import { compareTwice, kindsOf, settledLength } from "../conform/fuzz.ts";
import type { FuzzResult, RecordedTwice } from "../conform/fuzz.ts";
import { AREAS, generateScript, readAreas } from "../conform/generate/generate.ts";
import type { Area } from "../conform/generate/generate.ts";
import { percent } from "../conform/judge.ts";
import { shrink } from "../conform/shrink.ts";
import type { ScriptRunner } from "../conform/step.ts";
import { parseScript } from "../shell/command/parseScript.ts";
import { parseCommandLine } from "./arguments.ts";
import { loadSimulator } from "./conform.ts";
import { openDiskFolder } from "./diskFolder.ts";
import { exitStatus } from "./exitStatus.ts";
import { errorCode, shortValue, tell } from "./judgeText.ts";
import { openRecorder, profileOfThisMachine, RecorderFailure } from "./recorder.ts";
import type { Recorder } from "./recorder.ts";

const FOUND = fileURLToPath(new URL("../../conformance/found", import.meta.url));
const SHOWN = 3;
const PROGRESS_EVERY = 50;

interface Options {
  readonly seed: number;
  readonly count: number;
  readonly areas: readonly Area[];
  readonly keepGoing: boolean;
  readonly maxShrink: number;
}

/** What one session works with. */
interface Bench {
  readonly recorder: Pick<Recorder, "record">;
  readonly run: ScriptRunner;
  readonly profile: string;
  readonly folder: string;
}

function readNumber(option: string, text: string | undefined, otherwise: number, low: number, high: number): number | null {
  if (text === undefined) return otherwise;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= low && value <= high) return value;
  console.error(tell("conform.fuzz.badNumber", { option, low, high }));
  return null;
}

function readOptions(args: string[]): Options | null {
  const parsed = parseCommandLine("fuzz-kernel", args, {
    seed: { type: "string" },
    count: { type: "string" },
    area: { type: "string" },
    "keep-going": { type: "boolean" },
    "max-shrink": { type: "string" },
  });
  if (parsed === null) return null;
  const { values } = parsed;
  const seed = readNumber("--seed", values.seed, Date.now() % 2 ** 32, 0, 2 ** 32 - 1);
  const count = readNumber("--count", values.count, 100, 1, 1_000_000);
  const maxShrink = readNumber("--max-shrink", values["max-shrink"], 1, 0, 1_000_000);
  const areas = readAreas(values.area ?? "anon");
  if (areas.kind === "unknown") console.error(tell("conform.fuzz.unknownArea", { area: areas.area, areas: AREAS.join(", ") }));
  if (areas.kind === "unavailable") console.error(tell("conform.fuzz.laterArea", { area: areas.area }));
  if (seed === null || count === null || maxShrink === null || areas.kind !== "areas") return null;
  return { seed, count, areas: areas.areas, keepGoing: values["keep-going"] === true, maxShrink };
}

async function recordTwice(recorder: Bench["recorder"], source: string): Promise<RecordedTwice> {
  const { header, steps } = await recorder.record(source);
  return { header, first: steps, second: (await recorder.record(source)).steps };
}

/** Whether a script shows one of these kinds of difference on two new recordings. The second recording is made only when the first shows it. */
async function showsAgain(bench: Bench, source: string, kinds: ReadonlySet<string>): Promise<boolean> {
  const { recorder, run, profile } = bench;
  // what does not parse would be "a difference" for a reason of its own
  if (parseScript(source).errors.length > 0) return false;
  try {
    const { header, steps } = await recorder.record(source);
    const shows = (second: RecordedTwice["second"]): boolean => {
      const found = kindsOf(compareTwice({ header, first: steps, second }, profile, source, run));
      return [...found].some((kind) => kinds.has(kind));
    };
    return settledLength(steps) > 0 && shows(steps) && shows((await recorder.record(source)).steps);
  } catch (error) {
    // a piece of a script that the recorder does not get through is no smaller example
    if (error instanceof RecorderFailure) return false;
    throw error;
  }
}

/** Shrinks a script that differs and keeps the result with what the kernel and the simulator answered. */
async function shrinkAndKeep(bench: Bench, source: string, kinds: ReadonlySet<string>, origin: Readonly<Record<string, unknown>>): Promise<void> {
  console.log(tell("conform.fuzz.shrinking", { lines: source.trimEnd().split("\n").length }));
  const stillDiffers = (text: string): Promise<boolean> => showsAgain(bench, text, kinds);
  if (!(await stillDiffers(source))) {
    console.log(tell("conform.fuzz.notAgain"));
    return;
  }
  const minimal = await shrink(source, stillDiffers);
  const lines = minimal.trimEnd().split("\n").length;
  const name = createHash("sha256").update(minimal).digest("hex").slice(0, 12);
  const file = join(bench.folder, `${name}.json`);
  const path = relative(process.cwd(), file);
  if (existsSync(file)) {
    console.log(tell("conform.fuzz.keptAlready", { lines, path }));
    return;
  }
  const recorded = await recordTwice(bench.recorder, minimal);
  const { ours, crash, differences } = compareTwice(recorded, bench.profile, minimal, bench.run);
  mkdirSync(bench.folder, { recursive: true });
  const kept = { script: name, source: minimal, header: recorded.header, ...origin, crash, differences, steps: recorded.first, ours };
  writeFileSync(file, JSON.stringify(kept, null, 1) + "\n");
  console.log(tell("conform.fuzz.kept", { lines, path }));
  console.log(minimal.trimEnd().replace(/^/gm, "        "));
  printDifferences(differences);
}

function printDifferences(differences: FuzzResult["differences"]): void {
  for (const { operation, op, field, recorded, ours } of differences.slice(0, SHOWN)) {
    console.log(tell("conform.fuzz.difference", { operation, op, field, recorded: shortValue(recorded), ours: shortValue(ours) }));
  }
}

/** Compares script after script; returns the exit status. */
export async function fuzz(bench: Bench, options: Options): Promise<number> {
  const { seed, count } = options;
  const started = performance.now();
  let [agree, total, scripts, differing] = [0, 0, 0, 0];
  for (let index = 0; index < count; index++) {
    const source = generateScript({ seed, index, areas: options.areas });
    let recorded: RecordedTwice;
    try {
      recorded = await recordTwice(bench.recorder, source);
    } catch (error) {
      if (!(error instanceof RecorderFailure)) throw error;
      console.error(tell("conform.fuzz.skipped", { index, text: error.message }));
      // the very first: this machine cannot record at all
      if (index === 0) return exitStatus.unavailable;
      continue;
    }
    const result = compareTwice(recorded, bench.profile, source, bench.run);
    agree += result.agree;
    total += result.total;
    scripts++;
    if (scripts % PROGRESS_EVERY === 0 && scripts < count) {
      const seconds = Math.round((performance.now() - started) / 1000);
      console.error(tell("conform.fuzz.progress", { done: scripts, count, agree, total, seconds }));
    }
    if (result.crash === null && result.differences.length === 0) continue;
    differing++;
    if (result.crash === null) console.log(tell("conform.fuzz.differs", { index, seed, count: result.differences.length }));
    else console.log(tell("conform.fuzz.crash", { index, seed, text: result.crash }));
    if (result.crash === null) printDifferences(result.differences);
    if (differing <= options.maxShrink) await shrinkAndKeep(bench, source, kindsOf(result), { seed, index, areas: options.areas });
    if (!options.keepGoing) break;
  }
  console.log(tell("conform.fuzz.total", { agree, total, percent: percent(agree, total), scripts, seed }));
  return differing === 0 ? 0 : 1;
}

/** `hugelab fuzz-kernel [--seed N] [--count N] [--area A] [--keep-going] [--max-shrink N]` */
export async function run(args: string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null) return exitStatus.usage;
  const { profile, exact, kernel } = profileOfThisMachine();
  const opened = openRecorder(profile);
  if (opened.kind === "cannot") {
    console.error(tell(`conform.recorder.${opened.problem}`, { command: "fuzz-kernel", detail: opened.detail }));
    return exitStatus.unavailable;
  }
  const { recorder } = opened;
  const disk = options.areas.includes("file") ? openDiskFolder(DISK) : undefined;
  try {
    if (disk === null) {
      console.error(tell("conform.fuzz.noDisk", { path: DISK }));
      return exitStatus.unavailable;
    }
    if (!exact) console.error(tell("conform.otherKernel", { command: "fuzz-kernel", kernel, profile }));
    const simulator = await loadSimulator().catch((error: unknown) => errorCode(error));
    if (typeof simulator === "string") {
      console.error(tell("conform.fuzz.noSimulator", { text: simulator }));
      return exitStatus.unavailable;
    }
    return await fuzz({ recorder, run: simulator, profile, folder: FOUND }, options);
  } finally {
    disk?.close();
    recorder.close();
  }
}
