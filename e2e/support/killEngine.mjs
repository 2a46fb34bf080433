// Loaded into the host by a test (`node --import`): on SIGUSR2 every worker thread of it dies, as one that ran out of memory would. Nothing in the app knows of it.
import { createRequire, syncBuiltinESMExports } from "node:module";
import { Worker } from "node:worker_threads";

const threads = /** @type {{ Worker: typeof Worker }} */ (createRequire(import.meta.url)("node:worker_threads"));
/** @type {Set<Worker>} */
const running = new Set();

threads.Worker = new Proxy(Worker, {
  construct: (target, given, made) => {
    const worker = /** @type {Worker} */ (Reflect.construct(target, given, made));
    running.add(worker);
    worker.once("exit", () => running.delete(worker));
    return worker;
  },
});
syncBuiltinESMExports();
process.on("SIGUSR2", () => {
  for (const worker of running) void worker.terminate();
});
