/** A token of the C form. `column` counts from 1. */
export interface CallToken {
  readonly kind: "name" | "number" | "string" | "punctuation" | "bad" | "end";
  readonly text: string;
  readonly column: number;
}

const TWO_CHARACTERS: ReadonlySet<string> = new Set(["<<", ">>", "..", "->", "=="]);
const PUNCTUATION = "()[]{},;=|&+-*/~<>.?:!%^";

/**
 * Tokens of one line; `//`, `#` and C comments end or interrupt it. Ends with a token of kind "end".
 * A character that C does not know is a token of kind "bad". Time linear in the line.
 */
export function lexCall(line: string): CallToken[] {
  const tokens: CallToken[] = [];
  let at = 0;
  const push = (kind: CallToken["kind"], end: number): void => {
    tokens.push({ kind, text: line.slice(at, end), column: at + 1 });
    at = end;
  };
  while (at < line.length) {
    const character = line[at];
    if (character === " " || character === "\t" || character === "\r") at++;
    else if (character === "#" || line.startsWith("//", at)) break;
    else if (line.startsWith("/*", at)) {
      const close = line.indexOf("*/", at + 2);
      at = close < 0 ? line.length : close + 2;
    } else if (isNameStart(line.charCodeAt(at))) push("name", skip(line, at, isNamePart));
    else if (isDigit(line.charCodeAt(at))) push("number", skip(line, at, isNamePart));
    else if (character === '"') push("string", endOfString(line, at));
    else if (TWO_CHARACTERS.has(line.slice(at, at + 2))) push("punctuation", at + 2);
    else push(PUNCTUATION.includes(character) ? "punctuation" : "bad", at + 1);
  }
  tokens.push({ kind: "end", text: "", column: line.trimEnd().length + 1 });
  return tokens;
}

function skip(line: string, from: number, belongs: (code: number) => boolean): number {
  let at = from;
  while (at < line.length && belongs(line.charCodeAt(at))) at++;
  return at;
}

/** Index behind the closing quote, or the end of the line when there is none. */
function endOfString(line: string, from: number): number {
  let at = from + 1;
  while (at < line.length && line[at] !== '"') at += line[at] === "\\" ? 2 : 1;
  return Math.min(line.length, at + 1);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isNameStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

function isNamePart(code: number): boolean {
  return isNameStart(code) || isDigit(code);
}
