import type { StoreSnapshot } from "../kernel/store/store.ts";
import { HeldBytes } from "../kernel/store/heldBytes.ts";
import type { HistoryNode, HistoryTree } from "./historyTree.ts";

/** bytes that the snapshots of a history may hold when nobody says otherwise */
export const HISTORY_BYTES = 256 * 2 ** 20;
/** of the cap, to which is dropped when it is passed: so that not every command drops something */
const DROP_TO = 0.85;
/** nodes this near to the current one are dropped last */
const NEAR_NODES = 128;
/** bytes of a node besides chunks and records: names, processes, variables */
const NODE_BYTES = 1024;
/** work of one keyframe step: a command without much to do counts 1, one that looked up once (4096 faults) 9 */
const WORK_SHIFT = 9;

interface HasStore {
  readonly world: { readonly machine: { readonly store: StoreSnapshot } };
}

/**
 * Keeps what the snapshots of a history hold under a cap: beyond it nodes lose their snapshot, and replaying their command makes it again.
 * Which ones: far from the current node first, and so that what stays are keyframes a power of two of work apart; a command that took long
 * is a keyframe by itself, since it is what would have to be done again.
 */
export class HistoryMemory<Snapshot extends HasStore> {
  readonly #tree: HistoryTree<Snapshot>;
  readonly #cap: number;
  readonly #held = new HeldBytes();
  /** work from the start to a node, by its number */
  readonly #position: number[] = [0];
  #kept = 0;

  constructor(tree: HistoryTree<Snapshot>, capBytes: number) {
    this.#tree = tree;
    this.#cap = capBytes;
    this.#hold(tree.current);
  }

  /** bytes that are held now */
  get bytes(): number {
    return this.#held.bytes + this.#kept * NODE_BYTES;
  }

  /** nodes that have a snapshot */
  get kept(): number {
    return this.#kept;
  }

  /** A node has got a snapshot. `work`: what its command took, in pages (LineRun.work). */
  keep(node: HistoryNode<Snapshot>, work: number): void {
    this.#position[node.id] = (this.#position[node.parent ?? 0] ?? 0) + 1 + (work >>> WORK_SHIFT);
    this.#hold(node);
  }

  /** A node without a snapshot, as a restored session has them. */
  know(node: HistoryNode<Snapshot>): void {
    this.#position[node.id] = (this.#position[node.parent ?? 0] ?? 0) + 1;
  }

  /** Drops snapshots until the cap is kept. `focus`: the node that is used now; it and the current one stay, and node 0. */
  trim(focus: number): void {
    if (this.bytes <= this.#cap) return;
    const distance = this.#distances(focus);
    const candidates = this.#tree.all().filter((node) => node.snapshot !== null && node.id !== 0 && node.id !== focus && node !== this.#tree.current);
    const near = (node: HistoryNode<Snapshot>): number => (distance[node.id] <= NEAR_NODES ? 1 : 0);
    candidates.sort((a, b) => near(a) - near(b) || this.#level(a) - this.#level(b) || distance[b.id] - distance[a.id] || a.id - b.id);
    for (const node of candidates) {
      if (this.bytes <= this.#cap * DROP_TO) return;
      this.#release(node);
    }
  }

  #hold(node: HistoryNode<Snapshot>): void {
    if (node.snapshot === null) return;
    this.#kept++;
    this.#held.hold(node.snapshot.world.machine.store);
  }

  #release(node: HistoryNode<Snapshot>): void {
    if (node.snapshot === null) return;
    this.#held.release(node.snapshot.world.machine.store);
    this.#kept--;
    node.snapshot = null;
  }

  /** The largest power of two of work that lies between a node's parent and the node. */
  #level(node: HistoryNode<Snapshot>): number {
    const before = this.#position[node.parent ?? 0] ?? 0;
    const after = this.#position[node.id] ?? 0;
    let level = 0;
    for (let span = 2; level < 40 && Math.floor(after / span) !== Math.floor(before / span); span *= 2) level++;
    return level;
  }

  /** Steps along the tree from a node to every other. */
  #distances(from: number): number[] {
    const nodes = this.#tree.all();
    const distance = new Array<number>(nodes.length).fill(-1);
    let up = 0;
    for (let node: HistoryNode<Snapshot> | undefined = nodes[from]; node !== undefined; node = this.#tree.parentOf(node)) distance[node.id] = up++;
    // a parent's number is smaller than its children's
    for (const node of nodes) if (distance[node.id] < 0) distance[node.id] = distance[node.parent ?? 0] + 1;
    return distance;
  }
}
