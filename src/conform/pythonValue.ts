/**
 * The rules of equality, truth and order that the reference comparison (shared/conformance/compare.py) gets from
 * Python, for values that came from JSON. They decide what counts as agreement, so they are written down here
 * and not left to what JavaScript happens to do.
 */

/** Python's `a == b`: numbers and booleans by value, lists in order, dictionaries in any order; a missing value equals None. */
export function pythonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || a === undefined) return b === null || b === undefined;
  if (b === null || b === undefined) return false;
  if (typeof a !== "object" || typeof b !== "object") return isNumeric(a) && isNumeric(b) && Number(a) === Number(b);
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!pythonEqual(a[i], b[i])) return false;
    return true;
  }
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  return keys.every((key) => Object.hasOwn(right, key) && pythonEqual(left[key], right[key]));
}

function isNumeric(value: unknown): value is number | boolean {
  return typeof value === "number" || typeof value === "boolean";
}

/** Python's `bool(value)`: zero, the empty text, the empty list and the empty dictionary are false. */
export function pythonTruth(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === 0 || value === "") return false;
  if (typeof value !== "object") return true;
  return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
}

/** Python's `text.split()`: at any run of what Unicode (and ASCII's separators) call white space, no empty words. */
export function pythonWords(text: string): string[] {
  // eslint-disable-next-line no-control-regex -- ASCII has four separators that Python splits at
  return text.split(/[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/).filter((word) => word !== "");
}

/** Python's order of texts: by code point, not by UTF-16 code unit. */
export function pythonOrder(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    // a surrogate stands for a code point above every other unit
    if (x !== y) return (isSurrogate(x) ? x + 0x10000 : x) - (isSurrogate(y) ? y + 0x10000 : y);
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
