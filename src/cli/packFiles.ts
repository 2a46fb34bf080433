import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MOST_DEPTH, MOST_ENTRIES, MOST_FILE_BYTES } from "../lab/pack/limits.ts";
import type { PackTree } from "../lab/pack/tree.ts";

/** Packs that came with Hugelab. */
export const BUNDLED_PACKS = new URL("../../labs/", import.meta.url);

/** Names of files that an editor or a system leaves behind: no part of a pack. */
const LEFT_BEHIND = /^(\..*|.*~|Thumbs\.db|desktop\.ini)$/;

export type FolderRead = { readonly kind: "tree"; readonly tree: PackTree } | { readonly kind: "link"; readonly path: string };

/**
 * Reads a folder as a pack's tree. Links are not followed. Stops behind the limits: a file too big or too many comes out as such, for readPack to say so.
 * @throws NodeJS.ErrnoException where the file system refuses
 */
export function readPackFolder(folder: string): FolderRead {
  const tree = new Map<string, Uint8Array>();
  const open: string[] = [""];
  for (let below = open.pop(); below !== undefined; below = open.pop()) {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      if (LEFT_BEHIND.test(entry.name)) continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (!entry.isFile() && !entry.isDirectory()) return { kind: "link", path };
      if (tree.size > MOST_ENTRIES) return { kind: "tree", tree };
      if (entry.isFile()) tree.set(path, readLimited(join(folder, path)));
      else if (path.split("/").length <= MOST_DEPTH) open.push(path);
      else tree.set(`${path}/-`, new Uint8Array());
    }
  }
  return { kind: "tree", tree };
}

/** The bytes of a file; of one that is too big as many as show that it is. */
function readLimited(path: string): Uint8Array {
  const { size } = lstatSync(path);
  return size > MOST_FILE_BYTES ? new Uint8Array(MOST_FILE_BYTES + 1) : readFileSync(path);
}
