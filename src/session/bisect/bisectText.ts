import { machineTitle } from "../compare/choice.ts";
import { changeLines } from "../eraText.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { Bisected } from "./bisect.ts";
import type { Change } from "./changes.ts";

/** What a bisection found, for a person. `valueLines`: an observed value, as lines. */
export function bisectLines<T>(found: Bisected<T>, valueLines: (value: T) => readonly string[], render: RenderMessage): string[] {
  const say = (key: string, args: Readonly<Record<string, string | number>> = {}): string => render({ key, args });
  const indented = (value: T): string[] => valueLines(value).map((line) => `    ${line}`);
  const titles = [found.from, found.to].map(({ profile, patches }) => machineTitle(profile, patches, []));
  const lines = [titles[0], ...indented(found.before), titles[1], ...indented(found.after)];
  const { cause } = found;
  if (cause === null) return [...lines, say("session.bisect.same")];
  lines.push("", say("session.bisect.changedBy"), ...changeLines(cause.change, render));
  const isAlone = cause.minimal.length === 1 && cause.minimal[0] === cause.change;
  if (isAlone) lines.push(say("session.bisect.alone", { machine: titles[0] }));
  else lines.push(say("session.bisect.together", { machine: titles[0], ids: cause.minimal.map(nameOf).join(", ") }));
  const [without, after] = [valueLines(cause.without), valueLines(found.after)].map((each) => each.join("\n"));
  if (without === after) lines.push(say("session.bisect.otherReason", { machine: titles[1] }));
  else lines.push(say("session.bisect.without", { machine: titles[1] }), ...indented(cause.without));
  if (found.earlier.length > 0) lines.push("", say("session.bisect.earlier"));
  for (const { change, after: then } of found.earlier) lines.push(`  ${nameOf(change)}`, ...indented(then));
  return lines;
}

/** A change in one word. */
export function nameOf(change: Change): string {
  switch (change.kind) {
    case "toggle":
      return change.isOn ? change.toggle.id : `-${change.toggle.id}`;
    case "fix":
      return change.field;
    case "rest":
      return "profile";
  }
}
