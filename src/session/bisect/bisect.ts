import { allBut, changesBetween, isOlder, machineWith, withRequirements, type BisectedMachine, type Change, type Changes } from "./changes.ts";
import { minimalSet, switches, type Switch } from "./search.ts";

/** Which change of the kernel changed an observation (DESIGN.md section 8). */

export interface BisectQuestion<T> {
  readonly good: BisectedMachine;
  readonly bad: BisectedMachine;
  /** what is seen on a machine. @throws what stops the search */
  readonly observe: (machine: BisectedMachine) => T;
  readonly same: (a: T, b: T) => boolean;
}

export interface Bisected<T> {
  /** the older of the two machines, or `good` where they are of one release */
  readonly from: BisectedMachine;
  readonly to: BisectedMachine;
  readonly before: T;
  readonly after: T;
  /** null: nothing differs between the two in what is observed */
  readonly cause: BisectCause<T> | null;
  /** earlier places where it changed, to something that the newer machine does not answer; oldest first */
  readonly earlier: readonly { readonly change: Change; readonly before: T; readonly after: T }[];
  /** machines that were run */
  readonly runs: number;
}

export interface BisectCause<T> {
  /** the change with which the newer machine's answer came, all older ones being there */
  readonly change: Change;
  /** what was answered just before it */
  readonly before: T;
  /** a smallest set of changes with which the older machine answers as the newer; that change alone, where it is enough */
  readonly minimal: readonly Change[];
  /** what the newer machine answers without the minimal set; as `after`, where another change brings the same */
  readonly without: T;
}

/** Finds the change. Machines are run as seldom as the search allows, each set of changes once. */
export function bisect<T>(question: BisectQuestion<T>): Bisected<T> {
  const isForward = !isOlder(question.bad.profile.release, question.good.profile.release);
  const [from, to] = isForward ? [question.good, question.bad] : [question.bad, question.good];
  const changes = changesBetween(from, to);
  const known = new Map<string, T>();
  const valueOf = (chosen: ReadonlySet<number>): T => {
    const key = [...chosen].sort((a, b) => a - b).join(" ");
    if (!known.has(key)) known.set(key, question.observe(machineWith(changes, chosen)));
    return known.get(key) as T;
  };
  const first = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const prefix = (count: number): T => valueOf(new Set(first(count)));
  const count = changes.list.length;
  const [before, after] = [prefix(0), prefix(count)];
  const places = switches(count, prefix, question.same);
  const last = places.pop();
  const cause = last === undefined ? null : explain(changes, last, valueOf, question.same, after);
  const earlier = places.map((place) => ({ change: changes.list[place.at], before: place.before, after: place.after }));
  return { from, to, before, after, cause, earlier, runs: known.size };
}

/** A change of which only what it needs is needed gives its place to that. */
function withoutDetours(changes: Changes, found: readonly number[], does: (chosen: readonly number[]) => boolean): number[] {
  const chosen = [...found];
  for (let i = 0; i < chosen.length;) {
    const needed = [...withRequirements(changes, [chosen[i]])].filter((each) => each !== chosen[i] && !chosen.includes(each));
    if (needed.length === 0 || !does([...chosen.slice(0, i), ...needed, ...chosen.slice(i + 1)])) i++;
    else chosen.splice(i, 1, ...needed);
  }
  return chosen.sort((a, b) => a - b);
}

function explain<T>(changes: Changes, last: Switch<T>, valueOf: (chosen: ReadonlySet<number>) => T, same: (a: T, b: T) => boolean, after: T): BisectCause<T> {
  const does = (chosen: readonly number[]): boolean => same(valueOf(withRequirements(changes, chosen)), after);
  const upTo = Array.from({ length: last.at + 1 }, (_, i) => i);
  const chosen = does([last.at]) ? [last.at] : withoutDetours(changes, minimalSet(upTo, does), does);
  const minimal = chosen.map((i) => changes.list[i]);
  return { change: changes.list[last.at], before: last.before, minimal, without: valueOf(allBut(changes, chosen)) };
}
