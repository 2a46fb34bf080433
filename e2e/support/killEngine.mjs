// Loaded into the host by a test (`node --import`): on SIGUSR2 every worker thread of it dies, as one that ran out of memory would. Nothing in the app knows of it.
import { createRequire, syncBuiltinESMExports } from "node:module";

const threads = createRequire(import.meta.url)("node:worker_threads");
/** @type {Set<import("node:worker_threads").Worker>} */
const running = new Set();

threads.Worker = class extends threads.Worker {
  /** @param {[string | URL, import("node:worker_threads").WorkerOptions?]} given */
  constructor(...given) {
    super(...given);
    running.add(this);
    this.once("exit", () => running.delete(this));
  }
};
syncBuiltinESMExports();
process.on("SIGUSR2", () => {
  for (const worker of running) void worker.terminate();
});
