import { say, sentence } from "../../i18n/format.ts";
import { findToggle } from "../../kernel/era/resolve.ts";
import { findProfile } from "../../kernel/profile/profile.ts";
import { BEHAVIOUR } from "../../session/behaviour.ts";
import { findSessionOfAttempt } from "../../storage/sessions.ts";
import { StorageError, StorageRefusal } from "../../storage/storageError.ts";
import { readProgress } from "../../storage/attempts.ts";
import { labKey } from "../../storage/progress.ts";
import type { CallError, EventName, Events, FidelityView, Hello, HostKind, Method, Methods, Notice, Reply, SettingValue } from "../api/labApi.ts";
import { checkCall, isSettingValue, type CheckedCall } from "../api/params.ts";
import { ENGINE_METHODS, type EngineMethod, type LabSummary, type PackSummary } from "../engine/protocol.ts";
import { CallFailure } from "./callFailure.ts";
import type { Keeper } from "./keeper.ts";
import { labRows } from "./labList.ts";
import type { LearnerEntry, LearnerList } from "./learnerList.ts";
import { profileViews, toggleViews } from "./profiles.ts";
import type { ProgramDesk } from "./programDesk.ts";
import type { SessionDesk } from "./sessionDesk.ts";
import type { Supervisor } from "./supervisor.ts";

type Listener = (name: EventName, payload: unknown) => void;
type Result<M extends Method> = Methods[M]["result"] | Promise<Methods[M]["result"]>;
type ServiceMethod = Exclude<Method, EngineMethod>;
type Handlers = { readonly [M in ServiceMethod]: (params: Methods[M]["params"]) => Result<M> };

export interface ServiceParts {
  readonly host: HostKind;
  readonly version: string;
  readonly keeper: Keeper;
  readonly learners: LearnerList;
  readonly supervisor: Supervisor;
  readonly desk: SessionDesk;
  readonly programs: ProgramDesk;
  readonly packs: () => readonly PackSummary[];
  readonly fidelity: FidelityView;
  /** what was found at the start: packs that are not used and the like */
  readonly notices: readonly Notice[];
  readonly nowMs: () => number;
}

/** The owner thread's answer to every call, whichever carrier brought it. */
export class Service {
  readonly #p: ServiceParts;
  readonly #listeners: Set<Listener>;

  /** `listeners`: of events; the parts tell theirs through the same set */
  constructor(parts: ServiceParts, listeners: Set<Listener>) {
    this.#p = parts;
    this.#listeners = listeners;
  }

  /** Checks a call and answers it. Never rejects: what is wrong is a value with one sentence. */
  async call(method: unknown, params: unknown): Promise<Reply<Method>> {
    const check = checkCall(method, params);
    if (!check.ok) return { ok: false, error: { code: "badCall", sentence: sentence(check.problem) } };
    try {
      return { ok: true, result: await this.#dispatch(check.call) };
    } catch (error) {
      return { ok: false, error: errorOf(error) };
    }
  }

  onEvent(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Everything is saved already; ends the engine and lets go of the database. */
  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#p.supervisor.close();
    this.#p.keeper.close();
  }

  #dispatch(call: CheckedCall): Promise<Methods[Method]["result"]> | Methods[Method]["result"] {
    const { method, params } = call;
    if (isEngineMethod(method)) {
      const { session } = params as { readonly session: number };
      const line = call.method === "submit" ? call.params.line : null;
      return this.#p.desk.call(this.#p.desk.find(session), method, params, line) as Promise<Methods[EngineMethod]["result"]>;
    }
    const handler = this.#handlers[method] as (params: unknown) => Result<ServiceMethod>;
    return handler(params);
  }

  readonly #handlers: Handlers = {
    hello: () => this.#hello(),
    createLearner: ({ name }) => this.#p.learners.create(name),
    useLearner: ({ learner }) => {
      const entry = this.#p.learners.find(learner);
      this.#trySaving(() => {
        this.#p.learners.noteLast(entry);
      });
      return { settings: this.#settings(entry), sessions: this.#p.desk.list(entry), labs: this.#labs(entry) };
    },
    setSetting: ({ learner, name, value }) => {
      this.#p.learners.set(this.#p.learners.find(learner), name, value);
      return {};
    },
    listLabs: ({ learner }) => this.#labs(this.#p.learners.find(learner)),
    openLab: ({ learner, packId, labId, anew }) => this.#openLab(this.#p.learners.find(learner), packId, labId, anew),
    openSandbox: ({ learner, profile, patches, config }) => {
      const entry = this.#p.learners.find(learner);
      if (findProfile(profile) === undefined) throw new CallFailure("notFound", say("host.call.noProfile", { profile }));
      const unknown = patches.find((patch) => findToggle(patch.replace(/^[+-]/, "")) === undefined);
      if (unknown !== undefined) throw new CallFailure("notFound", say("host.call.noPatch", { patch: unknown }));
      return this.#p.desk.begin(entry, { profile, patches, config, lab: null }, null);
    },
    resumeSession: ({ learner, session }) => this.#p.desk.resume(this.#p.learners.find(learner), session),
    closeSession: async ({ session }) => {
      await this.#p.desk.close(session);
      return {};
    },
    cancel: ({ session }) => {
      this.#p.desk.cancel(session);
      return {};
    },
    fidelity: () => this.#p.fidelity,
    listPrograms: () => this.#p.programs.list(),
    importPart: (params) => this.#p.programs.importPart(params),
    forgetProgram: ({ program }) => this.#p.programs.forget(program),
    replayProgram: (params) => this.#p.programs.replay(params),
    sweepProgram: (params) => this.#p.programs.sweep(params),
    stopWork: () => {
      this.#p.programs.stop();
      return {};
    },
  };

  #hello(): Hello {
    const { keeper, learners, desk, host, version, notices } = this.#p;
    // somebody who closed the other Hugelab, or made room, reloads the page
    if (!keeper.saving && keeper.retry()) {
      learners.saveAll();
      desk.flushAll();
      this.#emit("notice", { id: "saving:back", severity: "info", text: say("host.storage.back") });
    }
    return {
      host,
      version,
      behaviour: BEHAVIOUR,
      learners: learners.list(),
      lastLearner: learners.last(),
      profiles: profileViews(),
      toggles: toggleViews(),
      notices: [...keeper.notices, ...notices],
      saving: keeper.saving,
    };
  }

  #labs(entry: LearnerEntry): Methods["listLabs"]["result"] {
    return this.#p.keeper.read((db) => labRows(db, this.#p.packs(), entry));
  }

  #settings(entry: LearnerEntry): Record<string, SettingValue> {
    const known = [...this.#p.learners.settings(entry)].filter((setting): setting is [string, SettingValue] => isSettingValue(...setting));
    return Object.fromEntries(known);
  }

  async #openLab(entry: LearnerEntry, packId: string, labId: string, anew: boolean): Promise<Methods["openLab"]["result"]> {
    const lab = this.#lab(packId, labId);
    const record = anew
      ? null
      : this.#p.keeper.read((db) => {
          const attempt = readProgress(db, entry.id).get(labKey({ packId, lab: labId }))?.resume.attempt;
          return attempt === undefined ? null : findSessionOfAttempt(db, { learner: entry.id, attempt });
        });
    return record === null ? this.#p.desk.begin(entry, lab.plan, lab) : this.#p.desk.resume(entry, this.#p.desk.numberOf(record));
  }

  #lab(packId: string, labId: string): LabSummary {
    const lab = this.#p
      .packs()
      .find((pack) => pack.packId === packId)
      ?.labs.find(({ info }) => info.labId === labId);
    if (lab === undefined) throw new CallFailure("notFound", say("host.call.noLab"));
    return lab;
  }

  /** What a learner asked for goes on where this cannot be saved. */
  #trySaving(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }

  #emit<E extends EventName>(name: E, payload: Events[E]): void {
    for (const listener of this.#listeners) listener(name, payload);
  }
}

function isEngineMethod(method: Method): method is EngineMethod {
  return (ENGINE_METHODS as readonly Method[]).includes(method);
}

function errorOf(error: unknown): CallError {
  if (error instanceof CallFailure) return error.error;
  if (error instanceof StorageRefusal) return { code: error.reason === "notFound" ? "notFound" : "refused", sentence: sentence(error) };
  if (error instanceof StorageError) return { code: "storage", sentence: sentence(error) };
  const what = error instanceof Error ? error.message.split("\n")[0].slice(0, 200) : String(error);
  return { code: "engine", sentence: say("host.engine.failed", { what }) };
}
