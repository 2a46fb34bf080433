import { readFileSync, statSync } from "node:fs";
import { say } from "../i18n/format.ts";
import { errorCode } from "./judgeText.ts";
import { shown } from "./shown.ts";

const MOST_BYTES = 8 * 1024 * 1024;

/** The text of a script file, `-` for standard input; null after saying why there is none. */
export function readScriptFile(command: string, file: string): string | null {
  try {
    const bytes = file === "-" ? 0 : statSync(file).size;
    if (bytes > MOST_BYTES) {
      console.error(say("cli.file.tooLarge", { command, file: shown(file), bytes, limit: MOST_BYTES }));
      return null;
    }
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    console.error(say("cli.file.notRead", { command, file: shown(file), code: errorCode(error) }));
    return null;
  }
}
