import type { Task } from "../kernel/mm/records.ts";
import { MISC } from "../kernel/mm/kernel.ts";
import { paceWhole, QUANTUM, Stopped } from "../kernel/sched/pace.ts";
import type { Op } from "../kernel/sched/points.ts";
import { FileTree } from "../observe/fileTree.ts";
import type { CallOperation } from "../shell/call/callOperation.ts";
import { parseCall } from "../shell/call/parseCall.ts";
import { classifyLine } from "../shell/classifyLine.ts";
import { FIRST_PROCESS, parseLine } from "../shell/command/parseLine.ts";
import { formatParseError } from "../shell/formatParseError.ts";
import type { ManLanguage } from "../shell/man/manPage.ts";
import type { Operation } from "../shell/operation.ts";
import type { ParseError } from "../shell/parseError.ts";
import type { CommandTable } from "../shell/table/commandTable.ts";
import type { FileAccess } from "../shell/tools/fileAccess.ts";
import { parseShell } from "../shell/tools/parseShell.ts";
import { runShell } from "../shell/tools/runShell.ts";
import type { ShellList } from "../shell/tools/shellSyntax.ts";
import type { Tool } from "../shell/tools/tool.ts";
import { argumentsOf, executeCall, type CallArguments } from "./callExecute.ts";
import { callLines } from "./callText.ts";
import { carryOut, type Measured } from "./carryOut.ts";
import { execute, type ResultFields } from "./execute.ts";
import type { LearnerWorld, WorldSnapshot } from "./learnerWorld.ts";
import type { NodeMark, OutputPart } from "./model.ts";
import { describeOutcome, type Outcome } from "./outcome.ts";
import { ReplayStopped, type Pacer } from "./pacer.ts";
import { perfStatLines, perfStatRest } from "./perfStat.ts";
import { readWatches, watchLines, type Watched } from "./watches.ts";

/** Everything that undo takes back: the world, and the shell's variables, directory and watched files. */
export interface SessionSnapshot {
  readonly world: WorldSnapshot;
  readonly variables: ReadonlyMap<string, string>;
  readonly directory: string;
  readonly watches: readonly Watched[];
}

/** What a line ran, for exports: with the numbers it was made with and what it returned. */
export type Said =
  | { readonly kind: "call"; readonly operation: CallOperation; readonly given: CallArguments; readonly fields: ResultFields }
  | { readonly kind: "command"; readonly operation: Operation; readonly fields: ResultFields }
  | { readonly kind: "tool" };

/** What a line came to. */
export interface LineRun {
  readonly output: readonly OutputPart[];
  /** what its operation did; null when it ran none */
  readonly outcome: Outcome | null;
  readonly said: Said | null;
  /** the process that it belonged to */
  readonly process: string;
  /** it did something that can be taken back */
  readonly made: boolean;
  readonly mark: NodeMark;
  /** of a stopped line: the look that stopped it; null: it ran to its end; 0: the simulator failed */
  readonly operationsDone: number | null;
  /** the work it took, in pages (kernel/sched/pace.ts), roughly */
  readonly work: number;
  /** where it wants to go in the history */
  readonly moveTo: number | null;
  /** the learner leaves */
  readonly ended: boolean;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Draft = Omit<Writable<LineRun>, "output"> & { readonly output: OutputPart[] };

/** passes of khugepaged after which `khugepaged scan` gives up: with a pages_to_scan of 1 a full scan could take for ever */
const MOST_WAKES = 1 << 16;

/** Do two captures hold the same state? Parts that nothing wrote to are shared between captures. */
function isSame(a: SessionSnapshot, b: SessionSnapshot): boolean {
  const { columns, records } = a.world.machine.store;
  const other = b.world.machine.store;
  const isSameMachine = columns.every((c, i) => c === other.columns[i]) && records.every((r, i) => r === other.records[i]);
  return isSameMachine && a.directory === b.directory && a.watches === b.watches && sameEntries(a.variables, b.variables);
}

function sameEntries(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}

/** Carries out lines on a world: what a shell does, without a history. */
export class LineRunner {
  readonly world: LearnerWorld;
  readonly table: CommandTable;
  readonly language: ManLanguage;
  /** by name; filled by the session, whose tools look at it */
  tools: Readonly<Record<string, Tool>> = {};
  /** the process that the line belongs to: the current one, or the one it names */
  acting = FIRST_PROCESS;
  directory = "/";
  variables: ReadonlyMap<string, string> = new Map();
  watches: readonly Watched[] = [];
  /** of the line that runs; null between lines */
  pacer: Pacer | null = null;
  /** left by a tool: where the learner wants to go in the history */
  moveTo: number | null = null;
  /** a line is being done once more: tools that tell the learner something new must not */
  replaying = false;
  readonly #files: FileTree;
  /** a write to a kernel file was stopped in the middle: nothing of the line may stay */
  #halfWritten = false;
  #lines = 0;
  #run: Draft = draft(FIRST_PROCESS);

  constructor(world: LearnerWorld, table: CommandTable, language: ManLanguage) {
    this.world = world;
    this.table = table;
    this.language = language;
    this.#files = new FileTree(world.machine, () => this.taskOf(this.acting));
  }

  get files(): FileAccess {
    return this.#files;
  }

  capture(): SessionSnapshot {
    return { world: this.world.capture(), variables: this.variables, directory: this.directory, watches: this.watches };
  }

  restore(to: SessionSnapshot): void {
    this.world.restore(to.world);
    this.variables = to.variables;
    this.directory = to.directory;
    this.watches = to.watches;
  }

  taskOf(name: string): Task | undefined {
    const process = this.world.find(name);
    return process === undefined ? undefined : this.world.task(process);
  }

  /**
   * Carries out one line. When the simulator fails, its work is thrown away and the run is marked.
   * @throws ReplayStopped
   */
  run(line: string, pacer: Pacer): LineRun {
    // a run inside a run (a state is made again for an explanation) leaves the outer one as it was
    const outer = { run: this.#run, acting: this.acting, moveTo: this.moveTo, pacer: this.pacer };
    const before = this.capture();
    this.#run = draft(this.world.current);
    this.#lines++;
    this.moveTo = null;
    this.pacer = pacer;
    this.acting = this.world.current;
    const watched = this.replaying ? null : readWatches(this);
    try {
      this.#line(line, pacer, before);
      if (watched !== null) for (const text of watchLines(watched, readWatches(this), this.language.render)) this.#note(text);
      this.#run.process = this.acting;
      this.#run.moveTo = this.moveTo;
      return this.#run;
    } catch (error) {
      if (error instanceof ReplayStopped) throw error;
      this.restore(before);
      if (error instanceof Stopped) this.#stoppedWhole(pacer);
      else this.#failed(error);
      return this.#run;
    } finally {
      this.#run = outer.run;
      this.acting = outer.acting;
      this.moveTo = outer.moveTo;
      this.pacer = outer.pacer;
      this.#halfWritten = false;
    }
  }

  /** The operation of a line once more, for an explanation, on the world as it stands: what it prints and sets in the shell is thrown away. */
  *again(line: string): Op<ResultFields> {
    const { output } = this.#run;
    const printed = output.length;
    const outer = { acting: this.acting, directory: this.directory, variables: this.variables, watches: this.watches, replaying: this.replaying };
    this.replaying = true;
    try {
      return yield* this.#againLine(line);
    } finally {
      output.length = printed;
      Object.assign(this, outer);
    }
  }

  *#againLine(lineIn: string): Op<ResultFields> {
    const line = perfStatRest(lineIn) ?? lineIn;
    const addressed = addressedLine(line);
    this.acting = addressed?.name ?? this.world.current;
    const rest = addressed === null ? line : addressed.rest;
    const found = classifyLine(rest ?? "", this.table);
    if (rest === undefined || found.form === "empty") return {};
    if (found.form === "command") {
      const parsed = parseLine(line, 1);
      return parsed.kind === "operation" ? yield* this.#operation({ ...parsed.operation, process: this.acting }) : {};
    }
    const task = this.taskOf(this.acting);
    if (found.form === "call") {
      const parsed = parseCall(rest, 1, this.table, new Set(this.world.slots.names()));
      return parsed.kind === "call" && task !== undefined ? yield* executeCall(this.world, task, parsed.operation, this.directory) : {};
    }
    const parsed = parseShell(rest, 1);
    return parsed.kind === "error" ? {} : yield* this.#runTools(parsed.list);
  }

  #line(line: string, pacer: Pacer, before: SessionSnapshot): void {
    const inner = perfStatRest(line);
    const { kernel } = this.world.machine;
    const misses = { loads: kernel.tlbLoadMisses, stores: kernel.tlbStoreMisses };
    const measured = this.#addressed(inner ?? line, pacer, before);
    if (inner === null) return;
    if (measured === null) this.#say("error", "session.perf.nothing");
    else {
      const counts = { loads: kernel.tlbLoadMisses - misses.loads, stores: kernel.tlbStoreMisses - misses.stores };
      for (const text of perfStatLines(inner, measured, counts, this.language.render)) this.#note(text);
    }
  }

  #addressed(line: string, pacer: Pacer, before: SessionSnapshot): Measured | null {
    const addressed = addressedLine(line);
    if (addressed === null) return this.#form(line, pacer, before);
    const { name, rest } = addressed;
    if (this.world.find(name) === undefined) {
      const names = this.world.living().map((p) => p.name);
      this.#say("error", "session.noProcessNamed", { name, names: names.join(" ") });
      return null;
    }
    if (rest === undefined) {
      this.world.current = name;
      this.#run.made = true;
      return null;
    }
    this.acting = name;
    // the command form has the name in its grammar, so that a mistake is shown in the line as typed
    return this.#form(classifyLine(rest, this.table).form === "command" ? line : rest, pacer, before);
  }

  /** `text` is what the parser of its form is given. */
  #form(text: string, pacer: Pacer, before: SessionSnapshot): Measured | null {
    const found = classifyLine(text, this.table);
    if (found.form === "empty") return null;
    if (found.form === "tool" && found.name === "quit") {
      this.#run.ended = true;
      return null;
    }
    if (found.form === "command") return this.#command(text, pacer);
    if (found.form === "call") return this.#call(text, pacer);
    return this.#tool(text, pacer, before);
  }

  // --- command form

  #command(text: string, pacer: Pacer): Measured | null {
    const parsed = parseLine(text, this.#lines);
    if (parsed.kind === "error") this.#mistake(parsed.error, text);
    if (parsed.kind !== "operation") return null;
    if (this.taskOf(this.acting) === undefined) {
      this.#say("error", "session.noProcess");
      return null;
    }
    const operation: Operation = { ...parsed.operation, process: this.acting };
    return this.#carry(
      () => this.#operation(operation),
      (measured) => {
        this.#run.said = { kind: "command", operation, fields: measured.outcome.fields };
        return this.#outcomeLines(measured.outcome, true);
      },
      pacer,
    );
  }

  #operation(operation: Operation): Op<ResultFields> {
    const { body } = operation;
    return body.op === "khugepagedScan" ? this.#khugepagedScan(body.passes) : execute(this.world, operation);
  }

  /** Full passes of khugepaged: it is woken, with the settings as they are, until it has been round so many times. */
  *#khugepagedScan(passes: number): Op<ResultFields> {
    const { machine } = this.world;
    const { kernel } = machine;
    const scans = (): number => kernel.misc.get(MISC.fullScans);
    const before = scans();
    if (!kernel.g.khugepagedRunning) return { ret: 0, passes: 0, hint: "hint.khugepagedStopped" };
    if (kernel.g.khugepagedMms.length === 0) return { ret: 0, passes: 0, hint: "hint.khugepagedIdle" };
    for (let i = 0; i < MOST_WAKES && scans() - before < passes && !kernel.stopped; i++) yield* machine.wakeKhugepaged();
    return { ret: 0, passes: scans() - before };
  }

  // --- C form

  #call(text: string, pacer: Pacer): Measured | null {
    const parsed = parseCall(text, this.#lines, this.table, new Set(this.world.slots.names()));
    if (parsed.kind === "error") this.#mistake(parsed.error, text);
    if (parsed.kind !== "call") return null;
    const { operation } = parsed;
    // the process number in front of a line of strace -f, if there is such a process
    const pid = Number(/^\s*(?:\[pid\s+)?(\d+)\]?\s/.exec(text)?.[1] ?? 0);
    const named = this.world.living().find((process) => pid > 0 && this.world.task(process).pid === pid);
    if (named !== undefined) this.acting = named.name;
    const task = this.taskOf(this.acting);
    if (task === undefined) {
      this.#say("error", "session.noProcess");
      return null;
    }
    const given = argumentsOf(this.world, operation, this.directory);
    return this.#carry(
      () => executeCall(this.world, task, operation, this.directory),
      ({ outcome }) => {
        const { fields } = outcome;
        this.#run.said = { kind: "call", operation, given, fields };
        if (typeof fields.error === "string") return this.#outcomeLines(outcome, true);
        return [...callLines(operation, given, fields, this.language.render), ...this.#outcomeLines(outcome, false)];
      },
      pacer,
    );
  }

  // --- tools

  #tool(text: string, pacer: Pacer, before: SessionSnapshot): Measured | null {
    const parsed = parseShell(text, this.#lines);
    if (parsed.kind === "error") {
      this.#mistake(parsed.error, text);
      return null;
    }
    const run = this.#run;
    // what a write to a kernel file sets off belongs to this line
    const measured = carryOut(this.world, () => this.#runTools(parsed.list), pacer);
    if (this.moveTo !== null) {
      this.restore(before);
      return null;
    }
    this.#noteWork(pacer);
    run.outcome = measured.outcome;
    run.said = { kind: "tool" };
    for (const line of this.#outcomeLines(measured.outcome, false)) this.#note(line);
    // looking at things makes no node: undo takes back what changed something
    run.made = !isSame(before, this.capture());
    if (!run.made) this.restore(before);
    if (pacer.stopped) this.#stopped(pacer, run.made ? "session.cancelled" : "session.cancelledNothing");
    return measured;
  }

  *#runTools(list: ShellList): Op<ResultFields> {
    this.#files.hint = null;
    const k = this.world.machine.kernel;
    const files = this.#files;
    const outcome = runShell(list, {
      files: {
        read: (path) => files.read(path),
        list: (path) => files.list(path),
        write: (path, text, append) => {
          this.#halfWritten = true;
          const errno = files.write(path, text, append);
          this.#halfWritten = false;
          return errno;
        },
      },
      directory: this.directory,
      variables: this.variables,
      table: this.table,
      language: this.language,
      replaying: this.replaying,
      pace: (work) => paceWhole(k, work),
      findTool: (name) => (Object.hasOwn(this.tools, name) ? this.tools[name] : null),
    });
    if (this.#halfWritten) throw new Stopped();
    for (const part of outcome.output) {
      if (part.stream === "out") this.#run.output.push({ stream: "out", text: part.text });
      else this.#run.output.push({ stream: "error", text: `${this.language.render(part.message)}\n` });
    }
    this.directory = outcome.directory;
    this.variables = outcome.variables;
    return files.hint === null ? {} : { hint: files.hint };
  }

  // --- what all have in common

  /** Runs an operation as the next step and says what it did. */
  #carry(operation: () => Op<ResultFields>, linesOf: (measured: Measured) => string[], pacer: Pacer): Measured {
    const run = this.#run;
    const measured = carryOut(this.world, operation, pacer);
    this.#noteWork(pacer);
    run.outcome = measured.outcome;
    for (const line of linesOf(measured)) this.#note(line);
    if (pacer.stopped) this.#stopped(pacer, measured.outcome.hint === "hint.stopped" && !pacer.atLimit ? null : "session.cancelled");
    this.#leaveEnded();
    run.made = true;
    return measured;
  }

  #noteWork(pacer: Pacer): void {
    // looks are a quantum of work apart; what came after the last one is not known any more
    this.#run.work = pacer.done * QUANTUM;
  }

  /** It was stopped, and what it did stays. */
  #stopped(pacer: Pacer, key: string | null): void {
    this.#run.mark = "cancelled";
    this.#run.operationsDone = pacer.done;
    if (pacer.atLimit) this.#say("note", "session.stopped", { millions: Math.round((pacer.done * QUANTUM) / 1e6) });
    else if (key !== null) this.#say("note", key);
  }

  /** It was stopped where it can only be done whole: the state before it is back. */
  #stoppedWhole(pacer: Pacer): void {
    this.#run = { ...draft(this.acting), mark: "cancelled", operationsDone: pacer.done };
    this.#say("note", "session.cancelledWhole");
  }

  #failed(error: unknown): void {
    this.#run = { ...draft(this.acting), mark: "bug", operationsDone: 0, made: true, output: this.#run.output };
    this.#say("error", "session.bug", { what: error instanceof Error ? error.message.split("\n")[0].slice(0, 200) : String(error) });
  }

  /** When the current process has ended, another one becomes the current one. */
  #leaveEnded(): void {
    const { current } = this.world;
    if (this.world.find(current) !== undefined) return;
    const [next] = this.world.living();
    if (next === undefined) this.#say("note", "session.lastExited", { name: current });
    else {
      this.world.current = next.name;
      this.#say("note", "session.exited", { name: current, next: next.name });
    }
  }

  /** Lines of an outcome; without `withResult` those behind the result, which is printed in another way. */
  #outcomeLines(outcome: Outcome, withResult: boolean): string[] {
    const self = this.world.current;
    const all = describeOutcome(outcome, self, this.language.render);
    if (withResult) return all;
    const result = describeOutcome({ fields: outcome.fields, hint: null, faults: [], rss: [], anonHugeKb: 0, counters: {} }, self, this.language.render);
    return all.slice(result.length);
  }

  #mistake(error: ParseError, line: string): void {
    this.#run.output.push({ stream: "error", text: `${formatParseError(error, "line", line, this.language.render)}\n` });
  }

  #note(text: string): void {
    this.#run.output.push({ stream: "note", text: `${text}\n` });
  }

  #say(stream: "note" | "error", key: string, args: Readonly<Record<string, string | number>> = {}): void {
    this.#run.output.push({ stream, text: `${this.language.render({ key, args })}\n` });
  }
}

function draft(process: string): Draft {
  return {
    output: [],
    outcome: null,
    said: null,
    process,
    made: false,
    mark: "done",
    operationsDone: null,
    work: 0,
    moveTo: null,
    ended: false,
  };
}

/** `@NAME rest`: the process and what is said to it; null for a line that names none. */
function addressedLine(line: string): { readonly name: string; readonly rest: string | undefined } | null {
  const found = /^\s*@([A-Za-z_][\w.]*)(?:\s+(\S.*))?$/.exec(line);
  return found === null ? null : { name: found[1], rest: found[2] };
}
