import type { Profile } from "../../kernel/profile/profile.ts";
import { resolveEra, togglesOf } from "../../kernel/era/resolve.ts";
import type { Program } from "../program/readProgram.ts";
import { ANON_SIZES_KB, parseSettings, type SweepSetting } from "./setting.ts";

const MAP_SHARED = 1;
const MAP_ANONYMOUS = 0x20;

/** releases that the same is tried on */
const OTHER_RELEASES = ["5.19", "6.1", "6.12"] as const;
const WITH_SIZES = "6.12";
const OFF = "enabled=never";
const modes = (values: readonly string[], wrap: (value: string) => string): string[] => values.map(wrap);

/** Does the program have memory that shmem_enabled is about? */
export function hasSharedMemory(program: Program): boolean {
  return program.events.some(
    (e) => e.kind === "sys" && e.name === "mmap" && ((e.args["flags"] ?? 0) & (MAP_SHARED | MAP_ANONYMOUS)) === (MAP_SHARED | MAP_ANONYMOUS),
  );
}

/**
 * Settings that are worth a look for any program, 40 of them on a release with sizes between a page and a PMD: the PMD size alone, each size alone, with
 * the PMD size beside it, for advised mappings only, sets of sizes, the process's own wish, other releases. shmem_enabled only where the program has shared memory.
 */
export function defaultSettings(profile: Profile, program: Program): readonly SweepSetting[] {
  const era = resolveEra(togglesOf(profile.release), profile.fixes);
  const texts: string[] = modes(["never", "madvise", "always"], (v) => `enabled=${v}`);
  texts.push(...modes(["always", "defer", "never"], (v) => `enabled=always,defrag=${v}`));
  texts.push("enabled=always,use_zero_page=0", "enabled=always,prctl=disable");
  if (era.thpDisableExceptAdvised) texts.push("enabled=always,prctl=except-advised");
  if (era.mthp) {
    const sizes = ANON_SIZES_KB.map((kb) => `${kb}k`);
    texts.push(...sizes.map((size) => `${OFF},${size}=always`), ...sizes.map((size) => `enabled=always,${size}=always`));
    texts.push(...["16k", "64k", "256k"].map((size) => `${OFF},${size}=madvise`));
    texts.push(
      `${OFF},16k=always,64k=always`,
      `${OFF},64k=always,512k=always`,
      `${OFF},all=always`,
      "enabled=always,all=inherit",
      "enabled=madvise,all=inherit",
      `${OFF},all=madvise`,
    );
    texts.push("enabled=madvise,64k=always", "enabled=madvise,all=always");
  }
  texts.push("enabled=always,fault_around=4k", "enabled=always,fault_around=1M");
  const others = new Set<string>(OTHER_RELEASES);
  others.delete(profile.release);
  for (const release of others) texts.push(`release=${release},enabled=always`);
  if (others.has(WITH_SIZES)) texts.push(`release=${WITH_SIZES},${OFF},64k=always`);
  if (hasSharedMemory(program)) texts.push(...modes(["always", "within_size", "advise", "never"], (v) => `enabled=always,shmem_enabled=${v}`));
  const settings = parseSettings(texts);
  if ("key" in settings) throw new Error(`a setting of our own: ${settings.key}`);
  return settings;
}
