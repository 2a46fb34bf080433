/** The one window. */
import { join } from "node:path";
import type { WebPreferences } from "electron";
import { say } from "../i18n/format.ts";
import type { ElectronParts, WindowPart } from "./electronParts.ts";
import { PAGE_URL } from "./origin.ts";
import { boundsFrom, readBoundsFile, saveBounds, SMALLEST } from "./windowBounds.ts";

/** Electron's defaults by now, said all the same: what the page may not do must not hang on a default. */
export const WEB_PREFERENCES = {
  contextIsolation: true,
  sandbox: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  webviewTag: false,
  navigateOnDragDrop: false,
  spellcheck: false,
} as const satisfies WebPreferences;

/** Opens it where it was, and loads the page. @param folder where its bounds are kept, null: nowhere */
export function openWindow({ BrowserWindow, screen }: Pick<ElectronParts, "BrowserWindow" | "screen">, preloadPath: string, folder: string | null): WindowPart {
  const file = folder === null ? null : join(folder, "window.json");
  const { maximized, ...bounds } = boundsFrom(
    file === null ? null : readBoundsFile(file),
    screen.getAllDisplays().map((display) => display.workArea),
  );
  const window = new BrowserWindow({
    ...bounds,
    minWidth: SMALLEST.width,
    minHeight: SMALLEST.height,
    title: say("main.title"),
    // shown when there is something to see
    show: false,
    webPreferences: { ...WEB_PREFERENCES, preload: preloadPath },
  });
  window.once("ready-to-show", () => {
    if (maximized) window.maximize();
    window.show();
  });
  window.on("close", () => {
    if (file !== null) saveBounds(file, window.getNormalBounds(), window.isMaximized());
  });
  void window.loadURL(PAGE_URL).catch(() => {
    // a page that cannot be loaded says so itself; without a page there is `render-process-gone`
  });
  return window;
}
