import { NO_PFN, type Pfn } from "../units.ts";
import { folioMarkUptodate } from "./blocks.ts";
import { fail, type Result } from "./errno.ts";
import { FAULT } from "./faultFlags.ts";
import { hasFlag } from "./folio.ts";
import { sizePages } from "./inode.ts";
import { folioOf, type Kernel } from "./kernel.ts";
import { filemapPage } from "./pageCache.ts";
import { PG } from "./pageFlags.ts";
import { asyncMmapReadahead, syncMmapReadahead } from "./readahead.ts";
import type { Vma } from "./records.ts";
import { VMSTAT } from "./vmstat.ts";
import { traceCacheLookup } from "../why/readahead.ts";

/** A page of a disk file for a fault. `major`: it had to be read. `retried`: the lock was let go meanwhile, and the fault began anew. */
export interface FoundPage {
  readonly page: Pfn;
  readonly major: boolean;
  readonly retried: boolean;
}

/** The lock was let go for reading: a fault that starts anew with the mmap_lock counts as major, as GUP's do; one that had only its VMA's lock does not. */
const countsAsMajor = (k: Kernel, flags: number): boolean => k.era.perVmaLock !== "all" || (flags & FAULT.remote) !== 0;

/** filemap_fault (mm/filemap.c): the page from the page cache, read from the disk with its neighbours where it is not there. */
export function filemapFault(k: Kernel, vma: Vma, vpn: number, inode: number, index: number, flags: number): Result<FoundPage> {
  if (index >= sizePages(k.inodes.get(inode))) return fail("EINVAL", "hint.beyondEof");
  const cached = filemapPage(k, inode, index);
  if (k.tracer !== null) traceCacheLookup(k, vma, vpn, inode, index, cached !== NO_PFN);
  if (cached !== NO_PFN) {
    const head = folioOf(k, cached);
    if (!hasFlag(k, head, PG.uptodate)) {
      // ->read_folio, for which the fault lets its lock go; nothing counts as missed
      folioMarkUptodate(k, inode, head);
      return { page: cached, major: countsAsMajor(k, flags), retried: true };
    }
    const retried = hasFlag(k, head, PG.readahead) && asyncMmapReadahead(k, vma, vpn, inode, index);
    return { page: cached, major: retried && countsAsMajor(k, flags), retried };
  }
  k.countVm(VMSTAT.pgmajfault);
  syncMmapReadahead(k, vma, vpn, inode, index);
  const read = filemapPage(k, inode, index);
  return read === NO_PFN ? fail("ENOMEM") : { page: read, major: true, retried: true };
}
