import { say } from "../../i18n/format.ts";
import type { Answer, Events, SessionInfo, SessionView } from "../api/labApi.ts";
import type { EngineView } from "../engine/engineSession.ts";
import type { EngineMethod, LabSummary, Opened, SessionPlan } from "../engine/protocol.ts";
import { countNodes, listSessions, readSession, readTypedLines, type SessionRecord } from "../../storage/sessions.ts";
import { LIMITS } from "../../storage/limits.ts";
import { CallFailure } from "./callFailure.ts";
import type { EngineThread, ThreadReply } from "./engineThread.ts";
import type { Keeper } from "./keeper.ts";
import type { LearnerEntry } from "./learnerList.ts";
import { OpenSession } from "./openSession.ts";
import { profileView } from "./profiles.ts";
import { labOf, readSaved } from "./savedSessions.ts";
import type { Saver } from "./saver.ts";
import type { Supervisor } from "./supervisor.ts";

/** calls that may wait for the engine */
const WAITING_MAX = 256;
/** sessions that a learner is shown */
const SESSIONS_SHOWN = 100;
/** lines typed earlier that a front end is given */
const TYPED_LINES = 1000;
/** sessions that an engine keeps open; the one that was used longest ago is made again when it is needed */
const SESSIONS_IN_ENGINE = 4;
/** Front ends call a session by its row in the database, or by a number from OWN_NUMBERS on; each further database begins at a multiple of SPAN. */
const SPAN = 10_000_000_000;
const OWN_NUMBERS = 5_000_000_000;

export interface DeskOptions {
  readonly keeper: Keeper;
  readonly saver: Saver;
  readonly supervisor: Supervisor;
  readonly nowMs: () => number;
  readonly emit: <E extends keyof Events>(event: E, payload: Events[E]) => void;
  readonly labOf: (packId: string, labId: string) => LabSummary | undefined;
  /** keeps a report; `session` is where it happened */
  readonly report: (what: { readonly why: string; readonly method: string; readonly session: OpenSession }) => void;
}

/** The sessions of this process: opened, resumed, asked, saved, and made again when the engine that had them is gone. */
export class SessionDesk {
  readonly #o: DeskOptions;
  readonly #sessions = new Map<number, OpenSession>();
  #lastHandle = 0;
  #lastNumber = OWN_NUMBERS;

  constructor(options: DeskOptions) {
    this.#o = options;
  }

  // --- opening

  /** Begins a session. @throws CallFailure */
  async begin(learner: LearnerEntry, plan: SessionPlan, lab: LabSummary | null): Promise<SessionView> {
    const { keeper, nowMs, saver } = this.#o;
    const session = new OpenSession(learner, plan, lab, nowMs());
    await this.#load(session);
    const notSaved = saver.flush(session);
    // that nothing is saved at all was told already
    if (keeper.saving) session.notice = notSaved;
    this.#name(session);
    return this.view(session, false);
  }

  /** Opens a session as it was left. @throws CallFailure, StorageError, StorageRefusal */
  async resume(learner: LearnerEntry, number: number): Promise<SessionView> {
    const session = this.#sessions.get(number) ?? this.#read(learner, number);
    if (session.learner !== learner) throw new CallFailure("notFound", say("host.call.noSession"));
    return this.view(session, true);
  }

  /** The session of an attempt, if it can be gone on with. @throws StorageError, StorageRefusal */
  numberOf(record: Pick<SessionRecord, "session">): number {
    const { epoch } = this.#o.keeper;
    for (const [number, { saved }] of this.#sessions) if (saved?.epoch === epoch && saved.key.session === record.session) return number;
    return epoch * SPAN + record.session;
  }

  /** What a learner could go on with, newest first. @throws StorageError, StorageRefusal */
  list(learner: LearnerEntry): readonly SessionInfo[] {
    return this.#o.keeper.read((db) =>
      listSessions(db, learner.id, SESSIONS_SHOWN).map((record) => {
        const key = record.attempt === null ? null : labOf(db, { learner: learner.id, attempt: record.attempt });
        const lab = key === null ? null : { packId: key.packId, labId: key.labId, title: this.#o.labOf(key.packId, key.labId)?.info.title ?? key.labId };
        return {
          session: this.numberOf(record),
          profile: record.profile,
          lab,
          commands: countNodes(db, { learner: learner.id, session: record.session }) - 1,
          changedMs: record.changedMs,
        };
      }),
    );
  }

  /** @throws CallFailure */
  find(number: number): OpenSession {
    const session = this.#sessions.get(number);
    if (session === undefined) throw new CallFailure("notFound", say("host.call.noSession"));
    return session;
  }

  /** The engine need not keep it; a later call makes it again. */
  async close(number: number): Promise<void> {
    const session = this.#sessions.get(number);
    if (session !== undefined) await this.#unload(session);
  }

  /** Saves what could not be saved before. */
  flushAll(): void {
    for (const session of this.#sessions.values()) this.#o.saver.flush(session);
  }

  /** Stops what runs for the session, at once. */
  cancel(number: number): void {
    const place = this.#sessions.get(number)?.place;
    if (place !== null && place !== undefined) place.thread.cancel(place.handle);
  }

  /** @returns the session's number for an engine's one, for events */
  numberOfHandle(handle: number): number | null {
    for (const session of this.#sessions.values()) if (session.place?.handle === handle) return session.number;
    return null;
  }

  async view(session: OpenSession, resumed: boolean): Promise<SessionView> {
    const opened = await this.#load(session);
    const view = (await this.#request(session, { kind: "view" }, "view", null)) as EngineView;
    const { notice } = session;
    session.notice = null;
    if (notice !== null) this.#o.emit("notice", { id: `session:${session.number}`, severity: "warning", text: notice });
    return {
      ...view,
      session: session.number,
      profile: profileView(session.plan.profile),
      patches: session.plan.patches,
      transcript: session.transcript(),
      typed: this.#typed(session.learner),
      resumed,
      differences: opened?.differences ?? [],
    };
  }

  // --- asking

  /** Asks the engine, and saves before the answer goes out. @throws CallFailure */
  async call(session: OpenSession, method: EngineMethod, params: unknown, line: string | null): Promise<unknown> {
    if (this.#o.supervisor.waiting >= WAITING_MAX) throw new CallFailure("busy", say("host.call.busy"));
    const actual = line === null ? 0 : Buffer.byteLength(line);
    if (actual > LIMITS.commandBytesMax) throw new CallFailure("refused", say("host.call.lineTooLong", { actual, most: LIMITS.commandBytesMax }));
    return this.#request(session, { kind: "call", method, params }, method, line);
  }

  async #request(session: OpenSession, request: EngineRequest, method: string, line: string | null): Promise<unknown> {
    for (;;) {
      await this.#load(session);
      const { place } = session;
      if (place === null) throw new CallFailure("gone", say("host.call.closed"));
      const reply = await place.thread.ask({ ...request, handle: place.handle });
      if (reply.kind === "answer") return this.#answered(session, reply, method);
      if (reply.kind === "failed") throw this.#failed(session, reply, method);
      if (reply.wasRunning) throw await this.#died(session, reply.why, method, line);
      // another call was what it died of: this one is asked again
    }
  }

  #answered(session: OpenSession, { result, step, report }: Extract<ThreadReply, { kind: "answer" }>, method: string): unknown {
    this.#o.supervisor.succeeded();
    if (report !== null) this.#o.report({ why: report, method, session });
    if (step === null) return result;
    session.add(step, this.#o.nowMs());
    const notSaved = this.#o.saver.flush(session);
    if (isAnswer(result)) return { ...result, notSaved };
    // what a lab answers with has no place for it
    if (notSaved !== null) this.#o.emit("notice", { id: "save", severity: "error", text: notSaved });
    return result;
  }

  #failed(session: OpenSession, { error, report }: Extract<ThreadReply, { kind: "failed" }>, method: string): CallFailure {
    if (report !== null) this.#o.report({ why: report, method, session });
    // the engine has dropped the session where it failed; the next call makes it again
    if (error.code === "engine") session.place = null;
    return new CallFailure(error.code, error.sentence);
  }

  /** The engine died of this call: a new one gets the session as it was saved, with the line marked, and the front ends are told. */
  async #died(session: OpenSession, why: string, method: string, line: string | null): Promise<CallFailure> {
    if (why === "closed") return new CallFailure("gone", say("host.call.closed"));
    this.#o.report({ why, method, session });
    const sentence = line === null ? say("host.engine.diedIdle") : say("host.engine.died", { line: shortLine(line) });
    const answer = (await this.#request(session, { kind: "markFailed", line, sentence }, "markFailed", null)) as Answer;
    this.#o.emit("restarted", { session: session.number, sentence, answer });
    return new CallFailure("engine", sentence);
  }

  // --- the engine's copy

  /** Sees to it that the living engine has the session. Calls that come meanwhile wait for the same, in their order. */
  async #load(session: OpenSession): Promise<Opened | null> {
    for (;;) {
      const thread = await this.#o.supervisor.living();
      if (session.place?.thread === thread) {
        await session.loading;
        // it is not there when making it failed: tried again, this call finds out why
        if (session.place?.thread === thread) return null;
        continue;
      }
      if (session.killsEngine) throw new CallFailure("engine", say("host.engine.notRestored"));
      const making = this.#make(session, thread);
      session.loading = making.then(
        () => undefined,
        () => undefined,
      );
      const opened = await making;
      if (opened !== null) return opened;
    }
  }

  /** Up to the first `await` nothing may come between: others see by `place` that it is being made. Null: the engine died of something else. */
  async #make(session: OpenSession, thread: EngineThread): Promise<Opened | null> {
    this.#makeRoom(session);
    const handle = ++this.#lastHandle;
    session.place = { thread, handle };
    const isNew = session.nodes.length === 0;
    const reply = await thread.ask({ kind: "open", handle, plan: session.plan, saved: isNew ? null : session.content() });
    if (reply.kind === "answer") {
      const opened = reply.result as Opened;
      if (isNew) session.nodes.push(opened.root);
      for (const step of opened.steps) session.add(step, this.#o.nowMs());
      session.notice = opened.notice;
      return opened;
    }
    session.place = null;
    if (reply.kind === "failed") {
      if (reply.report !== null) this.#o.report({ why: reply.report, method: "open", session });
      throw new CallFailure(reply.error.code, reply.error.sentence);
    }
    if (reply.why === "closed") throw new CallFailure("gone", say("host.call.closed"));
    if (!reply.wasRunning) return null;
    session.killsEngine = true;
    this.#o.report({ why: reply.why, method: "open", session });
    throw new CallFailure("engine", say("host.engine.notRestored"));
  }

  /** Sessions that were not used for longest leave the engine. */
  #makeRoom(wanted: OpenSession): void {
    const loaded = [...this.#sessions.values()].filter((each) => each.place !== null && each !== wanted);
    loaded.sort((a, b) => a.changedMs - b.changedMs);
    for (const session of loaded.slice(0, Math.max(0, loaded.length + 1 - SESSIONS_IN_ENGINE))) void this.#unload(session);
  }

  async #unload(session: OpenSession): Promise<void> {
    const { place } = session;
    session.place = null;
    if (place !== null) await place.thread.ask({ kind: "close", handle: place.handle });
  }

  // --- reading and naming

  #read(learner: LearnerEntry, number: number): OpenSession {
    const { keeper, nowMs } = this.#o;
    const row = number % SPAN;
    if (Math.floor(number / SPAN) !== keeper.epoch || row >= OWN_NUMBERS) throw new CallFailure("notFound", say("host.call.noSession"));
    return keeper.read((db) => {
      const key = { learner: learner.id, session: row };
      const record = readSession(db, key);
      const { plan, attempt, nodes, events, lines } = readSaved(db, record);
      const lab = plan.lab === null ? null : (this.#o.labOf(plan.lab.packId, plan.lab.labId) ?? null);
      const session = new OpenSession(learner, plan, lab, nowMs());
      session.number = number;
      session.nodes.push(...nodes);
      session.events.push(...events);
      session.lines = [...lines];
      session.current = record.currentNode;
      session.saved = { epoch: keeper.epoch, key, attempt };
      this.#sessions.set(number, session);
      return session;
    });
  }

  #name(session: OpenSession): void {
    const { saved } = session;
    session.number = saved === null ? ++this.#lastNumber : saved.epoch * SPAN + saved.key.session;
    this.#sessions.set(session.number, session);
  }

  /** Lines that the learner typed, oldest first, none twice in a row. */
  #typed(learner: LearnerEntry): readonly string[] {
    const lines = this.#o.keeper.read((db) => readTypedLines(db, learner.id, TYPED_LINES));
    return lines.filter((text, i) => text.trim() !== "" && text !== lines[i - 1]);
  }
}

type EngineRequest =
  | { readonly kind: "view" }
  | { readonly kind: "markFailed"; readonly line: string | null; readonly sentence: string }
  | { readonly kind: "call"; readonly method: EngineMethod; readonly params: unknown };

function isAnswer(result: unknown): result is Answer {
  return typeof result === "object" && result !== null && "step" in result && "notSaved" in result;
}

/** A line as a sentence can show it. */
function shortLine(line: string): string {
  const first = line.split("\n")[0];
  return first.length > 60 ? `${first.slice(0, 60)}...` : first;
}
