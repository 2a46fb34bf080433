/**
 * Every behaviour that changed between 5.19 and 6.18, resolved at boot to one frozen record. Kernel code
 * reads fields; it never compares versions. toggles.ts says which change moved which field.
 */
export interface Era {
  /** thp: who may try a huge page (kernel-semantics.md section 1) */
  readonly eligibility: "separate" | "merged" | "orders";
  /** whom VM_NO_KHUGEPAGED stops: every caller, or those that collapse */
  readonly specialGate: "everybody" | "collapse";
  /** to whom a ->huge_fault handler is a reason to say yes */
  readonly trustsHugeFault: "nobody" | "faults" | "faultAndSmaps";
  /** orders that the check knows for memory of files */
  readonly fileOrders: "pmdAndPud" | "folios";
  /** a PMD entry of raw memory has the special bit, as page entries do */
  readonly pmdSpecial: boolean;
  /** multi-size THP for anonymous memory */
  readonly mthp: boolean;
  readonly mthpStats: boolean;
  /** hugepages-N/stats also count zswpout and swpin */
  readonly mthpSwapinStats: boolean;
  /** a write to the huge zero folio */
  readonly hugeZeroWrite: "split" | "allocate";
  /** may a page of a large folio that only this mm maps be written in place */
  readonly reuseLarge: "refcount" | "never" | "owners";
  readonly mappedShared: "pageMapcount" | "firstPage" | "owners";
  /** mprotect makes exclusive pages writable at once */
  readonly mprotectMakesWritable: "no" | "dirtyPtes" | "all";
  /** adding a mapping of a whole large folio counts it as mlocked */
  readonly rmapMlocksWholeFolio: boolean;
  /** MADV_POPULATE_* goes VMA by VMA like other advice and passes over holes, or stops at the first */
  readonly populateWalk: "eachVma" | "straight";
  /** smaps counts THPs in memory that may not be accessed */
  readonly smapsProtnonePmd: boolean;
  readonly stackNoHugePage: boolean;
  readonly deferredSplit: "pmdOnly" | "anyOrder" | "partiallyMappedFlag";
  readonly rmapBatched: boolean;
  readonly rmapDoubleMap: boolean;
  readonly mlockLargeOnlyWhole: boolean;
  readonly madvCollapse: boolean;
  /** MFD_EXEC and MFD_NOEXEC_SEAL of memfd_create(2) */
  readonly memfdNoExec: boolean;
  /** errno of MADV_COLLAPSE for a pinned page and for holes under userfaultfd */
  readonly collapseErrno: "v61" | "v65";
  /** a range without a writable page is not collapsed */
  readonly collapseNeedsWritable: boolean;
  /** the PMD states are told apart */
  readonly collapsePmdStates: "null" | "noneAndMapped";
  readonly collapseQueuesDeferred: boolean;
  readonly madviseFreeLarge: "compound61" | "batched";
  readonly splitToZeroPage: boolean;
  /** the shrinker of the deferred split queue leaves whole THPs alone that are mlocked */
  readonly shrinkSkipsMlocked: boolean;
  readonly thpDisableExceptAdvised: boolean;
  readonly mmapThpAlign: "none" | "always" | "pmdMultiple" | "pmdMultipleNoHint";
  readonly guardRegions: "none" | "anonymous" | "any";
  /** a mapping that ever had a guard keeps VM_MAYBE_GUARD ("gu" in smaps), and fork copies its page tables for it */
  readonly guardFlag: boolean;
  /** a mapping with vm_ops->close may take over a part of its neighbour */
  readonly closeVmaGrows: boolean;
  /** large folios that reclaim splits before it looks for swap: those that no PMD maps, or those that are mapped in part */
  readonly reclaimSplits: "withoutPmd" | "partiallyMapped";
  /** a file of ext4 that grows keeps the page of its old end in the cache, its last block zeroed */
  readonly ext4ZeroesOldEnd: boolean;
  readonly mseal: boolean;
  /** when a call that may not touch sealed memory notices it */
  readonly sealedCheck: "wholeRange" | "eachVma";
  readonly droppable: boolean;
  readonly pagemapScan: boolean;
  readonly pagemapGuard: boolean;
  /** PAGEMAP_SCAN calls an empty entry of a page table written, as its quick way for "written" alone always did */
  readonly scanEmptyWritten: boolean;
  readonly smapsKsm: boolean;
  /** smaps names VM_LOCKONFAULT "lf"; before it printed "??" */
  readonly smapsLockOnFault: boolean;
  /** pagemap tells exclusivity of each page of a PMD-mapped THP, or of the first page for all of them */
  readonly pagemapPmdExclusive: "firstPage" | "eachPage";
  readonly kpageflagsTails: boolean;
  /** KPF_KSM set for every anonymous page: a bug of 6.18 before its stable fix */
  readonly kpageflagsKsmBug: boolean;
  readonly perVmaLock: "none" | "anonymous" | "all";
  /** GUP-fast looks at the PMD again after it took its reference */
  readonly gupFastRecheck: boolean;
  /** GUP-fast looks at the PTE again after it took its reference: every release does */
  readonly gupFastPteRecheck: boolean;
  /** GUP-fast notices a fork that runs beside it (mm->write_protect_seq): every release does */
  readonly gupFastForkSeq: boolean;
  /** collapse waits for walks without locks after it took the page table out (tlb_remove_table_sync_one) */
  readonly collapseSyncsGupFast: boolean;
  readonly vmaMergeAnonDup: "singularTarget" | "anyUncowed";
  readonly mremapMultiVma: boolean;
  /** mremap counts the pages of a locked mapping that MREMAP_DONTUNMAP moved a second time */
  readonly mremapDontUnmapCountsLocked: boolean;
  readonly mremapRealign: boolean;
  readonly zapPmdBatch: boolean;
  /** MADV_DONTNEED of a whole page table frees the table (CONFIG_PT_RECLAIM) */
  readonly reclaimsPageTables: boolean;
  /** page entries made by a PMD split inherit the dirty bit; before, only the folio was marked dirty */
  readonly splitKeepsDirty: boolean;
  /** MREMAP_DONTUNMAP takes VM_ACCOUNT off what stays behind (a slip of two releases) */
  readonly mremapDontUnmapLosesAccount: boolean;
  /** splitting a folio turns its PMD mappings straight into migration entries */
  readonly splitFreezesPmd: boolean;
  /** collapse unmaps the old pages of a folio together */
  readonly collapseBatched: boolean;
  /** mprotect to read-only gives back the accounting of memory that was never faulted */
  readonly mprotectUnaccounts: boolean;
  /** how copies at user addresses are written: what shows is how often a bad address traps */
  readonly userCopy: "fastString" | "alternatives";
  /** shmem_enabled=deny also stops MADV_COLLAPSE */
  readonly shmemDenyStopsCollapse: boolean;
  /** orders that tmpfs allows a VMA are told apart from those that fit it and were asked for */
  readonly shmemEligibleMasked: boolean;
  /** within_size looks at the end of a write, not only at the size the file has */
  readonly shmemWriteEnd: boolean;
  /** a full mount splits folios across the ends of files for a page, or for what is asked */
  readonly shmemShrink: "forPages" | "whenFull";
  /** how within_size of a smaller size finds the end of the block: from the number of the order (a slip), or from its pages */
  readonly shmemWithinSizeIndex: "orderNumber" | "pages";
  /** orders that write(2) and fallocate may use in a tmpfs with huge= */
  readonly tmpfsWriteOrders: "pmd" | "size" | "all";
  /** tmpfs files that large folios may hold: all, or those of mounts with huge= */
  readonly tmpfsLargeFolios: "all" | "hugeMounts";
  /** a huge folio of shmem is only made where the VMA has room to map it */
  readonly shmemFitsVma: boolean;
  /** write(2) asks the file system for as much as a folio may hold at once, or page by page */
  readonly writeChunk: "page" | "folio";
  /** pages of a large folio of a file that one fault maps */
  readonly finishFault: "page" | "anonShmem" | "folio";
  /** fault-around maps a large folio that it meets whole */
  readonly faultAroundWholeFolio: boolean;
  /** fault-around stops at the end of the file inside of a large folio too */
  readonly faultAroundStopsAtEof: boolean;
  /** a large folio of a disk file across the end of the file is mapped page by page */
  readonly faultStopsAtEof: boolean;
  /** a PMD is not mapped where THPs are switched off for the VMA or the process */
  readonly setPmdChecksDisabled: boolean;
  /** truncation and hole punching split a folio around the place only */
  readonly truncateSplit: "uniform" | "around";
  /** a folio that truncation could not split is unmapped, but for tmpfs */
  readonly truncateUnmapsUnsplit: boolean;
  /** collapse of files takes large folios that are smaller than a PMD */
  readonly collapseFileLarge: boolean;
  /**
   * What collapse_pte_mapped_thp locks while it takes a page table out: the mmap_lock for writing alone; i_mmap too, and then nothing that has an
   * anon_vma; or with the anon_vma; or page-table locks, for which the mmap_lock for reading is enough. With the last retract_page_tables needs no mmap_lock.
   */
  readonly collapseLocking: "mmapWrite" | "imapWrite" | "anonVmaWrite" | "pageTables";
  /** MADV_COLLAPSE of a file maps the block also where not even a table of PMDs stands */
  readonly collapseInstallsWithoutTable: boolean;
  /** a page table that collapse of a file took out is freed only when walks without locks have ended */
  readonly retractWaitsForWalks: boolean;
  /** a block of a file that has a folio of PMD size already is told apart from one with smaller folios, and its page table taken out */
  readonly collapseSeesPteMapped: boolean;
  /** a breakpoint goes into a copy that takes the page's place, or into the anonymous page that a write fault makes */
  readonly uprobeWrite: "copy" | "inPlace";
  /** the scanner of the page cache is chosen for VMAs with a file, or only where the kernel has CONFIG_SHMEM too */
  readonly scanDispatch: "shmemConfig" | "file";
  /** a fault keeps the folio that it found locked until it has mapped it: every release does */
  readonly faultLocksFolio: boolean;
  /** a file mapping needs no VM_EXEC for read-only THPs */
  readonly fileThpWithoutExec: boolean;
  /** file systems whose files large folios may hold */
  readonly ext4LargeFolios: boolean;
  /** ext4 writes what is dirty before it punches a hole into it, so that folios can be split */
  readonly ext4PunchWritesBack: boolean;
  /** the order of folios read ahead: four times that of the folio before, or kept beside the window */
  readonly readaheadOrder: "rising" | "stored";
  /** a window larger than read_ahead_kb (MADV_HUGEPAGE) stays as large */
  readonly readaheadKeepsSize: boolean;
  /** code is read from the page on, not around it */
  readonly readaheadExec: boolean;
  /** a private mapping shared with the page cache is copied by an unshare fault */
  readonly unshareCopiesFilePages: boolean;
  /** hugepages-N/shmem_enabled exist */
  readonly shmemSizes: boolean;
  readonly daemonNeeds: "global" | "anySize" | "pmdSize" | "pmdSizeOrShmem";
}
