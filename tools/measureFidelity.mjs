// Replays the committed corpora and writes conformance/fidelity.json, which the app, `fidelity` and `bin/hugelab fidelity` show.
//   node tools/node24.mjs tools/measureFidelity.mjs          writes the file
//   node tools/node24.mjs tools/measureFidelity.mjs --check  exits with 1 when the file is not what would be written (a conformance test does the same)
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { findTraces, loadDeviations, loadTrace } from "../src/cli/conform.ts";
import { fidelityOf } from "../src/conform/fidelity.ts";
import { judgeTrace } from "../src/conform/judge.ts";
import { BEHAVIOUR } from "../src/session/behaviour.ts";
import { runScript } from "../src/session/runScript.ts";

const conformance = fileURLToPath(new URL("../conformance", import.meta.url));
export const TARGET = join(conformance, "fidelity.json");

/** Every committed trace judged, and the deviations that are listed for its machines. */
export function judgeCorpus() {
  /** @type {Map<string, ReturnType<typeof loadDeviations>>} */
  const rows = new Map();
  const verdicts = findTraces(["traces", "random", "recorded"].map((name) => join(conformance, name))).map(({ path }) => {
    const trace = loadTrace(path);
    const { profile } = trace.header;
    const listed = rows.get(profile) ?? loadDeviations(profile);
    rows.set(profile, listed);
    return { path: relative(conformance, path).replaceAll("\\", "/"), ...judgeTrace(trace, runScript, listed) };
  });
  return { verdicts, deviations: [...rows.values()].flat() };
}

/** The text that the file has to have. @param {ReturnType<typeof judgeCorpus>} corpus @returns {string} */
export function fidelityText({ verdicts, deviations: listed }) {
  const { behaviour, rows: counts, deviations } = fidelityOf(BEHAVIOUR, verdicts, listed);
  // a row a line, so that a change can be read
  const lines = (/** @type {readonly unknown[]} */ list) =>
    list.length === 0 ? "[]" : `[\n${list.map((row) => `    ${JSON.stringify(row)}`).join(",\n")}\n  ]`;
  return `{\n  "behaviour": ${JSON.stringify(behaviour)},\n  "rows": ${lines(counts)},\n  "deviations": ${lines(deviations)}\n}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = fidelityText(judgeCorpus());
  if (!process.argv.includes("--check")) writeFileSync(TARGET, text);
  else if (!existsSync(TARGET) || readFileSync(TARGET, "utf8") !== text) {
    process.stderr.write("conformance/fidelity.json is out of date: node tools/node24.mjs tools/measureFidelity.mjs\n");
    process.exitCode = 1;
  }
}
