/**
 * The parts of Electron that the main process uses, as narrow types over Electron's own declarations: index.ts passes the real
 * modules in, so TypeScript checks that they fit, and the tests pass fakes that are checked against the same types.
 * `on` and `once` are written out, since a Pick would make their `this` result the whole class.
 */
import type * as Electron from "electron";

export interface AppPart extends Pick<
  Electron.App,
  "enableSandbox" | "requestSingleInstanceLock" | "whenReady" | "quit" | "exit" | "getVersion" | "isPackaged" | "setPath"
> {
  on(event: "web-contents-created", listener: (event: Electron.Event, contents: ContentsPart) => void): unknown;
  on(event: "second-instance" | "window-all-closed" | "activate", listener: () => void): unknown;
  on(event: "will-quit", listener: (event: Electron.Event) => void): unknown;
}

type OpenHandler = Parameters<Electron.WebContents["setWindowOpenHandler"]>[0];

export interface ContentsPart {
  on(event: "will-frame-navigate", listener: (details: Electron.Event<Electron.WebContentsWillFrameNavigateEventParams>) => void): unknown;
  on(event: "will-redirect", listener: (details: Electron.Event<Electron.WebContentsWillRedirectEventParams>) => void): unknown;
  on(event: "will-attach-webview", listener: (event: Electron.Event) => void): unknown;
  setWindowOpenHandler(handler: OpenHandler): void;
}

export interface WindowContentsPart extends Pick<Electron.WebContents, "send" | "reload" | "sendInputEvent" | "isDestroyed"> {
  on(event: "render-process-gone", listener: (event: Electron.Event, details: Electron.RenderProcessGoneDetails) => void): unknown;
}

export interface WindowPart extends Pick<
  Electron.BrowserWindow,
  "show" | "focus" | "restore" | "isMinimized" | "isMaximized" | "maximize" | "isDestroyed" | "getNormalBounds" | "loadURL" | "close"
> {
  readonly webContents: WindowContentsPart;
  on(event: "close" | "closed" | "unresponsive" | "responsive", listener: () => void): unknown;
  once(event: "ready-to-show", listener: () => void): unknown;
}

export type WindowClass = new (options: Electron.BrowserWindowConstructorOptions) => WindowPart;

export interface SessionPart extends Pick<
  Electron.Session,
  "setPermissionRequestHandler" | "setPermissionCheckHandler" | "setDevicePermissionHandler" | "setSpellCheckerEnabled"
> {
  readonly webRequest: Pick<Electron.WebRequest, "onBeforeRequest">;
  on(event: "will-download", listener: (event: Electron.Event, item: Pick<Electron.DownloadItem, "getURL">) => void): unknown;
}

/** What the app is given of Electron. */
export interface ElectronParts {
  readonly app: AppPart;
  readonly BrowserWindow: WindowClass;
  readonly dialog: Pick<Electron.Dialog, "showErrorBox"> & { showMessageBox(options: Electron.MessageBoxOptions): Promise<Electron.MessageBoxReturnValue> };
  readonly ipcMain: Pick<Electron.IpcMain, "handle">;
  readonly Menu: {
    buildFromTemplate(template: Electron.MenuItemConstructorOptions[]): Electron.Menu;
    setApplicationMenu(menu: Electron.Menu | null): void;
  };
  readonly protocol: Pick<Electron.Protocol, "registerSchemesAsPrivileged" | "handle">;
  readonly screen: { getAllDisplays(): Pick<Electron.Display, "workArea">[] };
  readonly session: { readonly defaultSession: SessionPart };
  readonly shell: Pick<Electron.Shell, "openExternal">;
}
