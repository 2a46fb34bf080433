import type { Kernel } from "../mm/kernel.ts";
import { VMF } from "../mm/faultFlags.ts";
import { PG } from "../mm/pageFlags.ts";
import type { Vma } from "../mm/records.ts";
import { VM } from "../mm/vmFlags.ts";
import type { Cause, FolioProperty, Rule } from "./tracer.ts";

/** Why pages are shared, copied, freed or kept, for explanations. Only called with a tracer. */

function decide(
  k: Kernel,
  symbol: string,
  rule: Rule,
  outcome: string,
  causes: readonly Cause[],
  mm: number,
  vpn: number,
  pages: number,
  also: readonly Cause[] = [],
): void {
  k.tracer?.decide({ symbol, rule, outcome, causes, also, mm, vpn, pages });
}

const folioCause = (vma: Vma, vpn: number, pfn: number, property: FolioProperty, value: number): Cause => ({
  kind: "folio",
  mm: vma.mm,
  vpn,
  pfn,
  property,
  value,
});
const accessCause = (write: boolean): Cause => ({ kind: "access", write });
const entryCause = (vma: Vma, vpn: number, is: "zero" | "guard" | "none"): Cause => ({ kind: "entry", mm: vma.mm, vpn, pages: 1, is });
const flagCause = (vma: Vma, vpn: number, flag: "VM_READ" | "VM_WRITE" | "VM_EXEC", bit: number): Cause => ({
  kind: "vmaFlag",
  mm: vma.mm,
  vpn,
  flag,
  set: (vma.flags & bit) !== 0,
});

/** A page fault that could not be handled; `r`: VM_FAULT_*. */
export function traceFaultError(k: Kernel, vma: Vma, vpn: number, r: number): void {
  if (r & VMF.oom) decide(k, "handle_mm_fault", "fault.oom", "VM_FAULT_OOM", [{ kind: "memory", pages: 1 }], vma.mm, vpn, 1);
  else if (r & VMF.sigsegv) decide(k, "handle_pte_marker", "fault.guard", "VM_FAULT_SIGSEGV", [entryCause(vma, vpn, "guard")], vma.mm, vpn, 1);
}

/** do_user_addr_fault found no VMA, and none above that could grow down. */
export function traceNoVma(k: Kernel, mm: number, vpn: number): void {
  decide(k, "find_vma", "fault.noVma", "SEGV_MAPERR", [{ kind: "hole", mm, vpn, end: vpn + 1 }], mm, vpn, 1);
}

/** expand_stack refused to grow `vma` down to `vpn`: too near the mapping below, or past RLIMIT_STACK. */
export function traceStackRefusal(k: Kernel, vma: Vma, vpn: number, below: Vma | undefined): void {
  const causes: Cause[] =
    below === undefined ? [{ kind: "argument", name: "address", value: vpn * 4096 }] : [{ kind: "occupied", mm: vma.mm, vpn: below.start, end: below.end }];
  decide(k, "acct_stack_growth", below === undefined ? "fault.stackLimit" : "fault.stackGap", "SEGV_MAPERR", causes, vma.mm, vpn, 1);
}

/** access_error: the VMA's protection refuses the access. */
export function traceAccessError(k: Kernel, vma: Vma, vpn: number, kind: "r" | "w" | "x", present: boolean): void {
  const causes: Cause[] = [];
  if (kind === "w") {
    causes.push(flagCause(vma, vpn, "VM_WRITE", VM.write));
    if (vma.flags & VM.read) causes.push(accessCause(true));
  } else if (kind === "x" && present) causes.push(flagCause(vma, vpn, "VM_EXEC", VM.exec));
  else causes.push(flagCause(vma, vpn, "VM_READ", VM.read));
  decide(k, "access_error", "fault.accessError", "SEGV_ACCERR", causes, vma.mm, vpn, 1);
}

/** do_anonymous_page: the zero page for a read, memory for a write. */
export function traceAnonymousPage(k: Kernel, vma: Vma, vpn: number, write: boolean): void {
  decide(k, "do_anonymous_page", write ? "fault.freshPage" : "fault.zeroPage", write ? "new page" : "zero page", [accessCause(write)], vma.mm, vpn, 1);
}

/** do_huge_pmd_anonymous_page on a read: the huge zero folio or memory. */
export function traceHugeRead(k: Kernel, vma: Vma, vpn: number, zero: boolean): void {
  const causes: Cause[] = [{ kind: "setting", path: "/sys/kernel/mm/transparent_hugepage/use_zero_page", value: k.g.useZeroPage }];
  if (zero) causes.push(accessCause(false));
  decide(k, "do_huge_pmd_anonymous_page", zero ? "thp.hugeZero" : "thp.noHugeZero", zero ? "huge zero folio" : "THP", causes, vma.mm, vpn, 1);
}

/** do_wp_page on the zero page: copied always, and only this page. */
export function traceWriteZero(k: Kernel, vma: Vma, vpn: number): void {
  decide(k, "do_wp_page", "cow.zeroPage", "copy", [entryCause(vma, vpn, "zero")], vma.mm, vpn, 1);
}

/** What speaks against writing a large folio in place that is not exclusive, by release; also by the releases before and after. */
function largeReuse(k: Kernel, vma: Vma, vpn: number, head: number): { causes: Cause[]; also: Cause[] } {
  const refs = k.refcount.get(head);
  const mapped = k.largeMapcount.get(head);
  const shared = (k.pageFlags.get(head) & PG.mappedShared) !== 0;
  const fails: Cause[] = [];
  if (mapped <= 1) fails.push(folioCause(vma, vpn, head, "mapped_pages", mapped));
  if (shared) fails.push(folioCause(vma, vpn, head, "folio_maybe_mapped_shared", 1));
  if (mapped !== refs) fails.push(folioCause(vma, vpn, head, "extra_references", refs - mapped));
  const behaviour: Cause = { kind: "era", behaviour: "reuseLarge", value: k.era.reuseLarge };
  if (k.era.reuseLarge === "owners") return fails.length > 0 ? { causes: fails.slice(0, 1), also: fails.slice(1) } : { causes: [behaviour], also: [] };
  // "never" and "refcount" refuse what another release may allow
  return { causes: [behaviour], also: fails };
}

/** wp_can_reuse_anon_folio and what do_wp_page makes of it. */
export function traceWriteProtected(k: Kernel, vma: Vma, vpn: number, page: number, head: number, exclusive: boolean, reuse: boolean): void {
  if (exclusive) {
    decide(k, "do_wp_page", "cow.exclusive", "reuse", [folioCause(vma, vpn, page, "PageAnonExclusive", 1)], vma.mm, vpn, 1);
    return;
  }
  const large = (k.pageFlags.get(head) & PG.head) !== 0;
  const small = folioCause(vma, vpn, head, "folio_ref_count", k.refcount.get(head));
  const by = large ? largeReuse(k, vma, vpn, head) : { causes: [small], also: [] };
  decide(k, "wp_can_reuse_anon_folio", reuse ? "cow.reuse" : "cow.copy", reuse ? "reuse" : "copy", by.causes, vma.mm, vpn, 1, reuse ? [] : by.also);
}

/** do_huge_pmd_wp_page on a THP. */
export function traceHugeWriteProtected(k: Kernel, vma: Vma, vpn: number, pfn: number, exclusive: boolean, refs: number): void {
  const reuse = exclusive || refs === 1;
  const cause = exclusive ? folioCause(vma, vpn, pfn, "PageAnonExclusive", 1) : folioCause(vma, vpn, pfn, "folio_ref_count", refs);
  decide(k, "do_huge_pmd_wp_page", exclusive ? "cow.exclusive" : reuse ? "cow.reuse" : "cow.copy", reuse ? "reuse" : "split and copy", [cause], vma.mm, vpn, 1);
}

/** A write to the huge zero folio. */
export function traceHugeZeroWrite(k: Kernel, vma: Vma, vpn: number): void {
  const behaviour = k.era.hugeZeroWrite;
  decide(
    k,
    behaviour === "allocate" ? "do_huge_zero_wp_pmd" : "do_huge_pmd_wp_page",
    "cow.hugeZero",
    behaviour,
    [{ kind: "era", behaviour: "hugeZeroWrite", value: behaviour }],
    vma.mm,
    vpn,
    1,
  );
}

/** change_protection gave a VMA write permission: is an entry writable at once, or only after a fault? */
export function traceMadeWritable(
  k: Kernel,
  vma: Vma,
  vpn: number,
  pages: number,
  writable: boolean,
  zero: boolean,
  pfn: number,
  byRelease: boolean,
  softDirtyMissing: boolean,
): void {
  const era: Cause = { kind: "era", behaviour: "mprotectMakesWritable", value: k.era.mprotectMakesWritable };
  const exclusive = (k.pageFlags.get(pfn) & PG.anonExclusive) !== 0;
  const own = folioCause(vma, vpn, pfn, "PageAnonExclusive", exclusive ? 1 : 0);
  const fails: Cause[] = [];
  if (byRelease) fails.push(era);
  if (zero) fails.push(entryCause(vma, vpn, "zero"));
  else if (!exclusive) fails.push(own);
  if (softDirtyMissing) fails.push({ kind: "config", name: "softDirty", value: true });
  const symbol = "can_change_private_pte_writable";
  if (writable) decide(k, symbol, "mprotect.writable", "writable", [era, own], vma.mm, vpn, pages);
  else decide(k, symbol, "mprotect.later", "at the next write fault", fails.slice(0, 1), vma.mm, vpn, pages, fails.slice(1));
}

/** A range ends inside a huge page: its PMD entry is replaced by a page table. `symbol`: who cuts. */
export function traceSplitPartial(k: Kernel, vma: Vma, symbol: string, start: number, end: number): void {
  const n = 1 << k.geo.pmdOrder;
  const cause: Cause = { kind: "argument", name: "range", value: `0x${(start * 4096).toString(16)}-0x${(end * 4096).toString(16)}` };
  decide(k, symbol, "pmd.splitPartial", "split", [cause], vma.mm, start - (start % n), n);
}

export function traceZapWhole(k: Kernel, vma: Vma, start: number, end: number): void {
  decide(k, "zap_huge_pmd", "pmd.zapWhole", "whole", [{ kind: "operation" }], vma.mm, start, end - start);
}

/** zap_pte_range dropped `n` pages of a folio from `vpn` on: is its memory free now? `left`: references that stay. */
export function traceZapped(k: Kernel, vma: Vma, vpn: number, n: number, head: number, large: boolean, left: number): void {
  if (left === 0) {
    decide(k, "zap_pte_range", "zap.freed", "freed", [{ kind: "operation" }], vma.mm, vpn, n);
    return;
  }
  if ((k.pageFlags.get(head) & PG.file) !== 0) {
    decide(k, "zap_pte_range", "zap.cached", "kept", [{ kind: "operation" }], vma.mm, vpn, n);
    return;
  }
  const cause: Cause = large ? folioCause(vma, vpn, head, "mapped_pages", left) : folioCause(vma, vpn, head, "folio_ref_count", left + n);
  decide(k, "zap_pte_range", "zap.kept", "kept", [cause], vma.mm, vpn, n);
}

/** deferred_split_folio. `byRelease`: it is not queued for the release's sake. */
export function traceDeferred(k: Kernel, head: number, partially: boolean, queued: boolean, byRelease: boolean): void {
  const flags = k.pageFlags.get(head);
  // a folio that waits for the underused shrinker counts as partially mapped only where the two are told apart
  const toldApart = (flags & PG.deferred) !== 0 && (flags & PG.partiallyMapped) === 0;
  const causes: Cause[] = byRelease || (partially && toldApart) ? [{ kind: "era", behaviour: "deferredSplit", value: k.era.deferredSplit }] : [];
  if (!partially) {
    causes.push({ kind: "setting", path: "/sys/kernel/mm/transparent_hugepage/shrink_underused", value: k.g.shrinkUnderused });
    causes.push({ kind: "era", behaviour: "collapseQueuesDeferred", value: k.era.collapseQueuesDeferred });
  } else if (!byRelease) causes.push({ kind: "operation" });
  const at = placeOf(k, head);
  decide(
    k,
    "deferred_split_folio",
    !partially ? "deferred.underused" : queued ? "deferred.queued" : "deferred.notQueued",
    queued ? "queued" : "not queued",
    causes,
    at.mm,
    at.vpn,
    at.pages,
  );
}

/** A large folio lost pages but is still mapped by a PMD elsewhere. */
export function traceStillHuge(k: Kernel, vma: Vma, head: number): void {
  const at = placeOf(k, head);
  const cause = folioCause(vma, at.vpn, head, "folio_entire_mapcount", k.entireMapcount.get(head));
  decide(k, "folio_remove_rmap", "deferred.notQueued", "not queued", [cause], vma.mm, at.vpn, at.pages);
}

/** Where the first VMA of its anon_vma would map a folio. */
function placeOf(k: Kernel, head: number): { mm: number; vpn: number; pages: number } {
  const order = (k.pageFlags.get(head) >>> 24) & 0x1f;
  for (const slot of k.anonVmas.find(k.mapping.get(head))?.vmas ?? []) {
    const vma = k.vmas.get(slot);
    const vpn = vma.start + (k.pageIndex.get(head) - vma.pgoff);
    if (vpn < vma.end && vpn + (1 << order) > vma.start) return { mm: vma.mm, vpn, pages: 1 << order };
  }
  return { mm: 0, vpn: -1, pages: 0 };
}

/** split_folio: only when nobody but the mappings and the caller holds a reference. */
export function traceSplitFolio(k: Kernel, head: number, extra: number): void {
  const at = placeOf(k, head);
  const cause: Cause = { kind: "folio", mm: at.mm, vpn: at.vpn, pfn: head, property: "extra_references", value: extra };
  decide(k, "can_split_folio", extra === 0 ? "split.ok" : "split.pinned", extra === 0 ? "split" : "EAGAIN", [cause], at.mm, at.vpn, at.pages);
}

/** MADV_FREE and MADV_COLD on a folio: done, skipped because it is shared, or split because the range covers a part of it. */
export function traceAdvised(
  k: Kernel,
  vma: Vma,
  vpn: number,
  pages: number,
  head: number,
  what: "lazyfree" | "cold",
  did: "done" | "shared" | "split",
  sharedElsewhere: boolean,
): void {
  const symbol = what === "cold" ? "madvise_cold_or_pageout_pte_range" : "madvise_free_pte_range";
  if (did === "done") decide(k, symbol, what === "cold" ? "cold.aged" : "lazyfree.marked", "done", [{ kind: "operation" }], vma.mm, vpn, pages);
  else if (did === "split") {
    const range: Cause = { kind: "argument", name: "range", value: `${pages} pages` };
    const folio = placeOf(k, head);
    decide(k, symbol, what === "cold" ? "cold.split" : "lazyfree.split", "split", [range], vma.mm, folio.vpn, folio.pages);
  } else {
    const causes: Cause[] = [folioCause(vma, vpn, head, "folio_maybe_mapped_shared", 1)];
    if (!sharedElsewhere) causes.push({ kind: "era", behaviour: "mappedShared", value: k.era.mappedShared });
    decide(k, symbol, what === "cold" ? "cold.shared" : "lazyfree.shared", "skipped", causes, vma.mm, vpn, pages);
  }
}

/** What fork does with a VMA, or with a page of it. */
export function traceFork(k: Kernel, child: number, vma: Vma, rule: "fork.shared" | "fork.dontCopy" | "fork.wiped"): void {
  const flag: Cause | undefined =
    rule === "fork.dontCopy"
      ? { kind: "vmaFlag", mm: vma.mm, vpn: vma.start, flag: "VM_DONTCOPY", set: true }
      : rule === "fork.wiped"
        ? { kind: "vmaFlag", mm: vma.mm, vpn: vma.start, flag: "VM_WIPEONFORK", set: true }
        : undefined;
  const outcome = rule === "fork.shared" ? "shared" : rule === "fork.wiped" ? "empty" : "not copied";
  const causes: Cause[] =
    flag !== undefined
      ? [flag]
      : [
          { kind: "vmaFlag", mm: vma.mm, vpn: vma.start, flag: "VM_DONTCOPY", set: false },
          { kind: "vmaFlag", mm: vma.mm, vpn: vma.start, flag: "VM_WIPEONFORK", set: false },
        ];
  for (const mm of [vma.mm, child]) decide(k, "dup_mmap", rule, outcome, causes, mm, vma.start, vma.end - vma.start);
}

/** A page that may be pinned is copied for the child at once. */
export function traceForkCopied(k: Kernel, child: number, vma: Vma, vpn: number, pages: number, head: number): void {
  const cause = folioCause(vma, vpn, head, "extra_references", k.pincount.get(head));
  for (const mm of [vma.mm, child]) decide(k, "copy_present_page", "fork.copied", "copied", [cause], mm, vpn, pages);
}
