import type { Geometry } from "../../kernel/arch/geometry.ts";
import { hex, type Say } from "./context.ts";
import type { BitField } from "./model.ts";

/**
 * The fields of a page-table entry, as data for each architecture: which bits, what name, and the sentences for a field that is
 * set and one that is clear. What hardware ignores and Linux uses for itself is said in the sentence.
 */

/** What an entry is: that decides what its bits mean. */
export type EntryKind = "table" | "huge" | "page" | "protNone" | "notPresent" | "none";

interface FieldSpec {
  /** highest and lowest bit */
  readonly high: number;
  readonly low: number;
  readonly name: string;
  /** last part of the keys `observe.bit.<id>Set` and `observe.bit.<id>Clear`; `observe.bit.<id>` alone for a number */
  readonly id: string;
  /** a number, not a yes or no */
  readonly number?: boolean;
  readonly in: readonly EntryKind[];
}

const MAPS: readonly EntryKind[] = ["huge", "page", "protNone"];
const HARDWARE: readonly EntryKind[] = ["table", "huge", "page"];
const ALL_PRESENT: readonly EntryKind[] = ["table", ...MAPS];

/** x86-64, 4 and 5 levels: arch/x86/include/asm/pgtable_types.h, and the SDM's tables of entry formats. */
const X86_FIELDS: readonly FieldSpec[] = [
  { high: 63, low: 63, name: "NX", id: "nx", in: ALL_PRESENT },
  { high: 62, low: 59, name: "PKEY", id: "pkey", number: true, in: MAPS },
  { high: 62, low: 59, name: "ignored", id: "ignored", number: true, in: ["table"] },
  { high: 58, low: 52, name: "software", id: "softHigh", number: true, in: ALL_PRESENT },
  { high: 51, low: 12, name: "frame", id: "frameTable", number: true, in: ["table"] },
  { high: 51, low: 12, name: "frame", id: "frameHuge", number: true, in: ["huge"] },
  { high: 51, low: 12, name: "frame", id: "framePage", number: true, in: ["page", "protNone"] },
  { high: 11, low: 11, name: "soft-dirty", id: "softDirty", in: MAPS },
  { high: 10, low: 10, name: "uffd-wp", id: "uffdWp", in: MAPS },
  { high: 9, low: 9, name: "special", id: "special", in: MAPS },
  { high: 11, low: 9, name: "software", id: "softTable", number: true, in: ["table"] },
  { high: 8, low: 8, name: "G", id: "global", in: ["huge", "page"] },
  { high: 8, low: 8, name: "protnone", id: "protNone", in: ["protNone"] },
  { high: 8, low: 8, name: "ignored", id: "ignored", number: true, in: ["table"] },
  { high: 7, low: 7, name: "PS", id: "ps", in: ["table", "huge"] },
  { high: 7, low: 7, name: "PAT", id: "pat", in: ["page", "protNone"] },
  { high: 6, low: 6, name: "D", id: "dirty", in: MAPS },
  { high: 6, low: 6, name: "ignored", id: "ignored", number: true, in: ["table"] },
  { high: 5, low: 5, name: "A", id: "accessed", in: ALL_PRESENT },
  { high: 4, low: 4, name: "PCD", id: "pcd", in: ALL_PRESENT },
  { high: 3, low: 3, name: "PWT", id: "pwt", in: ALL_PRESENT },
  { high: 2, low: 2, name: "U/S", id: "user", in: ALL_PRESENT },
  { high: 1, low: 1, name: "R/W", id: "write", in: ALL_PRESENT },
  { high: 0, low: 0, name: "P", id: "present", in: [...HARDWARE, "protNone", "none"] },
];

/** powerpc 8xx: arch/powerpc/include/asm/nohash/32/pte-8xx.h. */
const PPC_8XX_FIELDS: readonly FieldSpec[] = [
  { high: 31, low: 12, name: "frame", id: "frameTable", number: true, in: ["table"] },
  { high: 31, low: 12, name: "frame", id: "framePage", number: true, in: MAPS },
  { high: 11, low: 11, name: "protnone", id: "protNone", in: MAPS },
  { high: 10, low: 9, name: "RO", id: "readOnly8xx", number: true, in: MAPS },
  { high: 8, low: 8, name: "dirty", id: "dirty", in: MAPS },
  { high: 7, low: 7, name: "special", id: "special", in: MAPS },
  { high: 6, low: 6, name: "exec", id: "exec8xx", in: MAPS },
  { high: 5, low: 5, name: "accessed", id: "accessed", in: ALL_PRESENT },
  { high: 3, low: 2, name: "PS", id: "pageSize8xx", number: true, in: ["table"] },
  { high: 0, low: 0, name: "present", id: "present", in: [...HARDWARE, "protNone", "none"] },
];

/** Entries that are not present: hardware looks at bit 0 alone, so the rest is the kernel's. The layout is this simulator's. */
const NOT_PRESENT_FIELDS: readonly FieldSpec[] = [
  { high: 34, low: 34, name: "guard", id: "markerGuard", in: ["notPresent"] },
  { high: 33, low: 33, name: "poisoned", id: "markerPoisoned", in: ["notPresent"] },
  { high: 32, low: 32, name: "uffd-wp", id: "markerUffdWp", in: ["notPresent"] },
  { high: 3, low: 1, name: "type", id: "swapType", number: true, in: ["notPresent"] },
  { high: 0, low: 0, name: "P", id: "present", in: ["notPresent"] },
];

const fieldsOfGeometry = (geo: Geometry): readonly FieldSpec[] => (geo.bytesPerEntry === 4 ? PPC_8XX_FIELDS : X86_FIELDS);

/** Bits `low` to `high` of an entry. At most 40 bits, which a double holds. */
export function bitsOf(lo: number, hi: number, high: number, low: number): number {
  const whole = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
  return Number((whole >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n));
}

/** The fields of an entry, highest bit first. */
export function fieldsOf(say: Say, geo: Geometry, kind: EntryKind, lo: number, hi: number): BitField[] {
  const specs = kind === "notPresent" ? NOT_PRESENT_FIELDS : fieldsOfGeometry(geo);
  return specs
    .filter((spec) => spec.in.includes(kind))
    .map((spec) => {
      const value = bitsOf(lo, hi, spec.high, spec.low);
      const key = spec.number === true ? spec.id : `${spec.id}${value === 0 ? "Clear" : "Set"}`;
      return {
        bits: spec.high === spec.low ? String(spec.low) : `${spec.low}-${spec.high}`,
        name: spec.name,
        value: spec.number === true ? hex(value) : String(value),
        meaning: say(`observe.bit.${key}`),
        set: value !== 0,
      };
    });
}
