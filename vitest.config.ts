import { defineConfig } from "vitest/config";
import { seedOf } from "./tools/seed.mjs";
import { suites } from "./tools/suites.mjs";

// the workers read it (tests/setup/seed.ts)
const seed = seedOf(process.env);
if (process.env["HUGELAB_LONG"] === "1" && process.env["HUGELAB_SEED"] === undefined)
  process.stdout.write(`random tests: HUGELAB_SEED=${seed} takes the same again\n`);
process.env["HUGELAB_SEED"] = String(seed);
const setupFiles = ["tests/setup/seed.ts"];

/**
 * Far above what any test takes: a slow or busy machine must not fail one. Below the time at which tools/test.mjs ends the whole suite (five budgets),
 * so that a test that hangs is named.
 * @param name of a suite
 */
function limits(name: string): { testTimeout: number; hookTimeout: number } {
  const budgetSeconds = suites.find((suite) => suite.name === name)?.budgetSeconds ?? 60;
  const limitMs = process.env["HUGELAB_LONG"] === "1" ? 4 * 3_600_000 : budgetSeconds * 4 * 1000;
  return { testTimeout: limitMs, hookTimeout: limitMs };
}

/** One project for each suite of tools/test.mjs; the name of a file says which it belongs to. */
const byKind = ["property", "conformance", "explorer", "lab", "process"].map((kind) => ({
  test: { name: kind, include: [`src/**/*.${kind}.test.ts`, `tests/**/*.${kind}.test.ts`], ...limits(kind), setupFiles },
}));

export default defineConfig({
  test: {
    // by itself vitest leaves a core free, which is half of a machine with two
    maxWorkers: "100%",
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "tests/**/*.test.ts"],
          exclude: ["**/*.{property,conformance,explorer,lab,process}.test.ts"],
          ...limits("unit"),
          setupFiles,
        },
      },
      ...byKind,
    ],
  },
});
