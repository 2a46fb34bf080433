import { RELEASES, type Release } from "../../kernel/era/releases.ts";
import { POSTED_TOGGLES } from "../../kernel/era/postedToggles.ts";

/** A column of the decision table: a release, and patches on top of it. */
export interface Version {
  /** "6.1", "6.1+huge-fault-fix-v1" */
  readonly name: string;
  readonly release: Release;
  readonly patches: readonly string[];
  /** name of the release without the patches */
  readonly plain: string;
}

/** The release that the patches were posted against. */
const PATCHED: Release = "6.1";

const plain = (release: Release): Version => ({ name: release, release, patches: [], plain: release });
const patched = (id: string): Version => ({ name: `${PATCHED}+${id}`, release: PATCHED, patches: [id], plain: PATCHED });

/** Every release, oldest first, with each posted version of the fix behind the release that it was posted against. */
export const VERSIONS: readonly Version[] = RELEASES.flatMap((release) =>
  release === PATCHED ? [plain(release), ...POSTED_TOGGLES.map(({ id }) => patched(id))] : [plain(release)],
);

/** A version by its name; undefined for none. */
export const findVersion = (name: string): Version | undefined => VERSIONS.find((each) => each.name === name);
