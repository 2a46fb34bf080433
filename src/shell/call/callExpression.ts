import { shorten } from "../command/tokenCursor.ts";
import { closest } from "../editDistance.ts";
import { readNumber, TWO_TO_64 } from "../numbers.ts";
import type { CallCursor } from "./callCursor.ts";
import type { CallToken } from "./callLexer.ts";
import type { CallValue } from "./callOperation.ts";
import { CONSTANT_NAMES, constantValue } from "./constants.ts";

/** brackets within brackets: more is no expression of a person */
const DEEPEST = 32;

/** A name plus a number, while it is computed. */
interface Linear {
  readonly name: string | null;
  readonly offset: bigint;
  readonly constants: readonly string[];
}

const ZERO: Linear = { name: null, offset: 0n, constants: [] };

/** What an unknown word is tested against: names that the learner bound, or null when they are not known here. */
export interface CallNames {
  readonly bound: ReadonlySet<string> | null;
}

/** Reads one argument. After a mistake the value is a placeholder. */
export function parseCallValue(cursor: CallCursor, names: CallNames, depth = 0): CallValue {
  const token = cursor.peek();
  if (token.kind === "string") return parseText(cursor);
  if (cursor.is("..") || cursor.is("[")) return parseStraceOutput(cursor);
  if (cursor.is("&")) {
    cursor.take();
    skipCast(cursor);
    if (cursor.is("{")) return parseStruct(cursor, names, depth);
    if (cursor.peek().kind === "name") cursor.take();
    else cursor.fail(cursor.peek(), "shell.call.expectedValue", { found: cursor.found() });
    return { kind: "output" };
  }
  skipCast(cursor);
  if (cursor.is("{")) return parseStruct(cursor, names, depth);
  return { kind: "value", ...parseOr(cursor, names, depth) };
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12, a: 7, b: 8, e: 27 };

/** The bytes of a C string, each as one character: escapes as C and strace have them, other characters in UTF-8. */
function bytesOfText(text: string): string {
  return text.replace(/\\([0-7]{1,3}|x[\da-fA-F]{1,2}|.)|[^\\]+/gsu, (all: string, escape: string | undefined) => {
    if (escape === undefined) return encodeURIComponent(all.toWellFormed()).replace(/%(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    if (/^[0-7]/.test(escape)) return String.fromCharCode(parseInt(escape, 8) & 0xff);
    if (escape.length > 1 && escape.startsWith("x")) return String.fromCharCode(parseInt(escape.slice(1), 16));
    return Object.hasOwn(ESCAPES, escape) ? String.fromCharCode(ESCAPES[escape]) : escape;
  });
}

/** `"text"`, and `"text"...` of a pasted strace line, which goes on. */
function parseText(cursor: CallCursor): CallValue {
  const token = cursor.take();
  if (token.text.length < 2 || !token.text.endsWith('"')) cursor.fail(token, "shell.call.openString");
  const isCut = cursor.accept("..");
  if (isCut) cursor.expect(".");
  return { kind: "text", text: bytesOfText(token.text.slice(1, -1)), isCut };
}

/** `...` or `[1, 1, 0...]` in a pasted strace line stands for what the call wrote. */
function parseStraceOutput(cursor: CallCursor): CallValue {
  if (cursor.accept("[")) {
    while (!cursor.is("]") && cursor.peek().kind !== "end") cursor.take();
    cursor.expect("]");
  } else {
    cursor.take();
    cursor.accept(".");
  }
  return { kind: "output" };
}

/** `{64K, 64K}` or with member names as strace prints them: `{rlim_cur=64*1024, rlim_max=RLIM64_INFINITY}`. */
function parseStruct(cursor: CallCursor, names: CallNames, depth: number): CallValue {
  const members: CallValue[] = [];
  cursor.expect("{");
  while (cursor.error === null && !cursor.is("}")) {
    if (depth >= DEEPEST) cursor.fail(cursor.peek(), "shell.call.tooDeep");
    cursor.accept(".");
    if (cursor.peek().kind === "name" && cursor.is("=", 1)) {
      cursor.take();
      cursor.take();
    }
    // strace leaves members of long structs out
    members.push(parseCallValue(cursor, names, depth + 1));
    if (!cursor.accept(",")) break;
  }
  cursor.expect("}");
  return { kind: "struct", members };
}

/** `(void *)`, `(struct rlimit)`: a type in brackets changes nothing here. */
function skipCast(cursor: CallCursor): void {
  while (cursor.is("(") && isTypeWord(cursor.peek(1))) {
    let end = 2;
    while (cursor.peek(end).kind === "name" || cursor.is("*", end)) end++;
    if (!cursor.is(")", end)) return;
    for (let i = 0; i <= end; i++) cursor.take();
  }
}

const TYPE_WORDS: ReadonlySet<string> = new Set([
  "void",
  "char",
  "int",
  "long",
  "short",
  "unsigned",
  "signed",
  "const",
  "struct",
  "size_t",
  "ssize_t",
  "off_t",
  "uintptr_t",
  "intptr_t",
  "uint8_t",
  "uint64_t",
  "auto",
  "pid_t",
]);

/** Is the token a word that C types are written with? */
export function isTypeWord(token: CallToken): boolean {
  return token.kind === "name" && TYPE_WORDS.has(token.text);
}

function parseOr(cursor: CallCursor, names: CallNames, depth: number): Linear {
  let left = parseShift(cursor, names, depth);
  while (cursor.error === null && (cursor.is("|") || cursor.is("&"))) {
    const operator = cursor.take();
    left = arithmetic(cursor, operator, left, parseShift(cursor, names, depth));
  }
  return left;
}

function parseShift(cursor: CallCursor, names: CallNames, depth: number): Linear {
  let left = parseSum(cursor, names, depth);
  while (cursor.error === null && (cursor.is("<<") || cursor.is(">>"))) {
    const operator = cursor.take();
    left = arithmetic(cursor, operator, left, parseSum(cursor, names, depth));
  }
  return left;
}

function parseSum(cursor: CallCursor, names: CallNames, depth: number): Linear {
  let left = parseProduct(cursor, names, depth);
  while (cursor.error === null && (cursor.is("+") || cursor.is("-"))) {
    const operator = cursor.take();
    left = arithmetic(cursor, operator, left, parseProduct(cursor, names, depth));
  }
  return left;
}

function parseProduct(cursor: CallCursor, names: CallNames, depth: number): Linear {
  let left = parseUnary(cursor, names, depth);
  while (cursor.error === null && (cursor.is("*") || cursor.is("/"))) {
    const operator = cursor.take();
    left = arithmetic(cursor, operator, left, parseUnary(cursor, names, depth));
  }
  return left;
}

function parseUnary(cursor: CallCursor, names: CallNames, depth: number): Linear {
  if (depth >= DEEPEST) {
    cursor.fail(cursor.peek(), "shell.call.tooDeep");
    return ZERO;
  }
  skipCast(cursor);
  if (cursor.is("-") || cursor.is("~") || cursor.is("+")) {
    const operator = cursor.take();
    const value = parseUnary(cursor, names, depth + 1);
    if (operator.text === "+") return value;
    if (value.name !== null) cursor.fail(operator, "shell.call.onlyOffsets", { operator: operator.text, name: value.name });
    return within64(cursor, operator, { ...value, offset: operator.text === "-" ? -value.offset : ~value.offset });
  }
  if (cursor.accept("(")) {
    const value = parseOr(cursor, names, depth + 1);
    cursor.expect(")");
    return value;
  }
  return parsePrimary(cursor, names);
}

function parsePrimary(cursor: CallCursor, names: CallNames): Linear {
  const token = cursor.peek();
  if (token.kind === "number") return { ...ZERO, offset: parseCNumber(cursor, cursor.take()) };
  if (token.kind !== "name") {
    cursor.fail(token, token.kind === "bad" ? "shell.call.badCharacter" : "shell.call.expectedValue", { found: cursor.found() });
    return ZERO;
  }
  cursor.take();
  const value = constantValue(token.text);
  if (value !== null) return { name: null, offset: value, constants: [token.text] };
  if (/^[A-Z][A-Z0-9]*_[A-Z0-9_]+$/.test(token.text) && names.bound?.has(token.text) !== true) {
    cursor.fail(token, "shell.call.unknownConstant", { word: shorten(token.text) }, closest(token.text, CONSTANT_NAMES));
  } else if (names.bound !== null && !names.bound.has(token.text)) {
    cursor.fail(token, "shell.call.unknownName", { word: shorten(token.text) }, closest(token.text, [...names.bound, "NULL"]));
  }
  return { name: token.text, offset: 0n, constants: [] };
}

/** C's numbers and ours: 4096, 0x1000, 010, 8M, 4k, 1UL. */
function parseCNumber(cursor: CallCursor, token: CallToken): bigint {
  const read = readNumber(token.text, 0);
  const mistyped = /^(0[xX][\da-fA-F]+|\d+)([kKmMgG])i?[bB]?$/.exec(token.text);
  if (read.kind === "big") cursor.fail(token, "shell.numberAbove64Bits");
  else if (read.kind === "number" && /^[uUlL]{0,3}$/.test(token.text.slice(read.end))) return read.value;
  else if (mistyped !== null) {
    cursor.fail(token, "shell.afterNumber", { word: token.text.slice(mistyped[1].length) }, mistyped[1] + mistyped[2].toUpperCase().replace("K", "k"));
  } else cursor.fail(token, "shell.notANumber", { what: "a value", word: shorten(token.text) });
  return 0n;
}

/** One operator on two operands. A bound name may only be moved by a number: its value is not known to the parser. */
function arithmetic(cursor: CallCursor, operator: CallToken, left: Linear, right: Linear): Linear {
  const constants = [...left.constants, ...right.constants];
  const moves = operator.text === "+" ? left.name === null || right.name === null : operator.text === "-" && right.name === null;
  if (!moves && (left.name !== null || right.name !== null)) {
    cursor.fail(operator, "shell.call.onlyOffsets", { operator: operator.text, name: left.name ?? right.name ?? "" });
    return ZERO;
  }
  const name = left.name ?? right.name;
  if ((operator.text === "<<" || operator.text === ">>") && (right.offset < 0n || right.offset > 63n)) {
    cursor.fail(operator, "shell.call.badShift");
    return ZERO;
  }
  if (operator.text === "/" && right.offset === 0n) {
    cursor.fail(operator, "shell.call.divisionByZero");
    return ZERO;
  }
  return within64(cursor, operator, { name, offset: compute(operator.text, left.offset, right.offset), constants });
}

function compute(operator: string, left: bigint, right: bigint): bigint {
  switch (operator) {
    case "|":
      return left | right;
    case "&":
      return left & right;
    case "<<":
      return left << right;
    case ">>":
      return left >> right;
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    default:
      return left / right;
  }
}

function within64(cursor: CallCursor, token: CallToken, value: Linear): Linear {
  if (value.offset < TWO_TO_64 && value.offset >= -(1n << 63n)) return value;
  cursor.fail(token, "shell.numberAbove64Bits");
  return ZERO;
}
