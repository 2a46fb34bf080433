import type { Errno } from "../mm/errno.ts";
import { fileIndex, mountOf } from "../mm/inode.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { Inode, Vma } from "../mm/records.ts";
import { fitsFile, nothingCached, shmemAllowableOrders, shmemSuitableOrders } from "../mm/shmemOrders.ts";
import { vmaThpDisabled } from "../thp/eligibility/disabled.ts";
import { bounds, cacheCause, fileSize, hugeMount, offset, shmemEnabled, shmemSizes, thpDisable, vmaFlag } from "./fileVariations.ts";
import type { Cause, Decision, ShmemRule } from "./tracer.ts";
import { causesOf, type Situation, type Variation } from "./whatIf.ts";

/** Which folio tmpfs makes for a page of a file (shmem_alloc_folio), and why no larger one. Only called with a tracer. */

interface Fault {
  readonly vma: Vma;
  readonly vpn: number;
}

/** The situation with what only this decision looks at. */
interface ShmemSituation extends Situation {
  readonly isFree?: typeof nothingCached;
  readonly writeEnd: number;
}

interface Asked {
  /** orders from this one on could not be had */
  readonly below: number;
  readonly inode: Inode;
  readonly index: number;
  readonly fault: Fault | null;
}

const allowed = ({ k, vma, writeEnd }: ShmemSituation, { inode, index, fault, below }: Asked): number =>
  ((1 << below) - 1) &
  shmemAllowableOrders(k, {
    inode: k.inodes.get(inode.slot),
    vma,
    flags: vma?.flags ?? 0,
    index: vma === null || fault === null ? index : fileIndex(vma, fault.vpn),
    writeEnd,
    force: false,
  });

/** The order that is tried first. */
function firstOrder(s: ShmemSituation, asked: Asked): number {
  const { inode, index, fault } = asked;
  const orders = allowed(s, asked);
  if (orders === 0) return 0;
  const at = s.vma === null || fault === null ? index : fileIndex(s.vma, fault.vpn);
  const left = shmemSuitableOrders(s.k, s.k.inodes.get(inode.slot), s.vma, fault?.vpn ?? 0, at, orders, s.isFree);
  return left === 0 ? 0 : 31 - Math.clz32(left);
}

/** What the page cache has around the page: the block that is used must be empty, a larger one that is not keeps larger folios out. */
function cacheVariations(k: Kernel, { inode, index }: Asked, order: number, orders: number): Variation[] {
  const at = (is: "empty" | "cached", o: number): Cause => cacheCause(inode.slot, Math.floor(index / 2 ** o) * 2 ** o, 2 ** o, is);
  const free =
    (value: boolean) =>
    (s: Situation): Situation =>
      ({ ...s, isFree: () => value }) as Situation;
  const out: Variation[] = order > 0 ? [{ cause: at("empty", order), others: [free(false)] }] : [];
  for (let o = order + 1; o <= k.geo.pmdOrder; o++) {
    const first = Math.floor(index / 2 ** o) * 2 ** o;
    if ((orders & (1 << o)) === 0 || nothingCached(k, inode, first, first + 2 ** o - 1)) continue;
    out.push({ cause: at("cached", o), others: [free(true)] });
    break;
  }
  return out;
}

function ruleOf(k: Kernel, { inode, fault }: Asked, orders: number, order: number): ShmemRule {
  if (order > 0) return k.g.shmemEnabled === "force" ? "shmem.force" : "shmem.large";
  if (fault !== null && vmaThpDisabled(k, k.mms.get(fault.vma.mm), fault.vma.flags, false)) return "shmem.disabled";
  if (k.g.shmemEnabled === "deny") return "shmem.deny";
  if (orders === 0) return mountOf(k, inode).huge === "within_size" || k.g.shmemSizes.includes("within_size") ? "shmem.withinSize" : "shmem.notAllowed";
  const top = 31 - Math.clz32(orders);
  return fault !== null && k.era.shmemFitsVma && !fitsFile(fault.vma, fault.vpn, top) ? "shmem.doesNotFit" : "shmem.blockNotEmpty";
}

/** A decision about pages of a file, and about where the fault that asks has them. */
function decide(k: Kernel, { inode, index, fault }: Asked, order: number, parts: Pick<Decision, "symbol" | "rule" | "outcome" | "causes" | "also">): void {
  const pages = 2 ** order;
  const where = fault === null ? { mm: 0, vpn: -1, pages: 0 } : { mm: fault.vma.mm, vpn: fault.vpn - (fault.vpn % pages), pages };
  k.tracer?.decide({ ...parts, ...where, file: { inode: inode.slot, index: index - (index % pages), pages } });
}

/** shmem_allowable_huge_orders and shmem_suitable_orders: the order that is tried first, or next when those from `below` on could not be had. `fault` null: write(2), which asks for so much at once, or fallocate(2). */
export function traceShmemOrder(
  k: Kernel,
  inode: Inode,
  index: number,
  writeEnd: number,
  fault: Fault | null,
  isWrite: boolean,
  below = k.geo.pmdOrder + 1,
): void {
  if (!k.geo.thp) return;
  const asked: Asked = { inode, index, fault, below };
  const s: ShmemSituation = { k, vma: fault?.vma ?? null, writeEnd };
  const order = firstOrder(s, asked);
  const orders = allowed(s, asked);
  const top = order > 0 ? order : orders > 0 ? 31 - Math.clz32(orders) : k.geo.pmdOrder;
  const variations: Variation[] = [
    shmemEnabled(k),
    ...shmemSizes(k),
    ...hugeMount(k, inode),
    fileSize(k, inode, index),
    ...cacheVariations(k, asked, order, orders),
  ];
  if (fault !== null) {
    const { vma, vpn } = fault;
    variations.push(vmaFlag(vma, vpn, "VM_HUGEPAGE"), vmaFlag(vma, vpn, "VM_NOHUGEPAGE"), thpDisable(k, vma.mm), bounds(vma, vpn, top), offset(vma, vpn, top));
  } else {
    if (isWrite)
      variations.push({
        cause: { kind: "era", behaviour: "writeChunk", value: k.era.writeChunk },
        others: [(was) => ({ ...was, writeEnd: (index + 1) * 4096 }) as Situation],
      });
    const ends = [(index + 1) * 4096, (index + 1) * 4096 + 4 * 4096 * 2 ** k.geo.pmdOrder];
    variations.push({
      cause: { kind: "argument", name: "length", value: writeEnd - index * 4096 },
      others: ends.map((end) => (was) => ({ ...was, writeEnd: end }) as Situation),
    });
  }
  const rule = ruleOf(k, asked, orders, order);
  const symbol =
    rule === "shmem.doesNotFit" || rule === "shmem.blockNotEmpty"
      ? "shmem_suitable_orders"
      : k.era.shmemSizes
        ? "shmem_allowable_huge_orders"
        : "shmem_is_huge";
  decide(k, asked, order, { symbol, rule, outcome: `order ${order}`, ...causesOf((x) => firstOrder(x as ShmemSituation, asked), s, variations) });
}

/** A folio of that order could not be had: no free block, or the mount is full. */
export function traceShmemFallback(k: Kernel, inode: Inode, index: number, fault: Fault | null, order: number, errno: Errno): void {
  const isFull = errno === "ENOSPC";
  const cause: Cause = isFull
    ? { kind: "file", inode: inode.slot, property: "size=", value: mountOf(k, inode).maxBlocks }
    : { kind: "memory", pages: 2 ** order };
  decide(k, { inode, index, fault, below: order }, order, {
    symbol: "shmem_alloc_and_add_folio",
    rule: isFull ? "shmem.mountFull" : "shmem.allocFailed",
    outcome: order === 0 ? errno : `not order ${order}`,
    causes: [cause],
  });
}
