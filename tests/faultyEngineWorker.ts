/** The engine's worker for tests of supervision: some lines, which no learner could type, end the thread in the ways in which one can end. */
import { parentPort, workerData } from "node:worker_threads";
import { sentence } from "../src/i18n/format.ts";
import { makeEngine } from "../src/host/engine/engine.ts";
import type { ToEngine } from "../src/host/engine/protocol.ts";

const port = parentPort;
if (port === null) throw new Error("a worker thread only");
const engine = makeEngine({
  send: (message) => {
    port.postMessage(message);
  },
  flags: new Int32Array((workerData as { readonly flags: SharedArrayBuffer }).flags),
  nowMs: () => performance.now(),
  render: sentence,
});

const faults: Readonly<Record<string, () => void>> = {
  "\u0000exit": () => process.exit(9),
  "\u0000throw": () => {
    throw new Error("kernel/mm/fault.ts: bugOn at /home/kim/secret/place/file.ts:3:4");
  },
  "\u0000spin": () => {
    for (;;);
  },
  "\u0000memory": () => {
    const kept: unknown[] = [];
    // some 50 MB a second: as fast as a real leak would at most be
    for (;;) {
      kept.push(Array.from({ length: 20_000 }, (_, i) => ({ i })));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  },
};

port.on("message", (message: ToEngine) => {
  if (message.kind === "call") {
    const { line } = message.params as { readonly line?: unknown };
    // a call that the schemas would never let through: the engine itself must stand it
    if (line === "\u0000assert") {
      engine.receive({ ...message, method: "picture", params: { request: { kind: "nothing" } } });
      return;
    }
    if (typeof line === "string" && Object.hasOwn(faults, line)) faults[line]();
  }
  engine.receive(message);
});
