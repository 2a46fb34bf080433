/** The entry of the desktop app as Electron loads it: it is evaluated to its end before "ready" comes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import type { ServiceOptions } from "../src/host/service/openService.ts";
import { root } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "hugelab-entry-"));
const { electron, opened } = await vi.hoisted(async () => {
  const { FakeElectron } = await import("./fakeElectron.ts");
  return { electron: new FakeElectron(), opened: [] as ServiceOptions[] };
});

vi.mock("electron", () => electron.parts());
vi.mock("../src/host/service/openService.ts", () => ({
  openService: (options: ServiceOptions) => {
    opened.push(options);
    return Promise.resolve({ call: () => Promise.resolve({ ok: true, result: {} }), onEvent: () => () => undefined, close: () => Promise.resolve() });
  },
}));

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it("is evaluated without waiting for ready, which comes only then", async () => {
  vi.stubEnv("HUGELAB_DATA", folder);
  const evaluated = import("../src/main/index.ts").then(() => "evaluated");
  const late = new Promise<string>((resolve) => setTimeout(resolve, 100_000, "waits for ready, which waits for it"));
  expect(await Promise.race([evaluated, late])).toBe("evaluated");
  expect([electron.windows, opened]).toEqual([[], []]);

  electron.app.fireReady();
  await vi.waitFor(() => {
    expect(electron.app.done).toContain("menu");
  }, 60_000);
  const [options] = opened;
  expect(options).toMatchObject({ host: "electron", dataFolder: folder, version: "0.0.0" });
  expect(options.root.replace(/\/$/, "")).toBe(root.replace(/\/$/, ""));
  expect(options.engineUrl.href).toMatch(/\/main\/engine\.js$/);
  expect(electron.windows[0].options.webPreferences?.preload).toBe(join(root, "out", "preload", "index.cjs"));
  expect(electron.app.paths.get("userData")).toBe(join(folder, "window"));
});
