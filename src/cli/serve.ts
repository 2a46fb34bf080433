import { fileURLToPath } from "node:url";
import { say } from "../i18n/format.ts";
import { parseCommandLine } from "./arguments.ts";
import { exitStatus } from "./exitStatus.ts";
import { shown } from "./shown.ts";

/** `hugelab serve [--port N] [--no-open]` */
export async function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("serve", args, { port: { type: "string" }, "no-open": { type: "boolean" } });
  if (parsed === null) return exitStatus.usage;
  const { values, positionals } = parsed;
  if (positionals.length > 0) {
    process.stderr.write(`${say("cli.serve.noWords", { word: shown(positionals[0]) })}\n`);
    return exitStatus.usage;
  }
  // storage and sockets are loaded for this command only
  const { readPort, serve } = await import("../web/serve.ts");
  const port = readPort(values.port);
  if (port === null) return exitStatus.usage;
  return serve({
    root: fileURLToPath(new URL("../..", import.meta.url)),
    engineUrl: new URL("../host/service/engineWorker.ts", import.meta.url),
    port,
    open: values["no-open"] !== true,
  });
}
