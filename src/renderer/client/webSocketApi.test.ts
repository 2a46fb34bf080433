import { describe, expect, it } from "vitest";
import { FRAME_BYTES_MAX } from "../../host/api/frames.ts";
import { takeToken, type TokenPlace } from "./launchToken.ts";
import { WebSocketApi, type Carrier, type Socket } from "./webSocketApi.ts";

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((message: { readonly data: unknown }) => void) | null = null;
  readonly sent: { id: number; method: string; params: unknown }[] = [];
  readonly protocols: readonly string[];
  constructor(protocols: readonly string[]) {
    this.protocols = protocols;
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as never);
  }
  close(): void {
    this.onclose?.();
  }
  receive(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }
}

function desk(token: string | null = "t1") {
  const sockets: FakeSocket[] = [];
  const there = { host: false };
  const timers: { run: () => void; delayMs: number }[] = [];
  const carrier: Carrier = {
    open: (protocols) => {
      const socket = new FakeSocket(protocols);
      sockets.push(socket);
      return socket;
    },
    isThere: () => Promise.resolve(there.host),
    later: (run, delayMs) => {
      timers.push({ run, delayMs });
      return () => void timers.splice(0);
    },
  };
  return { api: new WebSocketApi(carrier, token), sockets, timers, there };
}

describe("WebSocketApi", () => {
  it("gives the token as a subprotocol, sends calls when it is open, and tells answers apart", async () => {
    const { api, sockets } = desk();
    const first = api.invoke("hello", {});
    const second = api.invoke("fidelity", {});
    const [socket] = sockets;
    expect(socket.protocols).toEqual(["hugelab.v1", "token.t1"]);
    expect(socket.sent).toEqual([]);
    socket.onopen?.();
    expect(socket.sent.map(({ method }) => method)).toEqual(["hello", "fidelity"]);
    socket.receive({ t: "error", id: socket.sent[1].id, error: { code: "storage", sentence: "no" } });
    socket.receive({ t: "ok", id: socket.sent[0].id, result: { version: "1" } });
    expect(await first).toEqual({ ok: true, result: { version: "1" } });
    expect(await second).toEqual({ ok: false, error: { code: "storage", sentence: "no" } });
  });

  it("survives frames that are nothing", async () => {
    const { api, sockets } = desk();
    sockets[0].onopen?.();
    const call = api.invoke("hello", {});
    for (const bad of ["", "{", "null", "[]", "3", '{"t":"ok","id":77}', '{"t":"event","name":"__proto__"}', '{"t":"event","name":"toString"}'])
      sockets[0].receive(bad);
    sockets[0].onmessage?.({ data: new Uint8Array(3) });
    sockets[0].receive({ t: "ok", id: sockets[0].sent[0].id, result: 1 });
    expect(await call).toEqual({ ok: true, result: 1 });
  });

  it("answers every call when the host goes, says so, and says so again when it is back", async () => {
    const { api, sockets, timers } = desk();
    const told: (string | null)[] = [];
    api.on("disconnected", ({ sentence }) => told.push(sentence));
    sockets[0].onopen?.();
    const open = api.invoke("hello", {});
    sockets[0].onclose?.();
    expect(await open).toMatchObject({ ok: false, error: { code: "gone" } });
    expect(await api.invoke("hello", {})).toMatchObject({ ok: false, error: { code: "gone" } });
    expect(told).toHaveLength(1);
    timers.shift()?.run();
    sockets[1].onopen?.();
    expect(told).toEqual([expect.stringContaining("connection"), null]);
    const again = api.invoke("hello", {});
    sockets[1].receive({ t: "ok", id: sockets[1].sent[0].id, result: 2 });
    expect(await again).toEqual({ ok: true, result: 2 });
  });

  it("waits longer and longer between attempts, and not when it is told to try now", () => {
    const { api, sockets, timers } = desk();
    for (let i = 0; i < 7; i++) {
      sockets[i].onclose?.();
      timers.at(-1)?.run();
    }
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([100, 250, 500, 1000, 2000, 2000, 2000]);
    sockets[7].onclose?.();
    api.reconnectNow();
    expect(sockets).toHaveLength(9);
  });

  it("says that a refused first connection is something else than a lost one", async () => {
    const { api, sockets } = desk();
    const call = api.invoke("hello", {});
    sockets[0].onclose?.();
    const reply = await call;
    expect(!reply.ok && reply.error.sentence).toContain("open the address");
  });

  it("says that waiting does not help when the host is back with another token", async () => {
    const { api, sockets, timers, there } = desk();
    const told: (string | null)[] = [];
    api.on("disconnected", ({ sentence }) => told.push(sentence));
    sockets[0].onopen?.();
    sockets[0].onclose?.();
    for (const host of [false, true]) {
      there.host = host;
      timers.at(-1)?.run();
      sockets.at(-1)?.onclose?.();
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(told).toEqual([expect.stringContaining("tried again"), expect.stringContaining("open the address")]);
  });

  it("asks for the whole address when there is no token", async () => {
    const { api, sockets } = desk(null);
    expect(sockets).toEqual([]);
    expect(await api.invoke("hello", {})).toMatchObject({ ok: false, error: { code: "gone" } });
  });

  it("does not send what the host would end the connection for", async () => {
    const { api, sockets } = desk();
    sockets[0].onopen?.();
    expect(await api.invoke("submit", { session: 1, line: "é".repeat(FRAME_BYTES_MAX / 2) })).toMatchObject({ ok: false, error: { code: "badCall" } });
    expect(sockets[0].sent).toEqual([]);
  });

  it("stops telling who stopped listening", () => {
    const { api, sockets } = desk();
    const told: string[] = [];
    const off = api.on("notice", ({ text }) => told.push(text));
    sockets[0].onopen?.();
    const frame = { t: "event", name: "notice", payload: { id: "1", severity: "info", text: "a" } };
    sockets[0].receive(frame);
    off();
    sockets[0].receive(frame);
    expect(told).toEqual(["a"]);
  });
});

describe("takeToken", () => {
  function place(hash: string, kept: string | null = null): TokenPlace & { readonly log: string[] } {
    const log: string[] = [];
    return {
      log,
      location: { hash, pathname: "/", search: "" },
      storage: { getItem: () => kept, setItem: (_, value) => void log.push(`kept ${value}`) },
      replaceAddress: (address) => void log.push(`address ${address}`),
    };
  }

  it("moves the token out of the address", () => {
    const at = place("#t=Ab_-9");
    expect(takeToken(at)).toBe("Ab_-9");
    expect(at.log).toEqual(["kept Ab_-9", "address /"]);
  });

  it("has it again after a reload, and takes nothing that is no token", () => {
    expect(takeToken(place("", "kept"))).toBe("kept");
    expect(takeToken(place("#t=a%20b", null))).toBeNull();
    expect(takeToken(place("#t=", null))).toBeNull();
    expect(takeToken(place("", "a b"))).toBeNull();
  });
});
