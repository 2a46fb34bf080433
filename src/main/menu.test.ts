import type { KeyboardInputEvent, MenuItemConstructorOptions } from "electron";
import { expect, it } from "vitest";
import { SHORTCUTS, type ShortcutName } from "../host/api/shortcuts.ts";
import { catalogueEn } from "../i18n/en.ts";
import { FakeWindow } from "../../tests/fakeElectron.ts";
import { acceleratorOf, inputEventOf, keyEverywhere, menuTemplate } from "./menu.ts";

const names = Object.keys(SHORTCUTS) as ShortcutName[];

function items(isMac = false, devtools = false, window: FakeWindow | null = new FakeWindow({})): MenuItemConstructorOptions[] {
  return menuTemplate({ isMac, devtools, window: () => window }).flatMap((menu) => (Array.isArray(menu.submenu) ? menu.submenu : []));
}

it("has every command that has a key, once, with its name", () => {
  const ours = items().filter((item) => item.id !== undefined);
  expect(ours.map((item) => item.id).sort()).toEqual([...names].sort());
  for (const item of ours) {
    expect(item.label).toBe(catalogueEn[`renderer.command.${item.id ?? ""}`]);
    expect(item.label).toBeDefined();
  }
});

it("shows keys and registers none, so that the page gets them", () => {
  for (const item of items().filter((each) => each.id !== undefined)) {
    expect([item.id, item.accelerator, item.registerAccelerator]).toEqual([item.id, expect.stringMatching(/./), false]);
  }
});

it("sends the key that means the command wherever the focus is", () => {
  const window = new FakeWindow({});
  for (const item of items(false, false, window).filter((each) => each.id !== undefined)) {
    window.webContents.input.length = 0;
    (item.click as () => void)();
    const key = keyEverywhere(item.id as ShortcutName) ?? "";
    expect(SHORTCUTS[item.id as ShortcutName]).toContain(key);
    expect(window.webContents.input).toEqual([inputEventOf(key, "keyDown", false), inputEventOf(key, "keyUp", false)]);
  }
});

it("does nothing when the window is gone", () => {
  const item = items(false, false, null).find((each) => each.id === "palette");
  expect(() => (item?.click as () => void)()).not.toThrow();
});

it("writes keys as Electron does", () => {
  expect([acceleratorOf("$mod+Shift+z"), acceleratorOf("F8"), acceleratorOf("Alt+1")]).toEqual(["CommandOrControl+Shift+Z", "F8", "Alt+1"]);
  const down = (key: string, isMac: boolean): KeyboardInputEvent => inputEventOf(key, "keyDown", isMac);
  expect(down("$mod+Shift+z", false)).toEqual({ type: "keyDown", keyCode: "z", modifiers: ["control", "shift"] });
  expect(down("$mod+Alt+=", true)).toEqual({ type: "keyDown", keyCode: "=", modifiers: ["meta", "alt"] });
});

it("offers the tools of developers only while developing", () => {
  const has = (devtools: boolean): boolean => items(false, devtools).some((item) => item.role === "toggleDevTools");
  expect([has(true), has(false)]).toEqual([true, false]);
  expect(items().some((item) => item.role === "reload" || item.role === "forceReload")).toBe(false);
});

it("leaves Control-C to the terminal except on a Mac, where copying is Command-C", () => {
  const copy = (isMac: boolean): boolean | undefined => items(isMac).find((item) => item.role === "copy")?.registerAccelerator;
  expect([copy(false), copy(true)]).toEqual([false, true]);
});
