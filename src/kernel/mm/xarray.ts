import { INC, INODE_COUNTERS, MISC, type Kernel } from "./kernel.ts";

/**
 * Arrays of 32-bit numbers by page index, sparse: a tree of nodes of 512 entries, of as many levels as the highest index needs
 * (lib/xarray.c with larger nodes). A file has three: its page cache, what its
 * disk holds, and which blocks of pages that are not up to date are (blocks.ts). 0 is no entry.
 */
export type Tree = "cache" | "disk" | "blocks";

const ROOT = { cache: INC.root, disk: INC.diskRoot, blocks: INC.blocksRoot } as const;
const HEIGHT = { cache: INC.height, disk: INC.diskHeight, blocks: INC.blocksHeight } as const;

const BITS = 9;
const FANOUT = 1 << BITS;

const rootAt = (inode: number, tree: Tree): number => inode * INODE_COUNTERS + ROOT[tree];
const heightAt = (inode: number, tree: Tree): number => inode * INODE_COUNTERS + HEIGHT[tree];

/** Position of an index in a node `level` levels above the lowest. Indices may pass 2^32. */
const slotAt = (index: number, level: number): number => Math.floor(index / 2 ** (BITS * level)) % FANOUT;

function nodeAlloc(k: Kernel): number {
  const free = k.misc.get(MISC.cacheNodeFree);
  if (free !== 0) {
    k.misc.set(MISC.cacheNodeFree, k.cacheEntry.get(free * FANOUT));
    k.cacheEntry.set(free * FANOUT, 0);
    return free;
  }
  const fresh = Math.max(1, k.misc.get(MISC.cacheNodeEnd));
  k.misc.set(MISC.cacheNodeEnd, fresh + 1);
  return fresh;
}

function nodeFree(k: Kernel, node: number): void {
  k.cacheEntry.set(node * FANOUT, k.misc.get(MISC.cacheNodeFree));
  k.misc.set(MISC.cacheNodeFree, node);
}

/** The lowest node over an index, 0 where there is none. */
function leafOf(k: Kernel, inode: number, tree: Tree, index: number): number {
  let node = k.inodeCounters.get(rootAt(inode, tree));
  const height = k.inodeCounters.get(heightAt(inode, tree));
  if (node === 0 || index >= 2 ** (BITS * height)) return 0;
  for (let level = height - 1; level > 0 && node !== 0; level--) node = k.cacheEntry.get(node * FANOUT + slotAt(index, level));
  return node;
}

/** As leafOf, making the nodes that are missing. */
function leafMade(k: Kernel, inode: number, tree: Tree, index: number): number {
  let root = k.inodeCounters.get(rootAt(inode, tree));
  let height = k.inodeCounters.get(heightAt(inode, tree));
  // an empty tree begins with the height that it needs: no node below the root may be empty
  if (root === 0) {
    root = nodeAlloc(k);
    for (height = 1; index >= 2 ** (BITS * height);) height++;
  }
  for (; index >= 2 ** (BITS * height); height++) {
    const above = nodeAlloc(k);
    k.cacheEntry.set(above * FANOUT, root);
    k.cacheUsed.set(above, 1);
    root = above;
  }
  k.inodeCounters.set(rootAt(inode, tree), root);
  k.inodeCounters.set(heightAt(inode, tree), height);
  let node = root;
  for (let level = height - 1; level > 0; level--) {
    const at = node * FANOUT + slotAt(index, level);
    let below = k.cacheEntry.get(at);
    if (below === 0) {
      below = nodeAlloc(k);
      k.cacheEntry.set(at, below);
      k.cacheUsed.add(node, 1);
    }
    node = below;
  }
  return node;
}

/** Gives back the nodes over an index that hold nothing any more. True: `node` was one of them. */
function prune(k: Kernel, node: number, level: number, index: number): boolean {
  if (level > 0) {
    const at = node * FANOUT + slotAt(index, level);
    const below = k.cacheEntry.get(at);
    if (below !== 0 && prune(k, below, level - 1, index)) {
      k.cacheEntry.set(at, 0);
      k.cacheUsed.add(node, -1);
    }
  }
  if (k.cacheUsed.get(node) !== 0) return false;
  nodeFree(k, node);
  return true;
}

export function xaLoad(k: Kernel, inode: number, tree: Tree, index: number): number {
  const leaf = leafOf(k, inode, tree, index);
  return leaf === 0 ? 0 : k.cacheEntry.get(leaf * FANOUT + (index % FANOUT));
}

export function xaStore(k: Kernel, inode: number, tree: Tree, index: number, value: number): void {
  const leaf = value === 0 ? leafOf(k, inode, tree, index) : leafMade(k, inode, tree, index);
  if (leaf === 0) return;
  const at = leaf * FANOUT + (index % FANOUT);
  const old = k.cacheEntry.get(at);
  k.cacheEntry.set(at, value);
  if (old === 0 && value !== 0) k.cacheUsed.add(leaf, 1);
  if (old === 0 || value !== 0) return;
  k.cacheUsed.add(leaf, -1);
  if (k.cacheUsed.get(leaf) !== 0) return;
  const root = k.inodeCounters.get(rootAt(inode, tree));
  if (!prune(k, root, k.inodeCounters.get(heightAt(inode, tree)) - 1, index)) return;
  k.inodeCounters.set(rootAt(inode, tree), 0);
  k.inodeCounters.set(heightAt(inode, tree), 0);
}

/** The first index of [from, last] that has an entry (xa_find), or -1. */
export function xaFind(k: Kernel, inode: number, tree: Tree, from: number, last: number): number {
  const root = k.inodeCounters.get(rootAt(inode, tree));
  const height = k.inodeCounters.get(heightAt(inode, tree));
  if (root === 0 || from > last) return -1;
  const found = findBelow(k, root, height - 1, 0, from, Math.min(last, 2 ** (BITS * height) - 1));
  return found > last ? -1 : found;
}

function findBelow(k: Kernel, node: number, level: number, base: number, from: number, last: number): number {
  const span = 2 ** (BITS * level);
  for (let i = from <= base ? 0 : Math.floor((from - base) / span); i < FANOUT && base + i * span <= last; i++) {
    const entry = k.cacheEntry.get(node * FANOUT + i);
    if (entry === 0) continue;
    if (level === 0) return base + i;
    const found = findBelow(k, entry, level - 1, base + i * span, from, last);
    if (found >= 0) return found;
  }
  return -1;
}

/** Everything in a tree, for checks: the nodes it has and its entries in order. */
export function* xaWalk(k: Kernel, inode: number, tree: Tree, onNode: (node: number) => void): Generator<readonly [index: number, value: number]> {
  const root = k.inodeCounters.get(rootAt(inode, tree));
  if (root !== 0) yield* walkBelow(k, root, k.inodeCounters.get(heightAt(inode, tree)) - 1, 0, onNode);
}

function* walkBelow(k: Kernel, node: number, level: number, base: number, onNode: (node: number) => void): Generator<readonly [number, number]> {
  onNode(node);
  for (let i = 0; i < FANOUT; i++) {
    const entry = k.cacheEntry.get(node * FANOUT + i);
    if (entry === 0) continue;
    const at = base + i * 2 ** (BITS * level);
    if (level === 0) yield [at, entry];
    else yield* walkBelow(k, entry, level - 1, at, onNode);
  }
}
