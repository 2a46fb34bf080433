import { chmodSync, readFileSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withFolder } from "../../tests/support.ts";
import { openers, openWith, redirectFile } from "./openBrowser.ts";
import { parsePort } from "./serve.ts";
import { findElectron, isStale, whyNoElectron } from "./start.ts";

describe("a build", () => {
  const built = { "out/main/index.js": "", "out/main/host.js": "", "out/main/engine.js": "", "out/preload/index.cjs": "", "out/renderer/index.html": "" };
  const sources = { "src/a/b.ts": "", "src/a/b.test.ts": "", "electron.vite.config.ts": "" };

  function age(folder: string, paths: readonly string[], seconds: number): void {
    for (const path of paths) utimesSync(join(folder, path), seconds, seconds);
  }

  it("is needed when something of it is missing or older than a source, and by no test", async () => {
    await withFolder(sources, (folder) => {
      expect(isStale(folder)).toBe(true);
    });
    await withFolder({ ...sources, ...built }, (folder) => {
      age(folder, [...Object.keys(sources), "src/a", "src"], 1000);
      age(folder, Object.keys(built), 2000);
      expect(isStale(folder)).toBe(false);
      age(folder, ["src/a/b.test.ts"], 3000);
      expect(isStale(folder)).toBe(false);
      age(folder, ["src/a/b.ts"], 3000);
      expect(isStale(folder)).toBe(true);
      age(folder, ["src/a/b.ts"], 1000);
      age(folder, ["out/main/engine.js"], 500);
      expect(isStale(folder)).toBe(true);
    });
  });
});

describe("Electron", () => {
  it("is found by path.txt, and only where its program is", async () => {
    await withFolder({ "node_modules/electron/package.json": "{}" }, (folder) => {
      expect(findElectron(folder, {})).toBeNull();
    });
    const there = { "node_modules/electron/path.txt": "electron\n", "node_modules/electron/dist/electron": "", "other/electron": "" };
    await withFolder(there, (folder) => {
      expect(findElectron(folder, {})).toBe(join(folder, "node_modules/electron/dist/electron"));
      expect(findElectron(folder, { ELECTRON_OVERRIDE_DIST_PATH: join(folder, "other") })).toBe(join(folder, "other/electron"));
      expect(findElectron(folder, { ELECTRON_OVERRIDE_DIST_PATH: join(folder, "none") })).toBeNull();
    });
  });

  it("is not opened without a screen, and one sentence says why the browser is", () => {
    expect(whyNoElectron(null, { DISPLAY: ":0" }, "linux")).toMatch(/Electron.*browser/);
    expect(whyNoElectron("/e", {}, "linux")).toMatch(/screen/);
    expect(whyNoElectron("/e", { WAYLAND_DISPLAY: "w" }, "linux")).toBeNull();
    expect(whyNoElectron("/e", {}, "darwin")).toBeNull();
  });
});

describe("a browser", () => {
  it("is looked for where there is a screen, on PATH", async () => {
    await withFolder({ chromium: "" }, (folder) => {
      chmodSync(join(folder, "chromium"), 0o755);
      expect(openers({ PATH: folder, DISPLAY: ":0" }, "linux")).toEqual([["chromium"]]);
      expect(openers({ PATH: folder }, "linux")).toEqual([]);
      expect(openers({ PATH: "", DISPLAY: ":0" }, "linux")).toEqual([]);
      expect(openers({}, "darwin")).toEqual([["open"]]);
    });
  });

  it("is given a file that only this user can read, so that no argument shows the token", async () => {
    await withFolder({}, async (folder) => {
      const url = "http://127.0.0.1:1234/#t=secret-token";
      const page = redirectFile(url, folder);
      expect(readFileSync(page.file, "utf8")).toContain(url);
      if (process.platform !== "win32") {
        expect(statSync(page.file).mode & 0o777).toBe(0o600);
        expect(statSync(join(page.file, "..")).mode & 0o777).toBe(0o700);
      }
      expect(page.file).not.toContain("secret-token");
      // a program that is not there, then one that is
      expect(await openWith(page.file, [["/nowhere/browser"]])).toBe(false);
      expect(await openWith(page.file, [["/nowhere/browser"], [process.execPath, "-e", "0"]])).toBe(true);
      page.remove();
      expect(statSync(page.file, { throwIfNoEntry: false })).toBeUndefined();
    });
  });
});

it("a port is a number that a port can be", () => {
  expect([undefined, "0", "8080", "65535"].map(parsePort)).toEqual([0, 0, 8080, 65_535]);
  expect(["65536", "-1", "x", "", "1e3", "99999999999", " 80"].map(parsePort)).toEqual([null, null, null, null, null, null, null]);
});
