import type { BootOptions } from "../kernel/boot.ts";
import { MISC } from "../kernel/mm/kernel.ts";
import type { Task } from "../kernel/mm/records.ts";
import type { Op } from "../kernel/sched/points.ts";
import { FileTree } from "../observe/fileTree.ts";
import type { CallOperation } from "../shell/call/callOperation.ts";
import { parseCall } from "../shell/call/parseCall.ts";
import { classifyLine } from "../shell/classifyLine.ts";
import { FIRST_PROCESS, parseLine } from "../shell/command/parseLine.ts";
import type { CompletionContext } from "../shell/completeLine.ts";
import { formatParseError } from "../shell/formatParseError.ts";
import { manEn } from "../shell/man/man.en.ts";
import type { ManLanguage } from "../shell/man/manPage.ts";
import type { Operation } from "../shell/operation.ts";
import type { ParseError } from "../shell/parseError.ts";
import type { RenderMessage } from "../shell/renderMessage.ts";
import { makeCommandTable } from "../shell/table/baseTable.ts";
import type { CommandTable } from "../shell/table/commandTable.ts";
import type { FileAccess } from "../shell/tools/fileAccess.ts";
import { parseShell } from "../shell/tools/parseShell.ts";
import { runShell } from "../shell/tools/runShell.ts";
import type { ShellList } from "../shell/tools/shellSyntax.ts";
import type { Tool } from "../shell/tools/tool.ts";
import { argumentsOf, executeCall, straceLine } from "./callExecute.ts";
import { carryOut, type Carried } from "./carryOut.ts";
import { execute, type ResultFields } from "./execute.ts";
import { HistoryTree, type HistoryNode } from "./historyTree.ts";
import { LearnerWorld, type WorldSnapshot } from "./learnerWorld.ts";
import { sessionManEn } from "./man.en.ts";
import { describeOutcome } from "./outcome.ts";
import { SESSION_ROWS } from "./rows.ts";
import { sessionTools, type ToolHost } from "./sessionTools.ts";
import { PathHistory, type PathNode } from "./why/history.ts";
import { whyManEn } from "./why/man.en.ts";
import { WHY_ROWS, whyTool } from "./why/whyTool.ts";

/** A node of the history: the whole world of the session, and the shell's variables and directory. */
interface SessionSnapshot {
  readonly world: WorldSnapshot;
  readonly variables: ReadonlyMap<string, string>;
  readonly directory: string;
  /** the operation of the command that led here, made anew for the world as it stands; null where the command ran none */
  readonly again: (() => Op<ResultFields>) | null;
}

/** `out`: what a tool printed; `note`: what the session says about a command; `error`: what was wrong with the line. Text with its newlines. */
export interface SessionOutput {
  readonly stream: "out" | "note" | "error";
  readonly text: string;
}

export interface Submission {
  readonly output: readonly SessionOutput[];
  /** the learner wants to leave */
  readonly ended: boolean;
}

/** passes of khugepaged after which `khugepaged scan` gives up: with a pages_to_scan of 1 a full scan could take for ever */
const MOST_WAKES = 1 << 16;

/** Do two captures of one machine hold the same state? Parts that nothing wrote to are shared between captures. */
function isSameMachine(a: WorldSnapshot, b: WorldSnapshot): boolean {
  const { columns, records } = a.machine.store;
  return columns.every((c, i) => c === b.machine.store.columns[i]) && records.every((r, i) => r === b.machine.store.records[i]);
}

/** A learner at a terminal: lines go in, text comes out, and every state in between can be gone back to. */
export class ShellSession implements ToolHost {
  readonly world: LearnerWorld;
  readonly patches: readonly string[];
  readonly history: HistoryTree<SessionSnapshot>;
  readonly table: CommandTable;
  moveTo: number | null = null;
  readonly #files: FileTree;
  readonly #language: ManLanguage;
  readonly #tools: Readonly<Record<string, Tool>>;
  #variables: ReadonlyMap<string, string> = new Map();
  #directory = "/";
  /** the process that the line belongs to: the current one, or the one it names */
  acting = FIRST_PROCESS;
  #lines = 0;
  #output: SessionOutput[] = [];

  /** `render`: how messages become sentences. `config`: kernel files that are set before the first line. */
  constructor(options: BootOptions, render: RenderMessage, config: readonly (readonly [path: string, value: string])[] = []) {
    this.world = new LearnerWorld(options);
    const { machine } = this.world;
    for (const [path, value] of config) machine.run(() => machine.writeFile(path, value));
    this.patches = options.patches ?? [];
    this.table = makeCommandTable(SESSION_ROWS, WHY_ROWS);
    this.#language = { texts: { ...manEn, ...sessionManEn, ...whyManEn }, render };
    this.#files = new FileTree(this.world.machine, () => this.#actingTask());
    this.#tools = {
      ...sessionTools(this),
      why: whyTool(
        () => this.#path(),
        () => this.acting,
      ),
    };
    this.history = new HistoryTree(this.#capture(null));
  }

  /** What the prompt shows: the number of the state, the process, and the directory where it is not the root. */
  prompt(): string {
    return `[${this.history.current.id}] ${this.world.current}${this.#directory === "/" ? "" : ` ${this.#directory}`}> `;
  }

  completionContext(): CompletionContext {
    return {
      table: this.table,
      memoryNames: this.world.slots.names(),
      processes: this.world.living().map((p) => p.name),
      fileNames: [...this.world.files.keys()],
      files: this.#files satisfies FileAccess,
      directory: this.#directory,
    };
  }

  /** The task of the process that the line belongs to; undefined when it has ended. */
  #actingTask(): Task | undefined {
    return this.#taskOf(this.acting);
  }

  #taskOf(name: string): Task | undefined {
    const process = this.world.find(name);
    return process === undefined ? undefined : this.world.task(process);
  }

  /** Carries out one line. Never throws: when the simulator fails, its work is thrown away and the line is marked in the history. */
  submit(line: string): Submission {
    this.#output = [];
    this.#lines++;
    this.moveTo = null;
    this.acting = this.world.current;
    let ended = false;
    try {
      ended = this.#line(line);
    } catch (error) {
      this.#restore(this.history.current);
      this.history.add(line, this.history.current.snapshot, "bug");
      this.#say("error", "session.bug", { what: error instanceof Error ? error.message.split("\n")[0].slice(0, 200) : String(error) });
    }
    return { output: this.#output, ended };
  }

  /** Returns whether the learner leaves. */
  #line(line: string): boolean {
    const addressed = /^\s*@([A-Za-z_][\w.]*)(?:\s+(\S.*))?$/.exec(line);
    if (addressed === null) return this.#form(line, line);
    const [, name, rest] = addressed;
    if (this.world.find(name) === undefined) {
      this.#say("error", "session.noProcessNamed", {
        name,
        names: this.world
          .living()
          .map((p) => p.name)
          .join(" "),
      });
      return false;
    }
    if (rest === undefined) {
      this.world.current = name;
      this.#keep(line);
      return false;
    }
    this.acting = name;
    // the command form has the name in its grammar, so that a mistake is shown in the line as typed
    return this.#form(classifyLine(rest, this.table).form === "command" ? line : rest, line);
  }

  /** `text` is what the parser of its form is given, `typed` the line for the history. Returns whether the learner leaves. */
  #form(text: string, typed: string): boolean {
    const found = classifyLine(text, this.table);
    if (found.form === "empty") return false;
    if (found.form === "tool" && found.name === "quit") return true;
    if (found.form === "command") this.#command(text, typed);
    else if (found.form === "call") this.#call(text, typed);
    else this.#tool(text, typed);
    return false;
  }

  // --- command form

  #command(text: string, typed: string): void {
    const parsed = parseLine(text, this.#lines);
    if (parsed.kind === "error") this.#mistake(parsed.error, text);
    if (parsed.kind !== "operation") return;
    if (this.#actingTask() === undefined) {
      this.#say("error", "session.noProcess");
      return;
    }
    const operation: Operation = { ...parsed.operation, process: this.acting };
    this.#carry(typed, () => this.#operation(operation));
  }

  #operation(operation: Operation): Op<ResultFields> {
    const { body } = operation;
    return body.op === "khugepagedScan" ? this.#khugepagedScan(body.passes) : execute(this.world, operation);
  }

  /** Full passes of khugepaged: it is woken, with the settings as they are, until it has been round so many times. */
  *#khugepagedScan(passes: number): Op<ResultFields> {
    const { machine } = this.world;
    const scans = (): number => machine.kernel.misc.get(MISC.fullScans);
    const before = scans();
    if (!machine.kernel.g.khugepagedRunning) return { ret: 0, passes: 0, hint: "hint.khugepagedStopped" };
    if (machine.kernel.g.khugepagedMms.length === 0) return { ret: 0, passes: 0, hint: "hint.khugepagedIdle" };
    for (let i = 0; i < MOST_WAKES && scans() - before < passes; i++) yield* machine.wakeKhugepaged();
    return { ret: 0, passes: scans() - before };
  }

  // --- C form

  #call(text: string, typed: string): void {
    const parsed = parseCall(text, this.#lines, this.table, new Set(this.world.slots.names()));
    if (parsed.kind === "error") this.#mistake(parsed.error, text);
    if (parsed.kind !== "call") return;
    const { operation } = parsed;
    const task = this.#actingTask();
    const { acting } = this;
    if (task === undefined) {
      this.#say("error", "session.noProcess");
      return;
    }
    const args = argumentsOf(this.world, task, operation);
    this.#carry(
      typed,
      () => executeCall(this.world, this.#taskOf(acting) ?? task, operation),
      (carried) => this.#callLines(operation, args, carried),
    );
  }

  #callLines(operation: CallOperation, args: readonly bigint[], { outcome }: Carried): string[] {
    const { fields } = outcome;
    if (typeof fields.error === "string") return this.#outcomeLines(outcome, true);
    const lines = [straceLine(this.world, operation, args, fields)];
    if (typeof fields.incore === "string") lines.push(`vec: ${fields.incore}`);
    if (typeof fields.child === "string") lines.push(this.#sentence("session.child", { name: fields.child }));
    const { recorded } = operation;
    if (recorded !== null && recorded.errno !== null && recorded.errno !== fields.errno)
      lines.push(this.#sentence("session.recordedErrno", { errno: recorded.errno }));
    return [...lines, ...this.#outcomeLines(outcome, false)];
  }

  // --- tools

  #tool(text: string, typed: string): void {
    const parsed = parseShell(text, this.#lines);
    if (parsed.kind === "error") {
      this.#mistake(parsed.error, text);
      return;
    }
    // what a write to a kernel file sets off belongs to this line
    const carried = carryOut(this.world, () => this.#runTools(parsed.list));
    if (this.moveTo !== null) {
      this.#moveTo(this.moveTo);
      return;
    }
    for (const line of this.#outcomeLines(carried.outcome, false)) this.#note(line);
    this.#keepIfChanged(typed, () => this.#againTools(parsed.list));
  }

  /** A line of tools once more, for an explanation: what it prints and what it sets in the shell is thrown away. */
  *#againTools(list: ShellList): Op<ResultFields> {
    const printed = this.#output.length;
    const { acting } = this;
    const [directory, variables] = [this.#directory, this.#variables];
    const fields = yield* this.#runTools(list);
    this.#output.length = printed;
    this.#directory = directory;
    this.#variables = variables;
    this.acting = acting;
    return fields;
  }

  /** The steps that led to where the learner stands; a line that only chose another process was none. */
  #path(): PathHistory {
    const path: PathNode[] = [];
    for (let node: HistoryNode<SessionSnapshot> | undefined = this.history.current; node !== undefined;) {
      const before: HistoryNode<SessionSnapshot> | undefined = node.parent === null ? undefined : this.history.find(node.parent);
      const { world, again } = node.snapshot;
      if (before === undefined || before.snapshot.world.machine.step !== world.machine.step)
        path.unshift({ id: node.id, command: node.command, snapshot: world, again });
      node = before;
    }
    return new PathHistory(this.world, path);
  }

  *#runTools(list: ShellList): Op<ResultFields> {
    this.#files.hint = null;
    const outcome = runShell(list, {
      files: this.#files,
      directory: this.#directory,
      variables: this.#variables,
      table: this.table,
      language: this.#language,
      findTool: (name) => (Object.hasOwn(this.#tools, name) ? this.#tools[name] : null),
    });
    for (const part of outcome.output) {
      if (part.stream === "out") this.#output.push({ stream: "out", text: part.text });
      else this.#output.push({ stream: "error", text: `${this.#language.render(part.message)}\n` });
    }
    this.#directory = outcome.directory;
    this.#variables = outcome.variables;
    return this.#files.hint === null ? {} : { hint: this.#files.hint };
  }

  #moveTo(id: number): void {
    const undone = this.history.current;
    const node = this.history.goto(id);
    this.#restore(node);
    if (node.id === 0) this.#say("note", "session.history.nowBoot");
    else
      this.#say("note", undone.parent === node.id ? "session.history.undone" : "session.history.now", {
        id: node.id,
        command: node.command,
        undone: undone.command,
      });
  }

  // --- what all have in common

  /** Runs an operation as the next step, prints what it did and makes a node of it. */
  #carry(
    typed: string,
    operation: () => Op<ResultFields>,
    linesOf: (carried: Carried) => string[] = (carried) => this.#outcomeLines(carried.outcome, true),
  ): void {
    const carried = carryOut(this.world, operation);
    for (const line of linesOf(carried)) this.#note(line);
    if (carried.stopped && carried.outcome.hint === null) this.#say("note", "session.stopped");
    this.#leaveEnded();
    this.#keep(typed, operation);
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
  #outcomeLines(outcome: Carried["outcome"], withResult: boolean): string[] {
    const self = this.world.current;
    const all = describeOutcome(outcome, self, this.#language.render);
    if (withResult) return all;
    const result = describeOutcome({ fields: outcome.fields, hint: null, faults: [], rss: [], anonHugeKb: 0, counters: {} }, self, this.#language.render);
    return all.slice(result.length);
  }

  #capture(again: (() => Op<ResultFields>) | null): SessionSnapshot {
    return { world: this.world.capture(), variables: this.#variables, directory: this.#directory, again };
  }

  #keep(command: string, again: (() => Op<ResultFields>) | null = null): void {
    this.history.add(command.trim(), this.#capture(again));
  }

  /** Looking at things makes no node: undo takes back what changed something. */
  #keepIfChanged(command: string, again: () => Op<ResultFields>): void {
    const was = this.history.current.snapshot;
    const now = this.#capture(again);
    const isSame = isSameMachine(was.world, now.world) && was.directory === now.directory && sameEntries(was.variables, now.variables);
    if (isSame) this.#restore(this.history.current);
    else this.history.add(command.trim(), now);
  }

  #restore(node: HistoryNode<SessionSnapshot>): void {
    this.world.restore(node.snapshot.world);
    this.#variables = node.snapshot.variables;
    this.#directory = node.snapshot.directory;
  }

  #mistake(error: ParseError, line: string): void {
    this.#output.push({ stream: "error", text: `${formatParseError(error, "line", line, this.#language.render)}\n` });
  }

  #sentence(key: string, args: Readonly<Record<string, string | number>> = {}): string {
    return this.#language.render({ key, args });
  }

  #note(text: string): void {
    this.#output.push({ stream: "note", text: `${text}\n` });
  }

  #say(stream: "note" | "error", key: string, args: Readonly<Record<string, string | number>> = {}): void {
    this.#output.push({ stream, text: `${this.#sentence(key, args)}\n` });
  }
}

function sameEntries(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}
