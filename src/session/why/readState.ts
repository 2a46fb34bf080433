import { isWritable } from "../../kernel/arch/geometry.ts";
import { isRawPfn } from "../../kernel/drivers/card.ts";
import { folioMapcount, folioOrder, hasFlag } from "../../kernel/mm/folio.ts";
import { folioOf, type Kernel } from "../../kernel/mm/kernel.ts";
import { PG } from "../../kernel/mm/pageFlags.ts";
import { entryPfn, hiAt, indexAt, isMarker, loAt, MARKER, present, pteLevel, walkTo } from "../../kernel/mm/pgtable.ts";
import { limitOf, type Task } from "../../kernel/mm/records.ts";
import { maybeMappedShared } from "../../kernel/mm/rmap.ts";
import { vmaAt, vmasIn } from "../../kernel/mm/vma.ts";
import { isHugeZero } from "../../kernel/thp/hugeZero.ts";
import { isHugePmd, pmdOf } from "../../kernel/thp/splitPmd.ts";
import type { Pfn } from "../../kernel/units.ts";
import type { Cause, EntryState, FolioProperty } from "../../kernel/why/tracer.ts";
import { hasVmaFlag } from "../../kernel/why/vma.ts";
import { readFileFact, saysSo } from "./fileFacts.ts";
import { failed } from "../../kernel/mm/errno.ts";
import type { Machine } from "../../kernel/machine.ts";

/** Facts of a machine as short texts, so that the step that changed one can be found by comparing states. */

/** How one page is mapped. */
export interface Leaf {
  readonly kind: "notMapped" | "none" | "guard" | "other" | "zero" | "hugeZero" | "pte" | "pmd";
  /** frame of the page, -1 without */
  readonly pfn: number;
  /** first frame and order of its folio */
  readonly head: number;
  readonly order: number;
  readonly writable: boolean;
  readonly accessed: boolean;
}

const EMPTY = { pfn: -1, head: -1, order: 0, writable: false, accessed: false } as const;

export function leafAt(k: Kernel, mm: number, vpn: number): Leaf {
  if (k.mms.find(mm) === undefined || vmaAt(k, mm, vpn) === undefined) return { kind: "notMapped", ...EMPTY };
  const e = k.geo.encoding;
  const pmd = pmdOf(k, mm, vpn);
  if (pmd !== undefined && isHugePmd(k, pmd.lo)) {
    const head = entryPfn(pmd.lo, pmd.hi);
    const kind = isHugeZero(k, head) ? "hugeZero" : "pmd";
    const pfn = head + (vpn & ((1 << k.geo.pmdOrder) - 1));
    return { kind, pfn, head, order: k.geo.pmdOrder, writable: isWritable(e, pmd.lo), accessed: (pmd.lo & e.accessed) !== 0 };
  }
  const t = walkTo(k, k.mms.get(mm).pgd, vpn, pteLevel(k));
  if (t === 0) return { kind: "none", ...EMPTY };
  const i = indexAt(k.geo, pteLevel(k), vpn);
  const lo = loAt(k, t, i);
  const hi = hiAt(k, t, i);
  if (lo === 0 && hi === 0) return { kind: "none", ...EMPTY };
  if (!present(k, lo)) return { kind: isMarker(k, lo, hi, MARKER.guard) ? "guard" : "other", ...EMPTY };
  const pfn = entryPfn(lo, hi);
  const marks = { pfn, writable: isWritable(e, lo), accessed: (lo & e.accessed) !== 0 };
  // the entry of a device is marked special like the zero page's, and no folio stands behind it
  if (isRawPfn(k, pfn)) return { kind: "pte", ...marks, head: pfn, order: 0 };
  const head = folioOf(k, pfn);
  return { kind: (lo & e.special) !== 0 ? "zero" : "pte", ...marks, head, order: folioOrder(k, head) };
}

/** How many pages of [vpn, vpn + pages) are in a state. */
function countEntries(k: Kernel, mm: number, vpn: number, pages: number, is: EntryState): number {
  if (is === "table") {
    const pmd = pmdOf(k, mm, vpn);
    return pmd === undefined || pmd.lo === 0 ? 0 : isHugePmd(k, pmd.lo) ? -1 : 1;
  }
  let n = 0;
  for (let i = 0; i < pages; i++) {
    const leaf = leafAt(k, mm, vpn + i);
    const there = leaf.kind !== "none" && leaf.kind !== "notMapped";
    const page = leaf.kind === "pte" || leaf.kind === "pmd";
    if (is === "none") n += there ? 0 : 1;
    else if (is === "present") n += there ? 1 : 0;
    else if (is === "huge") n += leaf.kind === "pmd" || leaf.kind === "hugeZero" ? 1 : 0;
    else if (is === "zero") n += leaf.kind === "zero" ? 1 : 0;
    else if (is === "guard") n += leaf.kind === "guard" ? 1 : 0;
    else if (is === "old") n += page && !leaf.accessed ? 1 : 0;
    else if (is === "private") n += page && hasFlag(k, leaf.head, PG.anon) ? 1 : 0;
    else n += page && !leaf.writable ? 1 : 0;
  }
  return n;
}

function folioNumber(k: Kernel, mm: number, vpn: number, property: FolioProperty): number {
  const leaf = leafAt(k, mm, vpn);
  if (leaf.head < 0) return -1;
  switch (property) {
    case "PageAnonExclusive":
      return hasFlag(k, leaf.kind === "pmd" ? leaf.head : leaf.pfn, PG.anonExclusive) ? 1 : 0;
    case "folio_ref_count":
      return k.refcount.get(leaf.head);
    case "folio_large_mapcount":
    case "mapped_pages":
      return folioMapcount(k, leaf.head);
    case "folio_entire_mapcount":
      return k.entireMapcount.get(leaf.head);
    case "folio_maybe_mapped_shared":
      return maybeMappedShared(k, leaf.pfn as Pfn) ? 1 : 0;
    case "extra_references":
      return k.refcount.get(leaf.head) - folioMapcount(k, leaf.head);
  }
}

function taskOf(k: Kernel, mm: number): Task | undefined {
  for (const [, task] of k.tasks.entries()) if (task.mm === mm) return task;
  return undefined;
}

/** What [vpn, end) of an address space has mapped, as text. */
const mappingsText = (k: Kernel, mm: number, vpn: number, end: number): string =>
  vmasIn(k, mm, vpn, end)
    .map((v) => `${Math.max(v.start, vpn)}-${Math.min(v.end, end)}`)
    .join(" ");

/** Whether the fact of a cause was so before its step began; false: that very step made it so. Only for causes that a state has. */
export function heldBefore(machine: Machine, cause: Cause): boolean {
  const is = readCause(machine, cause);
  switch (cause.kind) {
    case "vmaFlag":
    case "anonVma":
    case "capability":
      return is === String(cause.set);
    case "vmaBounds":
      return is === `${cause.start}-${cause.end}`;
    case "prctl":
    case "limit":
    case "folio":
      return is === String(cause.value);
    case "entry":
      return cause.is === "none" ? is === String(cause.pages) : Number(is) > 0;
    case "hole":
      return is !== `${cause.vpn}-${cause.end}`;
    case "occupied":
      return is !== "";
    case "file":
    case "cache":
    case "cacheFolio":
    case "readahead":
      return is !== null && saysSo(cause, is);
    default:
      return true;
  }
}

/** The fact of a cause as a machine has it now, or null for what no state has: the call itself, the release. */
export function readCause(machine: Machine, cause: Cause): string | null {
  const k = machine.kernel;
  if ("mm" in cause && k.mms.find(cause.mm) === undefined) return "no process";
  const vma = "vpn" in cause && cause.vpn >= 0 ? vmaAt(k, cause.mm, cause.vpn) : undefined;
  switch (cause.kind) {
    case "setting": {
      const text = machine.readFile(cause.path);
      return failed(text) ? text.errno : text;
    }
    case "vmaFlag":
      return vma === undefined ? "not mapped" : String(hasVmaFlag(vma, cause.flag));
    case "vmaBounds":
      return vma === undefined ? "not mapped" : `${vma.start}-${vma.end}`;
    case "hole":
    case "occupied":
      return mappingsText(k, cause.mm, cause.vpn, cause.end);
    case "anonVma":
      return vma === undefined ? "not mapped" : String(vma.anonVma !== 0);
    case "offset":
      return vma === undefined ? "not mapped" : String(vma.pgoff - vma.start);
    case "prctl":
      return String(k.mms.get(cause.mm).thpDisable);
    case "entry":
      return String(countEntries(k, cause.mm, cause.vpn, cause.pages, cause.is));
    case "folio":
      return String(folioNumber(k, cause.mm, cause.vpn, cause.property));
    case "limit": {
      const task = taskOf(k, cause.mm);
      return task === undefined ? "no process" : String(limitOf(task, cause.resource));
    }
    case "capability":
      return String(taskOf(k, cause.mm)?.[cause.name === "CAP_IPC_LOCK" ? "capIpcLock" : "capSysResource"]);
    case "file":
    case "cache":
    case "cacheFolio":
    case "readahead":
      return readFileFact(k, cause);
    case "access":
    case "argument":
    case "era":
    case "config":
    case "memory":
    case "operation":
      return null;
  }
}
