/** Which of the three forms of the language a command belongs to; `builtin` is a tool that a later layer carries out. */
export type CommandForm = "command" | "call" | "tool";

/** What may stand in an argument's place: completion offers accordingly. */
export type ArgumentKind =
  /** a name that does not exist yet: nothing to offer */
  | "newName"
  /** an address: live names, then `+` and a number */
  | "address"
  | "number"
  /** a process made by fork, or P */
  | "process"
  /** a file of the script (file, memfd, mount) */
  | "file"
  /** an open descriptor: names of numbers */
  | "descriptor"
  /** a path between quotes, in the C form */
  | "quotedPath"
  /** a path of the simulated machine */
  | "path"
  /** a kernel file: a path, or one of the short beginnings (thp/ khp/ ...) */
  | "kernelPath"
  /** any text */
  | "text"
  /** a command name, for `man` and `help` */
  | "command"
  /** one of `words` */
  | "word"
  /** one or more of `words`: joined with `|` in the C form, by blanks in the command form */
  | "flags";

export interface ArgumentSpec {
  /** as the usage line shows it */
  readonly label: string;
  readonly kind: ArgumentKind;
  /** what may be typed, for kinds `word` and `flags`; a word that ends in `=` takes a value */
  readonly words?: readonly string[];
  readonly optional?: boolean;
  /** may be typed more than once; only the last argument */
  readonly repeated?: boolean;
}

/** One row of the command table. Parser help, completion and man pages are made from it. */
export interface CommandSpec {
  /** one word, or two when the second selects a variant: `uffd copy` */
  readonly name: string;
  readonly form: CommandForm;
  /** man page section: 1 tools and operations of the lab, 2 system calls */
  readonly section: number;
  /** the page of the manual (man/) with its words; rows may share one */
  readonly page: string;
  readonly args: readonly ArgumentSpec[];
  /** errno names the call can return in the simulated releases; the page says when */
  readonly errnos: readonly string[];
  readonly seeAlso: readonly string[];
}

/** The first word of a row's name: what a person types, also behind `man`. */
export function firstWord(spec: CommandSpec): string {
  const blank = spec.name.indexOf(" ");
  return blank < 0 ? spec.name : spec.name.slice(0, blank);
}

/** The form of a command as an error message and the SYNOPSIS show it: `mlock2 ADDRESS [LEN] [onfault]`, `munmap(addr, length)`. */
export function usageOf(spec: CommandSpec): string {
  if (spec.form === "call") {
    const required = spec.args.filter((argument) => argument.optional !== true).map((argument) => argument.label);
    const optional = spec.args.filter((argument) => argument.optional === true).map((argument) => argument.label);
    if (optional.length === 0) return `${spec.name}(${required.join(", ")})`;
    return `${spec.name}(${required.join(", ")}${required.length > 0 ? " " : ""}[, ${optional.join(", ")}])`;
  }
  const words = spec.args.map((argument) => {
    const label = argument.repeated === true ? `${argument.label}..` : argument.label;
    return argument.optional === true ? `[${label}]` : label;
  });
  return [spec.name, ...words].join(" ");
}
