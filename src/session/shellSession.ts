import type { BootOptions } from "../kernel/boot.ts";
import type { Message } from "../kernel/message.ts";
import type { Profile } from "../kernel/profile/profile.ts";
import { DEVICES } from "../kernel/drivers/hugelab.ts";
import { Stopped } from "../kernel/sched/pace.ts";
import type { Picture, PictureRequest } from "../observe/picture/model.ts";
import { completeLine, type Completion, type CompletionContext } from "../shell/completeLine.ts";
import { utf8Length } from "../shell/line/utf8.ts";
import { manEn } from "../shell/man/man.en.ts";
import type { ManTexts } from "../shell/man/manText.ts";
import type { RenderMessage } from "../shell/renderMessage.ts";
import { makeCommandTable } from "../shell/table/baseTable.ts";
import type { CommandSpec } from "../shell/table/commandSpec.ts";
import type { CommandTable } from "../shell/table/commandTable.ts";
import type { Tool } from "../shell/tools/tool.ts";
import { BEHAVIOUR } from "./behaviour.ts";
import { bisectSession, type BisectAnswer } from "./bisect/bisectSession.ts";
import { compareMachines, type Compared, type ComparedMachine } from "./compare/compareMachines.ts";
import { NodeDiffer } from "./diff/diffNodes.ts";
import { contentHash, digestOf } from "./digest.ts";
import { ELIGIBILITY_ROWS, eligibilityManEn, eligibilityTools, type EligibilityHost } from "./eligibility/rulesTool.ts";
import { exportSteps } from "./export/exportPath.ts";
import { stepsOf, type PathStep } from "./export/pathSteps.ts";
import { HISTORY_BYTES, HistoryMemory } from "./historyMemory.ts";
import { HistoryTree, type HistoryNode } from "./historyTree.ts";
import { LearnerWorld, type WorldSnapshot } from "./learnerWorld.ts";
import { LineRunner, type LineRun, type SessionSnapshot } from "./lineRunner.ts";
import { sessionManEn } from "./man.en.ts";
import type { CompareChoice, CompareView, DiffView, ExportForm, OutputPart, RestoreDifference, SavedNode, StepResult, TimelineView, WhyView } from "./model.ts";
import type { Outcome } from "./outcome.ts";
import { LivePacer, ReplayPacer, ReplayStopped, type CancelProbe } from "./pacer.ts";
import { perfStatRest } from "./perfStat.ts";
import { checkSaved, type RestoreOutcome } from "./restore.ts";
import { SESSION_ROWS } from "./rows.ts";
import { sessionTools, type ToolHost } from "./sessionTools.ts";
import { Lanes, timelineOf } from "./timeline.ts";
import { VIEW_ROWS, viewManEn, viewTools, type ViewHost } from "./viewTools.ts";
import { watchTool } from "./watches.ts";
import { Pictures } from "./pictures.ts";
import { PathHistory, type PathNode } from "./why/history.ts";
import { whyManEn } from "./why/man.en.ts";
import { whyView } from "./why/view.ts";
import { WHY_ROWS, whyTool } from "./why/whyTool.ts";

const NOTHING = { mark: "done", operationsDone: null, digest: digestOf({ outcome: null, output: [], operationsDone: null }) } as const;

/** What a layer above adds to the language of a session, as data. */
export interface SessionExtension {
  readonly rows: readonly CommandSpec[];
  readonly tools: Readonly<Record<string, Tool>>;
  readonly man: ManTexts;
}

export interface SessionOptions {
  readonly boot: BootOptions;
  /** how messages become sentences */
  readonly render: RenderMessage;
  /** kernel files that are set before the first line: [path, value] */
  readonly config?: readonly (readonly [string, string])[];
  readonly extra?: readonly SessionExtension[];
  /** kept with the session; nothing simulated so far draws random numbers */
  readonly seed?: number;
  /** what the snapshots of the history may hold, bytes */
  readonly historyBytes?: number;
  /** asked every few milliseconds while a line runs or a state is made again */
  readonly probe?: CancelProbe | null;
  /** told at each of these looks, with their number */
  readonly onProgress?: ((operationsDone: number) => void) | null;
}

/** Nodes of one history: more would make every look at the whole tree slow. */
export const MOST_NODES = 100_000;
/** UTF-8 bytes of one line, as storage can keep it */
export const MOST_LINE_BYTES = 1 << 16;

type Node = HistoryNode<SessionSnapshot>;

/** A learner at a terminal: lines go in, text comes out, and every state in between can be gone back to. docs/sessions.md */
export class ShellSession implements ToolHost, ViewHost, EligibilityHost {
  readonly world: LearnerWorld;
  readonly boot: BootOptions;
  readonly config: readonly (readonly [path: string, value: string])[];
  readonly patches: readonly string[];
  readonly seed: number;
  readonly table: CommandTable;
  readonly history: HistoryTree<SessionSnapshot>;
  readonly memory: HistoryMemory<SessionSnapshot>;
  /** where a restored session turned out not to be what was saved, so far */
  readonly differences: RestoreDifference[] = [];
  /** told of every node that was made, and of every restored one when it is replayed; outcome null: it ran no operation */
  onNode: ((node: number, outcome: Outcome | null, process: string) => void) | null = null;
  readonly #pictures: Pictures;
  readonly #differ: NodeDiffer;
  readonly #runner: LineRunner;
  readonly #render: RenderMessage;
  readonly #options: SessionOptions;
  readonly #lanes: Lanes;

  constructor(options: SessionOptions) {
    const { boot, render, config = [] } = options;
    this.#render = render;
    this.#options = options;
    this.world = new LearnerWorld(boot);
    const { machine } = this.world;
    for (const [path, value] of config) machine.run(() => machine.writeFile(path, value));
    this.boot = boot;
    this.config = config;
    this.patches = boot.patches ?? [];
    this.seed = options.seed ?? 0;
    const extra = options.extra ?? [];
    this.table = makeCommandTable(SESSION_ROWS, VIEW_ROWS, ELIGIBILITY_ROWS, WHY_ROWS, ...extra.map(({ rows }) => rows));
    const texts = Object.assign({}, manEn, sessionManEn, viewManEn, eligibilityManEn, whyManEn, ...extra.map(({ man }) => man)) as ManTexts;
    this.#runner = new LineRunner(this.world, this.table, { texts, render });
    this.#runner.tools = Object.assign({}, ...extra.map(({ tools }) => tools), sessionTools(this), viewTools(this), eligibilityTools(this), {
      why: this.#why(),
      watch: watchTool(this.#runner),
    }) as Readonly<Record<string, Tool>>;
    this.history = new HistoryTree<SessionSnapshot>(this.#fields("", { ...NOTHING, stateHash: this.#stateHash() }));
    this.memory = new HistoryMemory(this.history, options.historyBytes ?? HISTORY_BYTES);
    this.#lanes = new Lanes(this.history);
    this.#pictures = new Pictures(this.world, render);
    this.#differ = new NodeDiffer(machine.kernel, render);
  }

  /** What the prompt shows: the number of the state, the process, and the directory where it is not the root. */
  prompt(): string {
    const { directory } = this.#runner;
    return `[${this.history.current.id}] ${this.world.current}${directory === "/" ? "" : ` ${directory}`}> `;
  }

  /** Carries out one line. Never throws: when the simulator fails, its work is thrown away and the line is marked in the history. */
  submit(lineIn: string): StepResult {
    const line = lineIn.toWellFormed();
    if (line.length > MOST_LINE_BYTES || utf8Length(line) > MOST_LINE_BYTES) return this.#refused("session.lineTooLong", { most: MOST_LINE_BYTES });
    const pacer = new LivePacer(this.#options.probe ?? null, this.#options.onProgress ?? null);
    const run = this.#runner.run(line, pacer);
    if (run.moveTo !== null) return this.#moveTo(run.moveTo, run.output);
    // what the failure left behind is not to be trusted, nor what led to it since the last command
    if (run.mark === "bug") this.#runner.restore(this.#snapshot(this.history.current));
    if (run.made && this.history.all().length >= MOST_NODES) {
      this.#runner.restore(this.#snapshot(this.history.current));
      return this.#refused("session.history.full", { most: MOST_NODES });
    }
    const digest = digestOf(run);
    const stateHash = run.made ? this.#stateHash() : this.history.current.stateHash;
    let made: number | null = null;
    if (run.made) {
      const node = this.history.add(this.#fields(line.trim(), { ...run, stateHash, digest }));
      made = node.id;
      this.memory.keep(node, run.work);
      this.memory.trim(node.id);
      this.onNode?.(node.id, run.outcome, run.process);
    }
    return { ...this.#standing(), output: run.output, made, mark: run.mark, operationsDone: run.operationsDone, stateHash, digest, ended: run.ended };
  }

  /** Goes to a node of the history, or one step along it. */
  move(to: number | "back" | "forward"): StepResult {
    const node = to === "back" ? this.history.back() : to === "forward" ? this.history.forward() : this.history.find(to);
    if (node !== undefined) return this.#moveTo(node.id, []);
    if (to === "back") return this.#refused("session.history.atStart");
    if (to === "forward") return this.#refused("session.history.atEnd");
    return this.#refused("session.history.noNode", { id: String(to).slice(0, 20), most: this.history.all().length - 1 });
  }

  complete(text: string, cursor: number): Completion {
    // behind `perf stat` stands a line of its own
    const inner = perfStatRest(text);
    const skipped = inner === null ? 0 : text.length - inner.length;
    if (inner === null || cursor < skipped) return completeLine(text, cursor, this.completionContext());
    const { start, end, candidates } = completeLine(inner, cursor - skipped, this.completionContext());
    return { start: start + skipped, end: end + skipped, candidates };
  }

  completionContext(): CompletionContext {
    return {
      table: this.table,
      memoryNames: this.world.slots.names(),
      processes: this.world.living().map((p) => p.name),
      fileNames: [...this.world.files.keys(), ...DEVICES.map(({ path }) => path)],
      files: this.#runner.files,
      directory: this.#runner.directory,
    };
  }

  timeline(first: number, count: number): TimelineView {
    return timelineOf(this.history, this.#lanes, first, count, this.#render);
  }

  /** A picture of where the session stands. */
  picture(request: PictureRequest): Picture {
    const { current } = this.history;
    let steps: ReadonlyMap<number, number> | null = null;
    const nodeOfStep = (step: number): number | null => {
      steps ??= new Map(
        this.history
          .path(current.id)
          .map((node): [number, number] => [node.step, node.id])
          .reverse(),
      );
      return steps.get(step) ?? null;
    };
    const parent = this.history.back();
    const before = parent === undefined ? null : this.snapshotOf(parent.id).world.machine;
    // a line that only chose another process changed nothing
    const step = parent?.step === current.step ? 0 : current.step;
    return this.#pictures.build(request, { before, step, nodeOfStep });
  }

  /** What `why` with these words answers. @throws ReplayStopped when the probe wants to stop while states are made again */
  why(words: string): WhyView {
    return this.#aside(() => whyView(this.path(), words, this.world.current, this.#render));
  }

  /** What differs between two nodes. @throws RangeError for a node that is not there @throws ReplayStopped */
  diff(from: number, to: number): DiffView {
    const [before, after] = [from, to].map((id) => ({ id, world: this.snapshotOf(id).world }));
    return this.#differ.diff(before, after);
  }

  /** The commands that led here on another machine, side by side. */
  compare(choice: CompareChoice): CompareView {
    return compareMachines(this.#compared(), choice, this.#render);
  }

  /** Which change of the kernel made a line print something else than on another machine: that of a node, or the first. */
  bisect(other: Profile, node: number | null): BisectAnswer {
    return bisectSession(this.#compared(), other, node, this.#render);
  }

  #compared(): Compared {
    const { boot, config } = this;
    const path = this.history.path(this.history.current.id).slice(1);
    const lines = path.filter(({ mark }) => mark !== "bug").map(({ id, command, operationsDone }) => ({ node: id, command, stopAt: operationsDone }));
    const probe = this.#options.probe ?? null;
    const make = (otherBoot: BootOptions, files: ShellSession["config"]): ComparedMachine => {
      const other = new ShellSession({ boot: otherBoot, render: this.#render, config: files, historyBytes: 0 });
      return { world: other.world, run: (line, stopAt) => other.#runner.run(line, new ReplayPacer(stopAt, probe)) };
    };
    return { boot, config, lines, make, stop: () => probe?.stop() ?? false };
  }

  /** The commands that led to the current node, in another form. */
  exportAs(form: ExportForm): { readonly fileName: string; readonly text: string } {
    const { id } = this.world.machine.kernel.profile;
    return exportSteps(
      form,
      this.#steps(),
      { profile: id, patches: this.patches, config: this.config, names: this.world.slots.all().map((slot) => slot.name) },
      this.#render,
    );
  }

  /** A node as it is to be saved. @throws RangeError when there is none of that number */
  savedNode(id: number): SavedNode {
    const node = this.history.find(id);
    if (node === undefined) throw new RangeError(`no node ${id}`);
    const { parent, command, operationsDone, stateHash, digest } = node;
    return { node: id, parent, command, operationsDone, behaviour: BEHAVIOUR, stateHash, digest };
  }

  /**
   * Puts a saved session into this one, which must be new: the whole tree at once; the path to `current` is replayed, other nodes when they are
   * gone to. Whatever it is given: a list that cannot be is cut at its first bad node, and the notice says so.
   */
  restore(saved: readonly SavedNode[], current: number): RestoreOutcome {
    const { good, notice } = checkSaved(saved, MOST_NODES, MOST_LINE_BYTES);
    const start = this.history.find(0) as Node;
    if (this.history.all().length > 1) throw new Error("a session is restored only while it is new");
    if (good.length > 0) this.#prove(start, good[0], start);
    for (const { parent, command, operationsDone, stateHash, digest } of good.slice(1)) {
      const mark = operationsDone === null ? "done" : operationsDone === 0 ? "bug" : "cancelled";
      const node = this.history.append(parent ?? 0, { command, mark, operationsDone, snapshot: null, step: -1, isUnproved: true, stateHash, digest });
      this.memory.know(node);
    }
    const target = this.history.find(current) ?? this.history.all()[this.history.all().length - 1];
    const done = (message: Message | null): RestoreOutcome => ({
      differences: this.differences.slice(),
      notice: message === null ? null : this.#render(message),
    });
    try {
      this.snapshotOf(target.id);
      this.#standOn(target.id);
    } catch (error) {
      if (!(error instanceof ReplayStopped)) throw error;
      const reached = this.history.path(target.id).filter((node) => node.snapshot !== null);
      this.#standOn(reached[reached.length - 1].id);
      return done({ key: "session.restore.stopped", args: { id: this.history.current.id } });
    }
    if (target.id === current || notice !== null) return done(notice);
    return done({ key: "session.restore.noCurrent", args: { id: target.id } });
  }

  get acting(): string {
    return this.#runner.acting;
  }

  set moveTo(id: number | null) {
    this.#runner.moveTo = id;
  }

  get render(): RenderMessage {
    return this.#render;
  }

  /** The steps that led to where the learner stands; a line that only chose another process was none. */
  path(): PathHistory {
    const nodes = this.history.path(this.history.current.id);
    const steps = nodes.filter((node, i) => i === 0 || node.step !== nodes[i - 1].step);
    const path = steps.map((node, i): PathNode => ({
      id: node.id,
      command: node.command,
      stopAt: node.operationsDone,
      snapshot: () => this.#worldOf(node.id),
      again: i === 0 ? null : () => this.#runner.again(node.command),
    }));
    return new PathHistory(this.world, path, () => this.#lookUp());
  }

  /** The state after a node's command, made again when it was dropped; the session stays where it is. @throws ReplayStopped @throws RangeError */
  snapshotOf(id: number): SessionSnapshot {
    const chain: Node[] = [];
    let node = this.history.find(id);
    if (node === undefined) throw new RangeError(`no node ${id}`);
    for (; node.snapshot === null; node = this.history.parentOf(node) as Node) chain.push(node);
    if (chain.length === 0) return this.#snapshot(node);
    const from = this.#snapshot(node);
    return this.#aside(() => {
      this.#runner.restore(from);
      for (const next of chain.reverse()) {
        const { watch } = this.world;
        // who looks on has seen it, unless it was restored and never done here
        if (!next.isUnproved) this.world.watch = null;
        try {
          this.#replay(next);
        } finally {
          this.world.watch = watch;
        }
        this.memory.trim(next.id);
      }
      return this.#snapshot(chain[chain.length - 1]);
    });
  }

  /** Carries out the command of a node once more, from the state before it, with `world.watch` looking on; the session stays where it is. */
  rerun(id: number): LineRun | null {
    const node = this.history.find(id);
    if (node === undefined || node.parent === null || node.operationsDone === 0) return null;
    const before = this.snapshotOf(node.parent);
    return this.#aside(() => {
      this.#runner.restore(before);
      return this.#again(node);
    });
  }

  /** Adds a line in which the simulator died, as a node that is marked and changes nothing; it is not run. */
  markFailed(line: string): StepResult {
    const { stateHash } = this.history.current;
    const fields = { ...NOTHING, mark: "bug", operationsDone: 0, stateHash } as const;
    const node = this.history.add(this.#fields(line.toWellFormed().trim(), fields));
    this.memory.keep(node, 0);
    this.onNode?.(node.id, null, this.world.current);
    return { ...this.#standing(), made: node.id, mark: "bug", operationsDone: 0 };
  }

  /** Does something that leaves the session elsewhere, and comes back. */
  #aside<T>(work: () => T): T {
    const here = this.#runner.capture();
    try {
      return work();
    } finally {
      this.#runner.restore(here);
      this.world.faultLogs.clear();
    }
  }

  /** The commands that led here, each done once more to see with which numbers it was made. */
  #steps(): PathStep[] {
    return this.#aside(() =>
      this.history.path(this.history.current.id).flatMap((node) => {
        if (node.parent === null) return [];
        this.#runner.restore(this.snapshotOf(node.parent));
        const pids = new Map(this.world.living().map((p) => [p.name, this.world.task(p).pid]));
        const run = node.operationsDone === 0 ? null : this.#again(node);
        return stepsOf(node, run, this.world, pids.get(run?.process ?? this.world.current) ?? 0);
      }),
    );
  }

  /** The world after a node, for an explanation, which ends when the learner does not want to wait for it. */
  #worldOf(id: number): WorldSnapshot {
    try {
      return this.snapshotOf(id).world;
    } catch (error) {
      const { pacer } = this.#runner;
      if (!(error instanceof ReplayStopped) || pacer === null) throw error;
      // the look before this state was gone to becomes the one that stopped the line: how long a replay takes must not count
      pacer.stopHere();
      throw new Stopped();
    }
  }

  #fields(
    command: string,
    { mark, operationsDone, stateHash, digest }: Pick<Node, "mark" | "operationsDone" | "stateHash" | "digest">,
  ): Omit<Node, "id" | "parent"> {
    return { command, mark, operationsDone, snapshot: this.#runner.capture(), step: this.world.machine.kernel.step, isUnproved: false, stateHash, digest };
  }

  #snapshot(node: Node): SessionSnapshot {
    return node.snapshot as SessionSnapshot;
  }

  /** Does a node's command on the state as it stands, which is its parent's, and keeps the state after it. */
  #replay(node: Node): void {
    let run: LineRun | null = null;
    if (node.operationsDone !== 0) run = this.#again(node);
    node.snapshot = this.#runner.capture();
    node.step = this.world.machine.kernel.step;
    if (node.isUnproved) {
      const seen = { stateHash: this.#stateHash(), digest: run === null ? node.digest : digestOf(run) };
      this.#prove(node, node, seen);
      this.onNode?.(node.id, run?.outcome ?? null, run?.process ?? this.world.current);
    }
    this.memory.keep(node, run?.work ?? 0);
  }

  #again(node: Node): LineRun {
    this.#runner.replaying = true;
    try {
      return this.#runner.run(node.command, new ReplayPacer(node.operationsDone, this.#options.probe ?? null));
    } finally {
      this.#runner.replaying = false;
    }
  }

  /** Compares what was saved of a node with what it is. */
  #prove(node: Node, saved: Pick<SavedNode, "stateHash" | "digest">, is: Pick<SavedNode, "stateHash" | "digest">): void {
    const { id, command } = node;
    const { stateHash, digest } = saved;
    node.isUnproved = false;
    if (stateHash !== is.stateHash) this.differences.push({ node: id, what: "state", command, savedHash: stateHash, hash: is.stateHash });
    else if (digest !== is.digest) this.differences.push({ node: id, what: "seen", command, savedHash: digest, hash: is.digest });
    node.stateHash = is.stateHash;
    node.digest = is.digest;
  }

  /** Hash of all that undo takes back. */
  #stateHash(): string {
    const { world, directory, variables, watches } = this.#runner;
    const { machine, slots, processes, files, current } = world;
    return contentHash([machine.hash(), machine.kernel.step, slots.content(), processes, [...files], current, directory, [...variables], watches]);
  }

  #standOn(id: number): void {
    this.#runner.restore(this.snapshotOf(id));
    this.history.goto(id);
    this.memory.trim(id);
  }

  #moveTo(id: number, output: readonly OutputPart[]): StepResult {
    const undone = this.history.current;
    try {
      this.#standOn(id);
    } catch (error) {
      if (!(error instanceof ReplayStopped)) throw error;
      return this.#refused("session.cancelledMove", { id: undone.id });
    }
    const node = this.history.current;
    const key = node.id === 0 ? "session.history.nowBoot" : undone.parent === node.id ? "session.history.undone" : "session.history.now";
    const said = this.#part("note", key, { id: node.id, command: node.command, undone: undone.command });
    return { ...this.#standing(), output: [...output, said] };
  }

  #refused(key: string, args: Readonly<Record<string, string | number>> = {}): StepResult {
    return { ...this.#standing(), output: [this.#part("error", key, args)] };
  }

  #part(stream: "note" | "error", key: string, args: Readonly<Record<string, string | number>>): OutputPart {
    return { stream, text: `${this.#render({ key, args })}\n` };
  }

  /** A result that made nothing, where the session stands now. */
  #standing(): StepResult {
    const { id, stateHash } = this.history.current;
    return { output: [], prompt: this.prompt(), current: id, made: null, mark: "done", operationsDone: null, stateHash, digest: NOTHING.digest, ended: false };
  }

  #why(): Tool {
    const tool = whyTool(
      () => this.path(),
      () => this.acting,
    );
    // it goes back to the current node, but what came before it in its line stays
    return (args, stdin, context) => this.#aside(() => tool(args, stdin, context));
  }

  /** A step of an explanation is about to be looked at. @throws Stopped */
  #lookUp(): void {
    const { pacer } = this.#runner;
    if (pacer !== null && !pacer.look(false)) throw new Stopped();
  }
}
