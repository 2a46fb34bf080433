import type { LabEvent } from "../../lab/model.ts";
import type { SavedNode } from "../../session/model.ts";
import type { AttemptKey } from "../../storage/attempts.ts";
import type { SessionKey } from "../../storage/sessions.ts";
import type { LabSummary, SavedLine, SavedSession, SessionPlan, Step } from "../engine/protocol.ts";
import type { EngineThread } from "./engineThread.ts";
import type { LearnerEntry } from "./learnerList.ts";

/** lines of the transcript that are kept in memory, for a front end that opens the session again */
const LINES_MAX = 2000;

/** A session that this process has opened: all that is needed to make it again, in a new engine or in a new database. */
export class OpenSession {
  /** what front ends call it; holds as long as this process, and is given once */
  number = 0;
  readonly learner: LearnerEntry;
  readonly plan: SessionPlan;
  readonly lab: LabSummary | null;
  readonly nodes: SavedNode[] = [];
  readonly events: LabEvent[] = [];
  current = 0;
  lines: SavedLine[] = [];
  /** steps that are not in the database yet, oldest first */
  unsaved: Step[] = [];
  /** where it is saved; null: nowhere yet */
  saved: { readonly epoch: number; readonly key: SessionKey; readonly attempt: AttemptKey | null } | null = null;
  changedMs: number;
  /** the engine that has it, and its number there */
  place: { readonly thread: EngineThread; readonly handle: number } | null = null;
  /** that engine is just making it again */
  loading: Promise<void> | null = null;
  /** made again once, and the engine died of it */
  killsEngine = false;
  /** a sentence for the learner that was not told yet */
  notice: string | null = null;

  constructor(learner: LearnerEntry, plan: SessionPlan, lab: LabSummary | null, nowMs: number) {
    this.learner = learner;
    this.plan = plan;
    this.lab = lab;
    this.changedMs = nowMs;
  }

  /** What a step did: kept here first, saved right after. */
  add(step: Step, nowMs: number): void {
    this.note(step);
    this.unsaved.push(step);
    this.changedMs = nowMs;
  }

  /** As `add`, for what is in the database already. */
  note({ node, lines, events }: Step): void {
    if (typeof node === "number") this.current = node;
    else {
      this.nodes.push(node);
      this.current = node.node;
    }
    this.events.push(...events);
    this.lines.push(...lines);
    if (this.lines.length > 2 * LINES_MAX) this.lines = this.lines.slice(-LINES_MAX);
  }

  /** For an engine that makes it again. */
  content(): SavedSession {
    return { nodes: this.nodes, current: this.current, events: this.events };
  }

  transcript(): readonly SavedLine[] {
    return this.lines.slice(-LINES_MAX);
  }
}

/** lines of a transcript that are read back */
export const TRANSCRIPT_LINES = LINES_MAX;
