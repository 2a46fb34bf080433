import type { Token } from "../tokens.ts";
import { LONGEST_NAME, shorten, type TokenCursor } from "./tokenCursor.ts";

/** bytes of a path the recorder's table can hold */
const LONGEST_PATH = 159;

/** A file by its name or its path: the rest of `token` from index `from`. */
export function fileIn(cursor: TokenCursor, token: Token, from: number): string {
  const text = token.text.slice(from);
  if (cursor.error !== null) return text;
  if (text.length === 0) cursor.fail(token, "shell.missingValue", { what: "FILE" }, null, 0);
  else if (text.length > LONGEST_PATH) cursor.fail(token, "shell.nameTooLong", { what: "FILE", most: LONGEST_PATH }, null, from);
  return text;
}

/** Takes a file's name or path. */
export function file(cursor: TokenCursor, what = "FILE"): string {
  return fileIn(cursor, cursor.word(what), 0);
}

/** Takes a new name for a file or a mount: no slash in it. */
export function newFileName(cursor: TokenCursor): string {
  const token = cursor.word("NAME");
  if (cursor.error !== null) return token.text;
  if (!/^[\w.][\w.-]*$/.test(token.text) || /^\.+$/.test(token.text)) cursor.fail(token, "shell.badFileName", { word: shorten(token.text) });
  else if (token.text.length > LONGEST_NAME) cursor.fail(token, "shell.nameTooLong", { what: "NAME", most: LONGEST_NAME });
  return token.text;
}
