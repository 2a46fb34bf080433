import type { Message } from "../../kernel/message.ts";
import { userAccess } from "../../kernel/mm/access.ts";
import { byteAt } from "../../kernel/mm/content.ts";
import { hasFlag } from "../../kernel/mm/folio.ts";
import { folioOf } from "../../kernel/mm/kernel.ts";
import { PG } from "../../kernel/mm/pageFlags.ts";
import { inodeOf } from "../../kernel/mm/inode.ts";
import type { Kernel } from "../../kernel/mm/kernel.ts";
import { filemapNext, filemapPage } from "../../kernel/mm/pageCache.ts";
import type { Vma } from "../../kernel/mm/records.ts";
import { vmaAt } from "../../kernel/mm/vma.ts";
import { VM } from "../../kernel/mm/vmFlags.ts";
import { walkPages } from "../../kernel/proc/taskMmu.ts";
import { runAlone } from "../../kernel/sched/points.ts";
import type { Pfn } from "../../kernel/units.ts";
import type { OperationBody } from "../../shell/operation.ts";
import type { ThreadOperation } from "./schedule.ts";
import type { World } from "../world.ts";

/** What must hold after every schedule of a threaded script, besides the invariants of the machine. */

/** Page numbers [start, end). */
interface Pages {
  readonly start: number;
  readonly end: number;
}

/** Contents of the pages of process P that the slots hold, by page number; zero pages are left out. */
export type Image = ReadonlyMap<number, number>;

export function imageOf(world: World): Image {
  const k = world.machine.kernel;
  const image = new Map<number, number>();
  const p = world.find("P");
  if (p === undefined) return image;
  for (const vma of world.machine.vmas(world.task(p))) {
    if (!world.slots.inSlots(vma.start * 4096)) continue;
    if (vma.file !== 0) addCached(k, vma, image);
    for (const page of walkPages(k, vma.mm, vma.start, vma.end)) {
      if (page.state !== "present") continue;
      for (let i = 0; i < page.pages; i++) {
        const stamp = k.stamp.get(page.pfn + i);
        if (stamp !== 0) image.set(page.vpn + i, stamp);
        else image.delete(page.vpn + i);
      }
    }
  }
  return image;
}

/** What the page cache has of a mapping: an access finds it there, mapped or not. */
function addCached(k: Kernel, vma: Vma, image: Map<number, number>): void {
  const { slot } = inodeOf(k, vma);
  const last = vma.pgoff + (vma.end - vma.start) - 1;
  for (let index = filemapNext(k, slot, vma.pgoff, last); index >= 0; index = filemapNext(k, slot, index + 1, last)) {
    const stamp = k.stamp.get(filemapPage(k, slot, index));
    if (stamp !== 0) image.set(vma.start + (index - vma.pgoff), stamp);
  }
}

const EVERYTHING: Pages = { start: 0, end: Infinity };
const DISCARDS: ReadonlySet<string | number> = new Set(["dontneed", "dontneed_locked", "free", "remove", "guard_install", 4, 8, 9, 24, 102]);

function pagesOf(world: World, range: Extract<OperationBody, { op: "munmap" }>["range"]): Pages {
  const at = world.slots.resolve(range.at);
  if (at === undefined) return EVERYTHING;
  const length = range.lengthBytes ?? world.slots.defaultLength(at.address, at.slot);
  return { start: Number(at.address / 4096n), end: Number((at.address + length + 4095n) / 4096n) };
}

/** Pages whose content or place an operation may take away, be it as Linux promises; undefined: none. What it may be is taken generously. */
function taken(world: World, body: OperationBody): Pages | undefined {
  switch (body.op) {
    case "munmap":
      return pagesOf(world, body.range);
    case "madvise":
      return DISCARDS.has(body.advice) ? pagesOf(world, body.range) : undefined;
    case "kread":
      return pagesOf(world, { at: body.at, lengthBytes: body.lengthBytes });
    case "truncate":
    case "falloc":
      return EVERYTHING;
    case "mmap":
      return body.flags.includes("fixed") ? EVERYTHING : undefined;
    case "mremap":
    case "brk":
    case "exit":
      return EVERYTHING;
    default:
      return undefined;
  }
}

const holds = (pages: Pages | undefined, vpn: number): boolean => pages !== undefined && vpn >= pages.start && vpn < pages.end;

/** A pin that an operation `gup` of a thread took. */
interface Pin {
  readonly by: ThreadOperation;
  readonly pfn: Pfn;
  readonly vpn: number;
}

function pinsOf(world: World, operations: readonly ThreadOperation[]): Pin[] {
  return operations.flatMap((by): Pin[] => {
    const { body } = by.operation;
    const at = body.op === "gup" ? world.slots.resolve(body.range.at) : undefined;
    if (at === undefined || typeof by.result.pinned !== "number") return [];
    return [{ by, pfn: by.result.pinned as Pfn, vpn: Number(at.address / 4096n) }];
  });
}

const breach = (key: string, args: Message["args"] = {}): Message => ({ key, args });

/**
 * The first broken promise about the pins of a schedule that has ended, or undefined. A pin is what get_user_pages with
 * FOLL_PIN returned, for reading or for writing. For each:
 *
 * 1. Its frame is not free: the folio has at least as many references as pins.
 * 2. Its frame is of the address it was asked for, even when advice took it away: an anonymous page stands at the address's
 *    place in its anon_vma.
 * 3. It sees later writes of the process, unless an operation took the page away. "Took away" means munmap, a fixed
 *    mmap, mremap, brk or madvise of a kind that discards, over this address, and not over before the pin was begun. Then a write
 *    of the process to the address (which is made here, through the fault path) must store into the pinned frame; where
 *    the process may only read, a read must load from it. Where the address is gone there is nothing to promise, and
 *    pins of the zero page promise nothing either: Linux pins it for reading, and a write replaces it.
 *
 * It makes accesses: the machine is not as before afterwards.
 */
export function checkPins(world: World, operations: readonly ThreadOperation[]): Message | undefined {
  const k = world.machine.kernel;
  const p = world.find("P");
  const pins = pinsOf(world, operations);
  for (const pin of pins) {
    const head = folioOf(k, pin.pfn);
    const args = { frame: hex(pin.pfn), address: world.slots.print(pin.vpn * 4096) };
    if (k.refcount.get(head) < Math.max(1, k.pincount.get(head)) || hasFlag(k, head, PG.buddy)) return breach("session.broken.pinFreed", args);
    if (p === undefined || !hasFlag(k, head, PG.anon)) continue;
    const mm = world.task(p).mm;
    const vma = vmaAt(k, mm, pin.vpn);
    if (vma === undefined) continue;
    const later = operations.filter((o) => o.endedAt > pin.by.startedAt && holds(taken(world, o.operation.body), pin.vpn));
    // another mapping may stand there by now, with another place in its anon_vma
    if (later.some((o) => o.operation.body.op !== "madvise")) continue;
    const index = k.pageIndex.get(head) + (pin.pfn - head);
    if (index !== vma.pgoff + (pin.vpn - vma.start)) return breach("session.broken.pinStranger", args);
    if (later.length > 0 || (vma.flags & (VM.read | VM.write)) === 0) continue;
    const write = (vma.flags & VM.write) !== 0;
    const used = runAlone(userAccess(k, mm, pin.vpn, 0, write ? "w" : "r"));
    if (used !== pin.pfn) return breach("session.broken.pinStale", { ...args, used: typeof used === "number" ? hex(used) : used.signal });
  }
  return undefined;
}

const hex = (n: number): string => `0x${n.toString(16)}`;

/** One byte that a thread wrote and nobody took away. */
interface Written {
  readonly vpn: number;
  readonly offset: number;
  /** what each thread that wrote here wrote last */
  readonly values: Map<number, number>;
  anything: boolean;
}

function writtenBytes(world: World, operations: readonly ThreadOperation[]): Written[] {
  const out = new Map<number, Written>();
  for (const { thread, operation, result } of operations) {
    const { body } = operation;
    if (body.op !== "touch" || body.mode !== "w") continue;
    const at = world.slots.resolve(body.range.at);
    if (at === undefined) continue;
    const length = body.range.lengthBytes ?? (body.all ? world.slots.defaultLength(at.address, at.slot) : 1n);
    for (let byte = at.address; byte < at.address + length; byte += body.stepBytes) {
      const address = Number(byte);
      const written: Written = out.get(address) ?? {
        vpn: Math.floor(address / 4096),
        offset: address % 4096,
        values: new Map<number, number>(),
        anything: false,
      };
      // after a signal nobody can say which bytes were stored: any content is right
      if (result.ok === result.cnt) written.values.set(thread, body.value & 0xff);
      else written.anything = true;
      out.set(address, written);
    }
  }
  return [...out.values()];
}

/**
 * What process P's memory holds at the end against what it held before the threads: a page that nobody wrote to or took away
 * has its old content, and a byte that threads wrote has the value one of them wrote last. The message of the first difference.
 */
export function checkContents(world: World, before: Image, operations: readonly ThreadOperation[]): Message | undefined {
  const k = world.machine.kernel;
  if (world.find("P") === undefined) return undefined;
  const gone = operations.map((o) => taken(world, o.operation.body)).filter((pages) => pages !== undefined);
  const after = imageOf(world);
  const written = writtenBytes(world, operations).filter((w) => !gone.some((pages) => holds(pages, w.vpn)));
  for (const { vpn, offset, values, anything } of written) {
    if (anything) continue;
    const byte = byteAt(k, after.get(vpn) ?? 0, offset);
    if (![...values.values()].includes(byte)) {
      const address = world.slots.print(vpn * 4096 + offset);
      return breach("session.broken.lostWrite", { address, wrote: [...new Set(values.values())].join(", "), reads: byte });
    }
  }
  const touched = new Set(written.map((w) => w.vpn));
  for (const [vpn, stamp] of before) {
    if (touched.has(vpn) || gone.some((pages) => holds(pages, vpn)) || (after.get(vpn) ?? 0) === stamp) continue;
    return breach("session.broken.lostContent", { address: world.slots.print(vpn * 4096) });
  }
  return undefined;
}

/** Whether the result of an operation says that it did not do what it was asked to. */
export const refused = (result: Readonly<Record<string, unknown>>): boolean => "error" in result || result.ret === -1;
