import type { Era } from "../era/era.ts";
import { BASE_ERA, TOGGLES } from "../era/toggles.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { Vma } from "../mm/records.ts";
import type { Cause } from "./tracer.ts";

/**
 * Causes found by asking once more: a plain function of the kernel decided something; each thing it may have looked at is thought
 * otherwise, and the function is asked again. What changes the answer alone is a cause. Only called with a tracer.
 */

/** What a plain function is asked with. */
export interface Situation {
  readonly k: Kernel;
  readonly vma: Vma | null;
}

/** One thing that may be otherwise, in one or several ways. */
export interface Variation {
  readonly cause: Cause;
  readonly others: readonly ((s: Situation) => Situation)[];
}

type Answer = (s: Situation) => string | number | boolean;

/** The kernel with some of its fields thought otherwise. For plain questions alone: whoever changed it would change the real one. */
export const suppose = (k: Kernel, fields: Partial<Pick<Kernel, "era" | "g" | "profile" | "mms" | "mounts" | "inodes" | "files">>): Kernel =>
  Object.create(
    k,
    Object.fromEntries(Object.entries(fields).map(([name, value]): [string, PropertyDescriptor] => [name, { value, enumerable: true }])),
  ) as Kernel;

type Table = "mms" | "mounts" | "inodes" | "files";

/** The kernel with some fields of one record thought otherwise. */
export function supposeRecord(k: Kernel, table: Table, slot: number, change: object): Kernel {
  const real = k[table];
  const record: unknown = { ...real.get(slot), ...change };
  const get = (at: number): unknown => (at === slot ? record : real.get(at));
  const other = Object.create(real, { get: { value: get }, find: { value: (at: number) => (at === slot ? record : real.find(at)) } }) as Kernel[Table];
  return suppose(k, { [table]: other });
}

/** Fields of the era that the function looked at. */
function behavioursRead(answer: Answer, s: Situation): (keyof Era)[] {
  const seen = new Set<keyof Era>();
  const era = new Proxy(s.k.era, {
    get: (target, name) => {
      seen.add(name as keyof Era);
      return target[name as keyof Era];
    },
  });
  answer({ ...s, k: suppose(s.k, { era }) });
  return [...seen];
}

/** Values that releases and patches give a behaviour. */
const valuesOf = (behaviour: keyof Era): Set<string | boolean> =>
  new Set([BASE_ERA[behaviour], ...TOGGLES.flatMap((t) => (Object.hasOwn(t.change, behaviour) ? [t.change[behaviour] as string | boolean] : []))]);

function eraVariations(answer: Answer, s: Situation): Variation[] {
  return behavioursRead(answer, s).map((behaviour) => ({
    cause: { kind: "era", behaviour, value: s.k.era[behaviour] },
    others: [...valuesOf(behaviour)]
      .filter((value) => value !== s.k.era[behaviour])
      .map((value) => (was: Situation) => ({ ...was, k: suppose(was.k, { era: { ...was.k.era, [behaviour]: value } }) })),
  }));
}

export interface Found {
  readonly causes: readonly Cause[];
  readonly also: readonly Cause[];
}

/** Whether some way to change all of these changes the answer. */
function flips(answer: Answer, s: Situation, is: ReturnType<Answer>, together: readonly Variation[]): boolean {
  if (together.length === 0) return answer(s) !== is;
  const [first, ...rest] = together;
  return first.others.some((other) => flips(answer, other(s), is, rest));
}

/**
 * What the answer hangs on. `causes`: each alone; or where none does, each together with what is in `also`. Behaviours of the release
 * that the function looks at are tried besides `variations`.
 */
export function causesOf(answer: Answer, s: Situation, variations: readonly Variation[]): Found {
  const is = answer(s);
  const all = [...variations, ...eraVariations(answer, s)];
  const alone = all.filter((v) => flips(answer, s, is, [v]));
  if (alone.length > 0) return { causes: alone.map((v) => v.cause), also: [] };
  for (const [i, one] of all.entries()) {
    const partners = all.filter((v, j) => j !== i && flips(answer, s, is, [v, one]));
    if (partners.length > 0) return { causes: partners.map((v) => v.cause), also: [one.cause] };
  }
  for (const [i, one] of all.entries())
    for (const other of all.slice(i + 1)) {
      const partners = all.filter((v) => v !== one && v !== other && flips(answer, s, is, [v, one, other]));
      if (partners.length > 0) return { causes: partners.map((v) => v.cause), also: [one.cause, other.cause] };
    }
  return { causes: [], also: [] };
}
