import type { StepResult } from "../../session/model.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import { evaluateCheck, type CheckContext, type CheckOutcome } from "../check/evaluate.ts";
import type { LabEvent, LabView } from "../model.ts";
import type { Lab } from "../pack/pack.ts";
import { judge, rightAnswers, type Answer } from "./answers.ts";
import type { LabShell } from "./labShell.ts";
import { Progress } from "./progress.ts";
import type { LabSession } from "./session.ts";
import { LabTrack } from "./track.ts";
import { viewOf } from "./view.ts";

export interface LabRunOptions {
  readonly lab: Lab;
  /** fresh: setup lines and saved nodes are given to it after the run was made */
  readonly session: LabSession;
  readonly render: RenderMessage;
  /** the commands of the terminal that belong to a lab, where there is one */
  readonly shell?: LabShell;
  /** what takeEvents returned in earlier sittings of this attempt, in order */
  readonly saved?: readonly LabEvent[];
}

/** A lab that is being done: follows the session node by node, and knows what was reached in this attempt. */
export class LabRun {
  readonly lab: Lab;
  readonly render: RenderMessage;
  readonly #session: LabSession;
  readonly #track: LabTrack;
  readonly progress: Progress;
  #answers: ReadonlyMap<string, Answer> | null = null;
  #events: LabEvent[] = [];
  #found: { readonly node: number; readonly answered: number; readonly outcomes: ReadonlyMap<string, CheckOutcome> } | null = null;

  /** @throws Error when the session is not fresh, or is of a machine that the lab cannot be done on */
  constructor({ lab, session, render, shell, saved = [] }: LabRunOptions) {
    this.lab = lab;
    this.render = render;
    this.#session = session;
    this.progress = new Progress(lab, saved);
    this.#track = new LabTrack(lab, session, (node) => {
      this.#look(node);
    });
    if (this.progress.entered.size === 0) this.#happen({ kind: "stepEntered", step: lab.steps[0].id });
    shell?.bind(this);
  }

  /** To be called after each line and each move: looks at where the learner stands now. Returns what progress must remember, once. */
  after(_step: StepResult): readonly LabEvent[] {
    this.#look(this.#session.history.current.id);
    return this.takeEvents();
  }

  /** What happened since it was asked last; the caller saves it. */
  takeEvents(): readonly LabEvent[] {
    const taken = this.#events;
    this.#events = [];
    return taken;
  }

  view(): LabView {
    return viewOf({
      lab: this.lab,
      progress: this.progress,
      outcomes: this.outcomes(),
      begun: this.#session.history.current.id > this.#track.base,
      render: this.render,
    });
  }

  /** Each check where the learner stands, in the order of the lab. */
  outcomes(): ReadonlyMap<string, CheckOutcome> {
    return this.#outcomesAt(this.#session.history.current.id);
  }

  /** Each check at a node, which the world stands at. What was found there stays so until another question is answered. */
  #outcomesAt(node: number): ReadonlyMap<string, CheckOutcome> {
    const answered = this.progress.predicted.size;
    if (this.#found !== null && this.#found.node === node && this.#found.answered === answered) return this.#found.outcomes;
    const context = this.#context(node);
    const outcomes = new Map(this.lab.checks.map((check) => [check.id, evaluateCheck(check, context)]));
    this.#found = { node, answered, outcomes };
    return outcomes;
  }

  /** Answers a question; the first answer counts. False: there is no such question, or this is no answer to it. */
  predict(id: string, answer: string): boolean {
    const prediction = this.lab.predictions.find((each) => each.id === id);
    if (prediction === undefined) return false;
    if (this.progress.predicted.has(id)) return true;
    const right = judge(prediction, answer.slice(0, 100), this.rightAnswers().get(id) ?? null);
    if (right === null) return false;
    this.#happen({ kind: "predicted", prediction: id, answer: answer.trim().slice(0, 100), right });
    this.#look(this.#session.history.current.id);
    return true;
  }

  /** Shows one rung more of a check's ladder. False: there is none. */
  hint(checkId: string): boolean {
    const rung = this.progress.hintsShown(checkId);
    const rungs = this.lab.hints.get(checkId);
    if (rungs === undefined || rung >= rungs.length) return false;
    this.#happen({ kind: "hintShown", check: checkId, rung });
    return true;
  }

  showSolution(): void {
    if (!this.progress.solutionShown) this.#happen({ kind: "solutionShown" });
  }

  /** False: there is no such step. */
  enterStep(step: string): boolean {
    if (!this.lab.steps.some((each) => each.id === step)) return false;
    if (!this.progress.entered.has(step)) this.#happen({ kind: "stepEntered", step });
    return true;
  }

  /** Read off a run of the solution when they are first needed. */
  rightAnswers(): ReadonlyMap<string, Answer> {
    this.#answers ??= rightAnswers(this.lab, this.render);
    return this.#answers;
  }

  #context(node: number): CheckContext {
    const track = this.#track;
    return {
      read: (path, process) => track.read(path, node, process),
      readAtStart: (path, process) => track.readAtStart(path, process),
      reducer: track.reducer,
      progression: track.stateOf(node).progression,
      predicted: (id) => this.progress.predicted.get(id) ?? null,
    };
  }

  /** Notes checks that pass at a node, which the world stands at; what passed once stays passed. */
  #look(node: number): void {
    if (node < this.#track.base) return;
    for (const [id, outcome] of this.#outcomesAt(node)) {
      if (outcome.holds && !this.progress.passed.has(id)) this.#happen({ kind: "checkPassed", check: id, node });
    }
    if (!this.progress.solved && this.progress.isComplete()) this.#happen({ kind: "labSolved", node });
  }

  #happen(event: LabEvent): void {
    this.progress.note(event);
    this.#events.push(event);
  }
}
