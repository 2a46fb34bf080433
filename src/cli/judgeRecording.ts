import { judgeTrace } from "../conform/judge.ts";
import { readTrace } from "../conform/readTrace.ts";
import { sentence } from "../i18n/format.ts";
import type { JudgeRecording } from "../lab/lint/lintBadge.ts";
import { runScript } from "../session/runScript.ts";

/** A lab's recording against the simulator, with no deviation allowed. */
export const judgeRecording: JudgeRecording = (text) => {
  const read = readTrace(text);
  if (read.kind === "bad") return { kind: "bad", why: sentence({ key: `conform.bad.${read.problem}`, args: { path: "recording" } }) };
  const { agree, total, unlisted, crash } = judgeTrace(read.trace, runScript, []);
  if (crash !== null) return { kind: "bad", why: crash };
  const [first] = unlisted;
  return { kind: "judged", trace: read.trace, agree, total, first: first === undefined ? null : { operation: first.operation, field: first.field } };
};
