import { MISC, MMC, type Kernel } from "../../kernel/mm/kernel.ts";
import { PG } from "../../kernel/mm/pageFlags.ts";
import type { Task } from "../../kernel/mm/records.ts";
import { folioPlace, walkPages } from "../../kernel/proc/taskMmu.ts";
import type { Pfn } from "../../kernel/units.ts";
import type { ByOrder } from "../model.ts";

/** What a process's anonymous memory is made of, at one moment. */
export interface MemoryShape {
  /** in RSS and never written */
  readonly bloatBytes: number;
  /** written memory, by the order of the folio it lies in */
  readonly reach: readonly ByOrder[];
  /** written memory that a PMD maps */
  readonly pmdMappedBytes: number;
  readonly pageTableBytes: number;
}

const PAGE = 4096;

/** Walks the page tables. A page that holds nothing but zeros was never written: the replay writes something else with each write. */
export function shapeOf(k: Kernel, task: Task): MemoryShape {
  const written = new Map<number, number>();
  let bloat = 0;
  let pmdMapped = 0;
  for (const slot of k.mms.get(task.mm).vmas) {
    const vma = k.vmas.get(slot);
    if (vma.anonVma === 0) continue;
    for (const p of walkPages(k, vma.mm, vma.start, vma.end)) {
      if (p.state !== "present" || p.zero) continue;
      const { head, order } = folioPlace(k, p.pfn as Pfn);
      if ((k.pageFlags.get(head) & PG.anon) === 0) continue;
      let used = 0;
      for (let i = 0; i < p.pages; i++) if (k.stamp.get(p.pfn + i) !== 0) used++;
      bloat += p.pages - used;
      if (used > 0) written.set(order, (written.get(order) ?? 0) + used * PAGE);
      if (p.huge) pmdMapped += used * PAGE;
    }
  }
  const tables = k.mmCount(task.mm, MMC.ptes) + k.mmCount(task.mm, MMC.pmds) + k.mmCount(task.mm, MMC.puds);
  return { bloatBytes: bloat * PAGE, reach: byOrder(written), pmdMappedBytes: pmdMapped, pageTableBytes: tables * PAGE };
}

/** In order of size. */
export const byOrder = (counts: ReadonlyMap<number, number>): ByOrder[] => [...counts].sort(([a], [b]) => a - b).map(([order, value]) => ({ order, value }));

export const deferredFolios = (k: Kernel): number => k.misc.get(MISC.deferredCount);
