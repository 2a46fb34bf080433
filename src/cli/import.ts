import { readFileSync, statSync } from "node:fs";
import { importText, namesFromFile, type ImportedThing } from "../conform/import/importText.ts";
import { mapsScript } from "../conform/import/mapsScript.ts";
import type { ImportProblem } from "../conform/import/textLines.ts";
import { sentence } from "../i18n/format.ts";
import { parseCommandLine } from "./arguments.ts";
import { exitStatus } from "./exitStatus.ts";
import { errorCode, tell } from "./judgeText.ts";
import { shown } from "./shown.ts";
import { writeOut } from "./writeOut.ts";

/** No dump or recording comes near this; a bigger file is not read at all. */
const MAX_BYTES = 64 * 1024 * 1024;
const FORMS = ["maps", "smaps", "perf", "program"] as const;
type Form = (typeof FORMS)[number];

const OPTIONS = { name: { type: "string" }, thp: { type: "string" }, kernel: { type: "string" } } as const;
const THP_MODES: readonly string[] = ["always", "madvise", "never"];

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return exitStatus.usage;
}

/** A text file whole, or the sentence that says why not. `command`: who asks. */
export function readWhole(command: string, path: string): { readonly text: string } | string {
  try {
    const { size } = statSync(path);
    if (size > MAX_BYTES) return tell("conform.import.tooLarge", { command, path, bytes: size, limit: MAX_BYTES });
    return { text: readFileSync(path, "utf8") };
  } catch (error) {
    return tell("conform.import.notRead", { command, path, code: errorCode(error) });
  }
}

/** `FILE:LINE: what is wrong`. */
export const problemText = (path: string, { line, what }: ImportProblem): string => `${path}${line === 0 ? "" : `:${line}`}: ${sentence(what)}`;

/** `hugelab import maps|smaps|perf FILE`: a script, or a recorded program, from what other tools printed. */
export async function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("import", args, OPTIONS);
  if (parsed === null) return exitStatus.usage;
  const { values, positionals } = parsed;
  const form = FORMS.find((known) => known === positionals[0]);
  if (form === undefined || positionals.length !== 2) return complain(tell("conform.import.usage", { forms: FORMS.join(", ") }));
  if (values.thp !== undefined && !THP_MODES.includes(values.thp))
    return complain(tell("conform.import.thp", { value: shown(values.thp), known: THP_MODES.join(", ") }));
  const [, path] = positionals;
  const file = readWhole("import", path);
  if (typeof file === "string") return complain(file);
  const names = namesFromFile(path);
  const result = importText(file.text, {
    name: values.name ?? names.name,
    kernel: values.kernel ?? names.kernel,
    thpEnabled: values.thp ?? names.thpEnabled,
  });
  if (result.kind === "bad") return complain(problemText(path, result.problem));
  const is = formOf(result.value, file.text);
  // smaps holds what maps does
  if (is !== form && !(form === "maps" && is === "smaps")) return complain(tell("conform.import.otherForm", { path, wanted: form, is }));
  await writeOut(result.value.form === "program" ? result.value.json : scriptText(path, result.value, form));
  return 0;
}

function formOf(thing: ImportedThing, text: string): Form {
  if (thing.form === "maps") return thing.maps.form;
  return text.trimStart().startsWith("{") ? "program" : "perf";
}

function scriptText(path: string, { maps }: Extract<ImportedThing, { form: "maps" }>, form: Form): string {
  const { lines, unknown, mappings } = mapsScript(form === "maps" ? { ...maps, form: "maps" } : maps);
  const head = [tell("conform.import.scriptHead", { form, path: shown(path, 200), mappings }), ...unknown.map(sentence)];
  return `${[...head.map((text) => `# ${text}`), "", ...lines].join("\n")}\n`;
}
