import { anonVmaPrepare } from "./anonVma.ts";
import { fail, type Result } from "./errno.ts";
import type { Kernel } from "./kernel.ts";
import { clearEntry, hiAt, indexAt, isMarker, loAt, MARKER, NONPRESENT, pteLevel, setEntry, walkAlloc, walkTo } from "./pgtable.ts";
import type { Vma } from "./records.ts";
import { VM, VM_SPECIAL } from "./vmFlags.ts";
import { zapRange } from "./zap.ts";

/** Guard regions (MADV_GUARD_INSTALL and _REMOVE, 6.13; kernel-semantics.md 4.5): markers that fault without a VMA of their own. */

function valid(k: Kernel, vma: Vma, allowLocked: boolean): boolean {
  let forbidden: number = VM_SPECIAL | VM.hugetlb;
  if (!allowLocked) forbidden |= VM.locked;
  if (vma.flags & forbidden) return false;
  return k.era.guardRegions === "any" || (vma.flags & (VM.mayWrite | VM.shared)) === VM.mayWrite;
}

export function guardInstall(k: Kernel, vmaIn: Vma, start: number, end: number): Result {
  if (!valid(k, vmaIn, false)) return fail("EINVAL", "hint.guardLocked");
  const vma = anonVmaPrepare(k, vmaIn.slot);
  // whatever is mapped in the range goes first; guards that are there stay
  zapRange(k, vma, start, end, { keepGuards: true, reclaimTables: false });
  const level = pteLevel(k);
  for (let vpn = start; vpn < end; vpn++) {
    const t = walkAlloc(k, vma.mm, vpn, level);
    if (t === 0) return fail("ENOMEM");
    const i = indexAt(k.geo, level, vpn);
    if (!isMarker(k, loAt(k, t, i), hiAt(k, t, i), MARKER.guard)) setEntry(k, t, i, NONPRESENT.marker, MARKER.guard);
  }
  return 0;
}

export function guardRemove(k: Kernel, vma: Vma, start: number, end: number): Result {
  if (!valid(k, vma, true)) return fail("EINVAL");
  const level = pteLevel(k);
  for (let vpn = start; vpn < end; vpn++) {
    const t = walkTo(k, k.mms.get(vma.mm).pgd, vpn, level);
    if (t === 0) continue;
    const i = indexAt(k.geo, level, vpn);
    if (isMarker(k, loAt(k, t, i), hiAt(k, t, i), MARKER.guard)) clearEntry(k, t, i);
  }
  return 0;
}
