import { DEFAULT_PROFILE, PROFILES, type Profile } from "../../kernel/profile/profile.ts";

/** Recordings are made on the machine at hand (record-program.sh needs perf), so of profiles of one release that of the virtual machine comes first. */
const RECORDED_ON = /^vm-/;

/** The profile of a recording's kernel. */
export function profileFor(kernel: string): Profile["id"] {
  const same = PROFILES.filter((p) => `${p.kernelRelease}.`.startsWith(`${kernel}.`));
  return (same.find((p) => RECORDED_ON.test(p.id)) ?? same[0])?.id ?? DEFAULT_PROFILE;
}
