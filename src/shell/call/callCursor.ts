import { shorten } from "../command/tokenCursor.ts";
import { parseError, type ParseError } from "../parseError.ts";
import { lexCall, type CallToken } from "./callLexer.ts";

/** Reads the tokens of one line of the C form. The first mistake is kept; see TokenCursor for the way it is used. */
export class CallCursor {
  error: ParseError | null = null;
  readonly line: number;
  #at = 0;
  readonly #tokens: readonly CallToken[];

  constructor(text: string, line: number) {
    this.#tokens = lexCall(text);
    this.line = line;
  }

  /** Index behind the last token: what follows is blanks or a comment. */
  endOfText(): number {
    const last = this.#tokens[this.#tokens.length - 2];
    return last === undefined ? 0 : last.column - 1 + last.text.length;
  }

  /** The token `ahead` places further on, not taken. The last one has kind "end". */
  peek(ahead = 0): CallToken {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
  }

  take(): CallToken {
    const token = this.peek();
    if (token.kind !== "end") this.#at++;
    return token;
  }

  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === "punctuation" && token.text === text;
  }

  /** Takes the punctuation `text` if it comes next. */
  accept(text: string): boolean {
    const found = this.is(text);
    if (found) this.take();
    return found;
  }

  /** Takes the punctuation `text`, which must come next. */
  expect(text: string): void {
    if (!this.accept(text)) this.fail(this.peek(), "shell.call.expected", { expected: text, found: this.found() });
  }

  /** How the next token is called in a message. */
  found(): string {
    const token = this.peek();
    return token.kind === "end" ? "the end of the line" : `"${shorten(token.text)}"`;
  }

  fail(token: CallToken, key: string, args: Readonly<Record<string, string | number>> = {}, suggestion: string | null = null): void {
    if (this.error === null) this.error = parseError(this.line, token.column, token.text.length, key, args, suggestion);
  }
}
