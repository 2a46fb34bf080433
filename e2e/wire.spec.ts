/** The browser host and those who are not its page: wrong token, origin, host; frames that make no sense; files outside the renderer. */
import { connect } from "node:net";
import WebSocket from "ws";
import { FRAME_BYTES_MAX, WEB_PROTOCOL } from "../src/host/api/frames.ts";
import { say } from "../src/i18n/format.ts";
import { expect, test } from "./support/fixtures.ts";
import type { Host } from "./support/host.ts";

interface Attempt {
  readonly protocols?: readonly string[];
  readonly origin?: string;
  readonly hostHeader?: string;
}

/** "open", or what the host said instead. */
function attempt(
  { origin, token }: Host,
  { protocols = [WEB_PROTOCOL, `token.${token}`], origin: from = origin, hostHeader = new URL(origin).host }: Attempt = {},
): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${origin.replace("http", "ws")}/api`, [...protocols], { origin: from, headers: { host: hostHeader } });
    socket.on("open", () => {
      socket.close();
      resolve("open");
    });
    socket.on("error", (error) => {
      resolve(error.message);
    });
  });
}

function hostOf(host: Host | null): Host {
  if (host === null) throw new Error("no browser host");
  return host;
}

test("refuses a wrong token, origin and host, and no others", async ({ app }) => {
  const host = hostOf(app.host);
  expect(await attempt(host)).toBe("open");
  const wrong: readonly Attempt[] = [
    { protocols: [WEB_PROTOCOL] },
    { protocols: [WEB_PROTOCOL, "token.nope"] },
    { protocols: [WEB_PROTOCOL, `token.${host.token}x`] },
    { protocols: [`token.${host.token}`] },
    { origin: "http://evil.example" },
    { origin: "null" },
    { origin: host.origin.replace("127.0.0.1", "localhost") },
    { hostHeader: "evil.example" },
    { hostHeader: `localhost:${new URL(host.origin).port}` },
  ];
  for (const one of wrong) expect([one, await attempt(host, one)]).toEqual([one, expect.stringMatching(/40[03]|421/)]);
});

test("serves the renderer's files under its own name and nothing else", async ({ app }) => {
  const host = hostOf(app.host);
  const page = await fetch(`${host.origin}/`);
  expect(page.status).toBe(200);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  for (const path of ["/..%2f..%2fpackage.json", "/%2e%2e/%2e%2e/package.json", "/..%5c..%5cpackage.json", "/%00", "/nothing.js"]) {
    expect([path, (await fetch(host.origin + path)).status]).toEqual([path, 404]);
  }
  expect((await fetch(`${host.origin}/`, { method: "POST" })).status).toBe(405);
  // another name for this machine: what a page elsewhere can make a browser believe. fetch would set the header itself
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(new URL(host.origin).port), "127.0.0.1", () =>
      socket.write("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
    );
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("end", () => {
      resolve(text);
    });
    socket.on("error", reject);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/);
  expect(answer).not.toContain("<title>");
});

test("survives frames that make no sense, and answers the next one", async ({ app, lab }) => {
  const host = hostOf(app.host);
  const send = (frame: string | Uint8Array): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${host.origin.replace("http", "ws")}/api`, [WEB_PROTOCOL, `token.${host.token}`], { origin: host.origin });
      socket.on("open", () => {
        socket.send(frame);
      });
      socket.on("message", (data: Buffer) => {
        resolve(data.toString());
        socket.close();
      });
      socket.on("close", (code) => {
        resolve(`closed ${code}`);
      });
      socket.on("error", () => undefined);
    });
  const call = (method: unknown, params: unknown): string => JSON.stringify({ t: "call", id: 1, method, params });
  const bad = [
    "",
    "{",
    "null",
    "[]",
    new Uint8Array([0xff, 0xfe]),
    call("constructor", {}),
    call("__proto__", {}),
    call("submit", { session: 999, line: "x" }),
    call("submit", { session: "1", line: 7 }),
    call("createLearner", { name: "x".repeat(100_000) }),
    `{"t":"call","id":1,"method":"hello","params":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    "x".repeat(FRAME_BYTES_MAX + 1),
  ];
  for (const frame of bad)
    expect([String(frame).slice(0, 60), await send(frame)]).toEqual([String(frame).slice(0, 60), expect.stringMatching(/"t":"error"|closed/)]);
  expect(await send(call("hello", {}))).toContain('"t":"ok"');
  await lab.sandboxAs("Ada");
  expect(await lab.terminal.run("mmap A 8M rw private anon")).toContain("= A");
});

test("a page without the token says what to do, in one sentence", async ({ app, watch }) => {
  watch.expectErrors(/WebSocket|403/);
  const context = await app.page.context().browser()?.newContext();
  if (context === undefined) throw new Error("no browser");
  const page = await context.newPage();
  await page.goto(`${hostOf(app.host).origin}/`);
  await expect(page.getByTestId("unreachable")).toContainText(say("renderer.client.noToken"));
  await page.goto(`${hostOf(app.host).origin}/#t=wrong`);
  await expect(page.getByTestId("unreachable")).toContainText(say("renderer.client.refused"));
  await context.close();
});

test("the token leaves the address at once, and a reload still works", async ({ app, lab }) => {
  expect(app.page.url()).not.toContain("t=");
  await app.page.reload();
  await lab.beginAs("Ada");
});
