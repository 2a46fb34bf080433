import { StorageRefusal } from "./storageError.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** A limit on everything. The tables repeat the byte limits as CHECKs; these are what a caller is told about. */
export const LIMITS = {
  learnersMax: 1000,
  nameBytesMax: 256,
  settingNameBytesMax: 100,
  settingBytesMax: 64 * KIB,
  settingsPerScopeMax: 1000,
  packsMax: 10_000,
  packVersionBytesMax: 64,
  packPlaceBytesMax: 4096,
  profileBytesMax: 100,
  behaviourBytesMax: 100,
  attemptsPerLearnerMax: 100_000,
  eventsPerAttemptMax: 100_000,
  eventKindBytesMax: 64,
  eventBytesMax: 64 * KIB,
  sessionsPerLearnerMax: 100_000,
  sessionConfigBytesMax: 64 * KIB,
  nodesPerSessionMax: 1_000_000,
  commandBytesMax: 64 * KIB,
  hashBytesMax: 128,
  linesPerSessionMax: 5_000_000,
  lineBytesMax: 256 * KIB,
  transcriptBytesMax: 64 * MIB,
  submissionsPerAttemptMax: 1000,
  submissionBytesMax: 8 * MIB,
  /** JSON nested deeper than this is nobody's payload. */
  jsonDepthMax: 64,
} as const;

/** UTF-8 length. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/**
 * The text as it can be stored: half surrogate pairs, which UTF-8 cannot carry, become U+FFFD.
 * @throws StorageRefusal tooLarge, or malformed when it is empty and must not be
 */
export function checkText(text: string, what: string, bytesMax: number, { empty = false } = {}): string {
  const wellFormed = text.toWellFormed();
  if (wellFormed === "" && !empty) throw new StorageRefusal("malformed", { what });
  const actual = byteLength(wellFormed);
  if (actual > bytesMax) throw new StorageRefusal("tooLarge", { what, actual, most: bytesMax });
  return wellFormed;
}

/** @throws StorageRefusal malformed unless it is an integer from `least` to 2^53 - 1 */
export function checkInteger(value: number, what: string, least = 0): number {
  if (!Number.isSafeInteger(value) || value < least) throw new StorageRefusal("malformed", { what });
  return value;
}

/** @throws StorageRefusal malformed unless it is a UUID in lower case */
export function checkUuid(value: string, what: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) throw new StorageRefusal("malformed", { what });
  return value;
}

/** @throws StorageRefusal malformed unless it is a sha256 in lower-case hex */
export function checkSha256(value: string, what: string): string {
  if (!/^[0-9a-f]{64}$/.test(value)) throw new StorageRefusal("malformed", { what });
  return value;
}

/** @throws StorageRefusal malformed unless it is hex of at most `LIMITS.hashBytesMax` digits */
export function checkHex(value: string, what: string): string {
  if (!/^[0-9a-f]+$/.test(value) || value.length > LIMITS.hashBytesMax) throw new StorageRefusal("malformed", { what });
  return value;
}

/** @throws StorageRefusal tooMany when one more would exceed the limit */
export function checkRoom(count: number, what: string, most: number): void {
  if (count >= most) throw new StorageRefusal("tooMany", { what, most });
}

/** @throws StorageRefusal malformed for what JSON has no form for or what is nested too deep, tooLarge */
export function toJson(value: unknown, what: string, bytesMax: number): string {
  let text: string | undefined;
  try {
    text = stringify(value);
  } catch {
    // a circle, a BigInt, or nested too deep even for the engine
  }
  if (text === undefined) throw new StorageRefusal("malformed", { what });
  checkText(text, what, bytesMax);
  if (jsonDepth(text) > LIMITS.jsonDepthMax) throw new StorageRefusal("malformed", { what });
  return text;
}

/** As it is: the declaration hides that a function or undefined has no JSON text. */
const stringify: (value: unknown) => string | undefined = JSON.stringify;

/** Deepest nesting of a valid JSON text. (A regular expression would need a stack as long as the longest string.) */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === "[" || character === "{") deepest = Math.max(deepest, ++depth);
    else if (character === "]" || character === "}") depth--;
  }
  return deepest;
}

/** The place of the quote that closes the string whose opening quote is at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}
