import { tableLevel, type EntryEncoding, type Geometry, type LevelGeometry } from "./geometry.ts";

/** arch/x86/include/asm/pgtable_types.h: bit positions of a 64-bit entry. */
export const X86_ENCODING: EntryEncoding = {
  present: 1 << 0,
  protNone: 1 << 8,
  user: 1 << 2,
  accessed: 1 << 5,
  dirty: 1 << 6,
  leaf: 1 << 7,
  special: 1 << 9,
  uffdWp: 1 << 10,
  softDirty: 1 << 11,
  write: { mask: 1 << 1, value: 1 << 1 },
  noExecHi: 1 << 31,
  execLo: 0,
  pfnShift: 12,
  pfnBitsLo: 20,
};

const lower: readonly LevelGeometry[] = [tableLevel("pud", 9, 18, true), tableLevel("pmd", 9, 9, true), tableLevel("pte", 9, 0, true)];

/** DEFAULT_MAP_WINDOW: 47 bits less a guard page, also with 5 levels. */
const WINDOW_PAGES = 2 ** 35 - 1;

const common = {
  mapWindowPages: WINDOW_PAGES,
  pmdOrder: 9,
  tableStride: 512,
  bytesPerEntry: 8,
  encoding: X86_ENCODING,
  thp: true,
  countedLevels: ["pud", "pmd", "pte"],
} as const;

export const X86_64_4LEVEL: Geometry = {
  ...common,
  id: "x86-64",
  levels: [tableLevel("pgd", 9, 27, false), ...lower],
  pmdLevel: 2,
  addressBits: 47,
  taskSizePages: WINDOW_PAGES,
};

export const X86_64_5LEVEL: Geometry = {
  ...common,
  id: "x86-64-la57",
  levels: [tableLevel("pgd", 9, 36, false), tableLevel("p4d", 9, 27, false), ...lower],
  pmdLevel: 3,
  addressBits: 56,
  taskSizePages: 2 ** 44 - 1,
};
