/** What happened while one command ran, as checks count it: plain data, kept for each node of the history. */

export interface FaultRun {
  readonly event: "fault";
  readonly process: string;
  readonly first: number;
  readonly count: number;
  /** pages between two of them */
  readonly stride: number;
  readonly order: number;
  readonly write: boolean;
  readonly byKernel: boolean;
}

export interface FileWrite {
  readonly event: "write";
  readonly path: string;
  readonly value: string;
  readonly errno: string | null;
}

/** An operation or a call. */
export interface Command {
  readonly event: "command";
  readonly process: string;
  readonly name: string;
  readonly advice: string | null;
  /** pages that it was about; null: none, or an address that means nothing */
  readonly range: { readonly from: number; readonly to: number } | null;
  readonly errno: string | null;
}

/** THPs that were split, or blocks that were collapsed, as the counters of /proc/vmstat tell. */
export interface Counted {
  readonly event: "split" | "collapse";
  readonly what: "pmd" | "page" | null;
  readonly count: number;
}

export type Happening = FaultRun | FileWrite | Command | Counted;

/** What one command came to, for `result.*` of predictions. */
export interface CommandResult {
  readonly ret: string | null;
  readonly errno: string | null;
  readonly faults: number;
  /** address of the first fault, as the session prints it */
  readonly first: string | null;
  readonly accesses: number | null;
}

/** A command of the history with all that it did, in order. */
export interface NodeRecord {
  readonly happenings: readonly Happening[];
  readonly result: CommandResult;
}
