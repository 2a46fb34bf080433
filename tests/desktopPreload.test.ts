/** The bridge of preload, against a fake of the two modules that a sandboxed preload may import. */
import type { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import type * as Electron from "electron";
import { expect, it, vi } from "vitest";
import type { LabApi } from "../src/host/api/labApi.ts";
import { METHODS } from "../src/host/api/names.ts";

const { bridge, exposed, invoked } = vi.hoisted(() => ({
  bridge: { emitter: null as EventEmitter | null },
  exposed: new Map<string, unknown>(),
  invoked: [] as unknown[][],
}));

vi.mock("electron", async () => {
  const { EventEmitter: Emitter } = await import("node:events");
  const emitter = new Emitter();
  bridge.emitter = emitter;
  const contextBridge: Pick<Electron.ContextBridge, "exposeInMainWorld"> = {
    exposeInMainWorld: (name: string, api: unknown) => void exposed.set(name, api),
  };
  const ipcRenderer = Object.assign(emitter, {
    invoke: (...args: unknown[]) => {
      invoked.push(args);
      return Promise.resolve({ ok: true, result: {} });
    },
  }) satisfies Pick<Electron.IpcRenderer, "invoke">;
  return { contextBridge, ipcRenderer };
});

await import("../src/preload/index.ts");
const api = exposed.get("hugelab") as LabApi;
const fire = (...message: unknown[]): unknown => bridge.emitter?.emit("hugelab", { sender: "the event object" }, ...message);

it("gives the page one name, with functions and a word, nothing of Electron", () => {
  expect([...exposed.keys()]).toEqual(["hugelab"]);
  expect(Object.entries(api).map(([name, value]) => [name, typeof value])).toEqual([
    ["host", "string"],
    ["invoke", "function"],
    ["on", "function"],
  ]);
  expect(api.host).toBe("electron");
});

it("calls methods of the list, and no others", async () => {
  for (const method of METHODS) await api.invoke(method, {});
  expect(invoked).toEqual(METHODS.map((method) => ["hugelab", method, {}]));
  for (const name of ["constructor", "__proto__", "", "hugelab:other"]) await expect(api.invoke(name as "hello", {})).rejects.toThrow(TypeError);
  expect(invoked).toHaveLength(METHODS.length);
});

it("hands over payloads of events of the list, never the event itself, until told to stop", () => {
  const got: unknown[][] = [];
  const stop = api.on("progress", (...args: unknown[]) => void got.push(args));
  fire("progress", { session: 1, operationsDone: 2 });
  fire("notice", { id: "x" });
  expect(got).toEqual([[{ session: 1, operationsDone: 2 }]]);
  stop();
  fire("progress", { session: 1, operationsDone: 3 });
  expect(got).toHaveLength(1);
  expect(() => api.on("error" as "progress", () => undefined)).toThrow(TypeError);
  expect(bridge.emitter?.listenerCount("hugelab")).toBe(0);
});

it("imports nothing that a sandboxed preload cannot have", () => {
  const texts = ["preload/index.ts", "host/api/ipc.ts", "host/api/names.ts"].map((name) => readFileSync(new URL(`../src/${name}`, import.meta.url), "utf8"));
  const values = texts.flatMap((text) => [...text.matchAll(/^import (?!type\b).* from "([^"]+)";$/gm)].map(([, from]) => from));
  expect(values.sort()).toEqual(["../host/api/ipc.ts", "../host/api/names.ts", "electron"]);
});
