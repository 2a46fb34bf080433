import { isWritable, type EntryEncoding } from "../arch/geometry.ts";
import type { Kernel } from "./kernel.ts";
import { cachedEntry, cacheTable, entryPfn, indexAt, tableBelow } from "./pgtable.ts";
import type { FaultBatch } from "./faultBatch.ts";
import { PTE_SET, tagOf, tlbEntry, tlbFill, tlbSwitch } from "./tlb.ts";

/** What the hardware does with an access of a program. */

export type AccessKind = "r" | "w" | "x";

/**
 * Translates one access through the TLB and, on a miss, the page tables. Returns the frame of the 4 KiB page,
 * or -1 when the access must fault.
 */
export function translate(k: Kernel, mm: number, vpn: number, kind: AccessKind): number {
  tlbSwitch(k, mm);
  const hit = lookup(k, vpn, kind === "w", kind === "x");
  return hit >= 0 ? hit : walkTables(k, mm, vpn, kind);
}

/** Some formats have a bit that forbids execution, others one that allows it. */
const mayExecute = (e: EntryEncoding, lo: number, hi: number): boolean => (hi & e.noExecHi) === 0 && (e.execLo === 0 || (lo & e.execLo) !== 0);

function countMisses(k: Kernel, kind: AccessKind, misses: number): void {
  if (kind === "w") k.tlbStoreMisses += misses;
  else k.tlbLoadMisses += misses;
}

/** The walk of the page tables after a miss: sets accessed and dirty bits and fills the TLB. The frame, or -1 for a fault. */
export function walkTables(k: Kernel, mm: number, vpn: number, kind: AccessKind): number {
  countMisses(k, kind, 1);
  const cached = cachedEntry(k, mm, vpn);
  if (cached >= 0) {
    const lo = k.entryLo.get(cached);
    return (lo & k.geo.encoding.present) === 0 ? -1 : useLeaf(k, vpn, kind, 0, cached, lo);
  }
  return walkFromTop(k, mm, vpn, kind);
}

/**
 * The walks for the accesses of a batch behind its first. The fault has set accessed and dirty bits, so that nothing shows of a walk but
 * what it leaves in the TLB, and there the last ones have displaced all that came before.
 */
export function walkOthers(k: Kernel, mm: number, vpn: number, kind: AccessKind, batch: FaultBatch): void {
  const first = Math.max(1, batch.done - PTE_SET);
  // each of these accesses misses twice, before its fault and after it; walkTables counts one
  countMisses(k, kind, 2 * (batch.done - 1) - (batch.done - first));
  for (let n = first; n < batch.done; n++) walkTables(k, mm, vpn + n * batch.stride, kind);
}

function walkFromTop(k: Kernel, mm: number, vpn: number, kind: AccessKind): number {
  const { levels, encoding, tableStride } = k.geo;
  const last = levels.length - 1;
  let t = k.mms.get(mm).pgd;
  for (let l = 0; ; l++) {
    if (l === last) cacheTable(k, mm, vpn, t);
    const at = t * tableStride + indexAt(k.geo, l, vpn);
    const lo = k.entryLo.get(at);
    if ((lo & encoding.present) === 0) return -1;
    if (l === last || (lo & encoding.leaf) !== 0) return useLeaf(k, vpn, kind, levels[l].shift, at, lo);
    t = tableBelow(k, lo, k.entryHi.get(at));
  }
}

/** A leaf was found, spanning 2^shift pages: its permissions, its accessed and dirty bits, the TLB. */
function useLeaf(k: Kernel, vpn: number, kind: AccessKind, shift: number, at: number, lo: number): number {
  const e = k.geo.encoding;
  const hi = k.entryHi.get(at);
  if (kind === "w" && !isWritable(e, lo)) return -1;
  if (kind === "x" && !mayExecute(e, lo, hi)) return -1;
  const next = lo | e.accessed | (kind === "w" ? k.dirtyBits : 0);
  if (next !== lo) {
    k.entryLo.set(at, next);
    k.entryStep.set(at, k.step);
  }
  if (shift === 0) {
    tlbFill(k, "pte", vpn, next, hi);
    return entryPfn(lo, hi);
  }
  tlbFill(k, shift === k.geo.pmdOrder ? "pmd" : "pud", vpn, next, hi);
  return entryPfn(lo, hi) + ((vpn | 0) & ((1 << shift) - 1));
}

function lookup(k: Kernel, vpn: number, write: boolean, exec: boolean): number {
  const e = k.geo.encoding;
  const need = write ? e.dirty : 0;
  let at = tlbEntry(k.cpu, "pte", vpn);
  let mask = 0;
  if (k.tlbTag.get(at) !== tagOf("pte", vpn)) {
    if (!k.geo.thp) return -1;
    at = tlbEntry(k.cpu, "pmd", vpn);
    mask = 511;
    if (k.tlbTag.get(at) !== tagOf("pmd", vpn)) return -1;
  }
  const lo = k.tlbLo.get(at);
  if (write && ((lo & need) === 0 || !isWritable(e, lo))) return -1;
  const hi = k.tlbHi.get(at);
  if (exec && !mayExecute(e, lo, hi)) return -1;
  return entryPfn(lo, hi) + (vpn & mask);
}
