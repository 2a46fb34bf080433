import { findElectron } from "./support/binaries.ts";
import { expect, test } from "./support/fixtures.ts";

test("all specs run in Electron too", ({ carrier }) => {
  test.skip(
    carrier === "electron" && findElectron() === null,
    "Electron's binary is not here: node_modules/electron has no path.txt (docs/desktop.md says how to put one there)",
  );
  expect(carrier).toBe("electron");
});

test("the page is sandboxed and knows its carrier", async ({ app }) => {
  const found = await app.page.evaluate(() => ({
    host: (window as unknown as { hugelab?: { host: string } }).hugelab?.host,
    node: typeof (globalThis as { process?: unknown }).process,
    require: typeof (globalThis as { require?: unknown }).require,
    address: location.href,
  }));
  expect(found).toEqual({ host: "electron", node: "undefined", require: "undefined", address: "hugelab://app/" });
});
