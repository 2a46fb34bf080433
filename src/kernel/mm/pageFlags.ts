/**
 * Flags of a page in the `flags` column. Those of a folio live on its head. Names follow
 * include/linux/page-flags.h; the bit positions are ours (kpageflags translates them).
 */
export const PG = {
  head: 1 << 0,
  tail: 1 << 1,
  /** the folio's mapping is an anon_vma (PAGE_MAPPING_ANON) */
  anon: 1 << 2,
  /** PageAnonExclusive: of each subpage; a PMD-mapped THP keeps it on the head. Apart from the map count. */
  anonExclusive: 1 << 3,
  swapbacked: 1 << 4,
  lru: 1 << 5,
  unevictable: 1 << 6,
  mlocked: 1 << 7,
  dirty: 1 << 8,
  uptodate: 1 << 9,
  referenced: 1 << 10,
  active: 1 << 11,
  locked: 1 << 12,
  /** head of a free block */
  buddy: 1 << 13,
  /** a page-table page */
  table: 1 << 14,
  /** some of the folio's pages are no longer mapped (folio_test_partially_mapped) */
  partiallyMapped: 1 << 15,
  /** on the deferred split queue */
  deferred: 1 << 16,
  /** the huge zero folio or the zero page */
  zero: 1 << 17,
  reserved: 1 << 18,
  /** folio_test_large_maybe_mapped_shared's bit (6.15): set while more than one mm may map the folio */
  mappedShared: 1 << 19,
  /** in the page cache of the inode that `mapping` names; with swapbacked: of tmpfs */
  file: 1 << 20,
  /** has private data of its file system (buffer heads, iomap_folio_state) */
  private: 1 << 21,
  /** reading this page of a file starts the next read ahead of need */
  readahead: 1 << 22,
} as const;

/** Order of a folio or free block, on its head. */
export const ORDER_SHIFT = 24;
export const ORDER_MASK = 0x1f << ORDER_SHIFT;
/** Migrate type of a free block, on its head. */
export const MIGRATE_SHIFT = 29;
export const MIGRATE_MASK = 0x3 << MIGRATE_SHIFT;
