import type { Toggle } from "./toggles.ts";

const T = "thp-eligibility-collapse-hugefault.md";

/** Changes to the collapse of files, older ones first. */
export const COLLAPSE_TOGGLES: readonly Toggle[] = [
  {
    id: "fault-locks-folio",
    title: "a fault keeps the folio of a file locked until it has mapped it",
    since: "5.19",
    symbol: "__do_fault",
    source: "6.1 tree, the comment of retract_page_tables",
    change: { faultLocksFolio: true },
  },
  {
    id: "collapse-imap-lock",
    title: "collapse of a file takes page tables out under i_mmap, and refuses mappings with private copies",
    since: "6.1",
    symbol: "collapse_pte_mapped_thp",
    source: `${T} 2.5`,
    patch: { title: "mm/khugepaged: take the right locks for page table retraction", author: "Jann Horn", commit: "8d3c106e19e8" },
    change: { collapseLocking: "imapWrite" },
  },
  {
    id: "retract-sync",
    title: "a page table that collapse of a file took out is freed only when GUP-fast has left it",
    since: "6.1",
    symbol: "collapse_and_free_pmd",
    source: "6.5 tree, tlb_remove_table_sync_one; pte_free_defer since 6.6",
    change: { retractWaitsForWalks: true },
  },
  {
    id: "collapse-anon-vma",
    title: "collapse of a file accepts mappings with private copies elsewhere again",
    since: "6.2",
    symbol: "collapse_pte_mapped_thp",
    source: `${T} 2`,
    requires: ["collapse-imap-lock"],
    patch: { title: "mm/khugepaged: fix collapse_pte_mapped_thp() to allow anon_vma", author: "Hugh Dickins", message: "Dec 22 2022" },
    change: { collapseLocking: "anonVmaWrite" },
  },
  {
    id: "collapse-page-table-locks",
    title: "collapse of a file takes page tables out under page-table locks, in every mapping",
    since: "6.6",
    symbol: "retract_page_tables, collapse_pte_mapped_thp",
    source: `${T} 2.5; 6.5 and 6.12 trees`,
    patch: { title: "mm/khugepaged: collapse_pte_mapped_thp() with mmap_read_lock()", author: "Hugh Dickins" },
    change: { collapseLocking: "pageTables" },
  },
  {
    id: "scan-dispatch",
    title: "khugepaged chooses its scanner by the kind of mapping, whatever CONFIG_SHMEM is",
    since: "6.14",
    symbol: "khugepaged_scan_mm_slot, vma_is_anonymous",
    source: `${T} 2.9; 6.12 and 6.18 trees, the release between is recalled`,
    change: { scanDispatch: "file" },
  },
  {
    id: "collapse-without-table",
    title: "MADV_COLLAPSE of a file maps the block also where nothing was mapped nearby",
    since: "6.18",
    symbol: "set_huge_pmd",
    source: "6.12 and 6.18 trees; recorded on 6.17.13 and 6.18.15",
    change: { collapseInstallsWithoutTable: true },
  },
  {
    id: "uprobe-in-place",
    title: "a uprobe writes its breakpoint into the anonymous page that a write fault makes",
    since: "6.16",
    symbol: "uprobe_write_opcode",
    source: "6.12 and 6.18 trees; the release between is recalled",
    change: { uprobeWrite: "inPlace" },
  },
];
