import { missingRequirements } from "../kernel/era/resolve.ts";
import { TOGGLES, type Toggle } from "../kernel/era/toggles.ts";
import { reviewLines } from "./eligibility/review.ts";
import type { RenderMessage } from "../shell/renderMessage.ts";

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
  const lines = [`${toggle.id}: ${toggle.title}`, on.includes(toggle.id) ? say("session.era.on") : say("session.era.off")];
  lines.push(toggle.since === null ? say("session.era.posted") : say("session.era.since", { release: toggle.since }));
  lines.push(say("session.era.where", { symbol: toggle.symbol, source: toggle.source }));
  if (toggle.requires !== undefined && toggle.requires.length > 0) lines.push(say("session.era.needs", { ids: toggle.requires.join(" ") }));
  return [...lines, ...reviewLines(toggle.id, render)];
}
