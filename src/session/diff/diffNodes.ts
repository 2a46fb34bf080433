import type { Kernel } from "../../kernel/mm/kernel.ts";
import { MISC } from "../../kernel/mm/kernel.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { WorldSnapshot } from "../learnerWorld.ts";
import type { DiffView } from "../model.ts";
import { StateReader } from "../stateReader.ts";
import { areaRows } from "./areaRows.ts";
import { entryRows } from "./entryRows.ts";
import { frameRows } from "./frameRows.ts";
import { filled, MOST_ROWS, RowGroup, type ViewGroups } from "./groups.ts";
import { counterRows, namesOf, processRows, settingRows, type ProcessSide } from "./valueRows.ts";

/** A node of the history to be compared: its number and the world after its command. */
export interface DiffNode {
  readonly id: number;
  readonly world: Pick<WorldSnapshot, "machine" | "processes" | "current"> & { readonly names: { print(address: number): string } };
}

/** Compares states of one session. Costs what differs: parts that both states share are passed over. The session stays where it is. */
export class NodeDiffer {
  readonly #readers: readonly [StateReader, StateReader];
  readonly #render: RenderMessage;
  readonly #mostRows: number;

  /** `like`: the kernel of the session; `mostRows`: of each group, the rest is counted. */
  constructor(like: Kernel, render: RenderMessage, mostRows = MOST_ROWS) {
    this.#mostRows = mostRows;
    this.#readers = [new StateReader(like), new StateReader(like)];
    this.#render = render;
  }

  diff(from: DiffNode, to: DiffNode): DiffView {
    const say = (key: string, args: Readonly<Record<string, string | number>> = {}): string => this.#render({ key, args });
    const before = this.#side(0, from);
    const after = this.#side(1, to);
    const group = (key: string): RowGroup => new RowGroup(say(`session.diff.${key}`), this.#mostRows);
    const [settings, counters, processes, areas, entries, memory, time] = [
      group("settings"),
      group("counters"),
      group("processes"),
      group("areas"),
      group("entries"),
      group("memory"),
      group("time"),
    ];
    settingRows(settings, before.k, after.k);
    counterRows(counters, before.k, after.k, say);
    processRows(processes, before, after);
    for (const name of namesOf(before, after)) {
      const { names } = after.processes.some((process) => process.name === name) ? to.world : from.world;
      const suffix = name === to.world.current ? "" : ` @${name}`;
      const at = (vpn: number): string => names.print(vpn * 4096);
      areaRows(areas, before, after, name, at, suffix);
      entryRows(entries, before, after, name, at, suffix, say);
    }
    frameRows(memory, before.k, after.k, say);
    const [was, is] = [before.k.misc.get(MISC.clockNs), after.k.misc.get(MISC.clockNs)];
    if (was !== is) time.add(() => ({ subject: say("session.diff.clock"), before: `${was} ns`, after: `${is} ns`, why: null }));
    const groups = filled([settings, processes, areas, entries, counters, memory, time]);
    return { from: from.id, to: to.id, groups, twin: [say("session.diff.title", { from: from.id, to: to.id }), ...diffTwin(groups, say)] };
  }

  #side(reader: 0 | 1, node: DiffNode): ProcessSide {
    return { k: this.#readers[reader].at(node.world.machine), processes: node.world.processes.filter((process) => process !== undefined) };
  }
}

/** The differences as lines of text. */
export function diffTwin(groups: ViewGroups, say: (key: string, args?: Readonly<Record<string, string | number>>) => string): string[] {
  if (groups.length === 0) return [say("session.diff.nothing")];
  return groups.flatMap(({ title, rows, more }) => [
    `${title}:`,
    ...rows.map((row) => `  ${row.subject}: ${row.before} -> ${row.after}`),
    ...(more > 0 ? [`  ${say("session.diff.more", { count: more })}`] : []),
  ]);
}
