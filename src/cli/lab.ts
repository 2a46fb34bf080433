import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { say, sentence } from "../i18n/format.ts";
import { lintPack } from "../lab/lint/lintPack.ts";
import type { LabBadge, LabEvent } from "../lab/model.ts";
import { orderPacks } from "../lab/pack/order.ts";
import type { Lab, Pack } from "../lab/pack/pack.ts";
import { problemMessages, type PackProblem } from "../lab/pack/problem.ts";
import { readPack } from "../lab/pack/readPack.ts";
import { bootOf } from "../lab/run/boot.ts";
import { labInfo } from "../lab/run/info.ts";
import { LabRun } from "../lab/run/labRun.ts";
import { LabShell } from "../lab/run/labShell.ts";
import { ShellSession } from "../session/shellSession.ts";
import { closest } from "../shell/editDistance.ts";
import { parseCommandLine } from "./arguments.ts";
import { converse } from "./converse.ts";
import { exitStatus } from "./exitStatus.ts";
import { judgeRecording } from "./judgeRecording.ts";
import { TypedAhead } from "./lineTerminal.ts";
import { BUNDLED_PACKS, readPackFolder } from "./packFiles.ts";
import { shown } from "./shown.ts";
import { writeOut } from "./writeOut.ts";

/** A folder that is no pack as it stands on the disk: one sentence. */
class Refusal extends Error {}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "?";
}

/** @throws Refusal for what cannot be read at all */
function readFolder(path: string): ReturnType<typeof readPack> {
  let read: ReturnType<typeof readPackFolder>;
  try {
    read = readPackFolder(path);
  } catch (error) {
    throw new Refusal(say("cli.lab.noFolder", { path: shown(path), code: errorCode(error) }));
  }
  if (read.kind === "link") throw new Refusal(say("cli.lab.link", { path: shown(read.path) }));
  return readPack(read.tree);
}

/** The packs that came with Hugelab; they are read without a word, since the linter has proved them. */
function bundledLabs(): Lab[] {
  const folder = fileURLToPath(BUNDLED_PACKS);
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = entries.map(({ name }) => name).sort();
  const packs = names.flatMap((name): Pack[] => {
    const read = readFolder(`${folder}/${name}`);
    return read.kind === "pack" ? [read.pack] : [];
  });
  return orderPacks(packs).flatMap((pack) => pack.labs);
}

/** What is typed for a lab: its folder without the number. */
const shortName = (lab: Lab): string => lab.folder.replace(/^labs\/(\d+-)?/, "");

const BADGES = { recorded: "cli.lab.badgeRecorded", documents: "cli.lab.badgeDocuments", simplified: "cli.lab.badgeSimplified" } as const satisfies Record<
  LabBadge,
  string
>;

async function list(): Promise<number> {
  const labs = bundledLabs();
  const width = Math.max(...labs.map((lab) => shortName(lab).length));
  for (const lab of labs) {
    const { title, minutes, badge } = labInfo(lab, sentence);
    await writeOut(`${say("cli.lab.row", { id: shortName(lab).padEnd(width), minutes, badge: say(BADGES[badge]), title })}\n`);
  }
  return 0;
}

// --- run

function findLab(labs: readonly Lab[], id: string): Lab | string {
  const found = labs.find((lab) => lab.id === id || shortName(lab) === id || lab.folder === `labs/${id}`);
  if (found !== undefined) return found;
  const names = labs.map(shortName);
  const near = closest(id, names);
  return near === null ? say("cli.lab.noLab", { id: shown(id), labs: names.join(", ") }) : say("cli.lab.noLabSuggest", { id: shown(id), suggestion: near });
}

async function runLab(id: string): Promise<number> {
  const lab = findLab(bundledLabs(), id);
  const machine = typeof lab === "string" ? null : bootOf(lab);
  if (typeof lab === "string" || machine === null) {
    process.stderr.write(`${typeof lab === "string" ? lab : say("cli.lab.profile", { profile: lab.definition.machine.profile })}\n`);
    return exitStatus.usage;
  }
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const ahead = isTerminal ? TypedAhead.open() : null;
  const shell = new LabShell();
  const session = new ShellSession({ ...machine, render: sentence, extra: shell.extra, probe: ahead });
  const run = new LabRun({ lab, session, shell, render: sentence });
  for (const line of lab.definition.setup ?? []) run.after(session.submit(line));
  if (isTerminal) {
    const { title, summary, badgeReason } = run.view().info;
    await writeOut(`${say("cli.lab.welcome", { title, summary, reason: badgeReason })}\n${run.view().twin.join("\n")}\n`);
  }
  let step = run.view().currentStep;
  await converse(
    session,
    isTerminal,
    (result) => {
      const news = newsOf(lab, run.after(result));
      const { currentStep, solved } = run.view();
      const at = lab.steps.findIndex((each) => each.id === currentStep);
      if (currentStep !== step && !solved) news.push(say("cli.lab.nextStep", { number: at + 1, title: lab.steps[at].title }));
      step = currentStep;
      return news;
    },
    ahead,
  );
  ahead?.close();
  return 0;
}

/** What a line reached, one sentence each. */
function newsOf(lab: Lab, events: readonly LabEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.kind === "labSolved") return [say("cli.lab.solved")];
    if (event.kind !== "checkPassed") return [];
    return [say("cli.lab.reached", { objective: lab.checks.find((check) => check.id === event.check)?.objective ?? event.check })];
  });
}

// --- check

function printProblem(path: string, problem: PackProblem): void {
  const { what, fix } = problemMessages(problem);
  const place = [path, problem.file, problem.place].filter((part) => part !== "").join(": ");
  console.log(say("cli.lab.problem", { place, what: sentence(what), fix: sentence(fix) }));
}

function problemsOf(read: ReturnType<typeof readPack>): readonly PackProblem[] {
  return read.kind === "bad" ? read.problems : lintPack(read.pack, { render: sentence, judge: judgeRecording });
}

/** Whether the pack is right. @throws Refusal */
function check(path: string): boolean {
  const read = readFolder(path);
  const problems = problemsOf(read);
  for (const problem of problems) printProblem(shown(path), problem);
  const pack: Pack | null = read.kind === "pack" ? read.pack : null;
  if (problems.length === 0 && pack !== null) console.log(say("cli.lab.right", { title: pack.title, labs: pack.labs.length }));
  else console.log(say("cli.lab.wrong", { path: shown(path), count: problems.length }));
  return problems.length === 0;
}

/** `hugelab lab list | run ID | check PACK...` */
export async function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("lab", args, {});
  if (parsed === null) return exitStatus.usage;
  const [action, ...rest] = parsed.positionals;
  try {
    if (action === "list" && rest.length === 0) return await list();
    if (action === "run" && rest.length === 1) return await runLab(rest[0]);
    // every pack is looked at, also behind one that is wrong
    if (action === "check" && rest.length > 0) return rest.map(check).every((right) => right) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    return exitStatus.usage;
  }
  process.stderr.write(`${say("cli.lab.usage")}\n`);
  return exitStatus.usage;
}
