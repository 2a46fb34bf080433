import { RELEASES, type Release } from "./releases.ts";

/**
 * How the text files of /proc differ by release, as far as no behaviour hangs on it (what changes behaviour is a toggle). Lists of 6.1,
 * 6.12 and 6.18 were read off those trees; where a change lies between two of them, its release is that of the commit.
 */
export interface ProcText {
  /** smaps has Pss_Dirty */
  readonly smapsPssDirty: boolean;
  /** THPeligible is padded to 8 columns */
  readonly smapsPadsThpEligible: boolean;
  /** status has Kthread */
  readonly statusKthread: boolean;
  /** status has untag_mask */
  readonly statusUntagMask: boolean;
  /** meminfo has SecPageTables */
  readonly meminfoSecPageTables: boolean;
  /** meminfo has Balloon */
  readonly meminfoBalloon: boolean;
  /** PAGEMAP_SCAN tells PAGE_IS_SOFT_DIRTY */
  readonly scanSoftDirty: boolean;
}

const atLeast = (release: Release, since: Release): boolean => RELEASES.indexOf(release) >= RELEASES.indexOf(since);

export function procTextOf(release: Release): ProcText {
  return {
    smapsPssDirty: atLeast(release, "6.0"),
    smapsPadsThpEligible: atLeast(release, "6.6"),
    statusKthread: atLeast(release, "6.8"),
    statusUntagMask: atLeast(release, "6.4"),
    meminfoSecPageTables: atLeast(release, "6.1"),
    meminfoBalloon: atLeast(release, "6.16"),
    scanSoftDirty: atLeast(release, "6.7"),
  };
}

/** Items of /proc/vmstat that not every release prints: from `since` on, and before `until`. */
const VMSTAT_SPANS: Readonly<Record<string, { readonly since?: Release; readonly until?: Release }>> = {
  nr_free_pages_blocks: { since: "6.16" },
  nr_bounce: { until: "6.16" },
  nr_writeback_temp: { until: "6.16" },
  nr_sec_page_table_pages: { since: "6.1" },
  nr_iommu_pages: { since: "6.11" },
  pgpromote_candidate: { since: "6.1" },
  pgpromote_candidate_nrl: { since: "6.16" },
  pgdemote_khugepaged: { since: "6.9" },
  pgdemote_proactive: { since: "6.15" },
  nr_hugetlb: { since: "6.14" },
  nr_balloon_pages: { since: "6.16" },
  nr_kernel_file_pages: { since: "6.16" },
  nr_memmap_pages: { since: "6.11" },
  nr_memmap_boot_pages: { since: "6.11" },
  pgsteal_khugepaged: { since: "6.2" },
  pgscan_khugepaged: { since: "6.2" },
  pgsteal_proactive: { since: "6.15" },
  pgscan_proactive: { since: "6.15" },
  zone_reclaim_success: { since: "6.11" },
  thp_underused_split_page: { since: "6.12" },
  swpin_zero: { since: "6.12" },
  swpout_zero: { since: "6.12" },
  zswpwb: { since: "6.8" },
  direct_map_level2_collapses: { since: "6.15" },
  direct_map_level3_collapses: { since: "6.15" },
};

/** Items that older releases print and 6.18 does not, by the item they stand behind. */
const VMSTAT_GONE: Readonly<Record<string, string>> = { nr_bounce: "nr_mlock", nr_writeback_temp: "nr_writeback" };

/** Demotion counters stood among the events until they became counters of a node. */
const DEMOTE: readonly string[] = ["pgdemote_kswapd", "pgdemote_direct"];
const DEMOTE_MOVED: Release = "6.9";

/** The items of /proc/vmstat of a release in its order; `all` are those of 6.18. */
export function vmstatItemsOf(release: Release, all: readonly string[]): string[] {
  const printed = (name: string): boolean => {
    const span = VMSTAT_SPANS[name];
    if (span === undefined) return true;
    if (span.since !== undefined && !atLeast(release, span.since)) return false;
    return span.until === undefined || !atLeast(release, span.until);
  };
  const early = !atLeast(release, DEMOTE_MOVED);
  const out: string[] = [];
  for (const name of all) {
    if (early && DEMOTE.includes(name)) continue;
    if (printed(name)) out.push(name);
    if (early && name === "pgsteal_direct") out.push(...DEMOTE);
    for (const [gone, before] of Object.entries(VMSTAT_GONE)) if (before === name && printed(gone)) out.push(gone);
  }
  return out;
}
