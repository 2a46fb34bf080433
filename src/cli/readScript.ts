import { readFileSync, statSync } from "node:fs";
import { say } from "../i18n/format.ts";
import { errorCode } from "./judgeText.ts";

const MOST_BYTES = 16 * 1024 * 1024;

/** The script's text, or a sentence that says why there is none. `-` is the standard input. */
export function readScript(command: string, path: string): { readonly source: string } | string {
  try {
    const isInput = path === "-";
    const stats = isInput ? null : statSync(path);
    if (stats?.isDirectory() === true) return say("cli.script.folder", { command, path });
    if (stats !== null && stats.size > MOST_BYTES) return say("cli.script.tooLarge", { command, path, limit: MOST_BYTES });
    const bytes = readFileSync(isInput ? 0 : path);
    return bytes.length > MOST_BYTES ? say("cli.script.tooLarge", { command, path, limit: MOST_BYTES }) : { source: bytes.toString("utf8") };
  } catch (error) {
    return errorCode(error) === "ENOENT" ? say("cli.script.noFile", { command, path }) : say("cli.script.notRead", { command, path, code: errorCode(error) });
  }
}
