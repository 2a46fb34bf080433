/** A browser host of its own process, for tests that end it: `serveChild.ts ROOT PORT`. */
import { serve } from "../src/web/serve.ts";

const [, , root, port] = process.argv;
process.exitCode = await serve({ root, engineUrl: new URL("../src/host/service/engineWorker.ts", import.meta.url), port: Number(port), open: false });
