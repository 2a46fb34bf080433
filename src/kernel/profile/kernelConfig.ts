import type { Profile } from "./profile.ts";

/** Options of the kernel's build that a machine may be given besides those of its profile: `CONFIG_SHMEM=n`. */

type BuildFlag = { [K in keyof Profile["config"]]: Profile["config"][K] extends boolean ? K : never }[keyof Profile["config"]];

const OPTIONS: Readonly<Record<string, BuildFlag>> = {
  CONFIG_MEMORY_FAILURE: "memoryFailure",
  CONFIG_MEM_SOFT_DIRTY: "softDirty",
  CONFIG_READ_ONLY_THP_FOR_FS: "readOnlyThpForFs",
  CONFIG_SHMEM: "shmem",
};

export const KERNEL_CONFIG_OPTIONS: readonly string[] = Object.keys(OPTIONS);

/** Does it look like an option of the build, and not like the path of a kernel file? */
export const isKernelConfig = (name: string): boolean => name.startsWith("CONFIG_");

/** The same machine built with another option; undefined when there is no such option, or it is neither y nor n. */
export function withKernelConfig(profile: Profile, option: string, value: string): Profile | undefined {
  if (!Object.hasOwn(OPTIONS, option) || (value !== "y" && value !== "n")) return undefined;
  return { ...profile, config: { ...profile.config, [OPTIONS[option]]: value === "y" } };
}
