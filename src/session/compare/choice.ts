import { togglesWith, type BootOptions } from "../../kernel/boot.ts";
import { findToggle } from "../../kernel/era/resolve.ts";
import { TOGGLES } from "../../kernel/era/toggles.ts";
import { Machine } from "../../kernel/machine.ts";
import { failed } from "../../kernel/mm/errno.ts";
import type { Message } from "../../kernel/message.ts";
import { isKernelConfig, KERNEL_CONFIG_OPTIONS, withKernelConfig } from "../../kernel/profile/kernelConfig.ts";
import { findProfile, PROFILES, type Profile } from "../../kernel/profile/profile.ts";
import { PATH_ALIASES } from "../../shell/command/words.ts";
import { closest } from "../../shell/editDistance.ts";
import type { CompareChoice } from "../model.ts";

/** What machine a choice means, and what is wrong with one that cannot be. */

export type Config = readonly (readonly [path: string, value: string])[];

export type ChosenMachine =
  { readonly kind: "machine"; readonly boot: BootOptions; readonly config: Config } | { readonly kind: "error"; readonly error: Message };

const wrong = (key: string, args: Message["args"]): ChosenMachine => ({ kind: "error", error: { key, args } });

/** How a machine is called above its column: `Debian, Linux 6.18.15, +patch, enabled=never`. */
export function machineTitle(profile: Profile, patches: readonly string[], config: Config): string {
  const files = config.map(([path, value]) => `${path.split("/").slice(-2).join("/").replace("transparent_hugepage/", "")}=${value}`);
  return [profile.title, ...patches, ...files].join(", ");
}

function unknown(what: "profile" | "patch", word: string, known: readonly string[]): ChosenMachine {
  const near = closest(word, known);
  const args = { word: word.slice(0, 60) };
  return near === null ? wrong(`session.compare.no.${what}`, args) : wrong(`session.compare.near.${what}`, { ...args, suggestion: near });
}

/** The machine of a choice, with as much memory and as many CPUs as the one that it is compared with. */
export function chosenMachine(left: BootOptions, choice: CompareChoice): ChosenMachine {
  const profile = findProfile(choice.profile);
  if (profile === undefined) {
    return unknown(
      "profile",
      choice.profile,
      PROFILES.map((each) => each.id),
    );
  }
  for (const patch of choice.patches) {
    const id = patch.replace(/^[+-]/, "");
    if (findToggle(id) === undefined) {
      return unknown(
        "patch",
        id,
        TOGGLES.map((each) => each.id),
      );
    }
  }
  const boot: BootOptions = {
    profile,
    patches: choice.patches,
    memoryMiB: left.memoryMiB ?? left.profile.memoryMiB,
    cpus: left.cpus ?? left.profile.cpus,
    ...(left.costs === undefined ? {} : { costs: left.costs }),
  };
  return checkConfig(boot, choice.config);
}

/** Are there these files on such a machine, and do they take the values? Tried on a machine that is thrown away. */
function checkConfig(bootIn: BootOptions, all: Config): ChosenMachine {
  let boot = bootIn;
  for (const [name, value] of all.filter(([each]) => isKernelConfig(each))) {
    const profile = withKernelConfig(boot.profile, name, value);
    if (profile === undefined) return wrong("session.compare.noOption", { option: `${name}=${value}`.slice(0, 60), options: KERNEL_CONFIG_OPTIONS.join(", ") });
    boot = { ...boot, profile };
  }
  const config = all.filter(([each]) => !isKernelConfig(each));
  const machine = new Machine(boot);
  for (const [path, value] of config) {
    if (!machine.filePaths().includes(path)) return wrong("session.compare.noFile", { path: path.slice(0, 200), profile: boot.profile.title });
    const result = machine.run(() => machine.writeFile(path, value));
    if (failed(result)) return wrong("session.compare.refused", { path, value: value.slice(0, 60), errno: result.errno });
  }
  return { kind: "machine", boot, config };
}

/** The path behind a short beginning: `thp/enabled`. */
function wholePath(path: string): string {
  const alias = path.startsWith("/") ? undefined : PATH_ALIASES.find(([short]) => path.startsWith(short));
  return alias === undefined ? path : alias[1] + path.slice(alias[0].length);
}

/** Reads the words behind `compare`: a profile, patches with + or -, files with their values. What is not said is as on the left. */
export function readChoice(words: readonly string[], left: BootOptions, leftConfig: Config): CompareChoice | Message {
  let profile: string | null = null;
  const patches: string[] = [];
  const config: (readonly [string, string])[] = [];
  for (const word of words) {
    const equals = word.indexOf("=");
    if (word.startsWith("+") || word.startsWith("-")) patches.push(word);
    else if (equals > 0) config.push([wholePath(word.slice(0, equals)), word.slice(equals + 1)]);
    else if (profile === null) profile = word;
    else return { key: "session.compare.twoProfiles", args: { first: profile, second: word } };
  }
  // another profile brings its own patches; the same one keeps those it has
  const own = profile === null || profile === left.profile.id ? (left.patches ?? []) : [];
  return { profile: profile ?? left.profile.id, patches: [...own, ...patches], config: [...leftConfig, ...config] };
}

/** Is anything other on the second machine? */
export function isOther(left: BootOptions, leftConfig: Config, choice: CompareChoice): boolean {
  const toggles = (profile: Profile, patches: readonly string[]): string => togglesWith(profile, patches).sort().join(" ");
  const profile = findProfile(choice.profile);
  if (profile === undefined || profile.id !== left.profile.id) return true;
  // a patch that is not there is for the comparison to complain about
  if (choice.patches.some((patch) => findToggle(patch.replace(/^[+-]/, "")) === undefined)) return true;
  return toggles(profile, choice.patches) !== toggles(left.profile, left.patches ?? []) || choice.config.length > leftConfig.length;
}
