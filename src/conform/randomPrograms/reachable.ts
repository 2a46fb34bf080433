import { ACCESSES, cellName, FAULT_KINDS, OPERATIONS, type FaultKind, type OperationName } from "./cells.ts";
import { MEMORY_KINDS, type MemoryKind } from "./memoryKind.ts";

/**
 * Which faults an operation can meet on a kind of memory. `failed` stands for "signal" with touch and "refused" with calls
 * of the kernel. What is not listed cannot happen; WHY_NOT says why, kind by kind.
 */
type Outcome = Exclude<FaultKind, "signal" | "refused"> | "failed";

const READS: Readonly<Record<MemoryKind, readonly Outcome[]>> = {
  unmapped: ["failed"],
  belowStack: ["read", "failed"],
  guard: ["failed"],
  protNone: ["failed"],
  locked: ["none", "read"],
  untouched: ["read"],
  zeroPage: ["none"],
  hugeZero: ["none"],
  pinned: ["none"],
  shared4k: ["none"],
  sharedLarge: ["none"],
  sharedPmd: ["none"],
  readOnly: ["none"],
  lazyFree: ["none"],
  thpByPmd: ["none"],
  thpByPte: ["none"],
  mthp: ["none"],
  page4k: ["none"],
};

const WRITES: Readonly<Record<MemoryKind, readonly Outcome[]>> = {
  unmapped: ["failed"],
  belowStack: ["write", "failed"],
  guard: ["failed"],
  protNone: ["failed"],
  locked: ["none", "write", "cowCopy", "cowReuse", "failed"],
  untouched: ["write", "failed"],
  zeroPage: ["cowCopy", "failed"],
  hugeZero: ["cowCopy", "failed"],
  pinned: ["none", "cowCopy", "cowReuse", "failed"],
  shared4k: ["cowCopy", "failed"],
  sharedLarge: ["cowCopy", "failed"],
  sharedPmd: ["cowCopy", "failed"],
  readOnly: ["failed"],
  lazyFree: ["none", "cowCopy", "cowReuse"],
  thpByPmd: ["none", "cowCopy", "cowReuse"],
  thpByPte: ["none", "cowCopy", "cowReuse"],
  mthp: ["none", "cowCopy", "cowReuse"],
  page4k: ["none", "cowReuse"],
};

/** A stack grows only for accesses by the process or a copy of the kernel, not for GUP, which looks VMAs up itself. */
const NO_STACK = { belowStack: ["failed"] } as const;

/** A read-only pin of a page that is not exclusive unshares it: it is copied as a write would. */
const GUP_READS: Readonly<Record<MemoryKind, readonly Outcome[]>> = {
  ...READS,
  ...NO_STACK,
  locked: ["none", "read", "cowCopy"],
  pinned: ["none", "cowCopy"],
  shared4k: ["cowCopy"],
  sharedLarge: ["cowCopy"],
  sharedPmd: ["cowCopy"],
  readOnly: ["none", "cowCopy"],
  lazyFree: ["none", "cowCopy"],
  thpByPmd: ["none", "cowCopy"],
  thpByPte: ["none", "cowCopy"],
  mthp: ["none", "cowCopy"],
};

/** mlock faults for writing where the mapping is writable, for reading elsewhere, and so is never refused for want of permission. */
const LOCKS: Readonly<Record<MemoryKind, readonly Outcome[]>> = {
  ...WRITES,
  ...NO_STACK,
  locked: ["none", "read", "write", "cowCopy", "cowReuse"],
  untouched: ["read", "write"],
  zeroPage: ["none", "cowCopy"],
  hugeZero: ["none", "cowCopy"],
  pinned: ["none", "cowCopy", "cowReuse"],
  shared4k: ["none", "cowCopy"],
  sharedLarge: ["none", "cowCopy"],
  sharedPmd: ["none", "cowCopy"],
  readOnly: ["none"],
};

const FETCHES: Readonly<Record<MemoryKind, readonly Outcome[]>> = {
  ...(Object.fromEntries(MEMORY_KINDS.map((kind) => [kind, ["none", "failed"]])) as unknown as Record<MemoryKind, readonly Outcome[]>),
  unmapped: ["failed"],
  belowStack: ["failed"],
  guard: ["failed"],
  protNone: ["failed"],
  locked: ["none", "exec", "failed"],
  untouched: ["exec", "failed"],
};

const BY_ACCESS: Readonly<Record<(typeof ACCESSES)[number], Readonly<Record<MemoryKind, readonly Outcome[]>>>> = {
  "touch r": READS,
  "touch w": WRITES,
  "touch x": FETCHES,
  kread: WRITES,
  kwrite: READS,
  "gup r": GUP_READS,
  "gup w": { ...WRITES, ...NO_STACK },
  mlock: LOCKS,
  "madvise populate_read": { ...READS, ...NO_STACK },
  "madvise populate_write": { ...WRITES, ...NO_STACK },
};

/** Why the outcomes that are missing above are missing. */
export const WHY_NOT: readonly (readonly [what: string, reason: string])[] = [
  ["any fault of an operation that accesses nothing", "it looks at the address space or changes it, and touches no page of it"],
  ["signal of a call of the kernel", "the kernel's own access ends with an errno (refused)"],
  ["refused of touch", "an access of the process ends with a signal"],
  ["read, write or exec where an entry is present", "the entry is used; only a write to a read-only one faults (cowCopy, cowReuse)"],
  ["anything but a failure on unmapped, guard and protNone", "no access is allowed there: SEGV_MAPERR, a marker, SEGV_ACCERR"],
  ["a failing read of anything that is mapped and is neither guard nor protNone", "a mapping that allows anything may be read on x86-64"],
  ["cowReuse of the shared zeros", "they belong to nobody and are always replaced"],
  ["cowReuse of shared4k, sharedLarge, sharedPmd", "a second mapping holds a reference: wp_can_reuse_anon_folio says no"],
  ["none of a write to zeroPage, hugeZero and shared memory", "their entries are never writable"],
  ["cowCopy of page4k", "mapped once and not pinned, so its reference is the only one and it is reused"],
  ["any success of a write to readOnly", "the mapping is not writable, so the fault is refused before the page is looked at"],
  ["a failing write to lazyFree, thpByPmd, thpByPte, mthp and page4k", "by definition of these kinds the mapping is writable"],
  ["a successful fetch below a stack", "it grows and is executed, but what is counted is the missing mapping: the fetch ends with a signal"],
  ["failures of mlock on memory that is mapped", "it faults as the mapping allows"],
];

/** Faults that an operation can meet on a kind of memory. */
export function faultsOf(operation: OperationName, kind: MemoryKind): readonly FaultKind[] {
  const access = ACCESSES.find((a) => a === operation);
  if (access === undefined) return ["none"];
  const failed = operation.startsWith("touch") ? "signal" : "refused";
  return BY_ACCESS[access][kind].map((o) => (o === "failed" ? failed : o));
}

/** Every cell that can be reached. */
export const REACHABLE: ReadonlySet<string> = new Set(
  OPERATIONS.flatMap((op) => MEMORY_KINDS.flatMap((kind) => faultsOf(op, kind).map((fault) => cellName(op, kind, fault)))),
);

/** The table as text: a row for each operation, the counts of each kind of memory behind it. */
export function tableText(counts: ReadonlyMap<string, number>): string {
  const rows = OPERATIONS.map((op) => {
    const parts = MEMORY_KINDS.map((kind) => {
      const faults = FAULT_KINDS.flatMap((fault) => {
        const n = counts.get(cellName(op, kind, fault)) ?? 0;
        return n > 0 || REACHABLE.has(cellName(op, kind, fault)) ? [`${fault === "none" ? "" : `${fault} `}${n}`] : [];
      });
      return `${kind} ${faults.join(", ")}`;
    });
    return `${op}: ${parts.join("; ")}`;
  });
  return rows.join("\n");
}
