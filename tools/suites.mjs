// The suites of `npm test`, in order, as data.

/**
 * @typedef {object} Suite
 * @property {string} name
 * @property {"command" | "vitest" | "playwright"} kind a command counts as one test
 * @property {string[]} args what Node runs
 * @property {number} budgetSeconds
 * @property {string} [ending] the file names that belong to it: a vitest suite without any file says so and does not fail
 */

const bin = "node_modules";

/** @param {string} name @param {number} budgetSeconds @param {string} ending @returns {Suite} */
const vitest = (name, budgetSeconds, ending) => ({
  name,
  kind: "vitest",
  args: [`${bin}/vitest/vitest.mjs`, "run", "--project", name],
  budgetSeconds,
  ending,
});

/** The first four share the 90 seconds that the project allows for types and lint. @type {Suite[]} */
export const suites = [
  { name: "types", kind: "command", args: ["tools/types.mjs"], budgetSeconds: 25 },
  { name: "lint", kind: "command", args: [`${bin}/eslint/bin/eslint.js`, "."], budgetSeconds: 42 },
  {
    name: "layers",
    kind: "command",
    args: [`${bin}/dependency-cruiser/bin/dependency-cruise.mjs`, "--config", ".dependency-cruiser.mjs", "src"],
    budgetSeconds: 8,
  },
  { name: "format", kind: "command", args: [`${bin}/prettier/bin/prettier.cjs`, "--check", "--log-level", "warn", "."], budgetSeconds: 15 },
  vitest("unit", 60, ".test.ts"),
  // what starts processes: the command line as a user has it, databases that several open, a full disk
  vitest("process", 60, ".process.test.ts"),
  vitest("conformance", 60, ".conformance.test.ts"),
  vitest("property", 240, ".property.test.ts"),
  vitest("explorer", 60, ".explorer.test.ts"),
  vitest("lab", 120, ".lab.test.ts"),
  // it builds the renderer first
  { name: "e2e", kind: "playwright", args: [`${bin}/@playwright/test/cli.js`, "test", "-c", "e2e/playwright.config.ts"], budgetSeconds: 360 },
];
