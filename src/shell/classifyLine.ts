import type { CommandForm } from "./table/commandSpec.ts";
import type { CommandTable } from "./table/commandTable.ts";
import { splitTokens } from "./tokens.ts";

/** What a line typed in the terminal is; an unknown first word is the shell's, which says so. */
export type LineClass = { readonly form: "empty" } | { readonly form: CommandForm; /** the word that decided */ readonly name: string };

/** characters looked at: what decides stands at the beginning */
const LOOKED_AT = 400;

/**
 * Which of the three forms a line is: `name(..)`, `x = name(..)`, with or without types, is the C form; a line that begins with an
 * operation or with `@PROC` is the command form; everything else is a shell line. Where an operation and a tool have one name, it is the operation.
 */
export function classifyLine(line: string, table: CommandTable): LineClass {
  const text = line.slice(0, LOOKED_AT).trimStart();
  if (text === "" || text.startsWith("#") || text.startsWith("//")) return { form: "empty" };
  const first = splitTokens(text)[0];
  if (first === undefined) return { form: "empty" };
  if (first.text.startsWith("@")) return { form: "command", name: first.text };
  const call = callName(text);
  if (call !== null) return { form: "call", name: call };
  const word = /^[\w.:-]+/.exec(first.text)?.[0] ?? first.text;
  if (first.text === word && table.names("command").includes(word)) return { form: "command", name: word };
  return { form: "tool", name: word };
}

/** The name in front of the first bracket, when everything before it is what C allows there. */
function callName(text: string): string | null {
  // a pasted strace line may begin with a process number
  const line = text.replace(/^(\[pid +\d+\]|\d+) +/, "");
  const bracket = /^(?:[A-Za-z_][\w\s*]*=\s*)?(?:\([A-Za-z_][\w\s*]*\)\s*)?([A-Za-z_]\w*)\s*\(/.exec(line);
  return bracket === null ? null : bracket[1];
}
