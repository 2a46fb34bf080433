import { togglesWith } from "../../kernel/boot.ts";
import { RELEASES, type Release } from "../../kernel/era/releases.ts";
import { togglesOf } from "../../kernel/era/resolve.ts";
import { TOGGLES, type Toggle } from "../../kernel/era/toggles.ts";
import type { Profile } from "../../kernel/profile/profile.ts";

/** What makes one machine another, one change at a time. */

/** A machine as far as a bisection changes it. */
export interface BisectedMachine {
  readonly profile: Profile;
  /** "+id" and "-id", as at boot */
  readonly patches: readonly string[];
}

/** `fixes`: backports and vendor changes of a profile, all at once; `rest`: what else its profile has (configuration, memory, texts of kernel files). */
export type Change =
  { readonly kind: "toggle"; readonly toggle: Toggle; readonly isOn: boolean } | { readonly kind: "fix"; readonly field: string } | { readonly kind: "rest" };

export interface Changes {
  readonly from: BisectedMachine;
  readonly to: BisectedMachine;
  /** in the order in which they came: toggles as released, then fixes, then the rest */
  readonly list: readonly Change[];
}

const sameData = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const fixesOf = (machine: BisectedMachine): Readonly<Record<string, unknown>> => ({ ...machine.profile.fixes });

/** What a profile has beside its toggles and fixes; the name, and whether it was recorded, change nothing. */
const restOf = ({ profile }: BisectedMachine): unknown => {
  const { geometry, memoryMiB, cpus, config, bootParameters, release } = profile;
  return { geometry, memoryMiB, cpus, config, bootParameters, release };
};

/** Is the first older than the second? Of two of one release neither is. */
export const isOlder = (a: Release, b: Release): boolean => RELEASES.indexOf(a) < RELEASES.indexOf(b);

/** All that differs between two machines. */
export function changesBetween(from: BisectedMachine, to: BisectedMachine): Changes {
  const [a, b] = [from, to].map(({ profile, patches }) => new Set(togglesWith(profile, patches)));
  const toggles = TOGGLES.filter(({ id }) => a.has(id) !== b.has(id)).map((toggle): Change => ({ kind: "toggle", toggle, isOn: b.has(toggle.id) }));
  const [before, after] = [fixesOf(from), fixesOf(to)];
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((field) => !sameData(before[field], after[field]));
  const rest: Change[] = sameData(restOf(from), restOf(to)) ? [] : [{ kind: "rest" }];
  return { from, to, list: [...toggles, ...fields.map((field): Change => ({ kind: "fix", field })), ...rest] };
}

/** The machine between the two that has these changes of the list. */
export function machineWith({ from, to, list }: Changes, chosen: ReadonlySet<number>): BisectedMachine {
  const on = new Set(togglesWith(from.profile, from.patches));
  const fixes: Record<string, unknown> = { ...fixesOf(from) };
  let base = from.profile;
  list.forEach((change, i) => {
    if (!chosen.has(i)) return;
    if (change.kind === "rest") base = to.profile;
    else if (change.kind === "toggle") {
      if (change.isOn) on.add(change.toggle.id);
      else on.delete(change.toggle.id);
    } else if (change.field in fixesOf(to)) fixes[change.field] = fixesOf(to)[change.field];
    else Reflect.deleteProperty(fixes, change.field);
  });
  const own = new Set(togglesOf(base.release));
  const patches = TOGGLES.flatMap(({ id }) => (on.has(id) === own.has(id) ? [] : [on.has(id) ? `+${id}` : `-${id}`]));
  return { profile: { ...base, fixes }, patches };
}

/** The same changes with those that they need: what a toggle requires is switched on with it, and what requires it is switched off with it. */
export function withRequirements({ list }: Changes, chosen: Iterable<number>): ReadonlySet<number> {
  const all = new Set(chosen);
  const place = new Map(list.flatMap((change, i) => (change.kind === "toggle" ? [[change.toggle.id, i] as const] : [])));
  for (const i of all) {
    const change = list[i];
    if (change.kind !== "toggle") continue;
    const ids = change.isOn ? (change.toggle.requires ?? []) : TOGGLES.filter((t) => t.requires?.includes(change.toggle.id) === true).map((t) => t.id);
    // a set that grows while it is walked is walked to its new end
    for (const id of ids) if (place.has(id)) all.add(place.get(id) as number);
  }
  return all;
}

/** The list without these and without what needs one of them. */
export function allBut({ list }: Changes, left: Iterable<number>): ReadonlySet<number> {
  const out = new Set(left);
  const idsOut = (): Set<string> => new Set([...out].flatMap((i) => (list[i].kind === "toggle" ? [list[i].toggle.id] : [])));
  for (let size = -1; size !== out.size;) {
    size = out.size;
    const gone = idsOut();
    list.forEach((change, i) => {
      if (change.kind === "toggle" && change.isOn && change.toggle.requires?.some((id) => gone.has(id)) === true) out.add(i);
    });
  }
  return new Set(list.flatMap((_, i) => (out.has(i) ? [] : [i])));
}
