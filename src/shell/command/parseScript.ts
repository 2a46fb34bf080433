import type { Operation } from "../operation.ts";
import { parseError, type ParseError } from "../parseError.ts";
import { parseLine } from "./parseLine.ts";

/** A person reads a few errors at a time; a binary file has a million. */
export const MOST_ERRORS = 20;

export interface ParsedScript {
  readonly operations: readonly Operation[];
  /** in order of lines; empty when the script parsed. After MOST_ERRORS the rest is not read, and one more error says so */
  readonly errors: readonly ParseError[];
}

/** Parses a script of the command form up to its end or to `quit`. Never throws; time linear in the source. */
export function parseScript(source: string): ParsedScript {
  const operations: Operation[] = [];
  const errors: ParseError[] = [];
  for (const [line, text] of linesOf(source)) {
    const result = parseLine(text, line);
    if (result.kind === "operation") operations.push(result.operation);
    else if (result.kind === "quit") break;
    else if (result.kind === "error") {
      if (errors.length === MOST_ERRORS) {
        errors.push(parseError(line, 1, 1, "shell.tooManyErrors", { most: MOST_ERRORS }));
        break;
      }
      errors.push(result.error);
    }
  }
  return { operations, errors };
}

/** Lines of a text with their numbers from 1, without their newline. A last line without a newline counts, an empty rest does not. */
export function* linesOf(source: string): Generator<readonly [line: number, text: string]> {
  let line = 1;
  let start = 0;
  while (start < source.length) {
    const newline = source.indexOf("\n", start);
    const end = newline < 0 ? source.length : newline;
    yield [line, source.slice(start, end)];
    line++;
    start = end + 1;
  }
}

/** One line of a text by its number from 1, for an error message; empty when there is none. */
export function sourceLine(source: string, line: number): string {
  for (const [number, text] of linesOf(source)) if (number === line) return text;
  return "";
}
