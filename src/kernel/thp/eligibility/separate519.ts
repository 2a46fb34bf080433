import type { Kernel } from "../../mm/kernel.ts";
import { VM, VM_NO_KHUGEPAGED } from "../../mm/vmFlags.ts";
import { fileAllowed } from "./files.ts";
import { fitsAtEnd, type Question } from "./question.ts";

/** 5.19: three independent functions (kernel-semantics.md 1.1). */
export function separate519(k: Kernel, q: Question): boolean {
  if (q.flags & VM.noHugePage) return false;
  if (q.mm.thpDisable !== 0) return false;
  const setting = k.g.enabled;
  if (q.caller === "smaps" && !fitsAtEnd(q.vma, k.geo.pmdOrder)) return false;
  if (q.caller === "khugepaged" && q.flags & VM_NO_KHUGEPAGED) return false;
  if (q.vma.ops !== "none") return (q.caller !== "khugepaged" || fitsAtEnd(q.vma, k.geo.pmdOrder)) && fileAllowed(k, q) !== 0;
  if (setting === "never") return false;
  if (setting === "madvise" && !(q.flags & VM.hugePage)) return false;
  if (q.caller === "khugepaged" && q.vma.anonVma === 0) return false;
  return true;
}
