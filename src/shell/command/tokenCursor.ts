import { closest } from "../editDistance.ts";
import { readNumber } from "../numbers.ts";
import type { AddressExpr, RangeExpr } from "../operation.ts";
import { parseError, type ParseError } from "../parseError.ts";
import type { Token } from "../tokens.ts";

/** names longer than this the recorder's table cannot hold */
export const LONGEST_NAME = 15;
/** choices that a message lists beside a suggestion */
const MOST_CHOICES = 8;

/**
 * Reads the words of one operation from left to right. The first mistake is kept and everything read after it is a placeholder,
 * so a parser of one operation is written straight down, and asks for `error` once at its end.
 */
export class TokenCursor {
  readonly line: number;
  error: ParseError | null = null;
  #at = 0;
  readonly #tokens: readonly Token[];
  readonly #endColumn: number;
  readonly #usage: string;

  /** `endColumn`: where a missing word would stand. `usage`: the form of the operation, for the message that a word is missing. */
  constructor(tokens: readonly Token[], line: number, endColumn: number, usage: string) {
    this.#tokens = tokens;
    this.line = line;
    this.#endColumn = endColumn;
    this.#usage = usage;
  }

  /** The next word, not taken; null at the end. */
  peek(): Token | null {
    return this.#tokens[this.#at] ?? null;
  }

  /** Takes a word that must be there. `what` names it in the message, as the usage line does. */
  word(what: string): Token {
    const token = this.peek();
    if (token !== null) {
      this.#at++;
      return token;
    }
    if (this.error === null) this.error = parseError(this.line, this.#endColumn, 1, "shell.missingWord", { what, usage: this.#usage });
    return { text: "", column: this.#endColumn };
  }

  /** Records a mistake at a word (or a part of it), unless there is an earlier one. */
  fail(
    token: Token,
    key: string,
    args: Readonly<Record<string, string | number>> = {},
    suggestion: string | null = null,
    from = 0,
    length = token.text.length - from,
  ): void {
    if (this.error === null) this.error = parseError(this.line, token.column + from, length, key, args, suggestion);
  }

  /** Says that `token` is none of `choices`, with the nearest of them. */
  failChoice(token: Token, what: string, choices: readonly string[], suggestion = closest(token.text, choices)): void {
    // thirty words hide the one that was meant; without a guess they are all there is to say
    const key = suggestion !== null && choices.length > MOST_CHOICES ? "shell.notKnown" : "shell.notOneOf";
    this.fail(token, key, { what, word: shorten(token.text), choices: choices.join(" ") }, suggestion);
  }

  /** Takes a word that must be one of `choices`. */
  choice<T extends string>(what: string, choices: readonly T[]): T | null {
    const token = this.word(what);
    const found = choices.find((choice) => choice === token.text);
    if (found === undefined) this.failChoice(token, what, choices);
    return found ?? null;
  }

  /** Takes the word `text` if it comes next. */
  accept(text: string): boolean {
    const found = this.peek()?.text === text;
    if (found) this.#at++;
    return found;
  }

  /** Every operation ends with this: a word too many is a mistake. */
  end(): void {
    const token = this.peek();
    if (token !== null) this.fail(token, "shell.extraWord", { word: shorten(token.text), usage: this.#usage });
  }

  /** Takes a number of bytes (or a plain number), 0 to 2^64-1. */
  number(what: string): bigint {
    const token = this.word(what);
    return this.numberIn(token, 0, what);
  }

  /** The number that fills `token` from index `from` to its end. */
  numberIn(token: Token, from: number, what: string): bigint {
    if (this.error !== null) return 0n;
    const read = readNumber(token.text, from);
    if (read.kind !== "number") {
      this.#failNumber(token, from, read.kind, read.end, what);
      return 0n;
    }
    if (read.end === token.text.length) return read.value;
    // the recorder reads "2M+0" as 2M, and never adds: a tail that would change the value must not be dropped silently
    const tail = this.#terms(token, read.end);
    if (tail !== null && tail !== 0n) this.fail(token, "shell.noSum", { what }, null, read.end);
    return read.value;
  }

  /** Takes a plain number from 0 to `most`. */
  smallNumber(what: string, most: number): number {
    const token = this.word(what);
    return this.smallNumberIn(token, 0, what, most);
  }

  /** As numberIn, for a value of at most `most`. */
  smallNumberIn(token: Token, from: number, what: string, most: number): number {
    const value = this.numberIn(token, from, what);
    if (value <= BigInt(most)) return Number(value);
    this.fail(token, "shell.numberTooBig", { what, most }, null, from);
    return 0;
  }

  /** Takes a name for memory, a process or a file: letters, digits, `_` and `.`, not beginning with a digit. */
  name(what: string): string {
    const token = this.word(what);
    return this.nameIn(token, 0, token.text.length, what);
  }

  nameIn(token: Token, from: number, to: number, what: string): string {
    const text = token.text.slice(from, to);
    if (this.error !== null) return text;
    if (!/^[A-Za-z_][\w.]*$/.test(text)) this.fail(token, "shell.badName", { what, word: shorten(text) }, null, from, to - from);
    else if (text.length > LONGEST_NAME) this.fail(token, "shell.nameTooLong", { what, most: LONGEST_NAME }, text.slice(0, LONGEST_NAME), from, to - from);
    return text;
  }

  /** Takes `NAME([+-]NUM)*` or `NUM([+-]NUM)*`. */
  address(what: string): AddressExpr {
    return this.addressIn(this.word(what), 0, what);
  }

  /** The address that fills `token` from index `from` on. Sums wrap at 64 bits, as in C; the offset from a name is a signed number. */
  addressIn(token: Token, from: number, what: string): AddressExpr {
    if (this.error !== null) return { name: null, offsetBytes: 0n };
    const text = token.text;
    if (startsWithDigit(text, from)) {
      const read = readNumber(text, from);
      if (read.kind !== "number") {
        this.#failNumber(token, from, read.kind, read.end, what);
        return { name: null, offsetBytes: 0n };
      }
      return { name: null, offsetBytes: BigInt.asUintN(64, read.value + (this.#terms(token, read.end) ?? 0n)) };
    }
    let end = from;
    while (end < text.length && text[end] !== "+" && text[end] !== "-") end++;
    const name = this.nameIn(token, from, end, what);
    return { name, offsetBytes: BigInt.asIntN(64, this.#terms(token, end) ?? 0n) };
  }

  /** Takes an address and, when a word follows that begins with a digit, its length. */
  range(): RangeExpr {
    const at = this.address("ADDRESS");
    const next = this.peek();
    const lengthBytes = next !== null && startsWithDigit(next.text, 0) ? this.number("LEN") : null;
    return { at, lengthBytes };
  }

  /** Sum of `([+-]NUM)*` from index `from` to the end of the word; null after a mistake. */
  #terms(token: Token, from: number): bigint | null {
    let sum = 0n;
    let at = from;
    while (at < token.text.length) {
      const sign = token.text[at];
      if (sign !== "+" && sign !== "-") {
        this.#failTail(token, at);
        return null;
      }
      const read = readNumber(token.text, at + 1);
      if (read.kind !== "number") {
        this.#failNumber(token, at + 1, read.kind, read.end, "NUM");
        return null;
      }
      // kept below 64 bits at each step: a line of thousands of terms stays linear
      sum = BigInt.asIntN(64, sign === "-" ? sum - read.value : sum + read.value);
      at = read.end;
    }
    return sum;
  }

  #failNumber(token: Token, from: number, kind: "none" | "big", end: number, what: string): void {
    if (kind === "big") this.fail(token, "shell.numberAbove64Bits", {}, null, from, end - from);
    else this.fail(token, "shell.notANumber", { what, word: shorten(token.text.slice(from)) }, null, Math.min(from, token.text.length - 1));
  }

  /** Something stands behind a number that does not belong there: most often a suffix of another program. */
  #failTail(token: Token, at: number): void {
    const tail = token.text.slice(at);
    const before = token.text.slice(0, at);
    const number = /(0x[\da-f]+|\d+)[kKMGp]?$/i.exec(before.slice(-30))?.[1] ?? "";
    const withSuffix = token.text.slice(before.lastIndexOf(number) + number.length);
    const suffix = /^([kmg])(i?b)?$/i.exec(withSuffix)?.[1];
    const right =
      suffix === undefined || number === ""
        ? null
        : before.slice(0, before.lastIndexOf(number)) + number + (suffix.toLowerCase() === "k" ? "k" : suffix.toUpperCase());
    this.fail(token, "shell.afterNumber", { word: shorten(tail) }, right, at);
  }
}

/** Does a digit stand at `from`? */
export function startsWithDigit(text: string, from: number): boolean {
  const code = text.charCodeAt(from);
  return code >= 48 && code <= 57;
}

/** A word as it goes into a message: a word of a megabyte must not. */
export function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
