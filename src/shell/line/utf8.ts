/** UTF-8 that may be cut anywhere. (TextDecoder belongs to the hosts and keeps its state to itself.) */

/** Length of the sequence that a byte begins, 0 when it begins none. */
const lengthOf = (byte: number): number => (byte < 0x80 ? 1 : byte < 0xc2 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0);

/** Whether a byte can be the second one of a sequence: rules out overlong forms, surrogates and what is above U+10FFFF. */
function canFollow(first: number, second: number): boolean {
  if (first === 0xe0) return second >= 0xa0 && second < 0xc0;
  if (first === 0xed) return second >= 0x80 && second < 0xa0;
  if (first === 0xf0) return second >= 0x90 && second < 0xc0;
  if (first === 0xf4) return second >= 0x80 && second < 0x90;
  return (second & 0xc0) === 0x80;
}

/**
 * Decodes bytes that follow `before`, an incomplete sequence. Each maximal part that is not UTF-8 becomes one U+FFFD (as the Encoding standard says);
 * `rest` is the incomplete sequence at the end, at most 3 bytes.
 */
export function decodeUtf8(before: readonly number[], chunk: Uint8Array): { readonly text: string; readonly rest: readonly number[] } {
  const byteAt = (i: number): number => (i < before.length ? before[i] : chunk[i - before.length]);
  const total = before.length + chunk.length;
  let text = "";
  let at = 0;
  while (at < total) {
    const first = byteAt(at);
    const length = lengthOf(first);
    let good = 1;
    while (good < length && at + good < total && (good === 1 ? canFollow(first, byteAt(at + 1)) : (byteAt(at + good) & 0xc0) === 0x80)) good++;
    if (length > good && at + good === total) break;
    if (length === 0 || good < length) text += "\ufffd";
    else {
      let codePoint = length === 1 ? first : first & (0xff >> (length + 1));
      for (let i = 1; i < length; i++) codePoint = (codePoint << 6) | (byteAt(at + i) & 0x3f);
      text += String.fromCodePoint(codePoint);
    }
    at += good;
  }
  return { text, rest: Array.from({ length: total - at }, (_, i) => byteAt(at + i)) };
}

/** Bytes of a text in UTF-8; half a surrogate pair counts as U+FFFD. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    bytes += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
  }
  return bytes;
}
