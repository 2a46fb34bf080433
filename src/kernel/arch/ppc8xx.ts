import { tableLevel, type Geometry } from "./geometry.ts";

/**
 * powerpc 8xx: two levels of 1024 32-bit cells, 4 KiB pages, no THP. An 8 MiB page is two PGD
 * entries, each with a page table of 1024 cells (kernel-semantics.md 10.2). Write protection is a
 * field that reads "writable" when zero, so predicates must compare and never just test a bit.
 */
export const PPC_8XX: Geometry = {
  id: "ppc-8xx",
  levels: [tableLevel("pgd", 10, 10, false), tableLevel("pte", 10, 0, true)],
  pmdLevel: -1,
  pmdOrder: 0,
  taskSizePages: 0x80000,
  mapWindowPages: 0x80000,
  addressBits: 32,
  tableStride: 1024,
  bytesPerEntry: 4,
  thp: false,
  countedLevels: ["pte"],
  encoding: {
    present: 0x001,
    protNone: 0x800,
    user: 0,
    accessed: 0x020,
    dirty: 0x100,
    leaf: 0,
    special: 0x080,
    uffdWp: 0,
    softDirty: 0,
    write: { mask: 0x600, value: 0 },
    noExecHi: 0,
    execLo: 0x040,
    pfnShift: 12,
    pfnBitsLo: 20,
  },
};

/** _PMD_PAGE_8M in the page-size field of a PGD cell. */
export const PPC_8XX_PMD_PAGE_8M = 0x00c;
