import { vmaThpDisabled } from "../thp/eligibility/disabled.ts";
import { fitsAround } from "../thp/eligibility/question.ts";
import type { Kernel } from "./kernel.ts";
import { filemapNext } from "./pageCache.ts";
import { mountOf, sizePages } from "./inode.ts";
import type { Globals, Inode, ShmemSizeMode, Vma } from "./records.ts";
import { VM } from "./vmFlags.ts";

/** Which folio orders tmpfs may use: shmem_enabled, huge= of the mount, the per-size files, by release (kernel-semantics.md 1.7). */

export interface OrdersQuestion {
  readonly inode: Inode;
  /** null: for write(2) and fallocate */
  readonly vma: Vma | null;
  /** the VMA's flags, or those it is about to have */
  readonly flags: number;
  readonly index: number;
  /** byte behind the end of a write */
  readonly writeEnd: number;
  /** MADV_COLLAPSE */
  readonly force: boolean;
}

/** Orders that the per-size files give one of these modes. */
function sizesWith(g: Globals, mode: ShmemSizeMode): number {
  return g.shmemSizes.reduce((mask, m, order) => (m === mode ? mask | (1 << order) : mask), 0);
}

/** THP_ORDERS_ALL_FILE_DEFAULT: every order from 1 on. */
export const fileOrders = (pmdOrder: number): number => ((1 << (pmdOrder + 1)) - 1) & ~1;

/** Pages of the file, as if a write up to writeEnd were done already where the release looks at that. */
const pagesAfter = (k: Kernel, q: OrdersQuestion): number => Math.max(sizePages(q.inode), k.era.shmemWriteEnd ? Math.ceil(q.writeEnd / 4096) : 0);

/** Whether the block of 2^order pages around the index ends inside the file. */
const endsInside = (pages: number, index: number, order: number): boolean => pages >= (Math.floor(index / 2 ** order) + 1) * 2 ** order;

/** shmem_get_orders_within_size: from the largest order whose block ends inside the file downwards. */
function ordersWithinSize(k: Kernel, orders: number, index: number, pages: number): number {
  let left = orders;
  let at = index;
  for (let order = k.geo.pmdOrder; order > 0; order--) {
    if ((left & (1 << order)) === 0) continue;
    if (k.era.shmemWithinSizeIndex === "pages") {
      if (endsInside(pages, index, order)) return left;
    } else {
      // 6.11 to 6.13 round up to a multiple of the order's number, and carry that on to the next order
      at = Math.ceil((at + 1) / order) * order;
      if (pages >= at) return left;
    }
    left &= ~(1 << order);
  }
  return 0;
}

/** Orders that a write(2) or fallocate may use where the mount allows huge folios: by release the PMD's, those of the size written, or all. */
function writeOrders(k: Kernel, q: OrdersQuestion): number {
  const { pmdOrder } = k.geo;
  if (k.era.tmpfsWriteOrders === "pmd") return 1 << pmdOrder;
  if (k.era.tmpfsWriteOrders === "all") return fileOrders(pmdOrder);
  // shmem_mapping_size_orders: no larger than the size, and aligned
  let order = Math.min(pmdOrder, Math.floor(Math.log2(Math.max(1, Math.floor((q.writeEnd - q.index * 4096) / 4096)))));
  while (order > 0 && q.index % 2 ** order !== 0) order--;
  return fileOrders(pmdOrder) & ((1 << (order + 1)) - 1);
}

/** shmem_huge_global_enabled, shmem_is_huge before 6.11: what shmem_enabled and the mount allow. */
function globalOrders(k: Kernel, q: OrdersQuestion): number {
  const mode = k.g.shmemEnabled;
  const pmd = 1 << k.geo.pmdOrder;
  if (mode === "deny" && (k.era.shmemDenyStopsCollapse || !q.force)) return 0;
  if (q.force || mode === "force") return pmd;
  const all = q.vma === null ? writeOrders(k, q) : pmd;
  const huge = mountOf(k, q.inode).huge;
  if (huge === "always") return all;
  if (huge === "within_size") {
    const pages = pagesAfter(k, q);
    const within = k.era.tmpfsWriteOrders !== "pmd" ? ordersWithinSize(k, all, q.index, pages) : endsInside(pages, q.index, k.geo.pmdOrder) ? pmd : 0;
    if (within !== 0) return within;
  }
  return huge !== "never" && (q.flags & VM.hugePage) !== 0 && q.vma !== null ? pmd : 0;
}

/** shmem_allowable_huge_orders (6.11), shmem_is_huge before. */
export function shmemAllowableOrders(k: Kernel, q: OrdersQuestion): number {
  if (!k.geo.thp) return 0;
  if (q.vma !== null && vmaThpDisabled(k, k.mms.get(q.vma.mm), q.flags, q.force)) return 0;
  const global = globalOrders(k, q);
  if (!k.era.shmemSizes || q.vma === null || q.vma.ops !== "anonShmem") return global;
  const { g } = k;
  if (g.shmemEnabled === "deny") return 0;
  if (g.shmemEnabled === "force") return sizesWith(g, "inherit");
  let mask = sizesWith(g, "always") | ordersWithinSize(k, sizesWith(g, "within_size"), q.index, sizePages(q.inode));
  if (q.flags & VM.hugePage) mask |= sizesWith(g, "advise");
  if (global !== 0) mask |= sizesWith(g, "inherit");
  return mask & fileOrders(k.geo.pmdOrder);
}

/** thp_vma_suitable_order: the block fits the VMA, and pages of the file lie in it as in a folio of that order. */
export const fitsFile = (vma: Vma, vpn: number, order: number): boolean => (vma.start - vma.pgoff) % 2 ** order === 0 && fitsAround(vma, vpn, order);

/** The page cache has nothing of the pages [first, last]. */
export const nothingCached = (k: Kernel, inode: Inode, first: number, last: number): boolean => filemapNext(k, inode.slot, first, last) < 0;

/** shmem_suitable_orders: of the allowed orders those from the largest on that the VMA and the page cache have room for. */
export function shmemSuitableOrders(
  k: Kernel,
  inode: Inode,
  vma: Vma | null,
  vpn: number,
  index: number,
  allowed: number,
  isFree: typeof nothingCached = nothingCached,
): number {
  let left = allowed;
  for (let order = k.geo.pmdOrder; order > 0 && left !== 0; order--) {
    if ((left & (1 << order)) === 0) continue;
    const fits = vma === null || !k.era.shmemFitsVma || fitsFile(vma, vpn, order);
    const first = Math.floor(index / 2 ** order) * 2 ** order;
    if (fits && isFree(k, inode, first, first + 2 ** order - 1)) return left;
    left &= ~(1 << order);
  }
  return 0;
}
