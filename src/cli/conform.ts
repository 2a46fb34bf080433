import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Difference } from "../conform/compare.ts";
import { readRows, rowFor } from "../conform/deviations.ts";
import type { DeviationRow } from "../conform/deviations.ts";
import { byRelease, judgeTrace, MAX_LISTED_SHARE, percent, sumVerdicts } from "../conform/judge.ts";
import type { Verdict } from "../conform/judge.ts";
import { MAX_TRACE_BYTES, readTrace } from "../conform/readTrace.ts";
import type { ScriptRunner, Trace } from "../conform/step.ts";
import { parseCommandLine } from "./arguments.ts";
import { exitStatus } from "./exitStatus.ts";
import { errorCode, shortValue, tell } from "./judgeText.ts";

const DEVIATIONS = fileURLToPath(new URL("../../conformance/deviations", import.meta.url));
const SHOWN = 3;

interface Found {
  readonly path: string;
  /** found in a folder: counts as part of a release's corpus */
  readonly inFolder: boolean;
}

/** What went wrong with a file, in a sentence. */
class Refusal extends Error {}

/** The simulator, loaded when it is needed: a trace that is none is refused without it. */
export async function loadSimulator(): Promise<ScriptRunner> {
  const { runScript } = (await import("../session/runScript.ts")) as { readonly runScript: ScriptRunner };
  return runScript;
}

/** The trace files of files and folders, folders searched to the bottom, in order of name. */
export function findTraces(paths: readonly string[]): Found[] {
  return paths.flatMap((path): Found[] => {
    if (!statOf(path).isDirectory()) return [{ path, inFolder: false }];
    const below = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
    if (below.length === 0) throw new Refusal(tell("conform.noTraces", { path }));
    return below.sort().map((name) => ({ path: join(path, name), inFolder: true }));
  });
}

function statOf(path: string): ReturnType<typeof statSync> & object {
  try {
    return statSync(path);
  } catch (error) {
    throw new Refusal(errorCode(error) === "ENOENT" ? tell("conform.noSuchPath", { path }) : tell("conform.notRead", { path, code: errorCode(error) }));
  }
}

/** Reads one trace, or throws a Refusal. */
export function loadTrace(path: string): Trace {
  const bytes = Number(statOf(path).size);
  if (bytes > MAX_TRACE_BYTES) throw new Refusal(tell("conform.tooLarge", { path, bytes, limit: MAX_TRACE_BYTES }));
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Refusal(tell("conform.notRead", { path, code: errorCode(error) }));
  }
  const result = readTrace(text);
  if (result.kind === "bad") throw new Refusal(tell(`conform.bad.${result.problem}`, { path }));
  return result.trace;
}

/** The deviations of a profile; none where there is no file. */
export function loadDeviations(profile: string, folder: string = DEVIATIONS): readonly DeviationRow[] {
  // a header is data from outside: a profile's name must not lead out of the folder
  if (!/^[\w.-]+$/.test(profile)) return [];
  const path = join(folder, `${profile}.json`);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw new Refusal(tell("conform.deviations.notJson", { path }));
  }
  const result = readRows(content);
  if (result.kind === "bad") throw new Refusal(tell(`conform.deviations.${result.problem}`, { path, row: result.row ?? 0 }));
  return result.rows;
}

function printVerdict(path: string, verdict: Verdict, isVerbose: boolean): void {
  const { agree, total, listed, unlisted, stale, crash } = verdict;
  if (crash !== null) console.log(tell("conform.crash", { path, text: crash }));
  if (listed.length + unlisted.length + stale.length === 0 && crash === null) return;
  console.log(tell("conform.count", { path, agree, total }));
  const isListed = new Set<Difference>(listed);
  // what nobody has explained comes first; -v keeps the order of the trace
  const all = isVerbose ? [...listed, ...unlisted].sort((a, b) => a.operation - b.operation) : [...unlisted, ...listed];
  for (const difference of isVerbose ? all : all.slice(0, SHOWN)) {
    const { operation, op, field, recorded, ours } = difference;
    const mark = isListed.has(difference) ? tell("conform.listedMark") : "";
    console.log(tell("conform.difference", { operation, op, field, recorded: shortValue(recorded), ours: shortValue(ours), mark }));
  }
  if (!isVerbose && all.length > SHOWN) console.log(tell("conform.more", { count: all.length - SHOWN }));
  for (const { operation, field, recorded, ours } of stale) {
    console.log(tell("conform.stale", { operation, field, recorded: shortValue(recorded), ours: shortValue(ours) }));
  }
}

/** Releases of which too much is listed, each with a sentence. */
function overListed(verdicts: readonly Verdict[]): string[] {
  return [...byRelease(verdicts)].flatMap(([release, group]) => {
    const { listed, total } = sumVerdicts(group);
    if (listed <= MAX_LISTED_SHARE * total) return [];
    return [tell("conform.listedTooMuch", { release, listed, total, percent: percent(listed, total), limit: 100 * MAX_LISTED_SHARE })];
  });
}

/** Replays every file; a file that cannot be replayed is said and counted, and the others go on. */
async function judgeAll(
  found: readonly Found[],
  tier: number,
  onVerdict: (path: string, verdict: Verdict) => void,
): Promise<{ verdicts: Verdict[]; inFolders: Verdict[]; failed: number }> {
  let runner: ScriptRunner | null = null;
  const rows = new Map<string, readonly DeviationRow[]>();
  const verdicts: Verdict[] = [];
  const inFolders: Verdict[] = [];
  let failed = 0;
  for (const { path, inFolder } of found) {
    try {
      const trace = loadTrace(path);
      const { profile } = trace.header;
      if (!rows.has(profile)) rows.set(profile, loadDeviations(profile));
      runner ??= await loadSimulator();
      const verdict = judgeTrace(trace, runner, rows.get(profile) ?? [], tier);
      verdicts.push(verdict);
      if (inFolder) inFolders.push(verdict);
      onVerdict(path, verdict);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed++;
      console.error(error.message);
    }
  }
  return { verdicts, inFolders, failed };
}

/** `hugelab conform PATH... [-v] [--tier N] [--list-deviations]` */
export async function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("conform", args, {
    verbose: { type: "boolean", short: "v" },
    tier: { type: "string" },
    "list-deviations": { type: "boolean" },
  });
  if (parsed === null) return exitStatus.usage;
  const { values, positionals } = parsed;
  const tier = values.tier === undefined ? 6 : Number(values.tier);
  if (positionals.length === 0 || !Number.isInteger(tier) || tier < 1 || tier > 6) {
    console.error(tell(positionals.length === 0 ? "conform.usage" : "conform.badTier"));
    return exitStatus.usage;
  }
  let found: Found[];
  try {
    found = findTraces(positionals);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(error.message);
    return exitStatus.usage;
  }
  const wantsRows = values["list-deviations"] === true;
  const { verdicts, inFolders, failed } = await judgeAll(found, tier, (path, verdict) => {
    if (!wantsRows) printVerdict(path, verdict, values.verbose === true);
  });
  if (wantsRows) {
    const rows = verdicts.flatMap((verdict) => verdict.unlisted.map((difference) => JSON.stringify(rowFor(verdict.trace, difference))));
    console.log(`[\n${rows.join(",\n")}\n]`);
    return failed === 0 ? 0 : 1;
  }
  const tooMuch = overListed(inFolders);
  for (const sentence of tooMuch) console.log(sentence);
  if (failed > 0) console.log(tell("conform.failed", { count: failed }));
  const { agree, total, listed, unlisted, stale, crashes } = sumVerdicts(verdicts);
  console.log(tell("conform.total", { agree, total, percent: percent(agree, total), listed, unlisted }));
  return unlisted === 0 && stale === 0 && crashes === 0 && failed === 0 && tooMuch.length === 0 ? 0 : 1;
}
