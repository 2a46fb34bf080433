/** One argument of a call with every constant resolved. */
export type CallValue =
  /**
   * `a + 4096`, `PROT_READ|PROT_WRITE`, `8M`, `NULL`, `-1`: the value of a name the learner bound (null: none) plus a number.
   * The number is the exact sum of what was typed, between -2^63 and 2^64-1. `constants` are the names it was written with.
   */
  | { readonly kind: "value"; readonly name: string | null; readonly offset: bigint; readonly constants: readonly string[] }
  /** each character a byte, 0 to 255; `isCut`: strace left the rest out */
  | { readonly kind: "text"; readonly text: string; readonly isCut: boolean }
  /** `{64K, RLIM_INFINITY}` or `&(struct rlimit){..}`: members in order */
  | { readonly kind: "struct"; readonly members: readonly CallValue[] }
  /** `&x`, or the `...` and `[..]` of a pasted strace line: the call writes there; what was typed does not matter */
  | { readonly kind: "output" };

/** What a pasted strace line says the call returned on the machine where it was recorded. */
export interface RecordedResult {
  readonly value: bigint | null;
  readonly errno: string | null;
}

/** One line of the C form. */
export interface CallOperation {
  /** name of the call; it is a row of the command table with form "call" */
  readonly call: string;
  readonly args: readonly CallValue[];
  /** the variable that takes the result, or null */
  readonly target: string | null;
  readonly recorded: RecordedResult | null;
  /** the line without comment and outer blanks */
  readonly text: string;
  /** counted from 1 */
  readonly line: number;
}
