/** Which part of the history is drawn: nodes stand side by side by their number, branches in lanes below each other. */
import type { NodeView } from "../../session/model.ts";

/** rem */
export const NODE_WIDTH = 9;
export const LANE_HEIGHT = 2;
/** nodes drawn beyond each edge, so that scrolling shows no gap */
const MARGIN = 4;

export interface Range {
  readonly first: number;
  /** exclusive */
  readonly end: number;
}

/** Numbers of the nodes between two edges, in pixels. */
export function visibleRange(left: number, width: number, nodeWidth: number, count: number): Range {
  const first = Math.max(0, Math.floor(left / nodeWidth) - MARGIN);
  return { first: Math.min(first, count), end: Math.min(count, Math.ceil((left + width) / nodeWidth) + MARGIN) };
}

/** A line from a node's parent to it, in units of nodes and lanes. `parentLane` is the node's own when the parent is not known. */
export interface Edge {
  readonly node: number;
  readonly fromX: number;
  readonly fromLane: number;
  readonly toLane: number;
}

export interface TimelineWindow {
  readonly nodes: readonly NodeView[];
  readonly edges: readonly Edge[];
  /** lanes of the nodes that are drawn, at least 1 */
  readonly lanes: number;
  /** a number in the range of which nothing is known yet; null: all is known */
  readonly missing: number | null;
}

/** What is drawn for a range; `at` gives the nodes that are known. Edges that only pass through the range are left out: their lanes are empty there. */
export function windowOf(range: Range, at: (id: number) => NodeView | undefined): TimelineWindow {
  const nodes: NodeView[] = [];
  const edges: Edge[] = [];
  let lanes = 1;
  let missing: number | null = null;
  for (let id = range.first; id < range.end; id++) {
    const node = at(id);
    if (node === undefined) {
      missing ??= id;
      continue;
    }
    nodes.push(node);
    lanes = Math.max(lanes, node.lane + 1);
    if (node.parent === null) continue;
    edges.push({ node: id, fromX: node.parent, fromLane: at(node.parent)?.lane ?? node.lane, toLane: node.lane });
  }
  return { nodes, edges, lanes, missing };
}

/** The node above or below in the drawing: the one with the number nearest to it in the next lane that has any. */
export function besides(id: number, direction: 1 | -1, range: Range, at: (id: number) => NodeView | undefined): number | null {
  const lane = at(id)?.lane;
  if (lane === undefined) return null;
  let best: NodeView | null = null;
  for (let each = range.first; each < range.end; each++) {
    const node = at(each);
    if (node === undefined || (node.lane - lane) * direction <= 0) continue;
    const nearer = best === null || Math.abs(node.lane - lane) - Math.abs(best.lane - lane) || Math.abs(each - id) - Math.abs(best.id - id);
    if (nearer === true || (typeof nearer === "number" && nearer < 0)) best = node;
  }
  return best?.id ?? null;
}
