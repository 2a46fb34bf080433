import { folioOrder } from "../../kernel/mm/folio.ts";
import { folioOf, type Kernel } from "../../kernel/mm/kernel.ts";
import { PG } from "../../kernel/mm/pageFlags.ts";
import { entryPfn, hiAt, indexAt, isMarker, loAt, MARKER, present, pteLevel, walkTo } from "../../kernel/mm/pgtable.ts";
import { findVma, vmaAt } from "../../kernel/mm/vma.ts";
import { VM, VM_ACCESS } from "../../kernel/mm/vmFlags.ts";
import { isHugePmd, pmdOf } from "../../kernel/thp/splitPmd.ts";
import type { Pfn } from "../../kernel/units.ts";

/** What a page of a process can be, as far as operations on it differ. The first that fits, in this order. */
export const MEMORY_KINDS = [
  /** no mapping */
  "unmapped",
  /** no mapping, but the next one above grows down */
  "belowStack",
  /** a guard marker */
  "guard",
  /** mapped without any permission */
  "protNone",
  /** in a mapping that is locked, present or not */
  "locked",
  /** mapped, without an entry */
  "untouched",
  "zeroPage",
  "hugeZero",
  /** a page or folio that GUP holds */
  "pinned",
  /** mapped by more than one process: one page, a large folio by PTE, a THP by PMD */
  "shared4k",
  "sharedLarge",
  "sharedPmd",
  /** in a mapping that may be read but not written */
  "readOnly",
  /** MADV_FREE was called, nothing was written since */
  "lazyFree",
  "thpByPmd",
  "thpByPte",
  /** a folio between one page and a PMD */
  "mthp",
  "page4k",
] as const;
export type MemoryKind = (typeof MEMORY_KINDS)[number];

/** The entry that translates a page: the leaf, or nothing. */
export interface Leaf {
  readonly lo: number;
  readonly hi: number;
  readonly isPmd: boolean;
  /** frame of the 4 KiB page; -1 where the entry is not present */
  readonly pfn: number;
}

export function leafAt(k: Kernel, mm: number, vpn: number): Leaf | undefined {
  const pmd = pmdOf(k, mm, vpn);
  if (pmd !== undefined && isHugePmd(k, pmd.lo)) return { lo: pmd.lo, hi: pmd.hi, isPmd: true, pfn: entryPfn(pmd.lo, pmd.hi) + (vpn % 2 ** k.geo.pmdOrder) };
  const t = walkTo(k, k.mms.get(mm).pgd, vpn, pteLevel(k));
  if (t === 0) return undefined;
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const lo = loAt(k, t, i);
  const hi = hiAt(k, t, i);
  if (lo === 0 && hi === 0) return undefined;
  return { lo, hi, isPmd: false, pfn: present(k, lo) ? entryPfn(lo, hi) : -1 };
}

export function memoryKind(k: Kernel, mm: number, vpn: number): MemoryKind {
  const vma = vmaAt(k, mm, vpn);
  if (vma === undefined) {
    const above = findVma(k, mm, vpn);
    return above !== undefined && (above.flags & VM.growsDown) !== 0 ? "belowStack" : "unmapped";
  }
  const leaf = leafAt(k, mm, vpn);
  if (leaf !== undefined && isMarker(k, leaf.lo, leaf.hi, MARKER.guard)) return "guard";
  if ((vma.flags & VM_ACCESS) === 0) return "protNone";
  if ((vma.flags & VM.locked) !== 0) return "locked";
  if (leaf === undefined || leaf.pfn < 0) return "untouched";
  return presentKind(k, leaf, vma.flags);
}

function presentKind(k: Kernel, leaf: Leaf, vmaFlags: number): MemoryKind {
  if (!leaf.isPmd && (leaf.lo & k.geo.encoding.special) !== 0) return "zeroPage";
  const head = folioOf(k, leaf.pfn as Pfn);
  if (head === k.g.hugeZeroPfn) return "hugeZero";
  const flags = k.pageFlags.get(head);
  const isLarge = (flags & PG.head) !== 0;
  if (k.pincount.get(head) > 0) return "pinned";
  const maps = k.mapcount.get(leaf.pfn) + (isLarge ? k.entireMapcount.get(head) : 0);
  if (maps > 1) return leaf.isPmd ? "sharedPmd" : isLarge ? "sharedLarge" : "shared4k";
  if ((vmaFlags & VM.write) === 0) return "readOnly";
  if ((flags & PG.swapbacked) === 0) return "lazyFree";
  if (leaf.isPmd) return "thpByPmd";
  if (!isLarge) return "page4k";
  return folioOrder(k, head) === k.geo.pmdOrder ? "thpByPte" : "mthp";
}
