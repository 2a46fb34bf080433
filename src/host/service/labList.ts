import type { LabEvent } from "../../lab/model.ts";
import { Progress } from "../../lab/run/progress.ts";
import { readProgress } from "../../storage/attempts.ts";
import type { ReadableDb } from "../../storage/connection.ts";
import { labKey, type LabProgress } from "../../storage/progress.ts";
import type { LabRow } from "../api/labApi.ts";
import type { LabSummary, PackSummary } from "../engine/protocol.ts";
import type { LearnerEntry } from "./learnerList.ts";
import { readLabEvents } from "./savedSessions.ts";

/** The labs of the packs that are there, with how far a learner is. A deprecated lab is shown only to those who have begun it. */
export function labRows(db: ReadableDb, packs: readonly PackSummary[], learner: LearnerEntry): readonly LabRow[] {
  const progress = readProgress(db, learner.id);
  const of = (packId: string, labId: string): LabProgress | undefined => progress.get(labKey({ packId, lab: labId }));
  return packs.flatMap((pack) =>
    pack.labs.flatMap((lab): readonly LabRow[] => {
      const { info, shape } = lab;
      const mine = of(info.packId, info.labId);
      if (lab.isDeprecated && mine === undefined) return [];
      const events = mine === undefined ? [] : readLabEvents(db, { learner: learner.id, attempt: mine.resume.attempt });
      const unsolved = info.prerequisites.filter((labId) => (of(pack.packId, labId)?.solved ?? null) === null);
      return [
        {
          ...info,
          solved: mine?.solved?.mark ?? null,
          started: mine !== undefined,
          stepsDone: stepsDone(lab, events),
          stepCount: shape.steps.length,
          missing: unsolved.map((labId) => pack.labs.find((each) => each.info.labId === labId)?.info.title ?? labId),
        },
      ];
    }),
  );
}

function stepsDone({ shape }: LabSummary, events: readonly LabEvent[]): number {
  const progress = new Progress(shape, events);
  return shape.steps.filter((_, index) => progress.isStepDone(index)).length;
}
