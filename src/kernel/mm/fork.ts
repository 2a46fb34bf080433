import { makeReadOnly } from "../arch/geometry.ts";
import { paceWhole } from "../sched/pace.ts";
import type { Op } from "../sched/points.ts";
import { copyHugePmd, copyRawPmd, hugePinned } from "../thp/hugeFault.ts";
import { khugepagedEnter, khugepagedExit } from "../thp/khugepagedList.ts";
import { putHugeZero } from "../thp/hugeZero.ts";
import { isHugePmd, pmdOf, splitPmd } from "../thp/splitPmd.ts";
import { NO_PFN, NO_TABLE, type Pfn, type TableIndex } from "../units.ts";
import { closeAll, holdDescriptors } from "../fs/fdTable.ts";
import { anonVmaFork } from "./anonVma.ts";
import type { Result } from "./errno.ts";
import { allocZeroedFolio, dropFlag, folioGet, hasFlag } from "./folio.ts";
import { linkFile } from "./inode.ts";
import { folioOf, MM_COUNTERS, MMC, type Kernel } from "./kernel.ts";
import { enoughMemory, exitMmap } from "./mmap.ts";
import { PG } from "./pageFlags.ts";
import { entryPfn, hiAt, indexAt, isMarker, loAt, MARKER, present, pteLevel, setEntry, tableAlloc, tableFree, walkAlloc, walkTo } from "./pgtable.ts";
import { dirtyMaybeWrite, entryHiFor, entryLoFor } from "./prot.ts";
import type { Mm, Task, Vma } from "./records.ts";
import { addNewAnonRmap, dupRmapPtes } from "./rmap.ts";
import { tlbFlushMm } from "./tlb.ts";
import { VM, VM_LOCKED_MASK, VMH } from "./vmFlags.ts";
import { rssCounter } from "./zap.ts";
import { traceFork, traceForkCopied } from "../why/pages.ts";
import { refuseMemory, refuseOvercommit } from "../why/refusal.ts";

/** fork, exec's empty mm, exit (kernel/fork.c, mm/memory.c copy_page_range). */

/** mm_alloc: an empty address space; 0 when memory is out. */
export function mmAlloc(k: Kernel, fields: Pick<Mm, "startBrk" | "brkBytes" | "mmapBase" | "thpDisable">): number {
  const pgd = tableAlloc(k);
  if (pgd === NO_TABLE) return 0;
  const slot = k.mms.add((s) => ({
    ...fields,
    slot: s,
    pgd,
    vmas: [],
    defFlags: 0,
    khugepaged: false,
    pteMappedThps: [],
    hasUprobes: false,
    hugeZero: false,
    writeProtectSeq: 0,
    step: k.step,
  }));
  k.mmCounters.fill(slot * MM_COUNTERS, MM_COUNTERS, 0);
  return slot;
}

/** fork(2): a child with a copy of the address space. Returns the child's task slot. */
export function* doFork(k: Kernel, parent: Task, comm: string): Op<Result> {
  const src = k.mms.get(parent.mm);
  const account = src.vmas.reduce((sum, s) => {
    const v = k.vmas.get(s);
    return v.flags & VM.account && !(v.flags & VM.dontCopy) ? Math.max(sum, v.end - v.start) : sum;
  }, 0);
  if (!enoughMemory(k, account)) return refuseOvercommit(k, src.slot, account);
  const mm = mmAlloc(k, src);
  if (mm === 0) return refuseMemory(k, src.slot, "mm_init", "ENOMEM", 1);
  k.mms.update(src.slot, { writeProtectSeq: src.writeProtectSeq + 1 });
  const isCopied = yield* dupMmap(k, src, mm);
  // uprobe_dup_mmap
  if (src.hasUprobes) k.mms.update(mm, { hasUprobes: true });
  k.mms.update(src.slot, { writeProtectSeq: src.writeProtectSeq + 2 });
  if (!isCopied) {
    mmFree(k, mm);
    return refuseMemory(k, src.slot, "dup_mmap", "ENOMEM", 1);
  }
  const pid = k.g.nextPid;
  k.setGlobals({ nextPid: pid + 1 });
  holdDescriptors(k, parent);
  return k.tasks.add((slot) => ({ ...parent, slot, pid, comm, mm, parent: parent.slot }));
}

/** dup_mmap. False when memory is out: the copy is not whole. */
function* dupMmap(k: Kernel, src: Mm, mm: number): Op<boolean> {
  k.mmCounters.set(mm * MM_COUNTERS + MMC.totalVm, k.mmCount(src.slot, MMC.totalVm));
  k.mmCounters.set(mm * MM_COUNTERS + MMC.dataVm, k.mmCount(src.slot, MMC.dataVm));
  const slots: number[] = [];
  let isCopied = true;
  for (const slot of src.vmas) {
    const vma = k.vmas.get(slot);
    const pages = vma.end - vma.start;
    if (k.tracer !== null) traceFork(k, mm, vma, vma.flags & VM.dontCopy ? "fork.dontCopy" : vma.flags & VM.wipeOnFork ? "fork.wiped" : "fork.shared");
    if (vma.flags & VM.dontCopy) {
      k.countMm(mm, MMC.totalVm, -pages);
      if ((vma.flags & (VM.write | VM.shared | VM.growsDown)) === VM.write) k.countMm(mm, MMC.dataVm, -pages);
      continue;
    }
    const fresh = k.vmas.add((s) => ({ ...vma, slot: s, mm, flags: vma.flags & ~VM_LOCKED_MASK, anonVma: 0, chain: [], step: k.step }));
    slots.push(fresh);
    k.mms.set(mm, { ...k.mms.get(mm), vmas: slots.slice() });
    if (vma.file !== 0) linkFile(k, k.vmas.get(fresh));
    if (vma.flags & VM.wipeOnFork) continue;
    const dst = anonVmaFork(k, fresh, vma);
    // vma_needs_copy: what a fault could not bring back
    if (vma.anonVma !== 0 || vma.flags & (VM.pfnmap | VM.mixedMap) || vma.flagsHi & VMH.maybeGuard) isCopied = yield* copyPageRange(k, dst, vma);
    if (!isCopied) break;
  }
  if (k.mms.get(src.slot).khugepaged) khugepagedEnter(k, mm);
  tlbFlushMm(k, src.slot);
  return isCopied;
}

/** copy_page_range for a VMA whose entries no fault would bring back. False when memory is out. */
function* copyPageRange(k: Kernel, dst: Vma, src: Vma): Op<boolean> {
  const geo = k.geo;
  const block = 1 << (geo.pmdLevel < 0 ? geo.levels[pteLevel(k)].bits : geo.pmdOrder);
  for (let vpn = src.start; vpn < src.end;) {
    const next = Math.min(src.end, Math.floor(vpn / block) * block + block);
    paceWhole(k, next - vpn);
    if (!(yield* copyBlock(k, dst, src, vpn, next))) return false;
    vpn = next;
  }
  return true;
}

function* copyBlock(k: Kernel, dst: Vma, src: Vma, start: number, end: number): Op<boolean> {
  const pgd = k.mms.get(src.mm).pgd;
  if (k.geo.pmdLevel >= 0) {
    const pmdTable = walkTo(k, pgd, start, k.geo.pmdLevel);
    if (pmdTable === 0) return true;
    const pmd = pmdOf(k, src.mm, start);
    if (pmd === undefined) return true;
    // the child's PMD table is made before the parent's entry is looked at (copy_pmd_range)
    const dstPmd = walkAlloc(k, dst.mm, start, k.geo.pmdLevel);
    if (dstPmd === NO_TABLE) return false;
    if (pmd.lo === 0) return true;
    if (isHugePmd(k, pmd.lo)) {
      // a file's is found again by the child's first fault
      if (src.ops !== "none") {
        copyRawPmd(k, pmdTable, dstPmd, start);
        return true;
      }
      const isPinned = hugePinned(k, entryPfn(pmd.lo, pmd.hi));
      if (k.tracer !== null && isPinned) traceForkCopied(k, dst.mm, src, start, end - start, entryPfn(pmd.lo, pmd.hi));
      if (k.preempt) yield "fork.lookedForPins";
      if (!isPinned) return copyHugePmd(k, dst, pmdTable, dstPmd, start);
      // accessed and dirty bits may have changed at the point
      splitPmd(k, src, pmdOf(k, src.mm, start) ?? pmd, start);
    }
  }
  const from = walkTo(k, pgd, start, pteLevel(k));
  if (from === 0) return true;
  const to = walkAlloc(k, dst.mm, start, pteLevel(k));
  if (to === NO_TABLE) return false;
  const pinned = k.preempt ? pinnedPages(k, from, start, end) : null;
  // page_needs_cow_for_dma looked, the entries are not write-protected yet: only write_protect_seq tells GUP-fast
  if (k.preempt) yield "fork.lookedForPins";
  return copyPtes(k, dst, from, to, start, end, pinned);
}

/** An exclusive page that may be pinned must stay the parent's (page_needs_cow_for_dma). */
const needsCopy = (k: Kernel, page: Pfn): boolean => k.pincount.get(folioOf(k, page)) > 0 && hasFlag(k, page, PG.anonExclusive);

/** The pages of a table's range that needed a copy when fork looked. */
function pinnedPages(k: Kernel, t: TableIndex, start: number, end: number): ReadonlySet<number> {
  const first = indexAt(k.geo, pteLevel(k), start);
  const out = new Set<number>();
  for (let i = first; i < first + end - start; i++) {
    const lo = loAt(k, t, i);
    const page = entryPfn(lo, hiAt(k, t, i));
    if (present(k, lo) && (lo & k.geo.encoding.special) === 0 && needsCopy(k, page)) out.add(page);
  }
  return out;
}

function copyPtes(k: Kernel, dst: Vma, from: TableIndex, to: TableIndex, start: number, end: number, pinned: ReadonlySet<number> | null): boolean {
  const e = k.geo.encoding;
  const first = indexAt(k.geo, pteLevel(k), start);
  let copied = 0;
  let isWhole = true;
  for (let j = 0; j < end - start; j++) {
    const i = first + j;
    const lo = loAt(k, from, i);
    const hi = hiAt(k, from, i);
    if (lo === 0 && hi === 0) continue;
    if (!present(k, lo)) {
      if (isMarker(k, lo, hi, MARKER.guard | MARKER.poisoned)) setEntry(k, to, i, lo, hi & ~MARKER.uffdWp);
      continue;
    }
    if ((lo & e.special) !== 0) {
      // of a shared mapping the child may write what its parent may, and has not written it yet
      const kept = (dst.flags & VM.shared) !== 0 ? lo & ~e.dirty : makeReadOnly(e, lo);
      setEntry(k, to, i, kept & ~(e.accessed | e.uffdWp), hi);
      continue;
    }
    const page = entryPfn(lo, hi);
    const head = folioOf(k, page);
    if (pinned === null ? needsCopy(k, page) : pinned.has(page)) {
      isWhole = copyPinned(k, dst, to, i, start + j, page);
      if (!isWhole) break;
      copied++;
      continue;
    }
    const counter = rssCounter(k.pageFlags.get(head));
    if (counter === MMC.anonPages) copied++;
    else k.countMm(dst.mm, counter, 1);
    folioGet(k, head);
    dropFlag(k, page, PG.anonExclusive);
    dupRmapPtes(k, page, 1, dst);
    // pages of a shared mapping stay as writable as they are, and are clean for the child
    const isShared = (dst.flags & VM.shared) !== 0;
    const ro = isShared ? lo : makeReadOnly(e, lo);
    if (ro !== lo) setEntry(k, from, i, ro, hi);
    setEntry(k, to, i, ro & ~(e.accessed | e.uffdWp | (isShared ? e.dirty : 0)), hi);
  }
  if (copied > 0) k.countMm(dst.mm, MMC.anonPages, copied);
  return isWhole;
}

/** copy_present_page: a page that may be pinned for DMA is copied for the child at once. False when memory is out. */
function copyPinned(k: Kernel, dst: Vma, to: TableIndex, i: number, vpn: number, page: Pfn): boolean {
  const fresh = allocZeroedFolio(k, 0);
  if (fresh === NO_PFN) return false;
  k.stamp.set(fresh, k.stamp.get(page));
  addNewAnonRmap(k, fresh, dst, vpn, false);
  setEntry(k, to, i, dirtyMaybeWrite(k, entryLoFor(k, fresh, dst.flags), dst.flags), entryHiFor(k, fresh, dst.flags));
  return true;
}

/** mmput of the last user: the address space is freed. */
export function mmFree(k: Kernel, mm: number): void {
  khugepagedExit(k, mm);
  tlbFlushMm(k, mm);
  exitMmap(k, mm);
  putHugeZero(k, mm);
  tableFree(k, k.mms.get(mm).pgd);
  k.mms.remove(mm);
}

/** do_exit as far as memory goes: the address space is freed with its last user. */
export function doExit(k: Kernel, task: Task): void {
  mmFree(k, task.mm);
  closeAll(k, k.tasks.get(task.slot));
  k.tasks.remove(task.slot);
}
