/** first value that does not fit in 64 bits */
export const TWO_TO_64 = 1n << 64n;
/** more digits than any 64-bit number has in any base; a longer one is absurd and is not even converted */
const MOST_DIGITS = 24;

const SHIFTS: Readonly<Record<string, bigint>> = { k: 10n, K: 10n, M: 20n, G: 30n, p: 12n };

export type NumberResult =
  | { readonly kind: "number"; readonly value: bigint; /** index after what was read */ readonly end: number }
  /** `none`: no digit here; `big`: does not fit in 64 bits */
  | { readonly kind: "none" | "big"; readonly end: number };

/**
 * Reads a number as C's strtoull with base 0 does (0x hexadecimal, 0 octal, else decimal) with one suffix k K M G, or p for pages of 4 KiB.
 * No sign. Starts at `from`, reads as far as it can.
 */
export function readNumber(text: string, from: number): NumberResult {
  let i = from;
  let base = 10;
  if (text[i] === "0" && (text[i + 1] === "x" || text[i + 1] === "X") && isDigit(text.charCodeAt(i + 2), 16)) {
    base = 16;
    i += 2;
  } else if (text[i] === "0") base = 8;
  const start = i;
  while (i < text.length && isDigit(text.charCodeAt(i), base)) i++;
  if (i === start) return { kind: "none", end: i };
  let first = start;
  while (first < i - 1 && text[first] === "0") first++;
  const shift = Object.hasOwn(SHIFTS, text[i] ?? "") ? SHIFTS[text[i] ?? ""] : undefined;
  const end = shift === undefined ? i : i + 1;
  if (i - first > MOST_DIGITS) return { kind: "big", end };
  const digits = text.slice(first, i);
  const plain = base === 16 ? BigInt(`0x${digits}`) : base === 8 ? BigInt(`0o${digits}`) : BigInt(digits);
  const value = plain << (shift ?? 0n);
  return value >= TWO_TO_64 ? { kind: "big", end } : { kind: "number", value, end };
}

function isDigit(code: number, base: number): boolean {
  if (code >= 48 && code <= 57) return code - 48 < base;
  return base === 16 && ((code >= 97 && code <= 102) || (code >= 65 && code <= 70));
}

/** The shortest form a person would type: 4096 -> 4k, 8388608 -> 8M, 100 -> 100. Not for negative values. */
export function printNumber(value: bigint): string {
  for (const [suffix, shift] of [
    ["G", 30n],
    ["M", 20n],
    ["k", 10n],
  ] as const) {
    if (value !== 0n && (value >> shift) << shift === value) return `${value >> shift}${suffix}`;
  }
  return String(value);
}
