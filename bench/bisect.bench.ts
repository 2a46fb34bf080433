/** `hugelab bisect` from its start to its end, on every known change of behaviour: each under 2 s. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BISECT_CASES } from "../src/conform/bisectCases.ts";
import { interleave, median, report, timeRow, type Case, type Timing } from "./lib/measure.ts";

const HUGELAB = join(fileURLToPath(new URL("..", import.meta.url)), "bin", "hugelab");
const BAR_NS = 2e9;

const folder = mkdtempSync(join(tmpdir(), "hugelab-bench-"));
try {
  const cases = BISECT_CASES.map(({ script, good, bad, observe, toggle, config = [] }): Case => {
    const file = join(folder, `${toggle}.txt`);
    writeFileSync(file, script);
    const args = ["bisect", file, "--good", good, "--bad", bad, "--observe", observe, ...config.flatMap((option) => ["--config", option])];
    const run = (): number => {
      const { status, stdout, error } = spawnSync(HUGELAB, args, { encoding: "utf8" });
      if (error !== undefined) throw error;
      if (status !== 0 || !stdout.includes(`${toggle}: `)) throw new Error(`${toggle}: ended with ${status}\n${stdout}`);
      return status;
    };
    return { name: `bisect of ${toggle}`, pieces: 1, run };
  });
  const { timings, noise } = interleave(cases, 3, 0);
  const slowest = timings.reduce((a: Timing, b: Timing) => (median(a.samplesNs) < median(b.samplesNs) ? b : a));
  report([timeRow({ ...slowest, name: `${slowest.name}, the slowest of ${timings.length}` }, BAR_NS)], noise);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
