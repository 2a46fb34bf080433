import { findToggle } from "../kernel/era/resolve.ts";
import { isRelease, RELEASES } from "../kernel/era/releases.ts";
import { TOGGLES } from "../kernel/era/toggles.ts";
import { isKernelConfig, KERNEL_CONFIG_OPTIONS, withKernelConfig } from "../kernel/profile/kernelConfig.ts";
import { DEFAULT_PROFILE, findProfile, PROFILES, type Profile } from "../kernel/profile/profile.ts";
import { say } from "../i18n/format.ts";
import { PATH_ALIASES } from "../shell/command/words.ts";
import { closest } from "../shell/editDistance.ts";
import { shown } from "./shown.ts";

/** Options that choose the machine, as parseCommandLine takes them. */
export const MACHINE_OPTIONS = {
  profile: { type: "string" },
  release: { type: "string" },
  patch: { type: "string", multiple: true },
  config: { type: "string", multiple: true },
  arch: { type: "string" },
} as const;

export interface MachineValues {
  readonly profile?: string | undefined;
  readonly release?: string | undefined;
  readonly patch?: readonly string[] | undefined;
  readonly config?: readonly string[] | undefined;
  readonly arch?: string | undefined;
}

export interface MachineChoice {
  readonly profile: Profile;
  readonly patches: readonly string[];
  /** kernel files and their values */
  readonly config: readonly (readonly [path: string, value: string])[];
}

/** characters of a kernel path that are shown */
const LONGEST_PATH = 200;

const ARCHES = ["x86-64", "x86-64-la57", "ppc-8xx"] as const;

/** "there is no X", with the nearest there is, or all of them. */
function unknown(command: string, what: string, word: string, known: readonly string[]): string {
  const near = closest(word, known);
  const args = { command, what, word: shown(word, LONGEST_PATH) };
  return near === null ? say("cli.machine.unknown", { ...args, known: known.join(", ") }) : say("cli.machine.unknownSuggest", { ...args, suggestion: near });
}

/** The machine that the options ask for, or one sentence that says what is wrong. */
export function chooseMachine(command: string, values: MachineValues): MachineChoice | string {
  if (values.profile !== undefined && values.release !== undefined) return say("cli.machine.both", { command });
  if (values.release !== undefined && !isRelease(values.release)) return unknown(command, "release", values.release, RELEASES);
  const id = values.release === undefined ? (values.profile ?? DEFAULT_PROFILE) : `upstream-${values.release}`;
  const found = findProfile(id);
  if (found === undefined) {
    return unknown(
      command,
      "profile",
      id,
      PROFILES.map((p) => p.id),
    );
  }
  const arch = ARCHES.find((known) => known === values.arch);
  if (values.arch !== undefined && arch === undefined) return unknown(command, "architecture", values.arch, ARCHES);
  let profile: Profile = arch === undefined ? found : { ...found, geometry: arch };
  for (const patch of values.patch ?? []) {
    const name = patch.replace(/^[+-]/, "");
    if (findToggle(name) === undefined) {
      return unknown(
        command,
        "patch",
        name,
        TOGGLES.map((t) => t.id),
      );
    }
  }
  const config: (readonly [string, string])[] = [];
  for (const setting of values.config ?? []) {
    const equals = setting.indexOf("=");
    if (equals <= 0) return say("cli.machine.configForm", { command, word: shown(setting) });
    const [name, value] = [setting.slice(0, equals), setting.slice(equals + 1)];
    if (!isKernelConfig(name)) {
      config.push([kernelPath(name), value]);
      continue;
    }
    if (!KERNEL_CONFIG_OPTIONS.includes(name)) return unknown(command, "option", name, KERNEL_CONFIG_OPTIONS);
    const built = withKernelConfig(profile, name, value);
    if (built === undefined) return say("cli.machine.configValue", { command, name, value: shown(value) });
    profile = built;
  }
  return { profile, patches: values.patch ?? [], config };
}

/** `thp/enabled` stands for the whole path, as in scripts. */
function kernelPath(word: string): string {
  const alias = PATH_ALIASES.find(([short]) => word.startsWith(short));
  return alias === undefined ? word : alias[1] + word.slice(alias[0].length);
}

/** Why a kernel file of --config refused its value. `paths`: those there are. */
export function configRefusal(command: string, path: string, value: string, errno: string, paths: readonly string[]): string {
  if (errno === "ENOENT") return unknown(command, "kernel file", path, paths);
  return say("cli.machine.configRefused", { command, path: shown(path, LONGEST_PATH), value: shown(value), errno });
}
