import type { NodeMark } from "./model.ts";

/** The state after a command. Node 0 is the machine as it was booted. */
export interface HistoryNode<Snapshot> {
  readonly id: number;
  /** null: node 0 */
  readonly parent: number | null;
  /** the line as typed */
  readonly command: string;
  readonly mark: NodeMark;
  /** of a cancelled command: the look at which it stopped; 0: none of it stays, the simulator failed in it; null: it ran to its end */
  readonly operationsDone: number | null;
  /** null: dropped to save memory, or never made; replaying the command makes it again */
  snapshot: Snapshot | null;
  /** the machine's step after it; -1 while a restored node was not replayed */
  step: number;
  /** restored, and not replayed yet: hash and digest are those that were saved */
  isUnproved: boolean;
  /** hexadecimal, of the state after it and of what the learner saw; as saved until the node was replayed */
  stateHash: string;
  digest: string;
}

/** What a new node is given; the tree adds its number. */
export type NodeFields<Snapshot> = Omit<HistoryNode<Snapshot>, "id" | "parent">;

/** Commands as a tree: going back and typing something else makes a second branch, and nothing is lost. */
export class HistoryTree<Snapshot> {
  readonly #nodes: HistoryNode<Snapshot>[];
  /** the child through which a node was left last: where redo leads */
  readonly #ahead = new Map<number, number>();
  #current = 0;

  constructor(start: NodeFields<Snapshot>) {
    this.#nodes = [{ ...start, id: 0, parent: null }];
  }

  get current(): HistoryNode<Snapshot> {
    return this.#nodes[this.#current];
  }

  /** Every node, in the order in which they were made. */
  all(): readonly HistoryNode<Snapshot>[] {
    return this.#nodes;
  }

  find(id: number): HistoryNode<Snapshot> | undefined {
    return this.#nodes[id];
  }

  /** Adds a child of the current node and stands on it. */
  add(fields: NodeFields<Snapshot>): HistoryNode<Snapshot> {
    const node = this.append(this.#current, fields);
    this.#ahead.set(this.#current, node.id);
    this.#current = node.id;
    return node;
  }

  /** Adds a child of any node, and stays where it stands. */
  append(parent: number, fields: NodeFields<Snapshot>): HistoryNode<Snapshot> {
    const node = { ...fields, id: this.#nodes.length, parent };
    this.#nodes.push(node);
    return node;
  }

  parentOf(node: HistoryNode<Snapshot>): HistoryNode<Snapshot> | undefined {
    return node.parent === null ? undefined : this.#nodes[node.parent];
  }

  /** The parent of the current node; undefined at the start. */
  back(): HistoryNode<Snapshot> | undefined {
    return this.parentOf(this.current);
  }

  /** The child that was left last; undefined at the end of a branch. */
  forward(): HistoryNode<Snapshot> | undefined {
    const id = this.#ahead.get(this.#current);
    return id === undefined ? undefined : this.#nodes[id];
  }

  /** Stands on a node; redo leads along the path to it from now on. */
  goto(id: number): HistoryNode<Snapshot> {
    this.#current = id;
    for (let node = this.current; node.parent !== null; node = this.#nodes[node.parent]) this.#ahead.set(node.parent, node.id);
    return this.current;
  }

  /** From node 0 to a node, both included. */
  path(id: number): HistoryNode<Snapshot>[] {
    const path: HistoryNode<Snapshot>[] = [];
    for (let node: HistoryNode<Snapshot> | undefined = this.#nodes[id]; node !== undefined; node = this.parentOf(node)) path.push(node);
    return path.reverse();
  }

  /** Distance from node 0 along parents. */
  depth(id: number): number {
    return this.path(id).length - 1;
  }
}
