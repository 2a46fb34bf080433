import { inodeOf, isRegular } from "../../mm/inode.ts";
import type { Kernel } from "../../mm/kernel.ts";
import { shmemAllowableOrders } from "../../mm/shmemOrders.ts";
import { VM } from "../../mm/vmFlags.ts";
import type { Question } from "./question.ts";

/**
 * file_thp_enabled: read-only THPs of a regular file that nobody has open for writing (CONFIG_READ_ONLY_THP_FOR_FS). Until 6.7 only of executable
 * mappings.
 */
export function fileThpEnabled(k: Kernel, q: Question): boolean {
  if (!k.profile.config.readOnlyThpForFs || q.vma.file === 0) return false;
  const inode = inodeOf(k, q.vma);
  if (!isRegular(k, inode) || inode.writers > 0) return false;
  return k.era.fileThpWithoutExec || (q.vma.flags & VM.exec) !== 0;
}

/** shmem_allowable_huge_orders (6.11), shmem_huge_enabled before: what the settings of tmpfs say about a VMA. MADV_COLLAPSE forces. */
export function shmemAllows(k: Kernel, q: Question): number {
  // tmpfs reads the flags that the VMA has: MADV_HUGEPAGE asks before it sets its own
  const { vma } = q;
  return shmemAllowableOrders(k, { inode: inodeOf(k, vma), vma, flags: vma.flags, index: vma.pgoff, writeEnd: 0, force: q.caller === "forcedCollapse" });
}
