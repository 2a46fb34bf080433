import type { Message } from "../../kernel/message.ts";
import type { ManLanguage } from "../man/manPage.ts";
import type { CommandTable } from "../table/commandTable.ts";
import { absolutePath, textOf, type FileAccess } from "./fileAccess.ts";

/** What a tool may look at. It changes nothing itself; `cd` says so in its result. */
export interface ToolContext {
  readonly files: FileAccess;
  /** absolute */
  readonly directory: string;
  readonly table: CommandTable;
  /** for `man` and `help`, whose output is sentences */
  readonly language: ManLanguage;
  /** the line is done once more, to get its state back: a tool must not tell the learner, or remember, anything new */
  readonly replaying?: boolean;
  /** Counts work, 4096 for a few milliseconds. @throws Stopped when the line is to end; whoever runs the line catches it. */
  readonly pace?: (work: number) => void;
}

export interface ToolResult {
  readonly stdout: string;
  /** what would go to the error output, one sentence each */
  readonly errors: readonly Message[];
  /** 0 success; 1 and more as the real tool */
  readonly status: number;
  /** the new working directory, by `cd` */
  readonly directory?: string;
}

export type Tool = (args: readonly string[], stdin: string, context: ToolContext) => ToolResult;

export function success(stdout: string): ToolResult {
  return { stdout, errors: [], status: 0 };
}

export function failure(key: string, args: Readonly<Record<string, string | number>>, status = 1): ToolResult {
  return { stdout: "", errors: [{ key, args }], status };
}

/** Lines of a text; a last line without a newline counts, an empty rest does not. */
export function linesOfText(text: string, pace?: ToolContext["pace"]): string[] {
  const lines: string[] = [];
  for (let start = 0; start < text.length;) {
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found;
    pace?.(1 + ((end - start) >>> 10));
    lines.push(text.slice(start, end));
    start = end + 1;
  }
  return lines;
}

/** Lines as a text in which each ends with a newline. */
export function textOfLines(lines: readonly string[]): string {
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

export interface InputFile {
  /** null: the standard input */
  readonly name: string | null;
  readonly text: string;
}

/** The files a tool was given, or its input when there are none (or `-`). What cannot be read is an error, the others are still used. */
export function readInputs(tool: string, names: readonly string[], stdin: string, context: ToolContext): { inputs: InputFile[]; errors: Message[] } {
  const inputs: InputFile[] = [];
  const errors: Message[] = [];
  for (const name of names.length === 0 ? ["-"] : names) {
    if (name === "-") {
      inputs.push({ name: null, text: stdin });
      continue;
    }
    const result = context.files.read(absolutePath(name, context.directory));
    if (result.kind === "data") inputs.push({ name, text: textOf(result.data, context.pace) });
    else errors.push({ key: "shell.tool.file", args: { tool, path: name, errno: result.errno } });
  }
  return { inputs, errors };
}

export interface Options {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
  /** the first option that the tool does not have */
  readonly unknown: string | null;
}

/**
 * Splits arguments as getopt does: `-iv`, `-A2`, `-A 2`, `--`. `flags` and `valued` list the letters the tool has.
 * `-5` is the value of option `n` where `n` is valued (head, tail).
 */
export function splitOptions(args: readonly string[], flags: string, valued = ""): Options {
  const found = new Set<string>();
  const values = new Map<string, string>();
  const operands: string[] = [];
  let unknown: string | null = null;
  for (let i = 0; i < args.length; i++) {
    const word = args[i];
    if (word === "--") {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") operands.push(word);
    else if (/^-\d+$/.test(word) && valued.includes("n")) values.set("n", word.slice(1));
    else
      for (let j = 1; j < word.length; j++) {
        const letter = word[j];
        if (valued.includes(letter)) {
          const value = j + 1 < word.length ? word.slice(j + 1) : args[++i];
          if (value === undefined) unknown ??= `-${letter}`;
          else values.set(letter, value);
          break;
        }
        if (flags.includes(letter)) found.add(letter);
        else unknown ??= letter === "-" ? word : `-${letter}`;
        if (letter === "-") break;
      }
  }
  return { flags: found, values, operands, unknown };
}

/** The number in an option's value, or null when it is none. */
export function count(text: string | undefined, missing: number): number | null {
  if (text === undefined) return missing;
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}
