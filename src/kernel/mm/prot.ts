import { makeReadOnly, makeWritable } from "../arch/geometry.ts";
import type { Kernel } from "./kernel.ts";
import { pfnHi, pfnLo } from "./pgtable.ts";
import type { Vma } from "./records.ts";
import { VM } from "./vmFlags.ts";

/** Bits of entries as a VMA's protection asks for them. */

/** vm_page_prot of a private mapping: never writable. */
export function protLo(k: Kernel, flags: number): number {
  const e = k.geo.encoding;
  if ((flags & (VM.read | VM.write | VM.exec)) === 0) return makeReadOnly(e, e.protNone | e.accessed);
  const exec = flags & VM.exec ? e.execLo : 0;
  return makeReadOnly(e, e.present | e.user | e.accessed | exec);
}

/** vma_wants_writenotify: a file system that wants to know of the first write to each page gets a fault for it. */
const wantsWriteNotify = (vma: Vma): boolean => vma.ops === "disk";

/** vma_set_page_prot: entries of a shared, writable mapping are writable at once, where nobody has to be told. */
export function vmPageProt(k: Kernel, vma: Vma): number {
  const lo = protLo(k, vma.flags);
  const shared = VM.shared | VM.write;
  return (vma.flags & shared) === shared && !wantsWriteNotify(vma) ? makeWritable(k.geo.encoding, lo) : lo;
}

export const protHi = (k: Kernel, flags: number): number => (flags & VM.exec ? 0 : k.geo.encoding.noExecHi);

/** pte_mkdirty: also the soft-dirty bit where the kernel tracks it. */
export const dirtyBits = (k: Kernel): number => k.dirtyBits;

export const entryLoFor = (k: Kernel, pfn: number, flags: number): number => pfnLo(pfn) | protLo(k, flags);
export const entryHiFor = (k: Kernel, pfn: number, flags: number): number => pfnHi(pfn) | protHi(k, flags);

/** maybe_mkwrite(pte_mkdirty()): dirty always, writable when the VMA is. */
export const dirtyMaybeWrite = (k: Kernel, lo: number, flags: number): number => (flags & VM.write ? makeWritable(k.geo.encoding, lo) : lo) | dirtyBits(k);
