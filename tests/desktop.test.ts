/**
 * The desktop app's rules, one test for each item of the security list (docs/desktop.md has the table), against a fake Electron.
 * The entry itself is imported, so what is tested is what runs.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as Electron from "electron";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Place } from "../src/main/boot.ts";
import type { ServicePart } from "../src/main/calls.ts";
import { start } from "../src/main/start.ts";
import { FakeContents, FakeElectron, preventable, type FakeWindow } from "./fakeElectron.ts";

const OURS = "hugelab://app/";
const FOREIGN = "https://evil.example/";

interface FakeService extends ServicePart {
  readonly called: (readonly [string, unknown])[];
  readonly listeners: Set<Parameters<ServicePart["onEvent"]>[0]>;
  closed: boolean;
}

function fakeService(): FakeService {
  const service: FakeService = {
    called: [],
    listeners: new Set(),
    closed: false,
    call: (method, params) => {
      service.called.push([method, params]);
      return Promise.resolve({ ok: true, result: {} as never });
    },
    onEvent: (listener) => {
      service.listeners.add(listener);
      return () => void service.listeners.delete(listener);
    },
    close: () => {
      service.closed = true;
      return Promise.resolve();
    },
  };
  return service;
}

let folder = "";
let electron: FakeElectron;
let service: FakeService;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hugelab-desktop-"));
  electron = new FakeElectron();
  service = fakeService();
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>page</title>");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const place = (): Place => ({ rendererFolder: folder, preloadPath: "/preload/index.cjs", profileFolder: join(folder, "window"), isMac: false });

const soon = (check: () => void): Promise<void> => vi.waitFor(check, { interval: 1, timeout: 60_000 });

/** Starts, lets Electron be ready and waits for the window. */
async function started(openService: () => Promise<ServicePart> = () => Promise.resolve(service)): Promise<FakeWindow> {
  start(electron.parts(), openService, place());
  electron.app.fireReady();
  await soon(() => {
    expect(electron.app.done).toContain("menu");
  });
  return electron.windows[0];
}

/** A page that was just made, as Electron announces it. */
function newContents(): FakeContents {
  const contents = new FakeContents();
  electron.app.emit("web-contents-created", preventable({}), contents);
  return contents;
}

function navigate(contents: FakeContents, url: string, isMainFrame = true): boolean {
  const details = preventable<Electron.WebContentsWillFrameNavigateEventParams>({ url, isMainFrame, isSameDocument: false, frame: null });
  contents.emit("will-frame-navigate", details);
  return details.defaultPrevented;
}

it("sandboxes every page, isolates the window's and gives it no Node", async () => {
  const { options } = await started();
  expect(electron.app.done).toContain("enableSandbox");
  expect(options.webPreferences).toMatchObject({
    contextIsolation: true,
    sandbox: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    preload: "/preload/index.cjs",
  });
});

it("does before ready what must be done before ready, and the rest after it", async () => {
  start(electron.parts(), () => Promise.resolve(service), place());
  expect(electron.app.done).toEqual(["enableSandbox", "registerSchemes", "setPath userData", "requestSingleInstanceLock"]);
  expect(electron.privileged).toEqual([{ scheme: "hugelab", privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }]);
  expect(electron.windows).toEqual([]);
  electron.app.fireReady();
  await soon(() => {
    expect(electron.windows).toHaveLength(1);
  });
  expect(electron.windows[0].done).toEqual([`load ${OURS}`]);
});

it("gives no permission but writing to the clipboard to our own page", async () => {
  await started();
  const { permissionRequest, permissionCheck, devicePermission, spellChecker } = electron.defaultSession;
  const asked = (permission: string, requestingUrl: string, isMainFrame = true): boolean => {
    let granted: boolean | null = null;
    permissionRequest?.({} as Electron.WebContents, permission as "media", (answer) => (granted = answer), {
      requestingUrl,
      isMainFrame,
    });
    if (granted === null) throw new Error("no answer");
    return granted;
  };
  const checked = (permission: string, origin: string): boolean | undefined => permissionCheck?.(null, permission as "media", origin, { isMainFrame: true });
  for (const permission of ["media", "geolocation", "notifications", "clipboard-read", "openExternal", "fullscreen", "usb", "hid", "fileSystem"]) {
    expect([permission, asked(permission, OURS), checked(permission, OURS)]).toEqual([permission, false, false]);
  }
  const copy = "clipboard-sanitized-write";
  expect([asked(copy, OURS), asked(copy, OURS, false), asked(copy, FOREIGN)]).toEqual([true, false, false]);
  expect([checked(copy, OURS), checked(copy, FOREIGN)]).toEqual([true, false]);
  expect(devicePermission?.({} as Electron.DevicePermissionHandlerHandlerDetails)).toBe(false);
  expect(spellChecker).toBe(false);
});

it("lets a page navigate in our origin alone, and other frames nowhere", async () => {
  await started();
  const contents = newContents();
  expect(navigate(contents, `${OURS}#labs`)).toBe(false);
  for (const url of [
    FOREIGN,
    "file:///etc/passwd",
    "http://127.0.0.1/",
    "data:text/html,x",
    "javascript:0",
    "hugelab://other/",
    "hugelab://x@app/",
    "about:blank",
    "no address",
  ]) {
    expect([url, navigate(contents, url)]).toEqual([url, true]);
  }
  expect(navigate(contents, OURS, false)).toBe(true);
});

it("follows no redirect", async () => {
  await started();
  const details = preventable<Electron.WebContentsWillRedirectEventParams>({ url: OURS, isMainFrame: true, isSameDocument: false, frame: null });
  newContents().emit("will-redirect", details);
  expect(details.defaultPrevented).toBe(true);
});

it("attaches no webview", async () => {
  await started();
  const event = preventable({});
  newContents().emit("will-attach-webview", event);
  expect(event.defaultPrevented).toBe(true);
});

const openWindow = (contents: FakeContents, url: string): unknown =>
  contents.openHandler?.({ url, frameName: "", features: "", disposition: "new-window", referrer: { url: OURS, policy: "no-referrer" } });

it("opens no second window, also for a link that may be opened outside", async () => {
  await started();
  for (const url of [OURS, FOREIGN, "https://docs.kernel.org/mm/"]) expect(openWindow(newContents(), url)).toEqual({ action: "deny" });
});

it("opens links outside only over https, from the list, and after a yes", async () => {
  await started();
  const contents = newContents();
  electron.answer = 0;
  const refused = [
    FOREIGN,
    "http://docs.kernel.org/",
    "file:///etc/passwd",
    "https://docs.kernel.org.evil.example/",
    "https://docs.kernel.org:8443/",
    "https://a:b@docs.kernel.org/",
    "mailto:a@docs.kernel.org",
  ];
  for (const url of refused) openWindow(contents, url);
  await Promise.resolve();
  expect([electron.questions, electron.opened]).toEqual([[], []]);

  const link = "https://docs.kernel.org/admin-guide/mm/transhuge.html";
  openWindow(contents, link);
  // a second click while the question is there asks nothing more
  openWindow(contents, link);
  await soon(() => {
    expect(electron.opened).toEqual([link]);
  });
  expect(electron.questions).toHaveLength(1);
  expect(electron.questions[0]).toMatchObject({ detail: link, cancelId: 1, defaultId: 1 });
  expect(electron.questions[0].message).toContain("docs.kernel.org");

  electron.answer = 1;
  openWindow(contents, link);
  await soon(() => {
    expect(electron.questions).toHaveLength(2);
  });
  expect(electron.opened).toEqual([link]);
});

it("says so when no browser can be started", async () => {
  await started();
  electron.answer = 0;
  electron.openFails = true;
  openWindow(newContents(), "https://lwn.net/");
  await soon(() => {
    expect(electron.errors.join()).toContain("https://lwn.net/");
  });
});

it("lets nothing out to the network", async () => {
  await started();
  const cancelled = (url: string): boolean | undefined => {
    let response: Electron.CallbackResponse | null = null;
    electron.defaultSession.beforeRequest?.({ url } as Electron.OnBeforeRequestListenerDetails, (answer) => (response = answer));
    return (response as Electron.CallbackResponse | null)?.cancel;
  };
  for (const url of [
    FOREIGN,
    "http://127.0.0.1:80/",
    "ws://127.0.0.1/",
    "file:///etc/passwd",
    "hugelab://other/",
    "devtools://x/",
    "blob:https://evil.example/1",
  ]) {
    expect([url, cancelled(url)]).toEqual([url, true]);
  }
  for (const url of [OURS, `${OURS}assets/a.js`, "data:,", "blob:hugelab://app/0-1"]) expect([url, cancelled(url)]).toEqual([url, false]);
});

it("downloads only what the page itself made", async () => {
  await started();
  const download = (address: string): boolean => {
    const event = preventable({});
    electron.defaultSession.emit("will-download", event, { getURL: () => address });
    return event.defaultPrevented;
  };
  expect([download("blob:hugelab://app/0-1"), download(OURS), download(FOREIGN), download("blob:https://evil.example/1")]).toEqual([false, true, true, true]);
});

it("answers calls of the top frame of our page, and of nobody else", async () => {
  await started();
  const parent = {} as Electron.WebFrameMain;
  for (const frame of [
    { url: FOREIGN, parent: null },
    { url: OURS, parent },
    { url: "file:///index.html", parent: null },
    { url: "hugelab://other/", parent: null },
    null,
  ]) {
    await expect(electron.invoke(frame, "hugelab", "hello", {})).rejects.toThrow("refused");
  }
  expect(service.called).toEqual([]);
  expect(await electron.invoke({ url: OURS, parent: null }, "hugelab", "hello", {})).toEqual({ ok: true, result: {} });
  expect(service.called).toEqual([["hello", {}]]);
});

it("answers on one channel, and dispatches on names of the list alone", async () => {
  await started();
  expect([...electron.calls.keys()]).toEqual(["hugelab"]);
  for (const name of ["constructor", "__proto__", "toString", "close", "", 7, null, undefined, {}, ["hello"]]) {
    expect(await electron.invoke({ url: OURS, parent: null }, "hugelab", name, {})).toMatchObject({ ok: false, error: { code: "badCall" } });
  }
  expect(service.called).toEqual([]);
});

it("sends events to the window, a restart of the engine too, until it is gone", async () => {
  const window = await started();
  const [listener] = service.listeners;
  listener("restarted", { session: 1, sentence: "it died" });
  expect(window.webContents.sent).toEqual([["hugelab", "restarted", { session: 1, sentence: "it died" }]]);
  window.webContents.destroyed = true;
  listener("progress", {});
  window.destroyed = true;
  listener("progress", {});
  expect(window.webContents.sent).toHaveLength(1);
});

it("serves the page by its own protocol with a policy, nothing beside the renderer and nothing to others", async () => {
  await started();
  writeFileSync(`${folder}.secret`, "secret");
  const page = await electron.fetch(OURS);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(await page.text()).toContain("<title>page</title>");
  const policy = page.headers.get("content-security-policy") ?? "";
  for (const rule of ["default-src 'none'", "script-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"])
    expect(policy).toContain(rule);
  expect(policy).not.toMatch(/script-src[^;]*unsafe|https?:/);
  expect(page.headers.get("x-content-type-options")).toBe("nosniff");

  const status = async (address: string, method?: string): Promise<number> => (await electron.fetch(address, method)).status;
  expect([await status("hugelab://other/"), await status(`${OURS}none.js`), await status(OURS, "POST")]).toEqual([403, 404, 405]);
  const secret = `${folder.split("/").at(-1) ?? ""}.secret`;
  for (const path of [`..%2f${secret}`, `%2e%2e/${secret}`, `..%5c${secret}`, `x/..%2f..%2f${secret}`, "%00", "%", "..%2f..%2f..%2fetc%2fpasswd"]) {
    expect([path, await status(OURS + path)]).toEqual([path, 404]);
  }
  rmSync(`${folder}.secret`);
});

it("starts once; the second instance ends and the first one comes to the front", async () => {
  electron.app.lockGranted = false;
  start(electron.parts(), () => Promise.reject(new Error("must not be opened")), place());
  electron.app.fireReady();
  await Promise.resolve();
  expect([electron.app.done.at(-1), electron.windows]).toEqual(["ready", []]);
  expect(electron.app.done).toContain("quit");

  electron = new FakeElectron();
  const window = await started();
  window.minimized = true;
  electron.app.emit("second-instance");
  expect(window.done).toEqual([`load ${OURS}`, "restore", "show", "focus"]);
  window.destroyed = true;
  electron.app.emit("second-instance");
  expect(window.done).toHaveLength(4);
});

it("keeps Chromium's files beside the database, for this person alone", () => {
  start(electron.parts(), () => Promise.resolve(service), place());
  expect(electron.app.paths.get("userData")).toBe(join(folder, "window"));
  expect(statSync(join(folder, "window")).mode & 0o777).toBe(0o700);
});

it("starts all the same where that folder cannot be made", async () => {
  const blocked = { ...place(), profileFolder: join(folder, "index.html", "window") };
  start(electron.parts(), () => Promise.resolve(service), blocked);
  electron.app.fireReady();
  await soon(() => {
    expect(electron.windows).toHaveLength(1);
  });
  expect(electron.app.paths.size).toBe(0);
});

it("says why it cannot start, and ends", async () => {
  start(electron.parts(), () => Promise.reject(new Error("no worker")), place());
  electron.app.fireReady();
  await soon(() => {
    expect(electron.app.done.at(-1)).toBe("exit 1");
  });
  expect(electron.errors).toEqual(["Hugelab cannot start: no worker"]);
});

it("loads a page again that died, and asks when that does not help", async () => {
  const { webContents } = await started();
  const die = (reason: Electron.RenderProcessGoneDetails["reason"]): boolean =>
    webContents.emit("render-process-gone", preventable({}), { reason, exitCode: 5 });
  die("clean-exit");
  expect(webContents.reloads).toBe(0);
  for (let n = 1; n <= 3; n++) die("crashed");
  expect([webContents.reloads, electron.questions]).toEqual([3, []]);
  electron.answer = 0;
  die("oom");
  await soon(() => {
    expect(webContents.reloads).toBe(4);
  });
  expect(electron.questions[0].message).toContain("oom");
  electron.answer = 1;
  die("crashed");
  await soon(() => {
    expect(electron.app.done).toContain("quit");
  });
});

it("asks what to do with a page that hangs", async () => {
  const window = await started();
  electron.answer = 1;
  window.emit("unresponsive");
  await soon(() => {
    expect(electron.questions).toHaveLength(1);
  });
  expect(window.webContents.reloads).toBe(0);
  electron.answer = 0;
  await Promise.resolve();
  window.emit("unresponsive");
  await soon(() => {
    expect(window.webContents.reloads).toBe(1);
  });
});

it("opens where it was closed", async () => {
  const first = await started();
  expect(first.options).toMatchObject({ width: 1440, height: 900, show: false });
  first.emit("close");
  electron = new FakeElectron();
  const { options } = await started();
  expect(options).toMatchObject({ x: 11, y: 22, width: 1111, height: 777 });
});

it("shows the window when there is something to see", async () => {
  const window = await started();
  window.emit("ready-to-show");
  expect(window.done).toEqual([`load ${OURS}`, "show"]);
});

it("quits with its last window, after the service has closed its files", async () => {
  await started();
  electron.app.emit("window-all-closed");
  expect(electron.app.done.at(-1)).toBe("quit");
  const event = preventable({});
  electron.app.emit("will-quit", event);
  expect([event.defaultPrevented, service.closed]).toEqual([true, true]);
  await soon(() => {
    expect(electron.app.done.at(-1)).toBe("exit 0");
  });
});

it("quits all the same when the service does not close", async () => {
  vi.useFakeTimers();
  try {
    service.close = () => new Promise(() => undefined);
    start(electron.parts(), () => Promise.resolve(service), place());
    electron.app.fireReady();
    await vi.advanceTimersByTimeAsync(0);
    electron.app.emit("will-quit", preventable({}));
    await vi.advanceTimersByTimeAsync(2900);
    expect(electron.app.done).not.toContain("exit 0");
    await vi.advanceTimersByTimeAsync(200);
    expect(electron.app.done).toContain("exit 0");
  } finally {
    vi.useRealTimers();
  }
});
