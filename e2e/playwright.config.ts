/** `npm run e2e`: the app in Debian's Chromium, against the browser host; on Electron where its binary is. */
import { defineConfig } from "@playwright/test";
import { findChromium, findElectron, NO_CHROMIUM } from "./support/binaries.ts";
import { CALL_LIMIT_MS } from "./support/limits.ts";

if (findChromium() === null) {
  // in CI a suite that silently did nothing would look like one that passed
  if (process.env.CI !== undefined && process.env.CI !== "") throw new Error(NO_CHROMIUM);
  process.stderr.write(`\n*** ${NO_CHROMIUM}\n\n`);
}
const hasElectron = findElectron() !== null;

export default defineConfig<{ carrier: "browser" | "electron" }>({
  testDir: ".",
  globalSetup: "./support/build.ts",
  outputDir: "../dist/e2e",
  timeout: 60_000,
  expect: { timeout: 10_000 },
  // the tests measure nothing, but two cores shared by a browser, a host and its worker are full with one
  workers: 1,
  fullyParallel: false,
  reporter: "list",
  use: {
    // what hangs is named: without a limit of their own such calls end with their test, which says less (limits.ts has the rest)
    actionTimeout: CALL_LIMIT_MS,
    navigationTimeout: CALL_LIMIT_MS,
    viewport: { width: 1440, height: 900 },
    // a trace costs as much as the test; `--trace on` for one that fails
    trace: "off",
    screenshot: "only-on-failure",
  },
  projects: [
    { name: "browser", use: { carrier: "browser" }, testIgnore: /electron\.spec\.ts/ },
    // without the binary one test says so and is skipped, instead of all of them
    { name: "electron", use: { carrier: "electron" }, ...(hasElectron ? { testIgnore: /(wire|packed|host)\.spec\.ts/ } : { testMatch: /electron\.spec\.ts/ }) },
  ],
});
