// `npm test`: every suite in order, its time against its budget, and at the end one line: `N passed, N failed`.
// `--long` gives the random suites more runs (HUGELAB_LONG=1) and no time limit. Names of suites run these alone.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { suites } from "./suites.mjs";

/** @typedef {import("./suites.mjs").Suite} Suite */
/** @typedef {{ passed: number, failed: number, note: string }} Outcome */

/** A suite that takes this many times its budget hangs: it is ended, so that CI gets an answer. */
const limitFactor = 5;

/**
 * What a vitest run came to. A file that could not be loaded has no failed test in the report and is counted here; so is a run
 * that ended badly for another reason (an error outside any test), or that ran nothing.
 * @param {string | null} report text of the JSON reporter, null when there is none
 * @param {number} status exit status
 * @returns {Outcome}
 */
export function readReport(report, status) {
  /** @type {{ numPassedTests: number, numFailedTests: number, testResults: { status: string, assertionResults: { status: string }[] }[] }} */
  let json;
  try {
    json = JSON.parse(report ?? "");
  } catch {
    return { passed: 0, failed: 1, note: "ended without a report" };
  }
  const broken = json.testResults.filter((file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")).length;
  const passed = json.numPassedTests;
  let failed = json.numFailedTests + broken;
  let note = broken > 0 ? `${broken} file(s) could not be run` : "";
  if (failed === 0 && status !== 0) {
    failed = 1;
    note = `ended with status ${status} though no test failed`;
  } else if (failed === 0 && passed === 0) {
    failed = 1;
    note = "ran no test";
  }
  return { passed, failed, note };
}

/**
 * What a Playwright run came to: `expected` are its passed tests. An error outside any test (a build that failed, a file that could not
 * be loaded) is in `errors` and counts as a failed test; so does a run in which every test was skipped.
 * @param {string | null} report text of the JSON reporter, null when there is none
 * @param {number} status exit status
 * @returns {Outcome}
 */
export function readPlaywrightReport(report, status) {
  /** @type {{ stats: { expected: number, skipped: number, unexpected: number, flaky: number }, errors: unknown[] }} */
  let json;
  try {
    json = JSON.parse(report ?? "");
  } catch {
    return { passed: 0, failed: 1, note: "ended without a report" };
  }
  const { expected: passed, skipped, unexpected, flaky } = json.stats;
  const notes = skipped > 0 ? [`${skipped} skipped`] : [];
  let failed = unexpected + flaky + json.errors.length;
  if (json.errors.length > 0) notes.push(`${json.errors.length} error(s) outside any test`);
  if (failed === 0 && status !== 0) {
    failed = 1;
    notes.push(`ended with status ${status} though no test failed`);
  } else if (failed === 0 && passed === 0) {
    failed = 1;
    notes.push("ran no test");
  }
  return { passed, failed, note: notes.join(", ") };
}

/** @param {string} root @param {string} ending @returns {boolean} whether a test file of that kind exists */
export function hasFiles(root, ending) {
  return ["src", "tests"].some((folder) => {
    try {
      return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).some((name) => name.endsWith(ending));
    } catch {
      return false;
    }
  });
}

/**
 * @param {string} root @param {string[]} args @param {number} limitSeconds @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ status: number, timedOut: boolean }>}
 */
function runNode(root, args, limitSeconds, env) {
  return new Promise((resolve) => {
    // stdin is nobody's: a tool that asks must get an end of file, not wait
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, limitSeconds * 1000);
    const pass = () => child.kill("SIGTERM");
    process.once("SIGTERM", pass);
    /** @param {number} status */
    const end = (status) => {
      clearTimeout(timer);
      process.off("SIGTERM", pass);
      resolve({ status, timedOut });
    };
    child.on("error", () => {
      end(1);
    });
    child.on("exit", (status) => {
      end(status ?? 1);
    });
  });
}

/**
 * @param {Suite} suite @param {{ root: string, scratch: string, long: boolean }} where
 * @returns {Promise<Outcome>}
 */
async function runSuite(suite, { root, scratch, long }) {
  const limit = long ? 4 * 3600 : suite.budgetSeconds * limitFactor;
  const env = { ...process.env, ...(long ? { HUGELAB_LONG: "1" } : {}) };
  if (suite.kind === "command") {
    const { status, timedOut } = await runNode(root, suite.args, limit, env);
    return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, note: timedOut ? `ended after ${limit} s` : "" };
  }
  if (suite.ending !== undefined && !hasFiles(root, suite.ending)) return { passed: 0, failed: 0, note: `no file ends in ${suite.ending} yet` };
  const file = join(scratch, `${suite.name}.json`);
  const playwright = suite.kind === "playwright";
  const reporters = playwright ? ["--reporter=list,json"] : ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const { status, timedOut } = await runNode(root, [...suite.args, ...reporters], limit, playwright ? { ...env, PLAYWRIGHT_JSON_OUTPUT_FILE: file } : env);
  if (timedOut) return { passed: 0, failed: 1, note: `ended after ${limit} s` };
  let report = null;
  try {
    report = readFileSync(file, "utf8");
  } catch {
    // the process ended before it could write one
  }
  return playwright ? readPlaywrightReport(report, status) : readReport(report, status);
}

/**
 * @param {Suite[]} chosen @param {{ root: string, long: boolean, print: (line: string) => void }} options
 * @returns {Promise<number>} exit status
 */
export async function runSuites(chosen, { root, long, print }) {
  const scratch = mkdtempSync(join(tmpdir(), "hugelab-test-"));
  let passed = 0;
  let failed = 0;
  /** @type {string[]} */
  const table = [];
  try {
    for (const suite of chosen) {
      print(`== ${suite.name}`);
      const start = performance.now();
      const outcome = await runSuite(suite, { root, scratch, long });
      const seconds = (performance.now() - start) / 1000;
      passed += outcome.passed;
      failed += outcome.failed;
      const over = seconds > suite.budgetSeconds && !long ? " OVER BUDGET" : "";
      const note = outcome.note === "" ? "" : ` (${outcome.note})`;
      const line = `${suite.name.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s of ${suite.budgetSeconds} s${over}: ${outcome.passed} passed, ${outcome.failed} failed${note}`;
      print(line);
      table.push(line);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  print("== all suites");
  for (const line of table) print(line);
  print(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const words = process.argv.slice(2);
  const names = words.filter((word) => word !== "--long");
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`tools/test.mjs: no suite ${unknown.join(", ")}; there are ${suites.map((suite) => suite.name).join(", ")}\n`);
    process.exitCode = 2;
  } else {
    const chosen = names.length === 0 ? suites : suites.filter((suite) => names.includes(suite.name));
    process.exitCode = await runSuites(chosen, { root, long: words.includes("--long"), print: (line) => process.stdout.write(line + "\n") });
  }
}
