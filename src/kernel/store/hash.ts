/** 53-bit mixing over 32-bit lanes: two accumulators, so that a chance agreement of two states is not a worry. */
export interface HashPair {
  readonly a: number;
  readonly b: number;
}

export const mixInto = (h: number, value: number): number => {
  let x = Math.imul(h ^ value, 0x9e3779b1);
  x ^= x >>> 15;
  x = Math.imul(x, 0x85ebca6b);
  return x ^ (x >>> 13);
};

/** Hash of the 32-bit lanes of a chunk. All-zero chunks hash like chunks that are not there (0). */
export function hashLanes(lanes: Int32Array): HashPair {
  let a = 0x811c9dc5;
  let b = 0x2f0b4c47;
  let any = 0;
  for (let i = 0; i < lanes.length; i++) {
    const v = lanes[i];
    any |= v;
    a = Math.imul(a ^ v, 0x01000193) ^ (a >>> 17);
    b = Math.imul(b + v, 0x85ebca6b) ^ (b >>> 13);
  }
  return any === 0 ? { a: 0, b: 0 } : { a, b };
}

export function hashText(text: string): HashPair {
  let a = 0x811c9dc5;
  let b = 0x2f0b4c47;
  for (let i = 0; i < text.length; i++) {
    const v = text.charCodeAt(i);
    a = Math.imul(a ^ v, 0x01000193) ^ (a >>> 17);
    b = Math.imul(b + v, 0x85ebca6b) ^ (b >>> 13);
  }
  return { a, b };
}

/** Text of a record with its keys in a fixed order, so that equal records hash equal however they were made. */
export function canonical(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "undefined";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const record = value as Record<string, unknown>;
  const keys = Object.keys(record).sort();
  return `{${keys.map((k) => `${k}:${canonical(record[k])}`).join(",")}}`;
}
