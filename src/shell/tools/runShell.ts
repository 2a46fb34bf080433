import type { Message } from "../../kernel/message.ts";
import { Stopped } from "../../kernel/sched/pace.ts";
import { closest } from "../editDistance.ts";
import { absolutePath, textOf } from "./fileAccess.ts";
import { grep } from "./grep.ts";
import { PLACE_TOOLS } from "./placeTools.ts";
import type { Pipeline, ShellList, SimpleCommand, Word } from "./shellSyntax.ts";
import { TEXT_TOOLS } from "./textTools.ts";
import type { Tool, ToolContext, ToolResult } from "./tool.ts";

/** The tools of this layer by name. */
export const TOOLS: Readonly<Record<string, Tool>> = { ...TEXT_TOOLS, ...PLACE_TOOLS, grep };

/** status of a command that a SIGINT ended */
const INTERRUPTED = 130;

/** characters a variable or a pipe may hold: `a=$a$a` typed sixty times must end in a sentence, not in the memory of the machine */
const MOST_IN_VARIABLE = 1 << 16;
const MOST_IN_PIPE = 1 << 26;

export interface ShellEnvironment extends ToolContext {
  readonly variables: ReadonlyMap<string, string>;
  /** a tool of a later layer (ps, why, ..), or null when there is none of that name */
  readonly findTool?: (name: string) => Tool | null;
}

export type ShellOutput = { readonly stream: "out"; readonly text: string } | { readonly stream: "error"; readonly message: Message };

export interface ShellOutcome {
  /** in the order in which it came */
  readonly output: readonly ShellOutput[];
  /** of the last pipeline; 127: no such command */
  readonly status: number;
  readonly directory: string;
  readonly variables: ReadonlyMap<string, string>;
}

/** Runs a parsed line. Changes nothing but files, through `environment.files`; the new directory and variables are in the outcome. */
export function runShell(list: ShellList, environment: ShellEnvironment): ShellOutcome {
  return new ShellRun(environment).run(list);
}

class ShellRun {
  readonly #environment: ShellEnvironment;
  readonly #output: ShellOutput[] = [];
  readonly #variables: Map<string, string>;
  #directory: string;
  #status = 0;

  constructor(environment: ShellEnvironment) {
    this.#environment = environment;
    this.#variables = new Map(environment.variables);
    this.#directory = environment.directory;
  }

  run(list: ShellList): ShellOutcome {
    try {
      for (const { when, pipeline } of list) {
        if (when === "success" && this.#status !== 0) continue;
        if (when === "failure" && this.#status === 0) continue;
        this.#environment.pace?.(1);
        this.#pipeline(pipeline);
      }
    } catch (error) {
      // what came before stays, as when a shell's command is interrupted
      if (!(error instanceof Stopped)) throw error;
      this.#status = INTERRUPTED;
    }
    return { output: this.#output, status: this.#status, directory: this.#directory, variables: this.#variables };
  }

  #pipeline(pipeline: Pipeline): void {
    const directory = this.#directory;
    let input = "";
    for (const command of pipeline) {
      const result = this.#command(command, input);
      for (const message of result.errors) this.#output.push({ stream: "error", message });
      this.#status = result.status;
      input = result.stdout;
      if (result.directory !== undefined) this.#directory = result.directory;
      if (input.length > MOST_IN_PIPE) {
        this.#output.push({ stream: "error", message: { key: "shell.tool.tooMuch", args: { most: MOST_IN_PIPE } } });
        this.#status = 1;
        input = "";
        break;
      }
    }
    // the parts of a pipe run in processes of their own: cd in one of them changes nothing
    if (pipeline.length > 1) this.#directory = directory;
    if (input !== "") this.#output.push({ stream: "out", text: input });
  }

  #command(command: SimpleCommand, stdin: string): ToolResult {
    const words = command.words.flatMap((word) => this.#expand(word));
    const assigned = command.assignments.map(({ name, value }) => [name, this.#expand(value).join(" ")] as const);
    if (assigned.some(([, value]) => value.length > MOST_IN_VARIABLE)) return problem("shell.tool.tooMuch", { most: MOST_IN_VARIABLE });
    // variables in front of a command are for that command alone, and no tool here reads any
    if (words.length === 0) for (const [name, value] of assigned) this.#variables.set(name, value);
    let input = stdin;
    let output: { readonly path: string; readonly append: boolean } | null = null;
    for (const redirect of command.redirects) {
      const [target, more] = this.#expand(redirect.target);
      if (target === undefined || more !== undefined) return problem("shell.tool.ambiguous", {});
      const path = absolutePath(target, this.#directory);
      if (redirect.kind === "<") {
        const read = this.#environment.files.read(path);
        if (read.kind === "errno") return problem("shell.tool.redirect", { path: target, errno: read.errno });
        input = textOf(read.data, this.#environment.pace);
      } else {
        // of several outputs the last one gets the text; the ones before are made, and empty
        if (output !== null) this.#write(output.path, "", output.append);
        output = { path, append: redirect.kind === ">>" };
      }
    }
    const result = words.length === 0 ? { stdout: "", errors: [], status: 0 } : this.#call(words[0], words.slice(1), input);
    if (output === null) return result;
    const errno = this.#write(output.path, result.stdout, output.append);
    if (errno === null) return { ...result, stdout: "" };
    return {
      ...result,
      stdout: "",
      status: 1,
      errors: [...result.errors, { key: "shell.tool.write", args: { tool: words[0] ?? "", path: output.path, errno } }],
    };
  }

  #write(path: string, text: string, append: boolean): string | null {
    return this.#environment.files.write(path, text, append);
  }

  #call(name: string, args: readonly string[], stdin: string): ToolResult {
    const own = Object.hasOwn(TOOLS, name) ? TOOLS[name] : null;
    const tool = this.#environment.findTool?.(name) ?? own;
    if (tool !== null) return tool(args, stdin, { ...this.#environment, directory: this.#directory });
    const near = closest(name, [...this.#environment.table.names("tool"), ...this.#environment.table.names("command"), ...Object.keys(TOOLS)]);
    return near === null ? problem("shell.tool.unknown", { name }, 127) : problem("shell.tool.unknownNear", { name, suggestion: near }, 127);
  }

  /** A word as the shell hands it on: no word, one, or (a variable outside quotes) several. */
  #expand(word: Word): string[] {
    const words: string[] = [];
    let current: string | null = word.quoted ? "" : null;
    for (const part of word.parts) {
      if (part.kind === "text") current = (current ?? "") + part.text;
      else {
        const value = part.name === "?" ? String(this.#status) : (this.#variables.get(part.name) ?? "");
        if (part.quoted || word.quoted) current = (current ?? "") + value;
        else {
          const pieces = value.split(/[ \t\n]+/);
          for (const [index, piece] of pieces.entries()) {
            if (index > 0 && current !== null) {
              words.push(current);
              current = null;
            }
            if (piece !== "") current = (current ?? "") + piece;
          }
        }
      }
    }
    if (current !== null) words.push(current);
    return words;
  }
}

function problem(key: string, args: Readonly<Record<string, string | number>>, status = 1): ToolResult {
  return { stdout: "", errors: [{ key, args }], status };
}
