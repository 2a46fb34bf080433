import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fidelityText, judgeCorpus, TARGET } from "../../tools/measureFidelity.mjs";
import { byRelease, MAX_LISTED_SHARE, sumVerdicts } from "./judge.ts";

const LEAST_OF_A_TRACE = 0.98;
const LEAST_OF_A_RELEASE = 0.995;

/** traces and random: copied from the reference recordings; recorded: scripts that we recorded under the emulator */
const corpus = judgeCorpus();
const { verdicts } = corpus;

describe("the simulator against recorded kernels", () => {
  it.each(verdicts)("$path", ({ agree, total, unlisted, stale, crash }) => {
    expect({ crash, stale, unlisted: unlisted.slice(0, 3) }).toEqual({ crash: null, stale: [], unlisted: [] });
    expect(agree / total).toBeGreaterThanOrEqual(LEAST_OF_A_TRACE);
  });

  it.each([...byRelease(verdicts)])("linux-%s as a whole", (_release, group) => {
    const { agree, total, listed } = sumVerdicts(group);
    expect(agree / total).toBeGreaterThanOrEqual(LEAST_OF_A_RELEASE);
    expect(listed / total).toBeLessThanOrEqual(MAX_LISTED_SHARE);
  });

  it("has traces of five releases", () => {
    expect([...byRelease(verdicts).keys()].sort()).toEqual(["6.1", "6.12", "6.16", "6.17", "6.18"]);
  });

  it("conformance/fidelity.json is what this measurement gives", () => {
    expect(fidelityText(corpus)).toBe(readFileSync(TARGET, "utf8"));
  });
});
