import { resolveEra, togglesOf } from "../../era/resolve.ts";
import type { Era } from "../../era/era.ts";
import type { Release } from "../../era/releases.ts";
import type { Kernel } from "../../mm/kernel.ts";
import type { Globals } from "../../mm/records.ts";
import { releaseRules } from "./ruleLists.ts";
import type { RuleList } from "./rules.ts";

/** What a machine is looked at with: other behaviours, other settings. */
export interface Otherwise {
  readonly era?: Era;
  readonly globals?: Partial<Globals>;
}

/**
 * The same machine as functions that only read it would find it on another release, or under other settings. Only to be read: it shares its state.
 */
export function otherwise(k: Kernel, { era, globals }: Otherwise): Kernel {
  const g: Globals = { ...k.g, ...globals };
  const properties: PropertyDescriptorMap = { g: { value: g }, tracer: { value: null } };
  if (era !== undefined) {
    properties.era = { value: era };
    properties.eligibilityRules = { value: rulesByCaller(era) };
  }
  return Object.create(k, properties) as Kernel;
}

const rulesByCaller = (era: Era): Kernel["eligibilityRules"] => ({
  pageFault: releaseRules(era, "pageFault"),
  khugepaged: releaseRules(era, "khugepaged"),
  forcedCollapse: releaseRules(era, "forcedCollapse"),
  smaps: releaseRules(era, "smaps"),
});

/** A release with patches, as far as rules go. */
export const eraWith = (release: Release, patches: readonly string[] = []): Era => resolveEra([...togglesOf(release), ...patches]);

/** The machine as another release: with the rules of that release, whatever was put in by hand. */
export const asRelease = (k: Kernel, era: Era): Kernel => otherwise(k, { era, globals: { eligibilityRules: null } });

/** The machine with other rules. */
export const withRules = (k: Kernel, rules: RuleList | null): Kernel => otherwise(k, { globals: { eligibilityRules: rules } });
