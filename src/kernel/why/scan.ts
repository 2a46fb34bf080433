import type { Kernel } from "../mm/kernel.ts";
import type { Vma } from "../mm/records.ts";
import type { ScanResult } from "../thp/scanResult.ts";
import { khugepagedLimit } from "./limits.ts";
import type { Cause, EntryState, Rule } from "./tracer.ts";

/** Why a block was collapsed or not, and why khugepaged did not look at it, for explanations. Only called with a tracer. */

/** What a scan counted before it ended. */
export interface ScanCounts {
  readonly noneOrZero: number;
  readonly shared: number;
  readonly unmapped: number;
  readonly referenced: number;
  /** index of the entry the scan ended at */
  readonly at: number;
}

/** What a result depends on, with the entry that decided where one did. `pfn`: of the page at that entry, -1 without. */
export function traceScan(k: Kernel, vma: Vma, start: number, daemon: boolean, result: ScanResult, c: ScanCounts, pfn: number): void {
  const n = 1 << k.geo.pmdOrder;
  const entry = (is: EntryState, vpn = start + c.at, pages = 1): Cause => ({ kind: "entry", mm: vma.mm, vpn, pages, is });
  const folio = (property: "folio_maybe_mapped_shared" | "extra_references", value: number): Cause => ({
    kind: "folio",
    mm: vma.mm,
    vpn: start + c.at,
    pfn,
    property,
    value,
  });
  const causes: Cause[] = [];
  switch (result) {
    case "SUCCEED":
      if (daemon) {
        causes.push(khugepagedLimit(k, "pages_to_scan"));
        if (c.noneOrZero > 0) causes.push(khugepagedLimit(k, "max_ptes_none"));
        if (c.shared > 0) causes.push(khugepagedLimit(k, "max_ptes_shared"));
      } else causes.push({ kind: "operation" }, { kind: "era", behaviour: "madvCollapse", value: true });
      break;
    case "EXCEED_NONE_PTE":
      causes.push(khugepagedLimit(k, "max_ptes_none"), entry("none", start, n));
      break;
    case "EXCEED_SHARED_PTE":
      causes.push(khugepagedLimit(k, "max_ptes_shared"), folio("folio_maybe_mapped_shared", 1));
      break;
    case "EXCEED_SWAP_PTE":
      // more would be let through, but what is there is no swap entry and cannot be collapsed
      causes.push(entry("guard"));
      break;
    case "FAIL":
    case "PTE_NON_PRESENT":
      causes.push(entry("guard"));
      break;
    case "PMD_NULL":
    case "PMD_NONE":
      causes.push(entry("none", start, n));
      break;
    case "PMD_MAPPED":
      causes.push(entry("huge", start, n));
      break;
    case "PAGE_RO":
      causes.push({ kind: "era", behaviour: "collapseNeedsWritable", value: k.era.collapseNeedsWritable }, entry("readOnly", start, n));
      break;
    case "LACK_REFERENCED_PAGE":
      causes.push(entry("old", start, n));
      break;
    case "PAGE_COUNT":
      causes.push(folio("extra_references", 1));
      break;
    case "ALLOC_HUGE_PAGE_FAIL":
      causes.push({ kind: "memory", pages: n });
      break;
    default:
      // what other threads changed meanwhile, or flags that only they set
      causes.push({ kind: "operation" });
  }
  const rule: Rule = `collapse.${result}`;
  k.tracer?.decide({
    symbol: daemon ? "hpage_collapse_scan_pmd" : "madvise_collapse",
    rule,
    outcome: `SCAN_${result}`,
    causes,
    mm: vma.mm,
    vpn: start,
    pages: n,
  });
}

/** What became of the anonymous page that a breakpoint is written to, or was. */
export function traceUprobe(k: Kernel, vma: Vma, vpn: number, rule: "uprobe.copied" | "uprobe.healed" | "uprobe.kept"): void {
  k.tracer?.decide({ symbol: "uprobe_write_opcode", rule, outcome: "", causes: [{ kind: "operation" }], mm: vma.mm, vpn, pages: 1 });
}

/** khugepaged leaves out a whole mm, or stops before the end of its pass. */
export function traceDaemon(k: Kernel, mm: number, rule: "khugepaged.mmDisabled" | "khugepaged.budget", vpn: number): void {
  const causes: Cause[] = rule === "khugepaged.budget" ? [khugepagedLimit(k, "pages_to_scan")] : [{ kind: "prctl", mm, value: k.mms.get(mm).thpDisable }];
  const symbol = rule === "khugepaged.budget" ? "khugepaged_do_scan" : "khugepaged_scan_mm_slot";
  k.tracer?.decide({ symbol, rule, outcome: "not scanned", causes, mm, vpn, pages: vpn < 0 ? 0 : 1 << k.geo.pmdOrder });
}
