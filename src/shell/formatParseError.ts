import { shellMessagesEn } from "./messages.en.ts";
import type { ParseError } from "./parseError.ts";
import { renderer, type RenderMessage } from "./renderMessage.ts";

/** code units of the source line that are shown: a line of 1 MB must not fill the screen */
const WINDOW = 120;
/** code units shown before the mistake when the line is longer than the window */
const LEAD = 40;

/** Control characters would move the cursor or hide the mistake; each becomes one visible cell, so that the caret stays right. */
function visible(text: string): string {
  // eslint-disable-next-line no-control-regex -- finding control characters is the purpose
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g, (character) => (character === "\t" ? " " : "\u00b7"));
}

/**
 * The error as a person sees it: `file:line:column: sentence`, the line, a caret under the mistake and the suggestion.
 * `sourceLine` is the whole line as typed (without its newline). Text of three lines, without a final newline.
 */
export function formatParseError(error: ParseError, fileName: string, sourceLine: string, render: RenderMessage = renderer(shellMessagesEn)): string {
  const head = `${visible(fileName)}:${error.line}:${error.column}: ${visible(render(error.message))}`;
  const at = Math.max(0, error.column - 1);
  const start = sourceLine.length > WINDOW && at > LEAD ? at - LEAD : 0;
  const lead = start > 0 ? "..." : "";
  const tail = start + WINDOW < sourceLine.length ? "..." : "";
  const shown = lead + visible(sourceLine.slice(start, start + WINDOW)) + tail;
  const room = Math.max(1, WINDOW - (at - start));
  const caret = "^".repeat(Math.min(error.length, room));
  const gutter = String(error.line);
  const hint = error.suggestion === undefined ? "" : ` ${render({ key: "shell.didYouMean", args: { suggestion: error.suggestion } })}`;
  return `${head}\n ${gutter} | ${shown}\n ${" ".repeat(gutter.length)} | ${" ".repeat(lead.length + at - start)}${caret}${visible(hint)}`;
}
