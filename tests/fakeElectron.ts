/**
 * An Electron that does nothing but remember, for tests of the main process on machines without its binary. Its types are those of
 * src/main/electronParts.ts, which Electron's own declarations must satisfy (index.ts passes the real modules in), and
 * events and details are typed by Electron's declarations directly.
 * It proves our wiring, not what Electron makes of it.
 */
import { EventEmitter } from "node:events";
import type * as Electron from "electron";
import type { AppPart, ContentsPart, ElectronParts, SessionPart, WindowContentsPart, WindowPart } from "../src/main/electronParts.ts";

type Handler<T> = T extends (handler: infer H, ...rest: never[]) => unknown ? NonNullable<H> : never;

/** "ready" comes when `fireReady` is called: as in Electron, never before the entry module was evaluated. */
export class FakeApp extends EventEmitter implements AppPart {
  isPackaged = true;
  lockGranted = true;
  /** what was done, in order */
  readonly done: string[] = [];
  readonly paths = new Map<string, string>();
  readonly #ready = Promise.withResolvers<undefined>();

  enableSandbox(): void {
    this.done.push("enableSandbox");
  }
  requestSingleInstanceLock(): boolean {
    this.done.push("requestSingleInstanceLock");
    return this.lockGranted;
  }
  whenReady(): Promise<void> {
    return this.#ready.promise;
  }
  fireReady(): void {
    this.done.push("ready");
    this.#ready.resolve(undefined);
  }
  quit(): void {
    this.done.push("quit");
  }
  exit(status = 0): void {
    this.done.push(`exit ${status}`);
  }
  getVersion(): string {
    return "0.0.0";
  }
  setPath(name: string, path: string): void {
    this.done.push(`setPath ${name}`);
    this.paths.set(name, path);
  }
}

/** A page as `web-contents-created` hands it over. */
export class FakeContents extends EventEmitter implements ContentsPart {
  openHandler: Parameters<Electron.WebContents["setWindowOpenHandler"]>[0] | null = null;
  setWindowOpenHandler(handler: Parameters<Electron.WebContents["setWindowOpenHandler"]>[0]): void {
    this.openHandler = handler;
  }
}

class FakeWindowContents extends EventEmitter implements WindowContentsPart {
  readonly sent: (readonly unknown[])[] = [];
  readonly input: Electron.KeyboardInputEvent[] = [];
  reloads = 0;
  destroyed = false;
  send(...message: unknown[]): void {
    this.sent.push(message);
  }
  sendInputEvent(event: Parameters<Electron.WebContents["sendInputEvent"]>[0]): void {
    if (!("keyCode" in event)) throw new Error("not a key");
    this.input.push(event);
  }
  reload(): void {
    this.reloads++;
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
}

export class FakeWindow extends EventEmitter implements WindowPart {
  readonly webContents = new FakeWindowContents();
  readonly options: Electron.BrowserWindowConstructorOptions;
  readonly done: string[] = [];
  bounds: Electron.Rectangle = { x: 11, y: 22, width: 1111, height: 777 };
  minimized = false;
  maximized = false;
  destroyed = false;
  constructor(options: Electron.BrowserWindowConstructorOptions) {
    super();
    this.options = options;
  }
  show(): void {
    this.done.push("show");
  }
  focus(): void {
    this.done.push("focus");
  }
  restore(): void {
    this.done.push("restore");
  }
  maximize(): void {
    this.done.push("maximize");
  }
  close(): void {
    this.done.push("close");
  }
  isMinimized(): boolean {
    return this.minimized;
  }
  isMaximized(): boolean {
    return this.maximized;
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
  getNormalBounds(): Electron.Rectangle {
    return this.bounds;
  }
  loadURL(address: string): Promise<void> {
    this.done.push(`load ${address}`);
    return Promise.resolve();
  }
}

class FakeSession extends EventEmitter implements SessionPart {
  permissionRequest: Handler<Electron.Session["setPermissionRequestHandler"]> | null = null;
  permissionCheck: Handler<Electron.Session["setPermissionCheckHandler"]> | null = null;
  devicePermission: Handler<Electron.Session["setDevicePermissionHandler"]> | null = null;
  beforeRequest: ((details: Electron.OnBeforeRequestListenerDetails, answer: (response: Electron.CallbackResponse) => void) => void) | null = null;
  spellChecker = true;
  setPermissionRequestHandler(handler: Parameters<Electron.Session["setPermissionRequestHandler"]>[0]): void {
    this.permissionRequest = handler;
  }
  setPermissionCheckHandler(handler: Parameters<Electron.Session["setPermissionCheckHandler"]>[0]): void {
    this.permissionCheck = handler;
  }
  setDevicePermissionHandler(handler: Parameters<Electron.Session["setDevicePermissionHandler"]>[0]): void {
    this.devicePermission = handler;
  }
  setSpellCheckerEnabled(enabled: boolean): void {
    this.spellChecker = enabled;
  }
  readonly webRequest: SessionPart["webRequest"] = {
    onBeforeRequest: (...given: unknown[]) => {
      this.beforeRequest = given[given.length - 1] as FakeSession["beforeRequest"];
    },
  };
}

type CallHandler = Parameters<Electron.IpcMain["handle"]>[1];
type ProtocolHandler = Parameters<Electron.Protocol["handle"]>[1];

export class FakeElectron {
  readonly app = new FakeApp();
  readonly defaultSession = new FakeSession();
  readonly windows: FakeWindow[] = [];
  readonly calls = new Map<string, CallHandler>();
  readonly schemes = new Map<string, ProtocolHandler>();
  readonly privileged: Electron.CustomScheme[] = [];
  readonly opened: string[] = [];
  readonly questions: Electron.MessageBoxOptions[] = [];
  readonly errors: string[] = [];
  /** index of the button that is pressed in the next questions */
  answer = 1;
  openFails = false;
  displays: Pick<Electron.Display, "workArea">[] = [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }];
  template: Electron.MenuItemConstructorOptions[] = [];

  /** What the main process imports. */
  parts(): ElectronParts {
    const { windows } = this;
    return {
      app: this.app,
      BrowserWindow: class extends FakeWindow {
        constructor(options: Electron.BrowserWindowConstructorOptions) {
          super(options);
          windows.push(this);
        }
      },
      dialog: {
        showErrorBox: (_title, text) => void this.errors.push(text),
        showMessageBox: (options) => {
          this.questions.push(options);
          return Promise.resolve({ response: this.answer, checkboxChecked: false });
        },
      },
      ipcMain: {
        handle: (channel, handler) => {
          if (this.calls.has(channel)) throw new Error(`a second handler for ${channel}`);
          this.calls.set(channel, handler);
        },
      },
      Menu: {
        buildFromTemplate: (template) => {
          this.template = template;
          return {} as Electron.Menu;
        },
        setApplicationMenu: () => void this.app.done.push("menu"),
      },
      protocol: {
        registerSchemesAsPrivileged: (schemes) => {
          this.app.done.push("registerSchemes");
          this.privileged.push(...schemes);
        },
        handle: (scheme, handler) => void this.schemes.set(scheme, handler),
      },
      screen: { getAllDisplays: () => this.displays },
      session: { defaultSession: this.defaultSession },
      shell: {
        openExternal: (address) => {
          if (this.openFails) return Promise.reject(new Error("no browser"));
          this.opened.push(address);
          return Promise.resolve();
        },
      },
    };
  }

  /** A call as a page in that frame makes it. `parent`: the frame around it, null for the top one. */
  async invoke(frame: { readonly url: string; readonly parent: Electron.WebFrameMain | null } | null, channel: string, ...args: unknown[]): Promise<unknown> {
    const handler = this.calls.get(channel);
    if (handler === undefined) throw new Error(`nobody handles ${channel}`);
    const event = { senderFrame: frame as Electron.WebFrameMain | null } as Electron.IpcMainInvokeEvent;
    return await (handler(event, ...args) as unknown);
  }

  /** Asks the protocol's handler as Chromium would. */
  async fetch(address: string, method = "GET"): Promise<Response> {
    const handler = this.schemes.get("hugelab");
    if (handler === undefined) throw new Error("nobody handles hugelab:");
    // Request refuses nothing here that Chromium lets through: it knows no hugelab: but keeps the address as it is
    return await handler(new Request(address, { method }));
  }
}

/** An event that says whether it was prevented. */
export function preventable<T extends object>(details: T): Electron.Event<T> {
  const event = {
    ...details,
    defaultPrevented: false,
    preventDefault: (): void => {
      event.defaultPrevented = true;
    },
  };
  return event;
}
