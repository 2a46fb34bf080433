import { findToggle } from "../kernel/era/resolve.ts";
import { isRelease, RELEASES } from "../kernel/era/releases.ts";
import { TOGGLES } from "../kernel/era/toggles.ts";
import { DEFAULT_PROFILE, findProfile, PROFILES, type Profile } from "../kernel/profile/profile.ts";
import { say } from "../i18n/format.ts";
import { closest } from "../shell/editDistance.ts";
import { shown } from "./shown.ts";

/** Which machine a command line asks for. */
export interface MachineWish {
  readonly profile: string | null;
  readonly release: string | null;
  /** "+id" or "-id" */
  readonly patches: readonly string[];
}

export interface MachineChoice {
  readonly profile: Profile;
  readonly patches: readonly string[];
  /** for a sentence: the profile and what was switched */
  readonly title: string;
}

/** The machine, or the sentence that says why there is none. A release without a profile is that release as upstream has it. */
export function chooseMachine(command: string, wish: MachineWish): MachineChoice | string {
  if (wish.release !== null && !isRelease(wish.release)) {
    return say("cli.machine.release", { command, name: shown(wish.release), choices: RELEASES.join(" ") });
  }
  const id = wish.profile ?? (wish.release === null ? DEFAULT_PROFILE : `upstream-${wish.release}`);
  const profile = findProfile(id);
  if (profile === undefined) return say("cli.machine.profile", { command, name: shown(id), choices: PROFILES.map((p) => p.id).join(" ") });
  for (const patch of wish.patches) {
    if (!/^[+-]./.test(patch)) return say("cli.machine.patchSign", { command, name: shown(patch) });
    const name = patch.slice(1);
    if (findToggle(name) !== undefined) continue;
    const suggestion = closest(
      name,
      TOGGLES.map((t) => t.id),
    );
    return suggestion === null
      ? say("cli.machine.patch", { command, name: shown(name) })
      : say("cli.machine.patchSuggest", { command, name: shown(name), suggestion });
  }
  if (wish.profile === null || wish.release === null) return { profile, patches: wish.patches, title: [id, ...wish.patches].join(" ") };
  return { profile: { ...profile, release: wish.release }, patches: wish.patches, title: [id, wish.release, ...wish.patches].join(" ") };
}
