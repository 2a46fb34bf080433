// `npm test`: every suite in order, its time against its budget, and at the end one line: `N passed, N failed`.
// `--long` gives the random suites more runs (HUGELAB_LONG=1) and no time limit. Names of suites run these alone.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { suites } from "./suites.mjs";
import { lastLines, playwrightFailures, printed, vitestFailures } from "./testFailures.mjs";

/** @typedef {import("./suites.mjs").Suite} Suite */
/** @typedef {import("./testFailures.mjs").Failure} Failure */
/** @typedef {{ passed: number, failed: number, note: string, failures: Failure[] }} Outcome failures: what can be named of that which failed */

/** A suite that takes this many times its budget hangs: it is ended, so that CI gets an answer. */
const limitFactor = 5;

/**
 * What a vitest run came to. A file that could not be loaded has no failed test in the report and is counted here; so is a run
 * that ended badly for another reason (an error outside any test), or that ran nothing.
 * @param {string | null} report text of the JSON reporter, null when there is none
 * @param {number} status exit status
 * @param {string} root below which the test files are
 * @returns {Outcome}
 */
export function readReport(report, status, root) {
  /** @type {{ numPassedTests: number, numFailedTests: number, testResults: import("./testFailures.mjs").VitestFile[] }} */
  let json;
  try {
    json = JSON.parse(report ?? "");
  } catch {
    return { passed: 0, failed: 1, note: "ended without a report", failures: [] };
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
  return { passed, failed, note, failures: vitestFailures(json, root) };
}

/**
 * What a Playwright run came to: `expected` are its passed tests. An error outside any test (a build that failed, a file that could not
 * be loaded) is in `errors` and counts as a failed test; so does a run in which every test was skipped.
 * @param {string | null} report text of the JSON reporter, null when there is none
 * @param {number} status exit status
 * @returns {Outcome}
 */
export function readPlaywrightReport(report, status) {
  /** @type {{ stats: { expected: number, skipped: number, unexpected: number, flaky: number } } & Parameters<typeof playwrightFailures>[0]} */
  let json;
  try {
    json = JSON.parse(report ?? "");
  } catch {
    return { passed: 0, failed: 1, note: "ended without a report", failures: [] };
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
  return { passed, failed, note: notes.join(", "), failures: playwrightFailures(json) };
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

/** What is kept of a suite's output, for one that has no report to name what failed. */
const tailCharacters = 8000;
/** so long after its end what a suite left behind is waited for */
const leftOverMs = 3000;

/**
 * @param {string} root @param {string[]} args @param {number} limitSeconds @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ status: number, timedOut: boolean, tail: string }>} tail: the end of what it printed
 */
function runNode(root, args, limitSeconds, env) {
  return new Promise((resolve) => {
    // stdin is nobody's: a tool that asks must get an end of file, not wait
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let tail = "";
    for (const [from, to] of /** @type {const} */ ([
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]))
      from.on("data", (/** @type {Buffer} */ chunk) => {
        to.write(chunk);
        tail = (tail + chunk.toString()).slice(-tailCharacters);
      });
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
      resolve({ status, timedOut, tail });
    };
    child.on("error", () => {
      end(1);
    });
    child.on("close", (status) => {
      end(status ?? 1);
    });
    // a grandchild that is left over holds the pipes, perhaps for ever
    child.on("exit", (status) => {
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        end(status ?? 1);
      }, leftOverMs).unref();
    });
  });
}

/**
 * @param {Suite} suite @param {{ root: string, scratch: string, long: boolean }} where
 * @returns {Promise<Outcome>}
 */
async function runSuite(suite, { root, scratch, long }) {
  const limit = long ? 4 * 3600 : suite.budgetSeconds * limitFactor;
  // its output goes through this process, so that it sees no terminal
  const colour = process.stdout.isTTY && process.env["NO_COLOR"] === undefined ? { FORCE_COLOR: "1" } : {};
  const env = { ...process.env, ...colour, ...(long ? { HUGELAB_LONG: "1" } : {}) };
  if (suite.kind === "command") {
    const { status, timedOut, tail } = await runNode(root, suite.args, limit, env);
    if (status === 0) return { passed: 1, failed: 0, note: "", failures: [] };
    return unnamed({ passed: 0, failed: 1, note: timedOut ? `ended after ${limit} s` : "", failures: [] }, tail);
  }
  if (suite.ending !== undefined && !hasFiles(root, suite.ending)) return { passed: 0, failed: 0, note: `no file ends in ${suite.ending} yet`, failures: [] };
  const file = join(scratch, `${suite.name}.json`);
  const playwright = suite.kind === "playwright";
  const reporters = playwright ? ["--reporter=list,json"] : ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const { status, timedOut, tail } = await runNode(
    root,
    [...suite.args, ...reporters],
    limit,
    playwright ? { ...env, PLAYWRIGHT_JSON_OUTPUT_FILE: file } : env,
  );
  if (timedOut) return unnamed({ passed: 0, failed: 1, note: `ended after ${limit} s`, failures: [] }, tail);
  let report = null;
  try {
    report = readFileSync(file, "utf8");
  } catch {
    // the process ended before it could write one
  }
  return unnamed(playwright ? readPlaywrightReport(report, status) : readReport(report, status, root), tail);
}

/**
 * A suite that failed without a failed test to name shows the end of its output instead.
 * @param {Outcome} outcome @param {string} tail @returns {Outcome}
 */
function unnamed(outcome, tail) {
  if (outcome.failed === 0 || outcome.failures.length > 0) return outcome;
  return { ...outcome, failures: [{ name: outcome.note === "" ? "failed; the end of its output" : outcome.note, message: lastLines(tail) }] };
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
  /** @type {string[]} */
  const failures = [];
  try {
    for (const suite of chosen) {
      print(`== ${suite.name}`);
      const start = performance.now();
      const outcome = await runSuite(suite, { root, scratch, long });
      const seconds = (performance.now() - start) / 1000;
      passed += outcome.passed;
      failed += outcome.failed;
      failures.push(...printed(suite.name, outcome.failures));
      const over = seconds > suite.budgetSeconds && !long ? " OVER BUDGET" : "";
      const note = outcome.note === "" ? "" : ` (${outcome.note})`;
      const line = `${suite.name.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s of ${suite.budgetSeconds} s${over}: ${outcome.passed} passed, ${outcome.failed} failed${note}`;
      print(line);
      table.push(line);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  if (failures.length > 0) print("== what failed");
  for (const line of failures) print(line);
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
