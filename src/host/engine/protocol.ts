/** What the owner thread and the engine say to each other: plain data that survives a structured clone. Each call is answered once, in order. */
import type { CallError, FidelityView, ImportView, Method, Methods, ProgramInfo, ProgramView, SweepView } from "../api/labApi.ts";
import type { LabEvent, LabInfo } from "../../lab/model.ts";
import type { RestoreDifference, SavedNode } from "../../session/model.ts";

/** Places in the shared Int32Array of flags: how the two threads reach each other while the engine works. */
export const FLAG = {
  /** the call that is to stop; 0: none. Written by the service only */
  cancel: 0,
  /** grows while the engine is alive and working. Written by the engine only */
  heartbeat: 1,
} as const;
export const FLAG_COUNT = 2;

/** What a session is made from. */
export interface SessionPlan {
  readonly profile: string;
  readonly patches: readonly string[];
  /** kernel files that are set before the first line: path, value */
  readonly config: readonly (readonly [string, string])[];
  readonly lab: LabKey | null;
}

export interface LabKey {
  readonly packHash: string;
  readonly packId: string;
  readonly labId: string;
}

/** A session as it was saved, to be made again. */
export interface SavedSession {
  readonly nodes: readonly SavedNode[];
  readonly current: number;
  readonly events: readonly LabEvent[];
}

export interface SavedLine {
  readonly kind: "input" | "output" | "error" | "note";
  readonly text: string;
}

/** What must be saved before the front end is answered, as one step. */
export interface Step {
  /** the node that was made, or the number of the one where the learner stands */
  readonly node: SavedNode | number;
  readonly lines: readonly SavedLine[];
  readonly events: readonly LabEvent[];
}

/** A pack's files as they were read, not yet looked at. */
export interface PackSource {
  /** sha256 of the whole tree */
  readonly hash: string;
  /** how a person finds it: a path, or a name of ours */
  readonly place: string;
  readonly files: readonly (readonly [path: string, bytes: Uint8Array])[];
}

/** What the service must know of a pack to list it and to tell progress. */
export interface PackSummary {
  readonly hash: string;
  readonly packId: string;
  readonly version: string;
  readonly title: string;
  readonly labs: readonly LabSummary[];
}

export interface LabSummary {
  readonly info: LabInfo;
  readonly plan: SessionPlan;
  readonly isDeprecated: boolean;
  /** what has to happen in each step, for `Progress` of lab/run */
  readonly shape: {
    readonly steps: readonly { readonly id: string }[];
    readonly checks: readonly { readonly id: string; readonly step: string }[];
    readonly predictions: readonly { readonly id: string; readonly step: string }[];
    readonly hints: ReadonlyMap<string, readonly string[]>;
  };
}

export interface BadPack {
  readonly place: string;
  /** the first thing that is wrong, a finished sentence */
  readonly sentence: string;
}

/** Methods that the engine answers for a session that it has. */
export const ENGINE_METHODS = [
  "submit",
  "move",
  "complete",
  "timeline",
  "picture",
  "why",
  "diff",
  "compare",
  "exportSession",
  "predict",
  "hint",
  "showSolution",
  "enterStep",
] as const satisfies readonly Method[];

export type EngineMethod = (typeof ENGINE_METHODS)[number];
export type EngineResults = { readonly [M in EngineMethod]: Methods[M]["result"] };

/** A text that somebody brought, or that came with Hugelab. */
export interface ProgramText {
  readonly id: string;
  readonly text: string;
}

/** What is done with recorded programs. A sweep is one task for each replay, so that what a learner types comes in between. */
export type ProgramTask =
  | { readonly kind: "describe"; readonly programs: readonly ProgramText[] }
  | { readonly kind: "import"; readonly name: string; readonly text: string }
  | { readonly kind: "replay"; readonly text: string; readonly profile: string | null; readonly settings: string }
  | { readonly kind: "sweepBegin"; readonly text: string; readonly profile: string | null; readonly settings: readonly string[] }
  | { readonly kind: "sweepRun"; readonly job: number }
  | { readonly kind: "sweepEnd" };

/** The program of an id; null: the text is none. */
export type DescribedProgram = Omit<ProgramInfo, "id" | "source"> & { readonly id: string };

export type ImportedText =
  /** `text`: as it is kept */
  { readonly kind: "program"; readonly program: Omit<DescribedProgram, "id">; readonly text: string } | Extract<ImportView, { readonly kind: "script" }>;

export interface ProgramResults {
  readonly describe: readonly DescribedProgram[];
  readonly import: ImportedText;
  /** null: stopped */
  readonly replay: ProgramView | null;
  /** how many replays are to be done */
  readonly sweepBegin: { readonly jobs: number } | null;
  /** false: stopped */
  readonly sweepRun: boolean;
  readonly sweepEnd: SweepView;
}

/** Handles from here on are those of tasks, the others of sessions. */
export const TASK_HANDLES = 1 << 30;

/** `handle` is the service's number for a session in this engine; `id` the call's, growing. */
export type ToEngine =
  /** before anything else: what every session may use */
  | {
      readonly kind: "packs";
      readonly id: number;
      readonly packs: readonly PackSource[];
      readonly fidelity: FidelityView;
      readonly programs: readonly ProgramText[];
    }
  /** makes a session; `saved` null: a new one, whose setup lines are carried out */
  | { readonly kind: "open"; readonly id: number; readonly handle: number; readonly plan: SessionPlan; readonly saved: SavedSession | null }
  /** the worker died: in this line, which gets a node that says so, or in something else (null) */
  | { readonly kind: "markFailed"; readonly id: number; readonly handle: number; readonly line: string | null; readonly sentence: string }
  | { readonly kind: "view"; readonly id: number; readonly handle: number }
  | { readonly kind: "call"; readonly id: number; readonly handle: number; readonly method: EngineMethod; readonly params: unknown }
  | { readonly kind: "close"; readonly id: number; readonly handle: number }
  | { readonly kind: "program"; readonly id: number; readonly handle: number; readonly task: ProgramTask };

/** What an `open` is answered with. */
export interface Opened {
  readonly root: SavedNode;
  /** of the setup of a new session; of a saved one: what its lab notices anew */
  readonly steps: readonly Step[];
  readonly differences: readonly RestoreDifference[];
  /** a sentence when not all could be taken as it was saved */
  readonly notice: string | null;
}

export type FromEngine =
  | { readonly kind: "answer"; readonly id: number; readonly result: unknown; readonly step: Step | null; readonly report: string | null }
  | { readonly kind: "failed"; readonly id: number; readonly error: CallError; readonly report: string | null }
  | { readonly kind: "progress"; readonly handle: number; readonly operationsDone: number };
