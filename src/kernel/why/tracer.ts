/**
 * Explanations are derived by running one operation again with a tracer (DESIGN.md section 3).
 * Kernel code reports a decision where it takes one; without a tracer that costs one comparison.
 */
export type Cause =
  /** a kernel file and what it held */
  | { readonly kind: "setting"; readonly path: string; readonly value: string | number }
  /** a flag of a VMA, set or not */
  | { readonly kind: "vmaFlag"; readonly vma: number; readonly flag: string; readonly set: boolean }
  /** the bounds of a VMA */
  | { readonly kind: "vmaBounds"; readonly vma: number; readonly start: number; readonly end: number }
  /** PR_SET_THP_DISABLE of an mm */
  | { readonly kind: "prctl"; readonly mm: number; readonly value: number }
  /** an entry of a page table */
  | { readonly kind: "entry"; readonly mm: number; readonly vpn: number; readonly is: string }
  /** a property of a folio */
  | { readonly kind: "folio"; readonly pfn: number; readonly property: string; readonly value: number }
  /** what kind of access was made */
  | { readonly kind: "access"; readonly write: boolean }
  /** a behaviour of the release */
  | { readonly kind: "era"; readonly behaviour: string; readonly value: string | boolean }
  | { readonly kind: "memory"; readonly order: number };

export interface Decision {
  /** kernel function that decides, as the release calls it */
  readonly symbol: string;
  /** key of the rule in the catalogue */
  readonly rule: string;
  readonly outcome: string;
  readonly causes: readonly Cause[];
  readonly mm: number;
  /** page number the decision is about; -1 when it is about none */
  readonly vpn: number;
}

export interface Tracer {
  decide(decision: Decision): void;
}
