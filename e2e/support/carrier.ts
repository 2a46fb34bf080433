/** How a test gets the app: as a page of the browser host, or as the window of Electron. The same specs run on both. */
import { mkdirSync } from "node:fs";
import { _electron, type BrowserContext, type ElectronApplication, type Page } from "@playwright/test";
import { findElectron, ROOT } from "./binaries.ts";
import { startHost, type Host } from "./host.ts";

export type CarrierName = "browser" | "electron";

/** An app that runs, and its page. */
export interface Running {
  readonly page: Page;
  /** the browser host; null in Electron */
  readonly host: Host | null;
  /** the whole process, as a crash of the machine would end it */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** @param port for the browser host, when the address has to be the same as before */
export type Start = (data: string, port?: number) => Promise<Running>;

/** @param prepare gets the page before it loads anything */
export function browserStart(context: BrowserContext, prepare: (page: Page) => void): Start {
  return async (data, port = 0) => {
    const host = await startHost(data, port);
    const page = await context.newPage();
    prepare(page);
    await page.goto(host.address);
    return {
      page,
      host,
      kill: () => host.kill(),
      stop: async () => {
        await page.close();
        await host.stop();
      },
    };
  };
}

export const electronStart =
  (prepare: (page: Page) => void): Start =>
  async (data) => {
    mkdirSync(data, { recursive: true });
    const executablePath = findElectron();
    if (executablePath === null) throw new Error("no Electron binary");
    const env = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
    // with it Electron would be a Node, which knows no window
    delete env.ELECTRON_RUN_AS_NODE;
    const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    const app: ElectronApplication = await _electron.launch({ executablePath, args: [...sandbox, ROOT], cwd: ROOT, env: { ...env, HUGELAB_DATA: data } });
    const page = await app.firstWindow();
    prepare(page);
    return {
      page,
      host: null,
      kill: async () => {
        const child = app.process();
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGKILL");
        await ended;
      },
      stop: () => app.close(),
    };
  };
