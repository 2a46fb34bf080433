import { folioMapcount, folioOrder } from "../../kernel/mm/folio.ts";
import { folioOf, PAGE_ROW, type Kernel } from "../../kernel/mm/kernel.ts";
import { PG } from "../../kernel/mm/pageFlags.ts";
import type { Pfn } from "../../kernel/units.ts";
import type { Say } from "../../observe/picture/context.ts";
import { FRAME_STATES } from "../../observe/picture/frames.ts";
import { stateLabel } from "../../observe/picture/legend.ts";
import { FRAME, frameKind } from "../../observe/picture/summaries.ts";
import { Runs, type RowGroup } from "./groups.ts";

/** Differences of page frames, neighbours with the same difference as one row. Blocks whose chunks both states share are passed over. */

/** counts above this are alike */
const MOST_COUNT = 0xffff;
const ORDERS = 32;

/** What a frame is part of, as one number: kind, order, references and mappings of its folio. Free frames are all alike. */
function lookOf(k: Kernel, pfn: number): number {
  const flags = k.pageFlags.get(pfn);
  const head = (flags & PG.tail) !== 0 ? folioOf(k, pfn as Pfn) : pfn;
  const headFlags = head === pfn ? flags : k.pageFlags.get(head);
  const kind = frameKind(headFlags);
  if (kind === FRAME.free) return 0;
  const order = (headFlags & PG.head) !== 0 ? folioOrder(k, head) : 0;
  const references = Math.min(MOST_COUNT, k.refcount.get(head));
  const mappings = kind === FRAME.pageTable ? 0 : Math.min(MOST_COUNT, folioMapcount(k, head));
  return kind + 8 * (order + ORDERS * (references + (MOST_COUNT + 1) * mappings));
}

function lookText(say: Say, look: number): string {
  const label = stateLabel(say, FRAME_STATES[look % 8]);
  if (look === 0) return label;
  const rest = Math.floor(look / 8);
  const counts = Math.floor(rest / ORDERS);
  return say("session.diff.folio", {
    what: label,
    order: rest % ORDERS,
    references: counts % (MOST_COUNT + 1),
    mappings: Math.floor(counts / (MOST_COUNT + 1)),
  });
}

export function frameRows(group: RowGroup, from: Kernel, to: Kernel, say: Say): void {
  const { shift } = PAGE_ROW;
  const blocks = Math.max(from.pageRows.chunks.length, to.pageRows.chunks.length);
  let begin: readonly [number, number] | null = null;
  const runs = new Runs((first, count) => {
    const looks = begin;
    begin = null;
    if (looks === null) return;
    const frame = `0x${first.toString(16)}`;
    group.add(() => ({
      subject: count === 1 ? say("session.diff.oneFrame", { frame }) : say("session.diff.frames", { frame, count }),
      before: lookText(say, looks[0]),
      after: lookText(say, looks[1]),
      why: null,
    }));
  });
  for (let block = 0; block < blocks; block++) {
    const isSame = from.pageRows.chunks[block] === to.pageRows.chunks[block] && from.useRows.chunks[block] === to.useRows.chunks[block];
    if (isSame) continue;
    for (let pfn = block << shift; pfn < (block + 1) << shift; pfn++) {
      const [was, is] = [lookOf(from, pfn), lookOf(to, pfn)];
      if (was === is) continue;
      runs.add(pfn, 1, was, is);
      begin ??= [was, is];
    }
  }
  runs.flush();
}
