import type { BootOptions } from "../../kernel/boot.ts";
import { findProfile } from "../../kernel/profile/profile.ts";
import type { Lab } from "../pack/pack.ts";

/** The machine that a lab is done on, and the kernel files that are set before the first line; null for a profile that this Hugelab does not have. */
export function bootOf(lab: Lab): { readonly boot: BootOptions; readonly config: readonly (readonly [path: string, value: string])[] } | null {
  const { machine } = lab.definition;
  const profile = findProfile(machine.profile);
  if (profile === undefined) return null;
  return { boot: { profile, patches: machine.patches ?? [] }, config: Object.entries(machine.config ?? {}) };
}
