import { anonVmaPrepare } from "./anonVma.ts";
import { MMC, type Kernel } from "./kernel.ts";
import { statAccount } from "./mmap.ts";
import type { Vma } from "./records.ts";
import { changeVma, lowerIndex } from "./vma.ts";
import { VM, VM_ACCESS } from "./vmFlags.ts";
import { traceNoVma, traceStackRefusal } from "../why/pages.ts";

/** stack_guard_gap: 256 pages (kernel parameter of the same name). */
const STACK_GUARD_PAGES = 256;
/** RLIMIT_STACK of the recorder's processes: 8 MiB. */
const STACK_LIMIT_PAGES = 2048;

/**
 * expand_stack: grows a MAP_GROWSDOWN mapping down to `vpn`. null when it is not one, or when the guard gap or a
 * limit forbids it.
 */
export function expandStack(k: Kernel, vma: Vma, vpn: number): Vma | null {
  if ((vma.flags & VM.growsDown) === 0) {
    if (k.tracer !== null) traceNoVma(k, vma.mm, vpn);
    return null;
  }
  const list = k.mms.get(vma.mm).vmas;
  const at = lowerIndex(k, vma.mm, vma.start);
  const prev = at > 0 ? k.vmas.get(list[at - 1]) : undefined;
  if (prev !== undefined && (prev.flags & VM.growsDown) === 0 && (prev.flags & VM_ACCESS) !== 0 && vpn - prev.end < STACK_GUARD_PAGES) {
    if (k.tracer !== null) traceStackRefusal(k, vma, vpn, prev);
    return null;
  }
  // made ready before the limit is looked at (acct_stack_growth): a refused stack has an anon_vma afterwards, so fork copies its tables
  const ready = anonVmaPrepare(k, vma.slot);
  if (vma.end - vpn > STACK_LIMIT_PAGES) {
    if (k.tracer !== null) traceStackRefusal(k, vma, vpn, undefined);
    return null;
  }
  const grow = vma.start - vpn;
  statAccount(k, vma.mm, vma.flags, grow);
  if (vma.flags & VM.locked) k.countMm(vma.mm, MMC.lockedVm, grow);
  return changeVma(k, ready.slot, { start: vpn, pgoff: ready.pgoff - grow });
}
