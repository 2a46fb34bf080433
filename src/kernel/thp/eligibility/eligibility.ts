import type { Kernel } from "../../mm/kernel.ts";
import type { Vma } from "../../mm/records.ts";
import { VM } from "../../mm/vmFlags.ts";
import type { Cause } from "../../why/tracer.ts";
import { merged } from "./merged.ts";
import { orders } from "./orders.ts";
import type { Caller, Question } from "./question.ts";
import { separate519 } from "./separate519.ts";

/** Why not; "" when allowed. */
export type Refusal = "" | "noHugePage" | "prctl" | "tooSmall" | "special" | "settingNever" | "settingMadvise" | "sizeOff" | "noAnonVma" | "noThp";
export interface OrdersAnswer {
  readonly orders: number;
  readonly refusal: Refusal;
}

const SYMBOLS = {
  separate519: "transparent_hugepage_active",
  merged60: "hugepage_vma_check",
  merged61: "hugepage_vma_check",
  handlers67: "hugepage_vma_check",
  orders68: "thp_vma_allowable_orders",
  tva618: "thp_vma_allowable_orders",
} as const;

/**
 * Which of the asked orders a VMA may hold, as the booted release answers it.
 * 5.19: transparent_hugepage_active and its kin; 6.0 to 6.7: hugepage_vma_check; 6.8 on: thp_vma_allowable_orders.
 */
export function allowableOrders(k: Kernel, vma: Vma, caller: Caller, asked: number, flags: number = vma.flags): number {
  if (!k.geo.thp) return 0;
  const q: Question = { vma, mm: k.mms.get(vma.mm), caller, flags, orders: asked };
  let answer: OrdersAnswer;
  if (k.era.mthp) answer = orders(k, q);
  else {
    const refusal = k.era.eligibility === "separate519" ? separate519(k, q) : merged(k, q);
    answer = { orders: refusal === "" ? asked & (1 << k.geo.pmdOrder) : 0, refusal };
  }
  if (k.tracer !== null) report(k, q, answer);
  return answer.orders;
}

export const pmdAllowed = (k: Kernel, vma: Vma, caller: Caller, flags: number = vma.flags): boolean =>
  k.geo.thp && allowableOrders(k, vma, caller, 1 << k.geo.pmdOrder, flags) !== 0;

function report(k: Kernel, q: Question, answer: OrdersAnswer): void {
  const causes: Cause[] = [];
  const flag = (name: "hugePage" | "noHugePage"): void => {
    causes.push({ kind: "vmaFlag", vma: q.vma.slot, flag: name === "hugePage" ? "VM_HUGEPAGE" : "VM_NOHUGEPAGE", set: (q.flags & VM[name]) !== 0 });
  };
  const setting = (): void => {
    causes.push({ kind: "setting", path: "/sys/kernel/mm/transparent_hugepage/enabled", value: k.g.enabled });
  };
  switch (answer.refusal) {
    case "noHugePage":
      flag("noHugePage");
      break;
    case "prctl":
      causes.push({ kind: "prctl", mm: q.mm.slot, value: q.mm.thpDisable });
      break;
    case "tooSmall":
      causes.push({ kind: "vmaBounds", vma: q.vma.slot, start: q.vma.start, end: q.vma.end });
      break;
    case "settingNever":
      setting();
      break;
    case "settingMadvise":
      setting();
      flag("hugePage");
      break;
    case "sizeOff":
      causes.push({ kind: "setting", path: "/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/enabled", value: "never" });
      break;
    default:
      if (q.caller !== "forcedCollapse") {
        setting();
        if (k.g.enabled === "madvise") flag("hugePage");
      }
  }
  k.tracer?.decide({
    symbol: SYMBOLS[k.era.eligibility],
    rule: answer.refusal === "" ? "thp.allowed" : `thp.${answer.refusal}`,
    outcome: answer.orders === 0 ? "no" : "yes",
    causes,
    mm: q.mm.slot,
    vpn: q.vma.start,
  });
}
