import type { Kernel } from "../mm/kernel.ts";
import type { Vma } from "../mm/records.ts";
import { traceRegistration } from "../why/thp.ts";
import { pmdAllowed } from "./eligibility/eligibility.ts";

/** Whether khugepaged has anything to do by the settings (hugepage_pmd_enabled 6.12, hugepage_flags_enabled before). */
export function khugepagedWanted(k: Kernel): boolean {
  const g = k.g;
  if (!k.geo.thp) return false;
  if (k.era.daemonNeeds === "global") return g.enabled !== "never";
  if (k.era.daemonNeeds === "anySize") return g.enabled !== "never" || g.ordersAlways !== 0 || g.ordersMadvise !== 0;
  const pmd = 1 << k.geo.pmdOrder;
  if (k.profile.config.readOnlyThpForFs && g.enabled !== "never") return true;
  if (((g.ordersAlways | g.ordersMadvise) & pmd) !== 0 || ((g.ordersInherit & pmd) !== 0 && g.enabled !== "never")) return true;
  return k.era.daemonNeeds === "pmdSizeOrShmem" && shmemPmdWanted(k);
}

/** shmem_hpage_pmd_enabled. */
function shmemPmdWanted(k: Kernel): boolean {
  const g = k.g;
  if (g.shmemEnabled === "deny") return false;
  const mode = g.shmemSizes[k.geo.pmdOrder];
  return mode === "inherit" ? g.shmemEnabled !== "never" : mode !== "never";
}

/** khugepaged_enter_vma: registers the mm when the daemon could collapse something in this VMA as it is now. */
export function khugepagedEnterVma(k: Kernel, vma: Vma, flags: number): void {
  const mm = k.mms.get(vma.mm);
  if (mm.khugepaged) return;
  const wanted = khugepagedWanted(k);
  const allowed = wanted && pmdAllowed(k, vma, "khugepaged", flags);
  if (k.tracer !== null) traceRegistration(k, vma, flags, wanted, allowed);
  if (allowed) khugepagedEnter(k, vma.mm);
}

/** __khugepaged_enter. The new mm is scanned last, just before the cursor's pass ends. */
export function khugepagedEnter(k: Kernel, mm: number): void {
  k.mms.update(mm, { khugepaged: true });
  k.setGlobals({ khugepagedMms: [...k.g.khugepagedMms, mm] });
}

/** __khugepaged_exit. */
export function khugepagedExit(k: Kernel, mm: number): void {
  const g = k.g;
  if (!g.khugepagedMms.includes(mm)) return;
  const at = g.khugepagedMms.indexOf(mm);
  const left = g.khugepagedMms.filter((m) => m !== mm);
  const cursor = g.khugepagedCursorMm === mm ? { khugepagedCursorMm: left[at] ?? 0, khugepagedCursorVpn: 0 } : {};
  k.setGlobals({ khugepagedMms: left, ...cursor });
}

const MAX_PTE_MAPPED_THP = 8;

/** khugepaged_add_pte_mapped_thp (until 6.5): notes a block for the daemon's next visit. False when it does not know the mm, or its note is full. */
export function khugepagedAddPteMappedThp(k: Kernel, mm: number, start: number): boolean {
  const { khugepaged, pteMappedThps } = k.mms.get(mm);
  if (!khugepaged || pteMappedThps.length >= MAX_PTE_MAPPED_THP) return false;
  k.mms.update(mm, { pteMappedThps: [...pteMappedThps, start] });
  return true;
}
