import type { Message } from "../../kernel/message.ts";
import { RELEASES, isRelease } from "../../kernel/era/releases.ts";
import { findProfile, PROFILES } from "../../kernel/profile/profile.ts";
import { PATH_ALIASES } from "../../shell/command/words.ts";
import { closest } from "../../shell/editDistance.ts";

/** One setting of a sweep: kernel files, prctl and the machine, against those of the recording. */
export interface SweepSetting {
  /** as it was typed; what the row is called */
  readonly label: string;
  /** id of a profile; null: the sweep's */
  readonly profile: string | null;
  readonly files: readonly (readonly [path: string, value: string])[];
  /** PR_SET_THP_DISABLE: 3 with PR_THP_DISABLE_EXCEPT_ADVISED */
  readonly thpDisable: 0 | 1 | 3;
}

export type SettingResult = { readonly kind: "setting"; readonly setting: SweepSetting } | { readonly kind: "bad"; readonly problem: Message };

const THP = "/sys/kernel/mm/transparent_hugepage";
/** files of the folder that are set by their own name */
const PLAIN_FILES: readonly string[] = ["enabled", "defrag", "shmem_enabled", "use_zero_page", "shrink_underused"];
const PRCTL: Readonly<Record<string, 0 | 1 | 3>> = { "0": 0, disable: 1, "except-advised": 3 };
/** characters of one setting, and of all that a sentence repeats */
export const SETTING_CHARACTERS_MAX = 400;
const WORD_CHARACTERS_MAX = 60;
/** parts of one setting */
const PARTS_MAX = 40;

export const SETTING_WORDS: readonly string[] = [...PLAIN_FILES, "64k", "2M", "all", "prctl", "profile", "release", "fault_around"];

const cut = (word: string): string => word.replace(/[^\x20-\x7e]/g, "?").slice(0, WORD_CHARACTERS_MAX);
const bad = (key: string, args: Message["args"]): SettingResult => ({ kind: "bad", problem: { key: `conform.sweep.${key}`, args } });

/** Bytes of `64k`, `64kB`, `2M`; 0 for what is no size. */
function sizeKb(word: string): number {
  const m = /^(\d{1,7})(k|m)b?$/i.exec(word);
  return m === null ? 0 : Number(m[1]) * (m[2].toLowerCase() === "m" ? 1024 : 1);
}

const isPowerOfTwo = (n: number): boolean => n > 0 && Number.isInteger(Math.log2(n));

/** Sizes that anonymous memory can have between a page and a PMD, kB. */
export const ANON_SIZES_KB: readonly number[] = [16, 32, 64, 128, 256, 512, 1024];

/** The files that a word stands for; none: no such word. */
function filesOf(word: string, value: string): readonly (readonly [string, string])[] {
  if (PLAIN_FILES.includes(word)) return [[`${THP}/${word}`, value]];
  if (word === "fault_around") return [["/sys/kernel/debug/fault_around_bytes", String(sizeKb(value) === 0 ? value : sizeKb(value) * 1024)]];
  if (word === "all") return ANON_SIZES_KB.map((kb): [string, string] => [`${THP}/hugepages-${kb}kB/enabled`, value]);
  if (isPowerOfTwo(sizeKb(word))) return [[`${THP}/hugepages-${sizeKb(word)}kB/enabled`, value]];
  const shmem = /^(\w+)\/shmem$/.exec(word);
  if (shmem !== null && isPowerOfTwo(sizeKb(shmem[1]))) return [[`${THP}/hugepages-${sizeKb(shmem[1])}kB/shmem_enabled`, value]];
  const alias = PATH_ALIASES.find(([short]) => word.startsWith(short));
  if (alias !== undefined) return [[alias[1] + word.slice(alias[0].length), value]];
  return word.startsWith("/") ? [[word, value]] : [];
}

/** `enabled=always,64k=inherit,prctl=disable,release=6.12`: kernel files by short names or paths, PR_SET_THP_DISABLE, and the machine. */
export function parseSetting(text: string): SettingResult {
  if (text.length > SETTING_CHARACTERS_MAX) return bad("settingLong", { most: SETTING_CHARACTERS_MAX });
  const parts = text.split(",").map((part) => part.trim());
  if (parts.length > PARTS_MAX || parts.some((part) => part === "")) return bad("settingForm", { setting: cut(text) });
  const files = new Map<string, string>();
  let profile: string | null = null;
  let thpDisable: 0 | 1 | 3 = 0;
  for (const part of parts) {
    const equals = part.indexOf("=");
    const word = part.slice(0, equals);
    const value = part.slice(equals + 1);
    if (equals <= 0 || value === "") return bad("settingForm", { setting: cut(part) });
    if (word === "prctl") {
      if (!Object.hasOwn(PRCTL, value)) return bad("prctl", { value: cut(value), known: Object.keys(PRCTL).join(", ") });
      thpDisable = PRCTL[value];
    } else if (word === "release") {
      if (!isRelease(value)) return bad("unknownRelease", { value: cut(value), known: RELEASES.join(", ") });
      profile = PROFILE_OF.get(value) ?? null;
    } else if (word === "profile") {
      if (findProfile(value) === undefined) return bad("unknownProfile", { value: cut(value), known: PROFILES.map((p) => p.id).join(", ") });
      profile = value;
    } else {
      const named = filesOf(word, value);
      if (named.length === 0) return unknownWord(word);
      for (const [path, text] of named) files.set(path, text);
    }
  }
  return { kind: "setting", setting: { label: parts.join(","), profile, files: [...files], thpDisable } };
}

/** By release, a profile that was recorded, if there is one: recorded ones stand first in the list. */
const PROFILE_OF: ReadonlyMap<string, string> = new Map([...PROFILES].reverse().map((p) => [p.release, p.id]));

function unknownWord(word: string): SettingResult {
  const suggestion = closest(word, SETTING_WORDS);
  const args = { word: cut(word), known: SETTING_WORDS.join(", ") };
  return suggestion === null ? bad("unknownWord", args) : bad("unknownWordSuggest", { ...args, suggestion });
}

/** The settings of a list of texts, or what is wrong with the first that is none. */
export function parseSettings(texts: readonly string[]): readonly SweepSetting[] | Message {
  const settings: SweepSetting[] = [];
  for (const text of texts) {
    const result = parseSetting(text);
    if (result.kind === "bad") return result.problem;
    if (!settings.some((s) => s.label === result.setting.label)) settings.push(result.setting);
  }
  return settings;
}
