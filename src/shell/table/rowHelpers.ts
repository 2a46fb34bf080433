import type { ArgumentKind, ArgumentSpec, CommandForm, CommandSpec } from "./commandSpec.ts";

interface RowOptions {
  readonly section?: number;
  readonly errnos?: readonly string[];
  readonly seeAlso?: readonly string[];
  /** the page with its words, when it is not that of its first word */
  readonly page?: string;
}

/** Makes a row. */
export function row(form: CommandForm, name: string, args: readonly ArgumentSpec[], options: RowOptions = {}): CommandSpec {
  return {
    name,
    form,
    section: options.section ?? 1,
    page: options.page ?? name.split(" ")[0],
    args,
    errnos: options.errnos ?? [],
    seeAlso: options.seeAlso ?? [],
  };
}

export function arg(label: string, kind: ArgumentKind): ArgumentSpec {
  return { label, kind };
}

export function words(label: string, choices: readonly string[], kind: "word" | "flags" = "word"): ArgumentSpec {
  return { label, kind, words: choices };
}

export function optional(argument: ArgumentSpec): ArgumentSpec {
  return { ...argument, optional: true };
}

export function repeated(argument: ArgumentSpec): ArgumentSpec {
  return { ...argument, repeated: true };
}
