import { printProgram } from "../program/printProgram.ts";
import { readProgram, type Program } from "../program/readProgram.ts";
import { readMaps, type ImportedMaps } from "./readMaps.ts";
import { readPerfScript, type PerfNames } from "./readPerfScript.ts";
import type { Imported } from "./textLines.ts";

/** A text that somebody brought, as what it is: a recorded program (JSON or perf script), or mappings of a process. */
export type ImportedThing =
  { readonly form: "program"; readonly program: Program; /** as it is kept */ readonly json: string } | { readonly form: "maps"; readonly maps: ImportedMaps };

const MAPS_LINE = /^[0-9a-f]{4,16}-[0-9a-f]{4,16} /;
/** of a perf script, which does not say them */
const DEFAULT_NAMES: PerfNames = { name: "imported", kernel: "6.18", thpEnabled: "madvise" };
const THP_MODES: readonly string[] = ["always", "madvise", "never"];

/** What record-program.sh calls its files: NAME.MODE.txt. */
export function namesFromFile(path: string): PerfNames {
  const file = path.split(/[/\\]/).at(-1) ?? "";
  const [name, mode] = file.split(".");
  return {
    ...DEFAULT_NAMES,
    name: name.replace(/[^\w-]/g, "").slice(0, 40) || DEFAULT_NAMES.name,
    thpEnabled: THP_MODES.includes(mode) ? mode : DEFAULT_NAMES.thpEnabled,
  };
}

/** By its beginning. All of it, or what is wrong with it; `line` 0: with the whole. */
export function importText(text: string, names: PerfNames = DEFAULT_NAMES): Imported<ImportedThing> {
  const start = text.slice(0, 4096).trimStart();
  if (start.startsWith("{")) {
    const result = readProgram(text);
    if (result.kind === "program") return { kind: "ok", value: { form: "program", program: result.program, json: text } };
    return { kind: "bad", problem: { line: 0, what: { key: `conform.import.json.${result.problem}`, args: { event: result.event } } } };
  }
  if (MAPS_LINE.test(start)) {
    const result = readMaps(text);
    return result.kind === "bad" ? result : { kind: "ok", value: { form: "maps", maps: result.value } };
  }
  const result = readPerfScript(text, names);
  return result.kind === "bad" ? result : { kind: "ok", value: { form: "program", program: result.value, json: printProgram(result.value) } };
}
