import { bugOn } from "../assert.ts";
import type { Era } from "../era/era.ts";
import { khugepagedEnterVma } from "../thp/khugepagedList.ts";
import { splitPmdAddress } from "../thp/splitPmd.ts";
import { anonVmaClone, unlinkAnonVmas } from "./anonVma.ts";
import { linkFile, unlinkFile } from "./inode.ts";
import type { Kernel } from "./kernel.ts";
import type { Vma, VmOps } from "./records.ts";
import { VM, VM_SPECIAL, VMH } from "./vmFlags.ts";
import { traceNeighbour } from "../why/vma.ts";

/** The list of VMAs of an mm: lookup, insertion, splitting and merging (mm/vma.c, mm/mmap.c). */

/** Index in mm.vmas of the first VMA that ends above `vpn`. */
export function lowerIndex(k: Kernel, mm: number, vpn: number): number {
  const list = k.mms.get(mm).vmas;
  let lo = 0;
  let hi = list.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (k.vmas.get(list[mid]).end > vpn) hi = mid;
    else lo = mid + 1;
  }
  return lo;
}

/** find_vma: the first VMA that ends above `vpn` (it may start above it too). */
export function findVma(k: Kernel, mm: number, vpn: number): Vma | undefined {
  const last = k.lastVma;
  // still in its slot, so it has not changed: what holds the page is what ends above it first
  if (last !== null && !k.preempt && vpn >= last.start && vpn < last.end && last.mm === mm && k.vmas.find(last.slot) === last) return last;
  const list = k.mms.get(mm).vmas;
  const i = lowerIndex(k, mm, vpn);
  if (i === list.length) return undefined;
  k.lastVma = k.vmas.get(list[i]);
  return k.lastVma;
}

/** vma_lookup: the VMA that holds `vpn`. */
export function vmaAt(k: Kernel, mm: number, vpn: number): Vma | undefined {
  const vma = findVma(k, mm, vpn);
  return vma !== undefined && vma.start <= vpn ? vma : undefined;
}

/** VMAs that intersect [start, end), in order. A copy: callers change the list while they walk it. */
export function vmasIn(k: Kernel, mm: number, start: number, end: number): Vma[] {
  const list = k.mms.get(mm).vmas;
  const out: Vma[] = [];
  for (let i = lowerIndex(k, mm, start); i < list.length; i++) {
    const vma = k.vmas.get(list[i]);
    if (vma.start >= end) break;
    out.push(vma);
  }
  return out;
}

export const anyVmaIn = (k: Kernel, mm: number, start: number, end: number): boolean => {
  const vma = findVma(k, mm, start);
  return vma !== undefined && vma.start < end;
};

/** True when [start, end) has no hole. */
export function fullyMapped(k: Kernel, mm: number, start: number, end: number): boolean {
  let at = start;
  for (const vma of vmasIn(k, mm, start, end)) {
    if (vma.start > at) return false;
    at = vma.end;
  }
  return at >= end;
}

/** Puts a VMA record into the list. */
export function insertVma(k: Kernel, fields: Omit<Vma, "slot" | "step">): Vma {
  const slot = k.vmas.add((s) => ({ ...fields, slot: s, step: k.step }));
  const mm = k.mms.get(fields.mm);
  const at = lowerIndex(k, fields.mm, fields.start);
  k.mms.set(fields.mm, { ...mm, vmas: [...mm.vmas.slice(0, at), slot, ...mm.vmas.slice(at)], step: k.step });
  const vma = k.vmas.get(slot);
  if (vma.file !== 0) linkFile(k, vma);
  return vma;
}

/** Takes a VMA out of the list and frees it; its pages must be gone or belong to another VMA now. */
export function removeVma(k: Kernel, slot: number): void {
  const vma = k.vmas.get(slot);
  unlinkAnonVmas(k, slot);
  if (vma.file !== 0) unlinkFile(k, vma);
  const mm = k.mms.get(vma.mm);
  k.mms.set(vma.mm, { ...mm, vmas: mm.vmas.filter((s) => s !== slot), step: k.step });
  k.vmas.remove(slot);
}

export const changeVma = (k: Kernel, slot: number, change: Partial<Vma>): Vma => k.vmas.update(slot, { ...change, step: k.step });

/**
 * __split_vma: cuts a VMA in two at `at`. A PMD-mapped THP across the cut is split first.
 * Returns [lower, upper]; `newBelow` says which of them is the new record (its chain is a clone).
 */
export function splitVma(k: Kernel, slot: number, at: number, newBelow: boolean): [Vma, Vma] {
  const vma = k.vmas.get(slot);
  bugOn(at <= vma.start || at >= vma.end, "VMA split outside of it");
  splitPmdAddress(k, vma, at);
  const upperPgoff = vma.pgoff + (at - vma.start);
  const { slot: _slot, step: _step, ...fields } = vma;
  const upper = { start: at, pgoff: upperPgoff };
  const lower = { end: at };
  changeVma(k, slot, newBelow ? upper : lower);
  const fresh = insertVma(k, { ...fields, ...(newBelow ? lower : upper), anonVma: 0, chain: [] });
  anonVmaClone(k, fresh.slot, vma, false);
  const a = k.vmas.get(newBelow ? fresh.slot : slot);
  const b = k.vmas.get(newBelow ? slot : fresh.slot);
  return [a, b];
}

interface Proposal {
  readonly mm: number;
  readonly start: number;
  readonly end: number;
  readonly flags: number;
  readonly flagsHi: number;
  readonly pgoff: number;
  readonly name: string;
  readonly file: number;
  readonly ops: VmOps;
  readonly anonVma: number;
  /** the VMA that is changed in place; undefined for a new mapping */
  readonly middle: Vma | undefined;
  /** the VMA that is copied (mremap) */
  readonly copiedFrom: Vma | undefined;
}

const sameKind = (vma: Vma, p: Proposal): boolean =>
  ((vma.flags ^ p.flags) & ~VM.softDirty) === 0 && ((vma.flagsHi ^ p.flagsHi) & ~VMH.maybeGuard) === 0 && vma.name === p.name && vma.file === p.file;

const uncowedParents = (vma: Vma | undefined): boolean => vma !== undefined && vma.anonVma !== 0 && vma.chain.length !== 1;

/** is_mergeable_anon_vma, by release. */
function anonMergeable(behaviour: Era["vmaMergeAnonDup"], target: Vma, p: Proposal): boolean {
  if (behaviour === "anyUncowed") {
    if (target.anonVma === 0 && p.anonVma !== 0) return !uncowedParents(p.middle ?? p.copiedFrom);
    if (target.anonVma !== 0 && p.anonVma === 0) return !uncowedParents(target);
    return target.anonVma === p.anonVma;
  }
  // until 6.15 the chain of the VMA that grows must hold exactly one anon_vma; an unfaulted one has none
  if ((target.anonVma === 0 || p.anonVma === 0) && target.chain.length === 1) return true;
  return target.anonVma === p.anonVma;
}

function mergeableLeft(k: Kernel, prev: Vma | undefined, p: Proposal): boolean {
  if (prev === undefined || prev.end !== p.start || !sameKind(prev, p)) return false;
  return prev.pgoff + (prev.end - prev.start) === p.pgoff && anonMergeable(k.era.vmaMergeAnonDup, prev, p);
}

function mergeableRight(k: Kernel, next: Vma | undefined, p: Proposal, left: Vma | undefined): boolean {
  if (next === undefined || next.start !== p.end || !sameKind(next, p)) return false;
  if (next.pgoff !== p.pgoff + (p.end - p.start) || !anonMergeable(k.era.vmaMergeAnonDup, next, p)) return false;
  return left === undefined || left.anonVma === 0 || next.anonVma === 0 || left.anonVma === next.anonVma;
}

/** For explanations: what each neighbour said, also by the rule about anon_vmas of the other kind of release. */
function traceMerge(k: Kernel, p: Proposal, prev: Vma | undefined, left: boolean, next: Vma | undefined, right: boolean): void {
  const now = k.era.vmaMergeAnonDup;
  const other = now === "anyUncowed" ? "singularTarget" : "anyUncowed";
  const anon = (vma: Vma | undefined, behaviour: Era["vmaMergeAnonDup"]): boolean => vma !== undefined && anonMergeable(behaviour, vma, p);
  traceNeighbour(k, prev, p, -1, left, anon(prev, now), anon(prev, other));
  traceNeighbour(k, next, p, 1, right, anon(next, now), anon(next, other));
}

/** A VMA with vm_ops->close must not disappear in a merge (can_merge_remove_vma); until 6.3 it does not merge at all. */
function closeForbids(k: Kernel, p: Proposal, left: boolean, right: (isLeft: boolean) => boolean): readonly [left: boolean, right: boolean] {
  const isRight = right(left);
  if (p.ops !== "sysv") return [left, isRight];
  const isWhole = p.middle !== undefined && p.middle.start === p.start && p.middle.end === p.end;
  if (!k.era.closeVmaGrows || isWhole) return [false, false];
  return [left, isRight && !left];
}

/** dup_anon_vma: the VMA that grows over a faulted one takes over its chain. */
function dupAnonVma(k: Kernel, target: Vma, source: Vma | undefined): void {
  if (source !== undefined && source.anonVma !== 0 && target.anonVma === 0) anonVmaClone(k, target.slot, source, false);
}

/**
 * vma_merge, vma_merge_new_range and vma_merge_existing_range: lets the neighbours take over [start, end).
 * Returns the VMA that holds the range afterwards, or undefined when nothing merged.
 */
export function mergeVma(k: Kernel, p: Proposal): Vma | undefined {
  if (p.flags & VM_SPECIAL) return undefined;
  const list = k.mms.get(p.mm).vmas;
  const at = lowerIndex(k, p.mm, p.start);
  const middle = p.middle;
  const touchesLeft = middle === undefined || middle.start === p.start;
  const touchesRight = middle === undefined || middle.end === p.end;
  const prev = touchesLeft && at > 0 ? k.vmas.get(list[at - 1]) : undefined;
  const nextAt = middle === undefined ? at : at + 1;
  const next = touchesRight && nextAt < list.length ? k.vmas.get(list[nextAt]) : undefined;
  const [left, right] = closeForbids(k, p, mergeableLeft(k, prev, p), (isLeft) => mergeableRight(k, next, p, isLeft ? prev : undefined));
  if (k.tracer !== null) traceMerge(k, p, prev, left, next, right);
  if (!left && !right) return undefined;
  // what is cut out of the middle VMA must not leave a PMD across the cut
  if (middle !== undefined && middle.start < p.start) splitPmdAddress(k, middle, p.start);
  if (middle !== undefined && middle.end > p.end) splitPmdAddress(k, middle, p.end);
  const target = (left ? prev : next) as Vma;
  if (left && right) dupAnonVma(k, target, (next as Vma).anonVma !== 0 ? next : middle);
  else dupAnonVma(k, target, middle);
  if (middle !== undefined) {
    if (touchesLeft && touchesRight) removeVma(k, middle.slot);
    else if (left) changeVma(k, middle.slot, { start: p.end, pgoff: middle.pgoff + (p.end - middle.start) });
    else changeVma(k, middle.slot, { end: p.start });
  }
  if (left && right) removeVma(k, (next as Vma).slot);
  // sticky flags pass to what the neighbours become
  const sticky = (p.flagsHi | (left ? (prev as Vma).flagsHi : 0) | (right ? (next as Vma).flagsHi : 0)) & VMH.maybeGuard;
  const flagsHi = target.flagsHi | sticky;
  const grown = left
    ? changeVma(k, target.slot, { end: right ? (next as Vma).end : p.end, flagsHi })
    : changeVma(k, target.slot, { start: p.start, pgoff: target.pgoff - (target.start - p.start), flagsHi });
  khugepagedEnterVma(k, grown, p.flags);
  return grown;
}

/**
 * vma_modify: gives [start, end) of a VMA other flags, merging with neighbours or splitting as Linux does.
 * Returns the VMA that holds the range. Flags are set only where nothing merged.
 */
export function modifyVma(k: Kernel, slot: number, start: number, end: number, flags: number, flagsHi: number): Vma {
  let vma = k.vmas.get(slot);
  if (vma.flags === flags && vma.flagsHi === flagsHi) return vma;
  const merged = mergeVma(k, {
    mm: vma.mm,
    start,
    end,
    flags,
    flagsHi,
    pgoff: vma.pgoff + (start - vma.start),
    name: vma.name,
    file: vma.file,
    ops: vma.ops,
    anonVma: vma.anonVma,
    middle: vma,
    copiedFrom: undefined,
  });
  if (merged !== undefined) return merged;
  if (vma.start < start) vma = splitVma(k, vma.slot, start, true)[1];
  if (vma.end > end) vma = splitVma(k, vma.slot, end, false)[0];
  return changeVma(k, vma.slot, { flags, flagsHi });
}
