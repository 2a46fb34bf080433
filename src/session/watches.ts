import { Stopped } from "../kernel/sched/pace.ts";
import type { RenderMessage } from "../shell/renderMessage.ts";
import { absolutePath, textOf } from "../shell/tools/fileAccess.ts";
import { failure, linesOfText, success, textOfLines, type Tool } from "../shell/tools/tool.ts";
import type { LineRunner } from "./lineRunner.ts";

/**
 * `watch` of a simulated terminal: it cannot go on by itself while the learner types, and nothing changes between commands anyway. So it
 * prints, after each command, what has changed in the files and counters that are watched.
 */

/** What is watched: a file by its absolute path, or an item of /proc/vmstat. */
export type Watched = { readonly kind: "file"; readonly path: string } | { readonly kind: "counter"; readonly name: string };

/** files and counters at once */
const MOST_WATCHED = 16;
/** changed lines of a file that are shown after a command */
const MOST_LINES = 20;
const VMSTAT = "/proc/vmstat";

const labelOf = (watched: Watched): string => (watched.kind === "file" ? watched.path : watched.name);

/** The lines of every watched thing, in order; null for what cannot be read. */
type Reading = readonly { readonly watched: Watched; readonly lines: readonly string[] | null }[];

export function readWatches(runner: LineRunner): Reading {
  if (runner.watches.length === 0) return [];
  return runner.watches.map((watched) => ({ watched, lines: read(runner, watched) }));
}

function read(runner: LineRunner, watched: Watched): readonly string[] | null {
  if (watched.kind === "counter") return [String(runner.world.machine.vmstat(watched.name))];
  try {
    const result = runner.files.read(watched.path);
    return result.kind === "data" ? linesOfText(textOf(result.data)) : null;
  } catch (error) {
    if (error instanceof Stopped) return null;
    throw error;
  }
}

/** What to print: a counter with both values, the lines of a file that are not there any more and those that are new. */
export function watchLines(before: Reading, after: Reading, render: RenderMessage): string[] {
  const out: string[] = [];
  for (const { watched, lines } of after) {
    const was = before.find((reading) => reading.watched === watched);
    if (was === undefined || same(was.lines, lines)) continue;
    const name = labelOf(watched);
    if (watched.kind === "counter" || was.lines === null || lines === null)
      out.push(render({ key: "session.watch.counter", args: { name, before: was.lines?.[0] ?? "-", after: lines?.[0] ?? "-" } }));
    else out.push(`${name}:`, ...changedLines(was.lines, lines, render));
  }
  return out;
}

const same = (a: readonly string[] | null, b: readonly string[] | null): boolean =>
  a === b || (a !== null && b !== null && a.length === b.length && a.every((line, i) => line === b[i]));

function changedLines(before: readonly string[], after: readonly string[], render: RenderMessage): string[] {
  // kernel files keep their order: a line that changed stands where it stood, and the rest is equal from one end or the other
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const [left, right] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  const out: string[] = [];
  if (left.length === right.length) {
    for (const [i, line] of right.entries()) if (line !== left[i]) out.push(`- ${left[i]}`, `+ ${line}`);
  } else out.push(...left.map((line) => `- ${line}`), ...right.map((line) => `+ ${line}`));
  if (out.length <= MOST_LINES) return out;
  return [...out.slice(0, MOST_LINES), render({ key: "session.watch.more", args: { count: out.length - MOST_LINES } })];
}

/** `watch`, `watch FILE|COUNTER..`, `watch off [FILE|COUNTER..]`. What is watched is part of the shell's state: undo takes it back. */
export const watchTool =
  (runner: LineRunner): Tool =>
  (args, _stdin, context) => {
    if (args.length === 0) return success(textOfLines(runner.watches.map(labelOf)));
    const off = args[0] === "off";
    const named: Watched[] = [];
    for (const word of off ? args.slice(1) : args) {
      const found = findWatched(runner, word, context.directory);
      if (found === null) return failure("session.watch.unknown", { name: word });
      named.push(found);
    }
    const names = new Set(named.map(labelOf));
    if (off) {
      runner.watches = names.size === 0 ? [] : runner.watches.filter((watched) => !names.has(labelOf(watched)));
      return success("");
    }
    const fresh = [...names].filter((name) => !runner.watches.some((watched) => labelOf(watched) === name));
    const next = [...runner.watches, ...fresh.flatMap((name) => named.find((watched) => labelOf(watched) === name) ?? [])];
    if (next.length > MOST_WATCHED) return failure("session.watch.tooMany", { most: MOST_WATCHED });
    if (fresh.length > 0) runner.watches = next;
    return success("");
  };

function findWatched(runner: LineRunner, word: string, directory: string): Watched | null {
  if (!word.includes("/")) {
    const vmstat = runner.files.read(VMSTAT);
    if (vmstat.kind === "data" && linesOfText(textOf(vmstat.data)).some((line) => line.startsWith(`${word} `))) return { kind: "counter", name: word };
  }
  const path = absolutePath(word, directory);
  return runner.files.read(path).kind === "data" ? { kind: "file", path } : null;
}
