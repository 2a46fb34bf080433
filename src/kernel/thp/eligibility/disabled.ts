import type { Kernel } from "../../mm/kernel.ts";
import type { Mm } from "../../mm/records.ts";
import { VM } from "../../mm/vmFlags.ts";

/** vma_thp_disabled: MADV_NOHUGEPAGE and PR_SET_THP_DISABLE. `forced`: MADV_COLLAPSE, which counts as advice. */
export function vmaThpDisabled(k: Kernel, mm: Mm, flags: number, forced: boolean): boolean {
  if (flags & VM.noHugePage) return true;
  if (mm.thpDisable === 0) return false;
  if (!k.era.thpDisableExceptAdvised || mm.thpDisable === 1) return true;
  return !forced && (flags & VM.hugePage) === 0;
}
