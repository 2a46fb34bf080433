import { MOST_DEPTH, MOST_ENTRIES, MOST_FILE_BYTES, MOST_NAME_CHARACTERS, MOST_TOTAL_BYTES } from "./limits.ts";
import type { ProblemList, ProblemName } from "./problem.ts";

/** A pack as it came: path to bytes. Paths are relative, with `/`, and name files only. */
export type PackTree = ReadonlyMap<string, Uint8Array>;

/** Names that Windows keeps for devices, with any ending. */
const RESERVED = /^(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]|conin\$|conout\$)(\.|$)/i;
const ARCHIVE = /\.(zip|hlab|jar|7z|rar|tar|tgz|gz|bz2|xz|zst|cab|iso)$/i;
const SEGMENT = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.+-]*$/u;

/** What is wrong with the path of an entry, or null. A reader of zips calls it before it inflates anything. */
export function pathProblem(path: string): ProblemName | null {
  if (path.length > MOST_NAME_CHARACTERS) return "nameTooLong";
  if (path.includes("\0")) return "nameCharacters";
  if (path.includes("\\")) return "nameBackslash";
  if (/^([A-Za-z]:|\/)/.test(path)) return "nameAbsolute";
  const segments = path.split("/");
  if (segments.length > MOST_DEPTH) return "tooDeep";
  if (segments.some((s) => s === "" || s === "." || s === "..")) return "nameDots";
  // Windows drops a dot at the end of a name
  if (!segments.every((s) => SEGMENT.test(s) && !s.endsWith("."))) return "nameCharacters";
  if (segments.some((s) => RESERVED.test(s))) return "nameReserved";
  return ARCHIVE.test(path) ? "nestedArchive" : null;
}

/** The form in which two names are the same file on some system: NFC, without case. */
export const foldedPath = (path: string): string => path.normalize("NFC").toUpperCase().toLowerCase();

/** Checks names, numbers and sizes of the entries. */
export function checkTree(tree: PackTree, problems: ProblemList): void {
  if (tree.size > MOST_ENTRIES) {
    problems.add("", "", "tooManyFiles", { count: tree.size, most: MOST_ENTRIES });
    return;
  }
  const seen = new Map<string, string>();
  let total = 0;
  for (const [path, bytes] of tree) {
    total += bytes.length;
    if (bytes.length > MOST_FILE_BYTES) problems.add(path, "", "fileTooBig", { bytes: bytes.length, most: MOST_FILE_BYTES });
    const problem = pathProblem(path);
    if (problem !== null) {
      problems.add(path, "", problem);
      continue;
    }
    const folded = foldedPath(path);
    const other = seen.get(folded);
    if (other !== undefined) problems.add(path, "", "nameTwice", { other });
    seen.set(folded, path);
  }
  if (total > MOST_TOTAL_BYTES) problems.add("", "", "packTooBig", { bytes: total, most: MOST_TOTAL_BYTES });
}
