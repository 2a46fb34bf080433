import { smapsOf } from "../../kernel/proc/taskMmu.ts";
import { FIRST_PROCESS } from "../../shell/command/parseLine.ts";
import { operationText } from "../../shell/tokens.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { Outcome } from "../../session/outcome.ts";
import { ShellSession } from "../../session/shellSession.ts";
import type { Trace, TraceStep } from "../../session/traceStep.ts";
import type { Lab, Recording } from "../pack/pack.ts";
import type { ProblemList } from "../pack/problem.ts";
import { bootOf } from "../run/boot.ts";

/** A recording against the simulator, as conform/ judges it; lab/ does not know how. */
export type RecordingVerdict =
  | { readonly kind: "bad"; readonly why: string }
  | {
      readonly kind: "judged";
      readonly trace: Trace;
      readonly agree: number;
      readonly total: number;
      /** the first observation in which they differ */
      readonly first: { readonly operation: number; readonly field: string } | null;
    };
export type JudgeRecording = (text: string) => RecordingVerdict;

/** The badge of a lab, proved: recorded means that a real kernel was given the same commands and did what the learner sees. */
export function lintBadge(lab: Lab, judge: JudgeRecording | null, render: RenderMessage, problems: ProblemList): void {
  const file = `${lab.folder}/lab.json`;
  const { kind, reason } = lab.definition.badge;
  if (kind !== "recorded") {
    if (reason === undefined) problems.add(file, "badge", "noReason");
    if (lab.recordings.length > 0) problems.add(file, "badge.recordings", "needlessRecording");
    return;
  }
  if (lab.recordings.length === 0) {
    problems.add(file, "badge", "notRecorded");
    return;
  }
  if ((lab.definition.machine.patches ?? []).length > 0) problems.add(file, "machine.patches", "patchedMachine");
  if (judge === null) {
    problems.add(file, "badge", "notProved");
    return;
  }
  const profiles = lab.recordings.map((recording) => lintRecording(lab, recording, judge, render, problems));
  const { profile } = lab.definition.machine;
  if (!profiles.includes(profile)) problems.add(file, "badge.recordings", "noProfileRecorded", { profile });
}

/** What the recorder must have been given: the settings of the lab, then what a learner types. */
function operationsOf(lab: Lab): string[] {
  const settings = Object.entries(lab.definition.machine.config ?? {}).map(([path, value]) => `sys set ${path} ${value}`);
  return [...settings, ...(lab.definition.setup ?? []), ...lab.solution.lines].map((line) => operationText(line).text);
}

/** Returns the profile of a recording that is one. */
function lintRecording(lab: Lab, { file, text }: Recording, judge: JudgeRecording, render: RenderMessage, problems: ProblemList): string | null {
  const verdict = judge(text);
  if (verdict.kind === "bad") {
    problems.add(file, "", "notARecording", { why: verdict.why });
    return null;
  }
  const { trace, agree, total, first } = verdict;
  const recorded = trace.source
    .split("\n")
    .map((line) => operationText(line).text)
    .filter((line) => line !== "");
  const ours = operationsOf(lab);
  const other = Array.from({ length: Math.max(recorded.length, ours.length) }, (_, i) => i).find((i) => recorded[i] !== ours[i]);
  // the operations that the steps name are those that were carried out, whatever the source says
  const stray = trace.steps.findIndex((step, i) => operationText(step.op).text !== recorded[i]);
  const at = other ?? (stray >= 0 || trace.steps.length !== recorded.length ? Math.max(stray, 0) : undefined);
  if (at !== undefined) {
    problems.add(file, "", "otherCommands", { n: at + 1, recorded: trace.steps[at]?.op ?? recorded[at] ?? "-", ours: ours[at] ?? "-" });
    return null;
  }
  if (agree < total)
    problems.add(file, "", "recordingDisagrees", { agree, total, operation: first?.operation ?? 0, n: (first?.operation ?? 0) + 1, field: first?.field ?? "" });
  if (trace.header.profile === lab.definition.machine.profile) compareWithLearner(lab, file, trace, render, problems);
  return trace.header.profile;
}

type Fields = Readonly<Record<string, unknown>>;
const RESULTS = ["ret", "errno", "cnt", "ok", "val"] as const;
const AREA_FIELDS = ["Rss", "AnonHugePages", "THPeligible"] as const;

/** What a learner's session shows behind each operation against what the kernel did: results, faults, and what smaps says of each mapping. */
function compareWithLearner(lab: Lab, file: string, trace: Trace, render: RenderMessage, problems: ProblemList): void {
  const machine = bootOf(lab);
  if (machine === null) return;
  const session = new ShellSession({ boot: machine.boot, render });
  const last: { outcome: Outcome | null } = { outcome: null };
  session.onNode = (_node, outcome) => {
    last.outcome = outcome;
  };
  let areas: Fields = {};
  for (const [i, step] of trace.steps.entries()) {
    last.outcome = null;
    session.submit(step.op);
    areas = step.procs === undefined ? areas : recordedAreas(step);
    const seen = { ...outcomeFields(last.outcome), ...learnerAreas(session) };
    const wanted: Fields = { ...recordedResults(step), ...areas };
    for (const field of new Set([...Object.keys(wanted), ...Object.keys(seen)])) {
      const [a, b] = [JSON.stringify(wanted[field]), JSON.stringify(seen[field as keyof typeof seen])];
      if (a === b) continue;
      problems.add(file, "", "learnerDisagrees", { n: i + 1, field, recorded: a ?? "-", ours: b ?? "-" });
      return;
    }
  }
}

function recordedResults(step: TraceStep): Fields {
  const flt = step["flt"] as { pf?: unknown; at?: unknown } | undefined;
  return { ...pick(step, RESULTS), faults: flt?.pf ?? 0, at: flt?.at ?? [] };
}

const pick = (from: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]]));

function outcomeFields(outcome: Outcome | null): Fields {
  if (outcome === null) return {};
  const { fields, faults } = outcome;
  const taken = faults.find(({ process }) => process === FIRST_PROCESS)?.faults;
  return { ...pick(fields, RESULTS), faults: taken?.pf ?? 0, at: taken?.at ?? [] };
}

function recordedAreas(step: TraceStep): Fields {
  const areas: Record<string, unknown> = {};
  for (const vma of step.procs?.[FIRST_PROCESS]?.vmas ?? []) for (const name of AREA_FIELDS) areas[`${vma.at} ${name}`] = vma[name] ?? 0;
  return areas;
}

function learnerAreas(session: ShellSession): Fields {
  const { world } = session;
  const process = world.find(FIRST_PROCESS);
  if (process === undefined) return {};
  const areas: Record<string, unknown> = {};
  for (const vma of world.machine.vmas(world.task(process))) {
    const smaps = smapsOf(world.machine.kernel, vma);
    for (const name of AREA_FIELDS) areas[`${world.slots.print(vma.start * 4096)} ${name}`] = smaps[name] ?? 0;
  }
  return areas;
}
