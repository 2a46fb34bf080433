import type { Kernel } from "../../kernel/mm/kernel.ts";
import { failed } from "../../kernel/mm/errno.ts";
import { tunablesOf } from "../../kernel/proc/tunables.ts";
import { statusOf } from "../../kernel/syscalls.ts";
import { counterGroups, type CounterSource } from "../../observe/picture/counters.ts";
import type { Say } from "../../observe/picture/context.ts";
import type { RowGroup } from "./groups.ts";

/** Differences of what has one value for the whole machine or for a process: settings, counters, sizes of processes, the clock. */

/** What stands for a value that one side does not have. */
export const NONE = "-";

/** The chosen word of a file that offers several, else its text. */
const valueOf = (text: string): string => /\[([^\]]*)\]/.exec(text)?.[1] ?? text.trim();

/** Kernel files that can be written, by path. */
function settingsOf(k: Kernel): Map<string, string> {
  const out = new Map<string, string>();
  for (const { path, show, store } of tunablesOf(k)) {
    const text = show(k);
    if (store !== undefined && !failed(text)) out.set(path, valueOf(text));
  }
  return out;
}

/** Settings that both have, with other values. */
export function settingRows(group: RowGroup, from: Kernel, to: Kernel): void {
  const before = settingsOf(from);
  for (const [path, is] of settingsOf(to)) {
    const was = before.get(path);
    if (was !== undefined && was !== is) group.add(() => ({ subject: path, before: was, after: is, why: path }));
  }
}

/** Paths of kernel files that only the first or only the second machine has. */
export function filesOnlyIn(k: Kernel, other: Kernel): string[] {
  const known = new Set(tunablesOf(other).map((file) => file.path));
  return tunablesOf(k).flatMap((file) => (known.has(file.path) ? [] : [file.path]));
}

/** Items of /proc/vmstat, meminfo, the statistics of sizes and khugepaged; one that a release does not have is none. */
export function counterRows(group: RowGroup, from: Kernel, to: Kernel, say: Say): void {
  const sides = [from, to].map((k) => new Map(counterGroups(k, [], say).flatMap(({ sources }) => sources.map((source) => [source.name, source]))));
  const clock = counterGroups(to, [], say).at(-1)?.sources[0].name;
  for (const name of new Set(sides.flatMap((side) => [...side.keys()]))) {
    const [was, is] = sides.map((side, i) => valueIn(side.get(name), i === 0 ? from : to));
    // a counter that one release does not have and that stayed 0 on the other tells nothing
    const isTold = was.text !== is.text && was.value !== is.value;
    const why = sides[1].get(name)?.why ?? null;
    if (isTold && name !== clock) group.add(() => ({ subject: name, before: was.text, after: is.text, why }));
  }
}

function valueIn(source: CounterSource | undefined, k: Kernel): { readonly value: number; readonly text: string } {
  if (source === undefined) return { value: 0, text: NONE };
  const value = source.read(k);
  return { value, text: withUnit(value, source.unit) };
}

const withUnit = (value: number, unit: string): string => (unit === "" ? String(value) : `${value} ${unit}`);

export interface ProcessSide {
  readonly k: Kernel;
  readonly processes: readonly { readonly name: string; readonly task: number }[];
}

/** The address space of a process by its name; 0 where there is none. */
export function mmOf({ k, processes }: ProcessSide, name: string): number {
  const found = processes.find((process) => process.name === name);
  return found === undefined ? 0 : (k.tasks.find(found.task)?.mm ?? 0);
}

export const namesOf = (...sides: readonly ProcessSide[]): string[] => [...new Set(sides.flatMap((side) => side.processes.map((process) => process.name)))];

export function processRows(group: RowGroup, from: ProcessSide, to: ProcessSide): void {
  for (const name of namesOf(from, to)) {
    const [was, is] = [statusIn(from, name), statusIn(to, name)];
    for (const key of ["VmSize", "VmRSS", "VmPTE", "VmLck"] as const) {
      const [before, after] = [was?.[key], is?.[key]];
      const text = (kb: number | undefined): string => (kb === undefined ? NONE : `${kb} kB`);
      if (before !== after && (before ?? 0) + (after ?? 0) + (key === "VmSize" ? 1 : 0) > 0)
        group.add(() => ({ subject: `${name} ${key}`, before: text(before), after: text(after), why: null }));
    }
  }
}

function statusIn(side: ProcessSide, name: string): ReturnType<typeof statusOf> | undefined {
  const mm = mmOf(side, name);
  return mm === 0 ? undefined : statusOf(side.k, mm);
}
