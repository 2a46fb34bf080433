import { FAULT } from "./faultFlags.ts";
import type { Kernel } from "./kernel.ts";
import { framesFromBlock, framesToWatermark } from "./pageAlloc.ts";
import { noneEntries, pagesInTable } from "./pgtable.ts";
import type { Vma } from "./records.ts";
import { missesInTlb } from "./tlb.ts";
import type { AccessKind } from "./translate.ts";
import type { TableIndex } from "../units.ts";
import { smallPagesOnly } from "../thp/eligibility/orders.ts";

/**
 * Faults in batches. A loop that touches page after page faults on each of them, and mostly all that decides the first fault
 * decides the next ones alike. Those are carried out with it: each function of the path then works for `nr` pages, as those of Linux
 * do that take one (set_ptes, folio_add_anon_rmap_ptes); a fault alone is a batch of 1. The state afterwards is that of `nr` faults one by one, which
 * src/kernel/mm/faultBatch.property.test.ts holds against each other.
 */
export interface FaultBatch {
  /** pages from one access to the next */
  readonly stride: number;
  /** false: the accesses of this loop are taken one by one */
  readonly possible: boolean;
  /** accesses in a row that the caller has to make, the one that faults included */
  wanted: number;
  /** accesses that the fault was taken for, the first included */
  done: number;
}

/** A fault whose decisions are made: what the limits below look at. */
export interface BatchStart {
  readonly vma: Vma;
  readonly vpn: number;
  /** FAULT_FLAG_* */
  readonly flags: number;
  readonly table: TableIndex;
  /** of the entry in the table, which is none */
  readonly i: number;
  readonly stride: number;
}

interface BatchLimit {
  readonly name: string;
  /** for how many of the next `most` accesses (at least 2) this is as it is for the first */
  readonly pages: (k: Kernel, at: BatchStart, most: number) => number;
}

const takesFrames = (at: BatchStart): boolean => (at.flags & FAULT.write) !== 0;

/**
 * Everything that a fault on a none entry of private anonymous memory decides by, if it can differ from one page of a loop to the next. A rule that is added
 * to the path and looks at something else needs its line here. Those that are quick to look at and often say 1 come first.
 */
export const BATCH_LIMITS: readonly BatchLimit[] = [
  // alloc_anon_folio looks at the neighbours for a larger folio, which then spans pages that follow
  { name: "sizes", pages: (k, at, most) => (!takesFrames(at) || smallPagesOnly(k) ? most : 1) },
  { name: "block", pages: (k, at, most) => (takesFrames(at) ? framesFromBlock(k) : most) },
  { name: "watermark", pages: (k, at, most) => (takesFrames(at) ? framesToWatermark(k) : most) },
  { name: "vma", pages: (_k, at) => Math.ceil((at.vma.end - at.vpn) / at.stride) },
  { name: "table", pages: (k, at) => Math.ceil(pagesInTable(k, at.i) / at.stride) },
  { name: "entries", pages: (k, at, most) => noneEntries(k, at.table, at.i, at.stride, most) },
  // a translation that a CPU still has keeps an access from faulting, whatever the tables say
  { name: "tlb", pages: (k, at, most) => missesInTlb(k, at.vpn, at.stride, most) },
];

/** A batch for a loop that accesses every `step` bytes: possible only where each access is to another page, at the same offset. */
export function batchFor(step: number, kind: AccessKind): FaultBatch {
  const possible = kind !== "x" && step % 4096 === 0;
  return { stride: possible ? step / 4096 : 1, possible, wanted: 1, done: 1 };
}

/** How many pages a fault is carried out for, and says so in the batch. Explanations want each fault by itself. */
export function batchPages(k: Kernel, batch: FaultBatch, at: BatchStart): number {
  let nr = k.tracer === null ? batch.wanted : 1;
  for (let l = 0; nr > 1 && l < BATCH_LIMITS.length; l++) nr = Math.min(nr, BATCH_LIMITS[l].pages(k, at, nr));
  batch.done = nr;
  return nr;
}

/** The exceptions of a batch behind its first, which were handled with it. */
export function otherExceptions(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind, batch: FaultBatch): void {
  k.charge(k.costs.faultEntryNs * (batch.done - 1));
  if (k.hooks.onFault === null) return;
  for (let n = 1; n < batch.done; n++) k.hooks.onFault(mm, vpn + n * batch.stride, offsetBytes, kind === "w" ? 2 : 0);
}
