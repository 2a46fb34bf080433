/** Reading back what saver.ts wrote. What another version wrote, or a damaged file holds, is looked at before it is believed. */
import { z } from "zod";
import type { LabEvent } from "../../lab/model.ts";
import type { SavedNode } from "../../session/model.ts";
import { readAttempt, readEvents, type AttemptKey } from "../../storage/attempts.ts";
import type { ReadableDb } from "../../storage/connection.ts";
import { readNodes, readTranscript, type SessionRecord } from "../../storage/sessions.ts";
import type { LabKey, SavedLine, SessionPlan } from "../engine/protocol.ts";
import { TRANSCRIPT_LINES } from "./openSession.ts";

const configSchema = z.object({
  patches: z.array(z.string()).catch([]),
  config: z.array(z.tuple([z.string(), z.string()])).catch([]),
});

const eventSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("stepEntered"), step: z.string() }),
  z.object({ kind: z.literal("checkPassed"), check: z.string(), node: z.int().min(0) }),
  z.object({ kind: z.literal("predicted"), prediction: z.string(), answer: z.string(), right: z.boolean() }),
  z.object({ kind: z.literal("hintShown"), check: z.string().nullable(), rung: z.int().min(0) }),
  z.object({ kind: z.literal("solutionShown") }),
  z.object({ kind: z.literal("labSolved"), node: z.int().min(0) }),
]) satisfies z.ZodType<LabEvent>;

export interface ReadSession {
  readonly plan: SessionPlan;
  readonly attempt: AttemptKey | null;
  readonly nodes: readonly SavedNode[];
  readonly events: readonly LabEvent[];
  readonly lines: readonly SavedLine[];
}

/** @throws StorageError, StorageRefusal */
export function readSaved(db: ReadableDb, record: SessionRecord): ReadSession {
  const { learner, session } = record;
  const attempt = record.attempt === null ? null : { learner, attempt: record.attempt };
  const parsed = configSchema.safeParse(record.config);
  const { patches, config } = parsed.success ? parsed.data : { patches: [], config: [] };
  return {
    plan: { profile: record.profile, patches, config, lab: attempt === null ? null : labOf(db, attempt) },
    attempt,
    nodes: readNodes(db, { learner, session }).map(({ timeMs: _, ...node }) => node),
    events: attempt === null ? [] : readLabEvents(db, attempt),
    lines: readTranscript(db, { learner, session }, { before: Infinity, most: TRANSCRIPT_LINES }).map(({ kind, text }) => ({ kind, text })),
  };
}

/** Which lab an attempt is at. @throws StorageError, StorageRefusal */
export function labOf(db: ReadableDb, attempt: AttemptKey): LabKey {
  const { packHash, packId, lab } = readAttempt(db, attempt);
  return { packHash, packId, labId: lab };
}

/** What happened in an attempt, as a lab wants it back; kinds that are not a lab's are left out. @throws StorageError, StorageRefusal */
export function readLabEvents(db: ReadableDb, attempt: AttemptKey): readonly LabEvent[] {
  return readEvents(db, attempt).flatMap(({ kind, payload }) => {
    const event = eventSchema.safeParse({ ...(typeof payload === "object" ? payload : {}), kind });
    return event.success ? [event.data] : [];
  });
}
