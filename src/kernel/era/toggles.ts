import type { Era } from "./era.ts";
import type { Release } from "./releases.ts";

/** One change of behaviour. `change` is what it does to the resolved record; order in the list is order of release. */
export interface Toggle {
  readonly id: string;
  readonly title: string;
  /** first release that has it; null: posted, never merged as such */
  readonly since: Release | null;
  /** kernel function or commit subject to look for */
  readonly symbol: string;
  /** reference document and section */
  readonly source: string;
  readonly requires?: readonly string[];
  readonly change: Partial<Era>;
}

/** 5.19, the oldest release simulated. */
export const BASE_ERA: Era = {
  eligibility: "separate519",
  mthp: false,
  mthpStats: false,
  mthpSwapinStats: false,
  hugeZeroWrite: "split",
  reuseLarge: "refcount",
  mappedShared: "pageMapcount",
  mprotectMakesWritable: false,
  stackNoHugePage: false,
  deferredSplit: "pmdOnly",
  rmapBatched: false,
  rmapDoubleMap: true,
  mlockLargeOnlyWhole: false,
  madvCollapse: false,
  collapseErrno: "v61",
  collapseNeedsWritable: true,
  collapsePmdStates: "null",
  collapseQueuesDeferred: false,
  madviseFreeLarge: "compound61",
  splitToZeroPage: false,
  thpDisableExceptAdvised: false,
  mmapThpAlign: "none",
  guardRegions: "none",
  mseal: false,
  droppable: false,
  pagemapScan: false,
  pagemapGuard: false,
  smapsKsm: false,
  kpageflagsTails: false,
  kpageflagsKsmBug: false,
  perVmaLock: "none",
  gupFastRecheck: false,
  vmaMergeAnonDup: "singularTarget",
  mremapMultiVma: false,
  mremapRealign: false,
  zapPmdBatch: false,
  reclaimsPageTables: false,
  splitFreezesPmd: false,
  collapseBatched: false,
  mprotectUnaccounts: false,
  daemonNeeds: "global",
};

const S = "kernel-semantics.md";
const O = "kernel-observed.md";

export const TOGGLES: readonly Toggle[] = [
  { id: "merged-eligibility", title: "one hugepage_vma_check for every caller", since: "6.0", symbol: "hugepage_vma_check", source: `${S} 1.2`, change: { eligibility: "merged60" } },
  { id: "madv-collapse", title: "MADV_COLLAPSE", since: "6.1", symbol: "madvise_collapse", source: `${S} 3.6`, change: { madvCollapse: true, eligibility: "merged61", collapsePmdStates: "noneAndMapped" } },
  { id: "gup-fast-recheck", title: "GUP-fast looks at the PMD again after taking its reference", since: "6.1", symbol: "gup_pte_range", source: `${S} 9.4`, change: { gupFastRecheck: true } },
  { id: "mprotect-writable", title: "mprotect maps exclusive pages writable without a fault", since: "6.2", symbol: "can_change_pte_writable", source: `${O} 4`, change: { mprotectMakesWritable: true } },
  { id: "rmap-nr-pages-mapped", title: "_nr_pages_mapped instead of PageDoubleMap", since: "6.2", symbol: "page_remove_rmap", source: `${S} 4.3`, change: { rmapDoubleMap: false } },
  { id: "mprotect-unaccount", title: "mprotect to read-only stops accounting untouched memory", since: "6.4", symbol: "mprotect_fixup", source: "6.12 tree", change: { mprotectUnaccounts: true } },
  { id: "per-vma-lock", title: "faults of anonymous memory under the per-VMA lock", since: "6.4", symbol: "lock_vma_under_rcu", source: `${S} 2.9`, change: { perVmaLock: "anonymous" } },
  { id: "collapse-errno", title: "MADV_COLLAPSE says EBUSY and EAGAIN where it can be tried again", since: "6.5", symbol: "madvise_collapse_errno", source: `${S} 3.6`, change: { collapseErrno: "v65" } },
  { id: "per-vma-lock-files", title: "the per-VMA lock for every kind of fault", since: "6.6", symbol: "lock_vma_under_rcu", source: `${S} 2.9`, change: { perVmaLock: "all" } },
  { id: "huge-fault-handlers", title: "a VMA with a huge_fault handler is trusted again", since: "6.7", symbol: "hugepage_vma_check", source: `${S} 1.3`, change: { eligibility: "handlers67" } },
  { id: "stack-nohugepage", title: "MAP_STACK sets VM_NOHUGEPAGE", since: "6.7", symbol: "calc_vm_flag_bits", source: `${O} 4`, change: { stackNoHugePage: true } },
  { id: "thp-align-always", title: "anonymous mappings are aligned for THP", since: "6.7", symbol: "thp_get_unmapped_area", source: `${S} 1.9`, change: { mmapThpAlign: "always" } },
  { id: "pagemap-scan", title: "PAGEMAP_SCAN", since: "6.7", symbol: "pagemap_scan_pmd_entry", source: `${S} 11.2`, change: { pagemapScan: true } },
  { id: "smaps-ksm", title: "smaps says how much is KSM", since: "6.7", symbol: "smaps_account", source: `${S} 11.1`, change: { smapsKsm: true } },
  { id: "mlock-large-whole", title: "mlock counts a large folio only when it is wholly mapped", since: "6.7", symbol: "allow_mlock_munlock", source: `${S} 4.4`, change: { mlockLargeOnlyWhole: true } },
  { id: "mremap-realign", title: "mremap moves whole page tables when old and new start alike", since: "6.7", symbol: "try_realign_addr", source: `${S} 4.1`, change: { mremapRealign: true } },
  { id: "mthp", title: "multi-size THP for anonymous memory", since: "6.8", symbol: "alloc_anon_folio", source: `${S} 1.4`, change: { mthp: true, eligibility: "orders68", deferredSplit: "anyOrder", daemonNeeds: "anySize" } },
  { id: "likely-mapped-shared", title: "khugepaged looks at the first page to tell a shared folio", since: "6.8", symbol: "folio_likely_mapped_shared", source: `${S} 3.3`, change: { mappedShared: "firstPage" } },
  { id: "rmap-batched", title: "consecutive pages of a folio are unmapped together", since: "6.9", symbol: "folio_remove_rmap_ptes", source: `${S} 4.3`, change: { rmapBatched: true, reuseLarge: "never", zapPmdBatch: true } },
  { id: "mthp-stats", title: "per-size statistics", since: "6.10", symbol: "mthp_stat_item", source: `${S} 11.5`, change: { mthpStats: true } },
  { id: "mseal", title: "mseal", since: "6.10", symbol: "do_mseal", source: `${O} 5`, change: { mseal: true } },
  { id: "madvise-free-batch", title: "MADV_FREE works on batches of a large folio", since: "6.10", symbol: "madvise_free_pte_range", source: `${S} 4.4`, change: { madviseFreeLarge: "batched" } },
  { id: "split-freezes-pmd", title: "a folio split unmaps PMDs in one go", since: "6.11", symbol: "split_huge_pmd_locked", source: `${O} 5`, change: { splitFreezesPmd: true } },
  { id: "droppable", title: "MAP_DROPPABLE", since: "6.11", symbol: "VM_DROPPABLE", source: `${S} 2.1`, change: { droppable: true } },
  { id: "thp-align-multiple", title: "only lengths that are a multiple of a PMD are aligned", since: "6.12", symbol: "thp_get_unmapped_area", source: `${S} 1.9`, change: { mmapThpAlign: "pmdMultiple" } },
  { id: "shrink-underused", title: "underused THPs are split under pressure", since: "6.12", symbol: "thp_underused", source: `${S} 4.3`, change: { deferredSplit: "partiallyMappedFlag", collapseQueuesDeferred: true, splitToZeroPage: true } },
  { id: "daemon-pmd-size", title: "khugepaged runs while the PMD size is on", since: "6.12", symbol: "hugepage_pmd_enabled", source: `${S} 1.4`, change: { daemonNeeds: "pmdSize" } },
  { id: "kpageflags-tails", title: "kpageflags shows a folio's flags on its tails", since: "6.12", symbol: "stable_page_flags", source: `${O} 4`, change: { kpageflagsTails: true } },
  { id: "huge-zero-write", title: "a write to the huge zero folio allocates a THP", since: "6.13", symbol: "do_huge_zero_wp_pmd", source: `${S} 2.6`, change: { hugeZeroWrite: "allocate" } },
  { id: "guard-regions", title: "guard regions in anonymous memory", since: "6.13", symbol: "madvise_guard_install", source: `${S} 4.5`, change: { guardRegions: "anonymous" } },
  { id: "thp-align-no-hint", title: "a hint or a file is not aligned", since: "6.13", symbol: "__get_unmapped_area", source: `${S} 1.9`, change: { mmapThpAlign: "pmdMultipleNoHint" } },
  { id: "pt-reclaim", title: "MADV_DONTNEED frees page tables that it empties", since: "6.14", symbol: "try_get_and_clear_pmd", source: "6.18 tree", change: { reclaimsPageTables: true } },
  { id: "mthp-swapin-stats", title: "per-size swap-in statistics", since: "6.14", symbol: "mthp_stat_item", source: `${S} 11.5`, change: { mthpSwapinStats: true } },
  { id: "owner-tracking", title: "a large folio knows which mm maps it", since: "6.15", symbol: "folio_set_mm_id", source: `${S} 2.5`, change: { mappedShared: "owners", reuseLarge: "owners" } },
  { id: "guard-regions-files", title: "guard regions everywhere, shown in pagemap", since: "6.15", symbol: "madvise_guard_install", source: `${S} 4.5`, change: { guardRegions: "any", pagemapGuard: true } },
  { id: "vma-merge-uncowed", title: "a faulted VMA merges into an unfaulted one", since: "6.16", symbol: "is_mergeable_anon_vma", source: "6.18 tree", change: { vmaMergeAnonDup: "anyUncowed" } },
  { id: "collapse-read-only", title: "read-only ranges may be collapsed", since: "6.17", symbol: "hpage_collapse_scan_pmd", source: `${S} 3.3`, change: { collapseNeedsWritable: false } },
  { id: "collapse-batched", title: "collapse unmaps old folios in batches", since: "6.17", symbol: "__collapse_huge_page_copy_succeeded", source: `${O} 5`, change: { collapseBatched: true } },
  { id: "mremap-multi", title: "mremap moves several VMAs at once", since: "6.17", symbol: "remap_move", source: `${S} 12.6`, change: { mremapMultiVma: true } },
  { id: "thp-disable-except", title: "PR_THP_DISABLE_EXCEPT_ADVISED", since: "6.18", symbol: "prctl_set_thp_disable", source: `${S} 1.6`, change: { thpDisableExceptAdvised: true, eligibility: "tva618" } },
];
