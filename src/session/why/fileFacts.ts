import type { Kernel } from "../../kernel/mm/kernel.ts";
import { folioMapcount, folioOrder, folioPages, hasFlag } from "../../kernel/mm/folio.ts";
import { filemapFolio, filemapPage } from "../../kernel/mm/pageCache.ts";
import { PG } from "../../kernel/mm/pageFlags.ts";
import type { Inode } from "../../kernel/mm/records.ts";
import { NO_PFN } from "../../kernel/units.ts";
import type { Cause } from "../../kernel/why/tracer.ts";
import type { Stage } from "../world.ts";

/** Facts about files as a machine has them, and the names that a session gave files. */

export type FileCause = Extract<Cause, { kind: "file" | "cache" | "cacheFolio" | "readahead" }>;

/** What the cache has of [index, index + pages): how many pages of the kind that a cause names. */
function countCached(k: Kernel, inode: number, index: number, pages: number, is: Extract<Cause, { kind: "cache" }>["is"]): number {
  let n = 0;
  for (let at = index; at < index + pages; at++) {
    const head = filemapFolio(k, inode, at);
    if (is === "marked") n += head !== NO_PFN && hasFlag(k, head, PG.readahead) ? 1 : 0;
    else if (is === "cached") n += head !== NO_PFN ? 1 : 0;
    else n += head === NO_PFN ? 1 : 0;
  }
  return n;
}

/** References to a folio of the page cache that neither its mappings nor the cache explain. */
export const extraReferences = (k: Kernel, head: Parameters<typeof folioPages>[1]): number =>
  k.refcount.get(head) - folioMapcount(k, head) - folioPages(k, head);

function folioFact(k: Kernel, inode: number, index: number, property: Extract<Cause, { kind: "cacheFolio" }>["property"]): string {
  const head = filemapFolio(k, inode, index);
  if (head === NO_PFN) return "not cached";
  if (property === "folio_order") return String(folioOrder(k, head));
  return String(property === "PG_dirty" ? Number(hasFlag(k, head, PG.dirty)) : extraReferences(k, head));
}

function inodeFact(k: Kernel, inode: Inode, property: Extract<Cause, { kind: "file" }>["property"]): string {
  const mount = k.mounts.get(inode.mount);
  switch (property) {
    case "i_size":
      return String(inode.sizeBytes);
    case "i_writecount":
      return String(inode.writers);
    case "large_folios":
      return String(Number(inode.largeFolios));
    case "huge=":
      return mount.huge;
    case "size=":
      return String(mount.maxBlocks);
  }
}

/** The fact as text. */
export function readFileFact(k: Kernel, cause: FileCause): string {
  if (cause.kind === "readahead") return String(k.files.find(cause.file)?.ra.mmapMiss ?? "closed");
  const inode = k.inodes.find(cause.inode);
  if (inode === undefined) return "no file";
  switch (cause.kind) {
    case "file":
      return inodeFact(k, inode, cause.property);
    case "cache":
      return String(countCached(k, cause.inode, cause.index, cause.pages, cause.is));
    case "cacheFolio":
      return folioFact(k, cause.inode, cause.index, cause.property);
  }
}

/** Whether a text of readFileFact is what the cause says. */
export function saysSo(cause: FileCause, is: string): boolean {
  if (cause.kind !== "cache") return is === String(cause.value);
  return cause.is === "empty" ? is === String(cause.pages) : Number(is) > 0;
}

/** The inode that a name of the session stands for; undefined: none, or it is not there any more. */
export function inodeOfName(world: Pick<Stage, "machine" | "files">, name: string): Inode | undefined {
  const file = world.files.get(name);
  const k = world.machine.kernel;
  const path = file === undefined ? name : "path" in file ? file.path : null;
  if (path !== null) for (const [, inode] of k.inodes.entries()) if (inode.nlink > 0 && inode.path === path) return inode;
  const held = file !== undefined && "held" in file ? k.files.find(file.held) : undefined;
  return held === undefined ? undefined : k.inodes.get(held.inode);
}

/** The name by which a session's lines know a file, else its path; null: it has neither any more. */
export function nameOfInode(world: Pick<Stage, "machine" | "files">, slot: number): string | null {
  for (const name of world.files.keys()) if (inodeOfName(world, name)?.slot === slot) return name;
  const inode = world.machine.kernel.inodes.find(slot);
  return inode !== undefined && inode.nlink > 0 ? inode.path : null;
}

/** The same for a sentence: what has no name is told by its path as maps prints it. */
export const fileText = (world: Pick<Stage, "machine" | "files">, slot: number): string =>
  nameOfInode(world, slot) ?? world.machine.kernel.inodes.find(slot)?.path ?? "?";

/** The frame that the page cache has at a page of a file; -1: none. */
export const cachedFrame = (k: Kernel, inode: number, index: number): number => (k.inodes.find(inode) === undefined ? -1 : filemapPage(k, inode, index));
