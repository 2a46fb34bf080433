import { fileIndex, isShmem, mountOf } from "../mm/inode.ts";
import { folioMapcount, folioOrder, folioPages, hasFlag } from "../mm/folio.ts";
import type { Kernel } from "../mm/kernel.ts";
import { filemapFolio } from "../mm/pageCache.ts";
import { PG } from "../mm/pageFlags.ts";
import type { Vma } from "../mm/records.ts";
import { pmdAllowed } from "../thp/eligibility/eligibility.ts";
import { fitsAround } from "../thp/eligibility/question.ts";
import type { ScanResult } from "../thp/scanResult.ts";
import { NO_PFN, type Pfn } from "../units.ts";
import { cacheCause, fileOf } from "./fileVariations.ts";
import { khugepagedLimit } from "./limits.ts";
import type { CacheFolioProperty, Cause, Rule } from "./tracer.ts";

/** Why a block of a file was collapsed or not (hpage_collapse_scan_file, collapse_file, collapse_pte_mapped_thp). Only called with a tracer. */

function decide(k: Kernel, vma: Vma, start: number, symbol: string, result: ScanResult, causes: readonly Cause[], also: readonly Cause[] = []): void {
  const pages = 1 << k.geo.pmdOrder;
  const rule: Rule = `collapse.${result}`;
  const file = { inode: fileOf(k, vma).slot, index: fileIndex(vma, start), pages };
  k.tracer?.decide({ symbol, rule, outcome: `SCAN_${result}`, causes, also, mm: vma.mm, vpn: start, pages, file });
}

function folioCause(k: Kernel, head: Pfn, property: CacheFolioProperty): Cause {
  const value =
    property === "folio_order"
      ? folioOrder(k, head)
      : property === "PG_dirty"
        ? Number(hasFlag(k, head, PG.dirty))
        : k.refcount.get(head) - folioMapcount(k, head) - folioPages(k, head);
  return { kind: "cacheFolio", inode: k.mapping.get(head), index: k.pageIndex.get(head), property, value };
}

/** Others of the block, and those that collapse itself reads, are large too: one folio alone decides nothing. */
const tooSmall = (k: Kernel): Cause => ({ kind: "era", behaviour: "collapseFileLarge", value: k.era.collapseFileLarge });

const asked = (k: Kernel): Cause[] => [{ kind: "operation" }, { kind: "era", behaviour: "madvCollapse", value: k.era.madvCollapse }];

/** hpage_collapse_scan_file says no. `head`: the folio that it is for; NO_PFN: none. `pages`: how many the cache has before it. */
export function traceFileScan(k: Kernel, vma: Vma, start: number, result: ScanResult, head: Pfn, pages: number): void {
  const n = 1 << k.geo.pmdOrder;
  const causes: Cause[] = [];
  if (result === "PTE_MAPPED_HUGEPAGE") causes.push(folioCause(k, head, "folio_order"));
  else if (result === "PAGE_COMPOUND") causes.push(tooSmall(k));
  else if (result === "PAGE_COUNT") causes.push(folioCause(k, head, "extra_references"));
  else if (result === "EXCEED_NONE_PTE")
    causes.push(khugepagedLimit(k, "max_ptes_none"), cacheCause(fileOf(k, vma).slot, fileIndex(vma, start), n, pages === 0 ? "empty" : "holes"));
  else if (result === "ALLOC_HUGE_PAGE_FAIL") causes.push({ kind: "memory", pages: n });
  else causes.push({ kind: "operation" });
  decide(k, vma, start, "hpage_collapse_scan_file", result, causes);
}

/** What collapse_file made of a block. `culprit`: page of the file at which it gave up; `old`: pages that the cache had. */
export function traceFileCollapse(k: Kernel, vma: Vma, start: number, daemon: boolean, result: ScanResult, culprit: number, old: number): void {
  const inode = fileOf(k, vma);
  const n = 1 << k.geo.pmdOrder;
  const head = filemapFolio(k, inode.slot, culprit);
  const causes: Cause[] = [];
  if (result === "SUCCEED") {
    if (daemon) causes.push(khugepagedLimit(k, "pages_to_scan"));
    if (daemon && old < n) causes.push(khugepagedLimit(k, "max_ptes_none"));
    if (!daemon) causes.push(...asked(k));
  } else if (result === "TRUNCATED") causes.push(cacheCause(inode.slot, fileIndex(vma, start), n, "empty"));
  else if (result === "PAGE_COUNT" && head !== NO_PFN) causes.push(folioCause(k, head, "extra_references"));
  else if (result === "PAGE_COMPOUND" && head !== NO_PFN) causes.push(tooSmall(k));
  else if (result === "FAIL" && !isShmem(k, inode)) {
    if (head !== NO_PFN && hasFlag(k, head, PG.dirty)) causes.push(folioCause(k, head, "PG_dirty"));
    else if (head === NO_PFN) causes.push({ kind: "file", inode: inode.slot, property: "i_size", value: inode.sizeBytes });
    else causes.push({ kind: "file", inode: inode.slot, property: "i_writecount", value: inode.writers });
  } else if (result === "FAIL") causes.push({ kind: "file", inode: inode.slot, property: "size=", value: mountOf(k, inode).maxBlocks });
  else causes.push({ kind: "operation" });
  decide(k, vma, start, "collapse_file", result, causes);
}

/** collapse_pte_mapped_thp: whether the mapping of a file's huge folio by pages gives way to a PMD. */
export function traceMapCollapsed(k: Kernel, vma: Vma, start: number, install: boolean, result: ScanResult): void {
  const n = 1 << k.geo.pmdOrder;
  const inode = fileOf(k, vma).slot;
  const causes: Cause[] = [];
  switch (result) {
    case "PMD_MAPPED":
      causes.push({ kind: "entry", mm: vma.mm, vpn: start, pages: n, is: "huge" });
      break;
    case "VMA_CHECK":
      if (!fitsAround(vma, start, k.geo.pmdOrder))
        causes.push({ kind: "vmaBounds", mm: vma.mm, vpn: start, start: vma.start, end: vma.end, from: start, to: start + n });
      else if (k.era.collapseLocking === "imapWrite" && vma.anonVma !== 0)
        causes.push({ kind: "era", behaviour: "collapseLocking", value: "imapWrite" }, { kind: "anonVma", mm: vma.mm, vpn: start, set: true });
      else if (!pmdAllowed(k, vma, "forcedCollapse")) causes.push({ kind: "file", inode, property: "i_writecount", value: fileOf(k, vma).writers });
      break;
    case "PAGE_NULL":
      causes.push(cacheCause(inode, fileIndex(vma, start), 1, "empty"));
      break;
    case "PAGE_COMPOUND":
      causes.push({ kind: "cacheFolio", inode, index: fileIndex(vma, start), property: "folio_order", value: 0 });
      break;
    case "PMD_NULL":
    case "PMD_NONE":
      causes.push({ kind: "entry", mm: vma.mm, vpn: start, pages: n, is: "none" });
      causes.push({ kind: "era", behaviour: "collapseInstallsWithoutTable", value: k.era.collapseInstallsWithoutTable });
      break;
    case "PTE_NON_PRESENT":
      causes.push({ kind: "entry", mm: vma.mm, vpn: start, pages: n, is: "guard" });
      break;
    case "FAIL":
      causes.push({ kind: "entry", mm: vma.mm, vpn: start, pages: n, is: "private" });
      break;
    case "SUCCEED":
      if (install) causes.push(...asked(k));
      else causes.push(khugepagedLimit(k, "pages_to_scan"));
      break;
    default:
      causes.push({ kind: "operation" });
  }
  decide(k, vma, start, "collapse_pte_mapped_thp", result, causes);
}
