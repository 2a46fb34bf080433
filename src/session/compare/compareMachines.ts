import type { BootOptions } from "../../kernel/boot.ts";
import { vmstatItemsOf } from "../../kernel/era/procText.ts";
import type { Kernel } from "../../kernel/mm/kernel.ts";
import { VMSTAT_NAMES } from "../../kernel/mm/vmstat.ts";
import { tunablesOf } from "../../kernel/proc/tunables.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import { diffTwin } from "../diff/diffNodes.ts";
import { MOST_ROWS, RowGroup } from "../diff/groups.ts";
import { counterRows, filesOnlyIn, processRows, settingRows, type ProcessSide } from "../diff/valueRows.ts";
import type { LearnerWorld } from "../learnerWorld.ts";
import type { CompareChoice, CompareRow, CompareView, DiffRow, OutputPart } from "../model.ts";
import { ReplayStopped } from "../pacer.ts";
import { chosenMachine, machineTitle, type Config } from "./choice.ts";

/** A machine that lines can be given to, beside the session. */
export interface ComparedMachine {
  readonly world: LearnerWorld;
  /** `stopAt`: the look at which the line is stopped; null: it runs to its end. @throws ReplayStopped */
  run(line: string, stopAt: number | null): { readonly output: readonly OutputPart[] };
}

/** The session that is compared with another machine. */
export interface Compared {
  readonly boot: BootOptions;
  readonly config: Config;
  /** the lines that led to where it stands */
  readonly lines: readonly { readonly node: number; readonly command: string; readonly stopAt: number | null }[];
  /** a machine as it is switched on, with these files set */
  readonly make: (boot: BootOptions, config: Config) => ComparedMachine;
  /** asked between lines: whoever waits does not want to any more */
  readonly stop: () => boolean;
}

/** What was printed, line by line. */
export const linesOf = (output: readonly OutputPart[]): string[] => {
  const lines = output
    .map((part) => part.text)
    .join("")
    .split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return lines;
};

/** Names of the counters that lines tell changes of, as far as a machine has them: items of /proc/vmstat, and `64kB.split` for those of a size. */
export function counterNames(k: Kernel): ReadonlySet<string> {
  const sizes = tunablesOf(k).flatMap(({ path }) => /hugepages-(\d+kB)\/stats\/(\w+)$/.exec(path)?.slice(1, 3).join(".") ?? []);
  return new Set([...sizes, ...vmstatItemsOf(k.profile.release, VMSTAT_NAMES)]);
}

/** Lines without the changes of counters that the other machine does not have: that one kernel counts more is no other behaviour. */
export function withoutOwnCounters(lines: readonly string[], own: ReadonlySet<string>, other: ReadonlySet<string>): string[] {
  const isOwn = (part: string): boolean => {
    const name = /^(\S+) [+-]\d+$/.exec(part)?.[1];
    return name !== undefined && own.has(name) && !other.has(name);
  };
  return lines
    .map((line) => {
      const parts = line.split("  ");
      const kept = parts.filter((part) => !isOwn(part));
      return kept.length === parts.length ? line : kept.join("  ");
    })
    .filter((line, i) => line !== "" || lines[i] === "");
}

const isSame = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((line, i) => line === b[i]);

/** Runs the lines of a session on two fresh machines, its own and another, side by side. A choice that cannot be is an error in the result. */
export function compareMachines(compared: Compared, choice: CompareChoice, render: RenderMessage): CompareView {
  const say = (key: string, args: Readonly<Record<string, string | number>> = {}): string => render({ key, args });
  const { boot, config, lines } = compared;
  const leftTitle = machineTitle(boot.profile, boot.patches ?? [], config);
  const chosen = chosenMachine(boot, choice);
  if (chosen.kind === "error") {
    const error = render(chosen.error);
    return { leftTitle, rightTitle: choice.profile, rows: [], firstDifference: null, summary: [], error, twin: [error] };
  }
  const rightTitle = machineTitle(chosen.boot.profile, chosen.boot.patches ?? [], chosen.config);
  const machines = [compared.make(boot, config), compared.make(chosen.boot, chosen.config)] as const;
  const names = machines.map((machine) => counterNames(machine.world.machine.kernel));
  const rows: CompareRow[] = [];
  let error: string | null = null;
  try {
    for (const { command, stopAt } of lines) {
      if (compared.stop()) throw new ReplayStopped();
      const [left, right] = machines.map((machine) => linesOf(machine.run(command, stopAt).output));
      const differs = !isSame(withoutOwnCounters(left, names[0], names[1]), withoutOwnCounters(right, names[1], names[0]));
      rows.push({ command, left, right, differs });
    }
  } catch (thrown) {
    if (!(thrown instanceof ReplayStopped)) throw thrown;
    error = say("session.compare.stopped", { done: rows.length, count: lines.length });
  }
  const first = rows.findIndex((row) => row.differs);
  const summary = error === null ? summaryOf(machines[0].world, machines[1].world, say) : [];
  const view = { leftTitle, rightTitle, rows, firstDifference: first < 0 ? null : first, summary, error };
  return { ...view, twin: compareTwin(view, say) };
}

type Say = (key: string, args?: Readonly<Record<string, string | number>>) => string;

function summaryOf(left: LearnerWorld, right: LearnerWorld, say: Say): DiffRow[] {
  const side = (world: LearnerWorld): ProcessSide => ({ k: world.machine.kernel, processes: world.living() });
  const [a, b] = [side(left), side(right)];
  const groups = Array.from({ length: 3 }, () => new RowGroup("", MOST_ROWS));
  processRows(groups[0], a, b);
  counterRows(groups[1], a.k, b.k, say);
  settingRows(groups[2], a.k, b.k);
  // the words of `why` would ask the left machine, whatever the right one did
  const rows: DiffRow[] = groups.flatMap((group) => group.rows).map((row) => ({ ...row, why: null }));
  const [before, after] = [left.machine.clockNs, right.machine.clockNs];
  if (before !== after) rows.push({ subject: say("session.diff.clock"), before: `${before} ns`, after: `${after} ns`, why: null });
  const [onlyLeft, onlyRight] = [filesOnlyIn(a.k, b.k).length, filesOnlyIn(b.k, a.k).length];
  if (onlyLeft + onlyRight > 0) rows.push({ subject: say("session.compare.filesOnly"), before: String(onlyLeft), after: String(onlyRight), why: null });
  return rows;
}

function compareTwin(view: Omit<CompareView, "twin">, say: Say): string[] {
  const lines = [say("session.compare.title", { left: view.leftTitle, right: view.rightTitle })];
  view.rows.forEach((row, i) => {
    const mark = i === view.firstDifference ? `  ${say("session.compare.first")}` : "";
    lines.push(`${row.differs ? "!" : "="} ${row.command}${mark}`);
    if (!row.differs) return;
    lines.push(
      ...row.left.map((text) => `    ${say("session.compare.left")}  ${text}`),
      ...row.right.map((text) => `    ${say("session.compare.right")}  ${text}`),
    );
  });
  if (view.error !== null) return [...lines, view.error];
  if (view.firstDifference === null) lines.push(say("session.compare.same"));
  const groups = view.summary.length === 0 ? [] : [{ title: say("session.compare.end"), rows: view.summary, more: 0 }];
  return groups.length === 0 ? [...lines, say("session.compare.endSame")] : [...lines, ...diffTwin(groups, say)];
}
