import { isWritable, type EntryEncoding } from "../arch/geometry.ts";
import { isRawPfn } from "../drivers/card.ts";
import type { Kernel } from "../mm/kernel.ts";
import { ORDER_MASK, ORDER_SHIFT, PG } from "../mm/pageFlags.ts";
import { entryPfn, MARKER, NONPRESENT } from "../mm/pgtable.ts";
import type { Vma } from "../mm/records.ts";
import { VM, VM_ACCESS, VM_SPECIAL } from "../mm/vmFlags.ts";
import type { MmFound, Survey } from "./survey.ts";

/** Frames that no entry may map. */
const NOT_MAPPABLE = PG.buddy | PG.table | PG.reserved | PG.zero;
const MARKERS = MARKER.uffdWp | MARKER.poisoned | MARKER.guard;

/** Checks the entries of one mm, given in order of address, and notes what they map. */
export class EntryCheck {
  private readonly s: Survey;
  private readonly k: Kernel;
  private readonly e: EntryEncoding;
  private readonly mm: number;
  private readonly vmas: readonly Vma[];
  private readonly found: MmFound;
  private at = 0;
  /** anon_vma that was last seen to list the VMA at `at` */
  private knownVma = -1;
  private knownAnonVma = 0;

  constructor(s: Survey, mm: number, vmas: readonly Vma[], found: MmFound) {
    this.s = s;
    this.k = s.k;
    this.e = s.k.geo.encoding;
    this.mm = mm;
    this.vmas = vmas;
    this.found = found;
  }

  private vmaAt(vpn: number): Vma | undefined {
    while (this.at < this.vmas.length && this.vmas[this.at].end <= vpn) this.at++;
    const vma = this.at < this.vmas.length ? this.vmas[this.at] : undefined;
    return vma !== undefined && vma.start <= vpn ? vma : undefined;
  }

  private bad(key: string, vpn: number, pfn: number): void {
    this.s.report.add(key, { mm: this.mm, vpn, pfn });
  }

  /** An entry of the lowest level that is not none. */
  pte(vpn: number, lo: number, hi: number): void {
    const { e, k } = this;
    const vma = this.vmaAt(vpn);
    const pfn = entryPfn(lo, hi);
    if (vma === undefined) return this.bad("kernel.check.entryOutsideVma", vpn, pfn);
    if ((lo & (e.present | e.protNone)) === 0) {
      const isMarker = lo === NONPRESENT.marker && hi !== 0 && (hi & ~MARKERS) === 0;
      if (!isMarker) this.s.report.add("kernel.check.entryKind", { mm: this.mm, vpn, level: "pte" });
      return;
    }
    this.protection(vma, vpn, lo, hi, pfn);
    if (isRawPfn(k, pfn)) return this.raw(vma, vpn, pfn, (lo & e.special) !== 0);
    if ((lo & e.special) !== 0) {
      if (pfn !== k.g.zeroPfn || isWritable(e, lo)) this.bad("kernel.check.zeroEntry", vpn, pfn);
      return;
    }
    const flags = this.s.isUsed(pfn) ? k.pageFlags.get(pfn) : PG.buddy;
    const head = (flags & PG.tail) !== 0 ? k.mapping.get(pfn) : pfn;
    this.count(head, 1);
    if ((flags & NOT_MAPPABLE) !== 0 || k.refcount.get(head) <= 0) return this.bad("kernel.check.entryFree", vpn, pfn);
    this.s.pteMaps.add(pfn, 1);
    if ((flags & (PG.tail | PG.head)) !== 0) this.s.noteOwner(head, this.mm);
    this.writable(vma, vpn, pfn, lo, flags);
    this.rmap(vma, vpn, pfn, head);
  }

  /** Memory of a device: that page of it that the mapping has there, marked as raw. */
  private raw(vma: Vma, vpn: number, pfn: number, isMarked: boolean): void {
    if (vma.ops !== "device" || !isMarked || pfn - this.k.cardStart !== vma.pgoff + (vpn - vma.start)) this.bad("kernel.check.rawEntry", vpn, pfn);
  }

  private count(head: number, pages: number): void {
    const flags = this.k.pageFlags.get(head);
    this.found[(flags & PG.file) === 0 ? "anonPages" : flags & PG.swapbacked ? "shmemPages" : "filePages"] += pages;
  }

  /** Only an exclusive page may be written by a private mapping, and any page by a shared one. */
  private writable(vma: Vma, vpn: number, pfn: number, lo: number, flags: number): void {
    if (!isWritable(this.e, lo)) return;
    // the file system was told of the first write, and writing back takes the permission away again
    const head = (flags & PG.tail) !== 0 ? this.k.mapping.get(pfn) : pfn;
    if (vma.ops === "disk" && (vma.flags & VM.shared) !== 0 && (this.k.pageFlags.get(head) & PG.dirty) === 0) this.bad("kernel.check.writableClean", vpn, pfn);
    if ((flags & PG.anonExclusive) !== 0 || (vma.flags & VM.shared) !== 0) return;
    this.bad("kernel.check.writableShared", vpn, pfn);
  }

  /** A leaf of PMD size. True: a page table is kept for it, for when it is split. */
  pmd(vpn: number, lo: number, hi: number): boolean {
    this.pmdLeaf(vpn, lo, hi);
    if (isRawPfn(this.k, entryPfn(lo, hi))) return false;
    return (this.k.pageFlags.get(entryPfn(lo, hi)) & PG.file) === 0;
  }

  private pmdLeaf(vpn: number, lo: number, hi: number): void {
    const { e, k } = this;
    const n = 1 << k.geo.pmdOrder;
    const vma = this.vmaAt(vpn);
    const pfn = entryPfn(lo, hi);
    if (vma === undefined || vpn + n > vma.end) return this.bad("kernel.check.entryOutsideVma", vpn, pfn);
    this.protection(vma, vpn, lo, hi, pfn);
    if (isRawPfn(k, pfn)) return this.raw(vma, vpn, pfn, ((lo & e.special) !== 0) === k.era.pmdSpecial);
    if (pfn === k.g.hugeZeroPfn) {
      const record = k.mms.find(this.mm);
      if (isWritable(e, lo) || record?.hugeZero !== true) this.bad("kernel.check.zeroEntry", vpn, pfn);
      return;
    }
    this.count(pfn, n);
    const flags = this.s.isUsed(pfn) ? k.pageFlags.get(pfn) : PG.buddy;
    if ((flags & NOT_MAPPABLE) !== 0) return this.bad("kernel.check.entryFree", vpn, pfn);
    if ((flags & PG.head) === 0 || (flags & ORDER_MASK) >>> ORDER_SHIFT !== k.geo.pmdOrder) return this.bad("kernel.check.pmdLeaf", vpn, pfn);
    if (k.refcount.get(pfn) <= 0) return this.bad("kernel.check.entryFree", vpn, pfn);
    this.s.pmdMaps.add(pfn, 1);
    this.s.noteOwner(pfn, this.mm);
    this.writable(vma, vpn, pfn, lo, flags);
    this.rmap(vma, vpn, pfn, pfn);
  }

  /** What the entry allows is what the VMA allows, but for writing, which may wait for a fault. */
  private protection(vma: Vma, vpn: number, lo: number, hi: number, pfn: number): void {
    const { e } = this;
    const mayAccess = (vma.flags & VM_ACCESS) !== 0;
    const exec = (vma.flags & VM.exec) !== 0;
    const isExec = e.noExecHi === 0 ? (lo & e.execLo) !== 0 : (hi & e.noExecHi) === 0;
    if (
      ((lo & e.present) !== 0) !== mayAccess ||
      (isExec !== exec && (mayAccess || e.noExecHi !== 0)) ||
      (isWritable(e, lo) && (vma.flags & VM.write) === 0) ||
      ((vma.flags & VM_SPECIAL) !== 0 && vma.ops !== "none" && vma.ops !== "device")
    )
      this.bad("kernel.check.entryProtection", vpn, pfn);
  }

  /** rmap_walk would find this entry: the folio's anon_vma or file lists the VMA, and the offsets agree. */
  private rmap(vma: Vma, vpn: number, pfn: number, head: number): void {
    const { k } = this;
    const anonVma = k.mapping.get(head);
    if ((k.pageFlags.get(head) & PG.file) !== 0) {
      if (k.files.find(vma.file)?.inode !== anonVma || k.inodes.find(anonVma)?.vmas.includes(vma.slot) !== true)
        return this.bad("kernel.check.rmapLost", vpn, pfn);
    } else if (this.knownVma !== vma.slot || this.knownAnonVma !== anonVma) {
      if (k.anonVmas.find(anonVma)?.vmas.includes(vma.slot) !== true) return this.bad("kernel.check.rmapLost", vpn, pfn);
      this.knownVma = vma.slot;
      this.knownAnonVma = anonVma;
    }
    if (k.pageIndex.get(head) + (pfn - head) !== vma.pgoff + (vpn - vma.start)) this.bad("kernel.check.pageIndex", vpn, pfn);
  }
}
