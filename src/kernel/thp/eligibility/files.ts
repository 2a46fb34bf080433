import { inodeOf } from "../../mm/inode.ts";
import type { Kernel } from "../../mm/kernel.ts";
import { fileOrders, shmemAllowableOrders } from "../../mm/shmemOrders.ts";
import { VM } from "../../mm/vmFlags.ts";
import type { Question } from "./question.ts";

export { fileOrders };

/** file_thp_enabled: read-only THPs of a regular file that nobody has open for writing (CONFIG_READ_ONLY_THP_FOR_FS). Until 6.7 only of executable mappings. */
function fileThpEnabled(k: Kernel, q: Question): boolean {
  if (!k.profile.config.readOnlyThpForFs || inodeOf(k, q.vma).writers > 0) return false;
  return k.era.fileThpWithoutExec || (q.flags & VM.exec) !== 0;
}

/** The part of the eligibility rules that is about memory of files: orders that may be tried (kernel-semantics.md 1.1 to 1.5). A fault never asks: no file has ->huge_fault. */
export function fileAllowed(k: Kernel, q: Question): number {
  if (q.caller === "pageFault") return 0;
  const force = q.caller === "forcedCollapse";
  if (q.vma.ops !== "disk") {
    // tmpfs reads the flags that the VMA has: MADV_HUGEPAGE asks before it sets its own
    return shmemAllowableOrders(k, { inode: inodeOf(k, q.vma), vma: q.vma, flags: q.vma.flags, index: q.vma.pgoff, writeEnd: 0, force });
  }
  // the smaps of 5.19 asked no setting
  const asksSetting = !force && !(k.era.eligibility === "separate519" && q.caller === "smaps");
  if (asksSetting && (k.g.enabled === "never" || (k.g.enabled === "madvise" && (q.flags & VM.hugePage) === 0))) return 0;
  return fileThpEnabled(k, q) ? fileOrders(k.geo.pmdOrder) : 0;
}
