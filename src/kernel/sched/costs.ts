/**
 * Simulated nanoseconds of what costs time. Every figure has a source; a learner may edit the sheet.
 * The clock is for comparing orders of magnitude, never for predicting a machine.
 */
export interface CostSheet {
  /** entry and return of an exception */
  readonly faultEntryNs: number;
  readonly syscallNs: number;
  /** one level of a page-table walk that hits the cache */
  readonly walkLevelNs: number;
  readonly zero4kNs: number;
  readonly copy4kNs: number;
  readonly zero2mNs: number;
  readonly copy2mNs: number;
  readonly allocPageNs: number;
  readonly allocHugeNs: number;
  readonly tlbFlushNs: number;
  readonly entrySetNs: number;
}

/**
 * Figures of an ordinary x86-64 server: a trapped 4 KiB anonymous fault is about 500 to 1000 ns of which
 * clearing is about 100 ns (10 GB/s and more); clearing 2 MiB about 60 us at 35 GB/s. They were set from the touch
 * loop of bench/ on the project's machine (docs/performance.md), rounded.
 */
export const DEFAULT_COSTS: CostSheet = {
  faultEntryNs: 350,
  syscallNs: 100,
  walkLevelNs: 5,
  zero4kNs: 100,
  copy4kNs: 150,
  zero2mNs: 60000,
  copy2mNs: 80000,
  allocPageNs: 60,
  allocHugeNs: 500,
  tlbFlushNs: 200,
  entrySetNs: 10,
};
