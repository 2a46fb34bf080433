import { findProfile, PROFILES, type Profile } from "../../kernel/profile/profile.ts";
import { togglesOf } from "../../kernel/era/resolve.ts";
import { TOGGLES } from "../../kernel/era/toggles.ts";
import type { ProfileView, ToggleView } from "../api/labApi.ts";

const viewOf = ({ id, title, memoryMiB, recorded }: Profile): ProfileView => ({ id, title, memoryMiB, badge: recorded ? "recorded" : "documents" });

export function profileViews(): readonly ProfileView[] {
  return PROFILES.map(viewOf);
}

/** A profile that this version does not have shows as its id. */
export function profileView(id: string): ProfileView {
  const profile = findProfile(id);
  return profile === undefined ? { id, title: id, memoryMiB: 0, badge: "documents" } : viewOf(profile);
}

export function toggleViews(): readonly ToggleView[] {
  const on = PROFILES.map((profile) => ({ id: profile.id, toggles: new Set(togglesOf(profile.release)) }));
  return TOGGLES.map(({ id, title, symbol, source }) => ({
    id,
    title,
    symbols: [symbol],
    document: source,
    onIn: on.filter(({ toggles }) => toggles.has(id)).map((profile) => profile.id),
  }));
}
