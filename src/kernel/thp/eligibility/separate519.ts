import type { Kernel } from "../../mm/kernel.ts";
import { VM, VM_NO_KHUGEPAGED } from "../../mm/vmFlags.ts";
import type { Refusal } from "./eligibility.ts";
import { fitsAtEnd, type Question } from "./question.ts";

/** 5.19: three independent functions (kernel-semantics.md 1.1), for anonymous memory. "" allows. */
export function separate519(k: Kernel, q: Question): Refusal {
  if (q.flags & VM.noHugePage) return "noHugePage";
  if (q.mm.thpDisable !== 0) return "prctl";
  const setting = k.g.enabled;
  if (q.caller === "smaps" && !fitsAtEnd(q.vma, k.geo.pmdOrder)) return "tooSmall";
  if (q.caller === "khugepaged" && q.flags & VM_NO_KHUGEPAGED) return "special";
  if (setting === "never") return "settingNever";
  if (setting === "madvise" && !(q.flags & VM.hugePage)) return "settingMadvise";
  if (q.caller === "khugepaged" && q.vma.anonVma === 0) return "noAnonVma";
  return "";
}
