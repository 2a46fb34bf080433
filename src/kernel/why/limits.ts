import type { Kernel } from "../mm/kernel.ts";
import { THP_DIR } from "./paths.ts";
import type { Cause } from "./tracer.ts";

/** A limit of khugepaged and what it holds. */
export function khugepagedLimit(k: Kernel, file: "max_ptes_none" | "max_ptes_shared" | "pages_to_scan"): Cause {
  const s = k.g.khugepaged;
  const value = { max_ptes_none: s.maxPtesNone, max_ptes_shared: s.maxPtesShared, pages_to_scan: s.pagesToScan }[file];
  return { kind: "setting", path: `${THP_DIR}/khugepaged/${file}`, value };
}
