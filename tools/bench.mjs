// `npm run bench`: every bench/*.bench.ts, each in a process of its own, so that one does not warm up or pollute the next. Words choose by name.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../bench", import.meta.url));
const words = process.argv.slice(2);
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".bench.ts")) : [];
const chosen = files.filter((name) => words.length === 0 || words.some((word) => name.includes(word))).sort();
if (chosen.length === 0) {
  process.stderr.write(`bench: no bench/*.bench.ts ${words.length === 0 ? "yet" : `with ${words.join(" or ")} in its name`}\n`);
  process.exitCode = 1;
}
for (const name of chosen) {
  process.stdout.write(`== ${name}\n`);
  const { status } = spawnSync(process.execPath, ["--expose-gc", join(folder, name)], { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) process.exitCode = 1;
}
