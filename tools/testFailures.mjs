// What failed in a run of tests, out of the JSON reports of vitest and Playwright: printed behind all suites, so that the end of a log is enough.
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** @typedef {{ name: string, message: string }} Failure */

const messageLines = 15;
/** a counterexample may be one line of a megabyte */
const lineCharacters = 1000;
/** with more failed tests than this in one suite the others get their names only: they have one cause then */
const withMessage = 20;

/** @param {string} text @returns {string[]} without colours */
const linesOf = (text) =>
  stripVTControlCharacters(text)
    .trim()
    .split("\n")
    .map((line) => (line.length > lineCharacters ? `${line.slice(0, lineCharacters)} ...` : line));

/** @param {string} text */
function firstLines(text) {
  const lines = linesOf(text);
  return lines.length > messageLines ? [...lines.slice(0, messageLines), `... ${lines.length - messageLines} more lines`] : lines;
}

/** @param {string} text */
export const lastLines = (text) => linesOf(text).slice(-messageLines).join("\n");

/**
 * @typedef {{ status: string, ancestorTitles: string[], title: string, failureMessages: string[] }} VitestTest
 * @typedef {{ name: string, status: string, message: string, assertionResults: VitestTest[] }} VitestFile
 */

/** @param {{ testResults: VitestFile[] }} json @param {string} root @returns {Failure[]} */
export function vitestFailures({ testResults }, root) {
  return testResults.flatMap((file) => {
    const path = relative(root, file.name);
    const failed = file.assertionResults.filter((test) => test.status === "failed");
    // a file that could not be loaded
    if (failed.length === 0) return file.status === "failed" ? [{ name: path, message: file.message }] : [];
    return failed.map((test) => ({ name: [path, ...test.ancestorTitles, test.title].join(" > "), message: test.failureMessages.join("\n") }));
  });
}

/**
 * @typedef {{ message?: string, stack?: string, value?: string }} PlaywrightError
 * @typedef {{ projectName: string, status: string, results: { errors: PlaywrightError[] }[] }} PlaywrightTest
 * @typedef {{ title: string, tests: PlaywrightTest[] }} PlaywrightSpec
 * @typedef {{ title: string, specs?: PlaywrightSpec[], suites?: PlaywrightSuite[] }} PlaywrightSuite
 */

/** @param {PlaywrightError[]} errors */
const messageOf = (errors) => errors.map(({ message, stack, value }) => message ?? stack ?? value ?? "").join("\n");

/** @param {PlaywrightSuite[]} suites @param {string[]} above titles @returns {Failure[]} */
function failuresIn(suites, above) {
  return suites.flatMap(({ title, specs = [], suites: inner = [] }) => {
    const titles = [...above, title];
    const own = specs.flatMap((spec) =>
      spec.tests
        .filter(({ status }) => status === "unexpected" || status === "flaky")
        .map(({ projectName, results }) => ({
          name: [`[${projectName}] ${titles[0]}`, ...titles.slice(1), spec.title].join(" > "),
          message: messageOf(results.flatMap(({ errors }) => errors)),
        })),
    );
    return [...own, ...failuresIn(inner, titles)];
  });
}

/** @param {{ suites?: PlaywrightSuite[], errors: PlaywrightError[] }} json @returns {Failure[]} */
export function playwrightFailures({ suites = [], errors }) {
  return [...failuresIn(suites, []), ...errors.map((error) => ({ name: "outside any test", message: messageOf([error]) }))];
}

/** @param {string} suite @param {readonly Failure[]} failures @returns {string[]} lines to print */
export function printed(suite, failures) {
  return failures.flatMap(({ name, message }, index) => {
    const text = index < withMessage ? firstLines(message) : [];
    return [`${suite}: ${name}`, ...text.map((line) => `    ${line}`.trimEnd())];
  });
}
