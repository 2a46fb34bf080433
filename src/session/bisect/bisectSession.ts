import { RELEASES } from "../../kernel/era/releases.ts";
import type { Message } from "../../kernel/message.ts";
import { findProfile, PROFILES, type Profile } from "../../kernel/profile/profile.ts";
import { closest } from "../../shell/editDistance.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import { machineTitle } from "../compare/choice.ts";
import { counterNames, linesOf, withoutOwnCounters, type Compared } from "../compare/compareMachines.ts";
import { ReplayStopped } from "../pacer.ts";
import { bisect } from "./bisect.ts";
import { bisectLines } from "./bisectText.ts";
import type { BisectedMachine } from "./changes.ts";

/** Bisection of what a learner's own lines print. */

/** A machine by profile or release, or what to say instead. */
export function bisectProfile(word: string): Profile | Message {
  const found = findProfile(word) ?? findProfile(`upstream-${word}`);
  if (found !== undefined) return found;
  const near = closest(word, [...PROFILES.map(({ id }) => id), ...RELEASES]);
  const args = { word: word.slice(0, 60) };
  return near === null ? { key: "session.bisect.machine", args } : { key: "session.bisect.machineNear", args: { ...args, suggestion: near } };
}

/** Lines that a bisection ends with, or a message in their place. */
export type BisectAnswer = { readonly lines: readonly string[] } | { readonly error: Message };

/**
 * Finds the change that made one of the lines print something else on another machine: the line of state `line`, or the first that differs.
 * Counters that only one of the two kernels has are left out.
 */
export function bisectSession(compared: Compared, other: Profile, line: number | null, render: RenderMessage): BisectAnswer {
  const { boot, config, lines, make, stop } = compared;
  const [own, theirs]: BisectedMachine[] = [
    { profile: boot.profile, patches: boot.patches ?? [] },
    { profile: other, patches: [] },
  ];
  const run = (machine: BisectedMachine, count: number): { printed: readonly (readonly string[])[]; counters: ReadonlySet<string> } => {
    const one = make({ ...boot, ...machine }, config);
    const printed = lines.slice(0, count).map(({ command, stopAt }) => {
      if (stop()) throw new ReplayStopped();
      return linesOf(one.run(command, stopAt).output);
    });
    return { printed, counters: counterNames(one.world.machine.kernel) };
  };
  const title = machineTitle(other, [], []);
  try {
    const ends = [run(theirs, lines.length), run(own, lines.length)];
    const common = new Set([...ends[0].counters].filter((name) => ends[1].counters.has(name)));
    const shown = (at: number, { printed, counters }: (typeof ends)[number]): readonly string[] => withoutOwnCounters(printed[at], counters, common);
    const differs = (at: number): boolean => shown(at, ends[0]).join("\n") !== shown(at, ends[1]).join("\n");
    const at = line === null ? [...lines.keys()].find(differs) : lines.findIndex(({ node }) => node === line);
    if (at === undefined) return { lines: [render({ key: "session.bisect.noDifference", args: { machine: title } })] };
    if (at < 0) return { error: { key: "session.bisect.noLine", args: { id: line ?? 0 } } };
    if (!differs(at)) return { lines: [render({ key: "session.bisect.sameLine", args: { machine: title } })] };
    const found = bisect({
      good: theirs,
      bad: own,
      observe: (machine) => shown(at, run(machine, at + 1)),
      same: (a, b) => a.join("\n") === b.join("\n"),
    });
    const head = render({ key: "session.bisect.line", args: { id: lines[at].node, command: lines[at].command } });
    return { lines: [head, ...bisectLines(found, (value) => value, render)] };
  } catch (thrown) {
    if (!(thrown instanceof ReplayStopped)) throw thrown;
    return { error: { key: "session.bisect.stopped", args: {} } };
  }
}
