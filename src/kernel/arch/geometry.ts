/**
 * The shape of an architecture's page tables and the bits of its entries, as data. Walkers, the fault
 * path and the inspector are written once over this (reference: kernel-semantics.md section 10).
 * An entry is two 32-bit lanes, `lo` and `hi`; architectures with 32-bit entries leave `hi` zero.
 */
export interface LevelGeometry {
  /** kernel name of a table of this level */
  readonly name: "pgd" | "p4d" | "pud" | "pmd" | "pte";
  /** log2 of the entries in a table */
  readonly bits: number;
  /** log2 of the pages one entry spans */
  readonly shift: number;
  /** whether an entry may be a leaf here */
  readonly leaf: boolean;
  /** the index of a page number's entry is (vpn * scale) & mask, which holds above 2^32 too */
  readonly scale: number;
  readonly mask: number;
}

export const tableLevel = (name: LevelGeometry["name"], bits: number, shift: number, leaf: boolean): LevelGeometry => ({
  name,
  bits,
  shift,
  leaf,
  scale: 2 ** -shift,
  mask: (1 << bits) - 1,
});

/** A property that holds when (lane & mask) === value. */
export interface BitTest {
  readonly mask: number;
  readonly value: number;
}

export interface EntryEncoding {
  /** bits of `lo` */
  readonly present: number;
  /** not present to the hardware, but holds a frame: PROT_NONE */
  readonly protNone: number;
  readonly user: number;
  readonly accessed: number;
  readonly dirty: number;
  /** an upper-level entry is a leaf */
  readonly leaf: number;
  readonly special: number;
  readonly uffdWp: number;
  readonly softDirty: number;
  /** writable: x86 sets a bit, 8xx clears the read-only field */
  readonly write: BitTest;
  /** bits of `hi` that forbid execution; 0 where execution is a permission in `lo` */
  readonly noExecHi: number;
  /** bits of `lo` that allow execution, 0 where `noExecHi` forbids it */
  readonly execLo: number;
  /** how a frame number is kept */
  readonly pfnShift: number;
  /** bits of the frame number in `lo`; the rest goes to the low bits of `hi` */
  readonly pfnBitsLo: number;
}

export interface Geometry {
  readonly id: string;
  /** top level first */
  readonly levels: readonly LevelGeometry[];
  /** the level whose leaf is a PMD-sized THP; -1 where there is none */
  readonly pmdLevel: number;
  /** log2 of the pages of a PMD-sized huge page; 0 where there is none */
  readonly pmdOrder: number;
  /** one past the highest user page number */
  readonly taskSizePages: number;
  /** one past the highest page number that mmap chooses unless a hint above it asks for more (DEFAULT_MAP_WINDOW) */
  readonly mapWindowPages: number;
  /** bits of an address that an access of a program can have; one beyond traps without an address (x86: not canonical) */
  readonly addressBits: number;
  /** entries from one table to the next in the entry columns */
  readonly tableStride: number;
  readonly bytesPerEntry: 4 | 8;
  readonly encoding: EntryEncoding;
  /** whether transparent huge pages exist */
  readonly thp: boolean;
  /** entry bytes of page-table memory are counted for these levels (mm_pgtables_bytes) */
  readonly countedLevels: readonly LevelGeometry["name"][];
}

export const isWritable = (e: EntryEncoding, lo: number): boolean => (lo & e.write.mask) === e.write.value;
export const makeWritable = (e: EntryEncoding, lo: number): number => (lo & ~e.write.mask) | e.write.value;
/** Any value of the field that is not "writable" reads as write-protected; architectures use the complement. */
export const makeReadOnly = (e: EntryEncoding, lo: number): number => (lo & ~e.write.mask) | (~e.write.value & e.write.mask);
