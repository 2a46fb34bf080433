import { deviceOf } from "../drivers/hugelab.ts";
import { inodeOf, mountOf } from "./inode.ts";
import type { Kernel } from "./kernel.ts";
import type { Vma } from "./records.ts";
import { VM } from "./vmFlags.ts";

/** What a VMA's vm_operations_struct and its file say about it. */

/** vm_ops->huge_fault is there: of our devices, and of every file of xfs, which has it for its DAX files (xfs_file_vm_ops; ext4 has vm_ops of their own for those). */
export function hasHugeFault(k: Kernel, vma: Vma): boolean {
  if (vma.ops === "device") return deviceOf(k, vma).hugeFault;
  return vma.ops === "disk" && mountOf(k, inodeOf(k, vma)).fs === "xfs";
}

/** vma_is_dax: the inode has S_DAX. */
export const isDax = (k: Kernel, vma: Vma): boolean => vma.ops === "device" && deviceOf(k, vma).dax;

/** vma_is_special_huge: memory whose leaves no folio stands behind. */
export const isSpecialHuge = (k: Kernel, vma: Vma): boolean => vma.file !== 0 && ((vma.flags & (VM.pfnmap | VM.mixedMap)) !== 0 || isDax(k, vma));
