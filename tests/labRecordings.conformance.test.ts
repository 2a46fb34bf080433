import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { judgeTrace } from "../src/conform/judge.ts";
import { readTrace } from "../src/conform/readTrace.ts";
import type { LabFile } from "../src/lab/schema.ts";
import { runScript } from "../src/session/runScript.ts";
import { root } from "./support.ts";

/** Solutions of labs as real kernels carried them out: no observation may differ, and none is listed. */
const paths = globSync("labs/*/labs/*/recordings/*.json", { cwd: root }).sort();

describe("recorded solutions of labs", () => {
  it.each(paths)("%s", (path) => {
    const read = readTrace(readFileSync(join(root, path), "utf8"));
    if (read.kind === "bad") throw new Error(read.problem);
    const { agree, total, unlisted, crash } = judgeTrace(read.trace, runScript, []);
    expect({ crash, unlisted }).toEqual({ crash: null, unlisted: [] });
    expect([agree, total > 0]).toEqual([total, true]);
  });

  it("are there for each lab whose badge says so, on two kernels", () => {
    const recorded = (path: string): boolean => (JSON.parse(readFileSync(join(root, path), "utf8")) as LabFile).badge.kind === "recorded";
    const labs = globSync("labs/*/labs/*/lab.json", { cwd: root })
      .filter(recorded)
      .map((path) => dirname(path));
    const kernels = ["debian-6.12.107.json", "debian-6.18.15.json"];
    expect(paths).toEqual(labs.flatMap((lab) => kernels.map((name) => join(lab, "recordings", name))).sort());
  });
});
