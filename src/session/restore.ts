import type { Message } from "../kernel/message.ts";
import { utf8Length } from "../shell/line/utf8.ts";
import type { RestoreDifference, SavedNode } from "./model.ts";
import { MOST_QUANTA_WATCHED } from "./pacer.ts";

export interface RestoreOutcome {
  /** on the path to the current node; others turn up when they are gone to */
  readonly differences: readonly RestoreDifference[];
  /** a sentence when not all could be taken as it was saved */
  readonly notice: string | null;
}

/**
 * The nodes up to the first that cannot be: numbers without gaps, parents before children, commands and counts within their limits. What was
 * saved may be damaged, or written by somebody else.
 */
export function checkSaved(saved: readonly SavedNode[], mostNodes: number, mostBytes: number): { good: readonly SavedNode[]; notice: Message | null } {
  const bad = saved.findIndex((node, i) => i >= mostNodes || !isPossible(node, i, mostBytes));
  if (bad < 0) return { good: saved, notice: null };
  const key = bad >= mostNodes ? "session.restore.tooLong" : "session.restore.badNode";
  return { good: saved.slice(0, bad), notice: { key, args: { id: bad, count: saved.length - bad } } };
}

function isPossible(node: SavedNode, id: number, mostBytes: number): boolean {
  if (typeof node !== "object" || node === null || node.node !== id) return false;
  const { parent, command, operationsDone, stateHash, digest } = node;
  const isPlaced = id === 0 ? parent === null : typeof parent === "number" && Number.isInteger(parent) && parent >= 0 && parent < id;
  const isCounted = operationsDone === null || (Number.isInteger(operationsDone) && operationsDone >= 0 && operationsDone <= MOST_QUANTA_WATCHED && id > 0);
  const isText = typeof command === "string" && command.length <= mostBytes && utf8Length(command) <= mostBytes;
  return isPlaced && isCounted && isText && isHash(stateHash) && isHash(digest);
}

const isHash = (text: unknown): boolean => typeof text === "string" && /^[0-9a-f]{1,128}$/.test(text);
