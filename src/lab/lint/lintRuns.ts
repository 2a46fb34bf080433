import type { RenderMessage } from "../../shell/renderMessage.ts";
import { leaves } from "../check/reduce.ts";
import type { Lab, Route } from "../pack/pack.ts";
import type { ProblemList } from "../pack/problem.ts";
import { LabRun } from "../run/labRun.ts";
import { LabShell } from "../run/labShell.ts";
import { bootOf } from "../run/boot.ts";
import type { CheckDefinition } from "../schema.ts";
import { ShellSession } from "../../session/shellSession.ts";
import { lintReads } from "./lintConditions.ts";
import { mutationsOf, type Mutation } from "./mutations.ts";
import { runRoute, type RouteRun } from "./routeRun.ts";

/** What a lab does when it is done: in the right way, in wrong ways, and with each line of the right way left out. */

/** Lines that are no step towards anything. */
export const NOOPS: readonly string[] = [
  "",
  "help",
  "lab",
  "check",
  "hint",
  "predict",
  "solution",
  "undo",
  "redo",
  "goto 0",
  "history",
  "describe",
  "why",
  "cat /proc/self/smaps",
  "true",
  "x=1",
  "cd /proc",
  "sys get thp/enabled",
  "sleep 1",
];

interface Variant {
  readonly id: string;
  readonly index: number;
  readonly mutation: Mutation;
}

/** The checks of a lab and every small change of them, under ids of their own. */
function variantsOf(lab: Lab): Variant[] {
  return lab.checks.flatMap((check, index) => mutationsOf(check).map((mutation, n) => ({ id: `${check.id}~${n}`, index, mutation })));
}

/** Every way through a lab, right and wrong. */
interface Runs {
  readonly solution: RouteRun;
  readonly alternatives: readonly Ran[];
  readonly decoys: readonly Ran[];
  /** the solution without one of its lines, in their order */
  readonly dropped: readonly RouteRun[];
}

interface Ran {
  readonly route: Route;
  readonly ran: RouteRun;
}

/** The ways are gone one after the other, as far as they are asked for; each once. */
function runsOf(lab: Lab, checks: readonly CheckDefinition[], render: RenderMessage): Runs {
  const run = (lines: readonly string[]): RouteRun => runRoute(lab, lines, checks, render);
  const ran = (route: Route): Ran => ({ route, ran: run(route.lines) });
  const once = <T>(make: () => T): (() => T) => {
    let made: { readonly value: T } | null = null;
    return () => (made ??= { value: make() }).value;
  };
  const solution = once(() => run(lab.solution.lines));
  const alternatives = once(() => lab.alternatives.map(ran));
  const decoys = once(() => lab.decoys.map(ran));
  const dropped = once(() => lab.solution.lines.map((_, i) => run(lab.solution.lines.toSpliced(i, 1))));
  return {
    get solution() {
      return solution();
    },
    get alternatives() {
      return alternatives();
    },
    get decoys() {
      return decoys();
    },
    get dropped() {
      return dropped();
    },
  };
}

/** `stopAtFirst`: ways behind one in which something was found are not gone. */
export function lintRuns(lab: Lab, render: RenderMessage, problems: ProblemList, stopAtFirst: boolean): void {
  const runs = runsOf(lab, lab.checks, render);
  const isEnough = (): boolean => stopAtFirst && problems.count > 0;
  lintSetup(lab, runs.solution, problems);
  lintWay(lab, lab.solution, runs.solution, "solutionFails", problems);
  if (isEnough()) return;
  lintStart(lab, render, runs.solution, problems);
  for (const { route, ran } of runs.alternatives) lintWay(lab, route, ran, "routeFails", problems);
  if (isEnough()) return;
  for (const { route, ran } of runs.decoys) lintDecoy(lab, route, ran, problems);
  if (isEnough()) return;
  lintDropped(lab, runs.dropped, problems);
  const { solution, alternatives, decoys } = runs;
  const right = [solution, ...alternatives.map(({ ran }) => ran)];
  const wrong = decoys.map(({ ran }) => ran);
  lintMistakes(lab, right, wrong, problems);
  if (runRoute(lab, lab.solution.lines, lab.checks, render).hash !== solution.hash) problems.add(lab.solution.file, "", "notDeterministic");
  lintReads(lab, mergeReads([...right, ...wrong]), problems);
  // what follows takes for granted that the lab itself is right
  if (problems.count > 0) return;
  const variants = variantsOf(lab);
  const changed = variants.map(({ id, mutation }) => ({ ...mutation.check, id }));
  lintVariants(lab, variants, runsOf(lab, [...lab.checks, ...changed], render), problems);
}

function mergeReads(runs: readonly RouteRun[]): ReadonlyMap<string, boolean> {
  const all = new Map<string, boolean>();
  for (const { everRead } of runs) for (const [key, was] of everRead) all.set(key, was || all.get(key) === true);
  return all;
}

function lintSetup(lab: Lab, ran: RouteRun, problems: ProblemList): void {
  for (const line of ran.idleSetup) problems.add(`${lab.folder}/lab.json`, "setup", "setupDoesNothing", { line });
}

/** Nothing passes before anything was done, nor by looking around. */
function lintStart(lab: Lab, render: RenderMessage, solution: RouteRun, problems: ProblemList): void {
  for (const { id } of lab.checks) if (solution.passed.get(id) === -1) problems.add(`${lab.folder}/lab.json`, "", "startPasses", { check: id });
  const machine = bootOf(lab);
  if (machine === null) return;
  const shell = new LabShell();
  const session = new ShellSession({ ...machine, render, extra: shell.extra });
  const labRun = new LabRun({ lab, session, shell, render });
  for (const line of lab.definition.setup ?? []) session.submit(line);
  labRun.takeEvents();
  for (const line of NOOPS) {
    // what undo and goto 0 lead to is the start of the machine, before the setup
    for (const event of labRun.after(session.submit(line)))
      if (event.kind === "checkPassed") problems.add(`${lab.folder}/lab.json`, "", "noopPasses", { check: event.check, line });
  }
}

/** errnos that a check asks for: a line that fails with one of these is meant to. */
function wantedErrnos(lab: Lab): ReadonlySet<string> {
  const wanted = new Set<string>();
  for (const check of lab.checks)
    for (const leaf of leaves(check.require)) if ("event" in leaf && leaf.event === "command" && leaf.where?.errno !== undefined) wanted.add(leaf.where.errno);
  return wanted;
}

function lintLines(route: Route, ran: RouteRun, problems: ProblemList): void {
  for (const { index, why } of ran.refused)
    problems.add(route.file, `line ${route.lineNumbers[index]}`, "lineNotUnderstood", { line: route.lines[index], why });
}

function lintWay(lab: Lab, route: Route, ran: RouteRun, name: "solutionFails" | "routeFails", problems: ProblemList): void {
  lintLines(route, ran, problems);
  const wanted = wantedErrnos(lab);
  ran.results.forEach(({ errno }, i) => {
    if (errno !== null && !wanted.has(errno)) problems.add(route.file, `line ${route.lineNumbers[i]}`, "lineFailed", { line: route.lines[i], errno });
  });
  for (const { id } of lab.checks) {
    if (ran.passed.has(id)) continue;
    const { actual, wanted: asked } = ran.last.get(id) ?? { actual: null, wanted: null };
    problems.add(route.file, "", name, { check: id, actual: actual ?? "-", wanted: asked ?? "-" });
  }
}

function lintDecoy(lab: Lab, route: Route, ran: RouteRun, problems: ProblemList): void {
  lintLines(route, ran, problems);
  for (const check of route.fails) if (ran.passed.has(check)) problems.add(route.file, "", "decoyPasses", { check });
  if (lab.checks.every(({ id }) => ran.passed.has(id))) problems.add(route.file, "", "decoySolves");
}

function lintDropped(lab: Lab, dropped: readonly RouteRun[], problems: ProblemList): void {
  dropped.forEach((ran, i) => {
    if (lab.checks.every(({ id }) => ran.passed.has(id)))
      problems.add(lab.solution.file, `line ${lab.solution.lineNumbers[i]}`, "lineNotNeeded", { line: lab.solution.lines[i] });
  });
  lab.checks.forEach(({ id }, i) => {
    const fails = dropped.some((ran) => !ran.passed.has(id)) || lab.decoys.some((decoy) => decoy.fails.includes(id));
    if (!fails) problems.add(`${lab.folder}/lab.json`, `checks[${i}]`, "checkNeverFails", { check: id });
  });
}

const LEAST_MISTAKES = 2;
const LEAST_DECOYS = 3;

function lintMistakes(lab: Lab, ways: readonly RouteRun[], decoys: readonly RouteRun[], problems: ProblemList): void {
  const file = `${lab.folder}/lab.json`;
  let count = 0;
  lab.checks.forEach((check, i) => {
    (check.wrong ?? []).forEach(({ id }, j) => {
      count++;
      const told = `${check.id}/${id}`;
      const place = `checks[${i}].wrong[${j}]`;
      if (!decoys.some((ran) => ran.mistakes.has(told))) problems.add(file, place, "mistakeNeverSeen", { mistake: id });
      const on = ways.map((ran) => ran.mistakes.get(told)).find((line) => line !== undefined);
      if (on !== undefined) problems.add(file, place, "mistakeOnSolution", { mistake: id, line: on + 1 });
    });
  });
  if (count < LEAST_MISTAKES) problems.add(file, "checks", "notEnoughMistakes", { count });
  if (lab.decoys.length < LEAST_DECOYS) problems.add(`${lab.folder}/decoys`, "", "notEnoughDecoys", { count: lab.decoys.length });
}

/** Each small change of a check must be seen: else the check could be weaker, and nobody would know. */
function lintVariants(lab: Lab, variants: readonly Variant[], runs: Runs, problems: ProblemList): void {
  for (const { id, index, mutation } of variants) {
    const own = mutation.check.id;
    const others = lab.checks.filter((check) => check.id !== own);
    const failsRight = [runs.solution, ...runs.alternatives.map(({ ran }) => ran)].some((ran) => !ran.passed.has(id));
    const passesAtStart = runs.solution.passed.get(id) === -1;
    const passesDecoy = runs.decoys.some(
      ({ route, ran }) => ran.passed.has(id) && (route.fails.includes(own) || others.every((check) => ran.passed.has(check.id))),
    );
    const passesDropped = runs.dropped.some((ran) => ran.passed.has(id) && others.every((check) => ran.passed.has(check.id)));
    if (failsRight || passesAtStart || passesDecoy || passesDropped) continue;
    const name = mutation.place.endsWith("value") ? "valueNotNeeded" : "conditionNotNeeded";
    problems.add(`${lab.folder}/lab.json`, `checks[${index}].${mutation.place}`, name, { change: `${mutation.from} -> ${mutation.to}` });
  }
}
