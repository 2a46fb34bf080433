import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProgramSource } from "../conform/program/programTools.ts";

const FOLDER = join(import.meta.dirname, "../../conformance/programs");

/** The recordings that came with Hugelab; each is read when it is asked for. */
export function shippedPrograms(): ProgramSource {
  let names: string[] = [];
  try {
    names = readdirSync(FOLDER)
      .filter((file) => /^[\w-]+\.json$/.test(file))
      .map((file) => file.slice(0, -".json".length))
      .sort();
  } catch {
    // a copy of Hugelab without its recordings: the tools say that there are none
  }
  return { names, text: (name) => (names.includes(name) ? readFileSync(join(FOLDER, `${name}.json`), "utf8") : null) };
}
