import type { LabEvent } from "../model.ts";

/** As much of a lab as progress needs; a Lab is one. */
export interface LabShape {
  readonly steps: readonly { readonly id: string }[];
  readonly checks: readonly { readonly id: string; readonly step: string }[];
  readonly predictions: readonly { readonly id: string; readonly step: string }[];
  /** by check: as many entries as its ladder has rungs */
  readonly hints: ReadonlyMap<string, readonly string[]>;
}

/** What was reached in an attempt: a fold over its events, which only grows. Events of a lab that has changed since are ignored where they fit nothing. */
export class Progress {
  readonly entered = new Set<string>();
  readonly passed = new Set<string>();
  readonly predicted = new Map<string, { readonly answer: string; readonly right: boolean }>();
  solutionShown = false;
  solved = false;
  readonly #lab: LabShape;
  readonly #rungs = new Map<string, number>();

  constructor(lab: LabShape, saved: readonly LabEvent[] = []) {
    this.#lab = lab;
    for (const event of saved) this.note(event);
  }

  note(event: LabEvent): void {
    switch (event.kind) {
      case "stepEntered":
        this.entered.add(event.step);
        return;
      case "checkPassed":
        this.passed.add(event.check);
        return;
      case "predicted":
        if (!this.predicted.has(event.prediction)) this.predicted.set(event.prediction, { answer: event.answer, right: event.right });
        return;
      case "hintShown":
        if (event.check !== null) this.#rungs.set(event.check, Math.max(this.#rungs.get(event.check) ?? 0, event.rung + 1));
        return;
      case "solutionShown":
        this.solutionShown = true;
        return;
      case "labSolved":
        this.solved = true;
        return;
    }
  }

  /** Rungs of a check's ladder that were shown. */
  hintsShown(check: string): number {
    return Math.min(this.#rungs.get(check) ?? 0, this.#lab.hints.get(check)?.length ?? 0);
  }

  /** Every check passed once, and every question was answered. */
  isComplete(): boolean {
    return this.#lab.checks.every(({ id }) => this.passed.has(id)) && this.#lab.predictions.every(({ id }) => this.predicted.has(id));
  }

  stepsDone(): number {
    return this.#lab.steps.filter((_, i) => this.isStepDone(i)).length;
  }

  isStepDone(index: number): boolean {
    const { steps, checks, predictions } = this.#lab;
    const { id } = steps[index];
    const own = checks.filter((check) => check.step === id);
    const asked = predictions.filter((prediction) => prediction.step === id);
    // a step that only tells something is done when the next one was opened, the last one when it was
    if (own.length + asked.length === 0)
      return index === steps.length - 1 ? this.entered.has(id) : steps.slice(index + 1).some((later) => this.entered.has(later.id));
    return own.every((check) => this.passed.has(check.id)) && asked.every((prediction) => this.predicted.has(prediction.id));
  }
}
