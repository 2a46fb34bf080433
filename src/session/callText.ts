import { printConstant, printFlags } from "../shell/call/constants.ts";
import { describeErrno } from "../shell/call/errnos.ts";
import type { CallOperation } from "../shell/call/callOperation.ts";
import type { RenderMessage } from "../shell/renderMessage.ts";
import { CALLS, type CallArguments } from "./callExecute.ts";
import { u64, type Show } from "./callRow.ts";
import type { ResultFields } from "./execute.ts";

/** Calls as text: as strace prints them, as C source takes them, and what a learner is shown of them. */

const ALL = (1n << 64n) - 1n;
const LIMIT = (limit: bigint): string => (limit === ALL ? "RLIM_INFINITY" : String(limit));

const ESCAPED: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t" };

/** A text between quotes, as C source and strace have it. Three digits, so that a digit behind it is one of its own; no two question marks, which C may read as a trigraph. */
export const quoted = (text: string): string =>
  `"${text.replace(/["\\]|[^ -~]|\?(?=\?)/g, (c) => ESCAPED[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`)}"`;

/** characters of a buffer that strace shows */
const SHOWN = 32;

function show(kind: Show, value: bigint, text: string | null, given: CallArguments): string {
  // the length of a buffer stands behind it
  if (text !== null && kind === "buffer") return quoted(text.slice(0, SHOWN)) + (BigInt(Math.min(text.length, SHOWN)) < (given.args[2] ?? 0n) ? "..." : "");
  if (text !== null) return quoted(text);
  switch (kind) {
    case "address":
    case "buffer":
    case "path":
    case "name":
      return value === 0n ? "NULL" : `0x${u64(value).toString(16)}`;
    case "number":
      return String(u64(value));
    case "int":
      return String(BigInt.asIntN(64, value));
    case "key":
      return value === 0n ? "IPC_PRIVATE" : `0x${BigInt.asUintN(32, value).toString(16)}`;
    case "SHMGET": {
      // permissions stand in the same word
      const flags = printFlags(kind, u64(value) & 0xfffffe00n);
      return `${flags === "0" ? "" : `${flags}|`}0${(value & 0o777n).toString(8)}`;
    }
    case "fd":
    case "shmid":
      return String(BigInt.asIntN(32, value));
    case "dir":
      return value === -100n ? "AT_FDCWD" : String(BigInt.asIntN(32, value));
    case "mode":
      return value === 0n ? "0" : `0${u64(value).toString(8)}`;
    case "vec":
      return "vec";
    case "stat":
      return "&st";
    case "limit":
      return given.limits === null ? "NULL" : `{${given.limits.map(LIMIT).join(", ")}}`;
    case "MADV":
    case "PR":
    case "RLIMIT":
    case "SEEK":
    case "FADV":
    case "IPC":
      return printConstant(kind, value);
    default:
      return printFlags(kind, u64(value) & (kind === "PROT" ? ALL : 0xffffffffn));
  }
}

/** The arguments of a call as C source takes them, one text each. */
export const printArguments = (call: string, given: CallArguments): string[] =>
  CALLS[call].show.slice(0, given.args.length).map((kind, i) => show(kind, given.args[i], given.texts[i] ?? null, given));

/** What a call returned: an errno, a number, or neither when it is not known; and what it wrote to a struct. */
export interface CallReturn {
  readonly errno: string | null;
  readonly result: bigint | null;
  readonly stat: string | null;
}

/** A call as strace prints it, with what it returned. Arguments that were left out at the end stay so. */
export function straceOf(call: string, given: CallArguments, { errno, result, stat }: CallReturn): string {
  const value = result === null ? "?" : CALLS[call].returnsAddress === true ? `0x${u64(result).toString(16)}` : String(result);
  const words = printArguments(call, given).map((word, i) => (CALLS[call].show[i] === "stat" && stat !== null ? `{${stat}}` : word));
  return `${call}(${words.join(", ")}) = ${errno === null ? value : `-1 ${describeErrno(errno)}`}`;
}

/** What came back of a call. */
export const returnOf = (fields: ResultFields): CallReturn => ({
  errno: typeof fields.errno === "string" ? fields.errno : null,
  result: typeof fields.ret === "bigint" || typeof fields.ret === "number" ? BigInt(fields.ret) : null,
  stat: typeof fields.stat === "string" ? fields.stat : null,
});

/** What a learner is shown of a call: strace's line, and what came back otherwise than by its return value. */
export function callLines(operation: CallOperation, given: CallArguments, fields: ResultFields, render: RenderMessage): string[] {
  const typed = { ...given, args: given.args.slice(0, operation.args.length) };
  const lines = [straceOf(operation.call, typed, returnOf(fields))];
  if (typeof fields.incore === "string") lines.push(`vec: ${fields.incore}`);
  if (typeof fields.child === "string") lines.push(render({ key: "session.child", args: { name: fields.child } }));
  const { recorded } = operation;
  if (recorded !== null && recorded.errno !== null && recorded.errno !== fields.errno)
    lines.push(render({ key: "session.recordedErrno", args: { errno: recorded.errno } }));
  return lines;
}
