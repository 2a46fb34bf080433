import { paceWhole } from "../sched/pace.ts";
import { anonVmaPrepare } from "./anonVma.ts";
import type { Failure, Result } from "./errno.ts";
import type { Kernel } from "./kernel.ts";
import { clearEntry, hiAt, indexAt, isMarker, loAt, MARKER, NONPRESENT, pteLevel, setEntry, walkAlloc, walkTo } from "./pgtable.ts";
import type { Vma } from "./records.ts";
import { changeVma } from "./vma.ts";
import { VM, VMH, VM_SPECIAL } from "./vmFlags.ts";
import { ZAP_ALL, zapRange } from "./zap.ts";
import { refuseFlag, refuseMemory, refuseRelease } from "../why/refusal.ts";

/** Guard regions (MADV_GUARD_INSTALL and _REMOVE, 6.13; kernel-semantics.md 4.5): markers that fault without a VMA of their own. */

function valid(k: Kernel, vma: Vma, allowLocked: boolean): boolean {
  let forbidden: number = VM_SPECIAL | VM.hugetlb;
  if (!allowLocked) forbidden |= VM.locked;
  if (vma.flags & forbidden) return false;
  return k.era.guardRegions === "any" || (vma.flags & (VM.mayWrite | VM.shared)) === VM.mayWrite;
}

function refuseGuard(k: Kernel, vma: Vma, locked: number): Failure {
  if (locked) return refuseFlag(k, vma, "is_valid_guard_vma", "EINVAL", "refuse.locked", "VM_LOCKED", true, "hint.guardLocked");
  if (vma.flags & VM_SPECIAL) return refuseFlag(k, vma, "is_valid_guard_vma", "EINVAL", "refuse.special", "VM_SPECIAL", true, "hint.guardLocked");
  return refuseRelease(k, vma.mm, "is_valid_guard_vma", "EINVAL", "guardRegions", "hint.guardLocked");
}

export function guardInstall(k: Kernel, vmaIn: Vma, start: number, end: number): Result {
  if (!valid(k, vmaIn, false)) return refuseGuard(k, vmaIn, vmaIn.flags & VM.locked);
  const prepared = anonVmaPrepare(k, vmaIn.slot);
  const vma = k.era.guardFlag ? changeVma(k, prepared.slot, { flagsHi: prepared.flagsHi | VMH.maybeGuard }) : prepared;
  // whatever is mapped in the range goes first; guards that are there stay
  zapRange(k, vma, start, end, { ...ZAP_ALL, keepGuards: true });
  const level = pteLevel(k);
  for (let vpn = start; vpn < end; vpn++) {
    paceWhole(k, 1);
    const t = walkAlloc(k, vma.mm, vpn, level);
    if (t === 0) return refuseMemory(k, vma.mm, "walk_page_range_mm", "ENOMEM", 1);
    const i = indexAt(k.geo, level, vpn);
    if (!isMarker(k, loAt(k, t, i), hiAt(k, t, i), MARKER.guard)) setEntry(k, t, i, NONPRESENT.marker, MARKER.guard);
  }
  return 0;
}

export function guardRemove(k: Kernel, vma: Vma, start: number, end: number): Result {
  if (!valid(k, vma, true)) return refuseGuard(k, vma, 0);
  const level = pteLevel(k);
  for (let vpn = start; vpn < end; vpn++) {
    paceWhole(k, 1);
    const t = walkTo(k, k.mms.get(vma.mm).pgd, vpn, level);
    if (t === 0) continue;
    const i = indexAt(k.geo, level, vpn);
    if (isMarker(k, loAt(k, t, i), hiAt(k, t, i), MARKER.guard)) clearEntry(k, t, i);
  }
  return 0;
}
