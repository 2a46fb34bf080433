/** What a session tells the front ends, as plain data: types only. Texts are finished sentences, with their newlines where they are output. */

/** `cancelled`: the learner stopped it, it did part of its work; `bug`: the simulator failed and its work was thrown away. */
export type NodeMark = "done" | "cancelled" | "bug";

export interface OutputPart {
  /** `out`: what a tool printed; `note`: what the session says about a command; `error`: what was wrong with the line */
  readonly stream: "out" | "note" | "error";
  readonly text: string;
}

export interface NodeView {
  readonly id: number;
  readonly parent: number | null;
  readonly command: string;
  readonly mark: NodeMark;
  /** column in a drawing of the tree: 0 is the first branch */
  readonly lane: number;
}

/** A window of the history, by number of the node. */
export interface TimelineView {
  readonly current: number;
  readonly count: number;
  readonly first: number;
  readonly nodes: readonly NodeView[];
  /** where undo and redo lead; null at the end */
  readonly back: number | null;
  readonly forward: number | null;
  readonly twin: readonly string[];
}

/** What a line, or a move in the history, came to. */
export interface StepResult {
  readonly output: readonly OutputPart[];
  readonly prompt: string;
  readonly current: number;
  /** the node that the line made; null when it made none */
  readonly made: number | null;
  readonly mark: NodeMark;
  /** of a cancelled command: how many operations were done; null: it ran to its end; 0: the simulator failed in it (mark "bug") */
  readonly operationsDone: number | null;
  /** hexadecimal, of the state after it */
  readonly stateHash: string;
  /** hexadecimal, of what the learner saw */
  readonly digest: string;
  /** the learner asked to leave */
  readonly ended: boolean;
}

/** A node as it is saved, and as a saved session is given back. */
export interface SavedNode {
  readonly node: number;
  readonly parent: number | null;
  readonly command: string;
  readonly operationsDone: number | null;
  readonly behaviour: string;
  readonly stateHash: string;
  readonly digest: string;
}

/** Why a restored session is not what was saved: a newer simulator gives another state at this node, or shows something else. */
export interface RestoreDifference {
  readonly node: number;
  /** `state`: the hashes are those of the state; `seen`: the state is the same, and they are the digests of what the learner saw */
  readonly what: "state" | "seen";
  readonly command: string;
  readonly savedHash: string;
  readonly hash: string;
}

export interface DiffRow {
  /** what differs: "vmstat thp_fault_alloc", "VMA 0x...", "pte 0x..." */
  readonly subject: string;
  readonly before: string;
  readonly after: string;
  readonly why: string | null;
}

export interface DiffView {
  readonly from: number;
  readonly to: number;
  readonly groups: readonly { readonly title: string; readonly rows: readonly DiffRow[]; readonly more: number }[];
  readonly twin: readonly string[];
}

/** One link of a chain of causes; `words` continue it: what to put behind `why`. */
export interface WhyLink {
  readonly text: string;
  /** how far in it stands: 0 the outcome, deeper the cause of the one before */
  readonly depth: number;
  readonly symbol: string | null;
  /** the node whose command did it */
  readonly node: number | null;
  readonly command: string | null;
  readonly words: string | null;
}

export interface WhyView {
  readonly question: string;
  readonly links: readonly WhyLink[];
  /** a sentence when there is no answer */
  readonly error: string | null;
  readonly twin: readonly string[];
}

export type ExportForm = "script" | "strace" | "c";

/** What the second machine of a comparison has that is different. */
export interface CompareChoice {
  readonly profile: string;
  readonly patches: readonly string[];
  /** kernel files set before the first command: [path, value] */
  readonly config: readonly (readonly [string, string])[];
}

export interface CompareRow {
  readonly command: string;
  readonly left: readonly string[];
  readonly right: readonly string[];
  readonly differs: boolean;
}

export interface CompareView {
  readonly leftTitle: string;
  readonly rightTitle: string;
  readonly rows: readonly CompareRow[];
  /** index in rows; null: none */
  readonly firstDifference: number | null;
  /** counters and settings that differ at the end */
  readonly summary: readonly DiffRow[];
  readonly error: string | null;
  readonly twin: readonly string[];
}
