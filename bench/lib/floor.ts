/**
 * The least that a write fault can be: what one would write by hand over plain typed arrays if nothing had to be undone, explained
 * or varied by release. A walk of four levels, a frame from a free list, five counters, the entry.
 */

const TABLE_ENTRIES = 512;
const PRESENT = 1;
/** present, writable, user, accessed, dirty */
const LEAF = 0x67;

/** One address space and its frames. 32-bit entries: frame or table number << 12 | bits. */
export class Floor {
  private readonly entries: Int32Array;
  private readonly nextFree: Int32Array;
  private readonly counters = new Int32Array(5);
  private freeHead = 0;
  private tables = 1;

  /** Room for `pages` frames and the tables to map them once, in one piece. */
  constructor(pages: number) {
    this.entries = new Int32Array((Math.ceil(pages / TABLE_ENTRIES) + 8) * TABLE_ENTRIES);
    this.nextFree = new Int32Array(pages + 1);
    this.reset();
  }

  /** As before the first touch. Tables are freed too. */
  reset(): void {
    this.entries.fill(0);
    this.tables = 1;
    this.freeHead = 1;
    for (let pfn = 1; pfn < this.nextFree.length; pfn++) this.nextFree[pfn] = pfn + 1;
  }

  /** Write-touches `count` pages from page number `first` on. Returns how many faulted. */
  touch(first: number, count: number): number {
    const { entries, nextFree, counters } = this;
    let faults = 0;
    for (let vpn = first; vpn < first + count; vpn++) {
      // table 0 is the top; page numbers may pass 2^31, so the two upper indices are taken by division
      let at = (vpn / 0x8000000) & 511;
      let entry = entries[at];
      if ((entry & PRESENT) === 0) entry = this.newTable(at);
      at = ((entry >>> 12) << 9) + ((vpn / 0x40000) & 511);
      entry = entries[at];
      if ((entry & PRESENT) === 0) entry = this.newTable(at);
      at = ((entry >>> 12) << 9) + ((vpn >>> 9) & 511);
      entry = entries[at];
      if ((entry & PRESENT) === 0) entry = this.newTable(at);
      at = ((entry >>> 12) << 9) + (vpn & 511);
      entry = entries[at];
      if ((entry & PRESENT) !== 0) continue;
      const pfn = this.freeHead;
      this.freeHead = nextFree[pfn];
      counters[0]++;
      counters[1]++;
      counters[2]++;
      counters[3]--;
      counters[4]++;
      entries[at] = (pfn << 12) | LEAF;
      faults++;
    }
    return faults;
  }

  private newTable(at: number): number {
    const entry = (this.tables++ << 12) | LEAF;
    this.entries[at] = entry;
    return entry;
  }
}
