/** The parsed form of a shell line. */

export type WordPart =
  | { readonly kind: "text"; readonly text: string }
  /** `$name` or `${name}`; outside quotes its value is split at blanks */
  | { readonly kind: "variable"; readonly name: string; readonly quoted: boolean };

export interface Word {
  readonly parts: readonly WordPart[];
  /** some part stood in quotes: an empty word is then still a word */
  readonly quoted: boolean;
  /** counted from 1 */
  readonly column: number;
  /** characters in the line as typed */
  readonly length: number;
}

export type RedirectKind = "<" | ">" | ">>";

export interface Redirect {
  readonly kind: RedirectKind;
  readonly target: Word;
}

export interface SimpleCommand {
  /** `name=value` in front of the command (or alone, which sets variables of the session) */
  readonly assignments: readonly { readonly name: string; readonly value: Word }[];
  readonly words: readonly Word[];
  readonly redirects: readonly Redirect[];
}

/** Commands joined by `|`. */
export type Pipeline = readonly SimpleCommand[];

/** Pipelines joined by `;` (always), `&&` (when the one before succeeded), `||` (when it failed). */
export type ShellList = readonly { readonly when: "always" | "success" | "failure"; readonly pipeline: Pipeline }[];
