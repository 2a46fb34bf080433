import { classifyLine } from "./classifyLine.ts";
import { PATH_ALIASES } from "./command/words.ts";
import { CONSTANT_NAMES } from "./call/constants.ts";
import type { ArgumentSpec, CommandSpec } from "./table/commandSpec.ts";
import type { CommandTable } from "./table/commandTable.ts";
import { absolutePath, type FileAccess } from "./tools/fileAccess.ts";
import { splitTokens, type Token } from "./tokens.ts";

/** What completion may look at. */
export interface CompletionContext {
  readonly table: CommandTable;
  /** names of memory that are live, of the command form and the C form */
  readonly memoryNames: readonly string[];
  readonly processes: readonly string[];
  /** names of files, memfds and mounts */
  readonly fileNames: readonly string[];
  readonly files: FileAccess;
  /** absolute */
  readonly directory: string;
}

export interface Completion {
  /** the part of the line that a candidate replaces, as indexes of the line */
  readonly start: number;
  readonly end: number;
  /** sorted, each once; a candidate that is not whole yet (a directory, `at=`) has no blank behind it */
  readonly candidates: readonly { readonly text: string; readonly whole: boolean }[];
}

interface Wanted {
  readonly prefix: string;
  readonly start: number;
  readonly texts: readonly string[];
}

const MOST_CANDIDATES = 500;

/** What could stand at the cursor (an index of the line). Never throws; an empty list when nothing is known. */
export function completeLine(line: string, cursor: number, context: CompletionContext): Completion {
  const end = Math.max(0, Math.min(cursor, line.length));
  const before = line.slice(0, end);
  const found = classifyLine(before, context.table);
  const wanted = found.form === "call" ? inCall(before, context) : inWords(before, context);
  const texts = [...new Set(wanted.texts)].filter((text) => text.startsWith(wanted.prefix)).sort();
  return { start: wanted.start, end, candidates: texts.slice(0, MOST_CANDIDATES).map((text) => ({ text, whole: !/[/=,]$/.test(text) })) };
}

/** Completion in the C form: the argument the cursor is in decides; behind `|` more constants of the same family. */
function inCall(before: string, context: CompletionContext): Wanted {
  const word = /[A-Za-z_]\w*$/.exec(before)?.[0] ?? "";
  const start = before.length - word.length;
  const open = before.indexOf("(", before.search(/[A-Za-z_]\w*\s*\((?!\s*(?:void|char|struct)\b)/));
  const name = /([A-Za-z_]\w*)\s*$/.exec(before.slice(0, Math.max(0, open)))?.[1] ?? "";
  const spec = context.table.find(name, "call")[0];
  const index = before.slice(open + 1).split(",").length - 1;
  const argument = spec?.args[index];
  const quote = before.lastIndexOf('"');
  if (argument?.kind === "quotedPath" && quote > open) return inQuotes(before, quote + 1, context);
  if (argument?.kind === "descriptor") return { prefix: word, start, texts: context.memoryNames };
  const values = [...context.memoryNames, "NULL"];
  if (argument?.words !== undefined) return { prefix: word, start, texts: argument.words };
  return {
    prefix: word,
    start,
    texts: argument?.kind === "address" ? values : [...values, ...CONSTANT_NAMES.filter((constant) => word !== "" && constant.startsWith(word))],
  };
}

/** A path of a call: what stands behind its opening quote. */
function inQuotes(before: string, from: number, context: CompletionContext): Wanted {
  const { start, prefix, texts } = atPath({ text: before.slice(from), column: from + 1 }, context, []);
  return { start, prefix, texts };
}

/** Completion in the command form and of shell tools: words separated by blanks. */
function inWords(before: string, context: CompletionContext): Wanted {
  // only the last command of a pipe or list counts; in the command form these characters do not occur
  const from = Math.max(before.lastIndexOf("|"), before.lastIndexOf(";"), before.lastIndexOf("&")) + 1;
  const tokens = splitTokens(before.slice(from), from);
  const open = before === "" || /[\s|;&]$/.test(before);
  const current: Token = (open ? undefined : tokens.pop()) ?? { text: "", column: before.length + 1 };
  const start = current.column - 1;
  if ([">", ">>", "<"].includes(tokens[tokens.length - 1]?.text ?? "")) return atPath(current, context, []);
  const process = tokens[0]?.text.startsWith("@") === true;
  if (!process && tokens.length === 0 && current.text.startsWith("@"))
    return { prefix: current.text, start, texts: context.processes.map((name) => `@${name}`) };
  const words = process ? tokens.slice(1) : tokens;
  const first = words[0]?.text;
  const { table } = context;
  if (first === undefined)
    return {
      prefix: current.text,
      start,
      texts: [...table.names("command"), ...(process ? [] : [...table.names("tool"), ...table.names("call").map((name) => `${name}(`)])],
    };
  const commands = table.find(first, "command");
  const rows = commands.length > 0 ? commands : table.find(first, "tool");
  const second = words[1]?.text;
  const variant = second === undefined ? undefined : rows.find((spec) => spec.name === `${first} ${second}`);
  if (rows.some((spec) => spec.name.includes(" ")) && second === undefined)
    return { prefix: current.text, start, texts: rows.map((spec) => spec.name.slice(first.length + 1)) };
  const spec = variant ?? rows[0];
  if (spec === undefined) return atPath(current, context, []);
  const typed = words.slice(variant === undefined ? 1 : 2).map((token) => token.text);
  return fromArguments(current, nextArguments(spec, typed), context);
}

/** The arguments that may stand next: the one in turn and, past optional ones, those behind it. */
function nextArguments(spec: CommandSpec, typed: readonly string[]): ArgumentSpec[] {
  let at = 0;
  for (const word of typed) {
    // LEN is there only when its word begins with a digit, as the parser decides
    while (at < spec.args.length - 1 && spec.args[at].optional === true && skips(spec.args[at], word)) at++;
    if (at < spec.args.length && spec.args[at].repeated !== true) at++;
  }
  const next: ArgumentSpec[] = [];
  for (let i = at; i < spec.args.length; i++) {
    next.push(spec.args[i]);
    if (spec.args[i].optional !== true) break;
  }
  return next;
}

function skips(argument: ArgumentSpec, word: string): boolean {
  if (argument.kind === "number") return !/^\d/.test(word);
  return argument.words !== undefined && !argument.words.includes(word);
}

function fromArguments(current: Token, args: readonly ArgumentSpec[], context: CompletionContext): Wanted {
  const start = current.column - 1;
  const equals = /^(at=|src=|fixed=|file=|rofile=)/.exec(current.text)?.[0];
  if (equals !== undefined) {
    const names = equals.endsWith("file=") ? context.fileNames : context.memoryNames;
    return { prefix: current.text.slice(equals.length), start: start + equals.length, texts: names };
  }
  const texts: string[] = [];
  let paths: Wanted | null = null;
  for (const argument of args) {
    if (argument.words !== undefined) texts.push(...argument.words);
    else if (argument.kind === "address") texts.push(...context.memoryNames);
    else if (argument.kind === "process") texts.push(...context.processes);
    else if (argument.kind === "file") texts.push(...context.fileNames);
    else if (argument.kind === "command") texts.push(...context.table.specs.map((spec) => spec.name.split(" ")[0]));
    if (argument.kind === "path" || argument.kind === "kernelPath" || (argument.kind === "file" && current.text.includes("/"))) {
      paths = atPath(current, context, argument.kind === "kernelPath" ? PATH_ALIASES.map(([alias]) => alias) : []);
    }
  }
  return paths === null ? { prefix: current.text, start, texts } : { ...paths, texts: [...paths.texts, ...texts] };
}

/** Entries of the directory that the word names so far; an alias at its beginning counts as what it stands for. */
function atPath(current: Token, context: CompletionContext, aliases: readonly string[]): Wanted {
  const slash = current.text.lastIndexOf("/") + 1;
  const typed = current.text.slice(0, slash);
  const alias = aliases.length === 0 ? undefined : PATH_ALIASES.find(([short]) => typed.startsWith(short));
  const place = alias === undefined ? typed : alias[1] + typed.slice(alias[0].length);
  const listed = context.files.list(absolutePath(place === "" ? "." : place, context.directory));
  const entries = listed.kind === "entries" ? listed.entries.map((entry) => typed + entry.name + (entry.directory ? "/" : "")) : [];
  return { prefix: current.text, start: current.column - 1, texts: slash === 0 ? [...aliases, ...entries] : entries };
}
