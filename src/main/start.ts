/** The app from its first moment: what must happen before Electron is ready, and then the rest. */
import { mkdirSync } from "node:fs";
import { boot, type Place } from "./boot.ts";
import type { ServicePart } from "./calls.ts";
import { confineContents } from "./contentsPolicy.ts";
import type { ElectronParts, WindowPart } from "./electronParts.ts";
import { LinkOpener } from "./externalLinks.ts";
import { say } from "../i18n/format.ts";
import { SCHEME } from "./origin.ts";

/**
 * Everything here is synchronous up to `whenReady().then`, and the entry must not await it: Electron says "ready" only after the
 * entry module was evaluated, so waiting for it there waits for ever.
 * @param openService makes the service, when Electron is ready
 */
export function start(electron: ElectronParts, openService: () => Promise<ServicePart>, place: Place): void {
  const { app } = electron;
  app.enableSandbox();
  electron.protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }]);
  confineContents(app, new LinkOpener(electron));
  useFolder(electron, place.profileFolder);

  // the lock is one for each profile folder, so two people, or two folders, do not meet
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  let window: WindowPart | null = null;
  app.on("second-instance", () => {
    if (window === null || window.isDestroyed()) return;
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
  });
  app.on("window-all-closed", () => {
    app.quit();
  });
  void app
    .whenReady()
    .then(async () => {
      window = await boot(electron, openService, place);
    })
    .catch((error: unknown) => {
      electron.dialog.showErrorBox(say("main.title"), say("main.cannotStart", { reason: error instanceof Error ? error.message : String(error) }));
      app.exit(1);
    });
}

/** Chromium's own files go beside our database. A folder that cannot be made leaves them where Electron wants them; the service says what is wrong with it. */
function useFolder({ app }: ElectronParts, folder: string | null): void {
  if (folder === null) return;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    app.setPath("userData", folder);
  } catch {
    // as it says above
  }
}
