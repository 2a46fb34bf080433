import { isWritable } from "../arch/geometry.ts";
import { hiAt, indexAt, isLeaf, loAt, pteLevel, tableBelow } from "../mm/pgtable.ts";
import type { Kernel } from "../mm/kernel.ts";
import { tlbEntries, tlbMm } from "../mm/tlb.ts";
import type { TableIndex } from "../units.ts";
import type { Survey } from "./survey.ts";

interface Leaf {
  readonly level: "pte" | "pmd" | "pud";
  readonly lo: number;
  readonly hi: number;
}

/** What the hardware would find in the tables now. */
function hardwareWalk(k: Kernel, pgd: TableIndex, vpn: number): Leaf | undefined {
  let t = pgd;
  for (let l = 0; ; l++) {
    const i = indexAt(k.geo, l, vpn);
    const lo = loAt(k, t, i);
    const hi = hiAt(k, t, i);
    if ((lo & k.geo.encoding.present) === 0) return undefined;
    if (l === pteLevel(k) || isLeaf(k, lo)) return { level: l === pteLevel(k) ? "pte" : l === k.geo.pmdLevel ? "pmd" : "pud", lo, hi };
    t = tableBelow(k, lo, hi);
    if (t === 0) return undefined;
  }
}

/** Every translation that a CPU keeps is one the tables still give, with no more than they allow. */
export function checkTlbs(s: Survey): void {
  const { k, report } = s;
  const e = k.geo.encoding;
  for (let cpu = 0; cpu < k.profile.cpus; cpu++) {
    const mm = k.mms.find(tlbMm(k, cpu));
    for (const { vpn, level, lo, hi } of tlbEntries(k, cpu)) {
      const leaf = mm === undefined ? undefined : hardwareWalk(k, mm.pgd, vpn);
      const frame = 0xfffff000;
      if (leaf?.level !== level || ((leaf.lo ^ lo) & frame) !== 0 || ((leaf.hi ^ hi) & 0x7ff) !== 0) {
        report.add("kernel.check.tlbStale", { cpu, vpn });
        continue;
      }
      const writes = isWritable(e, lo) && !isWritable(e, leaf.lo);
      const executes = e.noExecHi === 0 ? (lo & ~leaf.lo & e.execLo) !== 0 : (hi & e.noExecHi) === 0 && (leaf.hi & e.noExecHi) !== 0;
      // a cached dirty bit keeps the next write from setting it in the table
      const dirty = (lo & ~leaf.lo & e.dirty) !== 0;
      if (writes || executes || dirty) report.add("kernel.check.tlbPermission", { cpu, vpn });
    }
  }
}
