import { makeReadOnly, makeWritable } from "../arch/geometry.ts";
import type { Kernel } from "./kernel.ts";
import { pfnHi, pfnLo } from "./pgtable.ts";
import { VM } from "./vmFlags.ts";

/** Bits of entries as a VMA's protection asks for them (vm_page_prot of a private mapping: never writable). */

export function protLo(k: Kernel, flags: number): number {
  const e = k.geo.encoding;
  if ((flags & (VM.read | VM.write | VM.exec)) === 0) return makeReadOnly(e, e.protNone | e.accessed);
  const exec = flags & VM.exec ? e.execLo : 0;
  return makeReadOnly(e, e.present | e.user | e.accessed | exec);
}

export const protHi = (k: Kernel, flags: number): number => (flags & VM.exec ? 0 : k.geo.encoding.noExecHi);

/** pte_mkdirty: also the soft-dirty bit where the kernel tracks it. */
export const dirtyBits = (k: Kernel): number => k.dirtyBits;

export const entryLoFor = (k: Kernel, pfn: number, flags: number): number => pfnLo(pfn) | protLo(k, flags);
export const entryHiFor = (k: Kernel, pfn: number, flags: number): number => pfnHi(pfn) | protHi(k, flags);

/** maybe_mkwrite(pte_mkdirty()): dirty always, writable when the VMA is. */
export const dirtyMaybeWrite = (k: Kernel, lo: number, flags: number): number => (flags & VM.write ? makeWritable(k.geo.encoding, lo) : lo) | dirtyBits(k);
