/** What runs in the worker thread: the engine, given its port, the shared flags and a clock. Started by engineThread.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { sentence } from "../../i18n/format.ts";
import { makeEngine } from "../engine/engine.ts";
import type { ToEngine } from "../engine/protocol.ts";

const port = parentPort;
if (port === null) throw new Error("engineWorker runs as a worker thread only");
const { flags } = workerData as { readonly flags: SharedArrayBuffer };

const engine = makeEngine({
  send: (message) => {
    port.postMessage(message);
  },
  flags: new Int32Array(flags),
  nowMs: () => performance.now(),
  render: sentence,
});
port.on("message", (message: ToEngine) => {
  engine.receive(message);
});
