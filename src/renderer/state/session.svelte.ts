/** The session on the screen: what the host said last, and what a learner can do with it. */
import type { Answer, CallError, LabApi, Method, Methods, Reply, SessionView } from "../../host/api/labApi.ts";
import type { LabView } from "../../lab/model.ts";
import type { NodeView, OutputPart as SessionPart, TimelineView } from "../../session/model.ts";
import { say } from "../../i18n/format.ts";
import type { LineOutcome, OutputPart, TerminalDriver } from "../terminal/driver.ts";
import type { Announcer } from "./announcer.svelte.ts";

/** entries of the transcript that are kept for reading */
const TRANSCRIPT_MOST = 2000;
const TIMELINE_WINDOW = 200;

export interface SessionEvents {
  /** something to tell the learner above the panes */
  notify(severity: "info" | "warning" | "error", text: string): void;
  leave(): void;
  announcer: Announcer;
}

type SessionMethod = { [M in Method]: Methods[M]["params"] extends { session: number } ? M : never }[Method];
type WithoutSession<M extends SessionMethod> = Omit<Methods[M]["params"], "session">;

export class Session {
  readonly #api: LabApi;
  readonly #events: SessionEvents;
  readonly id: number;
  readonly profile: SessionView["profile"];
  readonly patches: readonly string[];
  timeline = $state.raw<TimelineView>({ current: 0, count: 1, first: 0, nodes: [], back: null, forward: null, twin: [] });
  lab = $state.raw<LabView | null>(null);
  busy = $state(false);
  operationsDone = $state(0);
  /** changes whenever the machine may have: pictures ask anew */
  revision = $state(0);
  /** changes when nodes of the history came that were not known */
  nodesKnown = $state(0);
  solvedCard = $state(false);
  transcript = $state.raw<readonly OutputPart[]>([]);
  differences: SessionView["differences"];
  prompt: string;
  typed: readonly string[];
  terminal: TerminalDriver | null = null;
  readonly #nodes = new Map<number, NodeView>();
  /** what went wrong with the last line, as it was told: the answer and the event may both say it */
  #told: string | null = null;
  #moving = false;
  #nextMove: number | "back" | "forward" | null = null;

  constructor(api: LabApi, view: SessionView, events: SessionEvents) {
    this.#api = api;
    this.#events = events;
    this.id = view.session;
    this.profile = view.profile;
    this.patches = view.patches;
    this.prompt = view.prompt;
    this.typed = view.typed;
    this.differences = view.differences;
    this.lab = view.lab;
    this.transcript = transcriptOf(view);
    this.#takeTimeline(view.timeline);
  }

  /** A call about this session. */
  call<M extends SessionMethod>(method: M, params: WithoutSession<M>): Promise<Reply<M>> {
    return this.#api.invoke(method, { session: this.id, ...params });
  }

  node(id: number): NodeView | undefined {
    return this.#nodes.get(id);
  }

  async submit(line: string): Promise<LineOutcome> {
    this.operationsDone = 0;
    this.#told = null;
    this.#record([{ stream: "input", text: `${this.prompt}${line}\n` }]);
    const reply = await this.call("submit", { line });
    if (!reply.ok) return this.#failed(reply.error);
    const { step } = reply.result;
    this.#take(reply.result);
    this.#record(step.output);
    this.#announce(step.output);
    if (step.ended) this.#events.leave();
    return { parts: step.output, prompt: step.prompt, notRun: false };
  }

  /** A line that a picture runs for the learner; the terminal says which. What was wrong with it, or null. */
  async runFromPicture(line: string): Promise<string | null> {
    if (this.busy) {
      this.#events.announcer.say(say("renderer.timeline.busy"));
      return say("renderer.timeline.busy");
    }
    const { parts, prompt } = await this.submit(line);
    this.terminal?.say([{ stream: "note", text: `${say("renderer.picture.ran", { line })}\n` }], prompt ?? this.prompt);
    const errors = parts.filter(({ stream }) => stream === "error").map(({ text }) => text.trim());
    return errors.length === 0 ? null : errors.join(" ");
  }

  /** Lines that nobody typed, one after the other; ends where one cannot be carried out. The terminal is told of it in one sentence. */
  async runLines(lines: readonly string[]): Promise<void> {
    this.busy = true;
    let done = 0;
    let failure: string | null = null;
    for (const line of lines) {
      const reply = await this.call("submit", { line });
      if (!reply.ok) {
        failure = reply.error.sentence;
        break;
      }
      const { step, timeline, notSaved } = reply.result;
      // pictures are asked for once, at the end
      this.prompt = step.prompt;
      this.#takeTimeline(timeline);
      if (notSaved !== null) this.#events.notify("error", notSaved);
      this.#record([{ stream: "input", text: `${line}\n` }, ...step.output]);
      done++;
      if (step.mark !== "done") break;
    }
    this.busy = false;
    this.revision++;
    const text = failure === null ? say("renderer.programs.scriptRun", { done }) : say("renderer.programs.scriptFailed", { line: done + 1, sentence: failure });
    const part: OutputPart = { stream: "note", text: `${text}\n` };
    this.#record([part]);
    this.terminal?.say([part], this.prompt);
    this.#events.announcer.say(text);
  }

  /** A line that the engine broke down at was run, and the history marks it; any other one goes back to the learner. */
  #failed({ code, sentence }: CallError): LineOutcome {
    const notRun = code !== "engine";
    if (sentence === this.#told) return { parts: [], prompt: null, notRun };
    this.#told = sentence;
    const parts: OutputPart[] = [{ stream: "error", text: `${sentence}\n` }];
    this.#record(parts);
    this.#events.announcer.say(sentence);
    return { parts, prompt: null, notRun };
  }

  cancel(): void {
    void this.call("cancel", {});
  }

  async complete(text: string, cursor: number): Promise<Methods["complete"]["result"] | null> {
    const reply = await this.call("complete", { text, cursor });
    return reply.ok ? reply.result : null;
  }

  /** Goes to another state. While one move is under way only the newest of those that follow is kept. */
  async move(to: number | "back" | "forward"): Promise<void> {
    if (this.busy) {
      this.#events.announcer.say(say("renderer.timeline.busy"));
      return;
    }
    if (this.#moving) {
      this.#nextMove = to;
      return;
    }
    this.#moving = true;
    let target: number | "back" | "forward" | null = to;
    while (target !== null) {
      const reply: Reply<"move"> = await this.call("move", { to: target });
      if (reply.ok) this.#moved(reply.result);
      else this.#events.notify("warning", reply.error.sentence);
      target = this.#nextMove;
      this.#nextMove = null;
    }
    this.#moving = false;
  }

  /** Asks for nodes of the history that are not known yet, around a number. */
  async loadNodes(around: number): Promise<void> {
    const first = Math.max(0, around - TIMELINE_WINDOW / 2);
    const reply = await this.call("timeline", { first, count: TIMELINE_WINDOW });
    if (reply.ok) this.#learn(reply.result.nodes);
  }

  /** The lab as a call about it gave it back. */
  takeLab(reply: Reply<"hint" | "predict" | "showSolution" | "enterStep">): boolean {
    if (reply.ok) this.lab = reply.result;
    else this.#events.notify("warning", reply.error.sentence);
    return reply.ok;
  }

  /** The engine was started anew, or the host was: the session stands where `answer` says. */
  restarted(sentence: string, answer: Answer): void {
    this.#nodes.clear();
    this.#take(answer);
    if (sentence === this.#told) {
      this.terminal?.setPrompt(answer.step.prompt);
      return;
    }
    this.#told = sentence;
    const part: OutputPart = { stream: "note", text: `${sentence}\n` };
    this.#record([part]);
    this.terminal?.say([part], answer.step.prompt);
    this.#events.announcer.say(sentence);
  }

  /** The same session, opened again after the host was away. */
  reopened(view: SessionView, sentence: string): void {
    this.#nodes.clear();
    this.lab = view.lab;
    this.prompt = view.prompt;
    this.#takeTimeline(view.timeline);
    this.revision++;
    const part: OutputPart = { stream: "note", text: `${sentence}\n` };
    this.#record([part]);
    this.terminal?.say([part], view.prompt);
  }

  #take(answer: Answer): void {
    this.prompt = answer.step.prompt;
    this.lab = answer.lab;
    if (answer.solvedNow) this.solvedCard = true;
    if (answer.notSaved !== null) this.#events.notify("error", answer.notSaved);
    this.#takeTimeline(answer.timeline);
    this.revision++;
  }

  #moved(answer: Answer): void {
    this.#take(answer);
    this.terminal?.setPrompt(answer.step.prompt);
    const node = this.node(answer.step.current);
    const { current } = answer.step;
    this.#events.announcer.say(
      node === undefined || node.command === "" ? say("renderer.timeline.nowStart") : say("renderer.timeline.now", { step: current, command: node.command }),
    );
  }

  #takeTimeline(timeline: TimelineView): void {
    this.timeline = timeline;
    this.#learn(timeline.nodes);
  }

  #learn(nodes: readonly NodeView[]): void {
    for (const node of nodes) this.#nodes.set(node.id, node);
    this.nodesKnown++;
  }

  #record(parts: readonly OutputPart[]): void {
    this.transcript = [...this.transcript, ...parts].slice(-TRANSCRIPT_MOST);
  }

  #announce(output: readonly SessionPart[]): void {
    const text = output.map((part) => part.text).join("");
    this.#events.announcer.say(text.trim() === "" ? say("renderer.terminal.done") : text);
  }
}

function transcriptOf(view: SessionView): readonly OutputPart[] {
  return view.transcript.map(({ kind, text }) => {
    if (kind === "input") return { stream: "input", text: `${view.prompt}${text.replace(/\n$/, "")}\n` };
    return { stream: kind === "output" ? "out" : kind, text };
  });
}
