import type { CheckDefinition, Condition, EventCondition, Leaf, StateCondition } from "../schema.ts";

/** Small changes of a check, each of which must show somewhere: in the solution, an alternative, a decoy, or a dropped line. */

export interface Mutation {
  /** where in the check: "require.all[1].value" */
  readonly place: string;
  readonly from: string;
  readonly to: string;
  /** the check with the change; its id is that of the original */
  readonly check: CheckDefinition;
}

type Change = { readonly place: string; readonly from: string; readonly to: string; readonly condition: Condition };

const shown = (value: unknown): string => JSON.stringify(value) ?? "-";

/** Another value of the same kind. */
function otherValue(value: number | string): number | string {
  return typeof value === "number" ? value + 1 : `${value}0`;
}

const RELAXED: Readonly<Record<string, readonly string[]>> = { "==": [">=", "<="], "<": ["<="], ">": [">="], ">=": [], "<=": [], "!=": [] };

function stateChanges(leaf: StateCondition): Change[] {
  const out: Change[] = [];
  const change = (key: keyof StateCondition, to: unknown): void => {
    out.push({ place: key, from: shown(leaf[key]), to: shown(to), condition: { ...leaf, [key]: to } });
  };
  const { value } = leaf;
  if (typeof value === "number" || typeof value === "string") change("value", otherValue(value));
  if (Array.isArray(value)) value.forEach((each, i) => change("value", value.with(i, otherValue(each))));
  // nothing that can be read is below 0, only a change of it
  const canBeLess = value !== 0 || leaf.since !== undefined;
  if (typeof value === "number") for (const op of RELAXED[leaf.op] ?? []) if (op !== "<=" || canBeLess) change("op", op);
  if (leaf.op !== "exists" && leaf.op !== "monotonic") {
    const { value: _value, since: _since, ...rest } = leaf;
    out.push({ place: "op", from: shown(leaf.op), to: shown("exists"), condition: { ...rest, op: "exists" } });
  }
  return out;
}

function eventChanges(leaf: EventCondition): Change[] {
  const out: Change[] = [];
  const add = (place: string, from: unknown, to: unknown, condition: EventCondition): void => {
    out.push({ place, from: shown(from), to: shown(to), condition });
  };
  if (leaf.value !== undefined) add("value", leaf.value, leaf.value + 1, { ...leaf, value: leaf.value + 1 });
  for (const op of RELAXED[leaf.op ?? ">="] ?? []) add("op", leaf.op, op, { ...leaf, op: op as ">=" });
  if (leaf.before !== undefined) {
    const { before, ...rest } = leaf;
    add("before", before, undefined, rest);
  }
  if (leaf.after !== undefined) {
    const { after, ...rest } = leaf;
    add("after", after, undefined, rest);
  }
  if (!("where" in leaf) || leaf.where === undefined) return out;
  const where: Readonly<Record<string, unknown>> = leaf.where;
  for (const [key, value] of Object.entries(where)) {
    const rest = Object.fromEntries(Object.entries(where).filter(([other]) => other !== key));
    add(`where.${key}`, value, undefined, { ...leaf, where: rest });
    if (key === "order") add("where.order", value, Number(value) + 1, { ...leaf, where: { ...where, order: Number(value) + 1 } } as EventCondition);
    if (key === "access")
      add("where.access", value, value === "read" ? "write" : "read", {
        ...leaf,
        where: { ...where, access: value === "read" ? "write" : "read" },
      } as EventCondition);
  }
  return out;
}

const leafChanges = (leaf: Leaf): Change[] => ("path" in leaf ? stateChanges(leaf) : "event" in leaf ? eventChanges(leaf) : []);

/** Every change of a condition: a part of `all` left out, or one leaf made another. */
function changesOf(condition: Condition): Change[] {
  const inside = (each: Condition, place: string, rebuild: (changed: Condition) => Condition): Change[] =>
    changesOf(each).map((change) => ({ ...change, place: `${place}.${change.place}`, condition: rebuild(change.condition) }));
  if ("all" in condition) {
    const { all } = condition;
    const dropped =
      all.length < 2 ? [] : all.map((each, i): Change => ({ place: `all[${i}]`, from: shown(each), to: "-", condition: { all: all.toSpliced(i, 1) } }));
    return [...dropped, ...all.flatMap((each, i) => inside(each, `all[${i}]`, (changed) => ({ all: all.with(i, changed as Leaf) })))];
  }
  if ("any" in condition) return condition.any.flatMap((each, i) => inside(each, `any[${i}]`, (changed) => ({ any: condition.any.with(i, changed as Leaf) })));
  if ("not" in condition) return inside(condition.not, "not", (changed) => ({ not: changed as Leaf }));
  return leafChanges(condition);
}

/** Every small change of a check. */
export function mutationsOf(check: CheckDefinition): Mutation[] {
  const required = changesOf(check.require).map(({ place, from, to, condition }): Mutation => ({
    place: `require.${place}`,
    from,
    to,
    check: { ...check, require: condition },
  }));
  const forbid = check.forbid ?? [];
  const dropped = forbid.map((each, i): Mutation => ({
    place: `forbid[${i}]`,
    from: shown(each),
    to: "-",
    check: { ...check, forbid: forbid.toSpliced(i, 1) },
  }));
  const changed = forbid.flatMap((each, i) =>
    changesOf(each)
      // what is forbidden more widely than it was is not weaker
      .filter(({ to }) => to !== shown("exists") && to !== "-")
      .map(({ place, from, to, condition }): Mutation => ({
        place: `forbid[${i}].${place}`,
        from,
        to,
        check: { ...check, forbid: forbid.with(i, condition) },
      })),
  );
  return [...required, ...dropped, ...changed];
}
