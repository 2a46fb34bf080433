import { missingRequirements } from "../kernel/era/resolve.ts";
import { TOGGLES, type Toggle } from "../kernel/era/toggles.ts";
import type { RenderMessage } from "../shell/renderMessage.ts";
import type { Change } from "./bisect/changes.ts";
import { reviewLines } from "./eligibility/review.ts";

/** The list of changes between releases: `+` where the machine has it. */
export function eraList(on: readonly string[]): string[] {
  const has = new Set(on);
  const missing = new Map(missingRequirements(on).map(({ id, needs }) => [id, needs]));
  return TOGGLES.map(
    (t) => `${has.has(t.id) ? "+" : "-"} ${(t.since ?? "").padEnd(5)} ${t.id.padEnd(24)} ${t.title}${missing.has(t.id) ? ` (! ${missing.get(t.id)})` : ""}`,
  );
}

/** What one change is. */
export function eraDetail(toggle: Toggle, on: readonly string[], render: RenderMessage): string[] {
  const say = (key: string, args: Readonly<Record<string, string>> = {}): string => render({ key, args });
  return [
    `${toggle.id}: ${toggle.title}`,
    on.includes(toggle.id) ? say("session.era.on") : say("session.era.off"),
    ...originLines(toggle, say),
    ...reviewLines(toggle.id, render),
  ];
}

type Say = (key: string, args?: Readonly<Record<string, string>>) => string;

/** Where a change comes from: release, kernel function, document, patch. */
function originLines(toggle: Toggle, say: Say): string[] {
  const lines = [toggle.since === null ? say("session.era.posted") : say("session.era.since", { release: toggle.since })];
  lines.push(say("session.era.where", { symbol: toggle.symbol, source: toggle.source }));
  const { patch } = toggle;
  if (patch !== undefined) {
    const commit = patch.commit === undefined ? "" : `${patch.commit} `;
    lines.push(say("session.era.patch", { patch: `${commit}"${patch.title}"` }));
    if (patch.author !== undefined) lines.push(say("session.era.author", { author: patch.author }));
    if (patch.message !== undefined) lines.push(say("session.era.message", { message: patch.message }));
  }
  if (toggle.requires !== undefined && toggle.requires.length > 0) lines.push(say("session.era.needs", { ids: toggle.requires.join(" ") }));
  return lines;
}

/** What one difference between two machines is. */
export function changeLines(change: Change, render: RenderMessage): string[] {
  const say: Say = (key, args = {}) => render({ key, args });
  switch (change.kind) {
    case "toggle": {
      const { toggle, isOn } = change;
      return [`  ${isOn ? "" : say("session.bisect.switchedOff")}${toggle.id}: ${toggle.title}`, ...originLines(toggle, say).map((line) => `  ${line}`)];
    }
    case "fix":
      return [`  ${say("session.bisect.fix", { field: change.field })}`];
    case "rest":
      return [`  ${say("session.bisect.rest")}`];
  }
}
