import { closest } from "../editDistance.ts";
import type { Operation } from "../operation.ts";
import { parseError, type ParseError } from "../parseError.ts";
import { usageOf, type CommandSpec } from "../table/commandSpec.ts";
import { COMMAND_ROWS } from "../table/commandRows.ts";
import { operationText, splitTokens, type Token } from "../tokens.ts";
import type { BodyParsers } from "./bodyParser.ts";
import { fileOps } from "./fileOps.ts";
import { memoryOps } from "./memoryOps.ts";
import { isProcessName, processOps } from "./processOps.ts";
import { systemOps } from "./systemOps.ts";
import { shmOps } from "./shmOps.ts";
import { shorten, TokenCursor } from "./tokenCursor.ts";
import { uffdOps } from "./uffdOps.ts";

/** words the recorder reads of one line; it drops the rest, which is never what was meant */
export const MOST_TOKENS = 24;
/** characters of an operation the recorder can pass on to a process */
export const MOST_CHARACTERS = 3900;
/** the process that makes a call when the line names none */
export const FIRST_PROCESS = "P";

export type LineResult =
  { readonly kind: "blank" | "quit" } | { readonly kind: "operation"; readonly operation: Operation } | { readonly kind: "error"; readonly error: ParseError };

const PARSERS: BodyParsers = { ...memoryOps, ...processOps, ...fileOps, ...shmOps, ...uffdOps, ...systemOps };

/** Names of all operations of the command form. */
export const OPERATION_NAMES: readonly string[] = Object.keys(PARSERS);

/** Usage lines by operation and by its variant, made once from rows that never change. */
const USAGES: ReadonlyMap<string, string> = makeUsages(COMMAND_ROWS);

/** Parses one line of the command form. Never throws; time linear in the line. */
export function parseLine(text: string, line: number): LineResult {
  const found = operationText(text);
  if (found.text.length === 0) return { kind: "blank" };
  if (found.text === "quit") return { kind: "quit" };
  const unreadable = firstUnreadable(found.text);
  if (unreadable >= 0) {
    const code = found.text.charCodeAt(unreadable);
    const shown = code > 0xff ? `U+${code.toString(16).toUpperCase().padStart(4, "0")}` : `0x${code.toString(16).padStart(2, "0")}`;
    return { kind: "error", error: parseError(line, found.start + unreadable + 1, 1, "shell.notText", { code: shown }) };
  }
  if (found.text.length > MOST_CHARACTERS) {
    const args = { length: found.text.length, most: MOST_CHARACTERS };
    return { kind: "error", error: parseError(line, found.start + MOST_CHARACTERS + 1, 1, "shell.lineTooLong", args) };
  }
  return parseOperation(found.text, splitTokens(found.text, found.start), line);
}

function parseOperation(text: string, tokens: readonly Token[], line: number): LineResult {
  const fail = (token: Token, key: string, args: Readonly<Record<string, string | number>> = {}, suggestion: string | null = null): LineResult => ({
    kind: "error",
    error: parseError(line, token.column, token.text.length, key, args, suggestion),
  });
  const first = tokens[0];
  const last = tokens[tokens.length - 1];
  if (first === undefined || last === undefined) return { kind: "blank" };
  const addressed = first.text.startsWith("@");
  const tooMany = tokens[MOST_TOKENS + (addressed ? 1 : 0)];
  if (tooMany !== undefined) return fail(tooMany, "shell.tooManyWords", { most: MOST_TOKENS });
  const process = addressed ? first.text.slice(1) : FIRST_PROCESS;
  if (addressed && !isProcessName(process)) return fail(first, "shell.badProcessName", { word: shorten(process) });
  const op = addressed ? tokens[1] : first;
  if (op === undefined) return fail(first, "shell.processAlone", { process });
  const parse = Object.hasOwn(PARSERS, op.text) ? PARSERS[op.text] : undefined;
  if (parse === undefined) return fail(op, "shell.unknownOperation", { word: shorten(op.text) }, closest(op.text, OPERATION_NAMES));
  const rest = tokens.slice(addressed ? 2 : 1);
  const variant = USAGES.get(`${op.text} ${rest[0]?.text ?? ""}`);
  const cursor = new TokenCursor(rest, line, last.column + last.text.length + 1, variant ?? USAGES.get(op.text) ?? op.text);
  const body = parse(cursor);
  cursor.end();
  if (cursor.error !== null) return { kind: "error", error: cursor.error };
  return { kind: "operation", operation: { process, text, line, body } };
}

/** Index of the first character that cannot stand in an operation (outside printable ASCII and tab), or -1. */
function firstUnreadable(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 32 && code !== 9) || code > 126) return i;
  }
  return -1;
}

/** `uffd copy` -> its usage; `uffd` -> `uffd open|close|..`. */
function makeUsages(rows: readonly CommandSpec[]): ReadonlyMap<string, string> {
  const usages = new Map<string, string>();
  const variants = new Map<string, string[]>();
  for (const spec of rows) {
    usages.set(spec.name, usageOf(spec));
    const [name, variant] = spec.name.split(" ");
    if (name !== undefined && variant !== undefined) variants.set(name, [...(variants.get(name) ?? []), variant]);
  }
  for (const [name, list] of variants) usages.set(name, `${name} ${list.join("|")} ..`);
  return usages;
}
