import { parseError, type ParseError } from "../parseError.ts";
import type { Word, WordPart } from "./shellSyntax.ts";

export type ShellToken =
  | { readonly kind: "word"; readonly word: Word }
  | { readonly kind: "operator"; readonly text: "|" | "||" | "&&" | ";" | ">" | ">>" | "<"; readonly column: number };

const OPERATORS = ["||", "&&", ">>", "|", ";", ">", "<"] as const;

/** Splits a shell line into words and operators: quotes, `\`, `$name`, `${name}`, comments. Time linear in the line. */
export function lexShell(line: string, lineNumber: number): { readonly tokens: readonly ShellToken[]; readonly error: ParseError | null } {
  const tokens: ShellToken[] = [];
  let at = 0;
  while (at < line.length) {
    const character = line[at];
    if (character === " " || character === "\t" || character === "\r") at++;
    else if (character === "#") break;
    else {
      const operator = OPERATORS.find((text) => line.startsWith(text, at));
      if (operator !== undefined) {
        tokens.push({ kind: "operator", text: operator, column: at + 1 });
        at += operator.length;
      } else if ("&()`".includes(character)) {
        return { tokens, error: parseError(lineNumber, at + 1, 1, "shell.tool.notSupported", { word: character }) };
      } else {
        const reader = new WordReader(line, at);
        const problem = reader.read();
        if (problem !== null) return { tokens, error: parseError(lineNumber, problem.at + 1, 1, problem.key, { word: line[problem.at] ?? "" }) };
        if (/^\d$/.test(line.slice(at, reader.at)) && (line[reader.at] === ">" || line[reader.at] === "<")) {
          return { tokens, error: parseError(lineNumber, at + 1, 2, "shell.tool.notSupported", { word: line.slice(at, at + 2) }) };
        }
        tokens.push({ kind: "word", word: { parts: reader.parts, quoted: reader.quoted, column: at + 1, length: reader.at - at } });
        at = reader.at;
      }
    }
  }
  return { tokens, error: null };
}

/** Reads one word. */
class WordReader {
  at: number;
  readonly parts: WordPart[] = [];
  quoted = false;
  readonly #line: string;
  #text = "";

  constructor(line: string, at: number) {
    this.#line = line;
    this.at = at;
  }

  /** Reads to the end of the word; returns where and why it cannot. */
  read(): { readonly at: number; readonly key: string } | null {
    while (this.at < this.#line.length) {
      const character = this.#line[this.at];
      if (" \t\r|;<>&()`".includes(character)) break;
      const start = this.at;
      if (character === "'") {
        const close = this.#line.indexOf("'", this.at + 1);
        if (close < 0) return { at: start, key: "shell.tool.openQuote" };
        this.quoted = true;
        this.#text += this.#line.slice(this.at + 1, close);
        this.at = close + 1;
      } else if (character === '"') {
        if (!this.#readDoubleQuoted()) return { at: start, key: "shell.tool.openQuote" };
      } else if (character === "\\") {
        if (this.at + 1 >= this.#line.length) return { at: start, key: "shell.tool.openQuote" };
        this.quoted = true;
        this.#text += this.#line[this.at + 1];
        this.at += 2;
      } else if (character === "$") {
        if (!this.#readVariable(false)) return { at: start, key: "shell.tool.notSupported" };
      } else {
        this.#text += character;
        this.at++;
      }
    }
    this.#flush();
    return null;
  }

  #readDoubleQuoted(): boolean {
    this.quoted = true;
    this.at++;
    while (this.at < this.#line.length) {
      const character = this.#line[this.at];
      if (character === '"') {
        this.at++;
        return true;
      }
      if (character === "\\" && '"\\$`'.includes(this.#line[this.at + 1] ?? " ")) {
        this.#text += this.#line[this.at + 1];
        this.at += 2;
      } else if (character === "$") {
        if (!this.#readVariable(true)) return false;
      } else {
        this.#text += character;
        this.at++;
      }
    }
    return false;
  }

  /** `$name`, `${name}`, `$?`; a `$` before anything else is itself. False for what is not supported: `$(..)`. */
  #readVariable(quoted: boolean): boolean {
    const rest = this.#line.slice(this.at + 1, this.at + 130);
    if (rest.startsWith("(")) return false;
    const found = /^(?:\{([A-Za-z_]\w*|\?)\}|([A-Za-z_]\w*|\?))/.exec(rest);
    if (found === null) {
      if (rest.startsWith("{")) return false;
      this.#text += "$";
      this.at++;
      return true;
    }
    this.#flush();
    this.parts.push({ kind: "variable", name: found[1] ?? found[2], quoted });
    this.at += 1 + found[0].length;
    return true;
  }

  #flush(): void {
    if (this.#text !== "") this.parts.push({ kind: "text", text: this.#text });
    this.#text = "";
  }
}
