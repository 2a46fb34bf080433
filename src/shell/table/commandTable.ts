import { firstWord, type CommandForm, type CommandSpec } from "./commandSpec.ts";

/** The composed table: what every layer registered. */
export interface CommandTable {
  readonly specs: readonly CommandSpec[];
  /** rows of that name (its first word) in that form, in order; empty when there is none */
  find(name: string, form: CommandForm): readonly CommandSpec[];
  /** first words of all rows of a form, each once, sorted */
  names(form: CommandForm): readonly string[];
  /** rows of that name in all forms */
  all(name: string): readonly CommandSpec[];
}

const NONE: readonly CommandSpec[] = [];

/**
 * Composes a table of the rows of several layers. The same name and form twice is a mistake of a programmer and throws:
 * which of two commands a word means must not depend on the order of imports.
 */
export function composeCommandTable(...layers: readonly (readonly CommandSpec[])[]): CommandTable {
  const specs = layers.flat();
  const seen = new Set<string>();
  const pages = new Map<string, CommandSpec[]>();
  for (const spec of specs) {
    const id = `${spec.form} ${spec.name}`;
    if (seen.has(id)) throw new Error(`command table: "${spec.name}" (${spec.form}) is registered twice`);
    seen.add(id);
    const rows = pages.get(firstWord(spec)) ?? [];
    rows.push(spec);
    pages.set(firstWord(spec), rows);
  }
  const names = (form: CommandForm): string[] => [...new Set(specs.filter((spec) => spec.form === form).map(firstWord))].sort();
  const byForm = { command: names("command"), call: names("call"), tool: names("tool") };
  return {
    specs,
    find: (name, form) => (pages.get(name) ?? NONE).filter((spec) => spec.form === form),
    names: (form) => byForm[form],
    all: (name) => pages.get(name) ?? NONE,
  };
}
