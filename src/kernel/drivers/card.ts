import type { Kernel } from "../mm/kernel.ts";

/** The memory of the card that drivers/hugelab.ts drives: frames behind those of the machine. */

/** Pages of the card: 2 GiB, so that an aligned block of 1 GiB has room wherever a mapping begins. */
export const CARD_PAGES = 2 ** 19;

/** First frame of the card's memory: behind the machine's, at a multiple of 1 GiB. */
export const cardStart = (memoryMiB: number): number => Math.ceil((memoryMiB * 256) / 2 ** 18) * 2 ** 18;

/** A frame that has no struct page: one of the card's (pfn_valid says no). */
export const isRawPfn = (k: Kernel, pfn: number): boolean => pfn >= k.cardStart;
