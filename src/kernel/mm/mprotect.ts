import { isWritable, makeWritable } from "../arch/geometry.ts";
import { paceWhole } from "../sched/pace.ts";
import type { Op } from "../sched/points.ts";
import { isHugeZero } from "../thp/hugeZero.ts";
import { isHugePmd, pmdOf, splitPmd } from "../thp/splitPmd.ts";
import type { Result } from "./errno.ts";
import { hasFlag } from "./folio.ts";
import type { Kernel } from "./kernel.ts";
import { enoughMemory, mayExpand, refuseExpand, statAccount } from "./mmap.ts";
import { PG } from "./pageFlags.ts";
import { entryPfn, hiAt, holeEnd, indexAt, loAt, present, pteLevel, setEntry, walkTo } from "./pgtable.ts";
import { mmPopulate } from "./populate.ts";
import { protHi, vmPageProt } from "./prot.ts";
import type { Task, Vma } from "./records.ts";
import { tlbFlushRange } from "./tlb.ts";
import { modifyVma, vmasIn } from "./vma.ts";
import { VM, VM_ACCESS, VMH } from "./vmFlags.ts";
import { traceMadeWritable, traceSplitPartial } from "../why/pages.ts";
import { refuseArgument, refuseHole, refuseOvercommit, refuseSealed } from "../why/refusal.ts";

/** mprotect (mm/mprotect.c). */

/** pte_modify: other protection, same frame and state bits. */
function modifyLo(k: Kernel, lo: number, vma: Vma): number {
  const e = k.geo.encoding;
  const keep = 0xfffff000 | e.accessed | e.dirty | e.special | e.softDirty | e.uffdWp | e.leaf;
  return (lo & keep) | (vmPageProt(k, vma) & ~keep);
}

/** can_change_pte_writable: an exclusive page of a writable private mapping needs no fault, nor a dirty one of a shared mapping. */
function mayBecomeWritable(k: Kernel, vma: Vma, lo: number, hi: number): boolean {
  const e = k.geo.encoding;
  if (k.era.mprotectMakesWritable === "no" || (vma.flags & VM.write) === 0 || (lo & e.protNone) !== 0) return false;
  if ((lo & e.special) !== 0) return false;
  if (k.era.mprotectMakesWritable === "dirtyPtes" && ((lo & e.leaf) !== 0 || (lo & e.dirty) === 0)) return false;
  if (k.profile.config.softDirty && (vma.flags & VM.softDirty) === 0 && (lo & e.softDirty) === 0) return false;
  // a page of a file that is dirty already was told of, in a mapping that writes through
  if ((vma.flags & VM.shared) !== 0) return (lo & e.dirty) !== 0;
  return hasFlag(k, entryPfn(lo, hi), PG.anonExclusive) && hasFlag(k, entryPfn(lo, hi), PG.anon | PG.tail);
}

function changed(k: Kernel, vma: Vma, lo: number, hi: number): number {
  const e = k.geo.encoding;
  const next = modifyLo(k, lo, vma);
  return !isWritable(e, next) && mayBecomeWritable(k, vma, next, hi) ? makeWritable(e, next) : next;
}

const changedHi = (k: Kernel, vma: Vma, hi: number): number => (hi & ~k.geo.encoding.noExecHi) | protHi(k, vma.flags);

/** For explanations: an entry that is not writable yet in a VMA that is. */
function traceChanged(k: Kernel, vma: Vma, vpn: number, pages: number, was: number, lo: number, hi: number, zero: boolean): void {
  const e = k.geo.encoding;
  if ((vma.flags & VM.write) === 0 || isWritable(e, was)) return;
  const untracked = k.profile.config.softDirty && (vma.flags & VM.softDirty) === 0 && (lo & e.softDirty) === 0;
  const which = k.era.mprotectMakesWritable;
  const byRelease = which === "no" || (which === "dirtyPtes" && ((lo & e.leaf) !== 0 || (lo & e.dirty) === 0));
  traceMadeWritable(k, vma, vpn, pages, isWritable(e, lo), zero, entryPfn(lo, hi), byRelease, untracked);
}

/** change_protection over a VMA whose flags are the new ones. */
export function changeProtection(k: Kernel, vma: Vma, start: number, end: number): void {
  const block = 1 << (k.geo.pmdLevel < 0 ? k.geo.levels[pteLevel(k)].bits : k.geo.pmdOrder);
  for (let vpn = start; vpn < end;) {
    const hole = holeEnd(k, k.mms.get(vma.mm).pgd, vpn);
    if (hole > vpn) {
      vpn = hole;
      continue;
    }
    const next = Math.min(end, Math.floor(vpn / block) * block + block);
    paceWhole(k, next - vpn);
    const pmd = pmdOf(k, vma.mm, vpn);
    if (pmd !== undefined && isHugePmd(k, pmd.lo)) {
      if (next - vpn === block) {
        const lo = isHugeZero(k, entryPfn(pmd.lo, pmd.hi)) ? modifyLo(k, pmd.lo, vma) : changed(k, vma, pmd.lo, pmd.hi);
        if (k.tracer !== null) traceChanged(k, vma, vpn, block, pmd.lo, lo, pmd.hi, isHugeZero(k, entryPfn(pmd.lo, pmd.hi)));
        setEntry(k, pmd.table, pmd.i, lo, changedHi(k, vma, pmd.hi));
        vpn = next;
        continue;
      }
      if (k.tracer !== null) traceSplitPartial(k, vma, "change_huge_pmd", vpn, next);
      splitPmd(k, vma, pmd, vpn);
    }
    const t = walkTo(k, k.mms.get(vma.mm).pgd, vpn, pteLevel(k));
    if (t !== 0) {
      for (let v = vpn; v < next; v++) {
        const i = indexAt(k.geo, pteLevel(k), v);
        const lo = loAt(k, t, i);
        if (!present(k, lo)) continue;
        const hi = hiAt(k, t, i);
        if (k.tracer !== null) traceChanged(k, vma, v, 1, lo, changed(k, vma, lo, hi), hi, (lo & k.geo.encoding.special) !== 0);
        setEntry(k, t, i, changed(k, vma, lo, hi), changedHi(k, vma, hi));
      }
    }
    vpn = next;
  }
  tlbFlushRange(k, vma.mm, start, end);
}

/** mprotect_fixup of one piece. */
function* fixup(k: Kernel, task: Task, vmaIn: Vma, start: number, end: number, wanted: number): Op<Result> {
  const old = vmaIn.flags;
  if (vmaIn.flagsHi & VMH.sealed) return refuseSealed(k, vmaIn, "mprotect_fixup");
  if (wanted === old) return 0;
  let flags = wanted;
  const pages = end - start;
  if (flags & VM.write) {
    if (!mayExpand(k, task, flags, pages) && mayExpand(k, task, old, pages)) return refuseExpand(k, task, pages);
    if ((old & (VM.account | VM.write | VM.hugetlb | VM.shared | VM.noReserve)) === 0) {
      if (!enoughMemory(k, pages)) return refuseOvercommit(k, vmaIn.mm, pages);
      flags |= VM.account;
    }
  } else if (k.era.mprotectUnaccounts && old & VM.account && vmaIn.ops === "none" && vmaIn.anonVma === 0) flags &= ~VM.account;
  const vma = modifyVma(k, vmaIn.slot, start, end, flags, vmaIn.flagsHi);
  changeProtection(k, vma, start, end);
  statAccount(k, vma.mm, old, -pages);
  statAccount(k, vma.mm, flags, pages);
  if ((old & (VM.write | VM.shared | VM.locked)) === VM.locked && flags & VM.write) yield* mmPopulate(k, vma.mm, start, end, true);
  return 0;
}

/** do_mprotect_pkey on a page-rounded range. A hole ends it with ENOMEM after what lies before it was changed. */
export function* doMprotect(k: Kernel, task: Task, start: number, end: number, prot: number): Op<Result> {
  const pieces = vmasIn(k, task.mm, start, end);
  if (pieces.length === 0 || pieces[0].start > start)
    return refuseHole(k, task.mm, "do_mprotect_pkey", "ENOMEM", start, pieces.length === 0 ? end : pieces[0].start);
  const anySealed = k.era.sealedCheck === "wholeRange" ? pieces.find((v) => v.flagsHi & VMH.sealed) : undefined;
  if (anySealed !== undefined) return refuseSealed(k, anySealed, "can_modify_mm");
  let at = start;
  for (const piece of pieces) {
    if (piece.start > at) return refuseHole(k, task.mm, "do_mprotect_pkey", "ENOMEM", at, piece.start);
    const vma = vmasIn(k, task.mm, at, at + 1)[0];
    const to = Math.min(end, piece.end);
    const flags = (vma.flags & ~VM_ACCESS) | (prot & 7);
    if ((flags & ~(flags >>> 4) & VM_ACCESS) !== 0) return refuseArgument(k, task.mm, "do_mprotect_pkey", "EACCES", "refuse.permission", "prot", prot);
    const r = yield* fixup(k, task, vma, at, to, flags);
    if (typeof r === "object") return r;
    at = to;
  }
  return at < end ? refuseHole(k, task.mm, "do_mprotect_pkey", "ENOMEM", at, end) : 0;
}
