import { traceAccessError, traceNoVma } from "../why/pages.ts";
import { FAULT, VMF } from "./faultFlags.ts";
import type { Kernel } from "./kernel.ts";
import type { Vma } from "./records.ts";
import { expandStack } from "./stack.ts";
import { translate, type AccessKind } from "./translate.ts";
import { findVma } from "./vma.ts";
import { VM } from "./vmFlags.ts";

/** What the exception handler looks at before it calls the memory manager, and what it makes of the answer. */

/** Signal of an access that failed. */
export interface Signal {
  readonly signal: "SIGSEGV" | "SIGBUS";
  readonly code: "SEGV_MAPERR" | "SEGV_ACCERR" | "BUS_ADRERR" | "BUS_MCEERR_AR" | "SI_KERNEL";
  /** log2 of the bytes that are gone, with BUS_MCEERR_AR */
  readonly addressLsb: number;
}

export const segv = (code: "SEGV_MAPERR" | "SEGV_ACCERR"): Signal => ({ signal: "SIGSEGV", code, addressLsb: 0 });
const BUS: Signal = { signal: "SIGBUS", code: "BUS_ADRERR", addressLsb: 0 };
const POISON: Signal = { signal: "SIGBUS", code: "BUS_MCEERR_AR", addressLsb: 12 };

/** access_error of arch/x86/mm/fault.c: would the VMA's protection refuse this kind of access? */
function accessError(flags: number, kind: AccessKind, present: boolean): boolean {
  if (kind === "w") return (flags & VM.write) === 0;
  // an instruction fetch is judged as a read: the page is mapped and the fetch then faults on it
  if (present) return true;
  return (flags & (VM.read | VM.write | VM.exec)) === 0;
}

export const isSignal = (found: Vma | Signal): found is Signal => (found as Signal).signal !== undefined;

/** The VMA a user fault is for (find_vma, expand_stack, access_error), or the signal that is due. */
export function vmaForFault(k: Kernel, mm: number, vpn: number, kind: AccessKind): Vma | Signal {
  let vma = findVma(k, mm, vpn);
  if (vma === undefined) {
    if (k.tracer !== null) traceNoVma(k, mm, vpn);
    return segv("SEGV_MAPERR");
  }
  if (vma.start > vpn) {
    const grown = expandStack(k, vma, vpn);
    if (grown === null) return segv("SEGV_MAPERR");
    vma = grown;
  }
  const fetchOfPresent = kind === "x" && translate(k, mm, vpn, "r") >= 0 && translate(k, mm, vpn, "x") < 0;
  if (!accessError(vma.flags, kind, fetchOfPresent)) return vma;
  if (k.tracer !== null) traceAccessError(k, vma, vpn, kind, fetchOfPresent);
  return segv("SEGV_ACCERR");
}

export const faultFlagsOf = (kind: AccessKind): number => FAULT.user | (kind === "w" ? FAULT.write : kind === "x" ? FAULT.instruction : 0);

/** The signal for a result of handle_mm_fault (VM_FAULT_* bits), null for none. */
export function signalOf(k: Kernel, r: number): Signal | null {
  if (r & VMF.oom) return BUS;
  // bad_area_nosemaphore: a fault that the memory manager refused (a guard) says MAPERR
  if (r & VMF.sigsegv) return segv("SEGV_MAPERR");
  if (r & (VMF.hwpoison | VMF.hwpoisonLarge)) return k.profile.config.memoryFailure ? POISON : BUS;
  return r & VMF.sigbus ? BUS : null;
}
