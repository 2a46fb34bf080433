/** An errno name: ENOENT, EACCES, EINVAL, .. */
export type ErrnoName = string;

export type ReadResult = { readonly kind: "data"; readonly data: string | Uint8Array } | { readonly kind: "errno"; readonly errno: ErrnoName };

export interface DirectoryEntry {
  readonly name: string;
  readonly directory: boolean;
  /** where a symbolic link leads */
  readonly link?: string;
}

export type ListResult = { readonly kind: "entries"; readonly entries: readonly DirectoryEntry[] } | { readonly kind: "errno"; readonly errno: ErrnoName };

/** The files of the simulated machine as tools see them. Paths are absolute and have no `.` or `..`. */
export interface FileAccess {
  read(path: string): ReadResult;
  /** Writes a whole text as one write(2) (with `append`: at the end). An errno, or null when it was taken. A kernel file may refuse with EINVAL. */
  write(path: string, text: string, append: boolean): ErrnoName | null;
  /** Entries of a directory; ENOTDIR for a file, ENOENT when there is nothing. */
  list(path: string): ListResult;
}

/** Text of a file. Bytes are taken one by one (Latin-1): binary files are shown, never refused. */
export function textOf(data: string | Uint8Array, pace?: (work: number) => void): string {
  if (typeof data === "string") return data;
  const parts: string[] = [];
  for (let at = 0; at < data.length; at += 8192) {
    pace?.(64);
    parts.push(String.fromCharCode(...data.subarray(at, at + 8192)));
  }
  return parts.join("");
}

/** The absolute form of a path from a directory: `..` and `.` resolved, no slash at the end. */
export function absolutePath(path: string, directory: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${directory}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
