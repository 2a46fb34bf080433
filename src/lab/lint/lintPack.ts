import { findToggle } from "../../kernel/era/resolve.ts";
import { failed } from "../../kernel/mm/errno.ts";
import { Machine } from "../../kernel/machine.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import { ShellSession } from "../../session/shellSession.ts";
import { MOST_PROBLEMS } from "../pack/limits.ts";
import type { Lab, Pack } from "../pack/pack.ts";
import { ProblemList, type PackProblem } from "../pack/problem.ts";
import { bootOf } from "../run/boot.ts";
import { LabShell } from "../run/labShell.ts";
import { lintBadge, type JudgeRecording } from "./lintBadge.ts";
import { lintConditions } from "./lintConditions.ts";
import { lintPredictions } from "./lintPredictions.ts";
import { lintRuns } from "./lintRuns.ts";
import { hasCalls, lintTexts } from "./lintTexts.ts";

export interface LintOptions {
  readonly render: RenderMessage;
  /** null: badges that say recorded cannot be proved here, which is a problem */
  readonly judge: JudgeRecording | null;
  /** whether to end with the first part of the proof that finds something; the rest would only add to the list */
  readonly stopAtFirst?: boolean;
}

/** Proves a pack: what is wrong with its labs, in order; nothing when it is right. */
export function lintPack(pack: Pack, options: LintOptions): readonly PackProblem[] {
  return pack.labs.flatMap((lab) => lintLab(lab, options));
}

/** One lab. What cannot be looked at because of an earlier problem is left out. */
export function lintLab(lab: Lab, { render, judge, stopAtFirst = false }: LintOptions): readonly PackProblem[] {
  const problems = new ProblemList(MOST_PROBLEMS);
  if (!lintMachine(lab, problems)) return problems.all();
  lintConditions(lab, problems);
  const { table } = new ShellSession({ boot: bootOf(lab)?.boot ?? missing(lab), render, extra: new LabShell().extra });
  lintTexts(lab, table, render, problems);
  const ways = [lab.solution, ...lab.alternatives].map((route) => hasCalls(route.lines, table));
  if (new Set(ways).size < 2) problems.add(`${lab.folder}/alternatives`, "", "noOtherForm");
  // an impossible condition would make nonsense of the runs
  if (problems.count > 0) return problems.all();
  const parts = [
    () => lintPredictions(lab, render, problems),
    () => lintBadge(lab, judge, render, problems),
    () => lintRuns(lab, render, problems, stopAtFirst),
  ];
  for (const part of parts) {
    part();
    if (stopAtFirst && problems.count > 0) break;
  }
  return problems.all();
}

function missing(lab: Lab): never {
  throw new Error(`no profile ${lab.definition.machine.profile}`);
}

/** The machine: a profile and patches that there are, and settings that it takes. */
function lintMachine(lab: Lab, problems: ProblemList): boolean {
  const file = `${lab.folder}/lab.json`;
  const { profile, patches = [] } = lab.definition.machine;
  const machine = bootOf(lab);
  if (machine === null) problems.add(file, "machine.profile", "noSuchProfile", { profile });
  patches.forEach((patch, i) => {
    if (findToggle(patch.replace(/^[+-]/, "")) === undefined) problems.add(file, `machine.patches[${i}]`, "noSuchPatch", { patch });
  });
  if (machine === null || problems.count > 0) return false;
  const booted = new Machine(machine.boot);
  for (const [path, value] of machine.config) {
    const result = booted.run(() => booted.writeFile(path, value));
    if (failed(result)) problems.add(file, `machine.config.${path}`, "configRefused", { path, value, errno: result.errno });
  }
  return problems.count === 0;
}
