import { expect, it } from "vitest";
import { withKernelConfig } from "../kernel/profile/kernelConfig.ts";
import { findProfile, type Profile } from "../kernel/profile/profile.ts";
import { nameOf } from "../session/bisect/bisectText.ts";
import type { BisectedMachine } from "../session/bisect/changes.ts";
import { parseScript } from "../shell/command/parseScript.ts";
import { BISECT_CASES, type BisectCase } from "./bisectCases.ts";
import { bisectScript } from "./bisectScript.ts";
import { readObservation, type Observation } from "./observation.ts";

function machineOf(release: string, options: readonly string[] = []): BisectedMachine {
  let profile = findProfile(`upstream-${release}`) as Profile;
  for (const option of options) profile = withKernelConfig(profile, ...(option.split("=") as [string, string])) as Profile;
  return { profile, patches: [] };
}

function found({ script, good, bad, config, observe }: BisectCase): string | null {
  const { operations, errors } = parseScript(script);
  expect(errors).toEqual([]);
  const job = { operations, config: [], good: machineOf(good, config), bad: machineOf(bad, config) };
  const { cause } = bisectScript(job, readObservation(observe) as Observation);
  return cause === null ? null : nameOf(cause.change);
}

it.each(BISECT_CASES.map((each) => [each.row, each] as const))("bisect names the change: %s", (_row, each) => {
  expect(found(each)).toBe(each.toggle);
});

it("there are 40 of them, of different changes", () => {
  expect(BISECT_CASES.length).toBeGreaterThanOrEqual(40);
  expect(new Set(BISECT_CASES.map(({ toggle }) => toggle)).size).toBe(BISECT_CASES.length);
});
