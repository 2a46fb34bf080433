/** The browser host: the app's pages and its api on the loopback address, for whoever has the token of this launch. docs/app.md lists what it defends against. */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { FRAME_BYTES_MAX, WEB_PROTOCOL, type ServerFrame } from "../host/api/frames.ts";
import type { EventName, Method, Reply } from "../host/api/labApi.ts";
import { pageHeaders, rendererFile } from "../host/service/rendererFiles.ts";

/** What of the service is needed; tests give their own. */
export interface Answerer {
  call(method: unknown, params: unknown): Promise<Reply<Method>>;
  onEvent(listener: (name: EventName, payload: unknown) => void): () => void;
}

export interface WebHostOptions {
  readonly service: Answerer;
  /** folder of the built renderer */
  readonly pages: string;
  /** 0: any that is free */
  readonly port: number;
}

export interface WebHost {
  readonly port: number;
  /** with the token in its fragment, which browsers send to nobody */
  readonly url: string;
  close(): Promise<void>;
}

/** The address, never a name: a name can be made to lead elsewhere. */
const ADDRESS = "127.0.0.1";
const API_PATH = "/api";
const CLIENTS_MAX = 16;
/** calls of one client that wait for an answer */
const CALLS_MAX = 256;
/** bytes that wait to be sent to one client; beyond that it is told no progress */
const WAITING_BYTES_MAX = 4 * FRAME_BYTES_MAX;

/** Begins to listen. @throws as node:net, EADDRINUSE and EACCES among them */
export async function openWebHost(options: WebHostOptions): Promise<WebHost> {
  const token = randomBytes(32).toString("base64url");
  const server = createServer({ requestTimeout: 30_000, maxHeaderSize: 8192 });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES_MAX, handleProtocols: () => WEB_PROTOCOL, clientTracking: true });
  const { port } = await listen(server, options.port);
  const authority = `${ADDRESS}:${port}`;
  server.on("request", (request, response) => {
    void sendPage(request, response, { authority, pages: options.pages });
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => undefined);
    if (!isAllowed(request, authority, token) || sockets.clients.size >= CLIENTS_MAX) refuse(socket);
    else {
      sockets.handleUpgrade(request, socket, head, (client) => {
        serveClient(client, options.service);
      });
    }
  });
  return {
    port,
    url: `http://${authority}/#t=${token}`,
    close: () => closeAll(server, sockets),
  };
}

function listen(server: Server, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: ADDRESS, port, exclusive: true }, () => {
      server.off("error", reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

/** Host, origin and token must all be exactly ours: against other sites, other names for this address, other users of this machine. */
function isAllowed(request: IncomingMessage, authority: string, token: string): boolean {
  const { host, origin } = request.headers;
  if (request.url !== API_PATH || host !== authority || origin !== `http://${authority}`) return false;
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((part) => part.trim());
  return offered.includes(WEB_PROTOCOL) && offered.some((part) => isSame(part, `token.${token}`));
}

/** In a time that does not tell how much was right. */
function isSame(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

function refuse(socket: Duplex): void {
  socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

async function sendPage(request: IncomingMessage, response: ServerResponse, place: { readonly authority: string; readonly pages: string }): Promise<void> {
  const end = (status: number): void => {
    response.writeHead(status, { ...pageHeaders(".txt"), "content-length": "0" }).end();
  };
  if (request.headers.host !== place.authority) {
    end(421);
    return;
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    end(405);
    return;
  }
  const path = (request.url ?? "/").split(/[?#]/)[0];
  const file = rendererFile(place.pages, path);
  const body = file === null ? null : await readFile(file).catch(() => null);
  if (file === null || body === null) {
    end(404);
    return;
  }
  response.writeHead(200, { ...pageHeaders(file), "content-length": String(body.length) });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** One page: its calls are answered, events are passed on to it. What is no call closes the connection. */
function serveClient(client: WebSocket, service: Answerer): void {
  let waiting = 0;
  const send = (frame: ServerFrame): void => {
    if (client.readyState === client.OPEN) client.send(JSON.stringify(frame));
  };
  const stop = service.onEvent((name, payload) => {
    if (name === "progress" && client.bufferedAmount > WAITING_BYTES_MAX) return;
    send({ t: "event", name, payload });
  });
  client.on("close", stop);
  // too long a frame, or one that breaks the protocol: ws closes the connection itself
  client.on("error", () => undefined);
  client.on("message", (data, isBinary) => {
    const frame = isBinary ? null : parseCall(data as Buffer);
    if (frame === null || waiting >= CALLS_MAX) {
      client.close(1008);
      return;
    }
    waiting++;
    void service.call(frame.method, frame.params).then((reply) => {
      waiting--;
      send(reply.ok ? { t: "ok", id: frame.id, result: reply.result } : { t: "error", id: frame.id, error: reply.error });
    });
  });
}

/** A frame with a number to answer it by, or null. What it asks for is looked at by the service. */
function parseCall(data: Buffer): { readonly id: number; readonly method: unknown; readonly params: unknown } | null {
  let frame: unknown;
  try {
    frame = JSON.parse(data.toString("utf8"));
  } catch {
    return null;
  }
  if (typeof frame !== "object" || frame === null) return null;
  const { t, id, method, params } = frame as Readonly<Record<string, unknown>>;
  return t === "call" && typeof id === "number" && Number.isSafeInteger(id) && id > 0 ? { id, method, params } : null;
}

function closeAll(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const client of sockets.clients) client.terminate();
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
