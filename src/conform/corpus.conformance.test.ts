import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runScript } from "../session/runScript.ts";
import { readRows } from "./deviations.ts";
import type { DeviationRow } from "./deviations.ts";
import { byRelease, judgeTrace, MAX_LISTED_SHARE, sumVerdicts } from "./judge.ts";
import { readTrace } from "./readTrace.ts";
import type { Trace } from "./step.ts";

const CONFORMANCE = join(import.meta.dirname, "../../conformance");
const LEAST_OF_A_TRACE = 0.98;
const LEAST_OF_A_RELEASE = 0.995;

/** traces and random: copied from the reference recordings; recorded: random scripts that we recorded under the emulator */
const paths = globSync("{traces,random,recorded}/**/*.json", { cwd: CONFORMANCE }).sort();

function load(path: string): Trace {
  const result = readTrace(readFileSync(join(CONFORMANCE, path), "utf8"));
  if (result.kind === "bad") throw new Error(`${path}: ${result.problem}`);
  return result.trace;
}

function deviations(profile: string): readonly DeviationRow[] {
  const path = join(CONFORMANCE, "deviations", `${profile}.json`);
  if (!existsSync(path)) return [];
  const result = readRows(JSON.parse(readFileSync(path, "utf8")));
  if (result.kind === "bad") throw new Error(`${path}: row ${result.row}: ${result.problem}`);
  return result.rows;
}

const verdicts = paths.map((path) => {
  const trace = load(path);
  return { path, ...judgeTrace(trace, runScript, deviations(trace.header.profile)) };
});

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
});
