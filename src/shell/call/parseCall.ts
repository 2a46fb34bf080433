import { closest } from "../editDistance.ts";
import { MOST_CHARACTERS } from "../command/parseLine.ts";
import { shorten } from "../command/tokenCursor.ts";
import { parseError, type ParseError } from "../parseError.ts";
import { usageOf, type CommandSpec } from "../table/commandSpec.ts";
import type { CommandTable } from "../table/commandTable.ts";
import { CallCursor } from "./callCursor.ts";
import { isTypeWord, parseCallValue, type CallNames } from "./callExpression.ts";
import type { CallToken } from "./callLexer.ts";
import type { CallOperation, CallValue, RecordedResult } from "./callOperation.ts";
import { ERRNOS } from "./errnos.ts";

export type CallResult =
  { readonly kind: "blank" } | { readonly kind: "call"; readonly operation: CallOperation } | { readonly kind: "error"; readonly error: ParseError };

/**
 * Parses one line of the C form: `[type] [target =] [(type)] call(argument, ..) [;] [= result of a pasted strace line]`.
 * `bound`: names the learner bound so far; an unknown one is then a mistake. Null: any name is taken, whether it is bound shows when the line runs.
 * Never throws; time linear in the line.
 */
export function parseCall(text: string, line: number, table: CommandTable, bound: ReadonlySet<string> | null = null): CallResult {
  if (text.length > MOST_CHARACTERS) {
    return { kind: "error", error: parseError(line, MOST_CHARACTERS + 1, 1, "shell.lineTooLong", { length: text.length, most: MOST_CHARACTERS }) };
  }
  const cursor = new CallCursor(text, line);
  if (cursor.peek().kind === "end") return { kind: "blank" };
  skipStracePid(cursor);
  const target = parseTarget(cursor);
  skipTypes(cursor);
  const name = cursor.take();
  const spec = table.find(name.text, "call")[0];
  if (name.kind !== "name") cursor.fail(name, "shell.call.expectedCall", { found: name.text === "" ? "the end of the line" : `"${shorten(name.text)}"` });
  else if (spec === undefined) cursor.fail(name, "shell.call.unknownCall", { word: shorten(name.text) }, closest(name.text, table.names("call")));
  cursor.expect("(");
  const args = spec === undefined || cursor.error !== null ? [] : parseArguments(cursor, spec, { bound });
  cursor.expect(")");
  const recorded = parseRecorded(cursor);
  cursor.accept(";");
  if (cursor.peek().kind !== "end") cursor.fail(cursor.peek(), "shell.call.afterCall", { found: cursor.found() });
  if (cursor.error !== null) return { kind: "error", error: cursor.error };
  return { kind: "call", operation: { call: name.text, args, target, recorded, text: text.slice(0, cursor.endOfText()).trim(), line } };
}

/** `[pid 1234]` or a plain process number in front of a line of `strace -f`. */
function skipStracePid(cursor: CallCursor): void {
  if (cursor.is("[") && cursor.peek(1).text === "pid" && cursor.is("]", 3)) for (let i = 0; i < 4; i++) cursor.take();
  else if (cursor.peek().kind === "number" && cursor.peek(1).kind === "name") cursor.take();
}

/** `a =`, `void *a =`: the variable that takes the result. */
function parseTarget(cursor: CallCursor): string | null {
  let equals = 0;
  while (isTypeWord(cursor.peek(equals)) || cursor.is("*", equals)) equals++;
  const name = cursor.peek(equals);
  // "struct rlimit r" has one more word; only a name directly before "=" is the variable
  if (name.kind !== "name" || !cursor.is("=", equals + 1)) return null;
  for (let i = 0; i < equals + 2; i++) cursor.take();
  return name.text;
}

/** A cast of the result: `(char *)mmap(..)`. */
function skipTypes(cursor: CallCursor): void {
  if (!cursor.is("(") || !isTypeWord(cursor.peek(1))) return;
  while (cursor.peek().kind !== "end" && !cursor.is(")")) cursor.take();
  cursor.accept(")");
}

function parseArguments(cursor: CallCursor, spec: CommandSpec, names: CallNames): CallValue[] {
  const args: CallValue[] = [];
  const most = spec.args.length;
  const least = spec.args.filter((argument) => argument.optional !== true).length;
  const usage = usageOf(spec);
  if (cursor.is(")")) {
    if (least > 0) cursor.fail(cursor.peek(), "shell.call.tooFew", { call: spec.name, least, count: 0, usage });
    return args;
  }
  do {
    const start: CallToken = cursor.peek();
    if (args.length === most) cursor.fail(start, "shell.call.tooMany", { call: spec.name, most, usage });
    // what the call writes to (mincore's vector, struct stat) need not be bound
    const writes = ["vec", "statbuf"].includes(spec.args[args.length]?.label ?? "") || spec.name === "shmctl";
    args.push(parseCallValue(cursor, writes ? { bound: null } : names));
  } while (cursor.error === null && cursor.accept(","));
  if (args.length < least) cursor.fail(cursor.peek(), "shell.call.tooFew", { call: spec.name, least, count: args.length, usage });
  return args;
}

/** `= 0x7f0000000000`, `= -1 ENOMEM (Cannot allocate memory)`, `= ?` behind a pasted line. */
function parseRecorded(cursor: CallCursor): RecordedResult | null {
  if (!cursor.accept("=")) return null;
  if (cursor.accept("?")) return { value: null, errno: null };
  const value = parseCallValue(cursor, { bound: null });
  if (value.kind !== "value" || value.name !== null) {
    cursor.fail(cursor.peek(), "shell.call.expectedValue", { found: cursor.found() });
    return null;
  }
  let errno: string | null = null;
  if (cursor.peek().kind === "name") {
    const token = cursor.take();
    errno = token.text;
    if (!Object.hasOwn(ERRNOS, errno)) cursor.fail(token, "shell.call.unknownErrno", { word: shorten(errno) }, closest(errno, Object.keys(ERRNOS)));
  }
  // strerror's sentence, or a timing in <..>
  if (cursor.is("(") || cursor.is("<")) while (cursor.peek().kind !== "end") cursor.take();
  return { value: value.offset, errno };
}
