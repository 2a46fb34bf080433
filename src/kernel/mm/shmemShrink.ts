import { splitFileFolio } from "../thp/splitFileFolio.ts";
import { NO_PFN, type Pfn } from "../units.ts";
import { folioGet, folioPages, folioPut, isLarge } from "./folio.ts";
import { mountOf, shmemFallocend, sizePages } from "./inode.ts";
import type { Kernel } from "./kernel.ts";
import { filemapFolio } from "./pageCache.ts";
import type { Inode } from "./records.ts";

/** What of large folios lies behind the end of tmpfs files is given up when the mount is full (shrinklist of mm/shmem.c). */

/** Inodes that one call looks at. */
const BATCH = 128;

/** The end of shmem_get_folio_gfp: the inode of a new large folio that goes on behind the end of the file is worth a look later. */
export function shrinklistAdd(k: Kernel, inode: Inode, head: Pfn): void {
  const { slot, maxBlocks, shrinklist } = mountOf(k, inode);
  // memory pressure would use the list of other mounts too; that is not simulated
  if (maxBlocks === 0 || !isLarge(k, head) || shrinklist.includes(inode.slot)) return;
  const slip = k.era.shmemShrink === "forPages" ? 1 : 0;
  if (sizePages(inode) < k.pageIndex.get(head) + folioPages(k, head) - slip) k.mounts.update(slot, { shrinklist: [...shrinklist, inode.slot] });
}

/**
 * shmem_unused_huge_shrink: splits the folios across the ends of files, which drops their pages behind the end, until `wanted` pages
 * were given up. `busy` is locked by the caller. Returns how many were split.
 */
export function shmemUnusedHugeShrink(k: Kernel, mount: number, wanted: number, busy: Pfn): number {
  const { shrinklist } = k.mounts.get(mount);
  const again: number[] = [];
  let freed = 0;
  let splits = 0;
  for (const slot of shrinklist.slice(0, BATCH)) {
    if (freed >= wanted) {
      again.unshift(slot);
      continue;
    }
    const inode = k.inodes.get(slot);
    const head = filemapFolio(k, slot, Math.floor(inode.sizeBytes / 4096));
    if (head === NO_PFN || !isLarge(k, head)) continue;
    const next = k.pageIndex.get(head) + folioPages(k, head);
    const end = shmemFallocend(inode, sizePages(inode));
    if (end <= k.pageIndex.get(head) || end >= next) continue;
    folioGet(k, head);
    const isSplit = head !== busy && splitFileFolio(k, head, null);
    folioPut(k, head);
    if (!isSplit) {
      again.unshift(slot);
      continue;
    }
    freed += next - end;
    splits++;
  }
  k.mounts.update(mount, { shrinklist: [...again, ...shrinklist.slice(BATCH)] });
  return splits;
}
