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
  /** faults to take by themselves before a batch is tried again, and how many that were last time: where free frames lie apart, asking is all that it does */
  pause: number;
  lastPause: number;
}

const LONGEST_PAUSE = 16;

/** The first fault of a batch, whose decisions are made: what the limits below look at. */
export interface BatchStart {
  readonly vma: Vma;
  readonly vpn: number;
  readonly table: TableIndex;
  /** of the entry in the table, which is none */
  readonly i: number;
  readonly stride: number;
}

/**
 * Everything that a fault on a none entry of private anonymous memory decides by, if it can differ from one page of a loop to the next: for how many
 * of the next accesses it is as it is for the first. A rule that is added to the path and looks at something else needs its line here.
 */
interface Limit<Args extends readonly unknown[]> {
  readonly name: string;
  readonly pages: (k: Kernel, ...args: Args) => number;
}

/** Of a fault that takes frames. What is quick to look at and often says 1 comes first. */
export const FRAME_LIMITS: readonly Limit<[]>[] = [
  { name: "block", pages: framesFromBlock },
  { name: "watermark", pages: framesToWatermark },
  // alloc_anon_folio looks at the neighbours for a larger folio, which then spans pages that follow
  { name: "sizes", pages: (k) => (smallPagesOnly(k) ? Infinity : 1) },
];

/** Of where it is. `most`: how many are wanted, 2 or more. */
export const PLACE_LIMITS: readonly Limit<[at: BatchStart, most: number]>[] = [
  { name: "vma", pages: (_k, at) => Math.ceil((at.vma.end - at.vpn) / at.stride) },
  { name: "table", pages: (k, at) => Math.ceil(pagesInTable(k, at.i) / at.stride) },
  { name: "entries", pages: (k, at, most) => noneEntries(k, at.table, at.i, at.stride, most) },
  // a translation that a CPU still has keeps an access from faulting, whatever the tables say
  { name: "tlb", pages: (k, at, most) => missesInTlb(k, at.vpn, at.stride, most) },
];

/** A batch for a loop that accesses every `step` bytes: possible only where each access is to another page, at the same offset. */
export function batchFor(step: number, kind: AccessKind): FaultBatch {
  const possible = kind !== "x" && step % 4096 === 0;
  return { stride: possible ? step / 4096 : 1, possible, wanted: 1, done: 1, pause: 0, lastPause: 0 };
}

/** Before a fault: asks for a batch of up to `most` accesses. Asking or not changes no state. */
export function askForBatch(batch: FaultBatch, most: number): void {
  if (batch.pause > 0) batch.pause--;
  batch.wanted = batch.possible && batch.pause === 0 ? most : 1;
}

/** How many pages a fault is carried out for, and says so in the batch. Explanations want each fault by itself. */
export function batchPages(k: Kernel, batch: FaultBatch, vma: Vma, vpn: number, flags: number, table: TableIndex, i: number): number {
  let nr = k.tracer === null ? batch.wanted : 1;
  if ((flags & FAULT.write) !== 0) for (let l = 0; nr > 1 && l < FRAME_LIMITS.length; l++) nr = Math.min(nr, FRAME_LIMITS[l].pages(k));
  if (nr > 1) {
    const at = { vma, vpn, table, i, stride: batch.stride };
    for (let l = 0; nr > 1 && l < PLACE_LIMITS.length; l++) nr = Math.min(nr, PLACE_LIMITS[l].pages(k, at, nr));
  }
  batch.lastPause = nr > 1 ? 0 : Math.min(LONGEST_PAUSE, 2 * batch.lastPause + 1);
  batch.pause = batch.lastPause;
  batch.done = nr;
  return nr;
}

/** The exceptions of a batch behind its first, which were handled with it. */
export function otherExceptions(k: Kernel, mm: number, vpn: number, offsetBytes: number, kind: AccessKind, batch: FaultBatch): void {
  k.charge(k.costs.faultEntryNs * (batch.done - 1));
  if (k.hooks.onFault === null) return;
  for (let n = 1; n < batch.done; n++) k.hooks.onFault(mm, vpn + n * batch.stride, offsetBytes, kind === "w" ? 2 : 0);
}
