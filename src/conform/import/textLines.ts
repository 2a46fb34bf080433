import type { Message } from "../../kernel/message.ts";

/** Text that somebody brings, line by line, with limits: what is wrong is one sentence with its line. */

/** Characters of a line; /proc and perf script print shorter ones (a path has at most 4096). */
export const LINE_CHARACTERS_MAX = 8192;
/** Lines of one file. */
const LINES_MAX = 4_000_000;
const SHOWN_CHARACTERS = 60;

/** What is wrong with an imported text; `line` counts from 1. */
export interface ImportProblem {
  readonly line: number;
  readonly what: Message;
}

/** Thrown inside an import, caught at its door. */
export class BadLine extends Error {
  readonly problem: ImportProblem;

  constructor(line: number, name: string, args: Message["args"] = {}) {
    super(`line ${line}: ${name}`);
    this.problem = { line, what: { key: `conform.import.${name}`, args } };
  }
}

/** A piece of a line as a sentence can repeat it. */
export const shownPart = (text: string): string => {
  const safe = text.replace(/[^\x20-\x7e]/g, "?");
  return safe.length > SHOWN_CHARACTERS ? `${safe.slice(0, SHOWN_CHARACTERS)}...` : safe;
};

// tabs stand in perf script's and in /proc's lines
// eslint-disable-next-line no-control-regex
const BINARY = /[\x00-\x08\x0b-\x1f\x7f\ufffd]/;

/** Lines with their numbers; a carriage return at the end is no part of one. @throws BadLine */
export function* checkedLines(text: string): Generator<readonly [line: number, text: string]> {
  let number = 0;
  for (let start = 0; start < text.length;) {
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found;
    number++;
    if (number > LINES_MAX) throw new BadLine(number, "tooManyLines", { limit: LINES_MAX });
    if (end - start > LINE_CHARACTERS_MAX) throw new BadLine(number, "longLine", { characters: end - start, limit: LINE_CHARACTERS_MAX });
    const line = text.slice(start, end).replace(/\r$/, "");
    if (BINARY.test(line)) throw new BadLine(number, "binary");
    yield [number, line];
    start = end + 1;
  }
}

export type Imported<T> = { readonly kind: "ok"; readonly value: T } | { readonly kind: "bad"; readonly problem: ImportProblem };

/** Runs an import whole: all of it, or what is wrong. */
export function attemptImport<T>(work: () => T): Imported<T> {
  try {
    return { kind: "ok", value: work() };
  } catch (error) {
    if (error instanceof BadLine) return { kind: "bad", problem: error.problem };
    throw error;
  }
}
