/** VM_* bits of a VMA. Values below 2^32 as Linux has them on x86-64; those above 2^31 are kept in `flagsHi` (see VMH). */
export const VM = {
  read: 0x1,
  write: 0x2,
  exec: 0x4,
  shared: 0x8,
  mayRead: 0x10,
  mayWrite: 0x20,
  mayExec: 0x40,
  mayShare: 0x80,
  growsDown: 0x100,
  uffdMissing: 0x200,
  pfnmap: 0x400,
  uffdWp: 0x1000,
  locked: 0x2000,
  io: 0x4000,
  seqRead: 0x8000,
  randRead: 0x10000,
  dontCopy: 0x20000,
  dontExpand: 0x40000,
  lockOnFault: 0x80000,
  account: 0x100000,
  noReserve: 0x200000,
  hugetlb: 0x400000,
  sync: 0x800000,
  wipeOnFork: 0x2000000,
  dontDump: 0x4000000,
  softDirty: 0x8000000,
  mixedMap: 0x10000000,
  hugePage: 0x20000000,
  noHugePage: 0x40000000,
  /** VM_MERGEABLE is bit 31 */
  mergeable: 1 << 31,
} as const;

/** Bits that Linux keeps above 2^32 or that we keep apart. */
export const VMH = {
  sealed: 1 << 0,
  uffdMinor: 1 << 1,
  droppable: 1 << 2,
  /** VM_MAYBE_GUARD (6.19, and stable releases that took it over): sticky, so neighbours merge without it and it passes to what they become */
  maybeGuard: 1 << 3,
} as const;

export const VM_ACCESS = VM.read | VM.write | VM.exec;
export const VM_SPECIAL = VM.io | VM.dontExpand | VM.pfnmap | VM.mixedMap;
export const VM_NO_KHUGEPAGED = VM_SPECIAL | VM.hugetlb;
export const VM_UFFD = VM.uffdMissing | VM.uffdWp;
export const VM_LOCKED_MASK = VM.locked | VM.lockOnFault;
