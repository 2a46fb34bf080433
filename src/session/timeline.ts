import type { RenderMessage } from "../shell/renderMessage.ts";
import type { HistoryNode, HistoryTree } from "./historyTree.ts";
import type { NodeView, TimelineView } from "./model.ts";

/** nodes of one window */
const MOST_NODES = 5000;

/** The columns of a tree that is drawn with its nodes in order of their numbers. */
export class Lanes {
  readonly #tree: HistoryTree<unknown>;
  #lanes: number[] = [];

  constructor(tree: HistoryTree<unknown>) {
    this.#tree = tree;
  }

  /**
   * By number of the node. A branch is a node with its first child, that one's first child, and so on; it takes the first column that no
   * other branch has between the node it leaves and its last one.
   */
  all(): readonly number[] {
    const nodes = this.#tree.all();
    if (this.#lanes.length === nodes.length) return this.#lanes;
    // a new node may lengthen an old branch and move others: all is done anew
    const branch = new Array<number>(nodes.length).fill(0);
    const hasChild = new Array<boolean>(nodes.length).fill(false);
    const branches: { readonly from: number; to: number }[] = [{ from: 0, to: 0 }];
    for (const node of nodes) {
      if (node.parent === null) continue;
      if (hasChild[node.parent]) branch[node.id] = branches.push({ from: node.parent, to: node.id }) - 1;
      else branch[node.id] = branch[node.parent];
      hasChild[node.parent] = true;
      branches[branch[node.id]].to = node.id;
    }
    const ends: number[] = [];
    const columns = branches.map(({ from, to }, i) => {
      const free = i === 0 ? 0 : ends.findIndex((end, column) => column > 0 && end < from);
      const column = free < 0 ? ends.length : free;
      ends[column] = to;
      return column;
    });
    this.#lanes = nodes.map((node) => columns[branch[node.id]]);
    return this.#lanes;
  }
}

/** A window of the history: `count` nodes from number `first` on, within what there is. */
export function timelineOf(tree: HistoryTree<unknown>, lanes: Lanes, first: number, count: number, render: RenderMessage): TimelineView {
  const all = tree.all();
  const from = Math.max(0, Math.min(Math.trunc(first) || 0, all.length));
  const to = Math.min(all.length, from + Math.max(0, Math.min(Math.trunc(count) || 0, MOST_NODES)));
  const columns = lanes.all();
  const nodes = all.slice(from, to);
  return {
    current: tree.current.id,
    count: all.length,
    first: from,
    nodes: nodes.map(({ id, parent, command, mark }): NodeView => ({ id, parent, command, mark, lane: columns[id] })),
    back: tree.back()?.id ?? null,
    forward: tree.forward()?.id ?? null,
    twin: nodes.map((node) => historyLine(tree, node, columns[node.id], render)),
  };
}

/** A node as `history` prints it: where one stands, its mark, its number, its command, what it came after when that is not the one above. */
export function historyLine(tree: HistoryTree<unknown>, node: HistoryNode<unknown>, indent: number, render: RenderMessage): string {
  const mark = node === tree.current ? "*" : node.mark === "bug" ? "!" : node.mark === "cancelled" ? "~" : " ";
  const text = node.parent === null ? render({ key: "session.history.boot", args: {} }) : node.command;
  const from = node.parent !== null && node.parent !== node.id - 1 ? `  (${render({ key: "session.history.after", args: { id: node.parent } })})` : "";
  return `${mark} ${String(node.id).padStart(3)}  ${"  ".repeat(Math.min(indent, 20))}${text}${from}`;
}
