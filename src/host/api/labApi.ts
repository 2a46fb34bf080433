/** The typed contract with every front end: what can be asked (methods), what is told unasked (events), and the carrier's interface. */
import type { ProgramReport, SweepColumn, SweepValues } from "../../conform/model.ts";
import type { LabInfo, LabView } from "../../lab/model.ts";
import type { Picture, PictureRequest } from "../../observe/picture/model.ts";
import type {
  CompareChoice,
  CompareView,
  DiffView,
  ExportForm,
  OutputPart,
  RestoreDifference,
  StepResult,
  TimelineView,
  WhyView,
} from "../../session/model.ts";
import type { Candidate } from "../../shell/line/state.ts";

export type HostKind = "electron" | "browser";

export interface LearnerView {
  readonly id: number;
  readonly name: string;
}

export interface ProfileView {
  readonly id: string;
  readonly title: string;
  readonly memoryMiB: number;
  /** recorded on a real kernel, or from documents */
  readonly badge: "recorded" | "documents";
}

export interface ToggleView {
  readonly id: string;
  readonly title: string;
  readonly symbols: readonly string[];
  readonly document: string;
  /** by profile id: is it on there without being asked for */
  readonly onIn: readonly string[];
}

/** Something that a learner must be told: a sentence, and whether there is a way on. */
export interface Notice {
  readonly id: string;
  readonly severity: "info" | "warning" | "error";
  readonly text: string;
}

export interface Hello {
  readonly host: HostKind;
  readonly version: string;
  readonly behaviour: string;
  readonly learners: readonly LearnerView[];
  /** who used the lab last; null: nobody yet */
  readonly lastLearner: number | null;
  readonly profiles: readonly ProfileView[];
  readonly toggles: readonly ToggleView[];
  readonly notices: readonly Notice[];
  /** false: nothing is saved (no database can be opened); a notice says why */
  readonly saving: boolean;
}

export interface SessionInfo {
  readonly session: number;
  readonly profile: string;
  readonly lab: { readonly packId: string; readonly labId: string; readonly title: string } | null;
  readonly commands: number;
  readonly changedMs: number;
}

/** All that a front end needs to show a session that was opened or resumed. */
export interface SessionView {
  readonly session: number;
  readonly profile: ProfileView;
  readonly patches: readonly string[];
  readonly prompt: string;
  readonly timeline: TimelineView;
  readonly lab: LabView | null;
  /** the newest lines of the transcript, to be written to the terminal again */
  readonly transcript: readonly { readonly kind: "input" | "output" | "error" | "note"; readonly text: string }[];
  /** lines typed in earlier sessions of this learner, oldest first */
  readonly typed: readonly string[];
  readonly resumed: boolean;
  /** where a newer simulator gives another state than was saved */
  readonly differences: readonly RestoreDifference[];
}

/** What a line did, and what follows from it on the screen. */
export interface Answer {
  readonly step: StepResult;
  readonly timeline: TimelineView;
  readonly lab: LabView | null;
  /** the lab was solved by this line */
  readonly solvedNow: boolean;
  /** null: saved; a sentence when it could not be */
  readonly notSaved: string | null;
}

export interface LabRow extends LabInfo {
  readonly solved: "unaided" | "assisted" | null;
  readonly started: boolean;
  readonly stepsDone: number;
  readonly stepCount: number;
  /** titles of prerequisites that are not solved yet; a lab can be opened all the same */
  readonly missing: readonly string[];
}

export interface FidelityRow {
  readonly area: string;
  readonly release: string;
  readonly traces: number;
  readonly observations: number;
  readonly agreeing: number;
  readonly listed: number;
}

export interface FidelityView {
  readonly rows: readonly FidelityRow[];
  readonly deviations: readonly {
    readonly trace: string;
    readonly operation: string;
    readonly field: string;
    readonly recorded: string;
    readonly ours: string;
    readonly symbol: string;
    readonly reason: string;
  }[];
  /** when and by which version this was measured */
  readonly measured: string;
  readonly twin: readonly string[];
}

/** A recorded program that can be replayed. */
export interface ProgramInfo {
  readonly id: string;
  readonly name: string;
  readonly what: string;
  readonly kernel: string;
  readonly thpEnabled: string;
  readonly faults: number;
  /** came with Hugelab, or was imported here */
  readonly source: "shipped" | "imported";
}

/** A replay of a program against its recording, with finished sentences. */
export interface ProgramView extends Omit<ProgramReport, "kinds" | "differences"> {
  readonly kinds: readonly { readonly what: string; readonly count: number; readonly example: string }[];
  readonly differences: readonly { readonly event: number; readonly what: string; readonly reason: string }[];
  readonly twin: readonly string[];
}

export interface SweepFallbackView {
  /** size of the folio that was refused */
  readonly size: string;
  readonly faults: number;
  readonly blocks: number;
  readonly rule: string;
  /** the first one: where, and what made it so */
  readonly example: string;
}

export interface SweepRowView {
  readonly label: string;
  readonly profile: string;
  readonly isBaseline: boolean;
  /** a sentence when the machine does not take the setting */
  readonly refused: string | null;
  /** by column; null: refused, or not replayed */
  readonly values: readonly (SweepValues | null)[];
  readonly fallbacks: readonly SweepFallbackView[];
}

export interface SweepView {
  readonly title: string;
  readonly columns: readonly (SweepColumn & { readonly title: string })[];
  readonly rows: readonly SweepRowView[];
  readonly notes: readonly string[];
  /** rows that were not replayed since it was stopped */
  readonly missing: number;
  readonly twin: readonly string[];
}

/** What an imported text turned out to be. */
export type ImportView =
  | { readonly kind: "program"; readonly program: ProgramInfo; readonly kept: string | null }
  | {
      readonly kind: "script";
      readonly form: "maps" | "smaps";
      readonly mappings: number;
      readonly lines: readonly string[];
      /** what the dump does not say */
      readonly unknown: readonly string[];
    };

/** Setting names and shapes are in params.ts. */
export type SettingValue = string | number | boolean | readonly (string | number)[] | { readonly [name: string]: string | number | boolean };

/** Each method: the parameters (checked by params.ts before anything sees them) and the result. */
export interface Methods {
  hello: { params: Record<string, never>; result: Hello };
  createLearner: { params: { name: string }; result: LearnerView };
  useLearner: { params: { learner: number }; result: { settings: Record<string, SettingValue>; sessions: readonly SessionInfo[]; labs: readonly LabRow[] } };
  setSetting: { params: { learner: number; name: string; value: SettingValue }; result: Record<string, never> };
  listLabs: { params: { learner: number }; result: readonly LabRow[] };
  /** resumes the attempt where it was left, or begins one; `anew` begins another one */
  openLab: { params: { learner: number; packId: string; labId: string; anew: boolean }; result: SessionView };
  openSandbox: {
    params: { learner: number; profile: string; patches: readonly string[]; config: readonly (readonly [string, string])[] };
    result: SessionView;
  };
  resumeSession: { params: { learner: number; session: number }; result: SessionView };
  closeSession: { params: { session: number }; result: Record<string, never> };
  submit: { params: { session: number; line: string }; result: Answer };
  /** stops the command that runs; harmless when none does */
  cancel: { params: { session: number }; result: Record<string, never> };
  move: { params: { session: number; to: number | "back" | "forward" }; result: Answer };
  complete: { params: { session: number; text: string; cursor: number }; result: { start: number; end: number; candidates: readonly Candidate[] } };
  timeline: { params: { session: number; first: number; count: number }; result: TimelineView };
  picture: { params: { session: number; request: PictureRequest }; result: Picture };
  why: { params: { session: number; words: string }; result: WhyView };
  diff: { params: { session: number; from: number; to: number }; result: DiffView };
  compare: { params: { session: number; other: CompareChoice }; result: CompareView };
  exportSession: { params: { session: number; form: ExportForm }; result: { fileName: string; text: string } };
  predict: { params: { session: number; prediction: string; answer: string }; result: LabView };
  hint: { params: { session: number; check: string }; result: LabView };
  showSolution: { params: { session: number }; result: LabView };
  enterStep: { params: { session: number; step: string }; result: LabView };
  fidelity: { params: Record<string, never>; result: FidelityView };
  listPrograms: { params: Record<string, never>; result: readonly ProgramInfo[] };
  /** A text in parts, in order, of one upload; the last part is answered with what it was, the others with null. */
  importPart: { params: { upload: string; name: string; text: string; part: number; isLast: boolean }; result: ImportView | null };
  forgetProgram: { params: { program: string }; result: readonly ProgramInfo[] };
  /** `profile` null: that of the recording's kernel */
  replayProgram: { params: { program: string; profile: string | null; settings: string }; result: ProgramView };
  /** `settings` empty: those that are worth a look */
  sweepProgram: { params: { program: string; profile: string | null; settings: readonly string[] }; result: SweepView };
  /** stops the replay or sweep that runs: a sweep answers with the rows that were done */
  stopWork: { params: Record<string, never>; result: Record<string, never> };
}

export interface Events {
  /** a command is still running; at most ten a second */
  progress: { readonly session: number; readonly operationsDone: number };
  /** a replay (events) or a sweep (replays) goes on; at most ten a second */
  work: { readonly done: number; readonly total: number };
  /** the engine died and was started anew; the session stands at `answer.step.current` again, the line that killed it is marked */
  restarted: { readonly session: number; readonly sentence: string; readonly answer: Answer };
  notice: Notice;
  /** the carrier lost the host; null: it is back */
  disconnected: { readonly sentence: string | null };
}

export type Method = keyof Methods;
export type EventName = keyof Events;

/** Why a call failed, as a value: one sentence, and whether trying again can help. */
export interface CallError {
  readonly code: "badCall" | "notFound" | "refused" | "storage" | "engine" | "busy" | "gone";
  readonly sentence: string;
}

export type Reply<M extends Method> = { readonly ok: true; readonly result: Methods[M]["result"] } | { readonly ok: false; readonly error: CallError };

/** What the renderer is given: preload makes one over IPC, the browser client one over WebSocket. Never rejects. */
export interface LabApi {
  readonly host: HostKind;
  invoke<M extends Method>(method: M, params: Methods[M]["params"]): Promise<Reply<M>>;
  /** returns how to stop listening */
  on<E extends EventName>(event: E, listener: (payload: Events[E]) => void): () => void;
}

export type { OutputPart };
