import type { Outcome } from "../../session/outcome.ts";
import { FIRST_PROCESS } from "../../shell/command/parseLine.ts";
import { commandOf } from "../check/commandOf.ts";
import type { CommandResult, Counted, Happening, NodeRecord } from "../check/happenings.ts";
import { parsePath } from "../check/paths.ts";
import { ReadModel, type Value } from "../check/readModel.ts";
import { LabReducer, leavesOf, type Progression } from "../check/reduce.ts";
import { LabWatch } from "../check/watch.ts";
import type { Lab } from "../pack/pack.ts";
import type { LabSession } from "./session.ts";

/** What is remembered of a node of the history: the tallies behind its command, and what the command came to. Never changed. */
export interface NodeState {
  readonly progression: Progression;
  readonly record: NodeRecord;
}

const NOTHING: CommandResult = { ret: null, errno: null, faults: 0, first: null, accesses: null };

/** Counters of /proc/vmstat that tell of splits and collapses. */
const COUNTED: readonly (readonly [counter: string, event: Counted["event"], what: Counted["what"]])[] = [
  ["thp_split_pmd", "split", "pmd"],
  ["thp_split_page", "split", "page"],
  ["thp_collapse_alloc", "collapse", null],
];

function resultOf(outcome: Outcome, process: string): CommandResult {
  const { fields } = outcome;
  const taken = outcome.faults.find((each) => each.process === process)?.faults;
  const [first] = taken?.at ?? [];
  const text = (value: unknown): string | null => (typeof value === "string" || typeof value === "number" || typeof value === "bigint" ? String(value) : null);
  return {
    ret: text(fields.ret),
    errno: text(fields.errno),
    faults: taken?.pf ?? 0,
    first: first === undefined ? null : typeof first === "string" ? first : first[0],
    accesses: typeof fields.cnt === "number" ? fields.cnt : null,
  };
}

/** Follows a session: a state for each node that is made, by whichever line, undo or branch led there. */
export class LabTrack {
  readonly model: ReadModel;
  readonly reducer: LabReducer;
  readonly #session: LabSession;
  readonly #watch: LabWatch;
  readonly #states = new Map<number, NodeState>();
  readonly #sincePaths: readonly (readonly [path: string, process: string])[];
  readonly #atStart = new Map<string, Value | null>();
  /** the node where the model has read */
  #stands = 0;
  /** node at which the lab begins: that of the last setup line */
  readonly base: number;

  /** @throws Error when the session has made a node already: what happened before could not be known */
  constructor(lab: Lab, session: LabSession, onNode: (node: number) => void) {
    if (session.history.current.id !== 0 || session.history.find(1) !== undefined) throw new Error("a lab begins with a fresh session");
    this.#session = session;
    this.model = new ReadModel(session.world);
    this.reducer = new LabReducer(lab.definition);
    this.#watch = new LabWatch(session.world);
    this.base = lab.definition.setup?.length ?? 0;
    this.#sincePaths = [...leavesOf(lab.definition)].flatMap((leaf) =>
      "path" in leaf && leaf.since !== undefined ? [[leaf.path, leaf.process ?? FIRST_PROCESS] as const] : [],
    );
    this.#states.set(0, { progression: this.reducer.start(), record: { happenings: [], result: NOTHING } });
    if (this.base === 0) this.#readStart();
    session.world.watch = this.#watch;
    session.onNode = (node, outcome, process) => {
      this.#add(node, outcome, process);
      onNode(node);
    };
  }

  /** Reads a path; the world stands at the node. */
  read(path: string, node: number, process = FIRST_PROCESS): Value | null {
    const parsed = parsePath(path);
    if (parsed === null) return null;
    this.#standAt(node);
    return parsed.kind === "result" ? resultValue(this.stateOf(node).record.result[parsed.what]) : this.model.read(parsed, process);
  }

  #standAt(node: number): void {
    if (node !== this.#stands) this.model.forget();
    this.#stands = node;
  }

  readAtStart(path: string, process = FIRST_PROCESS): Value | null {
    return this.#atStart.get(`${process} ${path}`) ?? null;
  }

  #readStart(): void {
    for (const [path, process] of this.#sincePaths) this.#atStart.set(`${process} ${path}`, this.read(path, this.base, process));
  }

  /** State of a node. One that was never seen (it cannot be, but a lab must not fail for it) counts as one in which nothing happened. */
  stateOf(node: number): NodeState {
    for (let id: number | null = node; id !== null; id = this.#session.history.find(id)?.parent ?? null) {
      const state = this.#states.get(id);
      if (state !== undefined) return state;
    }
    return { progression: this.reducer.start(), record: { happenings: [], result: NOTHING } };
  }

  #add(node: number, outcome: Outcome | null, process: string): void {
    const seen = this.#watch.take();
    this.#standAt(node);
    const made = this.#session.history.find(node);
    const before = this.stateOf(made?.parent ?? 0);
    const happenings: Happening[] = [...seen];
    if (outcome !== null) {
      for (const [counter, event, what] of COUNTED) {
        const count = outcome.counters[counter] ?? 0;
        if (count > 0) happenings.push({ event, what, count });
      }
      const command = commandOf(made?.command ?? "", this.#session.world, this.#session.table);
      const errno = typeof outcome.fields.errno === "string" ? outcome.fields.errno : null;
      if (command !== null && typeof outcome.fields.error !== "string") happenings.push({ event: "command", process, errno, ...command });
    }
    const record = { happenings, result: outcome === null ? NOTHING : resultOf(outcome, process) };
    // what was done to set the scene is no doing of the learner
    const progression = node <= this.base ? this.reducer.start() : this.reducer.next(before.progression, record, this.model, FIRST_PROCESS);
    this.#states.set(node, { progression, record });
    if (node === this.base) this.#readStart();
  }
}

function resultValue(value: string | number | null): Value | null {
  return value === null ? null : { value, unit: "" };
}
