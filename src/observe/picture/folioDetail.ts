import { folioMapcount } from "../../kernel/mm/folio.ts";
import type { Kernel } from "../../kernel/mm/kernel.ts";
import { mappingsOf, type Mapping } from "../../kernel/mm/rmapWalk.ts";
import { kpageflagsWord } from "../../kernel/proc/pagemap.ts";
import { folioPlace } from "../../kernel/proc/taskMmu.ts";
import type { Pfn } from "../../kernel/units.ts";
import { kpageflagNames } from "../pageTableText.ts";
import { hex, sayer, sizeText, type PictureContext } from "./context.ts";
import { FRAME_STATES, freeBlockAt, kindAt, type MemoryLayout } from "./frames.ts";
import { stateLabel } from "./legend.ts";
import type { FolioDetail } from "./model.ts";
import { FRAME } from "./summaries.ts";

/** places that are listed of one folio; a page that a thousand processes share is mapped in as many */
const MOST_PLACES = 64;

/** What is known of the folio that a frame belongs to. */
export function folioDetail(k: Kernel, context: PictureContext, layout: MemoryLayout, selected: number): FolioDetail {
  const say = sayer(context);
  const pfn = selected as Pfn;
  const none = { pfn, headPfn: pfn, order: 0, refCount: 0, mapCount: 0, flags: kpageflagNames(kpageflagsWord(k, pfn)), mappedAt: [], changedBy: 0 } as const;
  if (pfn < layout.start) return { ...none, state: "reserved", summary: say("observe.frame.belowZones") };
  const free = freeBlockAt(k, pfn);
  if (free !== undefined) {
    const summary = say("observe.frame.free", { order: free.order, size: sizeText(4 * 2 ** free.order), from: hex(free.head) });
    return { ...none, headPfn: free.head, order: free.order, state: "free", summary };
  }
  const { head, order, pages } = folioPlace(k, pfn);
  const kind = kindAt(k, head);
  const places = kind === FRAME.anon || kind === FRAME.anonHuge || kind === FRAME.file ? placesOf(k, context, mappingsOf(k, head)) : [];
  const what = stateLabel(say, FRAME_STATES[kind]);
  const summary =
    order === 0
      ? say("observe.frame.page", { what, frame: hex(head) })
      : say("observe.frame.folio", { what, order, pages, size: sizeText(4 * pages), from: hex(head), index: pfn - head });
  return {
    ...none,
    headPfn: head,
    order,
    state: FRAME_STATES[kind],
    refCount: k.refcount.get(head),
    mapCount: folioMapcount(k, head),
    mappedAt: places,
    summary,
    changedBy: context.nodeOfStep(k.pageStep.get(head)) ?? 0,
  };
}

/** Who maps a folio where, neighbouring pages as one line. */
function placesOf(k: Kernel, context: PictureContext, found: readonly Mapping[]): string[] {
  const say = sayer(context);
  const names = new Map(context.processes.map(({ name, task }) => [k.tasks.find(task)?.mm, name]));
  const order = [...names.keys()];
  const mappings = [...found].sort((a, b) => order.indexOf(a.vma.mm) - order.indexOf(b.vma.mm) || a.vpn - b.vpn);
  const out: string[] = [];
  for (let i = 0; i < mappings.length;) {
    const first = mappings[i];
    let n = 1;
    while (i + n < mappings.length && follows(mappings[i + n - 1], mappings[i + n])) n++;
    const process = names.get(first.vma.mm) ?? "?";
    const at = context.print(first.vpn * 4096);
    if (first.level === "pmd") out.push(say("observe.mappedBy.pmd", { process, at }));
    else if (n === 1) out.push(say("observe.mappedBy.pte", { process, at }));
    else out.push(say("observe.mappedBy.ptes", { process, at, count: n }));
    i += n;
  }
  return out.length <= MOST_PLACES ? out : [...out.slice(0, MOST_PLACES), say("observe.mappedBy.more", { count: out.length - MOST_PLACES })];
}

const follows = (a: Mapping, b: Mapping): boolean => a.level === "pte" && b.level === "pte" && a.vma.slot === b.vma.slot && b.vpn === a.vpn + 1;
