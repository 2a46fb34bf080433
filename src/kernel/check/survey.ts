import type { Kernel } from "../mm/kernel.ts";
import { frontierOf } from "../mm/pageAlloc.ts";
import type { Vma } from "../mm/records.ts";
import { FrameNumbers } from "./frameNumbers.ts";
import { Report } from "./report.ts";

/** Where a page table was found. */
export const TABLE = { nowhere: 0, inTree: 1, deposited: 2, free: 3 } as const;

/** What the walk of one mm's tables counted. */
export interface MmFound {
  /** pages that entries map: of anonymous memory, of files of disks, of tmpfs */
  anonPages: number;
  filePages: number;
  shmemPages: number;
  /** page tables by level, deposited ones with the lowest */
  readonly tables: number[];
}

/**
 * What one walk of all page tables found, for the checks that compare counts with it. Nothing here is state of the machine:
 * it is made anew by each check.
 */
export class Survey {
  readonly k: Kernel;
  report = new Report();
  /** entries of the lowest level that map a page */
  readonly pteMaps = new FrameNumbers();
  /** PMD leaves that map a folio, by head */
  readonly pmdMaps = new FrameNumbers();
  /** mms that map a large folio, by head; of them those that the folio knows (mmIds) */
  readonly owners = new FrameNumbers();
  readonly knownOwners = new FrameNumbers();
  /** order + 1 of each free block on a list, by head */
  readonly freeOrder = new FrameNumbers();
  readonly mms = new Map<number, MmFound>();
  /** TABLE.* of each page table */
  tables = new Uint8Array(64);
  /** pages of folios that say they belong to a file */
  filePages = 0;
  private readonly owner = new FrameNumbers();
  private readonly ownerMaps = new FrameNumbers();
  private readonly zones: { start: number; frontier: number }[] = [];

  constructor(k: Kernel) {
    this.k = k;
  }

  /** Forgets what the last check found. `tableEnd`: one past the highest table index. */
  begin(tableEnd: number): void {
    this.report = new Report();
    for (const numbers of [this.pteMaps, this.pmdMaps, this.owners, this.knownOwners, this.freeOrder, this.owner, this.ownerMaps]) numbers.clear();
    this.mms.clear();
    this.filePages = 0;
    if (this.tables.length < tableEnd) this.tables = new Uint8Array(tableEnd * 2);
    else this.tables.fill(0);
    this.zones.length = 0;
    // highest zone first: that is where memory is taken from
    for (let slot = this.k.zones.count; slot >= 1; slot--) this.zones.push({ start: this.k.zones.get(slot).start, frontier: frontierOf(this.k, slot) });
  }

  /** A frame that was handed out at least once. */
  isUsed(pfn: number): boolean {
    for (const zone of this.zones) if (pfn >= zone.start) return pfn < zone.frontier;
    return false;
  }

  /** An entry of `mm` that maps a page of a large folio, or all of it. */
  noteOwner(head: number, mm: number): void {
    if (this.owner.get(head) !== mm) {
      this.settleOwner(head);
      this.owner.set(head, mm);
      this.ownerMaps.set(head, 0);
      this.owners.add(head, 1);
    }
    this.ownerMaps.add(head, 1);
  }

  /**
   * Compares what the folio keeps about the mm noted last with its entries. A folio knows two mms; one that came third and
   * took a place later is known with the entries it made since, so a count may be too low, never too high.
   */
  settleOwner(head: number): void {
    const mm = this.owner.get(head);
    if (mm === 0) return;
    this.owner.set(head, 0);
    const maps = this.ownerMaps.get(head);
    for (let slot = 2 * head; slot <= 2 * head + 1; slot++) {
      if (this.k.mmIds.get(slot) !== mm) continue;
      this.knownOwners.add(head, 1);
      const is = this.k.mmIdMapcount.get(slot);
      if (is <= 0 || is > maps) this.report.add("kernel.check.mmId", { pfn: head, mm, is, most: maps });
    }
  }
}

/** VMAs of an mm in order, without those whose record is gone. */
export function vmasOf(k: Kernel, slots: readonly number[]): Vma[] {
  const out: Vma[] = [];
  for (const slot of slots) {
    const vma = k.vmas.find(slot);
    if (vma !== undefined) out.push(vma);
  }
  return out;
}
