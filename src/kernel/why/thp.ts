import { bugOn } from "../assert.ts";
import type { Kernel } from "../mm/kernel.ts";
import { hiAt, indexAt, loAt, pteLevel } from "../mm/pgtable.ts";
import type { Vma } from "../mm/records.ts";
import { VM, VM_NO_KHUGEPAGED } from "../mm/vmFlags.ts";
import { isTemporaryStack } from "../thp/eligibility/conditions.ts";
import { allowableOrders, eligibilitySymbol } from "../thp/eligibility/eligibility.ts";
import { sizeMode } from "../thp/eligibility/orders.ts";
import { fitsAround, fitsAtEnd, type Caller } from "../thp/eligibility/question.ts";
import { printRules, RULES_FILE } from "../thp/eligibility/ruleText.ts";
import type { TableIndex } from "../units.ts";
import {
  anyBlock,
  fileOf,
  fileSize,
  hugeMount,
  offset,
  readOnlyThp,
  shmemEnabled,
  shmemSizes,
  thpDisable,
  thpEnabled,
  vmaFlag,
  writers,
} from "./fileVariations.ts";
import { THP_DIR } from "./paths.ts";
import type { Cause, OrderRule } from "./tracer.ts";
import { causesOf, type Situation } from "./whatIf.ts";

/** What stands for and against a huge page of one order, all of it, for explanations. Only called with a tracer. */

export const sizeFile = (order: number): string => `${THP_DIR}/hugepages-${4 << order}kB/enabled`;

/** A check that refuses; each of its causes alone would let it pass. */
export interface FailedCheck {
  readonly rule: OrderRule;
  readonly causes: readonly Cause[];
}

export interface OrderChecks {
  /** why the checks that pass do: each of these is needed */
  readonly holds: Cause[];
  /** in the order in which the kernel makes them */
  readonly fails: FailedCheck[];
}

/** The rules were put in by hand: the file that holds them is behind every answer. */
const editedRules = (k: Kernel): Cause => ({
  kind: "setting",
  path: RULES_FILE,
  value: k.g.eligibilityRules === null ? "release" : printRules(k.g.eligibilityRules),
});

/** Checks of rules that somebody edited: what they say, and that somebody did. */
function editedChecks(k: Kernel, vma: Vma, flags: number, caller: Caller, order: number): OrderChecks {
  const causes = [editedRules(k)];
  return allowableOrders(k, vma, caller, 1 << order, flags) !== 0 ? { holds: causes, fails: [] } : { holds: [], fails: [{ rule: "thp.editedRule", causes }] };
}

const settingCause = (k: Kernel): Cause => ({ kind: "setting", path: `${THP_DIR}/enabled`, value: k.g.enabled });

/** The files that decide about an order, from 6.8 on the size's own, which may hand on to the global one. */
function checkSettings(k: Kernel, flags: number, order: number, advised: Cause, out: OrderChecks): void {
  const mode = k.era.mthp ? sizeMode(k.g, order) : "inherit";
  const own: Cause[] = k.era.mthp ? [{ kind: "setting", path: sizeFile(order), value: mode }] : [];
  const isAdvised = (flags & VM.hugePage) !== 0;
  if (mode !== "inherit" && order === k.geo.pmdOrder) {
    // before there were sizes the global file alone decided about this one
    const globally = k.g.enabled === "always" || (k.g.enabled === "madvise" && isAdvised);
    const allowed = mode === "always" || (mode === "madvise" && isAdvised);
    if (globally !== allowed) own.push({ kind: "era", behaviour: "mthp", value: true });
  }
  if (mode === "always") out.holds.push(...own);
  else if (mode === "never") out.fails.push({ rule: "thp.sizeNever", causes: own });
  else if (mode === "madvise") {
    if (isAdvised) out.holds.push(...own, advised);
    else out.fails.push({ rule: "thp.sizeMadvise", causes: [...own, advised] });
  } else if (k.g.enabled === "always") out.holds.push(settingCause(k), ...own);
  else if (k.g.enabled === "never") out.fails.push({ rule: "thp.settingNever", causes: [settingCause(k), ...own] });
  else if (isAdvised) out.holds.push(settingCause(k), advised, ...own);
  else out.fails.push({ rule: "thp.settingMadvise", causes: [settingCause(k), advised, ...own] });
}

function checkPrctl(k: Kernel, vma: Vma, flags: number, forced: boolean, advised: Cause, out: OrderChecks): void {
  const value = k.mms.get(vma.mm).thpDisable;
  const cause: Cause = { kind: "prctl", mm: vma.mm, value };
  const excepts: Cause = { kind: "era", behaviour: "thpDisableExceptAdvised", value: k.era.thpDisableExceptAdvised };
  if (value === 0) out.holds.push(cause);
  else if (value === 3 && forced) out.holds.push(excepts);
  else if (value === 3 && (flags & VM.hugePage) !== 0) out.holds.push(cause, advised, excepts);
  else out.fails.push({ rule: "thp.prctl", causes: value === 3 ? [cause, advised] : [cause] });
}

/** What decides about memory of a file: found by asking the release's own function once more with each thing otherwise. */
function fileChecks(k: Kernel, vma: Vma, flags: number, caller: Caller, order: number, vpn: number): OrderChecks {
  const inode = fileOf(k, vma);
  // MADV_HUGEPAGE asks about the flags that it is about to set, while tmpfs looks at those that are there
  const answer = ({ k: kk, vma: v }: Situation): boolean => v !== null && allowableOrders(kk, v, caller, 1 << order, flags ^ (vma.flags ^ v.flags)) !== 0;
  const settings =
    vma.ops === "disk"
      ? [thpEnabled(k), readOnlyThp(k), writers(inode)]
      : [shmemEnabled(k), ...shmemSizes(k), ...hugeMount(k, inode), fileSize(k, inode, vma.pgoff)];
  const advice = (["VM_HUGEPAGE", "VM_NOHUGEPAGE", "VM_EXEC"] as const).map((flag) => vmaFlag(vma, vpn, flag));
  const s: Situation = { k, vma };
  const { causes, also } = causesOf(answer, s, [...settings, ...advice, thpDisable(k, vma.mm), anyBlock(vma, vpn, order), offset(vma, vpn, order)]);
  if (answer(s)) return { holds: [...causes], fails: [] };
  return { holds: [], fails: [{ rule: "thp.fileNotAllowed", causes }, ...also.map((cause) => ({ rule: "thp.fileNotAllowed", causes: [cause] }) as const)] };
}

/** Every check that the booted release makes of one order, for a caller and a page. `flags`: those the VMA has or is about to have. */
export function orderChecks(k: Kernel, vma: Vma, flags: number, caller: Caller, order: number, vpn: number): OrderChecks {
  if (k.g.eligibilityRules !== null) return editedChecks(k, vma, flags, caller, order);
  if (vma.ops !== "none") return fileChecks(k, vma, flags, caller, order, vpn);
  const out: OrderChecks = { holds: [], fails: [] };
  const inFault = caller === "pageFault";
  const flag = (flagName: "VM_HUGEPAGE" | "VM_NOHUGEPAGE" | "VM_SPECIAL", bit: number): Cause => ({
    kind: "vmaFlag",
    mm: vma.mm,
    vpn,
    flag: flagName,
    set: (flags & bit) !== 0,
  });
  const advised = flag("VM_HUGEPAGE", VM.hugePage);
  const forced = caller === "forcedCollapse";
  const settingsFirst = k.era.mthp;
  if (settingsFirst && !forced) checkSettings(k, flags, order, advised, out);
  // only execve makes such a stack, and no setting changes that it is one
  if (isTemporaryStack(flags)) out.fails.push({ rule: "thp.temporaryStack", causes: [{ kind: "operation" }] });
  if (flags & VM.noHugePage) out.fails.push({ rule: "thp.noHugePage", causes: [flag("VM_NOHUGEPAGE", VM.noHugePage)] });
  else out.holds.push(flag("VM_NOHUGEPAGE", VM.noHugePage));
  checkPrctl(k, vma, flags, forced, advised, out);
  const separate = k.era.eligibility === "separate";
  const isCollapse = caller === "khugepaged" || forced;
  const trusted = separate ? !isCollapse : k.era.specialGate === "collapse" && !isCollapse;
  if (flags & VM_NO_KHUGEPAGED && !trusted) out.fails.push({ rule: "thp.special", causes: [flag("VM_SPECIAL", VM_NO_KHUGEPAGED)] });
  const bounds = (from: number, to: number): Cause => ({ kind: "vmaBounds", mm: vma.mm, vpn, start: vma.start, end: vma.end, from, to });
  if (!inFault && (!separate || caller === "smaps")) {
    if (fitsAtEnd(vma, order)) out.holds.push(bounds(0, 0));
    else out.fails.push({ rule: "thp.tooSmall", causes: [bounds(0, 0)] });
  }
  if (!settingsFirst && !forced) checkSettings(k, flags, order, advised, out);
  if (!inFault && caller !== "smaps") {
    const cause: Cause = { kind: "anonVma", mm: vma.mm, vpn, set: vma.anonVma !== 0 };
    if (vma.anonVma !== 0) out.holds.push(cause);
    else out.fails.push({ rule: "thp.noAnonVma", causes: [cause] });
  }
  if (inFault) {
    const from = vpn - (vpn % 2 ** order);
    const cause = bounds(from, from + 2 ** order);
    if (fitsAround(vma, vpn, order)) out.holds.push(cause);
    else out.fails.push({ rule: "thp.blockOutside", causes: [cause] });
  }
  return out;
}

function decideOrder(k: Kernel, vma: Vma, symbol: string, checks: OrderChecks, yes: string, no: string, vpn: number, pages: number): void {
  const first = checks.fails.at(0);
  k.tracer?.decide({
    symbol,
    rule: first === undefined ? "thp.allowed" : first.rule,
    outcome: first === undefined ? yes : no,
    causes: first === undefined ? checks.holds : first.causes,
    also: checks.fails.slice(1).map((f) => f.causes[0]),
    mm: vma.mm,
    vpn,
    pages,
  });
}

/** The answer about a PMD-sized page to khugepaged and MADV_COLLAPSE. A decision that does not follow from its causes is a bug here. */
export function traceEligibility(k: Kernel, vma: Vma, caller: Caller, allowed: boolean): void {
  const checks = orderChecks(k, vma, vma.flags, caller, k.geo.pmdOrder, vma.start);
  const symbol = eligibilitySymbol(k, caller);
  bugOn((checks.fails.length === 0) !== allowed, `${symbol} said ${allowed}, its checks say ${checks.fails.map((f) => f.rule).join(" ")}`);
  decideOrder(k, vma, symbol, checks, "yes", "no", vma.start, vma.end - vma.start);
}

/** Whether a fault on an empty PMD entry may use a PMD-sized page; `table`: the entry is not empty, a page table is there. */
export function tracePmdFault(k: Kernel, vma: Vma, vpn: number, table: boolean): void {
  const order = k.geo.pmdOrder;
  const pages = 2 ** order;
  const checks = orderChecks(k, vma, vma.flags, "pageFault", order, vpn);
  const start = vpn - (vpn % pages);
  if (table) checks.fails.unshift({ rule: "thp.tableThere", causes: [{ kind: "entry", mm: vma.mm, vpn: start, pages, is: "table" }] });
  else checks.holds.push({ kind: "entry", mm: vma.mm, vpn: start, pages, is: "none" });
  decideOrder(k, vma, table ? "__handle_mm_fault" : eligibilitySymbol(k, "pageFault"), checks, `order ${order}`, "no", vpn, 1);
}

/** A fault on an empty entry below a page table: that the table is there already rules a huge page out. */
export function traceTableThere(k: Kernel, vma: Vma, vpn: number, t: TableIndex): void {
  // a fault on a file maps what the page cache has, whether a table is there or not
  if (vma.ops !== "none") return;
  const i = indexAt(k.geo, pteLevel(k), vpn);
  if (loAt(k, t, i) === 0 && hiAt(k, t, i) === 0) tracePmdFault(k, vma, vpn, true);
}

/**
 * The choice of alloc_anon_folio, from order `from` down: each order that is refused, and the first that is not.
 * `emptyBlock` tells whether the aligned block of an order is empty.
 */
export function traceAnonOrders(k: Kernel, vma: Vma, vpn: number, from: number, emptyBlock: (order: number) => boolean): void {
  if (!k.era.mthp) return;
  for (let order = from; order >= 2; order--) {
    const checks = orderChecks(k, vma, vma.flags, "pageFault", order, vpn);
    const pages = 2 ** order;
    const start = vpn - (vpn % pages);
    const fits = fitsAround(vma, vpn, order);
    const empty = fits && emptyBlock(order);
    const cause: Cause = { kind: "entry", mm: vma.mm, vpn: start, pages, is: empty ? "none" : "present" };
    if (empty) checks.holds.push(cause, { kind: "era", behaviour: "mthp", value: true });
    else if (fits) checks.fails.push({ rule: "thp.blockNotEmpty", causes: [cause] });
    decideOrder(k, vma, "alloc_anon_folio", checks, `order ${order}`, `not order ${order}`, vpn, 1);
    if (checks.fails.length === 0) return;
  }
}

/** No block of that order is free. */
export function traceAllocFailed(k: Kernel, vma: Vma, vpn: number, order: number): void {
  k.tracer?.decide({
    symbol: "vma_alloc_folio",
    rule: "thp.allocFailed",
    outcome: `not order ${order}`,
    causes: [{ kind: "memory", pages: 2 ** order }],
    mm: vma.mm,
    vpn,
    pages: 1,
  });
}

/** khugepaged_enter_vma: whether the mm goes on the daemon's list, and if not, whether that is for want of a running daemon. */
export function traceRegistration(k: Kernel, vma: Vma, flags: number, wanted: boolean, registered: boolean): void {
  const checks = orderChecks(k, vma, flags, "khugepaged", k.geo.pmdOrder, vma.start);
  const stopped: Cause[] = [settingCause(k)];
  if (k.era.mthp) stopped.push({ kind: "setting", path: sizeFile(k.geo.pmdOrder), value: sizeMode(k.g, k.geo.pmdOrder) });
  const first = checks.fails.at(0);
  k.tracer?.decide({
    symbol: "khugepaged_enter_vma",
    rule: registered ? "khugepaged.registered" : wanted ? "khugepaged.notRegistered" : "khugepaged.stopped",
    outcome: registered ? "MMF_VM_HUGEPAGE" : "no",
    // MADV_HUGEPAGE clears VM_NOHUGEPAGE itself: what it was before is no cause
    causes: registered
      ? checks.holds.filter((c) => flags === vma.flags || c.kind !== "vmaFlag" || c.flag !== "VM_NOHUGEPAGE")
      : wanted && first !== undefined
        ? first.causes
        : stopped,
    also: registered ? [] : checks.fails.slice(wanted ? 1 : 0).map((f) => f.causes[0]),
    mm: vma.mm,
    vpn: vma.start,
    pages: vma.end - vma.start,
  });
}
