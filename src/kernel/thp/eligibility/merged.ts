import type { Kernel } from "../../mm/kernel.ts";
import { VM, VM_NO_KHUGEPAGED } from "../../mm/vmFlags.ts";
import { fileAllowed } from "./files.ts";
import { fitsAtEnd, type Question } from "./question.ts";

/** 6.0 to 6.7: hugepage_vma_check, (kernel-semantics.md 1.2 and 1.3). Order of the tests matters. */
export function merged(k: Kernel, q: Question): boolean {
  const inFault = q.caller === "pageFault";
  const smaps = q.caller === "smaps";
  if (q.flags & VM.noHugePage) return false;
  if (q.mm.thpDisable !== 0) return false;
  const trusting = k.era.eligibility === "handlers67";
  if (q.flags & VM_NO_KHUGEPAGED && !(trusting && (inFault || smaps))) return false;
  if (!inFault && !fitsAtEnd(q.vma, k.geo.pmdOrder)) return false;
  if (q.vma.ops !== "none") return fileAllowed(k, q) !== 0;
  if (q.caller !== "forcedCollapse") {
    if (k.g.enabled === "never") return false;
    if (k.g.enabled === "madvise" && !(q.flags & VM.hugePage)) return false;
  }
  if (q.vma.anonVma === 0 && !smaps && !inFault) return false;
  return true;
}
