import type { Era } from "./era.ts";
import { RELEASES, type Release } from "./releases.ts";
import { BASE_ERA, TOGGLES, type Toggle } from "./toggles.ts";

/** The ids a release has. */
export function togglesOf(release: Release): string[] {
  const at = RELEASES.indexOf(release);
  return TOGGLES.filter((t) => t.since !== null && RELEASES.indexOf(t.since) <= at).map((t) => t.id);
}

export const findToggle = (id: string): Toggle | undefined => TOGGLES.find((t) => t.id === id);

/** Toggles that are on without one they need. They may be, and are shown as such. */
export function missingRequirements(ids: readonly string[]): { id: string; needs: string }[] {
  const on = new Set(ids);
  return TOGGLES.filter((t) => on.has(t.id)).flatMap((t) => (t.requires ?? []).filter((r) => !on.has(r)).map((needs) => ({ id: t.id, needs })));
}

/** Applies toggles in the order of the table to 5.19 and freezes the result. */
export function resolveEra(ids: readonly string[], fixes: Partial<Era> = {}): Era {
  const on = new Set(ids);
  let era: Era = BASE_ERA;
  for (const toggle of TOGGLES) if (on.has(toggle.id)) era = { ...era, ...toggle.change };
  return Object.freeze({ ...era, ...fixes });
}
