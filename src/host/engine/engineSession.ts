import { findProfile } from "../../kernel/profile/profile.ts";
import type { LabEvent } from "../../lab/model.ts";
import type { Lab } from "../../lab/pack/pack.ts";
import { LabRun } from "../../lab/run/labRun.ts";
import { LabShell } from "../../lab/run/labShell.ts";
import type { StepResult } from "../../session/model.ts";
import { ShellSession, type SessionExtension } from "../../session/shellSession.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { Answer, Methods, SessionView } from "../api/labApi.ts";
import { CallRefusal } from "./callRefusal.ts";
import type { EngineMethod, EngineResults, Opened, SavedLine, SavedSession, SessionPlan, Step } from "./protocol.ts";
import type { WorkWatch } from "./workWatch.ts";

/** nodes of the timeline that come with every answer; a front end asks for others */
export const TIMELINE_NODES = 200;

export interface Answered {
  readonly result: unknown;
  /** what must be saved before the front end hears of it; null: nothing */
  readonly step: Step | null;
  /** what is kept when the simulator failed and the session went on without it */
  readonly report: string | null;
}

/** What the engine knows of a session's view; learner, number and transcript are the service's. */
export type EngineView = Pick<SessionView, "prompt" | "timeline" | "lab">;

interface Place {
  readonly render: RenderMessage;
  readonly watch: WorkWatch;
  /** what the host adds to the language of every session */
  readonly extra: readonly SessionExtension[];
}

type Params<M extends EngineMethod> = Methods[M]["params"];
type Handlers = { readonly [M in EngineMethod]: (params: Params<M>) => EngineResults[M] | Changed<EngineResults[M]> };

/** A result, and what has to be saved for it. */
class Changed<Result> {
  readonly result: Result;
  readonly step: Step;
  readonly report: string | null;

  constructor(result: Result, step: Step, report: string | null = null) {
    this.result = result;
    this.step = step;
    this.report = report;
  }
}

const unchanged = (result: unknown): Answered => ({ result, step: null, report: null });

/** One learner's session in the engine: the shell, and the lab that is done in it. */
export class EngineSession {
  readonly #session: ShellSession;
  readonly #lab: LabRun | null;

  private constructor(session: ShellSession, lab: LabRun | null) {
    this.#session = session;
    this.#lab = lab;
  }

  /** Makes a session, new or as it was saved. @throws CallRefusal for a profile that this version does not have */
  static open(
    plan: SessionPlan,
    lab: Lab | null,
    saved: SavedSession | null,
    { render, watch, extra }: Place,
  ): { readonly session: EngineSession; readonly opened: Opened } {
    const profile = findProfile(plan.profile);
    if (profile === undefined) throw new CallRefusal("notFound", "host.call.noProfile", { profile: plan.profile });
    const shell = lab === null ? null : new LabShell();
    const session = new ShellSession({
      boot: { profile, patches: plan.patches },
      render,
      config: plan.config,
      probe: watch,
      onProgress: watch.progress,
      extra: [...extra, ...(shell?.extra ?? [])],
    });
    const run = lab === null || shell === null ? null : new LabRun({ lab, session, shell, render, saved: saved?.events ?? [] });
    const opening = new EngineSession(session, run);
    const restored = saved === null ? { differences: [], notice: null } : session.restore(saved.nodes, saved.current);
    const steps = saved === null ? opening.#setUp(lab?.definition.setup ?? []) : opening.#noticed();
    return { session: opening, opened: { root: session.savedNode(0), steps, ...restored } };
  }

  #setUp(lines: readonly string[]): readonly Step[] {
    const steps = lines.map((line) => this.#stepOf(line, this.#session.submit(line)));
    return [...steps, ...this.#noticed()];
  }

  /** What the lab noticed by itself: that its first step was entered, or that a check passes which did not in the version that was saved. */
  #noticed(): readonly Step[] {
    const events = this.#lab?.takeEvents() ?? [];
    return events.length === 0 ? [] : [{ node: this.#session.history.current.id, lines: [], events }];
  }

  view(): EngineView {
    return { prompt: this.#session.prompt(), timeline: this.#timelineHere(), lab: this.#lab?.view() ?? null };
  }

  /** The worker died: in this line, which gets a node that says so and is not done again; or in something else (null). */
  markFailed(line: string | null, sentence: string): Answered {
    const step = line === null ? this.#session.move(this.#session.history.current.id) : this.#session.markFailed(line);
    const said: StepResult = { ...step, output: [{ stream: "error", text: `${sentence}\n` }] };
    const saved = this.#stepOf(line, said);
    return { result: this.#answerOf(said, saved.events), step: saved, report: null };
  }

  /** `params` has passed the checks of host/api/params.ts. */
  call(method: EngineMethod, params: unknown): Answered {
    const handler = this.#handlers[method] as (params: unknown) => unknown;
    const result = handler(params);
    return result instanceof Changed ? result : unchanged(result);
  }

  readonly #handlers: Handlers = {
    submit: ({ line }) => {
      const step = this.#session.submit(line);
      return this.#changed(step, this.#stepOf(line, step));
    },
    move: ({ to }) => {
      const step = this.#session.move(to);
      return this.#changed(step, this.#stepOf(null, step));
    },
    complete: ({ text, cursor }) => this.#session.complete(text, cursor),
    timeline: ({ first, count }) => this.#session.timeline(first, count),
    picture: ({ request }) => this.#session.picture(request),
    why: ({ words }) => this.#session.why(words),
    diff: ({ from, to }) => this.#session.diff(from, to),
    compare: ({ other }) => this.#session.compare(other),
    exportSession: ({ form }) => this.#session.exportAs(form),
    predict: ({ prediction, answer }) => this.#labStep((lab) => lab.predict(prediction, answer), "host.call.badAnswer"),
    hint: ({ check }) => this.#labStep((lab) => lab.hint(check), "host.call.noHint"),
    showSolution: () =>
      this.#labStep((lab) => {
        lab.showSolution();
        return true;
      }, "host.call.noLabHere"),
    enterStep: ({ step }) => this.#labStep((lab) => lab.enterStep(step), "host.call.noStep"),
  };

  /** `refusal`: key of the sentence for when the lab has no such thing. */
  #labStep(act: (lab: LabRun) => boolean, refusal: string): Changed<EngineResults["hint"]> {
    const lab = this.#lab;
    if (lab === null) throw new CallRefusal("refused", "host.call.noLabHere");
    if (!act(lab)) throw new CallRefusal("refused", refusal);
    return new Changed(lab.view(), { node: this.#session.history.current.id, lines: [], events: lab.takeEvents() });
  }

  #changed(result: StepResult, step: Step): Changed<Answer> {
    const report = result.mark === "bug" ? result.output.map((part) => part.text).join("") : null;
    return new Changed(this.#answerOf(result, step.events), step, report);
  }

  #answerOf(step: StepResult, events: readonly LabEvent[]): Answer {
    const solvedNow = events.some(({ kind }) => kind === "labSolved");
    return { step, timeline: this.#timelineHere(), lab: this.#lab?.view() ?? null, solvedNow, notSaved: null };
  }

  /** What is saved of a line, or of a move (`line` null). */
  #stepOf(line: string | null, result: StepResult): Step {
    const output = result.output.map(({ stream, text }): SavedLine => ({ kind: stream === "out" ? "output" : stream, text }));
    const input: SavedLine[] = line === null ? [] : [{ kind: "input", text: line }];
    const node = result.made === null ? result.current : this.#session.savedNode(result.made);
    return { node, lines: [...input, ...output], events: this.#lab?.after(result) ?? [] };
  }

  #timelineHere(): Answer["timeline"] {
    const { history } = this.#session;
    const first = Math.max(0, Math.min(history.current.id - TIMELINE_NODES / 2, history.all().length - TIMELINE_NODES));
    return this.#session.timeline(first, TIMELINE_NODES);
  }
}
