import { Worker } from "node:worker_threads";
import type { ProgramsRequest, ProgramsResult } from "../src/conform/randomPrograms/runPrograms.ts";

/** How the tests run programs: on two threads, on profiles of every structure. */

/** Half of the programs on the newest release, the others where structures differ. */
export const PROFILES = [
  "debian-6.18.15",
  "vm-6.18.44",
  "debian-6.18.15",
  "debian-6.12.107",
  "debian-6.18.15",
  "debian-6.1.176",
  "debian-6.18.15",
  "upstream-6.8",
  "debian-6.18.15",
  "upstream-5.19",
];

/** In a thread of plain Node: what a test runner puts around every import makes the simulator half as fast. */
const THREAD = `
const { parentPort, workerData } = require("node:worker_threads");
import(workerData.module).then(({ runPrograms }) => parentPort.postMessage(runPrograms(workerData.request)));
`;

export function inThread(request: ProgramsRequest): Promise<ProgramsResult> {
  const module = new URL("../src/conform/randomPrograms/runPrograms.ts", import.meta.url).href;
  const worker = new Worker(THREAD, { eval: true, workerData: { module, request } });
  return new Promise((resolve, reject) => {
    worker.once("message", (result) => resolve(result as ProgramsResult));
    worker.once("error", reject);
  });
}

const THREADS = 2;

/** The programs of a request shared out over the threads. */
export function runOnThreads(request: Omit<ProgramsRequest, "first" | "step">): Promise<ProgramsResult[]> {
  return Promise.all(Array.from({ length: THREADS }, (_, first) => inThread({ ...request, first, step: THREADS })));
}
