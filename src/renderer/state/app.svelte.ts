/** The app: who uses it, which screen is shown, what has to be told. */
import type { Hello, LabApi, LabRow, LearnerView, Methods, Notice, Reply, SessionInfo, SessionView } from "../../host/api/labApi.ts";
import { say } from "../../i18n/format.ts";
import { Announcer } from "./announcer.svelte.ts";
import { Programs } from "./programs.svelte.ts";
import { forgetPlace, keepPlace, keptPlace } from "./place.ts";
import { Session } from "./session.svelte.ts";
import { Settings } from "./settings.svelte.ts";

export type Screen = "starting" | "unreachable" | "learners" | "home" | "programs" | "work";
export type DialogName = "palette" | "keys" | "fidelity" | "export" | "transcript" | "settings";

const NOTICES_MOST = 4;

export class App {
  readonly api: LabApi;
  readonly settings: Settings;
  readonly announcer = new Announcer();
  readonly programs: Programs;
  screen = $state<Screen>("starting");
  /** why the host cannot be reached; null: it can */
  unreachable = $state<string | null>(null);
  hello = $state.raw<Hello | null>(null);
  learner = $state.raw<LearnerView | null>(null);
  labs = $state.raw<readonly LabRow[]>([]);
  sessions = $state.raw<readonly SessionInfo[]>([]);
  session = $state.raw<Session | null>(null);
  notices = $state.raw<readonly Notice[]>([]);
  dialog = $state<DialogName | null>(null);
  /** a call that changes the screen is under way */
  waiting = $state(false);
  #noticeNumber = 0;

  constructor(api: LabApi) {
    this.api = api;
    this.settings = new Settings(api);
    this.programs = new Programs(api, this.announcer);
    api.on("notice", (notice) => {
      this.#addNotice(notice);
    });
    api.on("progress", ({ session, operationsDone }) => {
      if (session === this.session?.id) this.session.operationsDone = operationsDone;
    });
    api.on("restarted", ({ session, sentence, answer }) => {
      // in the terminal of the session that is shown; a session that is not shown is only told of
      if (session === this.session?.id) this.session.restarted(sentence, answer);
      else this.notify("warning", sentence);
    });
    api.on("disconnected", ({ sentence }) => {
      this.unreachable = sentence;
      if (sentence === null) void this.#recover();
      else this.announcer.say(sentence);
    });
  }

  /** Asks the host who is there; goes back to where this tab was. */
  async start(): Promise<void> {
    const reply = await this.api.invoke("hello", {});
    if (!reply.ok) {
      this.unreachable = reply.error.sentence;
      this.screen = "unreachable";
      return;
    }
    this.unreachable = null;
    this.hello = reply.result;
    for (const notice of reply.result.notices) this.#addNotice(notice);
    const place = keptPlace();
    const learner = reply.result.learners.find(({ id }) => id === place?.learner);
    if (learner === undefined || place === null) {
      this.screen = "learners";
      return;
    }
    await this.useLearner(learner);
    if (place.session !== null && this.sessions.some(({ session }) => session === place.session)) await this.resume(place.session);
  }

  notify(severity: Notice["severity"], text: string): void {
    this.#noticeNumber++;
    this.#addNotice({ id: `renderer-${this.#noticeNumber}`, severity, text });
  }

  dismiss(id: string): void {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }

  async createLearner(name: string): Promise<string | null> {
    const reply = await this.api.invoke("createLearner", { name });
    if (!reply.ok) return reply.error.sentence;
    if (this.hello !== null) this.hello = { ...this.hello, learners: [...this.hello.learners, reply.result] };
    await this.useLearner(reply.result);
    return null;
  }

  async useLearner(learner: LearnerView): Promise<void> {
    const reply = await this.#waitFor(this.api.invoke("useLearner", { learner: learner.id }));
    if (reply === null) return;
    this.learner = learner;
    this.labs = reply.labs;
    this.sessions = reply.sessions;
    this.settings.use(learner.id, reply.settings);
    keepPlace(learner.id, null);
    this.screen = "home";
  }

  changeLearner(): void {
    this.#closeSession();
    forgetPlace();
    this.learner = null;
    this.screen = "learners";
  }

  async openLab(lab: { readonly packId: string; readonly labId: string }, anew: boolean): Promise<void> {
    if (this.learner === null) return;
    const { packId, labId } = lab;
    this.#show(await this.#waitFor(this.api.invoke("openLab", { learner: this.learner.id, packId, labId, anew })));
  }

  async openSandbox(choice: Omit<Methods["openSandbox"]["params"], "learner">): Promise<void> {
    if (this.learner === null) return;
    this.#show(await this.#waitFor(this.api.invoke("openSandbox", { learner: this.learner.id, ...choice })));
  }

  /** Real programs; an open session is kept and can be resumed. */
  goPrograms(): void {
    this.#closeSession();
    this.screen = "programs";
  }

  /** A new sandbox in which these lines were carried out, one step each. */
  async openScript(lines: readonly string[]): Promise<void> {
    const profile = this.hello?.profiles.at(0)?.id;
    if (profile === undefined) return;
    await this.openSandbox({ profile, patches: [], config: [] });
    const { session } = this;
    if (session !== null) await session.runLines(lines);
  }

  async resume(session: number): Promise<void> {
    if (this.learner === null) return;
    this.#show(await this.#waitFor(this.api.invoke("resumeSession", { learner: this.learner.id, session })));
  }

  /** Back to the list of labs; the session is kept and can be resumed. */
  async goHome(): Promise<void> {
    this.#closeSession();
    if (this.learner === null) {
      this.screen = "learners";
      return;
    }
    this.screen = "home";
    await this.useLearner(this.learner);
  }

  async reload(): Promise<void> {
    await this.start();
  }

  #show(view: SessionView | null): void {
    if (view === null || this.learner === null) return;
    this.#closeSession();
    this.session = new Session(this.api, view, {
      notify: (severity, text) => {
        this.notify(severity, text);
      },
      leave: () => void this.goHome(),
      announcer: this.announcer,
    });
    keepPlace(this.learner.id, view.session);
    this.screen = "work";
    if (view.differences.length > 0) {
      const { node, command } = view.differences[0];
      this.notify("info", say("renderer.session.behavesOtherwise", { count: view.differences.length, step: node, command }));
    }
  }

  #closeSession(): void {
    if (this.session !== null) void this.api.invoke("closeSession", { session: this.session.id });
    this.session = null;
  }

  /** The host is back: it may be another process, which knows nothing of what was open. */
  async #recover(): Promise<void> {
    if (this.learner === null) {
      await this.start();
      return;
    }
    const { learner, session } = this;
    const hello = await this.api.invoke("hello", {});
    if (hello.ok) this.hello = hello.result;
    const used = await this.api.invoke("useLearner", { learner: learner.id });
    if (used.ok) {
      this.labs = used.result.labs;
      this.sessions = used.result.sessions;
    }
    if (session === null) return;
    const resumed = await this.api.invoke("resumeSession", { learner: learner.id, session: session.id });
    if (!resumed.ok) {
      this.notify("error", resumed.error.sentence);
      return;
    }
    const sentence = say("renderer.client.back");
    this.notify("info", sentence);
    session.reopened(resumed.result, sentence);
  }

  async #waitFor<R>(call: Promise<{ readonly ok: true; readonly result: R } | Extract<Reply<"hello">, { ok: false }>>): Promise<R | null> {
    this.waiting = true;
    const reply = await call;
    this.waiting = false;
    if (reply.ok) return reply.result;
    this.notify("error", reply.error.sentence);
    return null;
  }

  #addNotice(notice: Notice): void {
    // the same sentence twice says no more than once
    const others = this.notices.filter(({ id, text }) => id !== notice.id && text !== notice.text);
    this.notices = [...others, notice].slice(-NOTICES_MOST);
    this.announcer.say(notice.text);
  }
}
