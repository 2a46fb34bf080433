/** Searches over a list of changes, each given by its number. What is asked is always "does it still fail with these?". */

/** One place where what is observed becomes something else. */
export interface Switch<T> {
  /** number of the change that does it, with all before it in place */
  readonly at: number;
  readonly before: T;
  readonly after: T;
}

/**
 * Where the value changes while the changes 0 to count-1 are put in place one after the other, in order. Between two places with equal values
 * nothing is looked for, so a change that is taken back before the end is found only when a look falls between the two.
 */
export function switches<T>(count: number, valueWith: (changes: number) => T, same: (a: T, b: T) => boolean): Switch<T>[] {
  const found: Switch<T>[] = [];
  const seek = (low: number, before: T, high: number, after: T): void => {
    if (same(before, after)) return;
    if (high - low === 1) {
      found.push({ at: low, before, after });
      return;
    }
    const middle = (low + high) >>> 1;
    const value = valueWith(middle);
    seek(low, before, middle, value);
    seek(middle, value, high, after);
  };
  if (count > 0) seek(0, valueWith(0), count, valueWith(count));
  return found;
}

/**
 * Delta debugging (Zeller and Hildebrandt, 2002): from changes that together do it, a set of which none can be left out. `does` is asked for
 * sets of numbers, and has to say yes for all of them.
 */
export function minimalSet(changes: readonly number[], does: (chosen: readonly number[]) => boolean): number[] {
  let left = [...changes];
  let parts = 2;
  while (left.length > 1) {
    const size = Math.ceil(left.length / parts);
    const chunks = Array.from({ length: Math.ceil(left.length / size) }, (_, i) => left.slice(i * size, (i + 1) * size));
    const alone = chunks.length === 1 ? undefined : chunks.find((chunk) => does(chunk));
    if (alone !== undefined) {
      left = alone;
      parts = 2;
      continue;
    }
    const without = chunks.map((chunk) => left.filter((each) => !chunk.includes(each))).find((rest) => rest.length > 0 && does(rest));
    if (without !== undefined) {
      left = without;
      parts = Math.max(parts - 1, 2);
    } else if (size === 1) break;
    else parts = Math.min(left.length, parts * 2);
  }
  return left;
}
