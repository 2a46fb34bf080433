import type { AddressExpr, RangeExpr } from "../../shell/operation.ts";
import { TokenCursor } from "../../shell/command/tokenCursor.ts";
import { splitTokens } from "../../shell/tokens.ts";

/** What a check or a prediction may read: only what some command shows to the learner. */
export type ReadPath =
  /** a line of the entry of /proc/PID/smaps of the mapping that holds an address */
  | { readonly kind: "smaps"; readonly at: AddressExpr; readonly field: string }
  /** /proc/PID/smaps_rollup, /proc/PID/status, /proc/meminfo */
  | { readonly kind: "rollup"; readonly field: string }
  | { readonly kind: "status"; readonly field: string }
  | { readonly kind: "meminfo"; readonly field: string }
  | { readonly kind: "vmstat"; readonly name: string }
  /** hugepages-NkB/stats/ITEM */
  | { readonly kind: "mthp"; readonly size: string; readonly item: string }
  /** a kernel file: the value in brackets, or its first line */
  | { readonly kind: "setting"; readonly path: string }
  /** how an address is mapped, as pagemap and pgtable show it */
  | { readonly kind: "page"; readonly at: AddressExpr; readonly what: PageProperty }
  /** where the mapping that holds an address begins and ends */
  | { readonly kind: "vma"; readonly at: AddressExpr; readonly what: VmaProperty }
  /** what the last operation came to; for predictions */
  | { readonly kind: "result"; readonly what: ResultProperty };

export const PAGE_PROPERTIES = ["size", "order", "mapped"] as const;
export const VMA_PROPERTIES = ["start", "end", "size"] as const;
export const RESULT_PROPERTIES = ["ret", "errno", "faults", "first", "accesses"] as const;
export type PageProperty = (typeof PAGE_PROPERTIES)[number];
export type VmaProperty = (typeof VMA_PROPERTIES)[number];
export type ResultProperty = (typeof RESULT_PROPERTIES)[number];

/** What comes of reading: a number (with its unit), a text, or words. */
export type PathType = "number" | "text" | "words";

const FORMS: readonly (readonly [form: RegExp, make: (match: readonly string[]) => ReadPath | null])[] = [
  [/^smaps\[([^\]]{1,40})\]\.([A-Za-z_]{1,24})$/, ([, at, field]) => withAddress(at, (expr) => ({ kind: "smaps", at: expr, field }))],
  [/^(rollup|status|meminfo)\.([A-Za-z0-9_()]{1,24})$/, ([, kind, field]) => ({ kind: kind as "rollup", field })],
  [/^vmstat\.([a-z0-9_]{1,48})$/, ([, name]) => ({ kind: "vmstat", name })],
  [/^mthp\[(\d{1,8}kB)\]\.([a-z_]{1,40})$/, ([, size, item]) => ({ kind: "mthp", size, item })],
  [/^setting\[(\/(?:sys|proc)\/[\w./-]{1,120})\]$/, ([, path]) => ({ kind: "setting", path })],
  [
    /^page\[([^\]]{1,40})\]\.([a-z]{1,12})$/,
    ([, at, what]) => among(PAGE_PROPERTIES, what, (w) => withAddress(at, (expr) => ({ kind: "page", at: expr, what: w }))),
  ],
  [
    /^vma\[([^\]]{1,40})\]\.([a-z]{1,12})$/,
    ([, at, what]) => among(VMA_PROPERTIES, what, (w) => withAddress(at, (expr) => ({ kind: "vma", at: expr, what: w }))),
  ],
  [/^result\.([a-z]{1,12})$/, ([, what]) => among(RESULT_PROPERTIES, what, (w) => ({ kind: "result", what: w }))],
];

function among<T extends string>(choices: readonly T[], word: string, make: (word: T) => ReadPath | null): ReadPath | null {
  const found = choices.find((choice) => choice === word);
  return found === undefined ? null : make(found);
}

function withAddress(text: string, make: (at: AddressExpr) => ReadPath): ReadPath | null {
  const range = parseRange(text);
  return range === null || range.lengthBytes !== null ? null : make(range.at);
}

/** "A", "A+2M", "A+2M 4k": an address and, if one is there, a length. Null when it is none. */
export function parseRange(text: string): RangeExpr | null {
  const tokens = splitTokens(text);
  if (tokens.length === 0) return null;
  const cursor = new TokenCursor(tokens, 1, text.length + 1, "ADDRESS [LEN]");
  const range = cursor.range();
  cursor.end();
  return cursor.error === null ? range : null;
}

/** A path of a check, or null when it is none. */
export function parsePath(text: string): ReadPath | null {
  for (const [form, make] of FORMS) {
    const match = form.exec(text);
    if (match !== null) return make(match);
  }
  return null;
}

/** What reading gives, as far as the path alone tells. */
export function typeOf(path: ReadPath): PathType {
  switch (path.kind) {
    case "smaps":
      return path.field === "VmFlags" ? "words" : "number";
    case "status":
      return path.field.startsWith("Vm") || path.field.startsWith("Rss") || path.field === "HugetlbPages" || path.field === "THP_enabled" ? "number" : "text";
    case "rollup":
    case "meminfo":
    case "vmstat":
    case "mthp":
      return "number";
    case "setting":
      return "text";
    case "page":
      return path.what === "mapped" ? "text" : "number";
    case "vma":
      return path.what === "size" ? "number" : "text";
    case "result":
      return path.what === "faults" || path.what === "accesses" ? "number" : "text";
  }
}

/** Operators that make sense for what is read; `monotonic` watches a number along the way. */
export const OPERATORS_OF: Readonly<Record<PathType, ReadonlySet<string>>> = {
  number: new Set(["==", "!=", "<", "<=", ">", ">=", "in", "exists", "monotonic"]),
  text: new Set(["==", "!=", "in", "contains", "exists"]),
  words: new Set(["contains", "exists"]),
};
