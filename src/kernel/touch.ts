import { touchRangeAlone } from "./alone.ts";
import { accessByFault, userAccess } from "./mm/access.ts";
import { byteAt, stampAfterWrite } from "./mm/content.ts";
import { askForBatch, batchFor } from "./mm/faultBatch.ts";
import type { Signal } from "./mm/faultSignal.ts";
import type { Kernel } from "./mm/kernel.ts";
import type { Task } from "./mm/records.ts";
import { translate, type AccessKind } from "./mm/translate.ts";
import { pace, paceWhole, QUANTUM } from "./sched/pace.ts";
import type { Op } from "./sched/points.ts";
import { noteSignal, type TouchResult } from "./touchResult.ts";

/**
 * Accesses one byte at `start`, `start + step` ... below `end` (byte addresses below 2^53). A signal ends one access,
 * not the loop. The hot loop of the simulator: a hit in the TLB creates no object.
 */
export function* touchRange(k: Kernel, task: Task, start: number, end: number, step: number, kind: AccessKind, value: number): Op<TouchResult> {
  if (!k.preempt) return touchRangeAlone(k, task, start, end, step, kind, value);
  const out: TouchResult = { count: 0, ok: 0, first: -1, sum: 0, signals: [] };
  const mm = task.mm;
  const batch = batchFor(step, kind);
  for (let at = start; at < end; at += step * batch.done) {
    batch.done = 1;
    out.count++;
    if (++k.work >= QUANTUM && !pace(k, 0)) return out;
    const vpn = Math.floor(at / 4096);
    const offset = at - vpn * 4096;
    let pfn = translate(k, mm, vpn, kind);
    if (pfn < 0) {
      askForBatch(batch, Math.min(Math.ceil((end - at) / step), QUANTUM - k.work));
      if (k.preempt) batch.wanted = 1;
      const r: number | Signal = yield* accessByFault(k, mm, vpn, offset, kind, batch);
      if (typeof r !== "number") {
        noteSignal(out, at, step, r);
        continue;
      }
      pfn = r;
    }
    if (kind === "x") {
      const faulted = yield* execute(k, mm, vpn, offset);
      noteSignal(out, at, step, faulted.signal, faulted.address);
      continue;
    }
    const nr = batch.done;
    out.count += nr - 1;
    k.work += nr - 1;
    out.ok += nr;
    const stamp = k.stamp.get(pfn);
    if (kind === "w") {
      // the frames of a batch lie behind each other and hold the same: nothing yet
      const next = stampAfterWrite(k, stamp, offset, 1, value);
      if (nr > 1) k.stamp.fill(pfn, nr, next);
      else if (next !== stamp) k.stamp.set(pfn, next);
    } else {
      const byte = stamp === 0 ? 0 : byteAt(k, stamp, offset);
      if (out.first < 0) out.first = byte;
      out.sum = (out.sum + byte * nr) >>> 0;
    }
    // behind the access: an instruction ends before its CPU answers the interrupt of a flush
    if (k.preempt) yield "access.done";
  }
  return out;
}

/**
 * A call of an address whose page holds zeros: "add %al,(%rax)" with rax the address itself, again and again. It
 * writes there first, then runs on to the end of the mapping. Always ends with a signal.
 */
function* execute(k: Kernel, mm: number, vpn: number, offset: number): Op<{ signal: Signal; address: number }> {
  const target = vpn * 4096 + offset;
  const written = yield* userAccess(k, mm, vpn, offset, "w");
  if (typeof written !== "number") return { signal: written, address: target };
  for (let next = vpn + 1; ; next++) {
    paceWhole(k, 1);
    const r = yield* userAccess(k, mm, next, 0, "x");
    if (typeof r !== "number") return { signal: r, address: next * 4096 };
  }
}
