import { say, sentence } from "../../i18n/format.ts";
import type { LabEvent } from "../../lab/model.ts";
import { appendEvents, startAttempt, type AttemptKey, type NewEvent } from "../../storage/attempts.ts";
import type { WritableDb } from "../../storage/connection.ts";
import { putPack } from "../../storage/packs.ts";
import { saveStep, startSession } from "../../storage/sessions.ts";
import { StorageError, StorageRefusal } from "../../storage/storageError.ts";
import type { PackSummary, Step } from "../engine/protocol.ts";
import type { Keeper } from "./keeper.ts";
import type { LearnerList } from "./learnerList.ts";
import type { OpenSession } from "./openSession.ts";

/** A pack as the database wants to know it. */
export interface KnownPack extends Pick<PackSummary, "packId" | "version" | "hash"> {
  readonly place: string;
}

/** Saves sessions: each step before its answer is sent, all that one step did in one transaction. What cannot be saved waits for the next time. */
export class Saver {
  readonly #keeper: Keeper;
  readonly #learners: LearnerList;
  readonly #nowMs: () => number;
  readonly #packOf: (packId: string) => KnownPack | undefined;

  constructor(keeper: Keeper, learners: LearnerList, nowMs: () => number, packOf: (packId: string) => KnownPack | undefined) {
    this.#keeper = keeper;
    this.#learners = learners;
    this.#nowMs = nowMs;
    this.#packOf = packOf;
  }

  /** Saves what of a session is not saved yet. @returns null, or a sentence why it could not be; nothing is lost then */
  flush(session: OpenSession): string | null {
    try {
      this.#flushOnce(session);
    } catch (error) {
      if (!(error instanceof StorageError) || error.kind !== "damaged") return this.#why(error);
      // the keeper has set the file aside and begun a new one, which lacks this session
      try {
        this.#flushOnce(session);
      } catch (again) {
        return this.#why(again);
      }
    }
    return this.#keeper.saving ? null : say("host.save.notSaving");
  }

  #flushOnce(session: OpenSession): void {
    const { epoch } = this.#keeper;
    const isThere = session.saved?.epoch === epoch;
    if (isThere && session.unsaved.length === 0) return;
    const saved = this.#keeper.write((db) => {
      if (session.saved === null || !isThere) return this.#writeWhole(db, session);
      for (const step of session.unsaved) this.#writeStep(db, session.saved.key, session.saved.attempt, step);
      return session.saved;
    });
    session.saved = { ...saved, epoch };
    session.unsaved = [];
  }

  #writeWhole(db: WritableDb, session: OpenSession): Omit<NonNullable<OpenSession["saved"]>, "epoch"> {
    const { learner, plan, nodes, events, current } = session;
    const nowMs = this.#nowMs();
    this.#learners.ensure(db, learner);
    const [root, ...others] = nodes;
    const attempt = this.#writeAttempt(db, session);
    if (attempt !== null) appendEvents(db, attempt, events.map(eventOf), nowMs);
    const { profile, patches, config } = plan;
    const key = startSession(db, { learner: learner.id, attempt: attempt?.attempt ?? null, profile, seed: 0, config: { patches, config }, root, nowMs });
    for (const node of others) saveStep(db, key, { node, lines: [], nowMs });
    saveStep(db, key, { node: current, lines: session.transcript(), nowMs });
    return { key, attempt };
  }

  #writeAttempt(db: WritableDb, { learner, plan, nodes }: OpenSession): AttemptKey | null {
    const { lab, profile } = plan;
    if (lab === null) return null;
    const pack = this.#packOf(lab.packId);
    if (pack === undefined) throw new StorageRefusal("notFound", { what: "pack" });
    const nowMs = this.#nowMs();
    putPack(db, { ...pack, nowMs });
    return startAttempt(db, { learner: learner.id, packHash: pack.hash, lab: lab.labId, profile, seed: 0, behaviour: nodes[0].behaviour, nowMs });
  }

  #writeStep(db: WritableDb, key: NonNullable<OpenSession["saved"]>["key"], attempt: AttemptKey | null, { node, lines, events }: Step): void {
    const nowMs = this.#nowMs();
    saveStep(db, key, { node, lines, nowMs });
    if (attempt !== null && events.length > 0) appendEvents(db, attempt, events.map(eventOf), nowMs);
  }

  #why(error: unknown): string {
    if (error instanceof StorageRefusal) return say("host.save.refused", { why: sentence(error) });
    if (!(error instanceof StorageError)) throw error;
    return error.kind === "full" ? say("host.save.full") : say("host.save.unwritable", { file: error.file });
  }
}

function eventOf({ kind, ...payload }: LabEvent): NewEvent {
  return { kind, payload };
}
