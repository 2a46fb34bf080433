/** From a command to its picture, over the WebSocket and back, with a million mapped pages: what a learner waits for. Everything is in between: check, engine, saving, JSON. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { WEB_PROTOCOL, type ServerFrame } from "../src/host/api/frames.ts";
import type { Method, Methods } from "../src/host/api/labApi.ts";
import type { PictureRequest } from "../src/observe/picture/model.ts";
import { openService } from "../src/host/service/openService.ts";
import { openWebHost } from "../src/web/webHost.ts";
import { expect } from "./lib/machines.ts";
import { quantile, report, timeText, type Row } from "./lib/measure.ts";

const ROUNDS = 100;
const WARM_UP = 10;
const PAGES = 1 << 20;
const BAR_NS = 50e6;

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "hugelab-bench-"));
const pages = join(folder, "pages");
mkdirSync(pages);
writeFileSync(join(pages, "index.html"), "");
const service = await openService({
  host: "browser",
  root,
  dataFolder: join(folder, "data"),
  engineUrl: new URL("../src/host/service/engineWorker.ts", import.meta.url),
  version: "0.0.0",
});
const host = await openWebHost({ service, pages, port: 0 });
const url = new URL(host.url);
const socket = new WebSocket(`ws://${url.host}/api`, [WEB_PROTOCOL, `token.${new URLSearchParams(url.hash.slice(1)).get("t") ?? ""}`], { origin: url.origin });
await new Promise((resolve) => socket.once("open", resolve));
const waiting = new Map<number, (frame: ServerFrame) => void>();
socket.on("message", (data) => {
  const frame = JSON.parse((data as Buffer).toString("utf8")) as ServerFrame;
  if (frame.t !== "event") waiting.get(frame.id)?.(frame);
});
let lastId = 0;

async function call<M extends Method>(method: M, params: Methods[M]["params"]): Promise<Methods[M]["result"]> {
  const id = ++lastId;
  const frame = await new Promise<ServerFrame>((resolve) => {
    waiting.set(id, resolve);
    socket.send(JSON.stringify({ t: "call", id, method, params }));
  });
  waiting.delete(id);
  if (frame.t !== "ok") throw new Error(JSON.stringify(frame));
  return frame.result as Methods[M]["result"];
}

async function measure(name: string, work: (round: number) => Promise<unknown>, barNs: number | null): Promise<Row> {
  const samples: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const start = process.hrtime.bigint();
    await work(round);
    if (round >= WARM_UP) samples.push(Number(process.hrtime.bigint() - start));
  }
  const p95 = quantile(samples, 0.95);
  return {
    name: `${name}: 95% of ${ROUNDS}`,
    measured: timeText(p95),
    range: `${timeText(quantile(samples, 0.1))} .. ${timeText(quantile(samples, 0.9))}`,
    bar: barNs === null ? "-" : `< ${timeText(barNs)}`,
    verdict: barNs === null ? "-" : p95 < barNs ? "ok" : "over",
    failing: false,
  };
}

await call("hello", {});
const { id: learner } = await call("createLearner", { name: "bench" });
const { session } = await call("openSandbox", { learner, profile: "vm-6.18.44", patches: [], config: [] });
await call("submit", { session, line: "mmap A 5G rw private anon" });
await call("submit", { session, line: "touch A 4G w" });
const status = await call("submit", { session, line: "grep VmRSS /proc/self/status" });
const rssKb = Number(/(\d+) kB/.exec(status.step.output.map(({ text }) => text).join(""))?.[1]);
expect("pages mapped", rssKb / 4 >= PAGES ? PAGES : rssKb / 4, PAGES);

const touchLine = (round: number): string => `touch A+4G+${round * 64}k 64k w`;
const requests: readonly (readonly [string, PictureRequest])[] = [
  ["address space", { kind: "addressSpace", process: null, first: 0, count: 200, cells: 512 }],
  ["page tables", { kind: "pageTables", process: null, address: null, level: null }],
  ["memory, 128 MiB cells", { kind: "physical", firstPfn: 0, cells: 192, pagesPerCell: 32768, selected: null }],
  ["memory, 4096 cells of 2 MiB", { kind: "physical", firstPfn: 0, cells: 4096, pagesPerCell: 512, selected: null }],
  ["counters", { kind: "counters", filter: "", changedOnly: false }],
];
const rows: Row[] = [
  await measure("a call that nobody works for", () => call("fidelity", {}), null),
  await measure("a call that the engine answers", () => call("timeline", { session, first: 0, count: 1 }), null),
  await measure("a line, saved", (round) => call("submit", { session, line: touchLine(round) }), null),
  await measure("a step back or forward, saved", (round) => call("move", { session, to: round % 2 === 0 ? "back" : "forward" }), null),
];
let line = ROUNDS + WARM_UP;
for (const [name, request] of requests) {
  rows.push(
    await measure(
      `a line and its picture (${name})`,
      () => Promise.all([call("submit", { session, line: touchLine(line++) }), call("picture", { session, request })]),
      BAR_NS,
    ),
  );
}
report(rows, null);
socket.terminate();
await host.close();
await service.close();
rmSync(folder, { recursive: true, force: true });
