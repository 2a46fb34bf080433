import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { withDataFolder } from "../../tests/hostSupport.ts";
import { FRAME_BYTES_MAX, WEB_PROTOCOL } from "../host/api/frames.ts";
import type { EventName, Method, Reply } from "../host/api/labApi.ts";
import { PAGE_CSP } from "../host/service/rendererFiles.ts";
import { openWebHost, type Answerer, type WebHost } from "./webHost.ts";

/** Answers what it is asked with the question; a listener is kept for events. */
class Echo implements Answerer {
  readonly asked: unknown[] = [];
  readonly listeners = new Set<(name: EventName, payload: unknown) => void>();

  call(method: unknown, params: unknown): Promise<Reply<Method>> {
    this.asked.push(method);
    return Promise.resolve({ ok: true, result: { method, params } as never });
  }

  onEvent(listener: (name: EventName, payload: unknown) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}

let host: WebHost;
let service: Echo;
let token: string;
let finished: () => void;
let folder: Promise<void>;

beforeAll(async () => {
  service = new Echo();
  await new Promise<void>((ready) => {
    folder = withDataFolder(async (top) => {
      const pages = join(top, "pages");
      mkdirSync(join(pages, "assets"), { recursive: true });
      writeFileSync(join(pages, "index.html"), "<title>here</title>");
      writeFileSync(join(pages, "assets", "a.js"), "1");
      writeFileSync(join(top, "secret.txt"), "secret");
      symlinkSync(join(top, "pages"), join(top, "other"));
      host = await openWebHost({ service, pages, port: 0 });
      token = host.url.split("#t=")[1];
      ready();
      await new Promise<void>((end) => {
        finished = end;
      });
      await host.close();
    });
  });
});

afterAll(async () => {
  finished();
  await folder;
});

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function get(path: string, options: { readonly method?: string; readonly host?: string } = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const ask = request({
      host: "127.0.0.1",
      port: host.port,
      path,
      method: options.method ?? "GET",
      headers: { host: options.host ?? `127.0.0.1:${host.port}` },
    });
    ask.on("error", reject);
    ask.on("response", (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    ask.end();
  });
}

interface Door {
  readonly path?: string;
  readonly origin?: string | null;
  readonly host?: string;
  readonly protocols?: readonly string[];
}

/** Connects as a page would. @returns the socket, or the status of the refusal */
function knock({ path = "/api", origin, host: name, protocols = [WEB_PROTOCOL, `token.${token}`] }: Door = {}): Promise<WebSocket | number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${host.port}${path}`, [...protocols], {
      headers: { ...(origin === null ? {} : { origin: origin ?? `http://127.0.0.1:${host.port}` }), ...(name === undefined ? {} : { host: name }) },
    });
    socket.on("open", () => {
      resolve(socket);
    });
    socket.on("unexpected-response", (_, response) => {
      resolve(response.statusCode ?? 0);
      socket.terminate();
    });
    socket.on("error", () => undefined);
  });
}

async function connected(): Promise<WebSocket> {
  const socket = await knock();
  if (typeof socket === "number") throw new Error(`refused: ${socket}`);
  return socket;
}

const next = (socket: WebSocket): Promise<unknown> =>
  new Promise((resolve) => {
    socket.once("message", (data) => {
      resolve(JSON.parse((data as Buffer).toString("utf8")));
    });
  });
const closed = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => {
    socket.once("close", resolve);
  });

describe("the door", () => {
  it("opens for the page of this launch, and says the protocol but not the token", async () => {
    const socket = await connected();
    expect(socket.protocol).toBe(WEB_PROTOCOL);
    socket.close();
  });

  it.each([
    ["a wrong token", () => ({ protocols: [WEB_PROTOCOL, `token.${"A".repeat(token.length)}`] })],
    ["the beginning of the token", () => ({ protocols: [WEB_PROTOCOL, `token.${token.slice(0, -1)}`] })],
    ["no token", () => ({ protocols: [WEB_PROTOCOL] })],
    ["no protocol of ours", () => ({ protocols: [`token.${token}`] })],
    ["nothing at all", () => ({ protocols: [] })],
    ["another site", () => ({ origin: "http://example.org" })],
    ["another port of this machine", () => ({ origin: "http://127.0.0.1:1" })],
    ["our address with https", () => ({ origin: `https://127.0.0.1:${host.port}` })],
    ["no origin", () => ({ origin: null })],
    ["a null origin", () => ({ origin: "null" })],
    ["another name for this address", () => ({ host: `evil.example:${host.port}` })],
    ["localhost", () => ({ host: `localhost:${host.port}`, origin: `http://localhost:${host.port}` })],
    ["another path", () => ({ path: "/" })],
    ["the path with a query", () => ({ path: "/api?x" })],
  ])("stays shut for %s", async (_, door) => {
    expect(await knock(door())).toBe(403);
  });

  it("is on the loopback address only", () => {
    expect(new URL(host.url).hostname).toBe("127.0.0.1");
    expect(token).toMatch(/^[\w-]{43}$/);
  });

  it("stands what is no HTTP", async () => {
    const socket = connect(host.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write("GET /api HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\u0000\u0001");
    await new Promise((resolve) => socket.on("close", resolve).resume());
    expect((await get("/")).status).toBe(200);
  });
});

describe("pages", () => {
  it("come with a policy that lets nothing in from elsewhere", async () => {
    const page = await get("/");
    expect(page).toMatchObject({ status: 200, body: "<title>here</title>" });
    expect(page.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": PAGE_CSP,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
      "cache-control": "no-store",
    });
    expect(page.headers).not.toHaveProperty("access-control-allow-origin");
    expect((await get("/assets/a.js?x#y")).headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(await get("/", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  });

  it.each([
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/assets/../../secret.txt",
    "/..%5csecret.txt",
    "/%00",
    "/%",
    "//etc/passwd",
    "/nothing",
    "/assets",
  ])("that are none, or lie outside, are not there: %s", async (path) => {
    expect(await get(path)).toMatchObject({ status: 404, body: "" });
  });

  it("are for our own name only, and only to be read", async () => {
    expect((await get("/", { host: `evil.example:${host.port}` })).status).toBe(421);
    expect((await get("/", { host: `localhost:${host.port}` })).status).toBe(421);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"]) expect((await get("/", { method })).status).toBe(405);
  });
});

describe("calls", () => {
  it("are answered with their number, whatever they ask for", async () => {
    const socket = await connected();
    socket.send(JSON.stringify({ t: "call", id: 7, method: "constructor", params: { a: 1 } }));
    expect(await next(socket)).toEqual({ t: "ok", id: 7, result: { method: "constructor", params: { a: 1 } } });
    socket.close();
  });

  it.each([
    ["no JSON", "{"],
    ["null", "null"],
    ["a list", "[1]"],
    ["another kind of frame", JSON.stringify({ t: "event", id: 1, method: "hello", params: {} })],
    ["a number that is none", JSON.stringify({ t: "call", id: "1", method: "hello", params: {} })],
    ["a number below 1", JSON.stringify({ t: "call", id: 0, method: "hello", params: {} })],
    ["deep nesting", "[".repeat(200_000)],
  ])("that are %s close the connection", async (_, text) => {
    const socket = await connected();
    const end = closed(socket);
    socket.send(text);
    expect(await end).toBe(1008);
  });

  it("in binary, or longer than a frame may be, close it too; others are not disturbed", async () => {
    const [other, binary, long] = [await connected(), await connected(), await connected()];
    const ends = [closed(binary), closed(long)];
    binary.send(Buffer.from(JSON.stringify({ t: "call", id: 1, method: "hello", params: {} })), { binary: true });
    long.send("x".repeat(FRAME_BYTES_MAX + 1));
    expect(await Promise.all(ends)).toEqual([1008, 1009]);
    other.send(JSON.stringify({ t: "call", id: 2, method: "hello", params: {} }));
    expect(await next(other)).toMatchObject({ id: 2 });
    other.close();
  });
});

describe("events", () => {
  it("reach every page, and nobody listens for one that is closed", async () => {
    const pages = [await connected(), await connected()];
    const heard = pages.map(next);
    for (const listener of service.listeners) listener("notice", { id: "x" });
    expect(await Promise.all(heard)).toEqual([
      { t: "event", name: "notice", payload: { id: "x" } },
      { t: "event", name: "notice", payload: { id: "x" } },
    ]);
    const ends = pages.map(closed);
    for (const page of pages) page.close();
    await Promise.all(ends);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(service.listeners.size).toBe(0);
  });

  it("and connections beyond a number of pages are refused", async () => {
    const sockets: WebSocket[] = [];
    let refused = 0;
    for (let i = 0; i < 20; i++) {
      const socket = await knock();
      if (typeof socket === "number") refused++;
      else sockets.push(socket);
    }
    expect([sockets.length, refused]).toEqual([16, 4]);
    await Promise.all(
      sockets.map((socket) => {
        const end = closed(socket);
        socket.close();
        return end;
      }),
    );
  });
});

it("a busy port is refused", async () => {
  await expect(openWebHost({ service, pages: "/nowhere", port: host.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});
