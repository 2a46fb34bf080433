import type { Kernel } from "../mm/kernel.ts";
import type { Vma } from "../mm/records.ts";
import { VM, VM_SPECIAL, VMH } from "../mm/vmFlags.ts";
import type { Cause, Rule, VmaFlagName } from "./tracer.ts";

/** Why a mapping lies where it does and merged or did not, for explanations. Only called with a tracer. */

/** Flags by name: bits of `flags`, or of `flagsHi` (second list). */
export const FLAG_BITS: readonly (readonly [VmaFlagName, number])[] = [
  ["VM_READ", VM.read],
  ["VM_WRITE", VM.write],
  ["VM_EXEC", VM.exec],
  ["VM_SHARED", VM.shared],
  ["VM_GROWSDOWN", VM.growsDown],
  ["VM_LOCKED", VM.locked],
  ["VM_LOCKONFAULT", VM.lockOnFault],
  ["VM_SEQ_READ", VM.seqRead],
  ["VM_RAND_READ", VM.randRead],
  ["VM_DONTCOPY", VM.dontCopy],
  ["VM_ACCOUNT", VM.account],
  ["VM_NORESERVE", VM.noReserve],
  ["VM_WIPEONFORK", VM.wipeOnFork],
  ["VM_DONTDUMP", VM.dontDump],
  ["VM_SOFTDIRTY", VM.softDirty],
  ["VM_HUGEPAGE", VM.hugePage],
  ["VM_NOHUGEPAGE", VM.noHugePage],
  ["VM_MERGEABLE", VM.mergeable],
  ["VM_SPECIAL", VM_SPECIAL],
];
export const HIGH_FLAG_BITS: readonly (readonly [VmaFlagName, number])[] = [
  ["VM_SEALED", VMH.sealed],
  ["VM_DROPPABLE", VMH.droppable],
];

export function hasVmaFlag(vma: Vma, name: VmaFlagName): boolean {
  const low = FLAG_BITS.find(([flag]) => flag === name);
  if (low !== undefined) return (vma.flags & low[1]) !== 0;
  const high = HIGH_FLAG_BITS.find(([flag]) => flag === name);
  return high !== undefined && (vma.flagsHi & high[1]) !== 0;
}

/** Flags that two VMAs have to share to merge, by name, in which they differ; VM_ACCOUNT comes and goes with VM_WRITE. */
function differing(vma: Vma, flags: number, flagsHi: number): VmaFlagName[] {
  return [
    ...FLAG_BITS.filter(([name, bit]) => name !== "VM_SOFTDIRTY" && ((vma.flags ^ flags) & bit) !== 0),
    ...HIGH_FLAG_BITS.filter(([, bit]) => ((vma.flagsHi ^ flagsHi) & bit) !== 0),
  ]
    .map(([name]) => name)
    .filter((name, _, all) => name !== "VM_ACCOUNT" || !all.includes("VM_WRITE"));
}

/** What is asked of a neighbour: the mapping that would be merged with it. */
export interface MergeQuestion {
  readonly mm: number;
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly flagsHi: number;
  readonly pgoff: number;
  readonly anonVma: number;
}

/**
 * One neighbour of a mapping that is made, moved or changed: merged, or which rule said no. `anon`: whether the anon_vmas
 * allow it in this release; `anonOther`: in the other kind of release (vmaMergeAnonDup); `side` -1: the neighbour below.
 */
export function traceNeighbour(k: Kernel, vma: Vma | undefined, p: MergeQuestion, side: 1 | -1, merged: boolean, anon: boolean, anonOther: boolean): void {
  // a neighbour that does not touch the range is no candidate
  if (vma === undefined || (side < 0 ? vma.end !== p.start : vma.start !== p.end)) return;
  const vpn = vma.start;
  const flags = differing(vma, p.flags, p.flagsHi).map((flag): Cause => ({ kind: "vmaFlag", mm: p.mm, vpn, flag, set: hasVmaFlag(vma, flag) }));
  const offsetNeeded = side < 0 ? p.pgoff - (vma.end - vma.start) : p.pgoff + (p.end - p.start);
  const offset: Cause = { kind: "offset", mm: p.mm, vpn, pgoff: vma.pgoff };
  const own: Cause = { kind: "anonVma", mm: p.mm, vpn, set: vma.anonVma !== 0 };
  const anonCauses: Cause[] = anon === anonOther ? [own] : [own, { kind: "era", behaviour: "vmaMergeAnonDup", value: k.era.vmaMergeAnonDup }];
  const fails: (readonly [Rule, Cause[]])[] = [];
  if (flags.length > 0) fails.push(["vma.flags", flags]);
  if (vma.pgoff !== offsetNeeded) fails.push(["vma.offset", vma.anonVma !== 0 ? [offset, own] : [offset]]);
  if (!anon) fails.push(["vma.anonVma", anonCauses]);
  const first = fails.at(0);
  const also = fails.slice(1).map(([, causes]) => causes[0]);
  if (flags.length > 1) also.unshift(...flags.slice(1));
  // the rest of what is needed is that nothing differs
  const held: Cause[] = [{ kind: "occupied", mm: p.mm, vpn, end: vma.end }, ...(anon === anonOther ? [] : anonCauses.slice(1))];
  k.tracer?.decide({
    symbol: side < 0 ? "can_vma_merge_left" : "can_vma_merge_right",
    // the neighbour would merge alone, but the one on the other side has another anon_vma
    rule: merged ? "vma.merged" : first === undefined ? "vma.twoAnonVmas" : first[0],
    outcome: merged ? "merged" : "apart",
    causes: merged ? held : first === undefined ? [own] : first[0] === "vma.flags" ? [flags[0]] : first[1],
    also: merged ? [] : also,
    mm: p.mm,
    vpn: Math.min(vma.start, p.start),
    pages: Math.max(vma.end, p.end) - Math.min(vma.start, p.start),
  });
}

/** thp_get_unmapped_area: whether a place that the kernel chooses is aligned for huge pages. */
export function tracePlacement(k: Kernel, mm: number, hint: number, pages: number, aligned: boolean): void {
  const style = k.era.mmapThpAlign;
  const causes: Cause[] = [
    { kind: "era", behaviour: "mmapThpAlign", value: style },
    { kind: "argument", name: "length", value: pages * 4096 },
  ];
  if (hint !== 0) causes.push({ kind: "argument", name: "address", value: hint * 4096 });
  k.tracer?.decide({
    symbol: "thp_get_unmapped_area",
    rule: aligned ? "mmap.aligned" : "mmap.notAligned",
    outcome: aligned ? "aligned" : "not aligned",
    causes: style === "none" ? causes.slice(0, 1) : causes,
    mm,
    vpn: -1,
    pages: 0,
  });
}
