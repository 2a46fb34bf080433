import type { Kernel } from "../mm/kernel.ts";
import type { ScanResult } from "./scanResult.ts";
import { isHugePmd, pmdOf } from "./splitPmd.ts";

/** find_pmd_or_thp_or_none: "SUCCEED" where a page table stands. */
export function pmdState(k: Kernel, mm: number, vpn: number): ScanResult {
  const pmd = pmdOf(k, mm, vpn);
  if (pmd === undefined) return "PMD_NULL";
  if (pmd.lo === 0) return k.era.collapsePmdStates === "null" ? "PMD_NULL" : "PMD_NONE";
  if (isHugePmd(k, pmd.lo)) return k.era.collapsePmdStates === "null" ? "PMD_NULL" : "PMD_MAPPED";
  return "SUCCEED";
}
