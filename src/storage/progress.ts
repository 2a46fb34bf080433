import type { AttemptRecord, EventRecord } from "./attempts.ts";

// Progress is nowhere stored: it is what these functions make of attempts and events. A mistake here is mended here, for
// everything that was ever done; and no write can take a solved mark away.

/** A lab whatever its version: pack's UUID and lab's UUID. */
export type LabKey = `${string}/${string}`;

export function labKey(lab: { readonly packId: string; readonly lab: string }): LabKey {
  return `${lab.packId}/${lab.lab}`;
}

/** Whether a hint or solution had been shown before it was solved. */
export type SolvedMark = "unaided" | "assisted";

/** Events that count for progress, by kind, with their payloads. `step`, `check` and `prediction` are ids of the pack's. */
export interface ProgressPayloads {
  readonly started: Readonly<Record<string, never>>;
  readonly stepEntered: { readonly step: string };
  readonly checkPassed: { readonly check: string };
  /** a rung of a check's ladder; null: a hint for the lab as a whole */
  readonly hintShown: { readonly check: string | null; readonly rung: number };
  /** null: the solution of the whole lab */
  readonly solutionShown: { readonly check: string | null };
  readonly labSolved: Readonly<Record<string, never>>;
}

export interface Resume {
  readonly attempt: number;
  /** the step that was entered last; null: none yet, so the first */
  readonly step: string | null;
  /** checks that have passed in this attempt */
  readonly checksPassed: ReadonlySet<string>;
  /** the lab was solved in this attempt */
  readonly isSolved: boolean;
}

export interface LabProgress {
  readonly attempts: number;
  /** steps that were ever entered, in the order in which they were first */
  readonly stepsReached: readonly string[];
  /** checks that were ever passed; the mark is that of the first time */
  readonly checks: ReadonlyMap<string, SolvedMark>;
  /** the first time that the lab was solved, or null */
  readonly solved: { readonly mark: SolvedMark; readonly attempt: number; readonly timeMs: number } | null;
  /** where to go on: the attempt in which something happened last */
  readonly resume: Resume;
}

/**
 * Progress in each lab.
 * Help counts for the learner and lab, not for one attempt: who has seen the solution and begins anew is still assisted.
 * Help that is shown after something was solved changes nothing, and neither does solving it again.
 * @param attempts of one learner
 * @param events of these attempts, in the order of their ids; kinds that are not known count as activity only
 */
export function deriveProgress(attempts: readonly AttemptRecord[], events: readonly EventRecord[]): ReadonlyMap<LabKey, LabProgress> {
  const labs = new Map<LabKey, LabFold>();
  const labOfAttempt = new Map<number, LabFold>();
  for (const attempt of attempts) {
    const key = labKey(attempt);
    const lab = labs.get(key) ?? new LabFold();
    labs.set(key, lab);
    labOfAttempt.set(attempt.attempt, lab);
    lab.begin(attempt.attempt);
  }
  for (const event of events) labOfAttempt.get(event.attempt)?.add(event);
  return new Map([...labs].map(([key, lab]) => [key, lab.progress()]));
}

interface AttemptState {
  step: string | null;
  readonly checksPassed: Set<string>;
  isSolved: boolean;
}

/** One lab's events, folded one after the other. */
class LabFold {
  readonly #attempts = new Map<number, AttemptState>();
  readonly #steps = new Set<string>();
  readonly #checks = new Map<string, SolvedMark>();
  /** checks that help was shown for */
  readonly #helped = new Set<string>();
  /** help for the lab as a whole was shown */
  #labHelped = false;
  #solved: LabProgress["solved"] = null;
  #latest = 0;

  begin(attempt: number): void {
    this.#attempts.set(attempt, { step: null, checksPassed: new Set(), isSolved: false });
    this.#latest = attempt;
  }

  add(event: EventRecord): void {
    const attempt = this.#attempts.get(event.attempt);
    if (attempt === undefined) throw new Error(`storage: attempt ${event.attempt} is of another lab`);
    this.#latest = event.attempt;
    switch (event.kind as keyof ProgressPayloads) {
      case "started":
        break;
      case "stepEntered":
        this.#enterStep(attempt, idOf(event.payload, "step"));
        break;
      case "checkPassed":
        this.#passCheck(attempt, idOf(event.payload, "check"));
        break;
      case "hintShown":
      case "solutionShown":
        this.#help(idOf(event.payload, "check"));
        break;
      case "labSolved":
        attempt.isSolved = true;
        this.#solved ??= { mark: this.#labHelped || this.#helped.size > 0 ? "assisted" : "unaided", attempt: event.attempt, timeMs: event.timeMs };
        break;
      default:
      // saved by a newer version or for something else than progress
    }
  }

  progress(): LabProgress {
    const latest = this.#attempts.get(this.#latest);
    if (latest === undefined) throw new Error("storage: a lab without attempts");
    return {
      attempts: this.#attempts.size,
      stepsReached: [...this.#steps],
      checks: this.#checks,
      solved: this.#solved,
      resume: { attempt: this.#latest, step: latest.step, checksPassed: latest.checksPassed, isSolved: latest.isSolved },
    };
  }

  #enterStep(attempt: AttemptState, step: string | null): void {
    if (step === null) return;
    attempt.step = step;
    this.#steps.add(step);
  }

  #passCheck(attempt: AttemptState, check: string | null): void {
    if (check === null) return;
    attempt.checksPassed.add(check);
    if (this.#checks.has(check)) return;
    this.#checks.set(check, this.#labHelped || this.#helped.has(check) ? "assisted" : "unaided");
  }

  #help(check: string | null): void {
    if (check === null) this.#labHelped = true;
    else this.#helped.add(check);
  }
}

/** An id out of a payload, null where there is none. */
function idOf(payload: unknown, name: string): string | null {
  if (typeof payload !== "object" || payload === null || !Object.hasOwn(payload, name)) return null;
  const value = (payload as Readonly<Record<string, unknown>>)[name];
  return typeof value === "string" ? value : null;
}
