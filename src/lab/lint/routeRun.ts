import { FIRST_PROCESS } from "../../shell/command/parseLine.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import { ShellSession } from "../../session/shellSession.ts";
import { evaluateCheck, type CheckContext, type CheckOutcome } from "../check/evaluate.ts";
import type { CommandResult } from "../check/happenings.ts";
import type { Value } from "../check/readModel.ts";
import type { Lab } from "../pack/pack.ts";
import { bootOf } from "../run/boot.ts";
import { LabTrack } from "../run/track.ts";
import type { CheckDefinition } from "../schema.ts";

/** What came of carrying out lines from the beginning of a lab, check by check. */
export interface RouteRun {
  /** index of the line behind which a check passed for the first time; -1: before any line */
  readonly passed: ReadonlyMap<string, number>;
  /** what was found where the run ended */
  readonly last: ReadonlyMap<string, CheckOutcome>;
  /** mistakes that a learner was told of, as "CHECK/MISTAKE", with the first line behind which */
  readonly mistakes: ReadonlyMap<string, number>;
  /** what was wrong with a line: index and sentence */
  readonly refused: readonly { readonly index: number; readonly why: string }[];
  /** setup lines that made no node */
  readonly idleSetup: readonly string[];
  readonly results: readonly CommandResult[];
  /** values that were read, by "PROCESS PATH": whether there ever was one */
  readonly everRead: ReadonlyMap<string, boolean>;
  readonly units: ReadonlyMap<string, string>;
  readonly hash: string;
}

/** Everything that was asked of the world at one node is read once, however many checks ask. */
class NodeReads {
  readonly #track: LabTrack;
  readonly #node: number;
  readonly #values = new Map<string, Value | null>();

  constructor(track: LabTrack, node: number) {
    this.#track = track;
    this.#node = node;
  }

  read(path: string, process = FIRST_PROCESS): Value | null {
    const key = `${process} ${path}`;
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const value = this.#track.read(path, this.#node, process);
    this.#values.set(key, value);
    return value;
  }

  all(): ReadonlyMap<string, Value | null> {
    return this.#values;
  }
}

/**
 * Carries out lines on a fresh machine of the lab. `checks`: what is looked at behind each line (weakened ones among them). Questions count as
 * answered, and right: how checks hang together with them is not what the lines show.
 * @throws Error when the lab's profile is unknown
 */
export function runRoute(lab: Lab, lines: readonly string[], checks: readonly CheckDefinition[], render: RenderMessage): RouteRun {
  const machine = bootOf(lab);
  if (machine === null) throw new Error(`no profile ${lab.definition.machine.profile}`);
  const session = new ShellSession({ ...machine, render });
  const looked: Lab = { ...lab, checks, definition: { ...lab.definition, checks: [...checks] } };
  const passed = new Map<string, number>();
  const mistakes = new Map<string, number>();
  const everRead = new Map<string, boolean>();
  const units = new Map<string, string>();
  let last = new Map<string, CheckOutcome>();
  let index = -1;
  const track = new LabTrack(looked, session, () => undefined);
  const look = (): void => {
    const node = session.history.current.id;
    const reads = new NodeReads(track, node);
    const context: CheckContext = {
      read: (path, process) => reads.read(path, process),
      readAtStart: (path, process) => track.readAtStart(path, process),
      reducer: track.reducer,
      progression: track.stateOf(node).progression,
      predicted: () => ({ right: true }),
    };
    last = new Map(checks.map((check) => [check.id, evaluateCheck(check, context)]));
    for (const [id, outcome] of last) {
      if (outcome.holds && !passed.has(id)) passed.set(id, index);
      const told = `${id}/${outcome.mistake ?? ""}`;
      if (outcome.mistake !== null && !passed.has(id) && !mistakes.has(told)) mistakes.set(told, index);
    }
    for (const [key, value] of reads.all()) {
      everRead.set(key, value !== null || everRead.get(key) === true);
      if (value !== null) units.set(key, value.unit);
    }
  };
  const idleSetup = (lab.definition.setup ?? []).filter((line) => session.submit(line).made === null);
  look();
  const refused: { index: number; why: string }[] = [];
  const results: CommandResult[] = [];
  for (const line of lines) {
    index++;
    const step = session.submit(line);
    const why = step.output.filter(({ stream }) => stream === "error").map(({ text }) => text.split("\n")[0]);
    if (why.length > 0) refused.push({ index, why: why[0] });
    results.push(step.made === null ? NOTHING : track.stateOf(step.made).record.result);
    look();
  }
  return { passed, last, mistakes, refused, idleSetup, results, everRead, units, hash: session.world.machine.hash() };
}

const NOTHING: CommandResult = { ret: null, errno: null, faults: 0, first: null, accesses: null };
