import type { Era } from "../../era/era.ts";
import type { Kernel } from "../../mm/kernel.ts";
import type { ConditionId } from "./conditions.ts";
import type { Caller } from "./question.ts";
import type { Rule, RuleList, Verdict } from "./rules.ts";

/**
 * The rules of each release as data (kernel-semantics.md 1.1 to 1.5, thp-eligibility-collapse-hugefault.md 1.4). Columns: page fault, khugepaged,
 * MADV_COLLAPSE, smaps.
 */
const rule = (id: string, condition: ConditionId, [pageFault, khugepaged, forcedCollapse, smaps]: readonly [Verdict, Verdict, Verdict, Verdict]): Rule => ({
  id,
  condition,
  pageFault,
  khugepaged,
  forcedCollapse,
  smaps,
});

const NO = ["no", "no", "no", "no"] as const;
const YES = ["yes", "yes", "yes", "yes"] as const;
/** callers other than a fault */
const NOT_FAULT = ["next", "no", "no", "no"] as const;

const one = (caller: Caller, verdict: Verdict): readonly [Verdict, Verdict, Verdict, Verdict] => [
  caller === "pageFault" ? verdict : "next",
  caller === "khugepaged" ? verdict : "next",
  "next",
  caller === "smaps" ? verdict : "next",
];

/** 5.19: three functions that know nothing of each other; each is a list of its own, here one behind the other. */
const SEPARATE: Readonly<Record<Caller, RuleList>> = {
  // __transparent_hugepage_enabled
  pageFault: [
    rule("F1", "unsupported", one("pageFault", "no")),
    rule("F2", "disabled", one("pageFault", "no")),
    rule("F3", "temporaryStack", one("pageFault", "no")),
    rule("F4", "alwaysOn", one("pageFault", "yes")),
    rule("F5", "dax", one("pageFault", "yes")),
    rule("F6", "settingRefuses", one("pageFault", "no")),
    rule("F7", "otherwise", one("pageFault", "yes")),
  ],
  // hugepage_vma_check of khugepaged.c
  khugepaged: [
    rule("K1", "disabled", one("khugepaged", "no")),
    rule("K2", "special", one("khugepaged", "no")),
    rule("K3", "dax", one("khugepaged", "no")),
    rule("K4", "misaligned", one("khugepaged", "no")),
    rule("K5", "shmem", one("khugepaged", "shmem")),
    rule("K6", "settingRefuses", one("khugepaged", "no")),
    rule("K7", "fileThp", one("khugepaged", "yes")),
    rule("K8", "noAnonVma", one("khugepaged", "no")),
    rule("K9", "notAnonymous", one("khugepaged", "no")),
    rule("K10", "temporaryStack", one("khugepaged", "no")),
    rule("K11", "otherwise", one("khugepaged", "yes")),
  ],
  // transparent_hugepage_active
  smaps: [
    rule("S1", "unsuitable", one("smaps", "no")),
    rule("S2", "shmem", one("smaps", "shmem")),
    rule("S3", "disabled", one("smaps", "no")),
    rule("S4", "fileThp", one("smaps", "yes")),
    rule("S5", "notAnonymous", one("smaps", "no")),
    rule("S6", "unsupported", one("smaps", "no")),
    rule("S7", "temporaryStack", one("smaps", "no")),
    rule("S8", "alwaysOn", one("smaps", "yes")),
    rule("S9", "settingRefuses", one("smaps", "no")),
    rule("S10", "otherwise", one("smaps", "yes")),
  ],
  // the advice came with 6.1
  forcedCollapse: [],
};

/** Whom VM_NO_KHUGEPAGED stops. */
const specialGate = (era: Era): readonly [Verdict, Verdict, Verdict, Verdict] => (era.specialGate === "everybody" ? NO : ["next", "no", "no", "next"]);

/** The rules about memory that is not anonymous, with the ids of the form that they have. */
function fileRules(era: Era): Rule[] {
  const { trustsHugeFault: trust } = era;
  if (trust === "nobody") return [rule("R8", "fileThp", ["next", "yes", "yes", "yes"]), rule("R9", "notAnonymous", NO)];
  return [
    rule("R8a", "hugeFault", ["yes", "next", "next", trust === "faultAndSmaps" ? "yes" : "next"]),
    rule("R8b", "fileThp", ["next", "yes", "yes", "yes"]),
    rule("R8c", "notAnonymous", NO),
  ];
}

const TAIL: RuleList = [rule("R10", "temporaryStack", NO), rule("R11", "noAnonVma", ["yes", "no", "no", "yes"]), rule("R12", "otherwise", YES)];

/** hugepage_vma_check, 6.0 to 6.7. */
function mergedRules(era: Era): Rule[] {
  return [
    rule("R0", "noMm", NO),
    rule("R1", "disabled", NO),
    rule("R2", "unsupported", NO),
    rule("R3", "dax", ["yes", "no", "no", "no"]),
    rule("R4", "special", specialGate(era)),
    rule("R5", "unsuitable", NOT_FAULT),
    rule("R6", "shmem", ["next", "shmem", "shmem", "shmem"]),
    // the parameter enforce_sysfs came with MADV_COLLAPSE
    rule("R7", "settingRefuses", ["no", "no", era.madvCollapse ? "next" : "no", "no"]),
    ...fileRules(era),
    ...TAIL,
  ];
}

/** thp_vma_allowable_orders, 6.8 on: the same rules for each order. The settings of anonymous memory are asked first, those of files where they were. */
function orderRules(era: Era): Rule[] {
  return [
    rule("R7a", "sizeRefuses", ["no", "no", "next", "no"]),
    rule("O1", "orderUnsupported", NO),
    ...mergedRules(era).map((each) => (each.id === "R7" ? { ...each, id: "R7b", condition: "fileSettingRefuses" as const } : each)),
  ];
}

/** The rules that the release asks for a caller. */
export function releaseRules(era: Era, caller: Caller): RuleList {
  if (era.eligibility === "separate") return SEPARATE[caller];
  return era.eligibility === "merged" ? mergedRules(era) : orderRules(era);
}

/** One list for every caller, which somebody can edit; null where each caller has its own. */
export const editableRules = (era: Era): RuleList | null => (era.eligibility === "separate" ? null : releaseRules(era, "pageFault"));

/** The rules that the machine asks now: those that were put in by hand, or those of its release. */
export function rulesOf(k: Kernel, caller: Caller): RuleList {
  const edited = k.g.eligibilityRules;
  return edited ?? k.eligibilityRules[caller];
}
