import type { Kernel } from "./kernel.ts";
import type { AnonVma, Vma } from "./records.ts";
import { VM, VM_ACCESS, VMH } from "./vmFlags.ts";

/** anon_vma and its chains (mm/rmap.c): which VMAs may map a page that was first faulted in another. */

const replace = (k: Kernel, slot: number, change: Partial<AnonVma>): AnonVma => k.anonVmas.update(slot, change);

export function linkChain(k: Kernel, vmaSlot: number, anonVma: number): void {
  const av = k.anonVmas.get(anonVma);
  replace(k, anonVma, { vmas: [...av.vmas, vmaSlot] });
}

/** Two neighbours may share an anon_vma when a split could have made them (anon_vma_compatible). */
function compatible(a: Vma, b: Vma): boolean {
  return (
    a.end === b.start &&
    a.name === b.name &&
    a.file === b.file &&
    ((a.flags ^ b.flags) & ~(VM_ACCESS | VM.softDirty)) === 0 &&
    ((a.flagsHi ^ b.flagsHi) & ~VMH.maybeGuard) === 0 &&
    b.pgoff === a.pgoff + (b.start - a.start)
  );
}

/** Index of a VMA in its mm's list. */
function indexOf(k: Kernel, vma: Vma): number {
  return k.mms.get(vma.mm).vmas.indexOf(vma.slot);
}

function findMergeable(k: Kernel, vma: Vma): number {
  const list = k.mms.get(vma.mm).vmas;
  const at = indexOf(k, vma);
  const next = at + 1 < list.length ? k.vmas.get(list[at + 1]) : undefined;
  if (next !== undefined && compatible(vma, next) && next.anonVma !== 0 && next.chain.length === 1) return next.anonVma;
  const prev = at > 0 ? k.vmas.get(list[at - 1]) : undefined;
  if (prev !== undefined && compatible(prev, vma) && prev.anonVma !== 0 && prev.chain.length === 1) return prev.anonVma;
  return 0;
}

/** anon_vma_prepare: gives the VMA an anon_vma, a neighbour's where one can be shared. */
export function anonVmaPrepare(k: Kernel, slot: number): Vma {
  const vma = k.vmas.get(slot);
  if (vma.anonVma !== 0) return vma;
  let av = findMergeable(k, vma);
  if (av === 0) av = k.anonVmas.add((s) => ({ slot: s, root: s, parent: 0, numChildren: 1, numActiveVmas: 0, vmas: [] }));
  replace(k, av, { numActiveVmas: k.anonVmas.get(av).numActiveVmas + 1 });
  linkChain(k, slot, av);
  return k.vmas.update(slot, { anonVma: av, chain: [...vma.chain, av], step: k.step });
}

/**
 * anon_vma_clone: `dst` gets src's chain. At fork (`reuse`) an ancestor that no VMA uses any more becomes
 * dst's own; otherwise a clone of the same mm shares src's anon_vma.
 */
export function anonVmaClone(k: Kernel, dst: number, src: Vma, reuse: boolean): Vma {
  let own = reuse ? 0 : src.anonVma;
  for (const av of src.chain) {
    linkChain(k, dst, av);
    const record = k.anonVmas.get(av);
    if (reuse && own === 0 && src.anonVma !== 0 && record.numChildren < 2 && record.numActiveVmas === 0) own = av;
  }
  if (own !== 0) replace(k, own, { numActiveVmas: k.anonVmas.get(own).numActiveVmas + 1 });
  return k.vmas.update(dst, { anonVma: own, chain: [...src.chain] });
}

/** anon_vma_fork: the child VMA sees its parents' pages, and gets an anon_vma of its own for new ones. */
export function anonVmaFork(k: Kernel, dst: number, src: Vma): Vma {
  if (src.anonVma === 0) return k.vmas.get(dst);
  const cloned = anonVmaClone(k, dst, src, true);
  if (cloned.anonVma !== 0) return cloned;
  const parent = k.anonVmas.get(src.anonVma);
  const av = k.anonVmas.add((s) => ({ slot: s, root: parent.root, parent: parent.slot, numChildren: 0, numActiveVmas: 1, vmas: [dst] }));
  replace(k, parent.slot, { numChildren: k.anonVmas.get(parent.slot).numChildren + 1 });
  return k.vmas.update(dst, { anonVma: av, chain: [...cloned.chain, av] });
}

/** unlink_anon_vmas: the VMA leaves every tree; an anon_vma without VMAs and children is freed. */
export function unlinkAnonVmas(k: Kernel, slot: number): void {
  const vma = k.vmas.get(slot);
  if (vma.anonVma !== 0) replace(k, vma.anonVma, { numActiveVmas: k.anonVmas.get(vma.anonVma).numActiveVmas - 1 });
  const emptied: number[] = [];
  for (const av of vma.chain) {
    const left = k.anonVmas.get(av).vmas.filter((v) => v !== slot);
    replace(k, av, { vmas: left });
    if (left.length === 0) {
      emptied.push(av);
      const parent = k.anonVmas.get(av).parent;
      if (parent !== 0 && k.anonVmas.find(parent) !== undefined) replace(k, parent, { numChildren: k.anonVmas.get(parent).numChildren - 1 });
    }
  }
  for (const av of emptied) k.anonVmas.remove(av);
}
