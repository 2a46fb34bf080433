/** The browser host's entry when it was built (out/main/host.js), and from the sources. `hugelab serve` does the same through cli/. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { say } from "../i18n/format.ts";
import { readPort, serve } from "./serve.ts";

// Given as a value, so that no bundler takes the worker's source for a file of its own (stack.md section 8).
const worker = import.meta.filename.endsWith(".ts") ? "../host/service/engineWorker.ts" : "./engine.js";

async function main(): Promise<number> {
  let port: number | null;
  let open: boolean;
  try {
    const { values } = parseArgs({ options: { port: { type: "string" }, "no-open": { type: "boolean" } } });
    port = readPort(values.port);
    open = values["no-open"] !== true;
  } catch (error) {
    process.stderr.write(`${say("web.usage", { what: error instanceof Error ? error.message : String(error) })}\n`);
    return 2;
  }
  if (port === null) return 2;
  return serve({ root: join(import.meta.dirname, "..", ".."), engineUrl: new URL(worker, import.meta.url), port, open });
}

process.exitCode = await main();
