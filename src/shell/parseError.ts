import type { Message } from "../kernel/message.ts";

/** A typing mistake: where it stands and what would have been right. */
export interface ParseError {
  /** counted from 1 */
  readonly line: number;
  /** counted from 1, in UTF-16 code units of the line as typed */
  readonly column: number;
  /** code units under the caret, at least 1 */
  readonly length: number;
  readonly message: Message;
  /** what was probably meant, ready to be typed instead */
  readonly suggestion?: string;
}

/** Makes an error; a null suggestion is left out. */
export function parseError(
  line: number,
  column: number,
  length: number,
  key: string,
  args: Readonly<Record<string, string | number>> = {},
  suggestion: string | null = null,
): ParseError {
  const error = { line, column, length: Math.max(1, length), message: { key, args } };
  return suggestion === null ? error : { ...error, suggestion };
}
