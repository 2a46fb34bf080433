/**
 * Items of /proc/vmstat in the order in which 6.18 prints them (mm/vmstat.c, vmstat_text). A counter's
 * position here is its index in the vmstat column; a release that lacks an item does not print it.
 */
export const VMSTAT_NAMES = [
  "nr_free_pages", "nr_free_pages_blocks", "nr_zone_inactive_anon", "nr_zone_active_anon", "nr_zone_inactive_file", "nr_zone_active_file",
  "nr_zone_unevictable", "nr_zone_write_pending", "nr_mlock", "nr_zspages", "nr_free_cma", "numa_hit", "numa_miss", "numa_foreign",
  "numa_interleave", "numa_local", "numa_other", "nr_inactive_anon", "nr_active_anon", "nr_inactive_file", "nr_active_file", "nr_unevictable",
  "nr_slab_reclaimable", "nr_slab_unreclaimable", "nr_isolated_anon", "nr_isolated_file", "workingset_nodes", "workingset_refault_anon",
  "workingset_refault_file", "workingset_activate_anon", "workingset_activate_file", "workingset_restore_anon", "workingset_restore_file",
  "workingset_nodereclaim", "nr_anon_pages", "nr_mapped", "nr_file_pages", "nr_dirty", "nr_writeback", "nr_shmem", "nr_shmem_hugepages",
  "nr_shmem_pmdmapped", "nr_file_hugepages", "nr_file_pmdmapped", "nr_anon_transparent_hugepages", "nr_vmscan_write", "nr_vmscan_immediate_reclaim",
  "nr_dirtied", "nr_written", "nr_throttled_written", "nr_kernel_misc_reclaimable", "nr_foll_pin_acquired", "nr_foll_pin_released",
  "nr_kernel_stack", "nr_page_table_pages", "nr_sec_page_table_pages", "nr_iommu_pages", "nr_swapcached", "pgpromote_success", "pgpromote_candidate",
  "pgpromote_candidate_nrl", "pgdemote_kswapd", "pgdemote_direct", "pgdemote_khugepaged", "pgdemote_proactive", "nr_hugetlb", "nr_balloon_pages",
  "nr_kernel_file_pages", "nr_dirty_threshold", "nr_dirty_background_threshold", "nr_memmap_pages", "nr_memmap_boot_pages", "pgpgin", "pgpgout",
  "pswpin", "pswpout", "pgalloc_dma", "pgalloc_dma32", "pgalloc_normal", "pgalloc_movable", "pgalloc_device", "allocstall_dma", "allocstall_dma32",
  "allocstall_normal", "allocstall_movable", "allocstall_device", "pgskip_dma", "pgskip_dma32", "pgskip_normal", "pgskip_movable", "pgskip_device",
  "pgfree", "pgactivate", "pgdeactivate", "pglazyfree", "pgfault", "pgmajfault", "pglazyfreed", "pgrefill", "pgreuse", "pgsteal_kswapd",
  "pgsteal_direct", "pgsteal_khugepaged", "pgsteal_proactive", "pgscan_kswapd", "pgscan_direct", "pgscan_khugepaged", "pgscan_proactive",
  "pgscan_direct_throttle", "pgscan_anon", "pgscan_file", "pgsteal_anon", "pgsteal_file", "zone_reclaim_success", "zone_reclaim_failed",
  "pginodesteal", "slabs_scanned", "kswapd_inodesteal", "kswapd_low_wmark_hit_quickly", "kswapd_high_wmark_hit_quickly", "pageoutrun", "pgrotated",
  "drop_pagecache", "drop_slab", "oom_kill", "numa_pte_updates", "numa_huge_pte_updates", "numa_hint_faults", "numa_hint_faults_local",
  "numa_pages_migrated", "pgmigrate_success", "pgmigrate_fail", "thp_migration_success", "thp_migration_fail", "thp_migration_split",
  "compact_migrate_scanned", "compact_free_scanned", "compact_isolated", "compact_stall", "compact_fail", "compact_success", "compact_daemon_wake",
  "compact_daemon_migrate_scanned", "compact_daemon_free_scanned", "htlb_buddy_alloc_success", "htlb_buddy_alloc_fail", "unevictable_pgs_culled",
  "unevictable_pgs_scanned", "unevictable_pgs_rescued", "unevictable_pgs_mlocked", "unevictable_pgs_munlocked", "unevictable_pgs_cleared",
  "unevictable_pgs_stranded", "thp_fault_alloc", "thp_fault_fallback", "thp_fault_fallback_charge", "thp_collapse_alloc",
  "thp_collapse_alloc_failed", "thp_file_alloc", "thp_file_fallback", "thp_file_fallback_charge", "thp_file_mapped", "thp_split_page",
  "thp_split_page_failed", "thp_deferred_split_page", "thp_underused_split_page", "thp_split_pmd", "thp_scan_exceed_none_pte",
  "thp_scan_exceed_swap_pte", "thp_scan_exceed_share_pte", "thp_split_pud", "thp_zero_page_alloc", "thp_zero_page_alloc_failed", "thp_swpout",
  "thp_swpout_fallback", "balloon_inflate", "balloon_deflate", "balloon_migrate", "swap_ra", "swap_ra_hit", "swpin_zero", "swpout_zero",
  "ksm_swpin_copy", "cow_ksm", "zswpin", "zswpout", "zswpwb", "direct_map_level2_splits", "direct_map_level3_splits", "direct_map_level2_collapses",
  "direct_map_level3_collapses", "nr_unstable",
] as const;

export type VmstatName = (typeof VMSTAT_NAMES)[number];

const indexOf: ReadonlyMap<string, number> = new Map(VMSTAT_NAMES.map((name, i) => [name, i]));

/** Index of an item in the vmstat column; -1 when there is no such item. */
export const vmstatIndex = (name: string): number => indexOf.get(name) ?? -1;

const at = (name: VmstatName): number => vmstatIndex(name);

/** Indices of the items that kernel code counts. */
export const VMSTAT = {
  nrMlock: at("nr_mlock"),
  nrAnonPages: at("nr_anon_pages"),
  nrAnonTransparentHugepages: at("nr_anon_transparent_hugepages"),
  nrPageTablePages: at("nr_page_table_pages"),
  nrInactiveAnon: at("nr_inactive_anon"),
  nrActiveAnon: at("nr_active_anon"),
  nrUnevictable: at("nr_unevictable"),
  nrFollPinAcquired: at("nr_foll_pin_acquired"),
  nrFollPinReleased: at("nr_foll_pin_released"),
  pgallocDma: at("pgalloc_dma"),
  pgallocDma32: at("pgalloc_dma32"),
  pgallocNormal: at("pgalloc_normal"),
  pgfree: at("pgfree"),
  pgfault: at("pgfault"),
  pgmajfault: at("pgmajfault"),
  pgreuse: at("pgreuse"),
  pglazyfree: at("pglazyfree"),
  pgactivate: at("pgactivate"),
  pgdeactivate: at("pgdeactivate"),
  unevictablePgsCulled: at("unevictable_pgs_culled"),
  unevictablePgsMlocked: at("unevictable_pgs_mlocked"),
  unevictablePgsMunlocked: at("unevictable_pgs_munlocked"),
  unevictablePgsCleared: at("unevictable_pgs_cleared"),
  unevictablePgsRescued: at("unevictable_pgs_rescued"),
  thpFaultAlloc: at("thp_fault_alloc"),
  thpFaultFallback: at("thp_fault_fallback"),
  thpFaultFallbackCharge: at("thp_fault_fallback_charge"),
  thpCollapseAlloc: at("thp_collapse_alloc"),
  thpCollapseAllocFailed: at("thp_collapse_alloc_failed"),
  thpSplitPage: at("thp_split_page"),
  thpSplitPageFailed: at("thp_split_page_failed"),
  thpDeferredSplitPage: at("thp_deferred_split_page"),
  thpUnderusedSplitPage: at("thp_underused_split_page"),
  thpSplitPmd: at("thp_split_pmd"),
  thpSplitPud: at("thp_split_pud"),
  thpScanExceedNonePte: at("thp_scan_exceed_none_pte"),
  thpScanExceedSwapPte: at("thp_scan_exceed_swap_pte"),
  thpScanExceedSharePte: at("thp_scan_exceed_share_pte"),
  thpZeroPageAlloc: at("thp_zero_page_alloc"),
  thpZeroPageAllocFailed: at("thp_zero_page_alloc_failed"),
} as const;
