/** How the command of a node ended: `bug` when the simulator itself failed and its work was thrown away. */
export type NodeMark = "done" | "bug";

/** The state after a command. Node 0 is the machine as it was booted. */
export interface HistoryNode<Snapshot> {
  readonly id: number;
  /** null: node 0 */
  readonly parent: number | null;
  /** the line as typed */
  readonly command: string;
  readonly mark: NodeMark;
  readonly snapshot: Snapshot;
}

/** Commands as a tree: going back and typing something else makes a second branch, and nothing is lost. */
export class HistoryTree<Snapshot> {
  readonly #nodes: HistoryNode<Snapshot>[];
  /** the child through which a node was left last: where redo leads */
  readonly #ahead = new Map<number, number>();
  #current = 0;

  constructor(start: Snapshot) {
    this.#nodes = [{ id: 0, parent: null, command: "", mark: "done", snapshot: start }];
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
  add(command: string, snapshot: Snapshot, mark: NodeMark = "done"): HistoryNode<Snapshot> {
    const node = { id: this.#nodes.length, parent: this.#current, command, mark, snapshot };
    this.#nodes.push(node);
    this.#ahead.set(this.#current, node.id);
    this.#current = node.id;
    return node;
  }

  /** The parent of the current node; undefined at the start. */
  back(): HistoryNode<Snapshot> | undefined {
    const { parent } = this.current;
    return parent === null ? undefined : this.#nodes[parent];
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

  /** Distance from node 0 along parents. */
  depth(id: number): number {
    let depth = 0;
    for (let node = this.#nodes[id]; node.parent !== null; node = this.#nodes[node.parent]) depth++;
    return depth;
  }
}
