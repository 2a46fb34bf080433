/**
 * What a terminal sends, as events. Understood: UTF-8 or UTF-16 text, control characters, Alt as ESC prefix, CSI and SS3 keys with xterm's modifiers
 * (also `CSI code ; modifiers u` and `CSI 27 ; modifiers ; code ~`), bracketed paste. Everything else that is a control sequence by ECMA-48 is swallowed
 * whole and never shows as text: unknown keys, mouse and focus reports, answers to queries (OSC, DCS, APC, PM, SOS).
 *
 * A sequence may be cut anywhere; what is not complete waits in `pending`. An ESC alone may be the key or a beginning, which only time can tell: the
 * driver calls `flushKeys` when nothing has followed for some 50 ms.
 */
import type { KeyEvent, LineEvent } from "./state.ts";
import { decodeUtf8 } from "./utf8.ts";

export interface PendingKeys {
  /** text of an incomplete sequence, or the first half of a surrogate pair */
  readonly text: string;
  /** bytes of an incomplete UTF-8 sequence */
  readonly bytes: readonly number[];
  /** what a paste that has not ended has brought so far, null outside of a paste */
  readonly paste: string | null;
}

export const NOTHING_PENDING: PendingKeys = { text: "", bytes: [], paste: null };

const PASTE_END = "\u001b[201~";
/** A control string that is longer, or a sequence that is, is given up: no report of a terminal is. */
const MOST_STRING = 4096;

const CSI_LETTERS: Readonly<Record<string, string>> = { A: "up", B: "down", C: "right", D: "left", H: "home", F: "end", Z: "tab" };
const CSI_NUMBERS: Readonly<Record<string, string>> = { 1: "home", 2: "insert", 3: "delete", 4: "end", 5: "pageUp", 6: "pageDown", 7: "home", 8: "end" };
/** code points that name a key in `CSI code u` and as control characters */
const CODES: Readonly<Record<number, string>> = { 8: "backspace", 9: "tab", 10: "enter", 13: "enter", 27: "escape", 127: "backspace" };

const key = (name: string, modifiers = 0): KeyEvent => ({
  kind: "key",
  name,
  shift: (modifiers & 1) !== 0,
  alt: (modifiers & 2) !== 0,
  ctrl: (modifiers & 4) !== 0,
});
const ALT = 2;
const CTRL = 4;

/** The key of a control character below 0x20, or of DEL. */
function controlKey(code: number, alt = 0): KeyEvent {
  const name = Object.hasOwn(CODES, code) ? CODES[code] : null;
  if (name !== null) return key(name, alt);
  return key(String.fromCharCode(code + 0x40).toLowerCase(), alt | CTRL);
}

/** The key of a complete CSI sequence, or null when it is none that is known. */
function csiKey(parameters: string, final: string): LineEvent | null {
  if (!/^[0-9;:]*$/.test(parameters)) return null;
  const numbers = parameters.split(";").map((word) => (word === "" ? 1 : Number.parseInt(word, 10)));
  const modifiers = Math.max(0, (numbers[1] ?? 1) - 1) & 7;
  if (final === "Z") return key("tab", modifiers | 1);
  if (Object.hasOwn(CSI_LETTERS, final)) return key(CSI_LETTERS[final], modifiers);
  if (final === "u") return codeKey(numbers[0], modifiers);
  if (final !== "~") return null;
  if (numbers[0] === 27 && numbers.length === 3) return codeKey(numbers[2], modifiers);
  return Object.hasOwn(CSI_NUMBERS, numbers[0]) ? key(CSI_NUMBERS[numbers[0]], modifiers) : null;
}

/** The key with a code point and modifiers. */
function codeKey(code: number, modifiers: number): LineEvent | null {
  if (Object.hasOwn(CODES, code)) return key(CODES[code], modifiers);
  if (!(code >= 0x20 && code <= 0x10ffff) || (code >= 0xd800 && code <= 0xf8ff)) return null;
  const text = String.fromCodePoint(code);
  return (modifiers & ~1) === 0 ? { kind: "text", text: modifiers === 1 ? text.toUpperCase() : text } : key(text.toLowerCase(), modifiers & ~1);
}

/** What stands at `at`: where it ends and its event if it has one; null when its end has not come yet. */
interface Found {
  readonly end: number;
  readonly event: LineEvent | null;
  readonly pasteBegins?: boolean;
}

/** A sequence that begins with ESC at `at`. */
function escapeSequence(text: string, at: number): Found | null {
  if (at + 1 >= text.length) return null;
  const next = text[at + 1];
  if (next === "[") return csi(text, at + 2);
  if (next === "O") {
    // SS3: some terminals put a modifier before the letter
    const end = /^[0-9]?/.exec(text.slice(at + 2, at + 3))![0].length + at + 2;
    if (end >= text.length) return null;
    if (!/[ -~]/.test(text[end])) return { end, event: null };
    if (text[end] === "M") return { end: end + 1, event: key("enter") };
    const modifiers = end > at + 2 ? Number(text[at + 2]) - 1 : 0;
    return { end: end + 1, event: Object.hasOwn(CSI_LETTERS, text[end]) ? key(CSI_LETTERS[text[end]], modifiers & 7) : null };
  }
  if (/[\]P_^X]/.test(next)) return controlString(text, at + 2);
  if (next === "\u001b") {
    // ESC before a sequence is Alt for some terminals; ESC ESC alone is the key pressed twice
    const inner = at + 2 < text.length && /[[O]/.test(text[at + 2]) ? escapeSequence(text, at + 1) : null;
    if (at + 2 >= text.length || (/[[O]/.test(text[at + 2]) && inner === null)) return null;
    if (inner?.event?.kind === "key") return { end: inner.end, event: { ...inner.event, alt: true } };
    return inner ?? { end: at + 1, event: key("escape") };
  }
  const code = next.charCodeAt(0);
  if (code < 0x20 || code === 0x7f) return { end: at + 2, event: controlKey(code, ALT) };
  const character = String.fromCodePoint(text.codePointAt(at + 1) ?? 0);
  if (character.length === 1 && code >= 0xd800 && code <= 0xdbff && at + 2 >= text.length) return null;
  return { end: at + 1 + character.length, event: key(character.toLowerCase(), ALT) };
}

/** A CSI sequence whose parameters begin at `from`. */
function csi(text: string, from: number): Found | null {
  let end = from;
  while (end < text.length && text[end] >= " " && text[end] <= "?") end++;
  if (end >= text.length) return end - from > MOST_STRING ? { end, event: null } : null;
  // a control character or a letter beyond ASCII cannot stand here: the sequence is broken off and that character counts
  if (text[end] < "@" || text[end] > "~") return { end, event: null };
  const parameters = text.slice(from, end);
  // function keys of the Linux console (CSI [ A) and old mouse reports (CSI M and three characters) end later than they say
  const more = parameters !== "" ? 0 : text[end] === "[" ? 1 : text[end] === "M" ? 3 : 0;
  if (end + more >= text.length) return null;
  if (more > 0) return { end: end + 1 + more, event: null };
  if (text[end] === "~" && parameters === "200") return { end: end + 1, event: null, pasteBegins: true };
  return { end: end + 1, event: csiKey(parameters, text[end]) };
}

/** A control string whose content begins at `from`; it ends with BEL or ST. Another control character breaks it off and counts. */
function controlString(text: string, from: number): Found | null {
  // eslint-disable-next-line no-control-regex -- they are what ends it
  const length = text.slice(from).search(/[\u0000-\u001f\u007f]/);
  if (length === -1) return text.length - from > MOST_STRING ? { end: text.length, event: null } : null;
  const end = from + length;
  if (text[end] === "\u0007") return { end: end + 1, event: null };
  if (text[end] !== "\u001b") return { end, event: null };
  if (end + 1 >= text.length) return null;
  return { end: text[end + 1] === "\\" ? end + 2 : end, event: null };
}

/** Printable text from `at` on, or one control character. */
function plainText(text: string, at: number): Found | null {
  const code = text.charCodeAt(at);
  if (code < 0x20 || code === 0x7f) return { end: at + 1, event: controlKey(code) };
  // eslint-disable-next-line no-control-regex -- they are what ends it
  const length = text.slice(at).search(/[\u0000-\u001f\u007f]/);
  let end = length === -1 ? text.length : at + length;
  if (length === -1 && /[\ud800-\udbff]$/.test(text)) end--;
  return end === at ? null : { end, event: { kind: "text", text: text.slice(at, end) } };
}

/** A paste from `at` on: the text up to its end mark; without one, all that cannot be the beginning of the mark. */
function pasteFrom(text: string, at: number): { readonly pasted: string; readonly end: number; readonly complete: boolean } {
  const mark = text.indexOf(PASTE_END, at);
  if (mark !== -1) return { pasted: text.slice(at, mark), end: mark + PASTE_END.length, complete: true };
  let end = text.length;
  for (let units = Math.min(PASTE_END.length - 1, text.length - at); units > 0; units--) {
    if (!text.endsWith(PASTE_END.slice(0, units))) continue;
    end -= units;
    break;
  }
  return { pasted: text.slice(at, end), end, complete: false };
}

/** Turns a chunk of input into events. `pending` is what the last call returned, at the beginning NOTHING_PENDING. */
export function decodeKeys(chunk: string | Uint8Array, pending: PendingKeys): { readonly events: readonly LineEvent[]; readonly pending: PendingKeys } {
  const decoded = typeof chunk === "string" ? { text: chunk, rest: pending.bytes } : decodeUtf8(pending.bytes, chunk);
  const text = pending.text + decoded.text;
  const events: LineEvent[] = [];
  let paste = pending.paste;
  let at = 0;
  while (at < text.length) {
    if (paste !== null) {
      const { pasted, end, complete } = pasteFrom(text, at);
      paste += pasted;
      at = end;
      if (!complete) break;
      events.push({ kind: "paste", text: paste });
      paste = null;
      continue;
    }
    const found = text[at] === "\u001b" ? escapeSequence(text, at) : plainText(text, at);
    if (found === null) break;
    if (found.event !== null) events.push(found.event);
    if (found.pasteBegins === true) paste = "";
    at = found.end;
  }
  return { events, pending: { text: text.slice(at), bytes: decoded.rest, paste } };
}

/** Whether `flushKeys` would change something: the driver starts its timer then. */
export const waitsForMore = (pending: PendingKeys): boolean => pending.paste === null && pending.text.startsWith("\u001b");

/** Nothing has followed: an ESC that waits is the key, ESC and a sign are Alt and the sign, a longer beginning is dropped. A paste goes on. */
export function flushKeys(pending: PendingKeys): { readonly events: readonly LineEvent[]; readonly pending: PendingKeys } {
  if (!waitsForMore(pending)) return { events: [], pending };
  const { text } = pending;
  const events = text.length === 1 ? [key("escape")] : text.length === 2 && text[1] !== "\u001b" ? [key(text[1].toLowerCase(), ALT)] : [];
  return { events, pending: { ...pending, text: "" } };
}
