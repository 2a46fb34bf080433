import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { smallLab } from "../../tests/packSupport.ts";
import { root } from "../../tests/support.ts";
import { jsonSchemas, labSchema } from "./schema.ts";

const folder = join(root, "resources", "schema");

it("is what resources/schema has (tools/labSchemas.mjs writes it)", () => {
  const written = Object.fromEntries(readdirSync(folder).map((name) => [name, JSON.parse(readFileSync(join(folder, name), "utf8")) as unknown]));
  expect(written).toEqual(JSON.parse(JSON.stringify(jsonSchemas())));
});

it("bounds conditions in depth and number", () => {
  const lab = smallLab() as { checks: { require: unknown }[] };
  const leaf = { path: "smaps[A].Size", op: "==", value: 1 };
  const parses = (condition: unknown): boolean => labSchema.safeParse({ ...lab, checks: [{ ...lab.checks[0], require: condition }] }).success;
  expect(parses({ all: [{ any: [leaf, leaf] }, { not: leaf }] })).toBe(true);
  expect(parses({ all: [{ any: [{ all: [leaf] }] }] })).toBe(false);
  expect(parses({ all: Array.from({ length: 9 }, () => leaf) })).toBe(false);
  expect(parses({ all: [] })).toBe(false);
  expect(parses({ ...leaf, event: "fault" })).toBe(false);
});
