import type { RenderMessage } from "../../shell/renderMessage.ts";

/**
 * What was asked of a patch in review, and how it was settled (thp-eligibility-collapse-hugefault.md 1.10): the talk about the fix of the eligibility
 * check, which is one for all its versions.
 */
const QUESTIONS = ["outOfTree", "driver", "onlyDax", "simpler", "now", "stable", "mixedMap"] as const;

const REVIEWED: ReadonlySet<string> = new Set(["huge-fault-fix-v1", "huge-fault-fix-v2", "huge-fault-fix-v3", "huge-fault-handlers"]);

/** Question and answer, a line each; nothing for a change whose review is not told. */
export function reviewLines(toggle: string, render: RenderMessage): string[] {
  if (!REVIEWED.has(toggle)) return [];
  const say = (key: string): string => render({ key, args: {} });
  return [
    say("session.review.title"),
    ...QUESTIONS.flatMap((name) => [`  ${say(`session.review.ask.${name}`)}`, `    ${say(`session.review.settled.${name}`)}`]),
  ];
}
