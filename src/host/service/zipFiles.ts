/**
 * The files of a zip, in memory. Nothing in it is believed: names, sizes, ratio, overlaps and links are checked before anything is inflated,
 * then the real length and the CRC of each file. (fflate and its like tell neither CRC nor flags, so the table of contents is read here;
 * APPNOTE.TXT of PKWARE, sections 4.3.7 to 4.3.16. Zip64 and archives in parts have no use below 32 MiB.)
 */
import { crc32, inflateRawSync } from "node:zlib";
import { say, sentence } from "../../i18n/format.ts";
import { MOST_ENTRIES, MOST_FILE_BYTES, MOST_RATIO, MOST_TOTAL_BYTES } from "../../lab/pack/limits.ts";
import { foldedPath, pathProblem } from "../../lab/pack/tree.ts";
import { PackUnreadable, unreadable } from "./packProblem.ts";

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 0xffff;
/** what is smaller may be packed as tightly as it likes */
const RATIO_FROM_BYTES = 64 << 10;
/** general purpose bits 0 (encrypted), 6 (strong encryption) and 13 (hidden headers) */
const ENCRYPTED = 0x2041;
const UNIX = 3;
const FILE_TYPE = 0o170_000;
const REGULAR = 0o100_000;
const FOLDER = 0o040_000;

interface Entry {
  readonly name: string;
  readonly nameBytes: Buffer;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly offset: number;
}

/** @throws PackUnreadable */
export function readZip(zip: Buffer): ReadonlyMap<string, Uint8Array> {
  const { start, entries } = readTable(zip);
  checkEntries(entries);
  const files = new Map<string, Uint8Array>();
  let end = 0;
  // in the order in which they lie, so that two that share bytes are seen
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (entry.offset < end) throw unreadable("host.pack.lies");
    const { data, dataEnd } = packedData(zip, entry, start);
    end = dataEnd;
    files.set(entry.name, inflate(entry, data));
  }
  return files;
}

/** The table of contents at the end of the file. */
function readTable(zip: Buffer): { readonly start: number; readonly entries: readonly Entry[] } {
  const end = findEnd(zip);
  const count = zip.readUInt16LE(end + 10);
  const bytes = zip.readUInt32LE(end + 12);
  const start = zip.readUInt32LE(end + 16);
  // one part, and the table directly before its end
  if (zip.readUInt32LE(end + 4) !== 0 || zip.readUInt16LE(end + 8) !== count || start + bytes !== end) throw unreadable("host.pack.notZip");
  const entries: Entry[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || zip.readUInt32LE(at) !== CENTRAL) throw unreadable("host.pack.notZip");
    const next = at + 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    if (next > end) throw unreadable("host.pack.notZip");
    const entry = readEntry(zip, at);
    if (entry !== null) entries.push(entry);
    if (entries.length > MOST_ENTRIES) throw unreadable("host.pack.tooBig");
    at = next;
  }
  if (at !== end) throw unreadable("host.pack.notZip");
  return { start, entries };
}

function findEnd(zip: Buffer): number {
  const from = Math.max(0, zip.length - END_BYTES - COMMENT_BYTES_MAX);
  for (let at = zip.length - END_BYTES; at >= from; at--) {
    if (zip.readUInt32LE(at) === END && at + END_BYTES + zip.readUInt16LE(at + 20) === zip.length) return at;
  }
  throw unreadable("host.pack.notZip");
}

/** Null: a folder. */
function readEntry(zip: Buffer, at: number): Entry | null {
  if ((zip.readUInt16LE(at + 8) & ENCRYPTED) !== 0) throw unreadable("host.pack.encrypted");
  const type = (zip.readUInt32LE(at + 38) >>> 16) & FILE_TYPE;
  if (zip[at + 5] === UNIX && type !== 0 && type !== REGULAR && type !== FOLDER) throw unreadable("host.pack.link");
  const nameBytes = zip.subarray(at + 46, at + 46 + zip.readUInt16LE(at + 28));
  const name = decodeName(nameBytes);
  const bytes = zip.readUInt32LE(at + 24);
  if (name.endsWith("/")) {
    if (bytes !== 0) throw unreadable("host.pack.lies");
    return null;
  }
  const problem = pathProblem(name);
  if (problem !== null) throw new PackUnreadable(sentence({ key: `lab.problem.${problem}`, args: {} }));
  return {
    name,
    nameBytes,
    method: zip.readUInt16LE(at + 10),
    crc: zip.readUInt32LE(at + 16),
    packedBytes: zip.readUInt32LE(at + 20),
    bytes,
    offset: zip.readUInt32LE(at + 42),
  };
}

function decodeName(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw unreadable("host.pack.notZip");
  }
}

/** Before anything is inflated: how much it says it is, and whether two names are the same file somewhere. */
function checkEntries(entries: readonly Entry[]): void {
  const names = new Set(entries.map(({ name }) => foldedPath(name)));
  if (names.size !== entries.length) throw unreadable("host.pack.lies");
  let total = 0;
  for (const { bytes, packedBytes } of entries) {
    total += bytes;
    if (bytes > MOST_FILE_BYTES || total > MOST_TOTAL_BYTES) throw unreadable("host.pack.tooBig");
    if (bytes > RATIO_FROM_BYTES && bytes > packedBytes * MOST_RATIO) {
      throw new PackUnreadable(say("host.pack.ratio", { ratio: Math.round(bytes / Math.max(1, packedBytes)) }));
    }
  }
}

/** What lies behind the entry's own header, which must say the same as the table. */
function packedData(zip: Buffer, entry: Entry, tableStart: number): { readonly data: Buffer; readonly dataEnd: number } {
  const { offset, nameBytes, method, packedBytes } = entry;
  if (offset + 30 > tableStart || zip.readUInt32LE(offset) !== LOCAL) throw unreadable("host.pack.lies");
  const nameLength = zip.readUInt16LE(offset + 26);
  const name = zip.subarray(offset + 30, offset + 30 + nameLength);
  const start = offset + 30 + nameLength + zip.readUInt16LE(offset + 28);
  const dataEnd = start + packedBytes;
  if (dataEnd > tableStart || !name.equals(nameBytes) || zip.readUInt16LE(offset + 8) !== method) throw unreadable("host.pack.lies");
  return { data: zip.subarray(start, dataEnd), dataEnd };
}

function inflate({ method, bytes, crc }: Entry, data: Buffer): Uint8Array {
  let content: Buffer;
  try {
    if (method !== 0 && method !== 8) throw unreadable("host.pack.notZip");
    content = method === 0 ? Buffer.from(data) : inflateRawSync(data, { maxOutputLength: Math.max(1, bytes) });
  } catch (error) {
    throw error instanceof PackUnreadable ? error : unreadable("host.pack.lies");
  }
  if (content.length !== bytes || crc32(content) !== crc) throw unreadable("host.pack.lies");
  return content;
}
