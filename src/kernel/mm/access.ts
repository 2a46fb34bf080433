import { isWritable } from "../arch/geometry.ts";
import { mmapReadLock, mmapReadUnlock, unlock } from "../sched/locks.ts";
import type { Op } from "../sched/points.ts";
import { expandStack } from "./stack.ts";
import { faultAndAccount } from "./fault.ts";
import { FAULT, VMF } from "./faultFlags.ts";
import type { Kernel } from "./kernel.ts";
import { entryPfn, indexAt } from "./pgtable.ts";
import type { Vma } from "./records.ts";
import { tlbEntry, tlbFill, tlbSwitch, tagOf } from "./tlb.ts";
import { findVma } from "./vma.ts";
import { lockVmaUnderRcu } from "./vmaLock.ts";
import { VM } from "./vmFlags.ts";
import { traceAccessError, traceNoVma } from "../why/pages.ts";

/** What the hardware does with an access of a program, and what the exception handler does when it can't. */

export type AccessKind = "r" | "w" | "x";

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

const NO_EXEC = 1 << 31;

/**
 * Translates one access through the TLB and, on a miss, the page tables, setting accessed and dirty bits as
 * the hardware does. Returns the frame of the 4 KiB page, or -1 when the access must fault.
 */
export function translate(k: Kernel, mm: number, vpn: number, kind: AccessKind): number {
  tlbSwitch(k, mm);
  const e = k.geo.encoding;
  const write = kind === "w";
  const hit = lookup(k, vpn, write, kind === "x");
  if (hit >= 0) return hit;
  const geo = k.geo;
  const stride = geo.tableStride;
  let t: number = k.mms.get(mm).pgd;
  const last = geo.levels.length - 1;
  for (let l = 0; ; l++) {
    const at = t * stride + indexAt(geo, l, vpn);
    const lo = k.entryLo.get(at);
    if ((lo & e.present) === 0) return -1;
    const hi = k.entryHi.get(at);
    if (l === last || (lo & e.leaf) !== 0) {
      if (write && !isWritable(e, lo)) return -1;
      if (kind === "x" && ((hi & e.noExecHi) !== 0 || (e.execLo !== 0 && (lo & e.execLo) === 0))) return -1;
      const next = lo | e.accessed | (write ? e.dirty | (k.profile.config.softDirty ? e.softDirty : 0) : 0);
      if (next !== lo) {
        k.entryLo.set(at, next);
        k.entryStep.set(at, k.step);
      }
      const shift = geo.levels[l].shift;
      const level = shift === 0 ? "pte" : shift === geo.pmdOrder ? "pmd" : "pud";
      tlbFill(k, level, vpn, next, hi);
      return entryPfn(lo, hi) + (shift === 0 ? 0 : (vpn | 0) & ((1 << shift) - 1));
    }
    t = k.mapping.get(entryPfn(lo, hi));
  }
}

function lookup(k: Kernel, vpn: number, write: boolean, exec: boolean): number {
  const e = k.geo.encoding;
  const need = write ? e.dirty : 0;
  let at = tlbEntry(k.cpu, "pte", vpn);
  let mask = 0;
  if (k.tlbTag.get(at) !== tagOf("pte", vpn)) {
    if (!k.geo.thp) return -1;
    at = tlbEntry(k.cpu, "pmd", vpn);
    mask = 511;
    if (k.tlbTag.get(at) !== tagOf("pmd", vpn)) return -1;
  }
  const lo = k.tlbLo.get(at);
  if (write && ((lo & need) === 0 || !isWritable(e, lo))) return -1;
  const hi = k.tlbHi.get(at);
  if (exec && (hi & NO_EXEC) !== 0) return -1;
  return entryPfn(lo, hi) + (vpn & mask);
}

/** access_error of arch/x86/mm/fault.c: would the VMA's protection refuse this kind of access? */
function accessError(flags: number, kind: AccessKind, present: boolean): boolean {
  if (kind === "w") return (flags & VM.write) === 0;
  // an instruction fetch is judged as a read: the page is mapped and the fetch then faults on it
  if (present) return true;
  return (flags & (VM.read | VM.write | VM.exec)) === 0;
}

/**
 * One access by a program (or by the kernel on its behalf): translates, faults and tries again until it is
 * done or a signal is due. The result is the frame, or the signal.
 * do_user_addr_fault, 5.19 to 6.18.
 */
export function* userAccess(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind): Op<number | Signal> {
  for (;;) {
    const pfn = translate(k, mm, vpn, kind);
    if (pfn >= 0) return pfn;
    const signal = yield* pageFault(k, mm, vpn, offsetBytes, kind);
    if (signal !== null) return signal;
  }
}

/** The VMA a user fault is for (find_vma, expand_stack, access_error), or the signal that is due. */
function vmaForFault(k: Kernel, mm: number, vpn: number, kind: AccessKind): Vma | Signal {
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

const faultFlagsOf = (kind: AccessKind): number => FAULT.user | (kind === "w" ? FAULT.write : kind === "x" ? FAULT.instruction : 0);

/** The signal for a result of handle_mm_fault (VM_FAULT_* bits), null for none. */
function signalOf(k: Kernel, r: number): Signal | null {
  if (r & VMF.oom) return BUS;
  // bad_area_nosemaphore: a fault that the memory manager refused (a guard) says MAPERR
  if (r & VMF.sigsegv) return segv("SEGV_MAPERR");
  if (r & (VMF.hwpoison | VMF.hwpoisonLarge)) return k.profile.config.memoryFailure ? POISON : BUS;
  return r & VMF.sigbus ? BUS : null;
}

/** do_user_addr_fault while other threads are runnable: under the VMA's lock, or else under the mmap_lock. Locks are dropped on every exit. */
function* lockedFault(k: Kernel, mm: number, vpn: number, kind: AccessKind): Op<Signal | null> {
  yield "fault.entry";
  const alone = lockVmaUnderRcu(k, mm, vpn);
  if (alone === undefined) yield* mmapReadLock(k, mm);
  const vma = vmaForFault(k, mm, vpn, kind);
  const signal = "signal" in vma ? vma : signalOf(k, yield* faultAndAccount(k, vma, vpn, faultFlagsOf(kind)));
  if (alone === undefined) mmapReadUnlock(k, mm);
  else unlock(k, "vm_lock", alone.slot);
  return signal;
}

/** The exception handler: null when the access can be tried again. */
export function* pageFault(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind): Op<Signal | null> {
  if (k.hooks.onFault !== null) k.hooks.onFault(mm, vpn, offsetBytes, kind === "w" ? 2 : 0);
  k.charge(k.costs.faultEntryNs);
  if (k.preempt) return yield* lockedFault(k, mm, vpn, kind);
  const vma = vmaForFault(k, mm, vpn, kind);
  return "signal" in vma ? vma : signalOf(k, yield* faultAndAccount(k, vma, vpn, faultFlagsOf(kind)));
}
