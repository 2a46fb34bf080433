import { defineConfig } from "vitest/config";
import { seedOf } from "./tools/seed.mjs";

// the workers read it (tests/setup/seed.ts)
const seed = seedOf(process.env);
if (process.env["HUGELAB_LONG"] === "1" && process.env["HUGELAB_SEED"] === undefined)
  process.stdout.write(`random tests: HUGELAB_SEED=${seed} takes the same again\n`);
process.env["HUGELAB_SEED"] = String(seed);
const setupFiles = ["tests/setup/seed.ts"];

/** One project for each suite of tools/test.mjs; the name of a file says which it belongs to. */
const byKind = ["property", "conformance", "explorer", "lab"].map((kind) => ({
  test: { name: kind, include: [`src/**/*.${kind}.test.ts`, `tests/**/*.${kind}.test.ts`], testTimeout: 240_000, setupFiles },
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
          exclude: ["**/*.{property,conformance,explorer,lab}.test.ts"],
          testTimeout: 20_000,
          setupFiles,
        },
      },
      ...byKind,
    ],
  },
});
