import { isHugePmd, pmdOf, type PmdPlace } from "../thp/splitPmd.ts";
import type { Pfn, TableIndex } from "../units.ts";
import { folioPages } from "./folio.ts";
import type { Kernel } from "./kernel.ts";
import { PG } from "./pageFlags.ts";
import { entryPfn, hiAt, indexAt, loAt, present, pteLevel, walkTo } from "./pgtable.ts";
import type { Vma } from "./records.ts";

/** One place that maps a folio or a page of it. */
export type Mapping =
  | { readonly level: "pmd"; readonly vma: Vma; readonly vpn: number; readonly place: PmdPlace }
  | { readonly level: "pte"; readonly vma: Vma; readonly vpn: number; readonly table: TableIndex; readonly i: number; readonly page: Pfn };

/** VMAs that may map a folio: those of its anon_vma, or of its file. */
function vmasOf(k: Kernel, head: Pfn): readonly number[] {
  const slot = k.mapping.get(head);
  if ((k.pageFlags.get(head) & PG.file) !== 0) return k.inodes.get(slot).vmas;
  return k.anonVmas.find(slot)?.vmas ?? [];
}

/** Every mapping of a folio, found through its anon_vma or its file's i_mmap (rmap_walk_anon, rmap_walk_file). */
export function mappingsOf(k: Kernel, head: Pfn): Mapping[] {
  const out: Mapping[] = [];
  const pages = folioPages(k, head);
  const index = k.pageIndex.get(head);
  for (const slot of vmasOf(k, head)) {
    const vma = k.vmas.get(slot);
    const at = vma.start + (index - vma.pgoff);
    const first = Math.max(at, vma.start);
    const last = Math.min(at + pages, vma.end);
    if (first >= last) continue;
    const pmd = pmdOf(k, vma.mm, first);
    if (pmd !== undefined && isHugePmd(k, pmd.lo)) {
      if (entryPfn(pmd.lo, pmd.hi) === head) {
        out.push({ level: "pmd", vma, vpn: at, place: pmd });
        continue;
      }
    }
    for (let vpn = first; vpn < last; vpn++) {
      const table = walkTo(k, k.mms.get(vma.mm).pgd, vpn, pteLevel(k));
      if (table === 0) continue;
      const i = indexAt(k.geo, pteLevel(k), vpn);
      const lo = loAt(k, table, i);
      if (!present(k, lo)) continue;
      const page = (head + (vpn - at)) as Pfn;
      if (entryPfn(lo, hiAt(k, table, i)) === page && (lo & k.geo.encoding.special) === 0) out.push({ level: "pte", vma, vpn, table, i, page });
    }
  }
  return out;
}
