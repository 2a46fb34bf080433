import { FILE_ACCESSES, FILE_CALLS, FILE_FAULTS, FILE_OPERATIONS, FILE_RANGES, fileCellName, type FileFault, type FileOperation } from "./cells.ts";
import { FILE_KINDS, isDisk, isPrivate, NAMED_KINDS, type FileKind } from "./kinds.ts";

/** Which faults an operation can meet on a kind of mapping of a file. What is not listed cannot happen; FILE_WHY_NOT says why. */

const READS: readonly FileFault[] = ["none", "readHit", "readMiss", "beyondEof", "refused"];
const SHARED_WRITES: readonly FileFault[] = ["none", "sharedHit", "sharedMiss", "mkwrite", "beyondEof", "refused"];
/** tmpfs wants no notice of first writes, so that its entries become writable with their mapping */
const TMPFS_WRITES = SHARED_WRITES.filter((fault) => fault !== "mkwrite");
const PRIVATE_WRITES: readonly FileFault[] = ["none", "cowFault", "cowFile", "cowReuse", "cowAnon", "beyondEof", "refused"];
/** a pin to read from a copy that is not exclusive unshares it */
const PRIVATE_PINS: readonly FileFault[] = [...READS, "cowAnon"];
const LOCKS: readonly FileFault[] = ["none", "readHit", "readMiss", "beyondEof", "refused"];
/** mlock writes to private mappings that are writable, and reads others */
const PRIVATE_LOCKS: readonly FileFault[] = [...LOCKS, "cowFault", "cowFile", "cowReuse", "cowAnon"];

function accessFaults(operation: (typeof FILE_ACCESSES)[number], kind: FileKind): readonly FileFault[] {
  switch (operation) {
    case "touch r":
    case "kwrite":
    case "madvise populate_read":
      return READS;
    case "gup r":
      return isPrivate(kind) ? PRIVATE_PINS : READS;
    case "mlock":
      return isPrivate(kind) ? PRIVATE_LOCKS : LOCKS;
    case "touch w":
    case "kread":
    case "gup w":
    case "madvise populate_write":
      return isPrivate(kind) ? PRIVATE_WRITES : isDisk(kind) ? SHARED_WRITES : TMPFS_WRITES;
  }
}

/** Faults that an operation can meet on a kind of mapping. */
export function fileFaultsOf(operation: FileOperation, kind: FileKind): readonly FileFault[] {
  const access = FILE_ACCESSES.find((a) => a === operation);
  if (access !== undefined) return accessFaults(access, kind);
  const isCall = (FILE_CALLS as readonly string[]).includes(operation);
  return isCall && !NAMED_KINDS.includes(kind) ? [] : ["none"];
}

/** Why the outcomes that are missing are missing. */
export const FILE_WHY_NOT: readonly (readonly [what: string, reason: string])[] = [
  ["any fault of an operation that accesses nothing", "it looks at the address space or the file or changes them, and touches no page through the mapping"],
  ["calls on a file of sharedAnon", "shared anonymous memory has no name and no descriptor"],
  ["sharedHit, sharedMiss and mkwrite of private mappings", "a write never reaches the file: it is copied (cowFault, cowFile)"],
  ["mkwrite of sharedAnon and tmpfsShared", "tmpfs wants no notice of first writes (vma_wants_writenotify): an entry is writable as soon as its mapping is"],
  ["cowFault, cowFile, cowReuse and cowAnon of shared mappings", "they never have copies"],
  ["cowFile of a pin to read", "a pin that is not for the long term takes the file's own page"],
  ["writes of mlock to shared mappings", "populate reads them, so that nothing becomes dirty"],
  ["touch x", "how code of a file is fetched is how it is read: do_read_fault"],
];

/** Every cell that can be reached. */
export const FILE_REACHABLE: ReadonlySet<string> = new Set(
  FILE_OPERATIONS.flatMap((op) => FILE_KINDS.flatMap((kind) => fileFaultsOf(op, kind).map((fault) => fileCellName(op, kind, fault)))),
);

/** The table as text: a row for each operation, the counts of each kind of mapping behind it. */
export function fileTableText(counts: ReadonlyMap<string, number>): string {
  const rows = FILE_OPERATIONS.map((op) => {
    const parts = FILE_KINDS.map((kind) => {
      const faults = FILE_FAULTS.flatMap((fault) => {
        const n = counts.get(fileCellName(op, kind, fault)) ?? 0;
        return n > 0 || FILE_REACHABLE.has(fileCellName(op, kind, fault)) ? [`${fault === "none" ? "" : `${fault} `}${n}`] : [];
      });
      return `${kind} ${faults.join(", ")}`;
    });
    return `${op}: ${parts.join("; ")}`;
  });
  return rows.join("\n");
}

export const isFileAccess = (operation: FileOperation): boolean => (FILE_ACCESSES as readonly string[]).includes(operation);
export const isFileRange = (operation: FileOperation): boolean => (FILE_RANGES as readonly string[]).includes(operation);
