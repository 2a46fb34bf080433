import { MISC, MTHP, MTHP_COUNTERS, type Kernel } from "../mm/kernel.ts";
import { frontierOf } from "../mm/pageAlloc.ts";
import { ORDER_MASK, ORDER_SHIFT, PG } from "../mm/pageFlags.ts";
import type { Zone } from "../mm/records.ts";
import { VMSTAT } from "../mm/vmstat.ts";
import { badStamp } from "./contents.ts";
import type { Survey } from "./survey.ts";

/** What the pass over all frames counts, for comparison with the counters of the machine. */
class Recount {
  anonPages = 0;
  hugePages = 0;
  mlocked = 0;
  inactive = 0;
  active = 0;
  unevictable = 0;
  pins = 0;
  deferred = 0;
  mapped = 0;
  inactiveFile = 0;
  activeFile = 0;
  filePages = 0;
  dirty = 0;
  shmem = 0;
  /** PMD-sized folios of tmpfs and of disks, and those that a PMD maps */
  shmemHuge = 0;
  shmemPmd = 0;
  fileHuge = 0;
  filePmd = 0;
  readonly anonFolios: number[] = new Array<number>(32).fill(0);
  readonly partiallyMapped: number[] = new Array<number>(32).fill(0);
}

/** Flags that only an anonymous folio has. */
const ANON_FLAGS = PG.anonExclusive | PG.swapbacked | PG.lru | PG.unevictable | PG.mlocked | PG.active | PG.partiallyMapped | PG.deferred | PG.mappedShared;
/** Flags that a tail page may have. */
const TAIL_FLAGS = PG.tail | PG.anonExclusive;
const NEVER = PG.locked | PG.buddy | PG.table;

/**
 * Every frame is exactly one of: free and listed, never used, a page table, part of a folio, or the zero page. Counts of
 * folios are compared with what the walk found. After walkAllTables and checkFreeLists.
 */
export function checkFrames(s: Survey): void {
  const { k } = s;
  const c = new Recount();
  for (let slot = 1; slot <= k.zones.count; slot++) {
    const zone = k.zones.get(slot);
    const frontier = Math.min(zone.end, Math.max(zone.start, frontierOf(k, slot)));
    checkZone(s, zone, frontier, c);
    for (const column of [k.pageFlags, k.refcount]) {
      const pfn = column.firstNotZero(frontier, zone.end);
      if (pfn >= 0) s.report.add("kernel.check.frontier", { zone: zone.name, pfn });
    }
  }
  compare(s, c);
}

function checkZone(s: Survey, zone: Zone, frontier: number, c: Recount): void {
  const { k } = s;
  for (let pfn = zone.start; pfn < frontier;) {
    const flags = k.pageFlags.get(pfn);
    let pages = 1;
    const listed = s.freeOrder.get(pfn);
    if (listed !== 0 || (flags & PG.buddy) !== 0) pages = freeBlock(s, zone, pfn, flags, listed);
    else if ((flags & PG.table) !== 0) {
      if (k.tablePfn.get(k.mapping.get(pfn)) !== pfn) s.report.add("kernel.check.tableFrame", { table: k.mapping.get(pfn), pfn });
    } else if (pfn === k.g.zeroPfn) zeroPage(s, pfn, flags, c);
    else if ((flags & PG.head) !== 0) pages = largeFolio(s, pfn, flags, frontier, c);
    else if ((flags & PG.tail) !== 0) s.report.add("kernel.check.compound", { pfn, head: k.mapping.get(pfn) });
    else if (k.refcount.get(pfn) === 0 && (flags & PG.reserved) === 0) s.report.add("kernel.check.frameLost", { pfn });
    else smallFolio(s, pfn, flags, c);
    pfn += pages;
  }
}

function freeBlock(s: Survey, zone: Zone, pfn: number, flags: number, listed: number): number {
  const { k, report } = s;
  if (listed === 0) {
    report.add("kernel.check.buddyLost", { pfn });
    return 1;
  }
  const order = listed - 1;
  const pages = 1 << order;
  const end = Math.min(pfn + pages, zone.end);
  const inside = Math.max(k.pageFlags.firstNotZero(pfn + 1, end), k.refcount.firstNotZero(pfn, end));
  if (inside >= 0) report.add("kernel.check.buddyInUse", { pfn, order, page: inside });
  const buddy = pfn ^ pages;
  if (order < 10 && buddy > pfn && buddy + pages <= zone.end && s.freeOrder.get(buddy) === listed) report.add("kernel.check.buddyUnmerged", { pfn, order });
  if ((flags & PG.buddy) === 0) report.add("kernel.check.buddyBlock", { pfn, order });
  return pages;
}

function zeroPage(s: Survey, pfn: number, flags: number, c: Recount): void {
  const { k } = s;
  const refs = k.refcount.get(pfn);
  const should = 2 + pinsOf(s, pfn, c);
  if (flags !== (PG.reserved | PG.zero) || k.stamp.get(pfn) !== 0) s.report.add("kernel.check.zeroPage", { pfn });
  // the boot's reference, and one that nobody gives back
  if (refs !== should) s.report.add("kernel.check.refcount", { pfn, is: refs, should });
}

function smallFolio(s: Survey, pfn: number, flags: number, c: Recount): void {
  const { k, report } = s;
  const maps = s.pteMaps.get(pfn);
  const is = k.mapcount.get(pfn);
  if (is !== maps) report.add("kernel.check.mapcount", { pfn, is, should: maps });
  if ((flags & PG.anonExclusive) !== 0 && maps > 1) report.add("kernel.check.exclusiveShared", { pfn, maps });
  if ((flags & (PG.mappedShared | PG.deferred | PG.partiallyMapped)) !== 0) report.add("kernel.check.folioFlags", { pfn, flags });
  common(s, pfn, flags, 1, maps, c);
  countMapped(flags, maps > 0 ? 1 : 0, c);
  if (badStamp(k, k.stamp.get(pfn))) report.add("kernel.check.stamp", { pfn, stamp: k.stamp.get(pfn) });
}

/** Pins of a folio, counted. */
function pinsOf(s: Survey, head: number, c: Recount): number {
  const pins = s.k.pincount.get(head);
  if (pins < 0) s.report.add("kernel.check.pincount", { pfn: head, is: pins });
  c.pins += pins;
  return pins;
}

/** What small and large folios have in common. `maps`: entries that map any of it. */
function common(s: Survey, head: number, flags: number, pages: number, maps: number, c: Recount): void {
  const { k, report } = s;
  const pins = pinsOf(s, head, c);
  const refs = k.refcount.get(head);
  const isFile = (flags & PG.file) !== 0;
  // the page cache holds a reference for each page
  const should = maps + pins + (isFile ? pages : 0);
  if (refs !== should || refs <= 0) report.add("kernel.check.refcount", { pfn: head, is: refs, should });
  // a page that was truncated while somebody pinned it is of no kind
  const isKind = isFile !== ((flags & PG.anon) !== 0) || (pins > 0 && maps === 0);
  if (!isKind || (flags & (NEVER | PG.reserved | PG.zero)) !== 0) report.add("kernel.check.folioFlags", { pfn: head, flags });
  if (isFile) {
    countCached(s, flags, pages, c);
    s.filePages += pages;
    if (maps > 0 && (flags & PG.uptodate) === 0) report.add("kernel.check.notUptodate", { pfn: head });
  }
  if ((flags & PG.lru) === 0) report.add("kernel.check.offLru", { pfn: head });
  else if ((flags & PG.unevictable) !== 0) c.unevictable += pages;
  else if ((flags & (PG.anon | PG.swapbacked)) === 0) c[(flags & PG.active) !== 0 ? "activeFile" : "inactiveFile"] += pages;
  else c[(flags & PG.active) !== 0 ? "active" : "inactive"] += pages;
  const locked = (flags & PG.mlocked) !== 0;
  if (locked) c.mlocked += pages;
  if (locked !== ((flags & PG.unevictable) !== 0) || k.mlockCount.get(head) < 0) report.add("kernel.check.mlocked", { pfn: head });
}

function countMapped(flags: number, pages: number, c: Recount): void {
  c[(flags & PG.file) !== 0 ? "mapped" : "anonPages"] += pages;
}

/** What a folio of the page cache counts in. */
function countCached(s: Survey, flags: number, pages: number, c: Recount): void {
  const shmem = (flags & PG.swapbacked) !== 0;
  c.filePages += pages;
  if (shmem) c.shmem += pages;
  else if ((flags & PG.dirty) !== 0) c.dirty += pages;
  if (pages === 1 << s.k.geo.pmdOrder) c[shmem ? "shmemHuge" : "fileHuge"]++;
}

/** A folio of several pages. Returns how many. */
function largeFolio(s: Survey, head: number, flags: number, frontier: number, c: Recount): number {
  const { k, report } = s;
  const order = (flags & ORDER_MASK) >>> ORDER_SHIFT;
  const pages = 1 << order;
  if (order < 1 || order > k.geo.pmdOrder || head % pages !== 0 || head + pages > frontier) {
    report.add("kernel.check.compound", { pfn: head, head });
    return 1;
  }
  const pmds = s.pmdMaps.get(head);
  const isHugeZero = head === k.g.hugeZeroPfn;
  let ptes = 0;
  let mapped = 0;
  for (let pfn = head; pfn < head + pages; pfn++) {
    const own = k.pageFlags.get(pfn);
    if (pfn !== head && ((own & ~TAIL_FLAGS) !== 0 || (own & PG.tail) === 0 || k.mapping.get(pfn) !== head || k.refcount.get(pfn) !== 0))
      report.add("kernel.check.compound", { pfn, head });
    const maps = s.pteMaps.get(pfn);
    if (k.mapcount.get(pfn) !== maps) report.add("kernel.check.mapcount", { pfn, is: k.mapcount.get(pfn), should: maps });
    if ((own & PG.anonExclusive) !== 0 && maps + pmds > 1) report.add("kernel.check.exclusiveShared", { pfn, maps: maps + pmds });
    if (maps > 0) mapped++;
    ptes += maps;
    const stamp = k.stamp.get(pfn);
    if (isHugeZero ? stamp !== 0 : badStamp(k, stamp)) report.add("kernel.check.stamp", { pfn, stamp });
  }
  if (isHugeZero) {
    hugeZero(s, head, flags, c);
    return pages;
  }
  // a PMD-mapped THP is exclusive as a whole, and its first page says so
  if (pmds > 0 && (flags & PG.anonExclusive) !== 0 && ptes > 0) report.add("kernel.check.exclusiveShared", { pfn: head, maps: pmds + ptes });
  common(s, head, flags, pages, ptes + pmds, c);
  largeCounts(s, head, flags, pages, { ptes, pmds, mapped });
  countMapped(flags, pmds > 0 ? pages : mapped, c);
  if ((flags & PG.file) !== 0) {
    if (pmds > 0) c[(flags & PG.swapbacked) !== 0 ? "shmemPmd" : "filePmd"]++;
    if ((flags & (PG.deferred | PG.partiallyMapped | PG.anonExclusive)) !== 0) report.add("kernel.check.folioFlags", { pfn: head, flags });
    return pages;
  }
  if (pmds > 0) c.hugePages++;
  if ((flags & PG.deferred) !== 0) c.deferred++;
  c.anonFolios[order]++;
  if ((flags & PG.partiallyMapped) !== 0) c.partiallyMapped[order]++;
  return pages;
}

interface LargeMaps {
  readonly ptes: number;
  readonly pmds: number;
  readonly mapped: number;
}

function largeCounts(s: Survey, head: number, flags: number, pages: number, m: LargeMaps): void {
  const { k, report } = s;
  const total = m.ptes + m.pmds;
  const entire = k.entireMapcount.get(head);
  const large = k.largeMapcount.get(head);
  const mapped = k.pagesMapped.get(head);
  if (entire !== m.pmds) report.add("kernel.check.entireMapcount", { pfn: head, is: entire, should: m.pmds });
  if (large !== total) report.add("kernel.check.largeMapcount", { pfn: head, is: large, should: total });
  if (mapped !== m.mapped) report.add("kernel.check.pagesMapped", { pfn: head, is: mapped, should: m.mapped });
  s.settleOwner(head);
  const ids = [k.mmIds.get(2 * head), k.mmIds.get(2 * head + 1)];
  const named = ids.filter((id) => id !== 0).length;
  const counts = [k.mmIdMapcount.get(2 * head), k.mmIdMapcount.get(2 * head + 1)];
  if (named !== s.knownOwners.get(head) || (ids[0] === ids[1] && named > 0) || ids.some((id, i) => id === 0 && counts[i] !== 0))
    report.add("kernel.check.mmId", { pfn: head, mm: ids[0] === 0 ? ids[1] : ids[0], is: named, most: s.owners.get(head) });
  // clear: one mm has all entries, and the folio knows it. Set says only that more than one may have some
  const isShared = (flags & PG.mappedShared) !== 0;
  if (!isShared && (s.owners.get(head) > 1 || !counts.includes(total))) report.add("kernel.check.mappedShared", { pfn: head, owners: s.owners.get(head) });
  if ((flags & PG.partiallyMapped) !== 0 && (m.pmds > 0 || m.mapped === pages || (flags & PG.deferred) === 0))
    report.add("kernel.check.partiallyMapped", { pfn: head });
}

function hugeZero(s: Survey, head: number, flags: number, c: Recount): void {
  const { k, report } = s;
  let users = 0;
  for (const [, mm] of k.mms.entries()) if (mm.hugeZero) users++;
  const counted = k.misc.get(MISC.hugeZeroUsers);
  const refs = k.refcount.get(head);
  if (counted !== users) report.add("kernel.check.hugeZero", { is: counted, should: users });
  const should = users + 1 + pinsOf(s, head, c);
  if (refs !== should) report.add("kernel.check.refcount", { pfn: head, is: refs, should });
  if ((flags & PG.zero) === 0 || (flags & (ANON_FLAGS | PG.anon | NEVER)) !== 0) report.add("kernel.check.folioFlags", { pfn: head, flags });
}

function compare(s: Survey, c: Recount): void {
  const { k, report } = s;
  const counters: readonly (readonly [string, number, number])[] = [
    ["nr_anon_pages", VMSTAT.nrAnonPages, c.anonPages],
    ["nr_anon_transparent_hugepages", VMSTAT.nrAnonTransparentHugepages, c.hugePages],
    ["nr_mlock", VMSTAT.nrMlock, c.mlocked],
    ["nr_inactive_anon", VMSTAT.nrInactiveAnon, c.inactive],
    ["nr_active_anon", VMSTAT.nrActiveAnon, c.active],
    ["nr_unevictable", VMSTAT.nrUnevictable, c.unevictable],
    ["nr_inactive_file", VMSTAT.nrInactiveFile, c.inactiveFile],
    ["nr_active_file", VMSTAT.nrActiveFile, c.activeFile],
    ["nr_mapped", VMSTAT.nrMapped, c.mapped],
    ["nr_file_pages", VMSTAT.nrFilePages, c.filePages],
    ["nr_dirty", VMSTAT.nrDirty, c.dirty],
    ["nr_shmem", VMSTAT.nrShmem, c.shmem],
    ["nr_shmem_hugepages", VMSTAT.nrShmemHugepages, c.shmemHuge],
    ["nr_shmem_pmdmapped", VMSTAT.nrShmemPmdmapped, c.shmemPmd],
    ["nr_file_hugepages", VMSTAT.nrFileHugepages, c.fileHuge],
    ["nr_file_pmdmapped", VMSTAT.nrFilePmdmapped, c.filePmd],
  ];
  for (const [name, item, should] of counters) {
    const is = k.vmstat.get(item);
    if (is !== should) report.add("kernel.check.vmstat", { name, is, should });
  }
  const pins = k.vmstat.get(VMSTAT.nrFollPinAcquired) - k.vmstat.get(VMSTAT.nrFollPinReleased);
  if (pins !== c.pins) report.add("kernel.check.vmstat", { name: "nr_foll_pin", is: pins, should: c.pins });
  if (k.misc.get(MISC.deferredCount) !== c.deferred) report.add("kernel.check.deferredFlag", { is: c.deferred, should: k.misc.get(MISC.deferredCount) });
  if (k.g.hugeZeroPfn < 0 && k.misc.get(MISC.hugeZeroUsers) !== 0) report.add("kernel.check.hugeZero", { is: k.misc.get(MISC.hugeZeroUsers), should: 0 });
  compareSizes(k, s, c);
}

function compareSizes(k: Kernel, s: Survey, c: Recount): void {
  for (let order = 1; order <= k.geo.pmdOrder; order++) {
    const items: readonly (readonly [string, number, number])[] = [
      ["nr_anon", MTHP.nrAnon, k.era.mthpStats ? c.anonFolios[order] : 0],
      ["nr_anon_partially_mapped", MTHP.nrAnonPartiallyMapped, c.partiallyMapped[order]],
    ];
    for (const [name, item, should] of items) {
      const is = k.mthpStat.get(order * MTHP_COUNTERS + item);
      if (is !== should) s.report.add("kernel.check.mthpStat", { order, name, is, should });
    }
  }
}
