import { describe, expect, it } from "vitest";
import { togglesWith } from "../../kernel/boot.ts";
import { TOGGLES } from "../../kernel/era/toggles.ts";
import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import { bisect, type Bisected } from "./bisect.ts";
import { nameOf } from "./bisectText.ts";
import type { BisectedMachine } from "./changes.ts";

const machine = (id: string): BisectedMachine => ({ profile: findProfile(id) as Profile, patches: [] });
const has = ({ profile, patches }: BisectedMachine, id: string): boolean => togglesWith(profile, patches).includes(id);

/** What is observed is made up here: bisect only sees values. */
function find<T>(good: string, bad: string, observe: (machine: BisectedMachine) => T): Bisected<T> {
  return bisect({ good: machine(good), bad: machine(bad), observe, same: (a, b) => a === b });
}

const names = <T>(found: Bisected<T>): unknown => found.cause && { change: nameOf(found.cause.change), minimal: found.cause.minimal.map(nameOf).sort() };

describe("bisect", () => {
  it("names every toggle that alone changes what is observed", () => {
    for (const { id, since } of TOGGLES.filter((toggle) => toggle.since !== null && toggle.since !== "5.19")) {
      const found = find("upstream-5.19", "upstream-6.18", (each) => has(each, id));
      expect([id, names(found)]).toEqual([id, { change: id, minimal: [id] }]);
      expect([found.before, found.after, found.cause?.without, found.earlier, since === null]).toEqual([false, true, false, [], false]);
      expect(found.runs).toBeLessThan(14);
    }
  });

  it("gives the same whichever of the two is called good", () => {
    const observe = (each: BisectedMachine): boolean => has(each, "mseal");
    expect(find("upstream-6.18", "upstream-5.19", observe)).toEqual(find("upstream-5.19", "upstream-6.18", observe));
  });

  it("finds a smallest set where it takes several, and says what is left without it", () => {
    const needed = ["mprotect-writable", "mthp", "mseal"];
    const found = find("upstream-5.19", "upstream-6.18", (each) => needed.every((id) => has(each, id)));
    expect(names(found)).toEqual({ change: "mseal", minimal: needed.sort() });
    expect(found.cause?.without).toBe(false);
  });

  it("says when another change has the same effect", () => {
    const found = find("upstream-5.19", "upstream-6.18", (each) => has(each, "mseal") || has(each, "droppable"));
    expect([names(found), found.cause?.without]).toEqual([{ change: "mseal", minimal: ["mseal"] }, true]);
  });

  it("lists what changed on the way", () => {
    const steps = ["thp-align-always", "thp-align-multiple", "thp-align-no-hint"];
    const found = find("upstream-6.6", "upstream-6.18", (each) => steps.filter((id) => has(each, id)).length);
    expect(names(found)).toEqual({ change: steps[2], minimal: [...steps].sort() });
    expect(found.earlier.map(({ change, after }) => [nameOf(change), after])).toEqual([
      [steps[0], 1],
      [steps[1], 2],
    ]);
  });

  it("tells backports and machines apart", () => {
    const fixed = find("upstream-6.1", "debian-6.1.176", ({ profile }) => profile.fixes.shmemDenyStopsCollapse ?? false);
    expect(names(fixed)).toEqual({ change: "shmemDenyStopsCollapse", minimal: ["shmemDenyStopsCollapse"] });
    const size = find("debian-6.18.15", "vm-6.18.44", ({ profile }) => profile.memoryMiB);
    expect(names(size)).toEqual({ change: "profile", minimal: ["profile"] });
  });

  it("has no cause where nothing differs", () => {
    expect(find("upstream-6.1", "upstream-6.18", () => 1)).toMatchObject({ cause: null, earlier: [], runs: 2 });
    expect(find("upstream-6.1", "upstream-6.1", ({ profile }) => profile.id)).toMatchObject({ cause: null, runs: 1 });
  });
});
