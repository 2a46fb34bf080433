/** What every spec starts from: the app on a fresh data folder, watched for what must never happen. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, expect, type Browser, type BrowserContext, type Page } from "@playwright/test";
import { CHROMIUM_FLAGS, findChromium, findElectron, NO_CHROMIUM } from "./binaries.ts";
import { browserStart, electronStart, type CarrierName, type Running, type Start } from "./carrier.ts";
import { LabPage } from "./labPage.ts";
import { nameWhatHangs } from "./limits.ts";
import { PageWatch } from "./watch.ts";

export interface Fixtures {
  readonly carrier: CarrierName;
  /** a folder of this test alone */
  readonly data: string;
  readonly watch: PageWatch;
  /** starts the app on a data folder, as often as a test wants; all are ended after it */
  readonly start: Start;
  /** the app on the fresh folder */
  readonly app: Running;
  readonly lab: LabPage;
}

export const test = base.extend<Fixtures, { chromium: Browser | null }>({
  // one browser for all tests: a context of its own keeps each apart
  chromium: [
    async ({ playwright }, use) => {
      const executablePath = findChromium();
      const browser = executablePath === null ? null : await playwright.chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
      await use(browser);
      await browser?.close();
    },
    { scope: "worker" },
  ],
  carrier: ["browser", { option: true }],
  // Playwright reads the names of fixtures from the pattern, so it has to be one
  // eslint-disable-next-line no-empty-pattern
  data: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), "hugelab-e2e-"));
    await use(folder);
    rmSync(folder, { recursive: true, force: true });
  },
  // eslint-disable-next-line no-empty-pattern
  watch: async ({}, use) => {
    const watch = new PageWatch();
    await use(watch);
    expect(watch.found(), "errors in the console, exceptions, foreign requests").toEqual([]);
  },
  start: async ({ carrier, watch, chromium, contextOptions, viewport }, use) => {
    test.skip(carrier === "electron" && findElectron() === null, "Electron's binary is not here");
    const prepare = (page: Page): void => {
      watch.watch(page);
      nameWhatHangs(page);
    };
    const running: Running[] = [];
    let open = electronStart(prepare);
    let context: BrowserContext | null = null;
    if (carrier === "browser") {
      test.skip(chromium === null, NO_CHROMIUM);
      if (chromium === null) return;
      context = await chromium.newContext({ ...contextOptions, viewport: viewport ?? null });
      open = browserStart(context, prepare);
    }
    await use(async (data, port) => {
      const app = await open(data, port);
      running.push(app);
      return app;
    });
    await context?.close();
    for (const app of running) await app.kill();
  },
  app: async ({ start, data }, use) => {
    await use(await start(data));
  },
  lab: async ({ app }, use) => {
    await use(new LabPage(app.page));
  },
});

export { expect, type Page };
