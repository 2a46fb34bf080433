/**
 * A seeded generator of numbers for scripts: xoshiro128** over 32-bit integers, seeded by splitmix32. Integers only,
 * so the same seed gives the same script on every platform.
 */
export class Random {
  readonly #state: Uint32Array;

  /** `seed` and `stream` are taken modulo 2^32; streams of one seed have nothing to do with each other. */
  constructor(seed: number, stream = 0) {
    let a = seed >>> 0;
    const next = (): number => {
      a = (a + 0x9e3779b9) >>> 0;
      let t = a ^ (a >>> 16);
      t = Math.imul(t, 0x21f0aaad);
      t ^= t >>> 15;
      t = Math.imul(t, 0x735a2d97);
      return (t ^ (t >>> 15)) >>> 0;
    };
    const first = next();
    a = (first ^ Math.imul(stream >>> 0, 0x85ebca6b) ^ (stream >>> 0)) >>> 0;
    this.#state = Uint32Array.of(next(), next(), next(), next() | 1);
  }

  /** 0 to 2^32 - 1 */
  uint32(): number {
    const s = this.#state;
    const product = Math.imul(s[1], 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** 0 to count - 1, each as likely; 0 for a count of 1 or less */
  below(count: number): number {
    if (count <= 1) return 0;
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % count);
    for (;;) {
      const value = this.uint32();
      if (value < limit) return value % count;
    }
  }

  /** low to high, both included */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** true in `percent` of 100 cases */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** true in `count` of 1000 cases */
  rare(count: number): boolean {
    return this.below(1000) < count;
  }

  /** one of a list that is not empty */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  /** one of a table of values and whole-number weights */
  weighted<T>(table: readonly (readonly [value: T, weight: number])[]): T {
    let rest = this.below(table.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [value, weight] of table) {
      if (rest < weight) return value;
      rest -= weight;
    }
    return table[table.length - 1][0];
  }

  /** `count` different ones of a list, in random order */
  sample<T>(list: readonly T[], count: number): T[] {
    const rest = [...list];
    return Array.from({ length: Math.min(count, list.length) }, () => rest.splice(this.below(rest.length), 1)[0]);
  }
}
