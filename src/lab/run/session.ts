import type { LearnerWorld } from "../../session/learnerWorld.ts";
import type { Outcome } from "../../session/outcome.ts";
import type { CommandTable } from "../../shell/table/commandTable.ts";

/** What a lab needs of the session that it is done in. */
export interface LabSession {
  readonly world: LearnerWorld;
  readonly table: CommandTable;
  readonly history: {
    readonly current: { readonly id: number };
    find(id: number): { readonly id: number; readonly parent: number | null; readonly command: string } | undefined;
  };
  /** called when a node was made, with the world as it is there; `process`: whose line it was */
  onNode: ((node: number, outcome: Outcome | null, process: string) => void) | null;
}
