// Writes resources/schema/*.json, the JSON Schemas of packs, from the zod schemas of src/lab/schema.ts.
//   node tools/node24.mjs tools/labSchemas.mjs          writes the files
// src/lab/schema.test.ts fails while they are not what would be written.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import prettier from "prettier";
import { jsonSchemas } from "../src/lab/schema.ts";

const folder = fileURLToPath(new URL("../resources/schema", import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(jsonSchemas())) {
  const options = await prettier.resolveConfig(join(folder, name));
  writeFileSync(join(folder, name), await prettier.format(JSON.stringify(schema), { ...options, parser: "json" }));
}
