import type { Kernel } from "../../kernel/mm/kernel.ts";
import { PG } from "../../kernel/mm/pageFlags.ts";
import { buddyinfoOf } from "../../kernel/proc/memoryStatus.ts";
import { hex, sayer, sizeText, type PictureContext } from "./context.ts";
import { folioDetail } from "./folioDetail.ts";
import { countFrames, FRAME_STATES, framesChanged, layoutOf } from "./frames.ts";
import { legendOf } from "./legend.ts";
import type { CellState, PhysicalPicture, PhysicalRequest } from "./model.ts";
import { FRAME, FRAME_KINDS } from "./summaries.ts";

/** The picture of physical memory: page frames, or more and more of them in one cell. */

/** share of a cell's used frames above which their kind names the cell: a page table among a thousand huge pages does not make it mixed */
const MOSTLY = 7 / 8;

type Cell = PhysicalPicture["cells"][number];

const OUTSIDE: Cell = { state: "outside", used: 0, changed: false, folioStart: false };

/** The cells from `firstPfn` on. */
function cellsOf(k: Kernel, context: PictureContext, layout: ReturnType<typeof layoutOf>, request: PhysicalRequest, firstPfn: number): Cell[] {
  const counts = new Int32Array(FRAME_KINDS);
  const out: Cell[] = [];
  for (let i = 0; i < request.cells; i++) {
    const start = firstPfn + i * request.pagesPerCell;
    const end = Math.min(layout.end, start + request.pagesPerCell);
    if (start >= end) {
      out.push(OUTSIDE);
      continue;
    }
    countFrames(k, context.summaries, layout, start, end, counts);
    const used = end - start - counts[FRAME.free];
    counts[FRAME.free] = 0;
    let most = 0;
    for (let kind = 1; kind < FRAME_KINDS; kind++) if (counts[kind] > counts[most]) most = kind;
    const state: CellState = used === 0 ? "free" : counts[most] >= used * MOSTLY ? FRAME_STATES[most] : "mixed";
    const changed = context.before !== null && framesChanged(k, context.before, start, end);
    // the first frame of something: no frame of a folio that began before
    const flags = k.pageFlags.get(start);
    out.push({ state, used, changed, folioStart: flags !== 0 && (flags & (PG.tail | PG.buddy)) === 0 });
  }
  return out;
}

export function physicalPicture(k: Kernel, request: PhysicalRequest, context: PictureContext): PhysicalPicture {
  const say = sayer(context);
  const layout = layoutOf(k);
  const { pagesPerCell } = request;
  // cells lie at multiples of their size, so that blocks show
  const firstPfn = Math.max(0, Math.floor(Math.min(request.firstPfn, layout.end - 1) / pagesPerCell) * pagesPerCell);
  const cells = cellsOf(k, context, layout, request, firstPfn);
  const { selected } = request;
  return {
    kind: "physical",
    title: say("observe.memory.title", { size: sizeText(layout.end * 4), from: hex(firstPfn), cell: sizeText(pagesPerCell * 4) }),
    pageCount: layout.end,
    firstPfn,
    pagesPerCell,
    cells,
    freeByOrder: buddyinfoOf(k).map(({ zone, free }) => ({ zone, counts: free })),
    selected: selected === null || selected < 0 || selected >= layout.end ? null : folioDetail(k, context, layout, selected),
    legend: legendOf(
      say,
      cells.map((cell) => cell.state),
    ),
    twin: [],
  };
}
