import { setFlag } from "../mm/folio.ts";
import { prepFolio } from "../mm/folio.ts";
import { MISC, type Kernel } from "../mm/kernel.ts";
import { allocPages } from "../mm/pageAlloc.ts";
import { PG } from "../mm/pageFlags.ts";
import { VMSTAT } from "../mm/vmstat.ts";
import { NO_PFN, type Pfn } from "../units.ts";

/**
 * mm_get_huge_zero_folio: the one PMD-sized folio of zeros. Each mm holds at most one reference, given back when
 * the mm dies; the folio itself stays until memory is short.
 */
export function getHugeZero(k: Kernel, mmSlot: number): Pfn {
  const mm = k.mms.get(mmSlot);
  let pfn = k.g.hugeZeroPfn;
  if (pfn === NO_PFN) {
    pfn = allocPages(k, k.geo.pmdOrder, "movable");
    if (pfn === NO_PFN) {
      k.countVm(VMSTAT.thpZeroPageAllocFailed);
      return NO_PFN;
    }
    prepFolio(k, pfn, k.geo.pmdOrder);
    k.stamp.fill(pfn, 1 << k.geo.pmdOrder, 0);
    setFlag(k, pfn, PG.zero);
    k.countVm(VMSTAT.thpZeroPageAlloc);
    k.setGlobals({ hugeZeroPfn: pfn });
  }
  if (!mm.hugeZero) {
    k.mms.update(mmSlot, { hugeZero: true });
    k.misc.add(MISC.hugeZeroUsers, 1);
    k.refcount.add(pfn, 1);
  }
  return pfn;
}

export function putHugeZero(k: Kernel, mmSlot: number): void {
  if (!k.mms.get(mmSlot).hugeZero) return;
  k.mms.update(mmSlot, { hugeZero: false });
  k.misc.add(MISC.hugeZeroUsers, -1);
  k.refcount.add(k.g.hugeZeroPfn, -1);
}

export const isHugeZero = (k: Kernel, pfn: Pfn): boolean => pfn === k.g.hugeZeroPfn && pfn !== NO_PFN;
