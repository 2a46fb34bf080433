/**
 * The files of a zip, in memory. Nothing in it is believed: names, sizes, ratio, overlaps and links are checked before anything is inflated,
 * then the length of each file (by yauzl, while it inflates) and its CRC.
 */
import type { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import { fromBufferPromise, type Entry, type ZipFile } from "yauzl";
import { say, sentence } from "../../i18n/format.ts";
import { MOST_ENTRIES, MOST_FILE_BYTES, MOST_RATIO, MOST_TOTAL_BYTES } from "../../lab/pack/limits.ts";
import { foldedPath, pathProblem } from "../../lab/pack/tree.ts";
import { PackUnreadable, unreadable } from "./packProblem.ts";

/** what is smaller may be packed as tightly as it likes */
const RATIO_FROM_BYTES = 64 << 10;
/** high byte of versionMadeBy: the attributes hold a mode of Unix (APPNOTE.TXT of PKWARE, 4.4.2) */
const UNIX = 3;
const FILE_TYPE = 0o170_000;
const REGULAR = 0o100_000;
const FOLDER = 0o040_000;

interface Named {
  readonly name: string;
  readonly entry: Entry;
}

/** @throws PackUnreadable */
export async function readZip(zip: Buffer): Promise<ReadonlyMap<string, Uint8Array>> {
  // names are decoded here: what a pack allows is less than what a zip may have
  const archive = await orUnreadable("host.pack.notZip", fromBufferPromise(zip, { lazyEntries: true, decodeStrings: false }));
  const entries = await readTable(archive);
  checkEntries(entries);
  const files = new Map<string, Uint8Array>();
  let end = 0;
  // in the order in which they lie, so that two that share bytes are seen
  for (const { name, entry } of entries.sort((a, b) => a.entry.relativeOffsetOfLocalHeader - b.entry.relativeOffsetOfLocalHeader)) {
    const header = await orUnreadable("host.pack.lies", archive.readLocalFileHeaderPromise(entry));
    const isSame = header.fileName.equals(entry.fileNameRaw) && header.compressionMethod === entry.compressionMethod;
    if (!isSame || entry.relativeOffsetOfLocalHeader < end) throw unreadable("host.pack.lies");
    end = header.fileDataStart + entry.compressedSize;
    files.set(name, await inflate(archive, entry));
  }
  return files;
}

/** The table of contents without its folders. */
async function readTable(archive: ZipFile): Promise<Named[]> {
  const entries: Named[] = [];
  const read = async (): Promise<void> => {
    for await (const entry of archive.eachEntry()) {
      if (entries.length >= MOST_ENTRIES) throw unreadable("host.pack.tooBig");
      const name = nameOf(entry);
      if (name !== null) entries.push({ name, entry });
    }
  };
  await orUnreadable("host.pack.notZip", read());
  return entries;
}

/** Null: a folder. */
function nameOf(entry: Entry): string | null {
  if (entry.isEncrypted()) throw unreadable("host.pack.encrypted");
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE;
  if (entry.versionMadeBy >>> 8 === UNIX && type !== 0 && type !== REGULAR && type !== FOLDER) throw unreadable("host.pack.link");
  const name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(entry.fileNameRaw);
  if (name.endsWith("/")) {
    if (entry.uncompressedSize !== 0) throw unreadable("host.pack.lies");
    return null;
  }
  const problem = pathProblem(name);
  if (problem !== null) throw new PackUnreadable(sentence({ key: `lab.problem.${problem}`, args: {} }));
  return name;
}

/** Before anything is inflated: how much it says it is, and whether two names are the same file somewhere. */
function checkEntries(entries: readonly Named[]): void {
  const names = new Set(entries.map(({ name }) => foldedPath(name)));
  if (names.size !== entries.length) throw unreadable("host.pack.lies");
  let total = 0;
  for (const { entry } of entries) {
    const { uncompressedSize: bytes, compressedSize: packed } = entry;
    total += bytes;
    if (bytes > MOST_FILE_BYTES || total > MOST_TOTAL_BYTES) throw unreadable("host.pack.tooBig");
    if (bytes > RATIO_FROM_BYTES && bytes > packed * MOST_RATIO) {
      throw new PackUnreadable(say("host.pack.ratio", { ratio: Math.round(bytes / Math.max(1, packed)) }));
    }
  }
}

async function inflate(archive: ZipFile, entry: Entry): Promise<Uint8Array> {
  if (!entry.canDecodeFileData()) throw unreadable("host.pack.notZip");
  const content = await orUnreadable("host.pack.lies", archive.openReadStreamPromise(entry).then(collect));
  if (content.length !== entry.uncompressedSize || crc32(content) !== entry.crc32) throw unreadable("host.pack.lies");
  return content;
}

/** The stream ends with an error as soon as it is longer than the table says. */
async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** yauzl's errors name offsets and signatures; the learner is told what it comes to. */
async function orUnreadable<T>(why: Parameters<typeof unreadable>[0], work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof PackUnreadable ? error : unreadable(why);
  }
}
