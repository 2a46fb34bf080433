/** What happens when Electron is ready. */
import { answerCalls, forwardEvents, type ServicePart } from "./calls.ts";
import { confineSession } from "./contentsPolicy.ts";
import type { ElectronParts, WindowPart } from "./electronParts.ts";
import { menuTemplate } from "./menu.ts";
import { SCHEME } from "./origin.ts";
import { pageHandler } from "./page.ts";
import { recoverPage } from "./recovery.ts";
import { openWindow } from "./window.ts";

/** Where everything lies; the entry knows. */
export interface Place {
  readonly rendererFolder: string;
  readonly preloadPath: string;
  /** Chromium's profile and the window's bounds; null: this machine has no place of its own for them */
  readonly profileFolder: string | null;
  readonly isMac: boolean;
}

/** Time for the service to close at the end: milliseconds. Nothing that was answered is lost without it. */
const CLOSE_MS = 3000;

/** @throws what the service throws when it cannot be made at all (a database that cannot be opened is a notice, no exception) */
export async function boot(electron: ElectronParts, openService: () => Promise<ServicePart>, place: Place): Promise<WindowPart> {
  const { app } = electron;
  const devtools = !app.isPackaged;
  confineSession(electron.session.defaultSession, devtools);
  electron.protocol.handle(SCHEME, pageHandler(place.rendererFolder));
  const service = await openService();
  closeAtEnd(electron, service);
  answerCalls(electron.ipcMain, service);
  const window = openWindow(electron, place.preloadPath, place.profileFolder);
  forwardEvents(service, window);
  recoverPage(window, electron, () => performance.now());
  electron.Menu.setApplicationMenu(
    electron.Menu.buildFromTemplate(menuTemplate({ isMac: place.isMac, devtools, window: () => (window.isDestroyed() ? null : window) })),
  );
  return window;
}

/** The app ends when the service has closed its files, or after `CLOSE_MS`. */
function closeAtEnd({ app }: ElectronParts, service: ServicePart): void {
  let closing = false;
  app.on("will-quit", (event) => {
    event.preventDefault();
    if (closing) return;
    closing = true;
    const late = setTimeout(() => {
      app.exit(0);
    }, CLOSE_MS);
    void service
      .close()
      .catch(() => undefined)
      .then(() => {
        clearTimeout(late);
        app.exit(0);
      });
  });
}
