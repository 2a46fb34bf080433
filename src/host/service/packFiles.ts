/** Packs as they lie on the disk: those that ship, and what the learner put into the folder of packs. */
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { say } from "../../i18n/format.ts";
import { MOST_DEPTH, MOST_ENTRIES, MOST_TOTAL_BYTES } from "../../lab/pack/limits.ts";
import type { BadPack, PackSource } from "../engine/protocol.ts";
import { PackUnreadable, unreadable } from "./packProblem.ts";
import { readZip } from "./zipFiles.ts";

/** packs in one folder */
const PACKS_MAX = 200;
const ZIP = /\.(zip|hlab)$/i;

export interface FoundPacks {
  readonly packs: readonly PackSource[];
  readonly bad: readonly BadPack[];
}

/** Reads every pack of these folders. Never throws: what cannot be read is told, and the others are used. */
export async function findPacks(folders: readonly string[]): Promise<FoundPacks> {
  const packs: PackSource[] = [];
  const bad: BadPack[] = [];
  for (const folder of folders) {
    for (const path of packPaths(folder, bad)) {
      try {
        packs.push(await readPackAt(path));
      } catch (error) {
        bad.push({ place: path, sentence: whyOf(error) });
      }
    }
  }
  return { packs, bad };
}

/** @throws PackUnreadable, and as node:fs */
export async function readPackAt(path: string): Promise<PackSource> {
  const isZip = ZIP.test(path) && statSync(path).isFile();
  const files = isZip ? withoutTopFolder(await readZip(readBounded(path))) : readFolder(path);
  return { hash: treeHash(files), place: path, files: [...files] };
}

/** The identity of a content: sha256 over `path NUL sha256 newline` in order of path. */
export function treeHash(files: ReadonlyMap<string, Uint8Array>): string {
  const sha256 = (data: Uint8Array | string): string => createHash("sha256").update(data).digest("hex");
  const lines = [...files].map(([path, bytes]) => `${path}\0${sha256(bytes)}\n`);
  return sha256(lines.sort().join(""));
}

function packPaths(folder: string, bad: BadPack[]): readonly string[] {
  if (existsSync(join(folder, "pack.json"))) return [folder];
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    // ENOTDIR: the folder of data could not be made, which is told already
    if (!["ENOENT", "ENOTDIR"].includes(codeOf(error))) bad.push({ place: folder, sentence: whyOf(error) });
    return [];
  }
  const names = entries.filter((entry) => !entry.name.startsWith(".") && (entry.isDirectory() || ZIP.test(entry.name))).map((entry) => entry.name);
  if (names.length > PACKS_MAX) bad.push({ place: folder, sentence: say("host.pack.tooMany", { most: PACKS_MAX }) });
  return names
    .sort()
    .slice(0, PACKS_MAX)
    .map((name) => join(folder, name));
}

function readBounded(path: string): Buffer {
  if (statSync(path).size > MOST_TOTAL_BYTES) throw unreadable("host.pack.tooBig");
  return readFileSync(path);
}

/** A pack's folder. Hidden files are no part of it; links could lead anywhere. */
function readFolder(top: string): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let total = 0;
  const read = (folder: string, depth: number): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      const stat = lstatSync(path);
      if (stat.isDirectory()) {
        if (depth > MOST_DEPTH) throw unreadable("host.pack.tooBig");
        read(path, depth + 1);
        continue;
      }
      if (!stat.isFile()) throw unreadable("host.pack.link");
      total += stat.size;
      if (total > MOST_TOTAL_BYTES || files.size >= MOST_ENTRIES) throw unreadable("host.pack.tooBig");
      files.set(relative(top, path).split(sep).join("/"), readFileSync(path));
    }
  };
  read(top, 1);
  return files;
}

/** A zip of a folder holds the folder's name before every path. */
function withoutTopFolder(files: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
  const tops = new Set([...files.keys()].map((path) => path.split("/")[0]));
  const [top] = tops;
  if (tops.size !== 1 || files.has(top)) return files;
  return new Map([...files].map(([path, bytes]) => [path.slice(top.length + 1), bytes]));
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function whyOf(error: unknown): string {
  if (error instanceof PackUnreadable) return error.message;
  const code = codeOf(error);
  if (code === "") throw error;
  return say("host.pack.unreadable", { code });
}
