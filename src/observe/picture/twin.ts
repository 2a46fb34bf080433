import { sizeText, type Say } from "./context.ts";
import { eligibilityTwin, rulesTwin } from "../eligibility/twin.ts";
import { stateLabel } from "./legend.ts";
import type { AddressSpacePicture, CellState, CountersPicture, PageTablesPicture, PhysicalPicture, Picture } from "./model.ts";

/** The text twin of a picture: the same content, made from the picture itself and from nothing else. */
export function twinOf(say: Say, picture: Picture): string[] {
  switch (picture.kind) {
    case "addressSpace":
      return spaceTwin(say, picture);
    case "pageTables":
      return tablesTwin(say, picture);
    case "physical":
      return memoryTwin(say, picture);
    case "counters":
      return countersTwin(say, picture);
    case "eligibility":
      return eligibilityTwin(say, picture);
    case "rules":
      return rulesTwin(say, picture);
  }
}

interface Run<T> {
  readonly first: number;
  readonly count: number;
  readonly item: T;
}

/** Neighbours that are alike as one. */
function runsOf<T>(items: readonly T[], isSame: (a: T, b: T) => boolean): Run<T>[] {
  const out: Run<T>[] = [];
  for (let first = 0; first < items.length;) {
    let count = 1;
    while (first + count < items.length && isSame(items[first], items[first + count])) count++;
    out.push({ first, count, item: items[first] });
    first += count;
  }
  return out;
}

const percent = (share: number): string => (share >= 1 ? "100%" : share > 0.99 ? "99%" : `${Math.ceil(share * 100)}%`);
const changedMark = (say: Say, changed: boolean): string => (changed ? `  ${say("observe.twin.changed")}` : "");
const hex = (n: number): string => `0x${n.toString(16)}`;

function spaceTwin(say: Say, picture: AddressSpacePicture): string[] {
  const lines = [picture.title];
  const last = picture.first + picture.areas.length;
  if (picture.areas.length < picture.areaCount) lines.push(say("observe.twin.window", { first: picture.first + 1, last, count: picture.areaCount }));
  for (const area of picture.areas) {
    if (area.gapBeforeKb > 0) lines.push(say("observe.twin.gap", { size: sizeText(area.gapBeforeKb) }));
    const name = area.name === null ? "" : `${area.name}  `;
    lines.push(
      `${name}${area.start.slice(2)}-${area.end.slice(2)} ${area.permissions}  ${sizeText(area.sizeKb)}  Rss ${area.rssKb} kB  AnonHugePages ${area.anonHugeKb} kB${changedMark(say, area.changed)}`,
      `  ${area.label}`,
      `  VmFlags ${area.vmFlags.join(" ")}`,
    );
    const firstPage = Math.floor(Number(area.start) / 4096 / area.pagesPerCell) * area.pagesPerCell;
    for (const run of runsOf(area.cells, (a, b) => a.state === b.state && a.share === b.share)) {
      if (run.item.state === "none" && run.count === area.cells.length) lines.push(`  ${say("observe.twin.nothing")}`);
      else lines.push(`  ${hex((firstPage + run.first * area.pagesPerCell) * 4096)}  ${cellWords(say, run, area.pagesPerCell)}`);
    }
  }
  for (const { flag, meaning } of picture.vmFlagMeanings) lines.push(`${flag}: ${meaning}`);
  return lines;
}

function cellWords(say: Say, run: Run<{ readonly state: CellState; readonly share: number }>, pagesPerCell: number): string {
  const what = stateLabel(say, run.item.state);
  const share = run.item.state === "none" || run.item.share === 1 ? "" : `, ${percent(run.item.share)}`;
  return `${run.count} x ${sizeText(pagesPerCell * 4)}: ${what}${share}`;
}

/** bits that nobody gave a name */
const NAMELESS: ReadonlySet<string> = new Set(["ignored", "software"]);

function tablesTwin(say: Say, picture: PageTablesPicture): string[] {
  const lines = [picture.title];
  for (const entry of picture.walk) {
    lines.push(`${entry.level}[${entry.index}]  ${entry.raw}  ${entry.summary}`);
    const isLast = entry === picture.walk[picture.walk.length - 1];
    for (const field of entry.fields)
      if (isLast || field.set) lines.push(`  ${field.bits.padStart(5)}  ${field.name.padEnd(10)} ${field.value.padEnd(10)} ${field.meaning}`);
    const clear = entry.fields.filter((field) => !field.set && !NAMELESS.has(field.name)).map((field) => field.name);
    if (!isLast && clear.length > 0) lines.push(`  ${say("observe.twin.clear", { names: clear.join(" ") })}`);
    if (entry.changedBy > 0) lines.push(`  ${say("observe.twin.changedBy", { node: entry.changedBy })}`);
  }
  const { table } = picture;
  if (table === null) return lines;
  const frame = table.frame === null ? "" : ` ${say("observe.twin.inFrame", { frame: table.frame })}`;
  lines.push(`${say("observe.twin.table", { name: table.name, start: table.start, size: sizeText(table.bytesPerEntry / 1024) })}${frame}`);
  for (const run of runsOf(table.entries, (a, b) => a.state === b.state && a.present === b.present && a.changed === b.changed)) {
    const range = run.count === 1 ? `[${run.first}]` : `[${run.first}-${run.first + run.count - 1}]`;
    const pages = run.item.present === 0 ? "" : `, ${say("observe.twin.present", { count: run.item.present })}`;
    lines.push(`  ${range}  ${stateLabel(say, run.item.state)}${pages}${changedMark(say, run.item.changed)}`);
  }
  return lines;
}

/** Folios of one page stand together; of large ones each begins a line. */
const isLarge = (state: CellState): boolean => state === "anonHuge" || state === "hugeZero";

function memoryTwin(say: Say, picture: PhysicalPicture): string[] {
  const lines = [picture.title];
  for (const run of runsOf(
    picture.cells,
    (a, b) => a.state === b.state && a.used === b.used && a.changed === b.changed && !(b.folioStart && isLarge(b.state)),
  )) {
    const pages = run.item.used === 0 || picture.pagesPerCell === 1 ? "" : `, ${say("observe.twin.used", { count: run.item.used })}`;
    lines.push(
      `  ${hex(picture.firstPfn + run.first * picture.pagesPerCell)}  ${run.count} x ${sizeText(picture.pagesPerCell * 4)}: ${stateLabel(say, run.item.state)}${pages}${changedMark(say, run.item.changed)}`,
    );
  }
  lines.push(say("observe.twin.free"));
  for (const { zone, counts } of picture.freeByOrder) lines.push(`  ${zone.padEnd(7)} ${counts.map((n) => String(n).padStart(6)).join(" ")}`);
  const { selected } = picture;
  if (selected === null) return lines;
  lines.push(selected.summary);
  lines.push(`  refcount ${selected.refCount}  mapcount ${selected.mapCount}  flags ${selected.flags.join(" ") || "-"}`);
  for (const place of selected.mappedAt) lines.push(`  ${place}`);
  if (selected.changedBy > 0) lines.push(`  ${say("observe.twin.changedBy", { node: selected.changedBy })}`);
  return lines;
}

function countersTwin(say: Say, picture: CountersPicture): string[] {
  const lines = [picture.title];
  if (picture.groups.length === 0) lines.push(say("observe.twin.noCounter"));
  for (const group of picture.groups) {
    lines.push(`${group.title}:`);
    for (const row of group.rows) {
      const delta = row.delta === 0 ? "" : `  (${row.delta > 0 ? "+" : ""}${row.delta})`;
      lines.push(`  ${row.name.padEnd(44)} ${String(row.value).padStart(12)}${row.unit === "" ? "" : ` ${row.unit}`}${delta}`);
    }
  }
  return lines;
}
