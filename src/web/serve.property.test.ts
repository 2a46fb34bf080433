import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { withDataFolder } from "../../tests/hostSupport.ts";
import { root } from "../../tests/support.ts";
import { WEB_PROTOCOL, type ServerFrame } from "../host/api/frames.ts";
import type { Method, Methods } from "../host/api/labApi.ts";

const child = join(root, "tests", "serveChild.ts");

/** A Hugelab's folder with pages that are built, and a folder for data. */
async function withPlace<T>(use: (place: { readonly root: string; readonly data: string }) => Promise<T>): Promise<T> {
  return withDataFolder(async (folder) => {
    const place = { root: join(folder, "hugelab"), data: join(folder, "data") };
    mkdirSync(join(place.root, "out", "renderer"), { recursive: true });
    writeFileSync(join(place.root, "out", "renderer", "index.html"), "<title>Hugelab</title>");
    writeFileSync(join(place.root, "package.json"), '{"version": "0.0.0"}');
    for (const name of ["labs", "conformance"]) symlinkSync(join(root, name), join(place.root, name));
    return use(place);
  });
}

class Host {
  readonly process: ChildProcess;
  stdout = "";
  stderr = "";

  constructor(
    place: { readonly root: string; readonly data: string },
    { port = 0, env = {} }: { readonly port?: number; readonly env?: NodeJS.ProcessEnv } = {},
  ) {
    this.process = spawn(process.execPath, [child, place.root, String(port)], {
      env: { ...process.env, HUGELAB_DATA: place.data, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.process.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  /** The address that it prints. */
  async url(): Promise<URL> {
    while (!/#t=\S+\n/.test(this.stdout)) {
      if (this.process.exitCode !== null) throw new Error(this.stderr);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return new URL(/http:\S+/.exec(this.stdout)?.[0] ?? "");
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const over = once(this.process, "close") as Promise<[number | null]>;
    this.process.kill(signal);
    return (await over)[0];
  }

  async over(): Promise<number | null> {
    const [status] = (await once(this.process, "close")) as [number | null];
    return status;
  }
}

/** A page: calls over the WebSocket, each answered once. */
class Page {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (frame: ServerFrame) => void>();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const frame = JSON.parse((data as Buffer).toString("utf8")) as ServerFrame;
      if (frame.t !== "event") this.#waiting.get(frame.id)?.(frame);
    });
    socket.on("error", () => undefined);
  }

  static async open(url: URL): Promise<Page> {
    const token = new URLSearchParams(url.hash.slice(1)).get("t") ?? "";
    const socket = new WebSocket(`ws://${url.host}/api`, [WEB_PROTOCOL, `token.${token}`], { origin: url.origin });
    await once(socket, "open");
    return new Page(socket);
  }

  async call<M extends Method>(method: M, params: Methods[M]["params"]): Promise<Methods[M]["result"]> {
    const id = ++this.#id;
    const frame = await new Promise<ServerFrame>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ t: "call", id, method, params }));
    });
    if (frame.t !== "ok") throw new Error(JSON.stringify(frame));
    return frame.result as Methods[M]["result"];
  }
}

/** each ends the process at another point of what it does, the same in every run */
const rounds = 6;

describe("the browser host", () => {
  it("killed in the middle of commands comes back with every step that was answered", async () => {
    await withPlace(async (place) => {
      let answered = 0;
      for (let round = 0; round < rounds; round++) {
        const host = new Host(place);
        const page = await Page.open(await host.url());
        const { learners, notices, saving } = await page.call("hello", {});
        expect({ notices, saving }).toEqual({ notices: [], saving: true });
        const learner = learners[0]?.id ?? (await page.call("createLearner", { name: "Kim" })).id;
        const { sessions } = await page.call("useLearner", { learner });
        const view =
          sessions.length === 0
            ? await page.call("openSandbox", { learner, profile: "debian-6.18.15", patches: [], config: [] })
            : await page.call("resumeSession", { learner, session: sessions[0].session });
        const { session, timeline } = view;
        expect(view.differences).toEqual([]);
        // what was answered is there; the step that was being done may be there too
        expect(timeline.current).toBeGreaterThanOrEqual(answered);
        expect(timeline.current).toBeLessThanOrEqual(answered + 1);
        answered = timeline.current;
        const over = host.over();
        const work = (async () => {
          for (let i = 0; ; i++) {
            // after two answers, however slow the machine is; then in the middle of something
            if (i === 2) setTimeout(() => host.process.kill("SIGKILL"), 3 + round * 29);
            const { step, notSaved } = await page.call("submit", { session, line: `mmap R${round}x${i} 2M rw private anon` });
            expect(notSaved).toBeNull();
            answered = step.current;
          }
        })();
        await Promise.race([over, work]);
      }
      expect(answered).toBeGreaterThan(rounds);
    });
  });

  it("ends on Ctrl-C with status 0, in the middle of a command too, and says so", async () => {
    await withPlace(async (place) => {
      const host = new Host(place);
      const page = await Page.open(await host.url());
      const { id: learner } = await page.call("createLearner", { name: "Kim" });
      const { session } = await page.call("openSandbox", { learner, profile: "debian-6.18.15", patches: [], config: [] });
      await page.call("submit", { session, line: "mmap A 3G rw private anon" });
      void page.call("submit", { session, line: "touch A 3G w step=64" }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await host.end("SIGINT")).toBe(0);
      expect(host.stderr).toMatch(/ended/);
      // the token is on stdout, once, and nowhere else
      expect(host.stdout.match(/#t=/g)).toHaveLength(1);
      expect(host.stderr).not.toContain("#t=");
    });
  });

  it("says in a sentence when its port is taken, its pages are not built, or there is no place for data", async () => {
    await withPlace(async (place) => {
      const other = createServer().listen(0, "127.0.0.1");
      await once(other, "listening");
      const { port } = other.address() as AddressInfo;
      const busy = new Host(place, { port });
      expect(await busy.over()).toBe(1);
      expect(busy.stderr).toMatch(new RegExp(`Port ${port} is in use`));
      other.close();

      const unbuilt = new Host({ ...place, root: place.data });
      expect(await unbuilt.over()).toBe(3);
      expect(unbuilt.stderr).toMatch(/not built/);

      for (const env of [
        { HUGELAB_DATA: "", XDG_DATA_HOME: "", HOME: "" },
        // below a file no folder can be made, by root neither
        { HUGELAB_DATA: "", XDG_DATA_HOME: "", HOME: join(place.root, "package.json") },
      ]) {
        const homeless = new Host(place, { env });
        const page = await Page.open(await homeless.url());
        const { saving, notices } = await page.call("hello", {});
        expect([saving, notices.length]).toEqual([false, 1]);
        expect(await homeless.end("SIGTERM")).toBe(0);
      }
    });
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === "win32")("works in a folder that cannot be written to", async () => {
    await withPlace(async (place) => {
      mkdirSync(place.data);
      chmodSync(place.data, 0o500);
      const host = new Host(place);
      const page = await Page.open(await host.url());
      expect((await page.call("hello", {})).saving).toBe(false);
      expect(await host.end("SIGTERM")).toBe(0);
    });
  });
});
