import type { Errno } from "../mm/errno.ts";
import { folioMapcount, folioOrder, folioPages, hasFlag } from "../mm/folio.ts";
import { fileIndex, isShmem } from "../mm/inode.ts";
import { folioOf, type Kernel } from "../mm/kernel.ts";
import { aroundByPmd, aroundWindow, crossesEof, mapPlan, pmdNone, reachesEof, suitsPmd, type MapPlan } from "../mm/mapPlan.ts";
import { PG } from "../mm/pageFlags.ts";
import type { Vma } from "../mm/records.ts";
import { fitsFile } from "../mm/shmemOrders.ts";
import { VM } from "../mm/vmFlags.ts";
import type { Pfn } from "../units.ts";
import { bounds, cacheCause, faultAround, fileOf, fileSize, offset, thpDisable, vmaFlag } from "./fileVariations.ts";
import type { Cause, Decision, FileRule } from "./tracer.ts";
import { causesOf, type Found, type Situation } from "./whatIf.ts";

/** How a fault maps memory of a file, and what happens to private copies, for explanations. Only called with a tracer. */

interface Said {
  readonly symbol: string;
  readonly rule: FileRule;
  readonly outcome: string;
  readonly causes: readonly Cause[];
  readonly also?: readonly Cause[];
}

/** A decision about [vpn, vpn + pages) of a file mapping, and about the pages of the file there. */
function decide(k: Kernel, vma: Vma, vpn: number, pages: number, said: Said): void {
  const file: Decision["file"] = { inode: fileOf(k, vma).slot, index: fileIndex(vma, vpn), pages };
  k.tracer?.decide({ ...said, mm: vma.mm, vpn, pages, file });
}

const shared = (vma: Vma, vpn: number): Cause => ({ kind: "vmaFlag", mm: vma.mm, vpn, flag: "VM_SHARED", set: (vma.flags & VM.shared) !== 0 });
const access = (write: boolean): Cause => ({ kind: "access", write });

/** do_fault: a read, a write to a private mapping, which copies, or a write to a shared one. */
export function traceFileFault(k: Kernel, vma: Vma, vpn: number, write: boolean): void {
  const isShared = (vma.flags & VM.shared) !== 0;
  if (!write) decide(k, vma, vpn, 1, { symbol: "do_read_fault", rule: "file.readFault", outcome: "the file's page", causes: [access(false)] });
  else if (isShared)
    decide(k, vma, vpn, 1, {
      symbol: "do_shared_fault",
      rule: "file.sharedFault",
      outcome: "the file's page, writable",
      causes: [access(true), shared(vma, vpn)],
    });
  else decide(k, vma, vpn, 1, { symbol: "do_cow_fault", rule: "file.cowFault", outcome: "a private copy", causes: [access(true), shared(vma, vpn)] });
}

/** ->page_mkwrite: the first write to a page since it was clean. */
export function traceMkwrite(k: Kernel, vma: Vma, vpn: number, head: Pfn): void {
  const index = fileIndex(vma, vpn);
  const dirty: Cause = { kind: "cacheFolio", inode: fileOf(k, vma).slot, index, property: "PG_dirty", value: hasFlag(k, head, PG.dirty) ? 1 : 0 };
  const causes = dirty.value === 0 ? [access(true), shared(vma, vpn)] : [dirty];
  decide(k, vma, vpn, 1, { symbol: "do_page_mkwrite", rule: "file.mkwrite", outcome: "dirty", causes });
}

/** ->fault had no page to give. */
export function traceNoPage(k: Kernel, vma: Vma, vpn: number, errno: Errno): void {
  if (errno !== "EINVAL") return;
  const inode = fileOf(k, vma);
  const cause: Cause = { kind: "file", inode: inode.slot, property: "i_size", value: inode.sizeBytes };
  const symbol = isShmem(k, inode) ? "shmem_get_folio_gfp" : "filemap_fault";
  decide(k, vma, vpn, 1, { symbol, rule: "file.beyondEof", outcome: "VM_FAULT_SIGBUS", causes: [cause] });
}

/** The folio has this order because of what made it. */
const orderCause = (k: Kernel, vma: Vma, vpn: number, head: Pfn): Cause => ({
  kind: "cacheFolio",
  inode: fileOf(k, vma).slot,
  index: fileIndex(vma, vpn),
  property: "folio_order",
  value: folioOrder(k, head),
});

const entries = (vma: Vma, vpn: number, pages: number, is: "none" | "huge" | "table"): Cause => ({ kind: "entry", mm: vma.mm, vpn, pages, is });

/** Why a folio of PMD size is not mapped by a PMD, or a smaller large one not whole. */
function refusalOf(k: Kernel, vma: Vma, vpn: number, head: Pfn, around: boolean): FileRule {
  const order = folioOrder(k, head);
  const inode = fileOf(k, vma);
  if (around ? reachesEof(k, inode, head) : crossesEof(k, inode, head)) return "map.acrossEof";
  if (order < k.geo.pmdOrder) return "map.page";
  if (!fitsFile(vma, vpn, order)) return (vma.start - vma.pgoff) % 2 ** order === 0 ? "map.outside" : "map.misaligned";
  if (!suitsPmd(k, vma, vpn, head)) return "map.disabled";
  return pmdNone(k, vma, vpn) ? "map.occupied" : "map.tableThere";
}

const variations = (k: Kernel, vma: Vma, vpn: number, head: Pfn): Parameters<typeof causesOf>[2] => {
  const order = folioOrder(k, head);
  return [
    bounds(vma, vpn, order),
    offset(vma, vpn, order),
    vmaFlag(vma, vpn, "VM_NOHUGEPAGE"),
    thpDisable(k, vma.mm),
    fileSize(k, fileOf(k, vma), fileIndex(vma, vpn)),
  ];
};

/** finish_fault on a large folio: mapped by a PMD, whole by PTEs, or the one page. */
export function traceMapped(k: Kernel, vma: Vma, vpn: number, page: Pfn, plan: MapPlan): void {
  const head = folioOf(k, page);
  const order = folioOrder(k, head);
  const pages = 2 ** order;
  const start = vpn - (page - head);
  const s: Situation = { k, vma };
  const answer = ({ k: kk, vma: v }: Situation): string => (v === null ? "" : mapPlan(kk, v, vpn, page));
  const found = causesOf(answer, s, variations(k, vma, vpn, head));
  const rule = plan === "pmd" ? "map.pmd" : plan === "folio" ? "map.folio" : refusalOf(k, vma, vpn, head, false);
  const causes = [...found.causes];
  if (plan === "pmd") causes.push(orderCause(k, vma, vpn, head), entries(vma, start, pages, "none"));
  else if (plan === "folio") causes.push(orderCause(k, vma, vpn, head));
  const isTable = order === k.geo.pmdOrder && suitsPmd(k, vma, vpn, head) && !pmdNone(k, vma, vpn);
  if (plan !== "pmd" && isTable) causes.push(entries(vma, start, pages, "table"));
  const first = plan === "page" ? vpn : start;
  decide(k, vma, first, plan === "page" ? 1 : pages, {
    symbol: order === k.geo.pmdOrder ? "do_set_pmd" : "finish_fault",
    rule,
    outcome: plan === "pmd" ? "by a PMD" : plan === "folio" ? `${pages} pages` : "one page",
    causes,
    also: found.also,
  });
}

/** filemap_map_pmd: fault-around met a large folio first. */
export function traceAroundPmd(k: Kernel, vma: Vma, vpn: number, head: Pfn, byPmd: boolean): void {
  const order = folioOrder(k, head);
  if (order !== k.geo.pmdOrder) return;
  const found: Found = causesOf(({ k: kk, vma: v }) => v !== null && aroundByPmd(kk, v, vpn, head), { k, vma }, variations(k, vma, vpn, head));
  const start = vpn - (vpn % 2 ** order);
  decide(k, vma, byPmd ? start : vpn, byPmd ? 2 ** order : 1, {
    symbol: "filemap_map_pmd",
    rule: byPmd ? "map.pmd" : refusalOf(k, vma, vpn, head, true),
    outcome: byPmd ? "by a PMD" : "not by a PMD",
    causes: byPmd ? [...found.causes, orderCause(k, vma, vpn, head), entries(vma, start, 2 ** order, "none")] : found.causes,
    also: found.also,
  });
}

/** do_fault_around mapped pages of the window that the page cache has. */
export function traceAround(k: Kernel, vma: Vma, vpn: number): void {
  const { first, last } = aroundWindow(k, vma, vpn);
  const pages = last - first + 1;
  const answer = ({ k: kk, vma: v }: Situation): string => {
    if (v === null) return "";
    const w = aroundWindow(kk, v, vpn);
    return `${w.first}-${w.last}`;
  };
  const order = Math.log2(k.g.faultAroundPages);
  const found = causesOf(answer, { k, vma }, [faultAround(k), bounds(vma, vpn, order)]);
  const cached = cacheCause(fileOf(k, vma).slot, fileIndex(vma, first), pages, "cached");
  decide(k, vma, first, pages, {
    symbol: "do_fault_around",
    rule: "around.mapped",
    outcome: `${pages} pages`,
    causes: [...found.causes, cached, access(false)],
  });
}

/** do_wp_page on a page of a file in a private mapping: always copied. */
export function traceFilePageWrite(k: Kernel, vma: Vma, vpn: number): void {
  decide(k, vma, vpn, 1, { symbol: "do_wp_page", rule: "cow.filePage", outcome: "copy", causes: [access(true), shared(vma, vpn)] });
}

/** wp_huge_pmd: no file system has ->huge_fault, so a write to a read-only PMD of a file drops it and goes on with pages. */
export function traceFilePmdWrite(k: Kernel, vma: Vma, start: number, pages: number): void {
  const causes = [access(true), entries(vma, start, pages, "huge")];
  decide(k, vma, start, pages, { symbol: "wp_huge_pmd", rule: "map.pmdSplitByWrite", outcome: "split", causes });
}

/** unmap_mapping_pages: mappings of a range go, of truncation private copies too, of a hole not. */
export function traceUnmapped(k: Kernel, vma: Vma, start: number, end: number, evenCows: boolean): void {
  decide(k, vma, start, end - start, {
    symbol: "unmap_mapping_pages",
    rule: evenCows ? "truncate.unmapped" : "truncate.cowsKept",
    outcome: "unmapped",
    causes: [{ kind: "operation" }],
  });
}

/** Where the file's first mapping has a folio. */
function placeOf(k: Kernel, head: Pfn): Pick<Decision, "mm" | "vpn" | "pages" | "file"> {
  const inode = k.mapping.get(head);
  const index = k.pageIndex.get(head);
  const pages = folioPages(k, head);
  const file = { inode, index, pages };
  for (const slot of k.inodes.get(inode).vmas) {
    const vma = k.vmas.get(slot);
    const vpn = vma.start + (index - vma.pgoff);
    if (vpn < vma.end && vpn + pages > vma.start) return { mm: vma.mm, vpn: Math.max(vpn, vma.start), pages, file };
  }
  return { mm: 0, vpn: -1, pages: 0, file };
}

/** split_folio of the page cache: not with dirty data that the file system keeps notes about, nor while somebody else holds it. */
export function traceSplitFile(k: Kernel, head: Pfn): void {
  const inode = k.mapping.get(head);
  const index = k.pageIndex.get(head);
  const extra = k.refcount.get(head) - folioMapcount(k, head) - folioPages(k, head) - 1;
  const isDirty = hasFlag(k, head, PG.private) && hasFlag(k, head, PG.dirty);
  const fact = (property: "PG_dirty" | "extra_references", value: number): Cause => ({ kind: "cacheFolio", inode, index, property, value });
  const causes = isDirty ? [fact("PG_dirty", 1)] : [fact("extra_references", extra)];
  k.tracer?.decide({
    symbol: isDirty ? "filemap_release_folio" : "can_split_folio",
    rule: isDirty ? "split.dirty" : extra === 0 ? "split.ok" : "split.pinned",
    outcome: isDirty ? "EBUSY" : extra === 0 ? "split" : "EAGAIN",
    causes: extra === 0 && !isDirty ? [fact("extra_references", 0), { kind: "operation" }] : causes,
    also: isDirty && extra !== 0 ? [fact("extra_references", extra)] : [],
    ...placeOf(k, head),
  });
}

/** truncate_inode_partial_folio: into single pages, or only around the place (6.15). */
export function traceSplitStyle(k: Kernel, head: Pfn): void {
  const outcome = k.era.truncateSplit === "around" ? "around the place" : "into single pages";
  const cause: Cause = { kind: "era", behaviour: "truncateSplit", value: k.era.truncateSplit };
  k.tracer?.decide({ symbol: "truncate_inode_partial_folio", rule: "truncate.split", outcome, causes: [cause], ...placeOf(k, head) });
}

/** truncate_inode_partial_folio: a folio that could not be split, and is dirty, stays whole with zeros in it. */
export function traceKeptWhole(k: Kernel, head: Pfn): void {
  const cause: Cause = { kind: "cacheFolio", inode: k.mapping.get(head), index: k.pageIndex.get(head), property: "PG_dirty", value: 1 };
  k.tracer?.decide({ symbol: "truncate_inode_partial_folio", rule: "truncate.keptWhole", outcome: "zeroed, kept", causes: [cause], ...placeOf(k, head) });
}

/** ext4_punch_hole: up to 6.13 what is dirty in the range is written first. */
export function tracePunchWriteback(k: Kernel, inode: number, index: number, pages: number): void {
  const cause: Cause = { kind: "era", behaviour: "ext4PunchWritesBack", value: k.era.ext4PunchWritesBack };
  const file = { inode, index, pages: Math.max(1, pages) };
  const rule: FileRule = k.era.ext4PunchWritesBack ? "truncate.writtenFirst" : "truncate.notWritten";
  k.tracer?.decide({ symbol: "ext4_punch_hole", rule, outcome: `${pages} pages`, causes: [cause], mm: 0, vpn: -1, pages: 0, file });
}
