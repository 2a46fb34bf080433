/**
 * Branded numbers. A virtual page number, a page frame number, the index of a page table and an
 * order are all plain numbers at run time; the brands keep them from being mixed up.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** Virtual page number: byte address / page size, below 2^45. */
export type Vpn = Branded<"Vpn">;
/** Page frame number: physical address / page size, below 2^31. */
export type Pfn = Branded<"Pfn">;
/** Number of a page table (not its frame). 0 is no table. */
export type TableIndex = Branded<"TableIndex">;
/** log2 of a number of pages. */
export type Order = Branded<"Order">;

export const asVpn = (n: number): Vpn => n as Vpn;
export const asPfn = (n: number): Pfn => n as Pfn;
export const asTable = (n: number): TableIndex => n as TableIndex;
export const asOrder = (n: number): Order => n as Order;

export const PAGE_SHIFT = 12;
export const PAGE_BYTES = 4096;
/** No frame. */
export const NO_PFN = -1 as Pfn;
export const NO_TABLE = 0 as TableIndex;

/** Rounds up to a multiple of a power of two; safe above 2^31. */
export const roundUp = (n: number, unit: number): number => Math.ceil(n / unit) * unit;
/** Rounds down to a multiple of a power of two; safe above 2^31. */
export const roundDown = (n: number, unit: number): number => Math.floor(n / unit) * unit;
