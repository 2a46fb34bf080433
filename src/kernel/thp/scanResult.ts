/**
 * SCAN_* of khugepaged (mm/khugepaged.c, enum scan_result). Not among them, since nothing simulated so far can bring them about: SCAN_ABORT (memory on
 * a node too far away), CGROUP_CHARGE_FAIL apart, COPY_MC (memory that fails while it is copied), STORE_FAILED (no memory for the page cache's tree), and PAGE_HAS_PRIVATE (buffers that cannot be let go).
 */
export type ScanResult =
  | "FAIL"
  | "SUCCEED"
  | "PMD_NULL"
  | "PMD_NONE"
  | "PMD_MAPPED"
  | "EXCEED_NONE_PTE"
  | "EXCEED_SWAP_PTE"
  | "EXCEED_SHARED_PTE"
  | "PTE_NON_PRESENT"
  | "PTE_UFFD_WP"
  | "PTE_MAPPED_HUGEPAGE"
  | "PAGE_COMPOUND"
  | "TRUNCATED"
  | "PAGE_FILLED"
  | "PAGE_RO"
  | "LACK_REFERENCED_PAGE"
  | "PAGE_NULL"
  | "PAGE_COUNT"
  | "PAGE_LRU"
  | "PAGE_LOCK"
  | "PAGE_ANON"
  | "ANY_PROCESS"
  | "VMA_NULL"
  | "VMA_CHECK"
  | "ADDRESS_RANGE"
  | "DEL_PAGE_LRU"
  | "ALLOC_HUGE_PAGE_FAIL"
  | "CGROUP_CHARGE_FAIL";

/** Failures after which MADV_COLLAPSE goes on with the next block. */
export const SOFT_FAILURES: ReadonlySet<ScanResult> = new Set<ScanResult>([
  "PMD_NULL",
  "PTE_NON_PRESENT",
  "PTE_UFFD_WP",
  "PAGE_RO",
  "LACK_REFERENCED_PAGE",
  "PAGE_NULL",
  "PAGE_COUNT",
  "PAGE_LOCK",
  "PAGE_COMPOUND",
  "PAGE_LRU",
  "DEL_PAGE_LRU",
]);
