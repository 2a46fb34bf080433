import type { Kernel } from "./kernel.ts";

/**
 * The translations a CPU has cached. Direct mapped: 64 pages, 32 PMD leaves, 8 PUD leaves. There is no
 * PCID: a CPU holds translations of one mm, and a switch flushes. A translation goes away only by a
 * flush, so a flush that Linux forgets is seen here too.
 */
export const PTE_SET = 64;
const PMD_SET = 32;
const PUD_SET = 8;
const SETS = PTE_SET + PMD_SET + PUD_SET;
/** entries from one CPU to the next; the last one holds the mm */
const STRIDE = 128;
const MM_AT = 127;

export const tlbEntry = (cpu: number, level: "pte" | "pmd" | "pud", vpn: number): number => {
  const base = cpu * STRIDE;
  if (level === "pte") return base + (vpn & (PTE_SET - 1));
  if (level === "pmd") return base + PTE_SET + (((vpn | 0) >>> 9) & (PMD_SET - 1));
  return base + PTE_SET + PMD_SET + (((vpn | 0) >>> 18) & (PUD_SET - 1));
};

/** What the tag of a set holds for a page: page number of the leaf's start, plus one (0: empty). */
export const tagOf = (level: "pte" | "pmd" | "pud", vpn: number): number =>
  level === "pte" ? vpn + 1 : level === "pmd" ? vpn - (vpn & 511) + 1 : vpn - (vpn & 0x3ffff) + 1;

/** Makes the CPU run an mm; flushes when it ran another. */
export function tlbSwitch(k: Kernel, mm: number): void {
  const at = k.cpu * STRIDE + MM_AT;
  if (k.tlbTag.get(at) === mm) return;
  k.tlbTag.set(at, mm);
  k.tlbTag.fill(k.cpu * STRIDE, SETS, 0);
}

export const tlbMm = (k: Kernel, cpu: number): number => k.tlbTag.get(cpu * STRIDE + MM_AT);

export function tlbFill(k: Kernel, level: "pte" | "pmd" | "pud", vpn: number, lo: number, hi: number): void {
  const at = tlbEntry(k.cpu, level, vpn);
  k.tlbTag.set(at, tagOf(level, vpn));
  k.tlbLo.set(at, lo);
  k.tlbHi.set(at, hi);
}

/** How many of `most` accesses, `stride` pages apart, find no translation: the first did not, and each leaves one behind that later ones may displace. */
export function missesInTlb(k: Kernel, vpn: number, stride: number, most: number): number {
  if (k.tlbTag.get(tlbEntry(k.cpu, "pmd", vpn)) === tagOf("pmd", vpn)) return 1;
  for (let n = 1; n < most && n < PTE_SET; n++) {
    const next = vpn + n * stride;
    if (k.tlbTag.get(tlbEntry(k.cpu, "pte", next)) === tagOf("pte", next)) return n;
  }
  return most;
}

/** flush_tlb_range on every CPU that runs the mm. Above 33 pages everything goes (tlb_single_page_flush_ceiling). */
export function tlbFlushRange(k: Kernel, mm: number, start: number, end: number): void {
  for (let cpu = 0; cpu < k.profile.cpus; cpu++) {
    if (k.tlbTag.get(cpu * STRIDE + MM_AT) !== mm) continue;
    if (end - start > 33) {
      k.tlbTag.fill(cpu * STRIDE, SETS, 0);
      continue;
    }
    for (let vpn = start; vpn < end; vpn++) {
      dropIf(k, tlbEntry(cpu, "pte", vpn), tagOf("pte", vpn));
      dropIf(k, tlbEntry(cpu, "pmd", vpn), tagOf("pmd", vpn));
      dropIf(k, tlbEntry(cpu, "pud", vpn), tagOf("pud", vpn));
    }
  }
  k.charge(k.costs.tlbFlushNs);
}

export function tlbFlushMm(k: Kernel, mm: number): void {
  for (let cpu = 0; cpu < k.profile.cpus; cpu++) {
    if (k.tlbTag.get(cpu * STRIDE + MM_AT) === mm) k.tlbTag.fill(cpu * STRIDE, SETS, 0);
  }
}

function dropIf(k: Kernel, at: number, tag: number): void {
  if (k.tlbTag.get(at) === tag) k.tlbTag.set(at, 0);
}

/** Cached translations of a CPU, for the invariants. */
export function* tlbEntries(k: Kernel, cpu: number): Generator<{ vpn: number; level: "pte" | "pmd" | "pud"; lo: number; hi: number; at: number }> {
  for (let i = 0; i < SETS; i++) {
    const at = cpu * STRIDE + i;
    const tag = k.tlbTag.get(at);
    if (tag === 0) continue;
    yield { vpn: tag - 1, level: i < PTE_SET ? "pte" : i < PTE_SET + PMD_SET ? "pmd" : "pud", lo: k.tlbLo.get(at), hi: k.tlbHi.get(at), at };
  }
}
