/** The part of a pack that its place among others depends on. */
export interface Placed {
  readonly id: string;
  /** ids of packs that are better done first */
  readonly after: readonly string[];
}

/**
 * Packs in the order in which they are shown: as they are given, but none before a pack that it names in `after`. Nobody waits for a pack that is
 * not there; where all that are left wait for each other in a circle, the first of them comes next.
 */
export function orderPacks<T extends Placed>(packs: readonly T[]): T[] {
  const left = [...packs];
  const ordered: T[] = [];
  while (left.length > 0) {
    const free = left.findIndex((pack) => !left.some((other) => other.id !== pack.id && pack.after.includes(other.id)));
    ordered.push(...left.splice(Math.max(0, free), 1));
  }
  return ordered;
}
