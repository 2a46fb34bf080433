import { describe, expect, it } from "vitest";
import { togglesWith } from "../boot.ts";
import { findProfile, type Profile } from "../profile/profile.ts";
import { isRelease, RELEASES } from "./releases.ts";
import { findToggle, missingRequirements, resolveEra, togglesOf } from "./resolve.ts";
import { BASE_ERA, TOGGLES } from "./toggles.ts";

describe("the table", () => {
  it("has each id once, with what it needs before it", () => {
    expect(new Set(TOGGLES.map((t) => t.id)).size).toBe(TOGGLES.length);
    const known = new Set<string>();
    for (const t of TOGGLES) {
      for (const needed of t.requires ?? []) expect(known.has(needed), `${t.id} needs ${needed}`).toBe(true);
      known.add(t.id);
    }
  });

  it("has toggles that change the same field in order of release: the last one wins", () => {
    const last = new Map<string, { id: string; release: number }>();
    for (const t of TOGGLES) {
      if (t.since === null) continue;
      const release = RELEASES.indexOf(t.since);
      for (const field of Object.keys(t.change)) {
        const before = last.get(field);
        expect(before === undefined || before.release <= release, `${field}: ${before?.id} before ${t.id}`).toBe(true);
        last.set(field, { id: t.id, release });
      }
    }
  });

  it("changes something with every toggle, and only fields that 5.19 has", () => {
    for (const t of TOGGLES) {
      const fields = Object.keys(t.change);
      expect(fields.length, t.id).toBeGreaterThan(0);
      expect(fields.filter((f) => !Object.hasOwn(BASE_ERA, f))).toEqual([]);
    }
  });

  it("says where each toggle comes from", () => {
    expect(TOGGLES.filter((t) => t.symbol === "" || t.source === "" || t.title === "").map((t) => t.id)).toEqual([]);
  });
});

describe("resolving", () => {
  it("begins with 5.19 and leaves what no toggle names", () => {
    expect(resolveEra([])).toEqual(BASE_ERA);
    expect(resolveEra(["mseal"])).toEqual({ ...BASE_ERA, mseal: true });
  });

  it("applies toggles in the order of the table, whatever order they are given in", () => {
    const ids = togglesOf("6.18");
    expect(resolveEra([...ids].reverse())).toEqual(resolveEra(ids));
    // the later of two that change one field wins
    expect(resolveEra(["owner-tracking", "rmap-batched"]).reuseLarge).toBe("owners");
  });

  it("is frozen, and fixes of a profile come last", () => {
    const era = resolveEra(togglesOf("6.12"), { mseal: false });
    expect(era.mseal).toBe(false);
    expect(Object.isFrozen(era)).toBe(true);
    expect(() => Object.assign(era, { mseal: true })).toThrow(TypeError);
  });

  it("takes no notice of ids that do not exist", () => {
    expect(resolveEra(["no-such-toggle"])).toEqual(BASE_ERA);
    expect(findToggle("no-such-toggle")).toBeUndefined();
    expect(findToggle("mthp")?.since).toBe("6.8");
  });
});

describe("releases", () => {
  it("only add to what came before", () => {
    let before: string[] = [];
    for (const release of RELEASES) {
      const now = togglesOf(release);
      expect(before.every((id) => now.includes(id))).toBe(true);
      before = now;
    }
    expect(togglesOf("5.19")).toEqual(TOGGLES.filter((t) => t.since === "5.19").map((t) => t.id));
    expect([isRelease("6.18"), isRelease("6.19"), isRelease("")]).toEqual([true, false, false]);
  });

  it("have what their toggles need", () => {
    for (const release of RELEASES) expect(missingRequirements(togglesOf(release))).toEqual([]);
  });

  it("take patches on and off", () => {
    const profile = findProfile("upstream-6.1") as Profile;
    expect(togglesWith(profile, [])).toEqual(togglesOf("6.1"));
    expect(togglesWith(profile, ["-madv-collapse"])).not.toContain("madv-collapse");
    expect(togglesWith(profile, ["+mseal", "mthp"])).toEqual(expect.arrayContaining(["mseal", "mthp"]));
    expect(togglesWith(profile, ["+mseal", "-mseal"])).toEqual(togglesOf("6.1"));
  });
});

it("finds what is on without what it needs", () => {
  const [first] = TOGGLES.filter((t) => (t.requires ?? []).length > 0);
  if (first === undefined) expect(missingRequirements(TOGGLES.map((t) => t.id))).toEqual([]);
  else expect(missingRequirements([first.id])).toEqual((first.requires ?? []).map((needs) => ({ id: first.id, needs })));
});
