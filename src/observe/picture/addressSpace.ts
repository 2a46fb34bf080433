import { isRawPfn } from "../../kernel/drivers/card.ts";
import type { Kernel } from "../../kernel/mm/kernel.ts";
import { ENTRY_ROW, entryRowAt } from "../../kernel/mm/kernel.ts";
import { entryPfn } from "../../kernel/mm/pgtable.ts";
import { PG } from "../../kernel/mm/pageFlags.ts";
import type { Vma } from "../../kernel/mm/records.ts";
import { VM_ACCESS } from "../../kernel/mm/vmFlags.ts";
import { vmFlagNames } from "../../kernel/proc/taskMmu.ts";
import { isHugeZero } from "../../kernel/thp/hugeZero.ts";
import type { TableIndex } from "../../kernel/units.ts";
import { permissionsOf } from "../taskText.ts";
import { areaLabel, flagMeanings } from "./areaWords.ts";
import { hex, isLastStep, nameOf, processOf, sayer, whyWords, type PictureContext } from "./context.ts";
import { legendOf } from "./legend.ts";
import type { AddressSpacePicture, AddressSpaceRequest, AreaRow, CellState } from "./model.ts";
import { walkTables, type TableVisitor } from "./tableWalk.ts";

/** The picture of an address space: areas in order, each cut into cells that say what is mapped there. */

/** pages of each kind in a cell */
const KIND = { page: 0, huge: 1, large: 2, zero: 3, hugeZero: 4, special: 5, device: 6 } as const;
const KINDS = 7;
const STATES: readonly CellState[] = ["page", "huge", "anonHuge", "zero", "hugeZero", "special", "device"];

/** pages of a cell up to which its frames are looked up, to tell pages of large folios from single pages */
const LOOKED_UP = 64;

/** Counts what the entries of one area map, cell by cell. */
class AreaCount implements TableVisitor {
  readonly pagesPerCell: number;
  readonly counts: Int32Array;
  changed = false;
  readonly #k: Kernel;
  readonly #context: PictureContext;
  readonly #firstCell: number;

  constructor(k: Kernel, context: PictureContext, vma: Vma, mostCells: number) {
    this.#k = k;
    this.#context = context;
    let pages = 1;
    while (Math.ceil(vma.end / pages) - Math.floor(vma.start / pages) > mostCells) pages *= 2;
    this.pagesPerCell = pages;
    this.#firstCell = Math.floor(vma.start / pages);
    this.counts = new Int32Array((Math.ceil(vma.end / pages) - this.#firstCell) * KINDS);
  }

  empty(_vpn: number, _pages: number, step: number): void {
    this.#note(step);
  }

  leaf(vpn: number, pages: number, _span: number, lo: number, hi: number, step: number): void {
    this.#note(step);
    const pfn = entryPfn(lo, hi);
    this.#add(vpn, pages, isRawPfn(this.#k, pfn) ? KIND.device : isHugeZero(this.#k, pfn) ? KIND.hugeZero : KIND.huge);
  }

  table(t: TableIndex, index: number, vpn: number, pages: number): void {
    const k = this.#k;
    const { pagesPerCell } = this;
    const whole = 2 ** k.geo.levels[k.geo.levels.length - 1].bits;
    if (pages === whole && pagesPerCell >= whole) {
      const { summaries } = this.#context;
      const found = summaries.table(k, t);
      const at = (Math.floor(vpn / pagesPerCell) - this.#firstCell) * KINDS;
      this.counts[at + KIND.page] += found.pages;
      this.counts[at + KIND.zero] += found.zero;
      this.counts[at + KIND.device] += found.device;
      this.counts[at + KIND.special] += found.special;
      this.#note(found.step);
      return;
    }
    const first = t * k.geo.tableStride + index;
    const chunk = k.entryRows.chunks[first >>> k.entryRows.shift];
    if (chunk === undefined) return;
    const { present, protNone, special } = k.geo.encoding;
    for (let i = 0; i < pages; i++) {
      const row = entryRowAt(first + i);
      this.#note(chunk[row + ENTRY_ROW.step]);
      const lo = chunk[row + ENTRY_ROW.lo];
      const hi = chunk[row + ENTRY_ROW.hi];
      if (lo === 0 && hi === 0) continue;
      const at = (Math.floor((vpn + i) / pagesPerCell) - this.#firstCell) * KINDS;
      if ((lo & (present | protNone)) === 0) this.counts[at + KIND.special]++;
      else if ((lo & special) !== 0) this.counts[at + (isRawPfn(k, entryPfn(lo, hi)) ? KIND.device : KIND.zero)]++;
      else this.counts[at + (pagesPerCell <= LOOKED_UP && this.#isLarge(entryPfn(lo, hi)) ? KIND.large : KIND.page)]++;
    }
  }

  sum(kind: number): number {
    let sum = 0;
    for (let at = kind; at < this.counts.length; at += KINDS) sum += this.counts[at];
    return sum;
  }

  cells(vma: Vma): AreaRow["cells"] {
    const { counts, pagesPerCell } = this;
    const out: { state: CellState; share: number }[] = [];
    for (let cell = 0; cell < counts.length / KINDS; cell++) {
      const first = (this.#firstCell + cell) * pagesPerCell;
      const size = Math.min(vma.end, first + pagesPerCell) - Math.max(vma.start, first);
      let used = 0;
      let state: CellState = "none";
      for (let kind = 0; kind < KINDS; kind++) {
        const n = counts[cell * KINDS + kind];
        if (n === 0) continue;
        state = used === 0 ? STATES[kind] : "mixed";
        used += n;
      }
      out.push({ state, share: used / size });
    }
    return out;
  }

  #isLarge(pfn: number): boolean {
    return (this.#k.pageFlags.get(pfn) & (PG.head | PG.tail)) !== 0;
  }

  #note(step: number): void {
    if (step === this.#context.step && step > 0) this.changed = true;
  }

  #add(vpn: number, pages: number, kind: number): void {
    for (let at = vpn; at < vpn + pages;) {
      const cell = Math.floor(at / this.pagesPerCell);
      const end = Math.min(vpn + pages, (cell + 1) * this.pagesPerCell);
      this.counts[(cell - this.#firstCell) * KINDS + kind] += end - at;
      at = end;
    }
  }
}

function areaRow(k: Kernel, context: PictureContext, process: string, vma: Vma, gapPages: number, mostCells: number): AreaRow {
  const count = new AreaCount(k, context, vma, mostCells);
  walkTables(k, k.mms.get(vma.mm).pgd, vma.start, vma.end, count);
  const huge = count.sum(KIND.huge);
  // what smaps leaves out on this release (walkPages' caller in taskMmu.ts has the same rule)
  const shownHuge = k.era.smapsProtnonePmd || (vma.flags & VM_ACCESS) !== 0 ? huge : 0;
  const start = vma.start * 4096;
  return {
    start: hex(start),
    end: hex(vma.end * 4096),
    name: nameOf(context, start),
    permissions: permissionsOf(vma),
    label: areaLabel(sayer(context), k, vma),
    sizeKb: (vma.end - vma.start) * 4,
    rssKb: (count.sum(KIND.page) + count.sum(KIND.large) + shownHuge) * 4,
    anonHugeKb: shownHuge * 4,
    vmFlags: vmFlagNames(k, vma),
    gapBeforeKb: gapPages * 4,
    cells: count.cells(vma),
    pagesPerCell: count.pagesPerCell,
    changed: count.changed || isLastStep(context, vma.step),
    why: whyWords(context, process, `vma ${hex(start)}`),
  };
}

export function addressSpacePicture(k: Kernel, request: AddressSpaceRequest, context: PictureContext): AddressSpacePicture {
  const say = sayer(context);
  const processes = context.processes.map((process) => process.name);
  const empty = { kind: "addressSpace", processes, areaCount: 0, first: 0, areas: [], vmFlagMeanings: [], legend: [], twin: [] } as const;
  const found = processOf(k, context, request.process);
  if (found === undefined) {
    const process = request.process ?? context.current;
    return { ...empty, process, title: say("observe.noProcess", { name: process }) };
  }
  const slots = k.mms.get(found.task.mm).vmas;
  const first = Math.max(0, Math.min(request.first, slots.length - 1));
  const areas: AreaRow[] = [];
  for (let i = first; i < Math.min(slots.length, first + request.count); i++) {
    const vma = k.vmas.get(slots[i]);
    const gap = vma.start - (i === 0 ? 0 : k.vmas.get(slots[i - 1]).end);
    areas.push(areaRow(k, context, found.name, vma, gap, request.cells));
  }
  return {
    ...empty,
    title: say(slots.length === 0 ? "observe.space.titleEmpty" : slots.length === 1 ? "observe.space.titleOne" : "observe.space.title", {
      name: found.name,
      count: slots.length,
    }),
    process: found.name,
    areaCount: slots.length,
    first,
    areas,
    vmFlagMeanings: flagMeanings(say, areas),
    legend: legendOf(
      say,
      areas.flatMap((area) => area.cells.map((cell) => cell.state)),
    ),
  };
}
