import { decodeUtf8 } from "../../shell/line/utf8.ts";
import { MOST_TEXT_BYTES } from "./limits.ts";
import type { ProblemList } from "./problem.ts";

/**
 * Characters that a text of a pack may not have: controls (an escape sequence could repaint the terminal), marks that turn the
 * direction of text or cannot be seen, and halves of pairs.
 */
const FORBIDDEN =
  // eslint-disable-next-line no-control-regex -- that is what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Index of the first such character, or -1. */
export const forbiddenAt = (text: string): number => FORBIDDEN.exec(text)?.index ?? -1;

export const lineAt = (text: string, index: number): number => text.slice(0, index).split("\n").length;

/** A text file of the pack; null, with a problem, when it is too long, no UTF-8, or has a character that may not be there. */
export function readText(path: string, bytes: Uint8Array, problems: ProblemList, mostBytes = MOST_TEXT_BYTES): string | null {
  if (bytes.length > mostBytes) {
    problems.add(path, "", "textTooLong", { bytes: bytes.length, most: mostBytes });
    return null;
  }
  const { text, rest } = decodeUtf8([], bytes);
  if (rest.length > 0 || text.includes("\ufffd")) {
    problems.add(path, "", "notUtf8");
    return null;
  }
  const unix = text.replaceAll("\r\n", "\n");
  const at = forbiddenAt(unix);
  if (at < 0) return unix;
  problems.add(path, `line ${lineAt(unix, at)}`, "controlCharacter", { code: codeName(unix, at) });
  return null;
}

const codeName = (text: string, at: number): string => `U+${(text.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/** Every string in a value that came from JSON or YAML, keys too: escapes can put characters there that the file does not show. */
export function checkStrings(path: string, value: unknown, problems: ProblemList, place = ""): void {
  if (typeof value === "string") {
    const at = forbiddenAt(value);
    if (at >= 0) problems.add(path, place, "controlCharacter", { code: codeName(value, at) });
  } else if (Array.isArray(value)) value.forEach((each, i) => checkStrings(path, each, problems, `${place}[${i}]`));
  else if (typeof value === "object" && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      if (forbiddenAt(key) >= 0) problems.add(path, place, "controlCharacter", { code: codeName(key, forbiddenAt(key)) });
      checkStrings(path, each, problems, place === "" ? key : `${place}.${key}`);
    }
  }
}

/** How deep a JSON text nests, without parsing it: JSON.parse of a hostile one could exhaust the stack. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inString) {
      if (c === "\\") i++;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "[" || c === "{") deepest = Math.max(deepest, ++depth);
    else if (c === "]" || c === "}") depth--;
  }
  return deepest;
}

const MOST_JSON_DEPTH = 24;

/** A JSON file of the pack, or undefined with a problem. */
export function readJson(path: string, bytes: Uint8Array, problems: ProblemList, mostBytes = MOST_TEXT_BYTES): unknown {
  const text = readText(path, bytes, problems, mostBytes);
  if (text === null) return undefined;
  if (jsonDepth(text) > MOST_JSON_DEPTH) {
    problems.add(path, "", "jsonTooDeep", { most: MOST_JSON_DEPTH });
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(text);
    const before = problems.count;
    checkStrings(path, value, problems);
    return problems.count > before ? undefined : value;
  } catch (error) {
    problems.add(path, jsonPlace(text, error), "notJson");
    return undefined;
  }
}

/** V8 says where: "... (line 3 column 5)", or only a position. */
function jsonPlace(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  const position = /position (\d+)/.exec(message)?.[1];
  return position === undefined ? "" : `line ${lineAt(text, Number(position))}`;
}
