import { THP_DIR } from "./paths.ts";
import { VMF } from "../mm/faultFlags.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { ThpMode, Vma } from "../mm/records.ts";
import { VM } from "../mm/vmFlags.ts";
import { otherwise } from "../thp/eligibility/asRelease.ts";
import { allowableOrders, eligibilitySymbol } from "../thp/eligibility/eligibility.ts";
import { printRules, RULES_FILE } from "../thp/eligibility/ruleText.ts";
import type { Era } from "../era/era.ts";
import type { Cause } from "./tracer.ts";

/** Why a fault asked a ->huge_fault handler, or did not. Only called with a tracer. */

const MODES: readonly ThpMode[] = ["always", "madvise", "never"];

/** Behaviours that decide about handlers, with what they can be. */
const BEHAVIOURS: readonly (readonly [keyof Era, readonly Partial<Era>[]])[] = [
  ["specialGate", [{ specialGate: "everybody" }, { specialGate: "collapse" }]],
  ["trustsHugeFault", [{ trustsHugeFault: "nobody" }, { trustsHugeFault: "faults" }]],
];

/** Facts which, were they alone otherwise, would make another answer: each is tried. */
function causesOf(k: Kernel, vma: Vma, order: number, allowed: boolean): Cause[] {
  const at = { mm: vma.mm, vpn: vma.start };
  const differs = (view: Kernel, flags = vma.flags): boolean => (allowableOrders(view, vma, "pageFault", 1 << order, flags) !== 0) !== allowed;
  const out: Cause[] = [];
  if (k.g.eligibilityRules !== null) {
    const withRelease = otherwise(k, { globals: { eligibilityRules: null } });
    if (differs(withRelease)) out.push({ kind: "setting", path: RULES_FILE, value: printRules(k.g.eligibilityRules) });
  }
  if (MODES.some((enabled) => differs(otherwise(k, { globals: { enabled } })))) out.push({ kind: "setting", path: `${THP_DIR}/enabled`, value: k.g.enabled });
  for (const [flag, bit] of [
    ["VM_HUGEPAGE", VM.hugePage],
    ["VM_NOHUGEPAGE", VM.noHugePage],
  ] as const)
    if (differs(k, vma.flags ^ bit)) out.push({ kind: "vmaFlag", ...at, flag, set: (vma.flags & bit) !== 0 });
  for (const [behaviour, changes] of BEHAVIOURS)
    if (changes.some((change) => differs(otherwise(k, { era: { ...k.era, ...change } }))))
      out.push({ kind: "era", behaviour, value: String(k.era[behaviour]) });
  return out;
}

/** create_huge_pud or create_huge_pmd of memory that is not anonymous: the check's answer, and what became of it. `result`: VM_FAULT_* bits. */
export function traceHugeFault(k: Kernel, vma: Vma, vpn: number, order: number, allowed: boolean, hasHandler: boolean, result: number): void {
  const symbol = order === k.geo.pmdOrder ? "create_huge_pmd" : "create_huge_pud";
  const about = { mm: vma.mm, vpn, pages: 1 };
  k.tracer?.decide({
    symbol: eligibilitySymbol(k, "pageFault"),
    rule: allowed ? "thp.allowed" : "thp.handlerNotAsked",
    outcome: allowed ? `order ${order}` : "no",
    causes: causesOf(k, vma, order, allowed),
    ...about,
  });
  if (!allowed) return;
  const isMapped = (result & VMF.fallback) === 0;
  k.tracer?.decide({
    symbol: hasHandler ? "->huge_fault" : symbol,
    rule: isMapped ? "thp.handlerMapped" : hasHandler ? "thp.handlerDeclined" : "thp.noHandler",
    outcome: isMapped ? `order ${order}` : "VM_FAULT_FALLBACK",
    causes: [{ kind: "operation" }],
    ...about,
  });
}
