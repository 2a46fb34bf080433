import { isWritable } from "../arch/geometry.ts";
import { ENTRY_ROW, entryRowAt, MISC, MM_COUNTERS, MMC } from "../mm/kernel.ts";
import { PG } from "../mm/pageFlags.ts";
import { entryPfn, pteLevel } from "../mm/pgtable.ts";
import type { Mm } from "../mm/records.ts";
import { VMSTAT } from "../mm/vmstat.ts";
import { EntryCheck } from "./entryCheck.ts";
import { TABLE, vmasOf, type MmFound, type Survey } from "./survey.ts";

/** Walks the page tables of every mm, and what is kept beside them: deposited and free tables. */
export function walkAllTables(s: Survey): void {
  const { k } = s;
  for (const [, mm] of k.mms.entries()) walkMm(s, mm);
  walkFreeTables(s);
  let used = 0;
  for (let t = 1; t < k.misc.get(MISC.tableEnd); t++) {
    if (s.tables[t] === TABLE.nowhere) s.report.add("kernel.check.tableLost", { table: t });
    else if (s.tables[t] !== TABLE.free) used++;
  }
  const counts: readonly (readonly [string, number])[] = [
    ["table count", k.misc.get(MISC.tableCount)],
    ["nr_page_table_pages", k.vmstat.get(VMSTAT.nrPageTablePages)],
  ];
  for (const [name, is] of counts) if (is !== used) s.report.add("kernel.check.vmstat", { name, is, should: used });
}

function walkMm(s: Survey, mm: Mm): void {
  const { k } = s;
  const found: MmFound = { anonPages: 0, filePages: 0, shmemPages: 0, tables: k.geo.levels.map(() => 0) };
  s.mms.set(mm.slot, found);
  new MmWalk(s, mm, found).table(mm.pgd, 0, 0);
  for (const [counter, at, should] of [
    ["MM_ANONPAGES", MMC.anonPages, found.anonPages],
    ["MM_FILEPAGES", MMC.filePages, found.filePages],
    ["MM_SHMEMPAGES", MMC.shmemPages, found.shmemPages],
    // nothing is swapped yet
    ["MM_SWAPENTS", MMC.swapEntries, 0],
  ] as const) {
    const is = k.mmCounters.get(mm.slot * MM_COUNTERS + at);
    if (is !== should) s.report.add("kernel.check.rss", { mm: mm.slot, counter, is, should });
  }
  k.geo.levels.forEach(({ name }, level) => {
    const counter = name === "pte" ? MMC.ptes : name === "pmd" ? MMC.pmds : name === "pud" ? MMC.puds : -1;
    if (counter < 0) return;
    const should = k.geo.countedLevels.includes(name) ? found.tables[level] : 0;
    const is = k.mmCount(mm.slot, counter);
    if (is !== should) s.report.add("kernel.check.tableCounter", { mm: mm.slot, level: name, is, should });
  });
}

/** Marks a table as found. False: it is none, or was found before. */
function claim(s: Survey, t: number, where: number): boolean {
  const { k } = s;
  if (t < 1 || t >= k.misc.get(MISC.tableEnd)) {
    s.report.add("kernel.check.tableFrame", { table: t, pfn: -1 });
    return false;
  }
  if (s.tables[t] !== TABLE.nowhere) {
    s.report.add("kernel.check.tableShared", { table: t });
    return false;
  }
  s.tables[t] = where;
  const pfn = k.tablePfn.get(t);
  const isRight =
    where === TABLE.free ? pfn === 0 : s.isUsed(pfn) && k.pageFlags.get(pfn) === PG.table && k.mapping.get(pfn) === t && k.refcount.get(pfn) === 1;
  if (!isRight) s.report.add("kernel.check.tableFrame", { table: t, pfn });
  if (where !== TABLE.inTree && k.tableUsed.get(t) !== 0) s.report.add("kernel.check.tableUsed", { table: t, is: k.tableUsed.get(t), should: 0 });
  return true;
}

function walkFreeTables(s: Survey): void {
  const { k } = s;
  for (let t = k.misc.get(MISC.tableFree); t !== 0; t = k.tableNext.get(t)) if (!claim(s, t, TABLE.free)) return;
  if (k.misc.get(MISC.tableDeferred) !== 0) s.report.add("kernel.check.tableLost", { table: k.misc.get(MISC.tableDeferred) });
}

/** The walk of one mm, in order of address. */
class MmWalk {
  private readonly s: Survey;
  private readonly mm: Mm;
  private readonly found: MmFound;
  private readonly entries: EntryCheck;

  constructor(s: Survey, mm: Mm, found: MmFound) {
    this.s = s;
    this.mm = mm;
    this.found = found;
    this.entries = new EntryCheck(s, mm.slot, vmasOf(s.k, mm.vmas), found);
  }

  /** One table and all below it; `base`: the page number its first entry is for. */
  table(t: number, level: number, base: number): void {
    const { s, found } = this;
    const { k } = s;
    if (!claim(s, t, TABLE.inTree)) return;
    found.tables[level]++;
    const first = t * k.geo.tableStride;
    const rows = k.entryRows.chunks[first >>> k.entryRows.shift];
    const { bits, shift: spanShift } = k.geo.levels[level];
    const span = 2 ** spanShift;
    let used = 0;
    let leaves = 0;
    if (rows !== undefined) {
      for (let i = 0; i < 1 << bits; i++) {
        const lo = rows[entryRowAt(first + i) + ENTRY_ROW.lo];
        const hi = rows[entryRowAt(first + i) + ENTRY_ROW.hi];
        if (lo === 0 && hi === 0) continue;
        used++;
        if (level === pteLevel(k)) this.entries.pte(base + i * span, lo, hi);
        else if (this.upper(base + i * span, lo, hi, level)) leaves++;
      }
    }
    const is = k.tableUsed.get(t);
    if (is !== used) s.report.add("kernel.check.tableUsed", { table: t, is, should: used });
    this.deposits(t, level, leaves);
  }

  /** An entry above the lowest level. True: it is a leaf that a table is kept for. */
  private upper(vpn: number, lo: number, hi: number, level: number): boolean {
    const { k, report } = this.s;
    const e = k.geo.encoding;
    if ((lo & (e.present | e.protNone)) !== 0 && (lo & e.leaf) !== 0) {
      if (level === k.geo.pmdLevel) return this.entries.pmd(vpn, lo, hi);
      report.add("kernel.check.entryKind", { mm: this.mm.slot, vpn, level: k.geo.levels[level].name });
      return false;
    }
    const pfn = entryPfn(lo, hi);
    if ((lo & e.present) === 0 || !isWritable(e, lo)) report.add("kernel.check.entryKind", { mm: this.mm.slot, vpn, level: k.geo.levels[level].name });
    else if (!this.s.isUsed(pfn) || k.pageFlags.get(pfn) !== PG.table) report.add("kernel.check.entryFree", { mm: this.mm.slot, vpn, pfn });
    else this.table(k.mapping.get(pfn), level + 1, vpn);
    return false;
  }

  /** A PMD table keeps an empty table for each of its leaves of anonymous memory. */
  private deposits(t: number, level: number, leaves: number): void {
    const { k, report } = this.s;
    let n = 0;
    for (let d = k.tableDeposit.get(t); d !== 0; d = k.tableNext.get(d)) {
      if (!claim(this.s, d, TABLE.deposited)) break;
      n++;
    }
    if (level === k.geo.pmdLevel) this.found.tables[pteLevel(k)] += n;
    for (const is of [n, k.tableDeposits.get(t)]) if (is !== leaves) report.add("kernel.check.deposits", { table: t, is, should: leaves });
  }
}
