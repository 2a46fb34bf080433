import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readFidelity } from "../conform/fidelity.ts";
import { fidelityView } from "../host/engine/fidelityView.ts";
import { say, sentence } from "../i18n/format.ts";
import { parseCommandLine } from "./arguments.ts";
import { exitStatus } from "./exitStatus.ts";
import { writeOut } from "./writeOut.ts";

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");

/** `hugelab fidelity`: the committed measurement, as the app shows it. */
export async function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("fidelity", args, {});
  if (parsed === null) return exitStatus.usage;
  let content: unknown = null;
  try {
    content = JSON.parse(read("conformance/fidelity.json"));
  } catch {
    // told as a file that is none
  }
  const fidelity = readFidelity(content);
  if (fidelity === null) {
    process.stderr.write(`${say("host.fidelity.missing", { what: "conformance/fidelity.json" })}\n`);
    return exitStatus.unavailable;
  }
  const { version } = JSON.parse(read("package.json")) as { readonly version: string };
  await writeOut(`${fidelityView(fidelity, version, sentence).twin.join("\n")}\n`);
  return 0;
}
