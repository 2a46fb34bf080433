import { parseError, type ParseError } from "../parseError.ts";
import { lexShell, type ShellToken } from "./shellLexer.ts";
import type { Redirect, ShellList, SimpleCommand, Word } from "./shellSyntax.ts";

export type ShellParseResult = { readonly kind: "list"; readonly list: ShellList } | { readonly kind: "error"; readonly error: ParseError };

/** characters of a shell line: more is pasted by mistake */
const MOST_CHARACTERS = 65536;

type ListItem = ShellList[number];

/** Parses a shell line: pipelines joined by `;`, `&&`, `||`. An empty line is an empty list. Never throws. */
export function parseShell(line: string, lineNumber: number): ShellParseResult {
  if (line.length > MOST_CHARACTERS) {
    return { kind: "error", error: parseError(lineNumber, MOST_CHARACTERS + 1, 1, "shell.lineTooLong", { length: line.length, most: MOST_CHARACTERS }) };
  }
  const { tokens, error } = lexShell(line, lineNumber);
  if (error !== null) return { kind: "error", error };
  return new ListParser(tokens, lineNumber, line.trimEnd().length + 1).parse();
}

class ListParser {
  readonly #tokens: readonly ShellToken[];
  readonly #line: number;
  readonly #endColumn: number;
  #at = 0;
  #error: ParseError | null = null;

  constructor(tokens: readonly ShellToken[], line: number, endColumn: number) {
    this.#tokens = tokens;
    this.#line = line;
    this.#endColumn = endColumn;
  }

  parse(): ShellParseResult {
    const list: ListItem[] = [];
    let when: ListItem["when"] = "always";
    while (this.#at < this.#tokens.length && this.#error === null) {
      list.push({ when, pipeline: this.#pipeline() });
      const operator = this.#operator();
      if (operator === null) break;
      when = operator === "&&" ? "success" : operator === "||" ? "failure" : "always";
      this.#at++;
      if (operator !== ";" && this.#at >= this.#tokens.length) this.#fail("shell.tool.missingCommand", operator);
    }
    return this.#error === null ? { kind: "list", list } : { kind: "error", error: this.#error };
  }

  #operator(): string | null {
    const token = this.#tokens[this.#at];
    return token?.kind === "operator" ? token.text : null;
  }

  #pipeline(): SimpleCommand[] {
    const commands = [this.#command()];
    while (this.#operator() === "|" && this.#error === null) {
      this.#at++;
      commands.push(this.#command());
    }
    return commands;
  }

  #command(): SimpleCommand {
    const assignments: { name: string; value: Word }[] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    for (let token = this.#tokens[this.#at]; token !== undefined && this.#error === null; token = this.#tokens[this.#at]) {
      if (token.kind === "word") {
        const assignment = words.length === 0 ? asAssignment(token.word) : null;
        if (assignment !== null) assignments.push(assignment);
        else words.push(token.word);
        this.#at++;
      } else if (token.text === ">" || token.text === ">>" || token.text === "<") {
        this.#at++;
        const target = this.#tokens[this.#at];
        if (target?.kind === "word") redirects.push({ kind: token.text, target: target.word });
        else this.#fail("shell.tool.missingTarget", token.text);
        this.#at++;
      } else break;
    }
    if (words.length + redirects.length + assignments.length === 0) this.#fail("shell.tool.missingCommand", this.#operator() ?? "|");
    return { assignments, words, redirects };
  }

  #fail(key: string, word: string): void {
    const token = this.#tokens[this.#at];
    const column = token === undefined ? this.#endColumn : token.kind === "word" ? token.word.column : token.column;
    this.#error ??= parseError(this.#line, column, 1, key, { word });
  }
}

/** `name=value`, when name and `=` stand outside quotes. */
function asAssignment(word: Word): { name: string; value: Word } | null {
  const first = word.parts[0];
  if (first?.kind !== "text") return null;
  const found = /^([A-Za-z_]\w*)=/.exec(first.text);
  if (found === null) return null;
  const rest = first.text.slice(found[0].length);
  const parts = rest === "" ? word.parts.slice(1) : [{ kind: "text" as const, text: rest }, ...word.parts.slice(1)];
  return { name: found[1], value: { ...word, parts, quoted: true } };
}
