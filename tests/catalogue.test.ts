import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, it } from "vitest";
import { catalogueEn } from "../src/i18n/en.ts";
import { root } from "./support.ts";

const layers = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
/** A key as it stands in a source: `"<folder of src>.<name>"`. Keys are written whole, so that they can be found. */
const keyLiteral = new RegExp(`["'\`]((?:${layers.map((entry) => entry.name).join("|")})(?:\\.[a-z][A-Za-z0-9]*)+)["'\`]`, "g");

/** The one exception, a table of keys that share a beginning: `` `shell.help.${form}` `` uses all that begin so. */
const keyBeginning = new RegExp(`\`((?:${layers.map((entry) => entry.name).join("|")})\\.[A-Za-z0-9.]*\\.)\\$\\{`, "g");

const beginnings = new Map<string, string>();
const used = new Map<string, string>();
for (const name of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })) {
  const isCatalogue = name.startsWith(join("i18n", "")) || /messages\.\w+\.ts$/.test(name);
  if (!/\.(ts|svelte)$/.test(name) || name.endsWith(".test.ts") || isCatalogue) continue;
  const file = join(root, "src", name);
  const text = readFileSync(file, "utf8");
  for (const [, key] of text.matchAll(keyLiteral)) used.set(key, relative(root, file));
  for (const [, beginning] of text.matchAll(keyBeginning)) beginnings.set(beginning, relative(root, file));
}

it("has a sentence for every key in use", () => {
  const keys = Object.keys(catalogueEn);
  const missing = [
    ...[...used].filter(([key]) => !Object.hasOwn(catalogueEn, key)),
    ...[...beginnings].filter(([beginning]) => !keys.some((key) => key.startsWith(beginning))),
  ];
  expect(missing.map(([key, file]) => `${key} in ${file}`)).toEqual([]);
});

it("has no sentence that nobody uses", () => {
  const isUsed = (key: string) => used.has(key) || [...beginnings.keys()].some((beginning) => key.startsWith(beginning));
  expect(Object.keys(catalogueEn).filter((key) => !isUsed(key))).toEqual([]);
});

it("has names in braces only where they can be arguments", () => {
  const strange = Object.entries(catalogueEn).filter(([, template]) => /[{}]/.test(template.replace(/\{[a-z][A-Za-z0-9]*\}/g, "")));
  expect(strange).toEqual([]);
});
