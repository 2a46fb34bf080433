import type { Era } from "../era/era.ts";
import { NO_PFN, type Pfn } from "../units.ts";
import { fail, failed, type Result } from "./errno.ts";
import { allocZeroedFolio, folioMarkAccessed, folioPut, hasFlag, setFlag } from "./folio.ts";
import { mountOf, sizePages } from "./inode.ts";
import { MTHP, type Kernel } from "./kernel.ts";
import { filemapAddFolio, filemapFolio } from "./pageCache.ts";
import { PG } from "./pageFlags.ts";
import type { Inode, Vma } from "./records.ts";
import { shmemAllowableOrders, shmemSuitableOrders } from "./shmemOrders.ts";
import { shmemUnusedHugeShrink, shrinklistAdd } from "./shmemShrink.ts";
import { VMSTAT } from "./vmstat.ts";
import { traceShmemFallback, traceShmemOrder } from "../why/shmem.ts";

/** Folios of tmpfs (mm/shmem.c). */

/** What shmem_get_folio is asked for (enum sgp_type): a page if there is one, the same for read(2), a page for a fault, for write(2), for fallocate. */
export type Sgp = "noalloc" | "read" | "cache" | "write" | "falloc";

/** The fault that asks, if one does. */
export interface ShmemFault {
  readonly vma: Vma;
  readonly vpn: number;
}

/** shmem_inode_acct_blocks: false when the mount is full (size=). */
export function shmemAcctBlocks(k: Kernel, inode: Inode, pages: number): boolean {
  const { maxBlocks, slot } = mountOf(k, inode);
  if (maxBlocks > 0 && k.usedBlocks.get(slot) + pages > maxBlocks) return false;
  k.usedBlocks.add(slot, pages);
  return true;
}

/** shmem_alloc_and_add_folio for one order; the failure says what was missing. */
function allocAndAdd(k: Kernel, inode: Inode, index: number, order: number): Result<Pfn> {
  const head = allocZeroedFolio(k, order);
  if (head === NO_PFN) {
    if (order === k.geo.pmdOrder) k.countVm(VMSTAT.thpFileFallback);
    if (order > 0 && k.era.mthpStats) k.countMthp(order, MTHP.shmemFallback);
    return fail("ENOMEM");
  }
  if (!shmemAcctBlocks(k, inode, 1 << order) && !acctAfterShrink(k, inode, order, head)) {
    folioPut(k, head);
    return fail("ENOSPC", "hint.mountFull");
  }
  filemapAddFolio(k, inode.slot, head, Math.floor(index / 2 ** order) * 2 ** order, true);
  // the cache's references keep it from here on
  folioPut(k, head);
  if (order === k.geo.pmdOrder) k.countVm(VMSTAT.thpFileAlloc);
  if (order > 0 && k.era.mthpStats) k.countMthp(order, MTHP.shmemAlloc);
  shrinklistAdd(k, inode, head);
  return head;
}

/** A full mount gives up what lies behind the ends of files: up to 6.6 for single pages only, with one split at a time. */
function acctAfterShrink(k: Kernel, inode: Inode, order: number, head: Pfn): boolean {
  if (k.era.shmemShrink === "forPages") return order === 0 && shmemUnusedHugeShrink(k, inode.mount, 1, head) > 0 && shmemAcctBlocks(k, inode, 1);
  shmemUnusedHugeShrink(k, inode.mount, 1 << order, head);
  return shmemAcctBlocks(k, inode, 1 << order);
}

/** A folio of the largest order that is allowed and can be had. */
function allocFolio(k: Kernel, inode: Inode, index: number, writeEnd: number, sgp: Sgp, fault: ShmemFault | null): Result<Pfn> {
  const vma = fault?.vma ?? null;
  const allowed = shmemAllowableOrders(k, { inode, vma, flags: vma?.flags ?? 0, index, writeEnd, force: false });
  let left = allowed === 0 ? 0 : shmemSuitableOrders(k, inode, vma, fault?.vpn ?? 0, index, allowed);
  if (k.tracer !== null) traceShmemOrder(k, inode, index, writeEnd, fault, sgp === "write");
  for (let order = k.geo.pmdOrder; order > 0 && left !== 0; order--) {
    if ((left & (1 << order)) === 0) continue;
    const got = allocAndAdd(k, inode, index, order);
    if (!failed(got)) return got;
    if (k.tracer !== null) {
      traceShmemFallback(k, inode, index, fault, order, got.errno);
      if (got.errno === "ENOMEM") traceShmemOrder(k, inode, index, writeEnd, fault, sgp === "write", order);
    }
    // a mount without room for a large folio may have room for a page; only memory is looked for in smaller blocks
    if (got.errno === "ENOSPC") break;
    left &= ~(1 << order);
  }
  const single = allocAndAdd(k, inode, index, 0);
  if (k.tracer !== null && failed(single)) traceShmemFallback(k, inode, index, fault, 0, single.errno);
  return single;
}

/**
 * shmem_get_folio_gfp: the folio with a page of a file, made where there is none. NO_PFN: a hole, for "read". EINVAL: behind
 * the end of the file. What fallocate made counts as a hole for read(2) until somebody uses it.
 */
export function shmemGetFolio(k: Kernel, inodeSlot: number, index: number, writeEnd: number, sgp: Sgp, fault: ShmemFault | null): Result<Pfn> {
  const inode = k.inodes.get(inodeSlot);
  if ((sgp === "read" || sgp === "noalloc" || sgp === "cache") && index >= sizePages(inode)) return fail("EINVAL", "hint.beyondEof");
  let head = filemapFolio(k, inodeSlot, index);
  let effective = sgp;
  if (head !== NO_PFN) {
    if (sgp === "write") folioMarkAccessed(k, head);
    if (hasFlag(k, head, PG.uptodate)) return head;
    if (sgp === "read") return NO_PFN;
  } else {
    if (sgp === "read") return NO_PFN;
    if (sgp === "noalloc") return fail("ENOENT");
    const got = allocFolio(k, inode, index, writeEnd, sgp, fault);
    if (failed(got)) return got;
    head = got;
    if (sgp === "write") setFlag(k, head, PG.referenced);
    // fallocate leaves new folios as they are, so that they can be told from written ones
    if (sgp === "falloc") effective = "write";
  }
  if (effective !== "write") setFlag(k, head, PG.uptodate);
  return head;
}

/** New files of tmpfs: may large folios hold them? (mapping_set_large_folios; 6.14 asks the mount) */
export const shmemLargeFolios = (behaviour: Era["tmpfsLargeFolios"], huge: string): boolean => behaviour === "all" || huge !== "never";

/** shmem_recalc_inode for holes that collapse fills: pages charged, or an error. */
export const shmemCharge = (k: Kernel, inode: number, pages: number): boolean => shmemAcctBlocks(k, k.inodes.get(inode), pages);
