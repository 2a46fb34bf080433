/** A word of a line and where it stands. */
export interface Token {
  readonly text: string;
  /** counted from 1, in the line as typed */
  readonly column: number;
}

/** Splits at blanks and tabs. `columnOffset` is added to every column (for a part of a line). Time linear in the text. */
export function splitTokens(text: string, columnOffset = 0): Token[] {
  const tokens: Token[] = [];
  let start = -1;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 32;
    const blank = code === 32 || code === 9;
    if (blank && start >= 0) {
      tokens.push({ text: text.slice(start, i), column: start + 1 + columnOffset });
      start = -1;
    } else if (!blank && start < 0) start = i;
  }
  return tokens;
}

/** The operation in a line as the recorder prints it: comment and outer blanks removed. `start` is its index in the line. */
export function operationText(line: string): { readonly text: string; readonly start: number } {
  const hash = line.indexOf("#");
  let end = hash < 0 ? line.length : hash;
  let start = 0;
  while (start < end && isBlank(line.charCodeAt(start), false)) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1), true)) end--;
  return { text: line.slice(start, end), start };
}

/** The recorder takes CR and LF off the end of a line only. */
function isBlank(code: number, atEnd: boolean): boolean {
  return code === 32 || code === 9 || (atEnd && (code === 10 || code === 13));
}
