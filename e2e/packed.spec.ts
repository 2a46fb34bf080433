/**
 * What electron-builder packs, made with a stub in place of Electron's binary, which is not here: the tree has what it should, its fuses
 * are flipped, and its host entry runs under Node 24 from the archive's own content, with labs, fidelity and database. No network.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { extractAll, listPackage } from "@electron/asar";
import WebSocket from "ws";
import { WEB_PROTOCOL, type ServerFrame } from "../src/host/api/frames.ts";
import type { Method, Methods, Reply } from "../src/host/api/labApi.ts";
import { builderArguments } from "../tools/pack.mjs";
import { ROOT } from "./support/binaries.ts";
import { expect, test } from "./support/fixtures.ts";
import { startHost, type Host } from "./support/host.ts";

/** where Electron's binary keeps its fuses: this text, a version, their number, one character for each */
const SENTINEL = "dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX";
const NAMES = [
  "runAsNode",
  "cookieEncryption",
  "nodeOptions",
  "nodeInspect",
  "asarIntegrity",
  "onlyAsar",
  "ownSnapshot",
  "fileProtocolPrivileges",
  "wasmTrapHandlers",
];
/** as Electron ships them */
const WIRE = "101100011";

/** A folder that electron-builder takes for an unpacked Electron. */
function stubElectron(folder: string): string {
  mkdirSync(join(folder, "resources"), { recursive: true });
  mkdirSync(join(folder, "locales"));
  writeFileSync(join(folder, "locales", "en-US.pak"), "");
  writeFileSync(join(folder, "electron"), Buffer.concat([Buffer.from(`#!/bin/false\n${SENTINEL}`), Buffer.from([1, WIRE.length]), Buffer.from(WIRE)]), {
    mode: 0o755,
  });
  return folder;
}

function fusesOf(binary: string): Record<string, string> {
  const bytes = readFileSync(binary);
  const wire = bytes.indexOf(SENTINEL) + SENTINEL.length + 2;
  return Object.fromEntries(NAMES.map((name, at) => [name, bytes[wire + at] === "1".charCodeAt(0) ? "on" : "off"]));
}

/** One call over the wire, as a page makes it. */
function call<M extends Method>(host: Host, method: M, params: Methods[M]["params"]): Promise<Reply<M>> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${host.origin.replace("http", "ws")}/api`, [WEB_PROTOCOL, `token.${host.token}`], { origin: host.origin });
    socket.on("error", reject);
    socket.on("open", () => {
      socket.send(JSON.stringify({ t: "call", id: 1, method, params }));
    });
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString("utf8")) as ServerFrame;
      if (frame.t === "event") return;
      socket.close();
      resolve(frame.t === "ok" ? { ok: true, result: frame.result as Methods[M]["result"] } : { ok: false, error: frame.error });
    });
  });
}

async function resultOf<M extends Method>(host: Host, method: M, params: Methods[M]["params"]): Promise<Methods[M]["result"]> {
  const reply = await call(host, method, params);
  if (!reply.ok) throw new Error(`${method}: ${reply.error.sentence}`);
  return reply.result;
}

test("the packed tree has what it needs, is fused, and its host runs", async ({ data }) => {
  test.setTimeout(180_000);
  const output = join(data, "packed");
  const dist = stubElectron(join(data, "electron"));
  const { status, stdout, stderr } = spawnSync(process.execPath, builderArguments({ dist, output }, ["--linux", "--x64"]), { cwd: ROOT, encoding: "utf8" });
  expect([status, status === 0 ? "" : stdout + stderr]).toEqual([0, ""]);

  const tree = join(output, "linux-unpacked");
  const archive = join(tree, "resources", "app.asar");
  const files = listPackage(archive, { isPack: false });
  for (const file of [
    "/package.json",
    "/out/main/index.js",
    "/out/main/host.js",
    "/out/main/engine.js",
    "/out/preload/index.cjs",
    "/out/renderer/index.html",
    "/conformance/fidelity.json",
  ]) {
    expect(files).toContain(file);
  }
  expect(files.filter((file) => /^\/labs\/[^/]+\/pack\.json$/.test(file))).not.toEqual([]);
  // native modules lie beside the archive, for this system alone; no Node, no sources, no tests
  expect(files.filter((file) => /node_modules\/(node-(linux|win)|electron|svelte|typescript)/.test(file))).toEqual([]);
  expect(new Set(files.map((file) => file.split("/")[1]))).toEqual(new Set(["conformance", "labs", "node_modules", "out", "package.json", "resources"]));
  const unpacked = join(tree, "resources", "app.asar.unpacked", "node_modules", "better-sqlite3", "prebuilds");
  expect(readdirSync(unpacked)).toEqual(["linux-x64.node"]);

  expect(fusesOf(join(tree, "hugelab-desktop"))).toEqual({
    runAsNode: "off",
    cookieEncryption: "on",
    nodeOptions: "off",
    nodeInspect: "off",
    asarIntegrity: "on",
    onlyAsar: "on",
    ownSnapshot: "off",
    fileProtocolPrivileges: "off",
    // nothing is said about it, so it stays
    wasmTrapHandlers: "on",
  });

  // Node reads no archives: its content, with what lies beside it, somewhere where no node_modules of ours is above it
  const content = join(data, "content");
  extractAll(archive, content);
  expect(existsSync(join(content, "node_modules", "better-sqlite3", "prebuilds", "linux-x64.node"))).toBe(true);
  const host = await startHost(join(data, "progress"), 0, join(content, "out", "main", "host.js"));
  try {
    const hello = await resultOf(host, "hello", {});
    expect([hello.saving, hello.notices]).toEqual([true, []]);
    const learner = await resultOf(host, "createLearner", { name: "Ada" });
    const labs = await resultOf(host, "listLabs", { learner: learner.id });
    expect(labs.length).toBeGreaterThanOrEqual(3);
    const fidelity = await resultOf(host, "fidelity", {});
    expect(fidelity.rows.length).toBeGreaterThan(0);
    const session = await resultOf(host, "openLab", { learner: learner.id, packId: labs[0].packId, labId: labs[0].labId, anew: false });
    const { step, notSaved } = await resultOf(host, "submit", { session: session.session, line: "mmap A 8M rw private anon" });
    expect([step.made, notSaved]).toEqual([1, null]);
    const page = await fetch(`${host.origin}/`);
    expect(await page.text()).toContain("<script");
  } finally {
    await host.stop();
  }
  expect(existsSync(join(data, "progress", "progress.db"))).toBe(true);
});
