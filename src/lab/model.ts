/** What labs tell the front ends, as plain data: types only. Prose is Markdown without HTML, links and images of a pack only as the linter allows. */

/** How far what the lab shows is proved: replayed against a recorded kernel, taken from the documents, or simplified. */
export type LabBadge = "recorded" | "documents" | "simplified";

export interface LabInfo {
  readonly packId: string;
  readonly labId: string;
  readonly packTitle: string;
  readonly title: string;
  readonly summary: string;
  readonly minutes: number;
  readonly difficulty: "first" | "easy" | "medium" | "hard";
  readonly concepts: readonly string[];
  /** labIds */
  readonly prerequisites: readonly string[];
  readonly badge: LabBadge;
  /** what the badge rests on, one sentence */
  readonly badgeReason: string;
  readonly profile: string;
}

export interface CheckView {
  readonly id: string;
  readonly step: string;
  readonly objective: string;
  /** at the node where the learner stands */
  readonly passes: boolean;
  /** at any time in this attempt */
  readonly passed: boolean;
  /** what was found, where it says something */
  readonly actual: string | null;
  /** after a pass, or what is missing */
  readonly feedback: string | null;
  /** a mistake that was recognised, with its explanation */
  readonly mistake: string | null;
  /** hints shown so far, in order */
  readonly hints: readonly string[];
  readonly hintCount: number;
}

export interface PredictionView {
  readonly id: string;
  readonly step: string;
  readonly question: string;
  /** null: a number is asked for, with its unit */
  readonly choices: readonly { readonly id: string; readonly text: string }[] | null;
  readonly unit: string | null;
  readonly answer: string | null;
  /** null before the answer was revealed */
  readonly right: boolean | null;
  readonly explanation: string | null;
}

export interface LabStepView {
  readonly id: string;
  readonly title: string;
  /** Markdown */
  readonly text: string;
  readonly checks: readonly CheckView[];
  readonly predictions: readonly PredictionView[];
  readonly done: boolean;
}

export interface LabView {
  readonly info: LabInfo;
  readonly steps: readonly LabStepView[];
  /** id of the first step that is not done, or of the last one */
  readonly currentStep: string;
  readonly solved: boolean;
  /** the lines of the solution; null until they were asked for */
  readonly solution: readonly string[] | null;
  /** Markdown, shown when it is solved */
  readonly closing: string | null;
  readonly twin: readonly string[];
}

/** What happened that progress must remember; the service saves it. */
export type LabEvent =
  | { readonly kind: "stepEntered"; readonly step: string }
  | { readonly kind: "checkPassed"; readonly check: string; readonly node: number }
  | { readonly kind: "predicted"; readonly prediction: string; readonly answer: string; readonly right: boolean }
  | { readonly kind: "hintShown"; readonly check: string | null; readonly rung: number }
  | { readonly kind: "solutionShown" }
  | { readonly kind: "labSolved"; readonly node: number };
