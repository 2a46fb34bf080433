import type { Kernel } from "../../kernel/mm/kernel.ts";
import type { Vma } from "../../kernel/mm/records.ts";
import { vmFlagNames } from "../../kernel/proc/taskMmu.ts";
import { permissionsOf } from "../../observe/taskText.ts";
import type { RowGroup } from "./groups.ts";
import { mmOf, NONE, type ProcessSide } from "./valueRows.ts";

/** Differences of the mappings of a process, matched by where they begin. */
export function areaRows(group: RowGroup, from: ProcessSide, to: ProcessSide, process: string, at: (vpn: number) => string, suffix: string): void {
  const before = vmasOf(from, process);
  const after = vmasOf(to, process);
  for (let i = 0, j = 0; i < before.length || j < after.length;) {
    const was = before[i]?.start <= (after[j]?.start ?? Infinity) ? before[i] : undefined;
    const is = after[j]?.start <= (before[i]?.start ?? Infinity) ? after[j] : undefined;
    if (was !== undefined) i++;
    if (is !== undefined) j++;
    // a record that nobody replaced is the same object in both states
    if (was === is) continue;
    const [old, now] = [areaText(from.k, was), areaText(to.k, is)];
    const start = (is ?? was)?.start ?? 0;
    if (old !== now)
      group.add(() => ({
        subject: `VMA ${at(start)}${suffix}`,
        before: old,
        after: now,
        why: mmOf(to, process) === 0 ? null : `${is === undefined ? "" : "vma "}0x${(start * 4096).toString(16)}${suffix}`,
      }));
  }
}

function vmasOf(side: ProcessSide, process: string): Vma[] {
  const mm = mmOf(side, process);
  return mm === 0 ? [] : side.k.mms.get(mm).vmas.map((slot) => side.k.vmas.get(slot));
}

const hex = (vpn: number): string => (vpn * 4096).toString(16);

const areaText = (k: Kernel, vma: Vma | undefined): string =>
  vma === undefined ? NONE : `${hex(vma.start)}-${hex(vma.end)} ${permissionsOf(vma)} ${vmFlagNames(k, vma).join(" ")}`;
