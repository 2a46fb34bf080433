import type { CheckDefinition, LabFile, PredictionDefinition } from "../schema.ts";

/** A pack that was read: what its files say, checked one by one. Whether the labs work is the linter's to prove. */

export interface Step {
  readonly id: string;
  readonly title: string;
  /** Markdown */
  readonly text: string;
  readonly file: string;
}

/** Lines of a learner: one a line, without comments and empty lines. */
export interface Route {
  readonly file: string;
  readonly lines: readonly string[];
  /** number of each line in the file, counted from 1 */
  readonly lineNumbers: readonly number[];
  /** of a decoy: the checks that it must not pass */
  readonly fails: readonly string[];
}

export interface Recording {
  readonly file: string;
  /** JSON text of a trace (conformance/GRAMMAR.md) */
  readonly text: string;
}

export interface Asset {
  readonly file: string;
  readonly type: "image/png" | "image/webp";
  readonly bytes: Uint8Array;
}

export interface Lab {
  readonly packId: string;
  readonly packTitle: string;
  readonly id: string;
  /** "labs/01-first-fault" */
  readonly folder: string;
  readonly definition: LabFile;
  readonly steps: readonly Step[];
  readonly checks: readonly CheckDefinition[];
  readonly predictions: readonly PredictionDefinition[];
  /** Markdown of the rungs, by check */
  readonly hints: ReadonlyMap<string, readonly string[]>;
  /** Markdown; null without closing.md */
  readonly closing: string | null;
  readonly solution: Route;
  readonly alternatives: readonly Route[];
  readonly decoys: readonly Route[];
  readonly recordings: readonly Recording[];
  readonly assets: readonly Asset[];
}

export interface Pack {
  readonly id: string;
  readonly title: string;
  readonly version: string;
  readonly language: string;
  readonly authors: readonly string[];
  readonly license: string;
  readonly description: string | null;
  /** ids of packs that are better done first */
  readonly after: readonly string[];
  readonly labs: readonly Lab[];
}
