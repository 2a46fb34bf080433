import { isWritable } from "./arch/geometry.ts";
import { anonVmaPrepare } from "./mm/anonVma.ts";
import { byteAt, stampAfterWrite } from "./mm/content.ts";
import { fail, failed, type Failure, type Result } from "./mm/errno.ts";
import { handleMmFault } from "./mm/fault.ts";
import { FAULT, VMF } from "./mm/faultFlags.ts";
import { allocZeroedFolio, folioMapcount, folioOrder, folioPut, hasFlag, isLarge } from "./mm/folio.ts";
import { inodeOf, isShmem, vmasOfRange } from "./mm/inode.ts";
import { folioOf, MMC, type Kernel } from "./mm/kernel.ts";
import { filemapPage } from "./mm/pageCache.ts";
import { PG } from "./mm/pageFlags.ts";
import { clearEntry, entryPfn, hiAt, indexAt, loAt, present, pteLevel, setEntry, walkAlloc, walkTo } from "./mm/pgtable.ts";
import { dirtyBits, entryHiFor, entryLoFor } from "./mm/prot.ts";
import { forcePageCacheRa } from "./mm/readahead.ts";
import type { Inode, Vma } from "./mm/records.ts";
import { addNewAnonRmap, removeRmapPtes } from "./mm/rmap.ts";
import { shmemGetFolio } from "./mm/shmem.ts";
import { tlbFlushRange } from "./mm/tlb.ts";
import { VM } from "./mm/vmFlags.ts";
import { VMSTAT } from "./mm/vmstat.ts";
import { rssCounter } from "./mm/zap.ts";
import { mmapWriteLock, mmapWriteUnlock } from "./sched/locks.ts";
import type { Op } from "./sched/points.ts";
import { collapsePteMappedThp } from "./thp/pteMappedThp.ts";
import { isHugePmd, pmdOf, splitPmd } from "./thp/splitPmd.ts";
import { traceUprobe } from "./why/scan.ts";
import { NO_PFN, NO_TABLE, type Pfn, type TableIndex } from "./units.ts";

/** Breakpoints in the code of every process that maps a file (kernel/events/uprobes.c, source document 002, 2.7). x86. */

/** UPROBE_SWBP_INSN: int3 */
const SWBP = 0xcc;
/** First bytes that are no instruction in 64-bit mode (good_insns_64 of arch/x86): push and pop of segments, and the decimal adjustments. */
const NOT_IN_64_BIT: readonly number[] = [0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f];
/** Instructions of which we know that a uprobe may stand on them; others would have to be decoded. add, push, pop, nop, ret. */
const isProbeable = (byte: number): boolean => byte === 0x00 || (byte >= 0x50 && byte <= 0x5f) || byte === 0x90 || byte === 0xc3;

/** valid_vma: a private mapping of a file that may be executed and, to put a breakpoint in, not written. */
function validVma(vma: Vma, registering: boolean): boolean {
  if (vma.file === 0) return false;
  const flags = vma.flags & (VM.mayExec | VM.mayShare | (registering ? VM.write : 0));
  return flags === VM.mayExec;
}

const addressOf = (vma: Vma, offset: number): number => vma.start + (Math.floor(offset / 4096) - vma.pgoff);

/** VMAs that a breakpoint at an offset goes into or comes out of (build_map_info). */
const mappingsOf = (k: Kernel, inode: number, offset: number, registering: boolean): Vma[] => {
  const index = Math.floor(offset / 4096);
  // the list is built by putting each in front
  return vmasOfRange(k, inode, index, index)
    .filter((vma) => validVma(vma, registering))
    .reverse();
};

/** An instruction that only a real kernel can judge: whoever calls says so. */
export const UNKNOWN_INSTRUCTION = "unknownInstruction";

/** uprobe_register: the breakpoint is written into every mapping there is, and will be into every one to come. */
export function* uprobeRegister(k: Kernel, inodeSlot: number, offset: number): Op<Result | typeof UNKNOWN_INSTRUCTION> {
  const inode = k.inodes.get(inodeSlot);
  if (offset > inode.sizeBytes) return fail("EINVAL", "hint.uprobeOffset");
  if (inode.uprobes.some((u) => u.offset === offset)) return fail("EEXIST", "hint.uprobeThere");
  k.inodes.update(inodeSlot, { uprobes: [...inode.uprobes, { offset, insn: -1 }] });
  for (const { slot, mm } of mappingsOf(k, inodeSlot, offset, true)) {
    yield* mmapWriteLock(k, mm);
    const r = k.vmas.find(slot) === undefined ? 0 : yield* installBreakpoint(k, k.vmas.get(slot), inodeSlot, offset, 0);
    mmapWriteUnlock(k, mm);
    if (r === 0) continue;
    yield* uprobeUnregister(k, inodeSlot, offset);
    return r;
  }
  return 0;
}

/** uprobe_unregister: the instruction is written back wherever the breakpoint stands. */
export function* uprobeUnregister(k: Kernel, inodeSlot: number, offset: number): Op<Result> {
  const { uprobes } = k.inodes.get(inodeSlot);
  const probe = uprobes.find((u) => u.offset === offset);
  if (probe === undefined) return fail("ENOENT", "hint.uprobeNone");
  // perf goes through the mappings twice: when the event leaves the probe (uprobe_apply), and when the probe is given up (uprobe_unregister). The first
  // takes the breakpoint out; the second finds none, but looks at the page, and with that maps the one of the file
  for (let round = 0; round < 2; round++) yield* removeEverywhere(k, inodeSlot, offset, probe.insn);
  k.inodes.update(inodeSlot, { uprobes: uprobes.filter((u) => u !== probe) });
  return 0;
}

/** register_for_each_vma without a new consumer. */
function* removeEverywhere(k: Kernel, inode: number, offset: number, insn: number): Op<void> {
  for (const { slot, mm } of mappingsOf(k, inode, offset, false)) {
    if (!k.mms.get(mm).hasUprobes) continue;
    yield* mmapWriteLock(k, mm);
    const vma = k.vmas.find(slot);
    // what cannot be written back stays as it is; perf has nobody to tell
    if (vma !== undefined) yield* writeOpcode(k, vma, addressOf(vma, offset), offset % 4096, insn, false);
    mmapWriteUnlock(k, mm);
  }
}

/** uprobe_mmap: a new mapping gets the breakpoints of its file; its process pays for the faults. Errors are passed over. */
export function* uprobeMmap(k: Kernel, vma: Vma): Op<void> {
  if (!validVma(vma, true)) return;
  const inode = inodeOf(k, vma);
  const last = vma.pgoff + (vma.end - vma.start);
  for (const { offset } of inode.uprobes) {
    const index = Math.floor(offset / 4096);
    if (index >= vma.pgoff && index < last) yield* installBreakpoint(k, k.vmas.get(vma.slot), inode.slot, offset, vma.mm);
  }
}

/** `payer`: mm whose process does it, and has the faults counted; 0: a process that is not simulated, the one that asked perf. */
function* installBreakpoint(k: Kernel, vma: Vma, inode: number, offset: number, payer: number): Op<Result | typeof UNKNOWN_INSTRUCTION> {
  const prepared = prepareUprobe(k, inode, offset);
  if (prepared !== 0) return prepared;
  const { hasUprobes } = k.mms.get(vma.mm);
  k.mms.update(vma.mm, { hasUprobes: true });
  const r = yield* writeOpcode(k, vma, addressOf(vma, offset), offset % 4096, SWBP, true, payer);
  if (failed(r) && !hasUprobes) k.mms.update(vma.mm, { hasUprobes: false });
  return r;
}

/** prepare_uprobe: the instruction is read from the page cache, once, and judged. */
function prepareUprobe(k: Kernel, slot: number, offset: number): Result | typeof UNKNOWN_INSTRUCTION {
  const inode = k.inodes.get(slot);
  const probe = inode.uprobes.find((u) => u.offset === offset);
  if (probe === undefined || probe.insn >= 0) return 0;
  const page = pageOfFile(k, inode, Math.floor(offset / 4096));
  if (failed(page)) return page;
  const insn = byteAt(k, k.stamp.get(page), offset % 4096);
  // ENOTSUPP, which user space sees as errno 524
  if (insn === SWBP || NOT_IN_64_BIT.includes(insn)) return fail("ENOTSUPP", insn === SWBP ? "hint.uprobeTrap" : "hint.uprobeInstruction");
  if (!isProbeable(insn)) return UNKNOWN_INSTRUCTION;
  k.inodes.update(slot, { uprobes: inode.uprobes.map((u) => (u === probe ? { offset, insn } : u)) });
  return 0;
}

/** read_mapping_page, shmem_read_mapping_page. */
function pageOfFile(k: Kernel, inode: Inode, index: number): Result<Pfn> {
  if (isShmem(k, inode)) {
    const head = shmemGetFolio(k, inode.slot, index, 0, "cache", null);
    return failed(head) ? fail("EIO") : ((head + index - k.pageIndex.get(head)) as Pfn);
  }
  if (filemapPage(k, inode.slot, index) === NO_PFN) forcePageCacheRa(k, inode, index, 1);
  const page = filemapPage(k, inode.slot, index);
  return page === NO_PFN ? fail("EIO") : page;
}

interface Mapped {
  readonly table: TableIndex;
  readonly i: number;
  readonly page: Pfn;
}

/** get_user_pages_remote with FOLL_FORCE, and FOLL_SPLIT_PMD with `split`, of one page: where it is mapped by a PTE. A huge page that may stay is given without a table. */
function* getPage(k: Kernel, vma: Vma, vpn: number, write: boolean, split: boolean, payer: number): Op<Mapped | Failure> {
  for (;;) {
    const pmd = pmdOf(k, vma.mm, vpn);
    if (pmd !== undefined && isHugePmd(k, pmd.lo)) {
      const n = 1 << k.geo.pmdOrder;
      if (!split) return { table: NO_TABLE, i: 0, page: (entryPfn(pmd.lo, pmd.hi) + (vpn % n)) as Pfn };
      splitPmd(k, vma, pmd, vpn - (vpn % n));
      // a PMD of a file is empty now; without a table the fault would map the huge page again
      if (walkAlloc(k, vma.mm, vpn, pteLevel(k)) === NO_TABLE) return fail("ENOMEM");
    }
    const found = entryOf(k, vma, vpn);
    if (found !== undefined && (!write || mayWriteForced(k, found))) return found;
    k.countVm(VMSTAT.pgfault);
    const r = yield* handleMmFault(k, k.vmas.get(vma.slot), vpn, FAULT.remote | (write ? FAULT.write : 0), null);
    if (r & VMF.oom) return fail("ENOMEM");
    if (payer !== 0) k.countMm(payer, (r & VMF.major) !== 0 ? MMC.majFlt : MMC.minFlt, 1);
    if (r & (VMF.sigbus | VMF.sigsegv | VMF.hwpoison)) return fail("EFAULT");
  }
}

function entryOf(k: Kernel, vma: Vma, vpn: number): Mapped | undefined {
  const table = walkTo(k, k.mms.get(vma.mm).pgd, vpn, pteLevel(k));
  if (table === NO_TABLE) return undefined;
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const lo = loAt(k, table, i);
  return present(k, lo) ? { table, i, page: entryPfn(lo, hiAt(k, table, i)) } : undefined;
}

/** can_follow_write_pte with FOLL_FORCE: writable, or an anonymous page of this process alone. */
const mayWriteForced = (k: Kernel, { table, i, page }: Mapped): boolean =>
  isWritable(k.geo.encoding, loAt(k, table, i)) || (hasFlag(k, folioOf(k, page), PG.anon) && hasFlag(k, page, PG.anonExclusive));

/**
 * uprobe_write_opcode: one byte of code becomes another, in this address space only. Until 6.15 in a copy that takes the page's place, since 6.16 in the
 * anonymous page that a write fault makes. Where a removal leaves what the file holds, the anonymous page goes, and what is left of a huge page's table with it.
 */
function* writeOpcode(k: Kernel, vma: Vma, vpn: number, offset: number, byte: number, registering: boolean, payer = 0): Op<Result> {
  const inPlace = k.era.uprobeWrite === "inPlace";
  const found = yield* getPage(k, vma, vpn, inPlace && registering, registering, payer);
  if (failed(found)) return found;
  // verify_opcode: it is there already, or was taken out already
  if ((byteAt(k, k.stamp.get(found.page), offset) === SWBP) === registering) return 0;
  const isAnon = hasFlag(k, folioOf(k, found.page), PG.anon);
  if (!registering && !isAnon) return 0;
  const stamp = stampAfterWrite(k, k.stamp.get(found.page), offset, 1, byte);
  const original = registering ? NO_PFN : identicalPage(k, vma, vpn, stamp);
  const r = inPlace ? writeInPlace(k, vma, vpn, found, stamp, original) : replacePage(k, vma, vpn, found, stamp, original);
  if (failed(r)) return r;
  if (k.tracer !== null) traceUprobe(k, vma, vpn, registering ? "uprobe.copied" : r === HEALED ? "uprobe.healed" : "uprobe.kept");
  if (r !== HEALED) return 0;
  const head = folioOf(k, original);
  const isHuge = inPlace ? folioOrder(k, head) >= k.geo.pmdOrder : isLarge(k, head);
  if (isHuge) yield* collapsePteMappedThp(k, vma.mm, vpn - (vpn % (1 << k.geo.pmdOrder)), false);
  return 0;
}

/** The anonymous page went: the next access finds the file's. */
const HEALED = 1;

/** The page of the file, where it holds the same; else NO_PFN. */
function identicalPage(k: Kernel, vma: Vma, vpn: number, stamp: number): Pfn {
  const page = filemapPage(k, inodeOf(k, vma).slot, vma.pgoff + (vpn - vma.start));
  return page !== NO_PFN && hasFlag(k, folioOf(k, page), PG.uptodate) && k.stamp.get(page) === stamp ? page : NO_PFN;
}

/** __uprobe_write (6.16): the byte is written into the anonymous page, which goes when nobody else has it and the file holds the same. */
function writeInPlace(k: Kernel, vma: Vma, vpn: number, { table, i, page }: Mapped, stamp: number, original: Pfn): Result {
  const head = folioOf(k, page);
  tlbFlushRange(k, vma.mm, vpn, vpn + 1);
  k.stamp.set(page, stamp);
  if (original === NO_PFN || k.refcount.get(head) !== folioMapcount(k, head)) {
    setEntry(k, table, i, loAt(k, table, i) | dirtyBits(k), hiAt(k, table, i));
    return 0;
  }
  clearEntry(k, table, i);
  k.countMm(vma.mm, MMC.anonPages, -1);
  removeRmapPtes(k, page, 1, vma);
  folioPut(k, head);
  return HEALED;
}

/** __replace_page (until 6.15): a copy with the byte takes the page's place, or nothing does where the file holds the same. */
function replacePage(k: Kernel, vmaIn: Vma, vpn: number, { table, i, page }: Mapped, stamp: number, original: Pfn): Result {
  const vma = anonVmaPrepare(k, vmaIn.slot);
  const old = folioOf(k, page);
  const counter = rssCounter(k.pageFlags.get(old));
  const fresh = original === NO_PFN ? allocZeroedFolio(k, 0) : NO_PFN;
  if (original === NO_PFN && fresh === NO_PFN) return fail("ENOMEM");
  tlbFlushRange(k, vma.mm, vpn, vpn + 1);
  k.countMm(vma.mm, counter, -1);
  if (fresh === NO_PFN) clearEntry(k, table, i);
  else {
    k.stamp.set(fresh, stamp);
    k.charge(k.costs.copy4kNs);
    addNewAnonRmap(k, fresh, vma, vpn, false);
    k.countMm(vma.mm, MMC.anonPages, 1);
    setEntry(k, table, i, entryLoFor(k, fresh, vma.flags), entryHiFor(k, fresh, vma.flags));
  }
  removeRmapPtes(k, page, 1, vma);
  folioPut(k, old);
  return fresh === NO_PFN ? HEALED : 0;
}
