import { vmstatItemsOf } from "../../kernel/era/procText.ts";
import { MISC, MMC, MTHP, MTHP_COUNTERS, type Kernel } from "../../kernel/mm/kernel.ts";
import { VMSTAT, VMSTAT_NAMES, vmstatIndex } from "../../kernel/mm/vmstat.ts";
import { vmstatValue } from "../../kernel/proc/memoryStatus.ts";
import { hasSizeStat, SIZE_STATS } from "../../kernel/proc/tunables.ts";
import { statusOf } from "../../kernel/syscalls.ts";
import { meminfoLines } from "../systemText.ts";
import { sayer, type PictureContext, type PictureProcess, type Say } from "./context.ts";
import type { CountersPicture, CountersRequest } from "./model.ts";

/** The picture of counters: what /proc and /sys count, by subject, each with its change by the last step. */

/** One counter: how to read it of any machine. `why`: the words that ask about it, null where `why` has no answer. */
export interface CounterSource {
  readonly name: string;
  readonly unit: string;
  readonly read: (k: Kernel) => number;
  readonly why: string | null;
}

const COUNTED: ReadonlySet<number> = new Set(Object.values(VMSTAT));
const isHugeItem = (name: string): boolean => name.startsWith("thp_") || name === "nr_anon_transparent_hugepages";
/** items that /proc/vmstat gives in pages; all others are events */
const inPages = (name: string): boolean => /^(nr_(?!anon_transparent|foll)|pgalloc|pgfree|pgactivate|pgdeactivate|pglazyfree|unevictable)/.test(name);

function vmstatSources(k: Kernel, isHuge: boolean): CounterSource[] {
  const counted = (name: string): boolean => COUNTED.has(vmstatIndex(name)) || name === "nr_free_pages";
  return vmstatItemsOf(k.profile.release, VMSTAT_NAMES)
    .filter((name) => counted(name) && isHugeItem(name) === isHuge)
    .map((name) => ({
      name,
      unit: inPages(name) ? "pages" : "",
      read: (now) => vmstatValue(now, name),
      // what follows from other numbers has no step of its own
      why: COUNTED.has(vmstatIndex(name)) ? name : null,
    }));
}

const MEMINFO: readonly string[] = [
  "MemTotal",
  "MemFree",
  "MemAvailable",
  "Active(anon)",
  "Inactive(anon)",
  "Unevictable",
  "Mlocked",
  "AnonPages",
  "AnonHugePages",
  "PageTables",
  "CommitLimit",
  "Committed_AS",
];

function meminfoSources(k: Kernel): CounterSource[] {
  return meminfoLines(k)
    .map(([name]) => name)
    .filter((name) => MEMINFO.includes(name))
    .map((name) => ({ name, unit: "kB", read: (now) => meminfoLines(now).find((line) => line[0] === name)?.[1] ?? 0, why: null }));
}

function sizeSources(k: Kernel): CounterSource[] {
  const out: CounterSource[] = [];
  for (let order = 1; order <= k.geo.pmdOrder; order++) {
    for (const [file, item] of SIZE_STATS) {
      if (!hasSizeStat(k, order, file)) continue;
      const name = `hugepages-${4 << order}kB/stats/${file}`;
      const unit = item === MTHP.nrAnon || item === MTHP.nrAnonPartiallyMapped ? "folios" : "";
      out.push({ name, unit, read: (now) => now.mthpStat.get(order * MTHP_COUNTERS + item), why: name });
    }
  }
  return out;
}

function processSources(k: Kernel, processes: readonly PictureProcess[]): CounterSource[] {
  return processes.flatMap(({ name, task }) => {
    const mm = k.tasks.find(task)?.mm ?? 0;
    // a process that the step made had none of it before
    const of =
      (read: (now: Kernel) => number) =>
      (now: Kernel): number =>
        now.tasks.find(task)?.mm === mm && now.mms.find(mm) !== undefined ? read(now) : 0;
    const status = (key: "VmSize" | "VmRSS" | "VmPTE" | "VmLck"): CounterSource => ({
      name: `${name} ${key}`,
      unit: "kB",
      read: of((now) => statusOf(now, mm)[key]),
      why: null,
    });
    const faults = (label: string, counter: number): CounterSource => ({
      name: `${name} ${label}`,
      unit: "",
      read: of((now) => now.mmCount(mm, counter)),
      why: null,
    });
    return [status("VmSize"), status("VmRSS"), status("VmPTE"), status("VmLck"), faults("min_flt", MMC.minFlt), faults("maj_flt", MMC.majFlt)];
  });
}

function khugepagedSources(k: Kernel): CounterSource[] {
  if (!k.geo.thp) return [];
  return [
    { name: "khugepaged/full_scans", unit: "", read: (now) => now.misc.get(MISC.fullScans), why: null },
    { name: "khugepaged/pages_collapsed", unit: "", read: (now) => now.misc.get(MISC.pagesCollapsed), why: null },
  ];
}

const CLOCK: CounterSource = { name: "simulated time", unit: "ns", read: (k) => k.misc.get(MISC.clockNs), why: null };

/** Every counter that the picture knows, by subject. */
export function counterGroups(
  k: Kernel,
  processes: readonly PictureProcess[],
  say: Say,
): { readonly title: string; readonly sources: readonly CounterSource[] }[] {
  return [
    { title: say("observe.counters.huge"), sources: vmstatSources(k, true) },
    { title: say("observe.counters.sizes"), sources: sizeSources(k) },
    { title: say("observe.counters.khugepaged"), sources: khugepagedSources(k) },
    { title: say("observe.counters.faults"), sources: vmstatSources(k, false) },
    { title: say("observe.counters.meminfo"), sources: meminfoSources(k) },
    { title: say("observe.counters.processes"), sources: processSources(k, processes) },
    { title: say("observe.counters.time"), sources: [CLOCK] },
  ];
}

export function countersPicture(k: Kernel, request: CountersRequest, context: PictureContext): CountersPicture {
  const say = sayer(context);
  const { before } = context;
  const filter = request.filter.toLowerCase();
  const groups = counterGroups(k, context.processes, say)
    .map(({ title, sources }) => {
      const rows = sources
        .filter((source) => source.name.toLowerCase().includes(filter))
        .map(({ name, unit, read, why }) => {
          const value = read(k);
          return { name, value, unit, delta: before === null ? 0 : value - read(before), why };
        });
      return { title, rows: request.changedOnly ? rows.filter((row) => row.delta !== 0) : rows };
    })
    .filter((group) => group.rows.length > 0);
  return { kind: "counters", title: say("observe.counters.title"), groups, twin: [] };
}
