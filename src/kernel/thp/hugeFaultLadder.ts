import { hugelabHugeFault } from "../drivers/hugelabFault.ts";
import { FAULT, VMF } from "../mm/faultFlags.ts";
import type { Kernel } from "../mm/kernel.ts";
import { indexAt, loAt, walkTo } from "../mm/pgtable.ts";
import type { Vma } from "../mm/records.ts";
import { hasHugeFault } from "../mm/vmaOps.ts";
import { NO_TABLE } from "../units.ts";
import { traceHugeFault } from "../why/hugeFault.ts";
import { allowableOrders, pudOrder } from "./eligibility/eligibility.ts";

/**
 * The ladder of __handle_mm_fault for memory that is not anonymous: create_huge_pud, then create_huge_pmd, each where its entry is empty and the check says
 * yes. VMF.fallback: nobody mapped anything, and the fault goes on with pages. Anonymous memory has no huge PUD: create_huge_pud falls back at once.
 */
export function hugeFaultLadder(k: Kernel, vma: Vma, vpn: number, flags: number): number {
  if (!k.geo.thp) return VMF.fallback;
  if (!hasHugeFault(k, vma)) {
    // without a handler the answer changes nothing; it is asked to be told of, where it was yes
    if (k.tracer !== null && pmdIsAllowed(k, vma)) traceHugeFault(k, vma, vpn, k.geo.pmdOrder, true, false, VMF.fallback);
    return VMF.fallback;
  }
  // a fault of a program that holds its VMA's lock alone comes again with the mmap_lock where ->fault needs that, and climbs down anew (6.6)
  const rounds = k.era.perVmaLock === "all" && vma.ops === "device" && (flags & FAULT.remote) === 0 ? 2 : 1;
  for (let round = 0; round < rounds; round++) {
    for (const order of [pudOrder(k), k.geo.pmdOrder]) {
      const r = createHuge(k, vma, vpn, flags, order);
      if ((r & VMF.fallback) === 0) return r;
    }
  }
  return VMF.fallback;
}

const pmdIsAllowed = (k: Kernel, vma: Vma): boolean => allowableOrders(k, vma, "pageFault", 1 << k.geo.pmdOrder) !== 0;

/** create_huge_pud and create_huge_pmd, with the check before them. */
function createHuge(k: Kernel, vma: Vma, vpn: number, flags: number, order: number): number {
  const level = order === k.geo.pmdOrder ? k.geo.pmdLevel : k.geo.pmdLevel - 1;
  if (!isNone(k, vma.mm, vpn, level)) return VMF.fallback;
  const allowed = allowableOrders(k, vma, "pageFault", 1 << order) !== 0;
  // that of xfs has nothing for files that are not DAX
  const r = allowed && vma.ops === "device" ? hugelabHugeFault(k, vma, vpn, (flags & FAULT.write) !== 0, order) : VMF.fallback;
  if (k.tracer !== null) traceHugeFault(k, vma, vpn, order, allowed, true, r);
  return r;
}

/** The entry of a level that translates the page is none, or the tables down to it are not there. */
function isNone(k: Kernel, mm: number, vpn: number, level: number): boolean {
  const table = walkTo(k, k.mms.get(mm).pgd, vpn, level);
  return table === NO_TABLE || loAt(k, table, indexAt(k.geo, level, vpn)) === 0;
}
